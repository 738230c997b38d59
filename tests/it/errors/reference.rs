//! The reference: FASTA, plain and bgzipped, with its indexes.

use super::*;

/// `score` with the reference as `ref.fa.gz`, in BGZF blocks with both indexes.
fn zipped() -> Case {
    let mut case = Case::score();
    compress(&case, "ref.fa", "ref.fa.gz");
    rust_htslib::faidx::build(case.path("ref.fa.gz")).unwrap();
    case.set("-R", "ref.fa.gz");
    case
}

#[test]
fn plain_files() {
    check(
        Case::score,
        &[
            (
                "no reference",
                |c| c.set("-R", "none.fa"),
                &["none.fa: cannot open"],
            ),
            (
                "an empty file",
                |c| c.truncate("ref.fa", 0.0),
                &["ref.fa: expected FASTA"],
            ),
            (
                "a VCF",
                |c| c.set("-R", "calls.vcf"),
                &[
                    "calls.vcf: expected FASTA, which begins with `>`",
                    "##fileformat",
                ],
            ),
            (
                "cut off",
                |c| c.truncate("ref.fa", 0.3),
                &["ref.fa: the file is cut off", "demo", "samtools faidx"],
            ),
            (
                "plain gzip",
                |c| {
                    c.write("ref.fa.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
                    c.set("-R", "ref.fa.gz");
                },
                &["ref.fa.gz: expected FASTA, plain or compressed with bgzip, found gzip"],
            ),
            (
                "no index",
                |c| std::fs::remove_file(c.path("ref.fa.fai")).unwrap(),
                &["ref.fa: it has no index", "ref.fa.fai", "samtools faidx"],
            ),
            (
                "an empty index",
                |c| c.write("ref.fa.fai", ""),
                &["ref.fa.fai: it lists no contig", "samtools faidx ref.fa"],
            ),
            (
                "text as index",
                |c| c.write("ref.fa.fai", "hello\n"),
                &["ref.fa.fai: cannot read"],
            ),
            (
                "letters in the index",
                |c| c.edit("ref.fa.fai", "30000", "x"),
                &["ref.fa.fai: cannot read: invalid digit"],
            ),
            (
                "lines of no bases",
                |c| c.edit("ref.fa.fai", "\t60\t61", "\t0\t0"),
                &["ref.fa.fai: cannot read"],
            ),
            (
                "other lengths in the index",
                |c| c.edit("ref.fa.fai", "30000", "29999"),
                &["calls.vcf and ref.fa", "30000 bases in one and 29999"],
            ),
            (
                "the index of a larger file",
                |c| c.edit("ref.fa.fai", "\t7\t", "\t700000\t"),
                &[
                    "ref.fa: ",
                    "the index does not belong to this file",
                    "samtools faidx",
                ],
            ),
            (
                "the index of a file with other lines",
                |c| c.edit("ref.fa.fai", "\t60\t61", "\t60\t6"),
                &["ref.fa: ", "the index does not belong to this file"],
            ),
            (
                "the index of a file with another name line",
                |c| c.edit("ref.fa.fai", "\t7\t", "\t9\t"),
                &["calls.vcf: record ", "REF is `", "but in ref.fa there is `"],
            ),
        ],
    );
}

#[test]
fn bgzipped_files() {
    check(
        zipped,
        &[
            (
                "no block index",
                |c| std::fs::remove_file(c.path("ref.fa.gz.gzi")).unwrap(),
                &[
                    "ref.fa.gz: it has no index",
                    "ref.fa.gz.gzi",
                    "samtools faidx",
                ],
            ),
            (
                "text as block index",
                |c| c.write("ref.fa.gz.gzi", "hello"),
                &["ref.fa.gz.gzi: cannot read"],
            ),
            (
                "a block index that says it is huge",
                |c| c.write("ref.fa.gz.gzi", [0xffu8; 8]),
                &["ref.fa.gz.gzi: cannot read"],
            ),
            (
                "cut off",
                |c| c.truncate("ref.fa.gz", 0.6),
                &["ref.fa.gz: the file is cut off"],
            ),
            (
                "a damaged block",
                |c| {
                    c.change("ref.fa.gz", |mut bytes| {
                        let middle = bytes.len() / 2;
                        bytes[middle] ^= 0xff;
                        bytes
                    })
                },
                &["ref.fa.gz: cannot read"],
            ),
        ],
    );
}
