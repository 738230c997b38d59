//! Genomes and ploidies: short contigs, odd names and letters, contig ends, genotypes of any ploidy, very many contigs.

use std::path::{Path, PathBuf};

use rust_htslib::bam::{self, HeaderView, Record};

use crate::callers::bare;
use crate::support::*;

/// Name and bases of each contig.
const CONTIGS: [(&str, &str); 9] = [
    ("tiny", "ACGTTGCAACGGTCATTGACCATGGTACCA"),
    (
        "HLA-A*01:01:01:01",
        "CAGGAGCAGAGGGGTCAGGGCGAAGTCCCAGGGCCCCAGGCGTGGCTCTCAGGGTCTCAGGCCCCGAAGGCGGTGTATGGATTGGGGAGTCCCAGCCTTGGGGATTCCCCAACTCCGCAGTTTCTTTTCTCCCTCTCCCAACCTATGTAG",
    ),
    (
        "gi|123|ref|NC_000001.1|",
        "TTGACGGATCCATTAGACCAGTTACAGGACTTACGGATCATTACGGACCATGACCAGGTTACATGACC",
    ),
    (
        "1",
        "GATCACAGGTCTATCACCCTATTAACCACTCACGGGAGCTCTCCATGCATTTGGTATTTTCGTCTGGGGGGTATGCACGCGATAGCATTGCGAGACGCTGG",
    ),
    (
        "MT",
        "GCACCTACGTTCAATATTACAGGCGAACATACTTACTAAAGTGTGTTAATTAATTAATGCTTGTAGGACATAATAATAACAATTGAATGTCTGCACAGCC",
    ),
    (
        "lower",
        "acgttagcctagatcgatcggattacgcgcgatatatagcgcattaggcatcgatcgactagctagcatcgat",
    ),
    (
        "codes",
        "RYACGTKMNNNNBDHVACGTTSWACGATCGATTAGCATNACGATCGATCAGCATCGACTACGACTRCATYR",
    ),
    ("four", "ACGT"),
    ("one", "A"),
];

/// Writes the contigs, 20 bases a line, with their index.
fn reference(lab: &Lab) -> PathBuf {
    let (mut fasta, mut index) = (String::new(), String::new());
    for (name, bases) in CONTIGS {
        fasta += &format!(">{name} of the test\n");
        index += &format!("{name}\t{}\t{}\t20\t21\n", bases.len(), fasta.len());
        for line in bases.as_bytes().chunks(20) {
            fasta += std::str::from_utf8(line).unwrap();
            fasta.push('\n');
        }
    }
    lab.file("r.fa.fai", index);
    lab.file("r.fa", fasta)
}

/// Reads that span their whole contig, `depth` on each.
fn reads(lab: &Lab, depth: usize) -> PathBuf {
    let mut header = bam::Header::new();
    for (name, bases) in CONTIGS {
        let mut line = bam::header::HeaderRecord::new(b"SQ");
        line.push_tag(b"SN", name).push_tag(b"LN", bases.len());
        header.push_record(&line);
    }
    let mut group = bam::header::HeaderRecord::new(b"RG");
    group.push_tag(b"ID", "g").push_tag(b"SM", "s");
    header.push_record(&group);
    let path = lab.path("r.bam");
    let view = HeaderView::from_header(&header);
    let mut writer = bam::Writer::from_path(&path, &header, bam::Format::Bam).unwrap();
    for (name, bases) in CONTIGS {
        for read in 0..depth {
            let (flag, length) = (16 * (read % 2), bases.len());
            let qualities = "I".repeat(length);
            let line = format!(
                "{read}\t{flag}\t{name}\t1\t60\t{length}M\t*\t0\t0\t{bases}\t{qualities}\tRG:Z:g"
            );
            let record = Record::from_sam(&view, line.as_bytes()).unwrap();
            writer.write(&record).unwrap();
        }
    }
    drop(writer);
    bam::index::build(&path, None, bam::index::Type::Bai, 1).unwrap();
    path
}

/// Genotypes of one, two, three, four and eight copies, of none, and of VCF 4.4.
const GENOTYPES: [&str; 12] = [
    "1",
    "0/1",
    "0|1|1",
    "0/0/1/1",
    "0/1/1/1/1/1/1/1",
    ".",
    "./.",
    "./1",
    "1|.",
    "/0/1",
    "|1",
    "0",
];

/// At each contig's first and last base a SNP, an insertion and a deletion, and one SNP in lower case between them.
fn calls(lab: &Lab) -> (PathBuf, usize) {
    let mut vcf = "##fileformat=VCFv4.4\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n".to_owned();
    for (at, (name, bases)) in CONTIGS.iter().enumerate() {
        let length = if at % 2 == 0 {
            format!(",length={}", bases.len())
        } else {
            String::new()
        };
        vcf += &format!("##contig=<ID={name}{length}>\n");
    }
    vcf += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
    let mut count = 0;
    for (name, bases) in CONTIGS {
        let length = bases.len();
        let mut call = |position: usize, reference: &str, alternate: &str| {
            let genotype = GENOTYPES[count % GENOTYPES.len()];
            vcf += &format!(
                "{name}\t{position}\t.\t{reference}\t{alternate}\t30\t.\tDP=8\tGT\t{genotype}\n"
            );
            count += 1;
        };
        let other = |at: usize| {
            if bases[at..=at].eq_ignore_ascii_case("C") {
                "T"
            } else {
                "C"
            }
        };
        call(1, &bases[..1], other(0));
        call(1, &bases[..1], &format!("{}GG", &bases[..1]));
        if length > 1 {
            // Nothing stands in front of the first base: the anchor is the base behind it.
            call(1, &bases[..2], &bases[1..2]);
            // The whole contig but its first base.
            call(1, bases, &bases[..1]);
            let middle = length / 2;
            let (reference, alternate) = (&bases[middle - 1..middle], other(middle - 1));
            call(middle, &reference.to_lowercase(), &alternate.to_lowercase());
            call(
                length - 1,
                &bases[length - 2..],
                &bases[length - 2..length - 1],
            );
            call(length, &bases[length - 1..], other(length - 1));
            call(
                length,
                &bases[length - 1..],
                &format!("{}ACGTACGTACGT", &bases[length - 1..]),
            );
        }
    }
    (lab.file("calls.vcf", vcf), count)
}

/// Scores and returns the records; each must have a score and be otherwise as it was.
fn score_all(variants: &Path, key: &str, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["score", "-V", text(variants)];
    all.extend(arguments);
    let scored = records(&succeed(program(&all).output().unwrap()));
    let before = records(&std::fs::read(variants).unwrap());
    assert_eq!(scored.len(), before.len());
    for (after, before) in scored.iter().zip(&before) {
        let score = info(after, key).expect(after);
        assert!(score.parse::<f64>().unwrap().is_finite(), "{after}");
        assert_eq!(&bare(after), before);
    }
    scored
}

#[test]
fn any_contig_and_any_ploidy_is_scored() {
    let lab = Lab::new();
    let (reference, reads) = (reference(&lab), reads(&lab, 12));
    let (calls, count) = calls(&lab);
    let (one, two) = (lab.model_1d(), lab.model_2d());
    let reference = text(&reference);
    for (key, more) in [
        ("CNN_1D", vec![]),
        ("CNN_2D", vec!["-I", text(&reads)]),
        ("CNN_1D", vec!["--model", text(&one)]),
        ("CNN_2D", vec!["--model", text(&two), "-I", text(&reads)]),
    ] {
        let mut arguments = vec!["-R", reference];
        arguments.extend(more);
        assert_eq!(score_all(&calls, key, &arguments).len(), count);
    }
}

#[test]
fn a_region_may_name_any_contig() {
    let lab = Lab::new();
    let reference = reference(&lab);
    let (calls, _) = calls(&lab);
    let lines = records(&std::fs::read(&calls).unwrap());
    for (name, _) in CONTIGS {
        let on_contig = |line: &&String| line.split('\t').next() == Some(name);
        let expected = lines.iter().filter(on_contig).count();
        let first = |line: &&String| on_contig(line) && line.split('\t').nth(1) == Some("1");
        let at_first = lines.iter().filter(first).count();
        for (region, expected) in [
            (name.to_owned(), expected),
            (format!("{name}:1-1"), at_first),
        ] {
            let (calls, reference) = (text(&calls), text(&reference));
            let mut run = program(&["score", "-V", calls, "-R", reference, "-L", &region]);
            let found = records(&succeed(run.output().unwrap()));
            assert_eq!(found.len(), expected, "{region}");
            assert!(found.iter().all(|line| line.starts_with(name)), "{region}");
        }
    }
}

#[test]
fn the_ploidy_changes_no_score_of_gatks_networks_and_no_record() {
    let lab = Lab::new();
    let (reference, model) = (reference(&lab), lab.model_1d());
    let (calls, _) = calls(&lab);
    let diploid: String = std::fs::read_to_string(&calls)
        .unwrap()
        .lines()
        .map(|line| match line.rsplit_once("\tGT\t") {
            Some((head, _)) => format!("{head}\tGT\t0/1\n"),
            None => format!("{line}\n"),
        })
        .collect();
    let diploid = lab.file("diploid.vcf", diploid);
    let scores = |calls: &Path| -> Vec<String> {
        let arguments = ["-R", text(&reference), "--model", text(&model)];
        score_all(calls, "CNN_1D", &arguments)
            .iter()
            .map(|line| info(line, "CNN_1D").unwrap().to_owned())
            .collect()
    };
    assert_eq!(scores(&calls), scores(&diploid));
}

/// As assemblies of plants and amphibians have them.
#[test]
fn half_a_million_contigs_are_no_obstacle() {
    const MANY: usize = 500_000;
    let lab = Lab::new();
    let bases = CONTIGS[0].1;
    let name = |at: usize| format!("scaffold_{at:06}");
    // All contigs have the same bases: their index entries name the same place in the file.
    let reference = lab.file("r.fa", format!(">any\n{bases}\n"));
    let (mut index, mut vcf) = (String::new(), "##fileformat=VCFv4.2\n".to_owned());
    for at in 0..MANY {
        index += &format!(
            "{}\t{}\t5\t{}\t{}\n",
            name(at),
            bases.len(),
            bases.len(),
            bases.len() + 1
        );
        vcf += &format!("##contig=<ID={},length={}>\n", name(at), bases.len());
    }
    vcf += "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n";
    vcf += "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n";
    vcf += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
    let called: Vec<usize> = (0..MANY).step_by(1000).chain([MANY - 1]).collect();
    for at in &called {
        vcf += &format!(
            "{}\t15\t.\t{}\tC\t30\t.\tDP=8\tGT\t1\n",
            name(*at),
            &bases[14..15]
        );
    }
    lab.file("r.fa.fai", index);
    let calls = lab.file("calls.vcf", vcf);
    let scored = score_all(&calls, "CNN_1D", &["-R", text(&reference)]);
    let places: Vec<String> = called.iter().map(|at| name(*at)).collect();
    let found: Vec<&str> = scored
        .iter()
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    assert_eq!(found, places);
    // The same call everywhere has the same score everywhere.
    assert!(
        scored
            .iter()
            .all(|line| info(line, "CNN_1D") == info(&scored[0], "CNN_1D"))
    );
    let target = lab.path("o.vcf.gz");
    let mut arguments = vec!["score", "-V", text(&calls), "-R", text(&reference)];
    arguments.extend(["-o", text(&target)]);
    succeed(program(&arguments).output().unwrap());
    assert!(lab.path("o.vcf.gz.tbi").exists());
}
