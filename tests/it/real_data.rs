//! Real calls and reads against the values of GATK's own networks.
//!
//! `CNNFILTER_DATA` names the data folder and `CNNFILTER_GATK_JAR` a gatk-4.6.2.0.jar; with the
//! first set, anything that is missing fails. Without it these tests are not run (`#[ignore]`).

use std::path::{Path, PathBuf};

use candle_core::npy::NpzTensors;
use cnnfilter::io::alignment::AlignmentSource;
use cnnfilter::io::fasta::Reference;
use cnnfilter::io::model_dir;
use cnnfilter::io::text_source::TextSource;
use cnnfilter::io::vcf_reader::VcfReader;
use cnnfilter_core::encode::annotations::{self, BEST_PRACTICES};
use cnnfilter_core::encode::gatk::{CHANNELS, READ_LIMIT, ReadTensor, WINDOW};
use cnnfilter_core::encode::pileup::Pileup;
use cnnfilter_core::encode::{Example, SiteTensor};
use cnnfilter_core::genome::ReadFilter;
use cnnfilter_core::samples::{ReadRoute, RoutedFile};
use cnnfilter_nn::DeviceChoice;

use crate::support::*;

const WHY: &str = "needs CNNFILTER_DATA and CNNFILTER_GATK_JAR";

struct Set {
    name: &'static str,
    reads: &'static str,
    reference: &'static str,
    /// Records of the default and of the permissive calls.
    records: [usize; 2],
}

const SETS: [Set; 4] = [
    Set {
        name: "HG002.b37.chr20_10.0-10.1M",
        reads: "HG002.b37.chr20_10.0-10.1M.30x.bam",
        reference: "b37.chr20.composite.fa.gz",
        records: [290, 0],
    },
    Set {
        name: "NA12878.b37.chr20_10.0-10.27M",
        reads: "NA12878.b37.chr20_10.0-10.27M.7x.bam",
        reference: "b37.chr20.composite.fa.gz",
        records: [403, 621],
    },
    Set {
        name: "NA12878.hg19.chr20_10.0-10.1M",
        reads: "NA12878.hg19.chr20_10.0-10.1M.52x.bam",
        reference: "hg19.chr20.fa.gz",
        records: [246, 322],
    },
    Set {
        name: "NA12878.hg38.chr22_16.6-16.8M",
        reads: "NA12878.hg38.chr22_16.6-16.8M.32x.bam",
        reference: "hg38.chr22.slice.fa.gz",
        records: [489, 1230],
    },
];

fn data(path: impl AsRef<Path>) -> PathBuf {
    let folder = std::env::var_os("CNNFILTER_DATA").expect(WHY);
    let path = Path::new(&folder).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// GATK's two networks, imported from its jar.
fn gatk_models(lab: &Lab) -> [PathBuf; 2] {
    let jar = PathBuf::from(std::env::var_os("CNNFILTER_GATK_JAR").expect(WHY));
    let target = lab.path("models");
    succeed(
        program(&["import", text(&jar), "-o", text(&target)])
            .output()
            .unwrap(),
    );
    ["gatk-1d", "gatk-small-2d"].map(|name| target.join(name))
}

/// The calls without the scores that GATK gave them.
fn without_scores(lab: &Lab, path: &Path) -> PathBuf {
    let mut reader = VcfReader::open(path).unwrap();
    let mut bytes = reader.header().to_bytes();
    while let Some((_, mut record)) = reader.next_record().unwrap() {
        record.set_info(b"CNN_1D", None);
        record.set_info(b"CNN_2D", None);
        record.write_to(&mut bytes);
    }
    lab.file("bare.vcf", bytes)
}

#[test]
#[ignore = "needs CNNFILTER_DATA and CNNFILTER_GATK_JAR"]
fn scores_are_those_of_gatk() {
    let lab = Lab::new();
    let models = gatk_models(&lab);
    let mut compared = 0;
    for set in &SETS {
        let reads = data(format!("reads/{}", set.reads));
        let reference = data(format!("ref/{}", set.reference));
        for (kind, expected) in ["gatk4.6hc", "gatk4.6hc_permissive"]
            .iter()
            .zip(set.records)
        {
            if expected == 0 {
                continue;
            }
            let calls = data(format!("calls/{}.{kind}.cnn.vcf.gz", set.name));
            let bare = without_scores(&lab, &calls);
            let mut truth = VcfReader::open(&calls).unwrap();
            let mut lines = Vec::new();
            while let Some((_, record)) = truth.next_record().unwrap() {
                lines.push(record);
            }
            assert_eq!(lines.len(), expected, "{}", calls.display());
            for (model, key, tolerance) in
                [(&models[0], "CNN_1D", 0.002), (&models[1], "CNN_2D", 0.01)]
            {
                let mut arguments = vec![
                    "score",
                    "-V",
                    text(&bare),
                    "-R",
                    text(&reference),
                    "--model",
                    text(model),
                ];
                if key == "CNN_2D" {
                    arguments.extend(["-I", text(&reads)]);
                }
                let scored = records(&succeed(program(&arguments).output().unwrap()));
                assert_eq!(scored.len(), lines.len());
                for (line, truth) in scored.iter().zip(&lines) {
                    let found: f32 = info(line, key).expect(line).parse().unwrap();
                    let gatk = truth.info_float(key.as_bytes()).unwrap();
                    assert!(
                        (found - gatk).abs() <= tolerance,
                        "{key} {gatk} in GATK: {line}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 2 * 3601);
}

#[test]
#[ignore = "needs CNNFILTER_DATA and CNNFILTER_GATK_JAR"]
fn tensors_and_logits_are_those_of_gatk() {
    let lab = Lab::new();
    let models = gatk_models(&lab);
    let model = model_dir::load(&models[1], DeviceChoice::Cpu).unwrap();
    let mut sites = 0;
    for set in &SETS[1..] {
        let golden = data(format!("golden/{}.nvscore_2d.npz", set.name));
        let arrays = Golden::open(&golden);
        let reference = Reference::open(&data(format!("ref/{}", set.reference))).unwrap();
        let reads = [data(format!("reads/{}", set.reads))];
        let files = reads.map(|path| RoutedFile {
            path,
            route: ReadRoute::All(0),
            groups: Vec::new(),
        });
        let mut reads = AlignmentSource::open(&files, ReadFilter::default(), &reference).unwrap();
        let mut fasta = reference.reader().unwrap();
        let mut found = 0;
        for kind in ["gatk4.6hc", "gatk4.6hc_permissive"] {
            let calls = data(format!("calls/{}.{kind}.cnn.vcf.gz", set.name));
            let mut reader = VcfReader::open(&calls).unwrap();
            while let Some((_, record)) = reader.next_record().unwrap() {
                let names = BEST_PRACTICES.map(String::from);
                let (annotations, _) = annotations::encode(&record, &names);
                let variant = record.variant().unwrap();
                let Some(at) = arrays.find(variant.start + 1, &annotations) else {
                    continue;
                };
                let mut pileup = Pileup::new([&variant], READ_LIMIT);
                reads
                    .sweep(&variant.contig, std::slice::from_mut(&mut pileup))
                    .unwrap();
                let piled = pileup.into_reads().remove(0);
                let start = variant.start.saturating_sub(200);
                let block = fasta
                    .block(&variant.contig, start, variant.start + 400)
                    .unwrap();
                let tensor = ReadTensor::encode(&variant, &piled.reads, &block);
                arrays.compare_tensor(at, &tensor);
                let example = Example {
                    tensor: SiteTensor::Reads(tensor),
                    annotations,
                };
                let logits = model.logits(&[example]).unwrap()[0];
                arrays.compare_logits(at, logits);
                found += 1;
            }
        }
        assert!(
            found >= arrays.positions.len(),
            "{found} of {} sites",
            arrays.positions.len()
        );
        sites += arrays.positions.len();
    }
    assert!(sites >= 36, "{sites} sites");
}

/// The arrays of one golden file.
struct Golden {
    positions: Vec<i64>,
    annotations: Vec<Vec<f32>>,
    tensors: Vec<f32>,
    logits: Vec<Vec<f32>>,
}

impl Golden {
    fn open(path: &Path) -> Self {
        let npz = NpzTensors::new(path).unwrap();
        let get = |name: &str| npz.get(name).unwrap().expect(name);
        let floats = |name: &str| get(name).to_dtype(candle_core::DType::F32).unwrap();
        Self {
            positions: get("pos")
                .to_dtype(candle_core::DType::I64)
                .unwrap()
                .to_vec1()
                .unwrap(),
            annotations: floats("best_practices").to_vec2().unwrap(),
            tensors: floats("read_tensor")
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap(),
            logits: floats("logits_2d").to_vec2().unwrap(),
        }
    }

    /// The site at a 1-based position with these annotations.
    fn find(&self, position: u64, annotations: &[f32]) -> Option<usize> {
        (0..self.positions.len()).find(|at| {
            self.positions[*at] == position as i64
                && self.annotations[*at]
                    .iter()
                    .zip(annotations)
                    .all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + b.abs()))
        })
    }

    fn compare_tensor(&self, at: usize, tensor: &ReadTensor) {
        let mut floats = Vec::new();
        tensor.write_floats(&mut floats);
        while floats.len() < READ_LIMIT * ReadTensor::ROW_LEN {
            floats.extend_from_within(floats.len() - ReadTensor::ROW_LEN..);
        }
        let length = READ_LIMIT * WINDOW * CHANNELS;
        let golden = &self.tensors[at * length..][..length];
        for (index, (found, golden)) in floats.iter().zip(golden).enumerate() {
            assert!(
                (found - golden).abs() <= 1e-6,
                "position {}, row {}, column {}, channel {}: {found}, in GATK {golden}",
                self.positions[at],
                index / ReadTensor::ROW_LEN,
                index / CHANNELS % WINDOW,
                index % CHANNELS
            );
        }
    }

    fn compare_logits(&self, at: usize, logits: [f32; 4]) {
        for (found, golden) in logits.iter().zip(&self.logits[at]) {
            assert!(
                (found - golden).abs() <= 1e-4,
                "{logits:?}, in GATK {:?}",
                self.logits[at]
            );
        }
    }
}

/// PR-AUC of the labelled chr20 calls, computed apart from the project: SNP and INDEL true and false
/// records, then the figures of QUAL, QD, VQSLOD (SNP only) and CNN_1D.
#[test]
#[ignore = "needs CNNFILTER_DATA and CNNFILTER_GATK_JAR"]
fn figures_of_the_labelled_calls() {
    let lab = Lab::new();
    let calls = data("calls/NA12878.b37.chr20.gatk3.8hc.composite.vqslod.cnn1d.vcf.gz");
    let labels = data("calls/NA12878.b37.chr20.gatk3.8hc.happy_labels.tsv.gz");
    let truth = data("truth/HG001.b37.chr20.giab_v3.3.2.vcf.gz");
    let reference = data("ref/b37.chr20.composite.fa.gz");
    let by_happy = ["--labels", text(&labels), "--match", "genotype"];
    let by_truth = [
        "--truth",
        text(&truth),
        "-R",
        text(&reference),
        "--match",
        "allele",
    ];
    let expected: [(&[&str], [u64; 4], [f64; 7]); 2] = [
        (
            &by_happy,
            [10_671, 171, 1_144, 320],
            [0.9954, 0.9242, 0.9914, 0.8822, 0.9953, 0.9918, 0.9329],
        ),
        (
            &by_truth,
            [10_731, 111, 1_280, 184],
            [0.9983, 0.9803, 0.9983, 0.9807, 0.9984, 0.9987, 0.9827],
        ),
    ];
    for (labelling, counts, figures) in expected {
        let folder = lab.path(labelling[0]);
        let mut arguments = vec![
            "eval",
            "-V",
            text(&calls),
            "--resamples",
            "0",
            "-o",
            text(&folder),
        ];
        arguments.extend(labelling);
        succeed(program(&arguments).output().unwrap());
        let rows = std::fs::read_to_string(folder.join("eval.tsv")).unwrap();
        let names: Vec<&str> = rows.lines().next().unwrap().split('\t').collect();
        let find = |score: &str, kind: &str, column: &str| -> String {
            let at = |name: &str| names.iter().position(|found| *found == name).unwrap();
            let key = [
                ("score", score),
                ("kind", kind),
                ("stratum", "all"),
                ("figure", "pr_auc"),
            ];
            let row = rows
                .lines()
                .map(|line| line.split('\t').collect::<Vec<_>>())
                .find(|row| key.iter().all(|(name, value)| row[at(name)] == *value))
                .unwrap();
            row[at(column)].to_owned()
        };
        let found = [
            ("SNP", "n_true"),
            ("SNP", "n_false"),
            ("INDEL", "n_true"),
            ("INDEL", "n_false"),
        ]
        .map(|(kind, column)| find("QUAL", kind, column).parse::<u64>().unwrap());
        assert_eq!(found, counts);
        let scores = [
            ("QUAL", "SNP"),
            ("QUAL", "INDEL"),
            ("QD", "SNP"),
            ("QD", "INDEL"),
            ("VQSLOD", "SNP"),
            ("CNN_1D", "SNP"),
            ("CNN_1D", "INDEL"),
        ];
        for ((score, kind), expected) in scores.into_iter().zip(figures) {
            let value: f64 = find(score, kind, "value").parse().unwrap();
            assert!(
                (value - expected).abs() < 0.5e-4 + 1e-9,
                "{score} {kind}: {value}, expected {expected}"
            );
        }
        assert_eq!(find("VQSLOD", "INDEL", "value"), "NA", "no indel has it");
    }
}

/// Labels by genotype against hap.py's: at most 0.1 % of the SNPs and 1 % of the indels differ.
#[test]
#[ignore = "needs CNNFILTER_DATA and CNNFILTER_GATK_JAR"]
fn genotype_labels_are_those_of_happy() {
    use cnnfilter_core::genome::record_kind;
    use cnnfilter_core::label::*;
    let mut calls = VcfReader::open(&data(
        "calls/NA12878.b37.chr20.gatk3.8hc.composite.vqslod.cnn1d.vcf.gz",
    ))
    .unwrap();
    let mut truth = VcfReader::open(&data("truth/HG001.b37.chr20.giab_v3.3.2.vcf.gz")).unwrap();
    let site = |record: &cnnfilter_core::vcf::VcfRecord| {
        let variant = record.variant().unwrap();
        Site {
            start: variant.start,
            reference: variant.reference,
            alternates: variant.alternates,
            genotype: Site::parse_genotype(record.sample_value(0, b"GT").unwrap()),
        }
    };
    let mut sites = [Vec::new(), Vec::new()];
    for (reader, sites) in [&mut calls, &mut truth].into_iter().zip(&mut sites) {
        while let Some((_, record)) = reader.next_record().unwrap() {
            sites.push(site(&record));
        }
    }
    let reference = Reference::open(&data("ref/b37.chr20.composite.fa.gz")).unwrap();
    let bases = reference
        .reader()
        .unwrap()
        .block("20", 0, u64::MAX)
        .unwrap()
        .into_bases();
    let judged = judge(
        &sites[0],
        &sites[1],
        None,
        bases.as_slice(),
        MatchOptions::default(),
    );
    let mut lines = TextSource::open(&data(
        "calls/NA12878.b37.chr20.gatk3.8hc.happy_labels.tsv.gz",
    ))
    .unwrap();
    let mut line = Vec::new();
    lines.next_line(&mut line).unwrap();
    let columns = TableColumns::from_header(&line).unwrap();
    let mut given = std::collections::HashMap::new();
    while lines.next_line(&mut line).unwrap() {
        let row = columns.read(&line).unwrap();
        given.insert(
            (row.start, row.reference.to_vec(), row.alternates.to_vec()),
            row.label,
        );
    }
    let mut differing = [0usize; 2];
    let mut totals = [0usize; 2];
    for (at, site) in sites[0].iter().enumerate() {
        let alternates = site.alternates.join(&b","[..]);
        let happy = given[&(site.start, site.reference.clone(), alternates)];
        let ours = record_label(
            judged.calls.alternates(at),
            judged.calls.genotype(at),
            MatchRule::Genotype,
        );
        let kind = usize::from(
            record_kind(&site.reference, &site.alternates)
                == cnnfilter_core::genome::VariantKind::Indel,
        );
        totals[kind] += 1;
        differing[kind] += usize::from(ours != happy.record_label(MatchRule::Genotype));
    }
    assert_eq!(totals, [10_842, 1_464]);
    // One SNP and three indels, at two places where the haplotypes are the truth's and hap.py did
    // not see it (crates/core/src/label/matching/tests).
    assert_eq!(differing, [1, 3]);
}
