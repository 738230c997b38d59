//! Reads of groups that the header of their file lacks.

use std::path::{Path, PathBuf};

use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{self, Format, Header, Read as _};

use crate::support::*;

/// The demo's reads with these `@RG` lines, each read with the group that `group_of` says.
pub(crate) fn write_reads(
    lab: &Lab,
    name: &str,
    groups: &[&str],
    group_of: impl Fn(usize) -> Option<&'static str>,
) -> PathBuf {
    let path = lab.path(name);
    let mut reader = bam::Reader::from_path(demo("reads.bam")).unwrap();
    // The header of the CRAM says which reference it is of.
    let of_header = bam::Reader::from_path(demo("reads.cram")).unwrap();
    let text: String = String::from_utf8_lossy(of_header.header().as_bytes())
        .lines()
        .filter(|line| !line.starts_with("@RG"))
        .chain(groups.iter().copied())
        .map(|line| format!("{line}\n"))
        .collect();
    let header = Header::from_template(&bam::HeaderView::from_bytes(text.as_bytes()));
    let is_cram = name.ends_with(".cram");
    let format = if is_cram { Format::Cram } else { Format::Bam };
    let mut writer = bam::Writer::from_path(&path, &header, format).unwrap();
    if is_cram {
        writer.set_reference(demo("ref.fa")).unwrap();
    }
    for (number, record) in reader.records().enumerate() {
        let mut record = record.unwrap();
        record.remove_aux(b"RG").unwrap();
        if let Some(group) = group_of(number) {
            record.push_aux(b"RG", Aux::String(group)).unwrap();
        }
        writer.write(&record).unwrap();
    }
    drop(writer);
    let kind = match is_cram {
        true => bam::index::Type::Csi(14),
        false => bam::index::Type::Bai,
    };
    bam::index::build(&path, None, kind, 1).unwrap();
    path
}

pub(crate) const TWO: [&str; 2] = ["@RG\tID:1\tSM:demo", "@RG\tID:2\tSM:other"];

/// Output and messages of a run.
fn run(reads: &Path, more: &[&str]) -> (Vec<String>, String) {
    let arguments = [&["-I", text(reads)], more].concat();
    let output = score(&demo("calls.vcf"), Path::new("cnnfilter_reads"), &arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (records(&succeed(output)), said)
}

/// The warnings that name a file.
fn warnings<'a>(said: &'a str, name: &str) -> Vec<&'a str> {
    let lines = said.lines().filter(|line| line.contains("warning: "));
    lines.filter(|line| line.contains(name)).collect()
}

#[test]
fn left_out_reads_are_counted_by_group() {
    let lab = Lab::new();
    let group_of = |number: usize| match number % 4 {
        0 => Some("1"),
        1 => Some("1-4F2A"),
        2 => Some("nobody"),
        _ => None,
    };
    for name in ["half.bam", "half.cram"] {
        let reads = write_reads(&lab, name, &TWO, group_of);
        let (scored, said) = run(&reads, &["--threads", "1"]);
        let found = warnings(&said, name);
        assert_eq!(found.len(), 1, "{said}");
        for part in [
            "reads over calls are left out",
            "none: ",
            "`1-4F2A`: ",
            "`nobody`: ",
            "--sample-map",
        ] {
            assert!(found[0].contains(part), "{part}: {said}");
        }
        let (again, said) = run(&reads, &["--threads", "3"]);
        assert_eq!(
            warnings(&said, name),
            found,
            "the numbers do not depend on threads"
        );
        assert!(again == scored);
        // With the map all of the file is the sample's, and that is told too.
        let map = lab.file("map", format!("demo\t{name}\n"));
        let (mapped, said) = run(&reads, &["--sample-map", text(&map)]);
        assert!(mapped == run(&demo("reads.bam"), &[]).0);
        let found = warnings(&said, name);
        assert!(
            found[0].contains("taken for those of sample `demo`"),
            "{said}"
        );
    }
}

#[test]
fn all_left_out_is_an_error() {
    let lab = Lab::new();
    for (name, group) in [
        ("named.bam", Some("lost")),
        ("none.bam", None),
        ("named.cram", Some("lost")),
    ] {
        let reads = write_reads(&lab, name, &TWO, |_| group);
        for more in [&[][..], &["--sample-depth", "30", "-L", "demo2"]] {
            let arguments = [&["-I", text(&reads)], more].concat();
            let model = Path::new("cnnfilter_reads");
            let message = fail(score(&demo("calls.vcf"), model, &arguments));
            for part in [
                name,
                "none of its first",
                group.unwrap_or("none"),
                "the header `1`, `2`",
                "--sample-map",
            ] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
        let output = lab.path("x.bin");
        let (truth, reference) = (demo("truth.vcf.gz"), demo("ref.fa"));
        let calls = demo("calls.vcf");
        let tensors = program(&[
            "tensors",
            "-V",
            text(&calls),
            "-R",
            text(&reference),
            "-I",
            text(&reads),
            "--truth",
            text(&truth),
            "-o",
            text(&output),
        ]);
        let message = fail({ tensors }.output().unwrap());
        assert!(message.contains("none of its first"), "{message}");
        assert!(!output.exists());
    }
}

#[test]
fn a_file_of_one_sample_takes_all_and_says_so() {
    let lab = Lab::new();
    let expected = run(&demo("reads.bam"), &[]).0;
    let one = ["@RG\tID:1\tSM:demo"];
    let half = |number: usize| {
        if number.is_multiple_of(2) {
            Some("1")
        } else {
            Some("lost")
        }
    };
    for (name, groups, has_word) in [
        ("one.bam", &one[..], true),
        ("one.cram", &one, true),
        // A group without a sample is no other sample.
        ("no_sm.bam", &["@RG\tID:1\tSM:demo", "@RG\tID:lost"], true),
        (
            "both.bam",
            &["@RG\tID:1\tSM:demo", "@RG\tID:lost\tSM:demo"],
            false,
        ),
        ("nobody.bam", &["@RG\tID:1", "@RG\tID:lost"], false),
    ] {
        let reads = write_reads(&lab, name, groups, half);
        let (scored, said) = run(&reads, &[]);
        assert!(scored == expected, "{name}");
        let found = warnings(&said, name);
        assert_eq!(found.len(), usize::from(has_word), "{said}");
        assert!(found.iter().all(|line| line.contains("`lost`: ")), "{said}");
    }
    // A file without a read group has nothing to tell.
    let plain = write_reads(&lab, "plain.bam", &[], |_| None);
    let (scored, said) = run(&plain, &[]);
    assert!(
        scored == expected && warnings(&said, "plain.bam").is_empty(),
        "{said}"
    );
    // Reads of no group beside others have.
    let some = write_reads(&lab, "some.bam", &one, |number| {
        number.is_multiple_of(2).then_some("1")
    });
    let (scored, said) = run(&some, &[]);
    assert!(scored == expected && said.contains("(none: "), "{said}");
}
