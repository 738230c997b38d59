//! `score`: the keys that calls get.

use std::io::Write;
use std::process::Stdio;

use crate::support::*;

#[test]
fn every_record_comes_out_once_with_a_score_and_nothing_else_changed() {
    let lab = Lab::new();
    let input = std::fs::read(demo("calls.vcf")).unwrap();
    let output = score(
        &demo("calls.vcf"),
        &lab.model_2d(),
        &["-I", text(&demo("reads.bam"))],
    );
    let output = succeed(output);
    let (before, after) = (records(&input), records(&output));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        let value = info(after, "CNN_2D").expect("every call of the demo can be scored");
        let (_, decimals) = value.split_once('.').unwrap();
        assert_eq!(decimals.len(), 3, "{value}");
        assert!(value.parse::<f64>().unwrap().abs() < 16.2, "{value}");
        assert_eq!(&after.replace(&format!(";CNN_2D={value}"), ""), before);
    }
    let header = String::from_utf8(output).unwrap();
    assert_eq!(
        header
            .matches("##INFO=<ID=CNN_2D,Number=1,Type=Float")
            .count(),
        1
    );
    assert_eq!(header.matches("##cnnfilterVersion=").count(), 1);
    assert_eq!(
        header
            .matches("##cnnfilterCommand=score --info-key CNN_2D")
            .count(),
        1
    );
}

#[test]
fn reads_make_the_difference() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let scored = succeed(score(
        &lab.some_calls(),
        &lab.model_2d(),
        &["-I", text(&bam)],
    ));
    let mut values: Vec<String> = records(&scored)
        .iter()
        .filter_map(|line| info(line, "CNN_2D").map(String::from))
        .collect();
    values.sort();
    values.dedup();
    assert!(values.len() > 50, "{} different scores", values.len());
}

#[test]
fn running_twice_replaces_and_other_keys_stay() {
    let lab = Lab::new();
    let once = lab.path("once.vcf");
    let bam = demo("reads.bam");
    let two = lab.model_2d();
    succeed(score(
        &lab.some_calls(),
        &two,
        &["-I", text(&bam), "-o", text(&once)],
    ));
    let twice = succeed(score(&once, &two, &["-I", text(&bam)]));
    assert_eq!(twice, std::fs::read(&once).unwrap());
    let both = String::from_utf8(succeed(score(&once, &lab.model_1d(), &[]))).unwrap();
    assert_eq!(both.matches("##cnnfilterCommand=").count(), 2);
    assert_eq!(both.matches("##cnnfilterVersion=").count(), 1);
    for line in records(both.as_bytes()) {
        assert!(info(&line, "CNN_1D").is_some() && info(&line, "CNN_2D").is_some());
    }
}

#[test]
fn other_callers_files_are_scored() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    for name in ["calls.freebayes.vcf", "calls.bcftools.vcf"] {
        let output = score(&demo(name), &lab.model_2d(), &["-I", text(&bam)]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("the header defines no"), "{message}");
        let lines = records(&succeed(output));
        assert_eq!(
            lines.len(),
            records(&std::fs::read(demo(name)).unwrap()).len()
        );
        assert!(lines.iter().all(|line| info(line, "CNN_2D").is_some()));
    }
}

const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=demo1,length=30000>\n##contig=<ID=elsewhere>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";

/// The base of the demo reference at a 1-based position of demo1.
fn base(position: usize) -> char {
    let fasta = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let contig: String = fasta.split('>').nth(1).unwrap().lines().skip(1).collect();
    contig.as_bytes()[position - 1].to_ascii_uppercase() as char
}

#[test]
fn what_cannot_be_scored_is_left_alone_and_counted() {
    let lab = Lab::new();
    let mut vcf = HEADER.to_owned();
    for (at, alternate) in ["<DEL>", "*", "<NON_REF>", ".", "G]demo1:500]", "<*>"]
        .iter()
        .enumerate()
    {
        let position = 2000 + at;
        let base = base(position);
        vcf += &format!("demo1\t{position}\tid\t{base}\t{alternate}\t1.50\tq\tDB\tGT\t0/1\n");
    }
    vcf += "elsewhere\t7\t.\tA\tC\t.\t.\t.\tGT\t./.\n";
    let calls = lab.file("calls.vcf", &vcf);
    let output = score(&calls, &lab.model_1d(), &[]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(records(&succeed(output)), records(vcf.as_bytes()));
    for (reason, count) in [
        (
            "no ALT spelled in bases (symbolic, breakend or `*` only)",
            5,
        ),
        ("no ALT allele", 1),
        ("contig not in the reference", 1),
    ] {
        let line = message
            .lines()
            .find(|line| line.contains(reason))
            .expect(reason);
        assert!(line.ends_with(&format!(" {count}")), "{line}");
    }
}

#[test]
fn a_stale_score_of_a_record_that_cannot_be_scored_goes() {
    let lab = Lab::new();
    let line = format!(
        "demo1\t2000\t.\t{}\t<DEL>\t.\t.\tDB;CNN_1D=5.000\tGT\t0/1\n",
        base(2000)
    );
    let calls = lab.file("calls.vcf", format!("{HEADER}{line}"));
    let scored = succeed(score(&calls, &lab.model_1d(), &[]));
    assert_eq!(
        records(&scored),
        [line.replace(";CNN_1D=5.000", "").trim_end()]
    );
}

#[test]
fn contig_ends_and_odd_letters_are_scored() {
    let lab = Lab::new();
    let mut vcf = HEADER.to_owned();
    // 1: left edge; 7778: an IUPAC code; 9050: inside a run of N; 30000: the last base.
    for position in [1, 2, 63, 64, 65, 7778, 9050, 29_937, 30_000] {
        vcf += &format!(
            "demo1\t{position}\t.\t{}\tT\t.\t.\t.\tGT\t0/1\n",
            base(position)
        );
    }
    let calls = lab.file("calls.vcf", &vcf);
    for (model, more) in [
        (lab.model_1d(), vec![]),
        (
            lab.model_2d(),
            vec!["-I".to_owned(), text(&demo("reads.bam")).to_owned()],
        ),
    ] {
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let lines = records(&succeed(score(&calls, &model, &more)));
        assert!(lines.iter().all(|line| line.contains("CNN_")), "{lines:?}");
    }
}

#[test]
fn an_empty_file_gives_an_empty_file() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", HEADER);
    let output = lab.path("out.vcf.gz");
    let bam = demo("reads.bam");
    succeed(score(
        &calls,
        &lab.model_2d(),
        &["-I", text(&bam), "-o", text(&output)],
    ));
    assert!(output.exists() && lab.path("out.vcf.gz.tbi").exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let lab = Lab::new();
    let mut child = score_command(&demo("calls.vcf"), &lab.model_1d(), &["--batch-size", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_run_that_is_told_to_stop_leaves_nothing() {
    let lab = Lab::new();
    let (model, target) = (lab.model_1d(), lab.path("out.vcf.gz"));
    for signal in ["-TERM", "-INT"] {
        let mut child = score_of_stdin(&model, &["-o", text(&target)])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let calls = std::fs::read(demo("calls.vcf")).unwrap();
        // More than is looked at to tell the format; then the pipe stays open.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&calls[..calls.len() - 1]).unwrap();
        let is_writing = || lab.names().iter().any(|name| name.contains("out.vcf.gz"));
        while !is_writing() {
            assert_eq!(
                child.try_wait().unwrap(),
                None,
                "it ended before it was told to"
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        assert!(!is_writing(), "{signal}: {:?}", lab.names());
    }
}

#[test]
fn standard_input_works_as_a_file_does() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let mut child = score_of_stdin(&model, &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = std::fs::read(demo("calls.vcf")).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = std::thread::spawn(move || stdin.write_all(&bytes));
    let piped = succeed(child.wait_with_output().unwrap());
    feed.join().unwrap().unwrap();
    assert_eq!(piped, succeed(score(&demo("calls.vcf"), &model, &[])));
}
