//! `filter`: scored calls, known sites, models.

use std::sync::LazyLock;

use super::*;

/// The demo's calls, scored by the built-in model with reads.
static SCORED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (calls, reads, reference) = (demo("calls.vcf"), demo("reads.bam"), demo("ref.fa"));
    let arguments = [
        "score",
        "-q",
        "-V",
        text(&calls),
        "-I",
        text(&reads),
        "-R",
        text(&reference),
    ];
    succeed(program(&arguments).output().unwrap())
});

/// `filter` by the model's thresholds.
fn thresholds() -> Case {
    let case = Case::new(
        "filter -V scored.vcf -o out.vcf.gz",
        &["calls.vcf", "ref.fa", "truth.vcf.gz"],
    );
    case.write("scored.vcf", &*SCORED);
    case
}

/// `filter` by tranches.
fn tranches() -> Case {
    let mut case = thresholds();
    case.add("--info-key CNN_2D --resource truth.vcf.gz");
    case
}

const HEADER: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

#[test]
fn by_thresholds() {
    check(
        thresholds,
        &[
            (
                "no file",
                |c| c.set("-V", "none.vcf"),
                &["none.vcf: cannot open"],
            ),
            (
                "an empty file",
                |c| c.write("scored.vcf", ""),
                &["scored.vcf: ", "##fileformat=VCF"],
            ),
            (
                "not scored",
                |c| c.set("-V", "calls.vcf"),
                &[
                    "calls.vcf: its header has no thresholds",
                    "##cnnfilterModel",
                    "--resource",
                ],
            ),
            (
                "damaged thresholds",
                |c| c.edit("scored.vcf", "Thresholds=\"{", "Thresholds=\"["),
                &[
                    "scored.vcf: `##cnnfilterModel`, Thresholds: ",
                    "score the file again",
                ],
            ),
            (
                "cut off",
                |c| c.truncate("scored.vcf", 0.9),
                &["scored.vcf: the file is cut off", "no line feed"],
            ),
            (
                "a damaged record",
                |c| c.edit("scored.vcf", "\ndemo1\t48\t", "\ndemo1\t48x\t"),
                &["scored.vcf: record 2 (demo1:48x): POS must be a whole number"],
            ),
            (
                "no model",
                |c| c.add("--model none"),
                &["none: there is no such model folder", "cnnfilter_reads"],
            ),
            (
                "a model folder with an empty card",
                |c| {
                    std::fs::create_dir(c.path("m")).unwrap();
                    c.write("m/model.json", "{}");
                    c.add("--model m");
                },
                &["m/model.json: missing field `name`"],
            ),
            (
                "a region file that is missing",
                |c| c.add("-L none.bed"),
                &["none.bed: cannot open"],
            ),
            (
                "a summary that cannot be written",
                |c| c.add("--summary-json none/x.json"),
                &["none/x.json: cannot create"],
            ),
            (
                "an output that cannot be written",
                |c| c.set("-o", "none/out.vcf"),
                &["none/out.vcf: cannot create"],
            ),
        ],
    );
}

#[test]
fn by_tranches() {
    check(
        tranches,
        &[
            (
                "no resource",
                |c| c.set("--resource", "none.vcf"),
                &["none.vcf: cannot open"],
            ),
            (
                "a reference as resource",
                |c| c.set("--resource", "ref.fa"),
                &["ref.fa: ", "##fileformat=VCF", "found `>demo1"],
            ),
            (
                "a resource that is cut off",
                |c| c.truncate("truth.vcf.gz", 0.7),
                &["truth.vcf.gz: the file is cut off"],
            ),
            (
                "a damaged record in a resource",
                |c| {
                    c.write("known.vcf", format!("{HEADER}demo1\t5\n"));
                    c.set("--resource", "known.vcf");
                },
                &["known.vcf: record 1 (demo1:5): expected 8 tab-separated columns, found 2"],
            ),
            (
                "a resource without a known call",
                |c| {
                    c.write("known.vcf", HEADER);
                    c.set("--resource", "known.vcf");
                    c.add("--on-no-resource fail");
                },
                &["none of them stands in the resources", "--on-no-resource"],
            ),
            (
                "a key that is not there",
                |c| c.set("--info-key", "NOPE"),
                &[
                    "scored.vcf: its header does not define INFO/NOPE",
                    "CNN_2D",
                    "--info-key",
                ],
            ),
            (
                "no folder for the copy of standard input",
                |c| {
                    c.set("-V", "-");
                    c.add("--tmp-dir none");
                },
                &["none/", "cannot create"],
            ),
        ],
    );
}
