//! `shards`: each position once, and a scattered run has the records of a whole one.

use std::path::{Path, PathBuf};

use rust_htslib::bcf::{self, Read as _, index};

use crate::support::*;

/// The demo's calls with an index.
fn indexed(lab: &Lab, name: &str, format: bcf::Format, kind: index::Type) -> PathBuf {
    let path = lab.path(name);
    let mut reader = bcf::Reader::from_path(demo("calls.vcf")).unwrap();
    let header = bcf::Header::from_template(reader.header());
    let mut writer = bcf::Writer::from_path(&path, &header, false, format).unwrap();
    for record in reader.records() {
        writer.write(&record.unwrap()).unwrap();
    }
    drop(writer);
    index::build(&path, None, 1, kind).unwrap();
    path
}

fn shards(arguments: &[&str]) -> String {
    let reference = demo("ref.fa");
    let all = [&["shards", "-R", text(&reference)], arguments].concat();
    String::from_utf8(succeed(program(&all).output().unwrap())).unwrap()
}

/// Fields of the lines of a BED.
fn lines(bed: &str) -> Vec<(&str, u64, u64, &str)> {
    bed.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [contig, start, end, shard] = fields[..] else {
                panic!("{line}")
            };
            (contig, start.parse().unwrap(), end.parse().unwrap(), shard)
        })
        .collect()
}

/// Records of a VCF.
fn records(path: &Path) -> String {
    let whole = std::fs::read_to_string(path).unwrap();
    let records = whole.lines().filter(|line| !line.starts_with('#'));
    records.map(|line| format!("{line}\n")).collect()
}

fn score(calls: &Path, output: &Path, more: &[&str]) {
    let (reads, reference) = (demo("reads.bam"), demo("ref.fa"));
    let mut whole = vec!["score", "-V", text(calls), "-I", text(&reads), "-R"];
    whole.extend([
        text(&reference),
        "--filter",
        "--explain",
        "-o",
        text(output),
    ]);
    whole.extend(more);
    succeed(program(&whole).output().unwrap());
}

#[test]
fn a_scattered_run_has_the_records_of_a_whole_one() {
    let lab = Lab::new();
    let calls = indexed(&lab, "calls.vcf.gz", bcf::Format::Vcf, index::Type::Tbx);
    let whole = lab.path("whole.vcf");
    score(&calls, &whole, &[]);
    let folder = lab.path("shards");
    let said = shards(&["-V", text(&calls), "-n", "3", "-o", text(&folder)]);
    assert!(said.is_empty());
    let mut joined = String::new();
    let mut counts = Vec::new();
    for number in 1..=3 {
        let shard = folder.join(format!("shard_{number:04}.bed"));
        let part = lab.path("part.vcf");
        score(&calls, &part, &["-L", text(&shard)]);
        let part = records(&part);
        counts.push(part.lines().count());
        joined += &part;
    }
    assert!(joined == records(&whole), "records differ");
    let most = *counts.iter().max().unwrap();
    assert!(most < joined.lines().count() / 2, "{counts:?}");
}

#[test]
fn each_position_lies_in_one_shard_whatever_the_index() {
    let lab = Lab::new();
    let tbi = indexed(&lab, "t.vcf.gz", bcf::Format::Vcf, index::Type::Tbx);
    let csi = indexed(&lab, "c.vcf.gz", bcf::Format::Vcf, index::Type::Csi(14));
    let bcf = indexed(&lab, "b.bcf", bcf::Format::Bcf, index::Type::Csi(14));
    let (bam, cram) = (demo("reads.bam"), demo("reads.cram"));
    let index = std::fs::read_to_string(demo("ref.fa.fai")).unwrap();
    for more in [
        &["-V", text(&tbi)][..],
        &["-V", text(&csi)],
        &["-V", text(&bcf)],
        &["-V", text(&tbi), "-V", text(&bcf), "-I", text(&bam)],
        &["-V", text(&csi), "-I", text(&cram)],
    ] {
        let bed = shards(&[more, &["-n", "7"]].concat());
        let lines = lines(&bed);
        let mut expected = lines.iter();
        for contig in index.lines() {
            let fields: Vec<&str> = contig.split('\t').collect();
            let (name, length) = (fields[0], fields[1].parse::<u64>().unwrap());
            let mut position = 0;
            while position < length {
                let (contig, start, end, _) = expected.next().unwrap();
                assert_eq!((*contig, *start), (name, position), "{bed}");
                position = *end;
            }
            assert_eq!(position, length, "{bed}");
        }
        assert!(expected.next().is_none());
        assert_eq!(
            (lines[0].3, lines[lines.len() - 1].3),
            ("shard_0001", "shard_0007")
        );
        assert_eq!(bed, shards(&[more, &["-n", "7"]].concat()));
    }
}

#[test]
fn what_cannot_be_cut_is_told() {
    let lab = Lab::new();
    let reference = demo("ref.fa");
    let fails = |calls: &Path, more: &[&str], says: &str| {
        let all = [
            "shards",
            "-R",
            text(&reference),
            "-n",
            "2",
            "-V",
            text(calls),
        ];
        let message = fail(program(&[&all[..], more].concat()).output().unwrap());
        assert!(message.contains(says), "{message}");
    };
    fails(&demo("calls.vcf"), &[], "not compressed by bgzip");
    let calls = indexed(&lab, "calls.vcf.gz", bcf::Format::Vcf, index::Type::Tbx);
    fails(&calls, &["-I", "none.bam"], "none.bam");
    // Engines take all files of a folder.
    let folder = lab.path("shards");
    shards(&["-V", text(&calls), "-n", "3", "-o", text(&folder)]);
    fails(
        &calls,
        &["-o", text(&folder)],
        "`shard_0003.bed` is a shard of another run",
    );
    let other = lab.file("other.fa", ">other\nACGT\n");
    lab.file("other.fa.fai", "other\t4\t7\t4\t5\n");
    let all = ["shards", "-R", text(&other), "-n", "2", "-V", text(&calls)];
    let message = fail(program(&all).output().unwrap());
    assert!(message.contains("contig `demo1`, which"), "{message}");
}
