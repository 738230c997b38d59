//! Truth sets and labels as they come: filtered, doubled, with a leading phase, without a last line feed.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::*;

const HEADER: &str = "##fileformat=VCFv4.4\n##contig=<ID=demo1,length=30000>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdemo\n";

/// Records of the demo's truth: four on demo1, with the FILTER and the last one's line end given.
fn vcf(filter: &str, genotypes: [&str; 4], end: &str) -> String {
    let sites = [
        "20\t.\tA\tG",
        "48\t.\tC\tT",
        "101\t.\tC\tA",
        "787\t.\tACAGTT\tA",
    ];
    let lines: Vec<String> = sites
        .iter()
        .zip(genotypes)
        .map(|(site, genotype)| format!("demo1\t{site}\t30\t{filter}\t.\tGT\t{genotype}"))
        .collect();
    format!("{HEADER}{}{end}", lines.join("\n"))
}

const GENOTYPES: [&str; 4] = ["1/1", "0/1", "1/1", "0/1"];

fn run(lab: &Lab, calls: &Path, more: &[&str]) -> (Output, PathBuf) {
    let (reference, folder) = (demo("ref.fa"), lab.path("report"));
    let mut arguments = vec!["eval", "-V", text(calls), "-R", text(&reference)];
    arguments.extend(["-o", text(&folder), "--resamples", "0"]);
    arguments.extend(more);
    (program(&arguments).output().unwrap(), folder)
}

/// Standard output and standard error of a run that must succeed.
fn shown(lab: &Lab, calls: &Path, more: &[&str]) -> (String, String) {
    let (output, _) = run(lab, calls, more);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (String::from_utf8(succeed(output)).unwrap(), message)
}

/// The value of a line of the head of the summary.
fn value<'a>(summary: &'a str, what: &str) -> &'a str {
    let line = summary
        .lines()
        .find_map(|line| line.trim().strip_prefix(what));
    line.unwrap_or_else(|| panic!("no `{what}` in\n{summary}"))
        .trim_matches([' ', ':'])
}

/// The truth alleles of SNPs, called and not, as the page has them.
fn truth_snps(lab: &Lab) -> String {
    let page = std::fs::read_to_string(lab.path("report").join("eval.html")).unwrap();
    let (_, behind) = page.split_once("truth alleles, SNP</dt><dd>").unwrap();
    behind.split('<').next().unwrap().to_owned()
}

#[test]
fn a_leading_phase_is_read_in_calls_and_truth() {
    let lab = Lab::new();
    let plain = lab.file("plain.vcf", vcf("PASS", GENOTYPES, "\n"));
    let leading = lab.file(
        "leading.vcf",
        vcf("PASS", ["/1/1", "/0/1", "|1|1", "|0|1"], "\n"),
    );
    for (calls, truth) in [(&plain, &plain), (&leading, &plain), (&plain, &leading)] {
        let more = ["--truth", text(truth), "--match", "genotype"];
        let (summary, _) = shown(&lab, calls, &more);
        assert_eq!(value(&summary, "records, SNP"), "3 true, 0 false");
        assert_eq!(value(&summary, "records, INDEL"), "1 true, 0 false");
        assert_eq!(truth_snps(&lab), "3 called, 0 not");
    }
}

#[test]
fn a_filtered_truth_is_told_from_an_absent_one() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf(".", GENOTYPES, "\n"));
    let gap = lab.file("gap.vcf", vcf("GAP1", GENOTYPES, "\n"));
    let (summary, message) = shown(&lab, &calls, &["--truth", text(&gap)]);
    assert_eq!(
        value(&summary, "truth records left out by FILTER"),
        "GAP1 4"
    );
    assert_eq!(
        value(&summary, "records, SNP"),
        "0 true, 0 false, 3 not judged (all truth on the contig is filtered)"
    );
    for part in [
        "gap.vcf: FILTER leaves out every truth record (GAP1 4)",
        "NOTHING IS JUDGED",
        "--fail-on-empty",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let (output, _) = run(&lab, &calls, &["--truth", text(&gap), "--fail-on-empty"]);
    let message = fail(output);
    assert!(message.contains("NOTHING IS JUDGED"), "{message}");

    let named = lab.file("named.vcf", vcf("PASS;HighConf", GENOTYPES, "\n"));
    let (summary, message) = shown(&lab, &calls, &["--truth", text(&named), "--fail-on-empty"]);
    assert_eq!(value(&summary, "records, SNP"), "3 true, 0 false");
    assert!(
        message.contains("names beside PASS (PASS;HighConf 4) count as PASS"),
        "{message}"
    );
}

#[test]
fn nothing_to_judge_stands_out() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf(".", GENOTYPES, "\n"));
    let none = lab.file("none.bed", "");
    let more = ["--truth", text(&calls), "--confident", text(&none)];
    let (summary, message) = shown(&lab, &calls, &more);
    assert!(summary.contains("NOTHING IS JUDGED"), "{summary}");
    assert!(
        message.contains("none.bed: confident regions: the file names no region"),
        "{message}"
    );
    assert!(
        message.contains("4 outside the confident regions"),
        "{message}"
    );
    // A pipeline may want that to stop it; no report is left behind.
    std::fs::remove_dir_all(lab.path("report")).unwrap();
    let (output, folder) = run(&lab, &calls, &[&more[..], &["--fail-on-empty"]].concat());
    assert!(fail(output).contains("calls.vcf: NOTHING IS JUDGED"));
    assert!(!folder.exists());
}

#[test]
fn truth_beside_the_regions_says_that_the_contig_was_looked_at() {
    let lab = Lab::new();
    let truth = lab.file("truth.vcf", vcf("PASS", GENOTYPES, "\n"));
    let calls = format!("{HEADER}demo1\t60\t.\tC\tT\t9\t.\t.\tGT\t0/1\n");
    let reference = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let base = &reference.lines().nth(1).unwrap()[59..60];
    let other = if base == "T" { "A" } else { "T" };
    let calls = calls.replace("\tC\tT\t9", &format!("\t{base}\t{other}\t9"));
    let calls = lab.file("calls.vcf", calls);
    let more = ["--truth", text(&truth), "-L", "demo1:55-70"];
    let (summary, _) = shown(&lab, &calls, &more);
    assert_eq!(value(&summary, "records, SNP"), "0 true, 1 false");
}

#[test]
fn truth_that_stands_twice_counts_once() {
    let lab = Lab::new();
    let once = vcf("PASS", GENOTYPES, "\n");
    let calls = lab.file("calls.vcf", &once);
    let mut lines: Vec<&str> = once.lines().collect();
    let count = lines.len();
    lines.insert(count - 2, lines[count - 2]);
    lines.insert(count - 3, lines[count - 3]);
    let twice = lab.file("twice.vcf", lines.join("\n") + "\n");
    for rule in ["allele", "genotype"] {
        let (summary, message) = shown(&lab, &calls, &["--truth", text(&twice), "--match", rule]);
        assert_eq!(truth_snps(&lab), "3 called, 0 not");
        assert_eq!(
            value(
                &summary,
                "truth records that say what an earlier one says, left out"
            ),
            "2"
        );
        assert!(
            message.contains("2 truth records say what an earlier one says"),
            "{message}"
        );
        let figures = std::fs::read_to_string(lab.path("report").join("eval.tsv")).unwrap();
        let header: Vec<&str> = figures.lines().next().unwrap().split('\t').collect();
        let at = header.iter().position(|name| *name == "n_missed").unwrap();
        let missed = |line: &str| line.split('\t').nth(at).unwrap().to_owned();
        for line in figures
            .lines()
            .skip(1)
            .filter(|line| line.starts_with("QUAL\t"))
        {
            assert!(
                ["0", "NA", ""].contains(&missed(line).as_str()),
                "{rule}: {line}"
            );
        }
    }
    // Doubled and missed: once.
    let none = lab.file("none.vcf", HEADER);
    shown(
        &lab,
        &none,
        &["--truth", text(&twice), "--match", "genotype"],
    );
    assert_eq!(truth_snps(&lab), "0 called, 3 not");
}

#[test]
fn a_last_record_without_a_line_feed_is_taken_where_it_is_whole() {
    let lab = Lab::new();
    let whole = lab.file("whole.vcf", vcf("PASS", GENOTYPES, "\n"));
    let bare = lab.file("bare.vcf", vcf("PASS", GENOTYPES, ""));
    for (calls, truth, named) in [(&bare, &whole, &bare), (&whole, &bare, &bare)] {
        let (summary, message) = shown(
            &lab,
            calls,
            &["--truth", text(truth), "--match", "genotype"],
        );
        assert_eq!(value(&summary, "records, INDEL"), "1 true, 0 false");
        let warned = format!(
            "{}: the last line has no line feed; its record (demo1:787)",
            named.display()
        );
        assert!(message.contains(&warned), "{message}");
    }
    // As regions, and packed.
    let (summary, _) = shown(&lab, &whole, &["--truth", text(&whole), "-L", text(&bare)]);
    assert_eq!(value(&summary, "records, INDEL"), "1 true, 0 false");
    let packed = lab.path("bare.vcf.gz");
    let mut writer = rust_htslib::bgzf::Writer::from_path(&packed).unwrap();
    std::io::Write::write_all(&mut writer, &std::fs::read(&bare).unwrap()).unwrap();
    drop(writer);
    let (summary, _) = shown(&lab, &packed, &["--truth", text(&whole)]);
    assert_eq!(value(&summary, "records, INDEL"), "1 true, 0 false");
    // Without its end marker it stays refused.
    let mut bytes = std::fs::read(&packed).unwrap();
    bytes.truncate(bytes.len() - 28);
    let cut = lab.file("cut.vcf.gz", bytes);
    let (output, _) = run(&lab, &cut, &["--truth", text(&whole)]);
    assert!(fail(output).contains("cut.vcf.gz: the file is cut off"));
}

#[test]
fn a_cut_last_record_is_refused() {
    let lab = Lab::new();
    let whole = lab.file("whole.vcf", vcf("PASS", GENOTYPES, "\n"));
    let bytes = vcf("PASS", GENOTYPES, "");
    // Every cut of the last line but the one behind its last letter.
    let last = bytes.rfind('\n').unwrap();
    for length in last + 2..bytes.len() {
        let cut = lab.file("cut.vcf", &bytes[..length]);
        let (output, _) = run(&lab, &cut, &["--truth", text(&whole)]);
        let message = fail(output);
        assert!(
            message.contains("cut.vcf: the file is cut off: the last line has no line feed"),
            "{length}: {message}"
        );
    }
    // Out of a pipe it is a writer that died.
    let bare = lab.file("bare.vcf", &bytes);
    let (reference, model) = (demo("ref.fa"), lab.model_1d());
    let arguments = [
        "score",
        "-V",
        "-",
        "-R",
        text(&reference),
        "--model",
        text(&model),
    ];
    let output = program(&arguments)
        .stdin(std::fs::File::open(&bare).unwrap())
        .output()
        .unwrap();
    assert!(fail(output).contains("no line feed"));
}

#[test]
fn a_table_of_labels_may_end_blank_and_have_small_letters() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf("PASS", GENOTYPES, "\n"));
    let table = |rows: &str| lab.file("labels.tsv", format!("chrom\tpos\tref\talt\tlabel\n{rows}"));
    let of = |rows: &str| {
        let (summary, _) = shown(&lab, &calls, &["--labels", text(&table(rows))]);
        value(&summary, "records, SNP").to_owned()
    };
    let rows = "demo1\t20\tA\tG\tTP\ndemo1\t48\tC\tT\tFP\ndemo1\t101\tC\tA\tTP\n";
    assert_eq!(of(rows), "2 true, 1 false");
    assert_eq!(of(&format!("{rows}\n")), "2 true, 1 false");
    assert_eq!(of(&rows.replace("\tA\tG\t", "\ta\tg\t")), "2 true, 1 false");
    let doubled = table(&format!("{rows}demo1\t20\ta\tg\tFP\n"));
    let (output, _) = run(&lab, &calls, &["--labels", text(&doubled)]);
    let message = fail(output);
    assert!(
        message.contains("labels.tsv: line 5: demo1:20 stands further up with another label"),
        "{message}"
    );
}

#[test]
fn joined_and_gapped_headers_are_named() {
    let lab = Lab::new();
    let good = vcf("PASS", GENOTYPES, "\n");
    let truth = lab.file("truth.vcf", &good);
    let blank = good.replacen("##contig", "\n##contig", 1);
    let joined = format!("{good}{good}");
    for (name, content, parts) in [
        (
            "blank.vcf",
            blank,
            &["line 2, in the header, is blank", "take it out"],
        ),
        (
            "joined.vcf",
            joined,
            &[
                "record 5: expected a record, found a header line (`##fileformat=VCFv4.4`)",
                "bcftools concat",
            ],
        ),
    ] {
        let file = lab.file(name, content);
        for (calls, truth) in [(&file, &truth), (&truth, &file)] {
            let (output, _) = run(&lab, calls, &["--truth", text(truth)]);
            let message = fail(output);
            for part in parts.iter().chain([&name]) {
                assert!(message.contains(part), "expected `{part}` in\n{message}");
            }
        }
    }
}
