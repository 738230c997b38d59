//! Calls: VCF, VCF.gz, BCF.

use super::*;

use rust_htslib::bcf::{self, Read as _};

/// Puts a record in front of the first one.
fn first_record(case: &Case, start: &str) {
    case.edit("calls.vcf", "\ndemo1\t20\t.\tA\tG\t", &format!("\n{start}"));
}

/// The calls as `calls.vcf.gz`, in BGZF blocks.
fn zipped(case: &mut Case) {
    compress(case, "calls.vcf", "calls.vcf.gz");
    case.set("-V", "calls.vcf.gz");
}

/// The calls as `calls.bcf`.
fn binary(case: &mut Case) {
    let mut reader = bcf::Reader::from_path(case.path("calls.vcf")).unwrap();
    let header = bcf::Header::from_template(reader.header());
    let target = case.path("calls.bcf");
    let mut writer = bcf::Writer::from_path(target, &header, false, bcf::Format::Bcf).unwrap();
    for record in reader.records() {
        writer.write(&record.unwrap()).unwrap();
    }
    case.set("-V", "calls.bcf");
}

fn without_end(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 28);
    bytes
}

#[test]
fn files_that_are_no_calls() {
    check(
        Case::score,
        &[
            (
                "no calls",
                |c| c.set("-V", "none.vcf"),
                &["none.vcf: cannot open"],
            ),
            (
                "a folder as calls",
                |c| c.set("-V", "."),
                &[".: expected a file, found a folder"],
            ),
            (
                "a remote file",
                |c| c.set("-V", "s3://bucket/calls.vcf"),
                &["s3://bucket/calls.vcf: remote files are not read"],
            ),
            (
                "a reference",
                |c| c.set("-V", "ref.fa"),
                &["ref.fa: ", "##fileformat=VCF", "found `>demo1"],
            ),
            (
                "reads",
                |c| c.set("-V", "reads.bam"),
                &["reads.bam: ", "##fileformat=VCF", "found `BAM"],
            ),
            (
                "an empty VCF",
                |c| c.truncate("calls.vcf", 0.0),
                &["calls.vcf: ", "##fileformat=VCF", "is this a VCF?"],
            ),
            (
                "blank lines",
                |c| c.write("calls.vcf", "\n\n"),
                &["calls.vcf: ", "##fileformat=VCF"],
            ),
            (
                "nothing on standard input",
                |c| c.set("-V", "-"),
                &["-: ", "##fileformat=VCF"],
            ),
            (
                "UTF-16",
                |c| {
                    c.change("calls.vcf", |bytes| {
                        let wide = bytes.into_iter().flat_map(|byte| [byte, 0]);
                        [0xff, 0xfe].into_iter().chain(wide).collect()
                    })
                },
                &["calls.vcf: ", "##fileformat=VCF"],
            ),
            (
                "gzip's first bytes only",
                |c| c.write("calls.vcf", b"\x1f\x8b garbage, garbage"),
                &["calls.vcf: expected intact gzip or BGZF blocks, found a damaged one"],
            ),
        ],
    );
}

#[test]
fn headers_and_columns() {
    check(
        Case::score,
        &[
            (
                "cut in its header",
                |c| {
                    let text = c.text("calls.vcf");
                    let cut = text.find("##contig").unwrap();
                    c.write("calls.vcf", &text[..cut]);
                },
                &["calls.vcf: ", "no `#CHROM` line", "cut off"],
            ),
            (
                "no #CHROM line",
                |c| c.keep_lines("calls.vcf", |line| !line.starts_with("#CHROM")),
                &["calls.vcf: ", "no `#CHROM` line"],
            ),
            (
                "no header",
                |c| c.keep_lines("calls.vcf", |line| !line.starts_with('#')),
                &["calls.vcf: ", "##fileformat=VCF", "found `demo1"],
            ),
            (
                "blanks in the #CHROM line",
                |c| c.edit("calls.vcf", "#CHROM\tPOS", "#CHROM POS"),
                &[
                    "calls.vcf: the column line must begin with",
                    "(tab-separated)",
                    "found `#CHROM POS",
                ],
            ),
            (
                "a column too many",
                |c| first_record(c, "demo1\t20\t.\tA\tG\tx\t"),
                &["calls.vcf: record 1 (demo1:20): expected 10 tab-separated columns, found 11"],
            ),
            (
                "cut at a column",
                |c| {
                    let text = c.text("calls.vcf");
                    let whole = text.trim_end().rsplit_once('\t').unwrap().0;
                    c.write("calls.vcf", format!("{whole}\n"));
                },
                &[
                    "calls.vcf: record 274 (demo2:",
                    "expected 10 tab-separated columns, found 9",
                ],
            ),
            (
                "blanks for tabs",
                |c| first_record(c, "demo1 20 . A G "),
                &[
                    "calls.vcf: record 1 ",
                    "expected 10 tab-separated columns, found 5",
                ],
            ),
            (
                "POS is no number",
                |c| c.edit("calls.vcf", "\ndemo1\t", "\ndemo1\tx"),
                &["record 1 (demo1:x20): POS must be a whole number, found `x20`"],
            ),
            (
                "POS below 0",
                |c| first_record(c, "demo1\t-20\t.\tA\tG\t"),
                &["record 1 (demo1:-20): POS must be a whole number, found `-20`"],
            ),
            (
                "POS of too many digits",
                |c| first_record(c, "demo1\t99999999999999999999\t.\tA\tG\t"),
                &["record 1 (demo1:9999", "POS must be a whole number"],
            ),
            (
                "no ALT",
                |c| first_record(c, "demo1\t20\t.\tA\t\t"),
                &[
                    "record 1 (demo1:20): ALT must not be ``",
                    "expected `.` or a list",
                ],
            ),
            (
                "an empty ALT in a list",
                |c| first_record(c, "demo1\t20\t.\tA\tG,\t"),
                &["record 1 (demo1:20): ALT must not be `G,`"],
            ),
            (
                "no REF",
                |c| first_record(c, "demo1\t20\t.\t.\tG\t"),
                &["record 1 (demo1:20): REF must not be `.`; expected bases"],
            ),
            (
                "a REF that is none",
                |c| first_record(c, "demo1\t20\t.\tA1\tG\t"),
                &["record 1 (demo1:20): REF must not be `A1`; expected bases"],
            ),
        ],
    );
}

#[test]
fn order_and_place() {
    check(
        Case::score,
        &[
            (
                "unsorted",
                |c| {
                    let text = c.text("calls.vcf");
                    let mut lines: Vec<&str> = text.lines().collect();
                    let count = lines.len();
                    lines.swap(count - 1, count - 5);
                    c.write("calls.vcf", lines.join("\n") + "\n");
                },
                &[
                    "calls.vcf: record 271 (demo2:",
                    "follows position",
                    "bcftools sort",
                ],
            ),
            (
                "a contig that comes back",
                |c| {
                    let text = c.text("calls.vcf");
                    let again = text.lines().find(|line| line.starts_with("demo1\t"));
                    c.write("calls.vcf", format!("{text}{}\n", again.unwrap()));
                },
                &[
                    "calls.vcf: record 275 (demo1:",
                    "comes back to a contig",
                    "bcftools sort",
                ],
            ),
            (
                "behind the contig's end",
                |c| {
                    let more = "\ndemo1\t99999999\t.\tA\tC\t.\t.\t.\tGT\t0/1\ndemo2\t";
                    c.edit("calls.vcf", "\ndemo2\t", more)
                },
                &[
                    "calls.vcf: record 197 (demo1:99999999 A>C)",
                    "it reaches to 99999999",
                    "in ref.fa the contig ends at 30000",
                ],
            ),
            (
                "the largest POS there is",
                |c| {
                    let more = "\ndemo1\t18446744073709551615\t.\tA\tC\t.\t.\t.\tGT\t0/1\ndemo2\t";
                    c.edit("calls.vcf", "\ndemo2\t", more)
                },
                &[
                    "record 197 (demo1:18446744073709551615",
                    "the contig ends at 30000",
                ],
            ),
            (
                "REF over the contig's end",
                |c| {
                    let more = "\ndemo1\t30000\t.\tACGT\tC\t.\t.\t.\tGT\t0/1\ndemo2\t";
                    c.edit("calls.vcf", "\ndemo2\t", more)
                },
                &["record 197 (demo1:30000 ACGT>C)", "it reaches to 30003"],
            ),
            (
                "another REF",
                |c| first_record(c, "demo1\t20\t.\tC\tG\t"),
                &[
                    "calls.vcf: record 1 (demo1:20 C>G): REF is `C`, but in ref.fa there is `A`",
                    "give the reference that the calls were made with",
                ],
            ),
            (
                "other spellings of contigs",
                |c| c.write("calls.vcf", c.text("calls.vcf").replace("demo", "chrdemo")),
                &[
                    "calls.vcf and ref.fa",
                    "`chrdemo1`",
                    "`demo1`",
                    "not about the same reference",
                ],
            ),
            (
                "other spellings, no contig lines",
                |c| {
                    c.keep_lines("calls.vcf", |line| !line.starts_with("##contig"));
                    c.write(
                        "calls.vcf",
                        c.text("calls.vcf").replace("\ndemo", "\nchrdemo"),
                    );
                },
                &[
                    "record 1 (chrdemo1:",
                    "contig `chrdemo1` is not in",
                    "which says `demo1`",
                ],
            ),
            (
                "another genome build",
                |c| c.edit("calls.vcf", "length=30000", "length=30001"),
                &["contig `demo1` has 30001 bases in one and 30000 in the other"],
            ),
        ],
    );
}

#[test]
fn files_that_are_cut_off() {
    check(
        Case::score,
        &[
            (
                "in a line",
                |c| c.truncate("calls.vcf", 0.9),
                &["calls.vcf: the file is cut off", "no line feed"],
            ),
            (
                "VCF.gz in a block",
                |c| {
                    zipped(c);
                    c.truncate("calls.vcf.gz", 0.6);
                },
                &["calls.vcf.gz: the file is cut off", "copy or make it again"],
            ),
            (
                "VCF.gz without its end",
                |c| {
                    zipped(c);
                    c.change("calls.vcf.gz", without_end);
                },
                &["calls.vcf.gz: the file is cut off", "empty last block"],
            ),
            (
                "VCF.gz with a damaged block",
                |c| {
                    zipped(c);
                    c.change("calls.vcf.gz", |mut bytes| {
                        let middle = bytes.len() / 2;
                        bytes[middle] ^= 0xff;
                        bytes
                    });
                },
                &["calls.vcf.gz: expected intact gzip or BGZF blocks"],
            ),
            (
                "plain gzip",
                |c| {
                    let mut gzip =
                        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    std::io::Write::write_all(&mut gzip, &c.bytes("calls.vcf")).unwrap();
                    let mut bytes = gzip.finish().unwrap();
                    bytes.truncate(bytes.len() - 4);
                    c.write("calls.vcf.gz", bytes);
                    c.set("-V", "calls.vcf.gz");
                },
                &["calls.vcf.gz: the file is cut off"],
            ),
            (
                "BCF in its header",
                |c| {
                    binary(c);
                    c.change("calls.bcf", |bytes| bytes[..20].to_vec());
                },
                &["calls.bcf: the file is cut off"],
            ),
            (
                "BCF in a block",
                |c| {
                    binary(c);
                    c.truncate("calls.bcf", 0.6);
                },
                &["calls.bcf: the file is cut off"],
            ),
            (
                "BCF without its end",
                |c| {
                    binary(c);
                    c.change("calls.bcf", without_end);
                },
                &["calls.bcf: the file is cut off", "empty last block"],
            ),
        ],
    );
}

/// The demo's calls with another end of the `#CHROM` line, and of each record if that has one.
fn columns(case: &Case, of_header: &str, of_record: &str) {
    let text = case.text("calls.vcf");
    let lines = text.lines().map(|line| {
        let kept = match line.starts_with("#CHROM") {
            true => format!(
                "{}{of_header}",
                line.strip_suffix("\tFORMAT\tdemo").unwrap()
            ),
            false if line.starts_with('#') => line.to_owned(),
            false => {
                let fixed: Vec<&str> = line.split('\t').take(8).collect();
                format!("{}{of_record}", fixed.join("\t"))
            }
        };
        kept + "\n"
    });
    case.write("calls.vcf", lines.collect::<String>());
}

/// Name of the case, how the header is broken, what the message says.
type Refused = (&'static str, fn(&mut Case), &'static str);

/// Headers that htslib refuses.
const REFUSED: [Refused; 6] = [
    (
        "two columns of one sample",
        |c| columns(c, "\tFORMAT\ta\ta", "\tGT\t0/1\t0/1"),
        "sample `a` has two columns; expected each name once",
    ),
    (
        "FORMAT without a sample",
        |c| columns(c, "\tFORMAT", "\tGT"),
        "the #CHROM line has FORMAT and no sample behind it",
    ),
    (
        "a tab at the end",
        |c| columns(c, "\tFORMAT\tdemo\t", "\tGT\t0/1\t0/1"),
        "sample 2 of the #CHROM line has no name",
    ),
    (
        "a blank for a name",
        |c| columns(c, "\tFORMAT\t \tdemo", "\tGT\t0/1\t0/1"),
        "sample 1 of the #CHROM line has no name",
    ),
    (
        "two contigs of one number",
        |c| {
            c.edit("calls.vcf", "ID=demo1,", "IDX=0,ID=demo1,");
            c.edit("calls.vcf", "ID=demo2,", "IDX=0,ID=demo2,");
        },
        "contig `demo2` has IDX=0, which `demo1` has already",
    ),
    (
        "a number that would fill the memory",
        |c| {
            c.edit(
                "calls.vcf",
                "##INFO=<ID=QD,",
                "##INFO=<IDX=2000000000,ID=QD,",
            )
        },
        "INFO `QD` has IDX=2000000000",
    ),
];

#[test]
fn what_bcf_cannot_hold_is_refused() {
    for (name, break_it, expected) in REFUSED {
        for output in ["-o out.bcf", "-o out.bcf -O u", "-o - -O b", "-o - -O u"] {
            let mut case = Case::score();
            break_it(&mut case);
            let at = case.arguments.iter().position(|word| word == "-o").unwrap();
            case.arguments.truncate(at);
            case.add(output);
            let message = case.message();
            assert!(message.contains(expected), "{name}: {output}: {message}");
        }
    }
}

#[test]
fn filter_refuses_what_bcf_cannot_hold() {
    for (name, break_it, expected) in REFUSED {
        let mut case = Case::new(
            "filter -V calls.vcf --resource truth.vcf.gz --info-key QD -o out.bcf -O b",
            &["calls.vcf", "truth.vcf.gz"],
        );
        break_it(&mut case);
        let message = case.message();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn a_sample_with_two_columns_is_refused_as_text_too() {
    for command in [
        "score -V calls.vcf -R ref.fa -o out.vcf",
        "filter -V calls.vcf --resource truth.vcf.gz --info-key QD -o out.vcf",
        "eval -V calls.vcf --score QUAL --truth truth.vcf.gz -R ref.fa -o out",
        "tensors -V calls.vcf -R ref.fa --truth truth.vcf.gz -o out",
    ] {
        let files = ["calls.vcf", "ref.fa", "ref.fa.fai", "truth.vcf.gz"];
        let case = Case::new(command, &files);
        columns(&case, "\tFORMAT\ta\tb\ta", "\tGT\t0/1\t0/1\t0/1");
        let message = case.message();
        assert!(
            message.contains("calls.vcf: sample `a` has two columns"),
            "{message}"
        );
    }
}

/// The text of a VCF's header and one record as uncompressed BCF; the record is of `contig`.
fn as_bcf(header: &str, contig: u32) -> Vec<u8> {
    let header = [header.as_bytes(), b"\0"].concat();
    let record = [
        &contig.to_le_bytes()[..],
        &19u32.to_le_bytes(),
        &1u32.to_le_bytes(),
        &0x7f80_0001u32.to_le_bytes(),
        &0x0002_0000u32.to_le_bytes(),
        &0u32.to_le_bytes(),
        b"\x07\x17A\x17G\x00",
    ]
    .concat();
    [
        b"BCF\x02\x02",
        &(header.len() as u32).to_le_bytes()[..],
        &header,
        &(record.len() as u32).to_le_bytes(),
        &0u32.to_le_bytes(),
        &record,
    ]
    .concat()
}

#[test]
fn bcf_that_htslib_refuses_is_told_in_our_words() {
    let header = |contigs: &str, columns: &str| {
        format!(
            "##fileformat=VCFv4.2\n{contigs}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{columns}\n"
        )
    };
    let contigs = "##contig=<ID=demo1,length=30000,IDX=3>\n";
    for (header, expected) in [
        (header(contigs, "\tFORMAT"), "no sample behind it"),
        (
            header(contigs, "\tFORMAT\ta\t"),
            "sample 2 of the #CHROM line has no name",
        ),
        (
            header(contigs, "\tFORMAT\ta\ta"),
            "sample `a` has two columns",
        ),
        (
            header(&format!("{contigs}##contig=<ID=x,IDX=3>\n"), ""),
            "contig `x` has IDX=3, which `demo1` has already",
        ),
    ] {
        for command in [
            "score -V calls.bcf -R ref.fa -o out.vcf",
            "filter -V calls.bcf --resource calls.bcf -o out.vcf",
            "eval -V calls.bcf --truth calls.bcf -R ref.fa -o out",
        ] {
            let case = Case::new(command, &["ref.fa", "ref.fa.fai"]);
            case.write("calls.bcf", as_bcf(&header, 3));
            let message = case.message();
            assert!(message.contains("calls.bcf: "), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
    // The same file with nothing wrong is scored.
    let case = Case::new(
        "score -V calls.bcf -R ref.fa -o out.vcf",
        &["ref.fa", "ref.fa.fai"],
    );
    case.write("calls.bcf", as_bcf(&header(contigs, ""), 3));
    let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
    let run = program(&arguments).current_dir(case.path("")).output();
    succeed(run.unwrap());
    assert!(case.text("out.vcf").contains("\ndemo1\t20\t.\tA\tG\t"));
}
