//! Reads: BAM and CRAM with their indexes.

use super::*;

use rust_htslib::bam::{self, Read as _};

/// The reads as `other.bam`, with another text in the header.
fn reheadered(case: &mut Case, from: &str, to: &str) {
    let mut reader = bam::Reader::from_path(case.path("reads.bam")).unwrap();
    let text = String::from_utf8(reader.header().as_bytes().to_vec()).unwrap();
    let text = text.replace(from, to);
    let header = bam::Header::from_template(&bam::HeaderView::from_bytes(text.as_bytes()));
    let target = case.path("other.bam");
    let mut writer = bam::Writer::from_path(&target, &header, bam::Format::Bam).unwrap();
    for record in reader.records() {
        writer.write(&record.unwrap()).unwrap();
    }
    drop(writer);
    bam::index::build(&target, None, bam::index::Type::Bai, 1).unwrap();
    case.set("-I", "other.bam");
}

/// `score` with the reads as CRAM.
fn cram() -> Case {
    let mut case = Case::score();
    for name in ["reads.cram", "reads.cram.crai"] {
        case.lab.copy(name);
    }
    case.set("-I", "reads.cram");
    case
}

#[test]
fn bam_files() {
    check(
        Case::score,
        &[
            (
                "no reads",
                |c| c.set("-I", "none.bam"),
                &["none.bam: cannot open"],
            ),
            (
                "a folder",
                |c| c.set("-I", "."),
                &[".: cannot read: Is a directory"],
            ),
            (
                "no index",
                |c| std::fs::remove_file(c.path("reads.bam.bai")).unwrap(),
                &[
                    "reads.bam: it has no index",
                    "reads.bam.bai",
                    "samtools index",
                ],
            ),
            (
                "an empty file",
                |c| c.truncate("reads.bam", 0.0),
                &["reads.bam: expected BAM or CRAM"],
            ),
            (
                "cut off",
                |c| c.truncate("reads.bam", 0.7),
                &["reads.bam: the file is cut off", "copy or make it again"],
            ),
            (
                "without its end",
                |c| {
                    c.change("reads.bam", |mut bytes| {
                        bytes.truncate(bytes.len() - 28);
                        bytes
                    })
                },
                &["reads.bam: the file is cut off", "empty last block"],
            ),
            (
                "damaged",
                |c| {
                    c.change("reads.bam", |mut bytes| {
                        let middle = bytes.len() / 2;
                        bytes[middle..middle + 64].fill(0x55);
                        bytes
                    })
                },
                &[
                    "reads.bam: ",
                    "(the file is damaged, or reads.bam.bai is the index of another file",
                    "samtools index reads.bam",
                ],
            ),
            (
                "a damaged header",
                |c| {
                    c.change("reads.bam", |mut bytes| {
                        bytes[30..60].fill(0x55);
                        bytes
                    })
                },
                &["reads.bam: expected BAM or CRAM"],
            ),
            (
                "SAM",
                |c| c.write("reads.bam", "@HD\tVN:1.6\n"),
                &["reads.bam: expected BAM or CRAM, found text (SAM?)"],
            ),
            (
                "a VCF",
                |c| c.set("-I", "calls.vcf"),
                &["calls.vcf: expected BAM or CRAM"],
            ),
            (
                "a VCF.gz",
                |c| {
                    compress(c, "calls.vcf", "calls.vcf.gz");
                    c.write("calls.vcf.gz.csi", "");
                    c.set("-I", "calls.vcf.gz");
                },
                &[
                    "calls.vcf.gz: expected BAM or CRAM",
                    "does not begin as a BAM does",
                ],
            ),
            (
                "reads of another genome build",
                |c| reheadered(c, "LN:30000", "LN:31000"),
                &[
                    "other.bam and ref.fa are not about the same reference",
                    "31000 bases in one and 30000 in the other",
                ],
            ),
            (
                "reads with other spellings",
                |c| reheadered(c, "SN:demo", "SN:chrdemo"),
                &["other.bam and ref.fa", "`chrdemo1`", "`demo1`"],
            ),
        ],
    );
}

#[test]
fn indexes() {
    check(
        Case::score,
        &[
            (
                "an empty index",
                |c| c.truncate("reads.bam.bai", 0.0),
                &["reads.bam: opening it or its index", "samtools index"],
            ),
            (
                "text as index",
                |c| c.write("reads.bam.bai", "hello, hello, hello"),
                &["reads.bam: opening it or its index", "samtools index"],
            ),
            (
                "half an index",
                |c| c.truncate("reads.bam.bai", 0.5),
                &["reads.bam.bai: it is cut off", "samtools index reads.bam"],
            ),
            (
                "the index of a file without contigs",
                |c| c.write("reads.bam.bai", b"BAI\x01\0\0\0\0"),
                &[
                    "reads.bam.bai: it is the index of another file",
                    "it has 0 contigs, reads.bam has 2",
                    "samtools index reads.bam",
                ],
            ),
            (
                "the index of a file with one contig",
                |c| c.write("reads.bam.bai", b"BAI\x01\x01\0\0\0\0\0\0\0\0\0\0\0"),
                &["reads.bam.bai: it is the index of another file: it has 1 contigs"],
            ),
        ],
    );
}

#[test]
fn cram_files() {
    check(
        cram,
        &[
            (
                "no index",
                |c| std::fs::remove_file(c.path("reads.cram.crai")).unwrap(),
                &[
                    "reads.cram: it has no index",
                    "reads.cram.crai",
                    "samtools index",
                ],
            ),
            (
                "text as index",
                |c| c.write("reads.cram.crai", "hello"),
                &["reads.cram: opening it or its index"],
            ),
            (
                "cut off",
                |c| c.truncate("reads.cram", 0.5),
                &["reads.cram: the file is cut off", "empty last container"],
            ),
            (
                "another reference",
                // Between two calls: the calls agree with it, the reads do not.
                |c| {
                    c.change("ref.fa", |mut bases| {
                        bases[9..13].iter_mut().for_each(|base| {
                            *base = if *base == b'A' { b'C' } else { b'A' };
                        });
                        bases
                    })
                },
                &["reads.cram: ", "not made with this reference"],
            ),
        ],
    );
}

#[test]
fn streams_of_reads_are_refused() {
    for (flag, expected) in [
        ("-", "-: "),
        ("/dev/stdin", "/dev/stdin: "),
        ("fifo", "fifo: "),
    ] {
        let mut case = Case::score();
        let fifo = case.path("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        case.set("-I", flag);
        let message = case.message();
        assert!(message.contains(expected), "{message}");
        assert!(
            message.contains("expected a BAM or CRAM file with its index beside it"),
            "{message}"
        );
    }
}

#[test]
fn stale_indexes_are_named() {
    // The index of twice as many reads; then the index of half of them.
    let mut case = Case::score();
    let half = |case: &Case, name: &str| {
        let mut reader = bam::Reader::from_path(case.path("reads.bam")).unwrap();
        let header = bam::Header::from_template(reader.header());
        let target = case.path(name);
        let mut writer = bam::Writer::from_path(&target, &header, bam::Format::Bam).unwrap();
        for record in reader.records().step_by(2) {
            writer.write(&record.unwrap()).unwrap();
        }
        drop(writer);
        bam::index::build(&target, None, bam::index::Type::Bai, 1).unwrap();
    };
    half(&case, "half.bam");
    let (of_half, of_whole) = (case.bytes("half.bam.bai"), case.bytes("reads.bam.bai"));
    case.write("half.bam.bai", of_whole);
    case.set("-I", "half.bam");
    let message = case.message();
    for part in [
        "half.bam.bai: it is the index of another file: it points behind the end of half.bam",
        "samtools index half.bam",
    ] {
        assert!(message.contains(part), "{message}");
    }
    case.write("reads.bam.bai", of_half);
    case.set("-I", "reads.bam");
    case.add("-q");
    let message = case.message();
    for part in [
        "reads.bam.bai is the index of another file",
        "samtools index reads.bam",
    ] {
        assert!(message.contains(part), "{message}");
    }
    // Nothing of htslib's beside it.
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn an_index_that_is_older_than_its_file_is_told() {
    let mut case = Case::score();
    let index = std::fs::File::options()
        .write(true)
        .open(case.path("reads.bam.bai"));
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(100_000);
    index.unwrap().set_modified(long_ago).unwrap();
    let run = |case: &Case| {
        let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
        let output = program(&arguments)
            .current_dir(case.path(""))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        succeed(output);
        said
    };
    let said = run(&case);
    assert_eq!(
        said.matches("reads.bam.bai: it is older than reads.bam")
            .count(),
        1,
        "{said}"
    );
    assert!(!said.contains("[W::"), "{said}");
    case.add("-q");
    assert_eq!(run(&case), "");
}
