//! Regions, as typed and as files.

use super::*;

fn file(case: &mut Case, name: &str, content: &str) {
    case.write(name, content);
    case.add(&format!("-L {name}"));
}

#[test]
fn regions_as_typed() {
    check(
        Case::score,
        &[
            (
                "another spelling",
                |c| c.add("-L chrdemo1:5-9"),
                &["-L: `chrdemo1:5-9`", "say `demo1`"],
            ),
            (
                "backwards",
                |c| c.add("-L demo1:9-5"),
                &["-L: `demo1:9-5`: it ends (5) before it begins (9)"],
            ),
            (
                "from 0",
                |c| c.add("-L demo1:0-5"),
                &["-L: `demo1:0-5`: positions begin with 1"],
            ),
            (
                "letters",
                |c| c.add("-L demo1:a-b"),
                &["-L: `demo1:a-b`: `a` is no position"],
            ),
            (
                "too many digits",
                |c| c.add("-L demo1:5-99999999999999999999"),
                &["`99999999999999999999` is no position"],
            ),
        ],
    );
}

#[test]
fn region_files() {
    check(
        Case::score,
        &[
            (
                "no file",
                |c| c.add("-L none.bed"),
                &["none.bed: cannot open"],
            ),
            (
                "BED, backwards",
                |c| file(c, "r.bed", "demo1\t1\t9\ndemo1\t100\t50\n"),
                &["r.bed: line 2: it ends (50) before it begins (100), found `demo1\t100\t50`"],
            ),
            (
                "BED, letters",
                |c| file(c, "r.bed", "demo1\tten\t50\n"),
                &["r.bed: line 1: `ten` is no position"],
            ),
            (
                "BED, below 0",
                |c| file(c, "r.bed", "demo1\t-5\t50\n"),
                &["r.bed: line 1: `-5` is no position"],
            ),
            (
                "BED, two columns",
                |c| file(c, "r.bed", "demo1\t5\n"),
                &["r.bed: line 1: expected contig, start and end, separated by tabs"],
            ),
            (
                "BED, blanks",
                |c| file(c, "r.bed", "demo1 5 10\n"),
                &["r.bed: line 1: expected contig, start and end, separated by tabs"],
            ),
            (
                "BED, another contig",
                |c| file(c, "r.bed", "chr9\t5\t10\n"),
                &["r.bed: line 1: contig `chr9` is not known (there are demo1, demo2)"],
            ),
            (
                "BED.gz, cut off",
                |c| {
                    c.write("r.bed", "demo1\t5\t10\n".repeat(500));
                    compress(c, "r.bed", "r.bed.gz");
                    c.truncate("r.bed.gz", 0.5);
                    c.add("-L r.bed.gz");
                },
                &["r.bed.gz: the file is cut off"],
            ),
            (
                "interval_list, from 0",
                |c| file(c, "r.interval_list", "demo1\t0\t50\t+\tx\n"),
                &["r.interval_list: line 1: positions of this format begin with 1"],
            ),
            (
                "list",
                |c| file(c, "r.list", "demo1:1-50\ndemo1:x\n"),
                &["r.list: line 2: `x` is no position, found `demo1:x`"],
            ),
            (
                "VCF",
                |c| file(c, "r.vcf", "hello\n"),
                &["r.vcf: ", "##fileformat=VCF", "found `hello`"],
            ),
        ],
    );
}
