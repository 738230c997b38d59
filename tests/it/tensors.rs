//! `tensors`: labelled calls become examples.

use std::path::Path;
use std::process::Output;

use cnnfilter::io::example_file::ExampleFile;

use crate::support::*;

/// Runs `tensors` with a truth and where it is complete.
fn tensors_by(labels: (&Path, &Path), calls: &Path, output: &Path, more: &[&str]) -> Output {
    let reference = demo("ref.fa");
    let mut arguments = vec![
        "tensors",
        "-V",
        text(calls),
        "-R",
        text(&reference),
        "--truth",
        text(labels.0),
        "--confident",
        text(labels.1),
        "-o",
        text(output),
    ];
    arguments.extend(more);
    program(&arguments).output().unwrap()
}

/// Runs `tensors` with the demo's truth; returns what it says.
pub(crate) fn tensors(calls: &Path, output: &Path, more: &[&str]) -> String {
    let (truth, confident) = (demo("truth.vcf.gz"), demo("confident.bed"));
    let run = tensors_by((&truth, &confident), calls, output, more);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    succeed(run);
    said
}

#[test]
fn examples_do_not_depend_on_threads() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let run = |threads: &str| {
        let table = lab.path(&format!("{threads}.tsv"));
        let output = lab.path(&format!("{threads}.bin"));
        let more = [
            "-I",
            text(&bam),
            "--set",
            "demo",
            "--table",
            text(&table),
            "--threads",
            threads,
        ];
        tensors(&demo("calls.vcf"), &output, &more);
        (
            std::fs::read(output).unwrap(),
            std::fs::read(table).unwrap(),
        )
    };
    let (one, two) = (run("1"), run("2"));
    assert!(one.0 == two.0, "the examples");
    assert!(one.1 == two.1, "the table");
}

#[test]
fn classes_are_counted_alike_in_file_table_and_summary() {
    let lab = Lab::new();
    for with_reads in [true, false] {
        let (output, table, bam) = (lab.path("e.bin"), lab.path("e.tsv"), demo("reads.bam"));
        let mut more = vec!["--set", "the demo", "--table", text(&table)];
        if with_reads {
            more.extend(["-I", text(&bam)]);
        }
        let said = tensors(&demo("calls.vcf"), &output, &more);
        let file = ExampleFile::open(&output).unwrap();
        let view = file.view();
        assert_eq!(file.header().set, "the demo");
        assert_eq!(file.header().sample_depth.is_some(), with_reads);
        let [false_snps, false_indels, real_snps, real_indels] = file.header().classes;
        // 191 records of the truth are called, and 82 others lie where it is complete.
        assert!(
            real_snps + real_indels >= 185,
            "{:?}",
            file.header().classes
        );
        assert!(
            false_snps >= 30 && false_indels >= 10,
            "{:?}",
            file.header().classes
        );
        assert_eq!(file.header().classes.iter().sum::<u64>(), view.len() as u64);

        let table = std::fs::read_to_string(&table).unwrap();
        let mut lines = table
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>());
        let heading = lines.next().unwrap();
        assert_eq!(
            heading[..9],
            [
                "set",
                "contig",
                "pos",
                "ref",
                "alt",
                "label",
                "genotype_right",
                "copies",
                "type"
            ]
        );
        let mut of_table = [0; 4];
        for (at, line) in lines.enumerate() {
            assert_eq!(line.len(), heading.len(), "{line:?}");
            assert_eq!(line[0], "the demo");
            let (class, contig, start) = view.label(at).unwrap();
            assert_eq!(
                (line[1], line[2]),
                (contig.as_str(), (start + 1).to_string().as_str())
            );
            let of_line = 2 * line[5].parse::<usize>().unwrap() + usize::from(line[8] == "INDEL");
            assert_eq!(of_line, class);
            of_table[class] += 1;
        }
        assert_eq!(of_table, file.header().classes);
        for (name, count) in ["false SNPs", "false INDELs", "real SNPs", "real INDELs"]
            .into_iter()
            .zip(of_table)
        {
            let line = said.lines().find(|line| line.contains(name)).expect(name);
            assert!(line.ends_with(&format!(" {count}")), "{line}");
        }
    }
}

#[test]
fn labels_that_judge_no_call_are_refused() {
    let lab = Lab::new();
    let (truth, confident) = (demo("truth.vcf.gz"), demo("confident.bed"));
    let elsewhere = lab.file("elsewhere.bed", "elsewhere\t0\t30000\n");
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    // Under the names that another build of the reference would have.
    let renamed = lab.file("renamed.vcf", calls.replace("demo", "chr"));
    for (labels, reason) in [
        ((&truth, &elsewhere), "outside the confident regions"),
        ((&renamed, &confident), "no truth on the contig"),
    ] {
        let (output, table) = (lab.path("examples.bin"), lab.path("examples.tsv"));
        let run = tensors_by(
            (labels.0, labels.1),
            &demo("calls.vcf"),
            &output,
            &["--table", text(&table)],
        );
        let message = fail(run);
        for part in ["no call is judged by the labels given", reason] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!output.exists() && !table.exists(), "{:?}", lab.names());
    }
}
