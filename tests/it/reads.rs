//! Reads as files have them: every CIGAR operation, no qualities, no mates, long ones, very many.

use std::path::Path;

use rust_htslib::bam::record::{Cigar, CigarString};
use rust_htslib::bam::{self, Format, Header, Read as _, Record};

use crate::support::*;

/// Writes the demo's reads after `change`, which may drop one or write others as well.
pub(crate) fn write_reads(path: &Path, change: &mut dyn FnMut(Record, &mut Vec<Record>)) {
    let mut reader = bam::Reader::from_path(demo("reads.bam")).unwrap();
    let header = Header::from_template(reader.header());
    let mut changed = Vec::new();
    for record in reader.records() {
        change(record.unwrap(), &mut changed);
    }
    changed.sort_by_key(|record| (record.tid() as u32, record.pos()));
    {
        let mut writer = bam::Writer::from_path(path, &header, Format::Bam).unwrap();
        for record in &changed {
            writer.write(record).unwrap();
        }
    }
    bam::index::build(path, None, bam::index::Type::Bai, 1).unwrap();
}

/// The same read with another CIGAR, and with these bases and qualities.
fn with(record: &Record, cigar: &[Cigar], bases: &[u8], qualities: &[u8]) -> Record {
    let mut changed = record.clone();
    let cigar = CigarString(cigar.to_vec());
    changed.set(record.qname(), Some(&cigar), bases, qualities);
    changed
}

fn scores(model: &Path, reads: &Path, more: &[&str]) -> Vec<String> {
    let arguments = [&["-I", text(reads), "--sample-depth", "30"], more].concat();
    let scored = succeed(score(&demo("calls.vcf"), model, &arguments));
    let score_of = |line: &String| info(line, "CNN_2D").unwrap().to_owned();
    records(&scored).iter().map(score_of).collect()
}

/// The demo's reference by contig, in upper case.
fn reference() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(demo("ref.fa")).unwrap();
    let contigs = text.split('>').skip(1);
    contigs
        .map(|contig| {
            let bases = contig.split_once('\n').unwrap().1.replace('\n', "");
            bases.to_ascii_uppercase().into_bytes()
        })
        .collect()
}

#[test]
fn matches_may_be_spelled_out() {
    let lab = Lab::new();
    let reference = reference();
    let path = lab.path("spelled.bam");
    let mut spelled = 0;
    write_reads(&path, &mut |record, out| {
        if record.is_unmapped() {
            return out.push(record);
        }
        let bases = record.seq().as_bytes();
        let (mut at, mut place) = (0usize, record.pos() as usize);
        let mut cigar: Vec<Cigar> = Vec::new();
        for op in record.cigar().iter() {
            match *op {
                Cigar::Match(length) => {
                    for _ in 0..length {
                        let equal = reference[record.tid() as usize][place] == bases[at];
                        match (equal, cigar.last_mut()) {
                            (true, Some(Cigar::Equal(run))) | (false, Some(Cigar::Diff(run))) => {
                                *run += 1;
                            }
                            (true, _) => cigar.push(Cigar::Equal(1)),
                            (false, _) => cigar.push(Cigar::Diff(1)),
                        }
                        (at, place) = (at + 1, place + 1);
                    }
                    spelled += 1;
                }
                Cigar::Del(length) | Cigar::RefSkip(length) => {
                    place += length as usize;
                    cigar.push(*op);
                }
                Cigar::Ins(length) | Cigar::SoftClip(length) => {
                    at += length as usize;
                    cigar.push(*op);
                }
                _ => cigar.push(*op),
            }
        }
        let spelled = with(&record, &cigar, &bases, record.qual());
        out.push(spelled);
    });
    assert!(spelled > 9_000);
    // GATK's tensors have no base at `=` and `X`, which GATK's own code does not know.
    let model = Path::new("cnnfilter_reads");
    let expected = scores(model, &demo("reads.bam"), &[]);
    assert!(scores(model, &path, &[]) == expected);
}

#[test]
fn odd_reads_are_scored() {
    let lab = Lab::new();
    // Each takes its turn: padding and hard clips, a gap as of spliced RNA, no qualities, no bases, no mate.
    let path = lab.path("odd.bam");
    let mut number = 0;
    write_reads(&path, &mut |record, out| {
        number += 1;
        let (bases, qualities) = (record.seq().as_bytes(), record.qual().to_vec());
        let whole: Vec<Cigar> = record.cigar().iter().copied().collect();
        out.push(match (number % 6, &whole[..]) {
            (0, [Cigar::Match(length)]) => {
                let half = length / 2;
                let cigar = [
                    Cigar::HardClip(1_000_000),
                    Cigar::Match(half),
                    Cigar::Pad(3),
                    Cigar::Match(length - half),
                    Cigar::HardClip(7),
                ];
                with(&record, &cigar, &bases, &qualities)
            }
            (1, [Cigar::Match(length)]) => {
                let half = length / 2;
                let cigar = [
                    Cigar::Match(half),
                    Cigar::RefSkip(400),
                    Cigar::Match(length - half),
                ];
                with(&record, &cigar, &bases, &qualities)
            }
            (2, _) => with(&record, &whole, &bases, &vec![255; bases.len()]),
            (3, _) if !record.is_unmapped() => with(&record, &whole, &[], &[]),
            (4, _) => {
                let mut alone = record.clone();
                alone.set_flags(record.flags() & 0xf14);
                alone.unset_mate_unmapped();
                alone.set_mtid(-1);
                alone.set_mpos(-1);
                alone.set_insert_size(0);
                alone
            }
            _ => record,
        });
    });
    // Long reads without errors beside them.
    let long = lab.path("long.bam");
    let reference = reference();
    let mut written = 0;
    write_reads(&long, &mut |record, out| {
        if written < 40 && !record.is_unmapped() {
            let start = written * 600;
            let bases = &reference[0][start..start + 6_000];
            let mut read = with(&record, &[Cigar::Match(6_000)], bases, &vec![20; 6_000]);
            read.set_flags(if written % 2 == 0 { 0 } else { 0x10 });
            read.set_tid(0);
            read.set_pos(start as i64);
            read.set_mtid(-1);
            read.set_mpos(-1);
            out.push(read);
            written += 1;
        }
    });
    for reads in [&path, &long] {
        for (model, more, calls) in [
            (Path::new("cnnfilter_reads"), &[][..], 274),
            (&lab.model_2d(), &["-L", "demo2"][..], 78),
        ] {
            let found = scores(model, reads, more);
            assert_eq!(found.len(), calls);
            for score in &found {
                assert!(score.parse::<f64>().unwrap().abs() < 16.2, "{score}");
            }
        }
    }
}

#[test]
fn very_deep_places_are_sampled_fairly() {
    const COPIES: usize = 700;
    let lab = Lab::new();
    // One call of the middle, and what lies over it, 700 times over: some 20,000 reads.
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let header: String = calls
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let lines: Vec<&str> = calls
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let line = lines[120];
    let place: i64 = line.split('\t').nth(1).unwrap().parse().unwrap();
    let contig = i32::from(line.starts_with("demo2"));
    let one = lab.file("one.vcf", format!("{header}{line}\n"));
    let path = lab.path("deep.bam");
    let mut over = 0;
    write_reads(&path, &mut |record, out| {
        if record.tid() != contig || record.pos() > place || record.pos() + 125 < place {
            return;
        }
        for copy in 0..COPIES {
            let mut again = record.clone();
            let name = [record.qname(), copy.to_string().as_bytes()].concat();
            let cigar = record.cigar().take();
            again.set(&name, Some(&cigar), &record.seq().as_bytes(), record.qual());
            out.push(again);
            over += 1;
        }
    });
    assert!(over > 15_000, "{over}");
    for model in [Path::new("cnnfilter_reads"), &lab.model_2d()] {
        let run = |threads: &str| {
            let more = ["-I", text(&path), "--threads", threads];
            let output = score(&one, model, &more);
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            (succeed(output), message)
        };
        let (scored, message) = run("1");
        assert!(message.contains("scored from a sample of"), "{message}");
        assert!(run("3").0 == scored);
    }
}

/// The demo's reads, each with its bases written in another way.
fn rewritten(path: &Path, mut change: impl FnMut(&Record, Vec<u8>) -> Vec<u8>) {
    write_reads(path, &mut |record, out| {
        let bases = change(&record, record.seq().as_bytes());
        let cigar: Vec<Cigar> = record.cigar().iter().copied().collect();
        out.push(with(&record, &cigar, &bases, record.qual()));
    });
}

/// Writes `=` for each aligned base that is the reference's, as `samtools calmd -e` does.
fn as_equal(record: &Record, mut bases: Vec<u8>, reference: &[Vec<u8>]) -> Vec<u8> {
    if record.is_unmapped() {
        return bases;
    }
    let (mut at, mut place) = (0, record.pos() as usize);
    for op in record.cigar().iter() {
        let length = op.len() as usize;
        match op {
            Cigar::Match(_) => {
                for step in 0..length {
                    let base = reference[record.tid() as usize][place + step];
                    if bases[at + step] == base {
                        bases[at + step] = b'=';
                    }
                }
                (at, place) = (at + length, place + length);
            }
            Cigar::Del(_) | Cigar::RefSkip(_) => place += length,
            Cigar::Ins(_) | Cigar::SoftClip(_) => at += length,
            _ => {}
        }
    }
    bases
}

#[test]
fn bases_may_be_written_in_any_way() {
    let lab = Lab::new();
    let reference = reference();
    let equal = lab.path("equal.bam");
    let mut written = 0;
    rewritten(&equal, |record, bases| {
        let bases = as_equal(record, bases, &reference);
        written += bases.iter().filter(|base| **base == b'=').count();
        bases
    });
    assert!(written > 1_000_000, "{written}");
    let lower = lab.path("lower.bam");
    rewritten(&lower, |_, bases| bases.to_ascii_lowercase());
    for (model, more) in [
        (Path::new("cnnfilter_reads"), &[][..]),
        (&lab.model_2d(), &["-L", "demo2"][..]),
    ] {
        let expected = scores(model, &demo("reads.bam"), more);
        assert!(
            scores(model, &equal, more) == expected,
            "{}",
            model.display()
        );
        assert!(
            scores(model, &lower, more) == expected,
            "{}",
            model.display()
        );
    }
    // The same examples for training, and with the depth from the reads.
    let examples = |reads: &Path| {
        let (output, table) = (lab.path("x.bin"), lab.path("x.tsv"));
        let more = ["-I", text(reads), "--set", "demo", "--table", text(&table)];
        crate::tensors::tensors(&demo("calls.vcf"), &output, &more);
        std::fs::read(table).unwrap()
    };
    assert!(examples(&equal) == examples(&demo("reads.bam")));
    // A base that is not known: `N`, `.` or an ambiguity code.
    let unclear = |name: &str, letter: u8| {
        let path = lab.path(name);
        let mut number = 0;
        rewritten(&path, |_, mut bases| {
            number += 1;
            let length = bases.len();
            bases
                .iter_mut()
                .skip(number % 5)
                .step_by(5)
                .for_each(|base| *base = letter);
            assert_eq!(bases.len(), length);
            bases
        });
        path
    };
    let model = Path::new("cnnfilter_reads");
    let expected = scores(model, &unclear("n.bam", b'N'), &[]);
    assert!(expected != scores(model, &demo("reads.bam"), &[]));
    for (name, letter) in [
        ("r.bam", b'R'),
        ("v.bam", b'V'),
        ("dot.bam", b'.'),
        ("y.bam", b'y'),
    ] {
        assert!(
            scores(model, &unclear(name, letter), &[]) == expected,
            "{name}"
        );
    }
}

#[test]
fn spliced_reads_are_told_once() {
    let lab = Lab::new();
    let path = lab.path("spliced.bam");
    let mut spliced = 0;
    write_reads(&path, &mut |record, out| {
        let whole: Vec<Cigar> = record.cigar().iter().copied().collect();
        out.push(match &whole[..] {
            [Cigar::Match(length)] if spliced < 500 => {
                spliced += 1;
                let cigar = [
                    Cigar::Match(length / 2),
                    Cigar::RefSkip(300),
                    Cigar::Match(length - length / 2),
                ];
                let bases = record.seq().as_bytes();
                with(&record, &cigar, &bases, record.qual())
            }
            _ => record,
        });
    });
    let target = lab.path("o.vcf");
    let said = |reads: &Path, threads: &str| {
        let more = ["-I", text(reads), "--threads", threads, "-o", text(&target)];
        let output = score(&demo("calls.vcf"), Path::new("cnnfilter_reads"), &more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        succeed(output);
        let lines = said.lines().filter(|line| line.contains("spliced"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    let found = said(&path, "1");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("warning: ") && found[0].contains("no model was trained on such"));
    assert_eq!(said(&path, "3"), found);
    assert!(said(&demo("reads.bam"), "1").is_empty());
}
