//! Every format in, every format out.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rust_htslib::bam::{self, Read as _};
use rust_htslib::bcf::{self, Read as _};

use crate::support::*;

/// A file as VCF text, read by htslib.
fn as_text(path: &Path) -> Vec<String> {
    let mut reader = bcf::Reader::from_path(path).unwrap();
    let mut lines = Vec::new();
    for record in reader.records() {
        lines.push(record.unwrap().to_vcf_string().unwrap());
    }
    lines
}

/// The demo's calls as VCF.gz (bgzip), VCF.gz (gzip), BCF and uncompressed BCF.
fn inputs(lab: &Lab) -> Vec<PathBuf> {
    let plain = demo("calls.vcf");
    let write = |name: &str, uncompressed: bool, format: bcf::Format| {
        let path = lab.path(name);
        let mut reader = bcf::Reader::from_path(&plain).unwrap();
        let header = bcf::Header::from_template(reader.header());
        let mut writer = bcf::Writer::from_path(&path, &header, uncompressed, format).unwrap();
        for record in reader.records() {
            writer.write(&record.unwrap()).unwrap();
        }
        path
    };
    let gzip = lab.path("gzip.vcf.gz");
    let mut encoder = flate2::write::GzEncoder::new(
        std::fs::File::create(&gzip).unwrap(),
        flate2::Compression::fast(),
    );
    std::io::copy(&mut std::fs::File::open(&plain).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap();
    vec![
        plain.clone(),
        write("bgzip.vcf.gz", false, bcf::Format::Vcf),
        gzip,
        write("a.bcf", false, bcf::Format::Bcf),
        write("u.bcf", true, bcf::Format::Bcf),
    ]
}

#[test]
fn every_input_gives_the_same_records() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let mut expected = Vec::new();
    for input in inputs(&lab) {
        let target = lab.path("scored.vcf");
        succeed(score(&input, &model, &["-o", text(&target)]));
        // htslib writes numbers in its own way (`60` for `60.00`): read all of them through it.
        let found = as_text(&target);
        assert_eq!(found.len(), 274, "{}", input.display());
        if expected.is_empty() {
            expected = found;
        } else {
            assert_eq!(found, expected, "{}", input.display());
        }
        // And through a pipe, where nothing can be read twice.
        let bytes = std::fs::File::open(&input).unwrap();
        let piped = score_of_stdin(&model, &[])
            .stdin(Stdio::from(bytes))
            .output()
            .unwrap();
        let piped = lab.file("piped.vcf", succeed(piped));
        assert_eq!(as_text(&piped), expected, "{} piped", input.display());
    }
}

#[test]
fn every_output_holds_the_same_records() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let plain = lab.path("plain.vcf");
    succeed(score(&demo("calls.vcf"), &model, &["-o", text(&plain)]));
    let expected = as_text(&plain);
    assert_eq!(expected.len(), 274);
    for (name, index) in [
        ("o.vcf.gz", Some("tbi")),
        ("o.bcf", Some("csi")),
        ("p.vcf", None),
    ] {
        let target = lab.path(name);
        succeed(score(&demo("calls.vcf"), &model, &["-o", text(&target)]));
        assert_eq!(as_text(&target), expected, "{name}");
        for suffix in ["tbi", "csi"] {
            let beside = lab.path(&format!("{name}.{suffix}"));
            assert_eq!(
                beside.exists(),
                index == Some(suffix),
                "{}",
                beside.display()
            );
        }
    }
    for (kind, name) in [
        ("v", "s.vcf"),
        ("z", "s.vcf.gz"),
        ("b", "s.bcf"),
        ("u", "su.bcf"),
    ] {
        let bytes = succeed(score(&demo("calls.vcf"), &model, &["-O", kind]));
        assert_eq!(
            as_text(&lab.file(name, bytes)),
            expected,
            "-O {kind} on standard output"
        );
    }
    let names = lab.names();
    assert!(!names.iter().any(|name| name.contains(".tmp")), "{names:?}");
}

#[test]
fn an_index_finds_its_records_and_can_be_left_out() {
    let lab = Lab::new();
    let target = lab.path("o.vcf.gz");
    succeed(score(
        &demo("calls.vcf"),
        &lab.model_1d(),
        &["-o", text(&target)],
    ));
    let mut reader = bcf::IndexedReader::from_path(&target).unwrap();
    let contig = reader.header().name2rid(b"demo2").unwrap();
    reader.fetch(contig, 0, None).unwrap();
    let expected = records(&std::fs::read(demo("calls.vcf")).unwrap())
        .iter()
        .filter(|line| line.starts_with("demo2\t"))
        .count();
    assert_eq!(reader.records().count(), expected);
    for more in ["--no-index", "--create-output-variant-index=false"] {
        succeed(score(
            &demo("calls.vcf"),
            &lab.model_1d(),
            &["-o", text(&target), more],
        ));
        assert!(
            !lab.path("o.vcf.gz.tbi").exists(),
            "the old index would be wrong"
        );
    }
}

#[test]
fn cram_scores_as_bam_does() {
    let lab = Lab::new();
    let model = lab.model_2d();
    let score_with = |reads: &str| {
        let reads = demo(reads);
        records(&succeed(score(
            &lab.some_calls(),
            &model,
            &["-I", text(&reads)],
        )))
    };
    assert_eq!(score_with("reads.cram"), score_with("reads.bam"));
}

#[test]
fn the_depth_of_a_cram_is_that_of_its_bam() {
    let run = |reads: &str, more: &[&str]| {
        let reads = demo(reads);
        let arguments = [&["-I", text(&reads)], more].concat();
        let scored = score(&demo("calls.vcf"), Path::new("cnnfilter_reads"), &arguments);
        records(&succeed(scored))
    };
    for more in [&[][..], &["--min-mapq", "20"]] {
        assert!(
            run("reads.cram", more) == run("reads.bam", more),
            "{more:?}"
        );
    }
}

#[test]
fn a_cram_takes_a_reference_of_any_name() {
    let lab = Lab::new();
    let (cram, calls) = (demo("reads.cram"), demo("calls.vcf"));
    let mut scored = Vec::new();
    for name in ["ref", "ref.v1", "ref.fa"] {
        let reference = lab.path(name);
        std::fs::copy(demo("ref.fa"), &reference).unwrap();
        std::fs::copy(demo("ref.fa.fai"), lab.path(&format!("{name}.fai"))).unwrap();
        let run = program(&[
            "score",
            "-V",
            text(&calls),
            "-R",
            text(&reference),
            "-I",
            text(&cram),
            "-L",
            "demo2",
        ]);
        scored.push(records(&succeed({ run }.output().unwrap())));
    }
    assert!(scored[0] == scored[2] && scored[1] == scored[2]);
}

/// MD5 of [`decoy`], by which a CRAM names its reference; without it the CRAM would hold the bases.
const DECOY_MD5: &str = "11c3c848178ad3587388925e7ef3c22f";

fn decoy() -> String {
    "ACGTTGCAAGCTTCGA".repeat(400)
}

/// The demo's reads with further contigs in the header and reads on the first of them, as BAM and CRAM;
/// and a reference that has all of that.
fn with_decoys(lab: &Lab) -> [PathBuf; 2] {
    let decoy = decoy();
    let whole = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let reference = lab.file(
        "whole.fa",
        format!("{whole}>decoy\n{decoy}\n>HLA-A*01:01\n{decoy}\n"),
    );
    rust_htslib::faidx::build(&reference).unwrap();
    let reads = [
        (
            lab.path("decoys.bam"),
            bam::Format::Bam,
            bam::index::Type::Bai,
        ),
        (
            lab.path("decoys.cram"),
            bam::Format::Cram,
            bam::index::Type::Csi(14),
        ),
    ];
    for (path, format, index) in &reads {
        let mut reader = bam::Reader::from_path(demo("reads.bam")).unwrap();
        let demo = bam::Reader::from_path(demo("reads.cram")).unwrap();
        let mut header = bam::Header::from_template(demo.header());
        for name in ["decoy", "HLA-A*01:01"] {
            let mut line = bam::header::HeaderRecord::new(b"SQ");
            line.push_tag(b"SN", name);
            line.push_tag(b"LN", decoy.len());
            line.push_tag(b"M5", DECOY_MD5);
            header.push_record(&line);
        }
        let mut writer = bam::Writer::from_path(path, &header, *format).unwrap();
        writer.set_reference(&reference).unwrap();
        let (mut unplaced, mut last) = (Vec::new(), None);
        for record in reader.records() {
            let record = record.unwrap();
            if record.tid() < 0 {
                unplaced.push(record);
            } else {
                writer.write(&record).unwrap();
                last = Some(record);
            }
        }
        for number in 0..20_000 {
            let mut read = last.clone().unwrap();
            read.set(
                format!("d{number}").as_bytes(),
                Some(&bam::record::CigarString(vec![bam::record::Cigar::Match(
                    100,
                )])),
                &decoy.as_bytes()[..100],
                &[30; 100],
            );
            read.set_flags(0);
            read.set_tid(2);
            read.set_mtid(-1);
            read.set_mpos(-1);
            read.set_pos(16 * (number * 300 / 20_000));
            writer.write(&read).unwrap();
        }
        for record in unplaced {
            writer.write(&record).unwrap();
        }
        drop(writer);
        let index = match index {
            bam::index::Type::Bai => bam::index::Type::Bai,
            bam::index::Type::Csi(shift) => bam::index::Type::Csi(*shift),
        };
        bam::index::build(path, None, index, 1).unwrap();
    }
    reads.map(|(path, _, _)| path)
}

#[test]
fn contigs_that_no_call_needs_may_lack_in_the_reference() {
    let lab = Lab::new();
    for reads in with_decoys(&lab) {
        let run = |reads: &Path| {
            let more = ["-I", text(reads)];
            let scored = score(&demo("calls.vcf"), Path::new("cnnfilter_reads"), &more);
            records(&succeed(scored))
        };
        assert!(
            run(&reads) == run(&demo("reads.bam")),
            "{}",
            reads.display()
        );
    }
}

#[test]
fn a_bgzipped_reference_scores_as_a_plain_one_does() {
    let lab = Lab::new();
    let mut fasta = String::new();
    std::fs::File::open(demo("ref.fa"))
        .unwrap()
        .read_to_string(&mut fasta)
        .unwrap();
    let packed = lab.path("r.fa.gz");
    {
        let mut writer = rust_htslib::bgzf::Writer::from_path(&packed).unwrap();
        std::io::Write::write_all(&mut writer, fasta.as_bytes()).unwrap();
    }
    rust_htslib::faidx::build(&packed).unwrap();
    let (model, calls) = (lab.model_1d(), demo("calls.vcf"));
    let output = program(&[
        "score",
        "-V",
        text(&calls),
        "-R",
        text(&packed),
        "--model",
        text(&model),
    ])
    .output()
    .unwrap();
    assert_eq!(
        records(&succeed(output)),
        records(&succeed(score(&calls, &model, &[])))
    );
}
