//! Broken inputs: exit 1, one message that says what is wrong, no file at the target.

use std::path::{Path, PathBuf};

use crate::support::*;

/// Inputs of a run, of which one is broken by a case.
struct Case {
    lab: Lab,
    variants: PathBuf,
    reads: PathBuf,
    reference: PathBuf,
    model: PathBuf,
    more: Vec<String>,
}

impl Case {
    fn new() -> Self {
        let lab = Lab::new();
        Self {
            variants: lab.copy("calls.vcf"),
            reads: {
                lab.copy("reads.bam.bai");
                lab.copy("reads.bam")
            },
            reference: {
                lab.copy("ref.fa.fai");
                lab.copy("ref.fa")
            },
            model: lab.model_2d(),
            more: Vec::new(),
            lab,
        }
    }

    /// Runs `score` and returns its one error message.
    fn message(&self) -> String {
        let target = self.lab.path("out.vcf.gz");
        let mut arguments = vec![
            "score",
            "-V",
            text(&self.variants),
            "-I",
            text(&self.reads),
            "-R",
            text(&self.reference),
            "--model",
            text(&self.model),
            "-o",
            text(&target),
        ];
        arguments.extend(self.more.iter().map(String::as_str));
        let message = fail(program(&arguments).output().unwrap());
        let names = self.lab.names();
        assert!(
            !names.iter().any(|name| name.contains("out.vcf.gz")),
            "{names:?}"
        );
        message
    }
}

fn truncate(path: &Path, share: f64) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Name of the case, how the inputs are broken, what the message says.
type Row = (&'static str, fn(&mut Case), &'static [&'static str]);

#[test]
fn each_is_named() {
    let rows: &[Row] = &[
        (
            "no calls",
            |c| c.variants = c.lab.path("none.vcf"),
            &["none.vcf: cannot open"],
        ),
        (
            "no reads",
            |c| c.reads = c.lab.path("none.bam"),
            &["none.bam: cannot open"],
        ),
        (
            "no reference",
            |c| c.reference = c.lab.path("none.fa"),
            &["none.fa: cannot open"],
        ),
        (
            "no model",
            |c| c.model = c.lab.path("none"),
            &["none: there is no such model folder", "cnnfilter_reads"],
        ),
        (
            "a folder as calls",
            |c| c.variants = c.lab.path(""),
            &["expected a file, found a folder"],
        ),
        (
            "a remote file",
            |c| c.variants = "s3://bucket/calls.vcf".into(),
            &["remote files are not read"],
        ),
        (
            "no VCF",
            |c| c.variants = c.reference.clone(),
            &["##fileformat=VCF", "found `>demo1"],
        ),
        (
            "an empty VCF",
            |c| truncate(&c.variants, 0.0),
            &["calls.vcf", "##fileformat=VCF"],
        ),
        (
            "a VCF cut in its header",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                let cut = text.find("##contig").unwrap();
                std::fs::write(&c.variants, &text[..cut]).unwrap();
            },
            &["calls.vcf", "no `#CHROM` line"],
        ),
        (
            "a VCF cut in a line",
            |c| truncate(&c.variants, 0.9),
            &["calls.vcf", "cut off", "no line feed"],
        ),
        (
            "a VCF cut at a column",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                let lines: Vec<&str> = text.lines().collect();
                let last = lines[lines.len() - 1].rsplit_once('\t').unwrap().0;
                let whole = lines[..lines.len() - 1].join("\n");
                std::fs::write(&c.variants, format!("{whole}\n{last}\n")).unwrap();
            },
            &[
                "calls.vcf: record 274 (demo2:",
                "expected 10 tab-separated columns, found 9",
            ],
        ),
        (
            "a VCF.gz cut in a block",
            |c| {
                c.variants = compressed(&c.lab, &c.variants);
                truncate(&c.variants, 0.6);
            },
            &["calls.vcf.gz", "cut off"],
        ),
        (
            "a VCF.gz without its end",
            |c| {
                c.variants = compressed(&c.lab, &c.variants);
                let bytes = std::fs::read(&c.variants).unwrap();
                std::fs::write(&c.variants, &bytes[..bytes.len() - 28]).unwrap();
            },
            &["calls.vcf.gz", "cut off", "empty last block"],
        ),
        (
            "POS is no number",
            |c| edit(&c.variants, "\ndemo1\t", "\ndemo1\tx"),
            &["record 1 (demo1:x", "POS must be a whole number"],
        ),
        (
            "unsorted calls",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                let mut lines: Vec<&str> = text.lines().collect();
                let count = lines.len();
                lines.swap(count - 1, count - 5);
                std::fs::write(&c.variants, lines.join("\n") + "\n").unwrap();
            },
            &["record 271 (demo2:", "follows position", "bcftools sort"],
        ),
        (
            "a contig that comes back",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                let again = text
                    .lines()
                    .find(|line| line.starts_with("demo1\t"))
                    .unwrap();
                std::fs::write(&c.variants, format!("{text}{again}\n")).unwrap();
            },
            &[
                "record 275 (demo1:",
                "comes back to a contig",
                "bcftools sort",
            ],
        ),
        (
            "no reads index",
            |c| std::fs::remove_file(c.lab.path("reads.bam.bai")).unwrap(),
            &["reads.bam: it has no index", "samtools index"],
        ),
        (
            "a BAM cut off",
            |c| truncate(&c.reads, 0.7),
            &["reads.bam: the file is cut off"],
        ),
        (
            "a damaged BAM",
            |c| {
                let mut bytes = std::fs::read(&c.reads).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle..middle + 64].fill(0x55);
                std::fs::write(&c.reads, bytes).unwrap();
            },
            &["reads.bam: reading (the file is damaged"],
        ),
        (
            "a VCF.gz as reads",
            |c| {
                c.reads = compressed(&c.lab, &c.variants);
                std::fs::write(c.lab.path("calls.vcf.gz.csi"), "").unwrap();
            },
            &["expected BAM or CRAM", "does not begin as a BAM does"],
        ),
        (
            "a BAM with a damaged header",
            |c| {
                let mut bytes = std::fs::read(&c.reads).unwrap();
                bytes[30..60].fill(0x55);
                std::fs::write(&c.reads, bytes).unwrap();
            },
            &["expected BAM or CRAM"],
        ),
        (
            "a VCF as reads",
            |c| c.reads = c.variants.clone(),
            &["expected BAM or CRAM"],
        ),
        (
            "no reference index",
            |c| std::fs::remove_file(c.lab.path("ref.fa.fai")).unwrap(),
            &["ref.fa: it has no index", "samtools faidx"],
        ),
        (
            "a reference cut off",
            |c| truncate(&c.reference, 0.3),
            &["ref.fa: the file is cut off", "demo"],
        ),
        (
            "a VCF as reference",
            |c| c.reference = c.variants.clone(),
            &["expected FASTA"],
        ),
        (
            "other spellings of contigs",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                std::fs::write(&c.variants, text.replace("demo", "chrdemo")).unwrap();
            },
            &["`chrdemo1`", "`demo1`", "not about the same reference"],
        ),
        (
            "other spellings, no contig lines",
            |c| {
                let text = std::fs::read_to_string(&c.variants).unwrap();
                let lines: Vec<&str> = text
                    .lines()
                    .filter(|line| !line.starts_with("##contig"))
                    .collect();
                let text = lines.join("\n") + "\n";
                std::fs::write(&c.variants, text.replace("\ndemo", "\nchrdemo")).unwrap();
            },
            &[
                "record 1 (chrdemo1:",
                "contig `chrdemo1` is not in",
                "which says `demo1`",
            ],
        ),
        (
            "another genome build",
            |c| edit(&c.variants, "length=30000", "length=30001"),
            &["contig `demo1` has 30001 bases in one and 30000 in the other"],
        ),
        (
            "another reference",
            |c| {
                let text = std::fs::read_to_string(&c.reference).unwrap();
                let mut turned = String::new();
                for line in text.lines() {
                    if line.starts_with('>') {
                        turned.push_str(line);
                    } else {
                        turned.extend(line.chars().map(|base| match base {
                            'A' | 'a' => 'C',
                            'C' | 'c' => 'G',
                            'G' | 'g' => 'T',
                            _ => 'A',
                        }));
                    }
                    turned.push('\n');
                }
                std::fs::write(&c.reference, turned).unwrap();
            },
            &[
                "calls.vcf: record 1 (demo1:",
                "REF is `",
                "but in",
                "there is `",
            ],
        ),
        (
            "a record behind the contig's end",
            |c| {
                edit(
                    &c.variants,
                    "\ndemo2\t",
                    "\ndemo1\t99999999\t.\tA\tC\t.\t.\t.\tGT\t0/1\ndemo2\t",
                )
            },
            &[
                "(demo1:99999999 A>C)",
                "it reaches to 99999999",
                "the contig ends at 30000",
            ],
        ),
        (
            "a 2D model without its weights",
            |c| std::fs::remove_file(c.model.join("model.safetensors")).unwrap(),
            &["it has no `model.safetensors`"],
        ),
        (
            "damaged weights",
            |c| {
                let path = c.model.join("model.safetensors");
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[100_000] ^= 1;
                std::fs::write(path, bytes).unwrap();
            },
            &["gatk-small-2d", "SHA-256"],
        ),
        (
            "a damaged card",
            |c| edit(&c.model.join("model.json"), "{", "["),
            &["model.json is not a model card"],
        ),
        (
            "a card of another network",
            |c| edit(&c.model.join("model.json"), "gatk_small_2d", "gatk_1d"),
            &["tensor must be"],
        ),
        (
            "an unknown region",
            |c| c.more = vec!["-L".into(), "chrdemo1:5-9".into()],
            &["-L: `chrdemo1:5-9`", "say `demo1`"],
        ),
        (
            "a region file that is missing",
            |c| c.more = vec!["-L".into(), "none.bed".into()],
            &["none.bed: cannot open"],
        ),
        (
            "the other tensor type",
            |c| c.more = vec!["--tensor-type".into(), "reference".into()],
            &["--tensor-type reference was asked for"],
        ),
        (
            "no GPU",
            |c| c.more = vec!["--device".into(), "cuda:7".into()],
            &["device `cuda:7` cannot be used"],
        ),
    ];
    for (name, break_it, expected) in rows {
        let mut case = Case::new();
        break_it(&mut case);
        let message = case.message();
        for part in *expected {
            assert!(
                message.contains(part),
                "{name}: expected `{part}` in\n{message}"
            );
        }
    }
}

fn compressed(lab: &Lab, path: &Path) -> PathBuf {
    let target = lab.path("calls.vcf.gz");
    let mut writer = rust_htslib::bgzf::Writer::from_path(&target).unwrap();
    std::io::Write::write_all(&mut writer, &std::fs::read(path).unwrap()).unwrap();
    target
}

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let lab = Lab::new();
    let model = lab.model_1d();
    let run = |target: &str| fail(score(&demo("calls.vcf"), &model, &["-o", target]));
    let message = run("/no/such/folder/out.vcf");
    assert!(
        message.contains("/no/such/folder/out.vcf: cannot create"),
        "{message}"
    );
    let message = run(text(&lab.path("")));
    assert!(
        message.contains("expected a file name for the output, found a folder"),
        "{message}"
    );
    for kind in ["v", "z", "b"] {
        let message = fail(score(
            &demo("calls.vcf"),
            &model,
            &["-o", "/dev/full", "-O", kind],
        ));
        assert!(message.contains("/dev/full"), "-O {kind}: {message}");
    }
}

#[test]
fn a_model_without_reads_needs_none_and_says_so() {
    let lab = Lab::new();
    let bam = demo("reads.bam");
    let output = score(&demo("calls.vcf"), &lab.model_1d(), &["-I", text(&bam)]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    succeed(output);
    assert!(
        message.contains("does not use reads: -I is ignored"),
        "{message}"
    );
    let message = fail(score(&demo("calls.vcf"), &lab.model_2d(), &[]));
    assert!(message.contains("give them with -I"), "{message}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for arguments in [
        &["score"][..],
        &["score", "-V", "x", "-R", "y", "--model", "m", "-O", "q"],
        &[
            "score",
            "-V",
            "x",
            "-R",
            "y",
            "--model",
            "m",
            "--batch-size",
            "0",
        ],
        &[
            "score", "-V", "x", "-R", "y", "--model", "m", "--device", "gpu",
        ],
        &["paint"],
        &[],
    ] {
        let output = program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
