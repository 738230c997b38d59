//! Same input, same bytes: whatever the threads, the batch, the scatter.

use crate::support::*;

#[test]
fn threads_and_batches_change_nothing() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let model = lab.model_2d();
    let run = |more: &[&str]| {
        let mut arguments = vec!["-I", text(&bam)];
        arguments.extend(more);
        succeed(score(&lab.some_calls(), &model, &arguments))
    };
    let expected = run(&["--threads", "1"]);
    for (threads, batch) in [("1", "7"), ("2", "1"), ("2", "64"), ("5", "1000000")] {
        let found = run(&["--threads", threads, "--batch-size", batch]);
        assert!(found == expected, "{threads} threads, batches of {batch}");
    }
}

#[test]
fn compressed_output_does_not_depend_on_threads() {
    let lab = Lab::new();
    let run = |threads: &str| {
        let target = lab.path(&format!("{threads}.vcf.gz"));
        let more = ["-o", text(&target), "--threads", threads];
        succeed(score(&demo("calls.vcf"), &lab.model_1d(), &more));
        let index = lab.path(&format!("{threads}.vcf.gz.tbi"));
        (
            std::fs::read(target).unwrap(),
            std::fs::read(index).unwrap(),
        )
    };
    assert!(run("1") == run("3"));
}

#[test]
fn regions_put_together_again_are_the_whole() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let model = lab.model_2d();
    let run = |regions: &[&str]| {
        let mut arguments = vec!["-I", text(&bam)];
        for region in regions {
            arguments.extend(["-L", region]);
        }
        succeed(score(&lab.some_calls(), &model, &arguments))
    };
    let whole = run(&[]);
    let bed = lab.file("b.bed", "demo1\t4999\t17000\n");
    let parts = [
        run(&["demo1:1-4999"]),
        run(&[text(&bed)]),
        run(&["demo1:17,001-", "demo2"]),
    ];
    let header_of = |vcf: &[u8]| {
        let text = String::from_utf8_lossy(vcf).into_owned();
        text.lines()
            .filter(|line| line.starts_with('#'))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let mut together = Vec::new();
    for part in &parts {
        assert_eq!(header_of(part), header_of(&whole));
        assert!(!records(part).is_empty());
        together.extend(records(part));
    }
    assert_eq!(together, records(&whole));
}

#[test]
fn several_files_of_reads_count_as_one() {
    let lab = Lab::new();
    let model = lab.model_2d();
    let run = |files: &[&str]| {
        let mut arguments = Vec::new();
        for file in files {
            arguments.extend(["-I", file]);
        }
        records(&succeed(score(&lab.some_calls(), &model, &arguments)))
    };
    let bam = demo("reads.bam");
    let (forward, reverse) = (lab.path("f.bam"), lab.path("r.bam"));
    split_by_strand(&bam, &forward, &reverse);
    let whole = run(&[text(&bam)]);
    let split = run(&[text(&forward), text(&reverse)]);
    // Reads that start together may change places, and with them rows of equal sort keys.
    let same = whole.iter().zip(&split).filter(|(a, b)| a == b).count();
    assert!(same * 10 > whole.len() * 5, "{same} of {}", whole.len());
    assert_ne!(whole, run(&[text(&forward)]), "the second file counts");
}

fn split_by_strand(bam: &std::path::Path, forward: &std::path::Path, reverse: &std::path::Path) {
    use rust_htslib::bam::{self, Read};
    let mut reader = bam::Reader::from_path(bam).unwrap();
    let header = bam::Header::from_template(reader.header());
    let mut writers = [forward, reverse]
        .map(|path| bam::Writer::from_path(path, &header, bam::Format::Bam).unwrap());
    for record in reader.records() {
        let record = record.unwrap();
        writers[usize::from(record.is_reverse())]
            .write(&record)
            .unwrap();
    }
    drop(writers);
    for path in [forward, reverse] {
        bam::index::build(path, None, bam::index::Type::Bai, 1).unwrap();
    }
}
