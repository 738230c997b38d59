//! `eval` and `tensors`: truth sets, confident regions, labels of other tools.

use super::*;

/// `eval` against the demo's truth.
fn eval() -> Case {
    let command =
        "eval -V calls.vcf -R ref.fa --truth truth.vcf.gz --confident confident.bed -o report";
    Case::new(command, &DEMO_FILES)
}

/// `eval` with a table of labels.
fn table() -> Case {
    let case = Case::new(
        "eval -V calls.vcf -R ref.fa --labels labels.tsv -o report",
        &DEMO_FILES,
    );
    case.write(
        "labels.tsv",
        "chrom\tpos\tref\talt\tlabel\ndemo1\t20\tA\tG\tTP\n",
    );
    case
}

/// `tensors` by the demo's truth.
fn tensors() -> Case {
    let command = "tensors -V calls.vcf -I reads.bam -R ref.fa --truth truth.vcf.gz --confident confident.bed -o examples.bin";
    Case::new(command, &DEMO_FILES)
}

/// The truth as plain text, `truth.vcf`.
fn plain_truth(case: &mut Case) {
    let file = std::fs::File::open(case.path("truth.vcf.gz")).unwrap();
    let text = std::io::read_to_string(flate2::read::MultiGzDecoder::new(file)).unwrap();
    case.write("truth.vcf", text);
    case.set("--truth", "truth.vcf");
}

#[test]
fn evaluations() {
    check(
        eval,
        &[
            (
                "no calls",
                |c| c.set("-V", "none.vcf"),
                &["none.vcf: cannot open"],
            ),
            (
                "calls that are cut off",
                |c| c.truncate("calls.vcf", 0.9),
                &["calls.vcf: the file is cut off"],
            ),
            (
                "no truth",
                |c| c.set("--truth", "none.vcf"),
                &["none.vcf: cannot open"],
            ),
            (
                "an empty truth",
                |c| {
                    c.write("truth.vcf", "");
                    c.set("--truth", "truth.vcf");
                },
                &["truth.vcf: ", "##fileformat=VCF"],
            ),
            (
                "a truth that is cut off",
                |c| c.truncate("truth.vcf.gz", 0.6),
                &["truth.vcf.gz: the file is cut off"],
            ),
            (
                "an unsorted truth",
                |c| {
                    plain_truth(c);
                    let text = c.text("truth.vcf");
                    let mut lines: Vec<&str> = text.lines().collect();
                    let count = lines.len();
                    lines.swap(count - 1, count - 2);
                    c.write("truth.vcf", lines.join("\n") + "\n");
                },
                &[
                    "truth.vcf: record 191 (demo2:",
                    "follows position",
                    "bcftools sort",
                ],
            ),
            (
                "a truth for another reference",
                |c| {
                    plain_truth(c);
                    c.edit(
                        "truth.vcf",
                        "ID=demo1,length=30000",
                        "ID=demo1,length=40000",
                    );
                },
                &[
                    "calls.vcf and ",
                    "truth.vcf are not about the same reference",
                    "demo1",
                    "30000",
                    "40000",
                ],
            ),
            (
                "a truth without its last column",
                |c| {
                    plain_truth(c);
                    let text = c.text("truth.vcf");
                    let whole = text.trim_end().rsplit_once('\t').unwrap().0;
                    c.write("truth.vcf", format!("{whole}\n"));
                },
                &[
                    "truth.vcf: record 191 (demo2:",
                    "expected 10 tab-separated columns, found 9",
                ],
            ),
            (
                "no such sample in the truth",
                |c| c.add("--truth-sample x"),
                &["truth.vcf.gz: there is no sample `x`"],
            ),
            (
                "no such sample in the calls",
                |c| c.add("--sample x"),
                &["calls.vcf: there is no sample `x`"],
            ),
            (
                "no such score",
                |c| c.add("--score NOPE"),
                &["calls.vcf: the header does not define `NOPE`, which --score asks for"],
            ),
            (
                "no confident regions",
                |c| c.set("--confident", "none.bed"),
                &["none.bed: cannot open"],
            ),
            (
                "letters in the confident regions",
                |c| c.write("confident.bed", "demo1\ta\tb\n"),
                &["confident.bed: line 1: `a` is no position"],
            ),
            (
                "confident regions of another genome",
                |c| c.write("confident.bed", "chr9\t1\t100\n"),
                &["the confident regions: no contig in common with the calls"],
            ),
            (
                "a stratum that goes backwards",
                |c| {
                    c.write("x.bed", "demo1\t9\t1\n");
                    c.add("--stratify x=x.bed");
                },
                &["x.bed: line 1: it ends (1) before it begins (9)"],
            ),
            (
                "no reference",
                |c| c.set("-R", "none.fa"),
                &["none.fa: cannot open"],
            ),
            (
                "a reference that is cut off",
                |c| c.truncate("ref.fa", 0.5),
                &["ref.fa: the file is cut off", "samtools faidx"],
            ),
            (
                "a file where the report's folder goes",
                |c| c.set("-o", "calls.vcf"),
                &["calls.vcf: cannot create"],
            ),
        ],
    );
}

#[test]
fn labels_of_other_tools() {
    check(
        table,
        &[
            (
                "no table",
                |c| c.set("--labels", "none.tsv"),
                &["none.tsv: cannot open"],
            ),
            (
                "an empty table",
                |c| c.write("labels.tsv", ""),
                &["labels.tsv: line 1: the header has no column `chrom`"],
            ),
            (
                "no header",
                |c| c.write("labels.tsv", "demo1\t20\tA\tG\tTP\n"),
                &["labels.tsv: line 1: the header has no column `chrom`; it needs chrom, pos"],
            ),
            (
                "letters for a position",
                |c| c.edit("labels.tsv", "\t20\t", "\tx\t"),
                &["labels.tsv: line 2: pos is `x`"],
            ),
            (
                "a label that is none",
                |c| c.edit("labels.tsv", "TP", "maybe"),
                &["labels.tsv: line 2: label is `maybe`, where one of TP"],
            ),
            (
                "a line that is cut off",
                |c| c.edit("labels.tsv", "\tA\tG\tTP\n", ""),
                &["labels.tsv: line 2: 2 columns, where the header has 5"],
            ),
            (
                "no hap.py file",
                |c| c.set("--labels", "happy"),
                &[
                    "calls.vcf: there is no sample `QUERY`",
                    "hap.py's annotated VCF",
                ],
            ),
            (
                "no vcfeval file",
                |c| c.set("--labels", "vcfeval"),
                &[
                    "calls.vcf: demo1:20: there is no INFO/CALL",
                    "--output-mode annotate",
                ],
            ),
        ],
    );
}

#[test]
fn examples() {
    check(
        tensors,
        &[
            (
                "calls that are cut off",
                |c| c.truncate("calls.vcf", 0.7),
                &["calls.vcf: the file is cut off"],
            ),
            (
                "reads that are cut off",
                |c| c.truncate("reads.bam", 0.6),
                &["reads.bam: the file is cut off"],
            ),
            (
                "a truth that is cut off",
                |c| c.truncate("truth.vcf.gz", 0.6),
                &["truth.vcf.gz: the file is cut off"],
            ),
            (
                "confident regions that go backwards",
                |c| c.write("confident.bed", "demo1\t9\t1\n"),
                &["confident.bed: line 1: it ends (1) before it begins (9)"],
            ),
            (
                "no folder for the examples",
                |c| c.set("-o", "none/examples.bin"),
                &["none/examples.bin: cannot create"],
            ),
            (
                "no folder for the table",
                |c| c.add("--table none/table.tsv"),
                &["none/table.tsv: cannot create"],
            ),
            (
                "a folder where the examples go",
                |c| std::fs::create_dir(c.path("examples.bin")).unwrap(),
                &["examples.bin: cannot rename to: Is a directory"],
            ),
        ],
    );
}
