//! `filter`: FILTER, genotypes and records.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::*;

fn filter(arguments: &[&str]) -> Output {
    let mut all = vec!["filter"];
    all.extend(arguments);
    program(&all).output().unwrap()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/filter")
        .join(name)
}

/// Standard error without the summary.
fn warnings(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = text.lines().filter(|line| line.contains("warning: "));
    lines.map(|line| format!("{line}\n")).collect()
}

const SCORE: &str = "##INFO=<ID=CNN_2D,Number=1,Type=Float,Description=\"x\">";
const PROBABILITY: &str = "##INFO=<ID=CNN_PROB,Number=1,Type=Float,Description=\"x\">";
/// As `score` writes it: pass at .5 (SNP) and .25 (INDEL) for f1, at .9 for precision=0.99.
const MODEL: &str = r#"##cnnfilterModel=<ID=net,Sha256=ab,Thresholds="{\"measured_on\":\"chr20 of HG001\",\"kinds\":{\"INDEL\":[{\"aim\":\"f1\",\"probability\":0.25,\"precision\":0.95,\"recall\":0.9}],\"SNP\":[{\"aim\":\"f1\",\"probability\":0.5,\"precision\":0.99,\"recall\":0.98},{\"aim\":\"precision=0.99\",\"probability\":0.9,\"precision\":0.995,\"recall\":0.9}]}}">"#;

/// A VCF without samples.
fn vcf(meta: &[&str], records: &[&str]) -> String {
    let mut lines = vec![
        "##fileformat=VCFv4.2",
        "##contig=<ID=c1,length=1000>",
        "##contig=<ID=c2,length=1000>",
    ];
    lines.extend(meta);
    lines.push("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO");
    let records: Vec<String> = records
        .iter()
        .map(|record| record.replace(' ', "\t"))
        .collect();
    let mut text = lines.join("\n") + "\n";
    for record in records {
        text += &record;
        text.push('\n');
    }
    text
}

/// CHROM:POS and FILTER of each record.
fn filters(vcf: &[u8]) -> Vec<String> {
    let column = |line: &String, at| line.split('\t').nth(at).unwrap().to_owned();
    let records = records(vcf);
    records
        .iter()
        .map(|line| {
            format!(
                "{}:{} {}",
                column(line, 0),
                column(line, 1),
                column(line, 6)
            )
        })
        .collect()
}

fn header_lines(vcf: &[u8], prefix: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(vcf).into_owned();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with(prefix))
        .map(String::from)
        .collect();
    lines.sort();
    lines
}

/// The recorded results are GATK 4.6.2.0's own: `tests/data/filter/make.py`.
#[test]
fn tranches_are_those_of_gatk() {
    let cases = std::fs::read_to_string(data("cases.tsv")).unwrap();
    let calls = data("calls.vcf");
    let mut filtered = 0;
    for line in cases.lines() {
        let (name, arguments) = line.split_once('\t').unwrap();
        let expected = std::fs::read(data(&format!("{name}.gatk.vcf"))).unwrap();
        let mut all = vec!["-V", text(&calls)];
        let resources: Vec<PathBuf> = ["known_a.vcf", "known_b.vcf"].map(data).to_vec();
        all.extend(arguments.split(' ').map(|word| match word {
            "known_a.vcf" => text(&resources[0]),
            "known_b.vcf" => text(&resources[1]),
            word => word,
        }));
        let found = succeed(filter(&all));
        assert_eq!(
            header_lines(&found, "##FILTER"),
            header_lines(&expected, "##FILTER"),
            "{name}"
        );
        assert_eq!(filters(&found), filters(&expected), "{name}");
        filtered += filters(&found)
            .iter()
            .filter(|line| line.contains("_Tranche_"))
            .count();
        let piped = {
            use std::process::Stdio;
            all[1] = "-";
            let lab = Lab::new();
            let folder = lab.path("spool");
            std::fs::create_dir(&folder).unwrap();
            let mut command = vec!["filter"];
            command.extend(&all);
            command.extend(["--tmp-dir", text(&folder)]);
            let input = std::fs::File::open(&calls).unwrap();
            let output = program(&command)
                .stdin(Stdio::from(input))
                .output()
                .unwrap();
            assert!(String::from_utf8_lossy(&output.stderr).contains("two passes"));
            assert_eq!(folder.read_dir().unwrap().count(), 0, "the copy goes");
            succeed(output)
        };
        assert!(piped == found, "{name}: from standard input");
    }
    assert!(filtered > 50, "{filtered}");
}

#[test]
fn sensitivity_is_the_share_of_known_calls_that_score_as_high() {
    let lab = Lab::new();
    let calls = lab.file(
        "calls.vcf",
        vcf(
            &[SCORE],
            &[
                "c1 1 . A C . . CNN_2D=3",
                "c1 2 . A C . . CNN_2D=2;CNN_SENS=9",
                "c1 3 . A C . . CNN_2D=1",
                "c1 4 . A C . . CNN_2D=2.5",
                "c1 5 . AT GC . . CNN_2D=2.5;CNN_SENS=9",
                "c1 6 . A AT . . CNN_2D=0",
            ],
        ),
    );
    let known = lab.file(
        "known.vcf",
        vcf(
            &[],
            &[
                "c1 1 . A C . . .",
                "c1 2 . A C . . .",
                "c1 3 . A C . . .",
                "c1 6 . AC ATC . . .",
            ],
        ),
    );
    let found = succeed(filter(&["-V", text(&calls), "--resource", text(&known)]));
    let shares: Vec<Option<String>> = records(&found)
        .iter()
        .map(|line| info(line, "CNN_SENS").map(String::from))
        .collect();
    let expected = [
        Some("0.33333"),
        Some("0.66667"),
        Some("1.00000"),
        Some("0.33333"),
        None,
        Some("1.00000"),
    ];
    assert_eq!(shares, expected.map(|share| share.map(String::from)));
    let cutoffs = header_lines(&found, "##cnnfilterCutoffs");
    // Index trunc(.9995 * 2) = 1 of three known SNPs.
    assert_eq!(
        cutoffs[1],
        "##cnnfilterCutoffs=<ID=SNP,Key=CNN_2D,Tranches=\"99.95\",Cutoffs=\"2\",ScoredCalls=4,KnownCalls=3>"
    );
}

/// Each case at which GATK stops, and what becomes of it here.
#[test]
fn where_gatk_stops_the_run_goes_on_and_says_so() {
    let snp = "c1 10 . A C . . CNN_2D=1";
    let indel = "c1 20 . A AT . q10 CNN_2D=1";
    let known_snp = vcf(&[], &["c1 10 . A C . . ."]);
    let known_indel = vcf(&[], &["c1 20 . A AT . . ."]);
    let (snp_fails, indel_fails) = (
        "c1:10 CNN_2D_SNP_Tranche_99.95_100.00",
        "c1:20 CNN_2D_INDEL_Tranche_99.40_100.00;q10",
    );
    for (name, calls, known, expected, message) in [
        (
            "header only",
            &[][..],
            &known_snp,
            &[][..],
            "no SNP has a score",
        ),
        (
            "one record",
            &[snp],
            &known_snp,
            &[snp_fails],
            "rest on 1 calls",
        ),
        (
            "SNPs only",
            &[snp],
            &known_snp,
            &[snp_fails],
            "no INDEL has a score",
        ),
        (
            "indels only",
            &[indel],
            &known_indel,
            &[indel_fails],
            "no SNP has a score",
        ),
        (
            "a type without overlap",
            &[snp, indel],
            &known_snp,
            &[snp_fails, "c1:20 q10"],
            "INDEL: none of 1 scored calls stands in the resources",
        ),
        (
            "no overlap",
            &[snp, indel],
            &vcf(&[], &["c1 11 . A C . . ."]),
            &["c1:10 .", "c1:20 q10"],
            "SNP: none of 1 scored calls",
        ),
        (
            "empty resource",
            &[snp],
            &vcf(&[], &[]),
            &["c1:10 ."],
            "SNP: none of 1 scored calls",
        ),
        (
            "resource on other contigs",
            &[snp],
            &vcf(&[], &["chrc1 10 . A C . . ."]),
            &["c1:10 ."],
            "`chrc1`; the calls say `c1`",
        ),
        (
            "no record has the key",
            &["c1 10 . A C . . DP=1", "c1 20 . A AT . . ."],
            &known_snp,
            &["c1:10 .", "c1:20 ."],
            "no SNP has a score",
        ),
        (
            "other REF in the resource",
            &[snp, "c1 30 . A G . . CNN_2D=3"],
            &vcf(&[], &["c1 10 . G C . . .", "c1 30 . A G . . ."]),
            &[snp_fails, "c1:30 CNN_2D_SNP_Tranche_99.95_100.00"],
            "1 calls have another REF",
        ),
        (
            "scores that are no numbers",
            &[
                snp,
                "c1 20 . A G . . CNN_2D=.",
                "c1 30 . A G . . CNN_2D=1,2",
                "c1 40 . A G . . CNN_2D=nan",
            ],
            &known_snp,
            &[snp_fails, "c1:20 PASS", "c1:30 PASS", "c1:40 PASS"],
            "rest on 1 calls",
        ),
        (
            "a resource out of order",
            &[snp],
            &vcf(
                &[],
                &["c2 5 . A C . . .", "c1 10 . A C . . .", "c1 5 . A C . . ."],
            ),
            &[snp_fails],
            "rest on 1 calls",
        ),
    ] {
        let lab = Lab::new();
        let calls = lab.file("calls.vcf", vcf(&[SCORE], calls));
        // No index stands beside it, plain or compressed.
        let known = lab.file("known.vcf", known);
        let target = lab.path("out.vcf.gz");
        let output = filter(&[
            "-V",
            text(&calls),
            "--resource",
            text(&known),
            "-o",
            text(&target),
        ]);
        let told = warnings(&output);
        succeed(output);
        assert!(told.contains(message), "{name}: {told}");
        assert!(lab.path("out.vcf.gz.tbi").exists(), "{name}: no index");
        let found = succeed(
            program(&["filter", "-V", text(&target), "--resource", text(&known)])
                .output()
                .unwrap(),
        );
        assert_eq!(
            header_lines(&found, "##FILTER=<ID=CNN_2D").len(),
            2,
            "{name}"
        );
        let plain = succeed(filter(&["-V", text(&calls), "--resource", text(&known)]));
        assert_eq!(filters(&plain), expected, "{name}");
        // Filtering the result again changes nothing.
        assert_eq!(filters(&found), expected, "{name}: twice");
    }
}

#[test]
fn a_type_without_overlap_is_filtered_as_asked() {
    let lab = Lab::new();
    let text_of = |meta: &[&str]| {
        vcf(
            meta,
            &[
                "c1 10 . A C . . CNN_2D=1;CNN_PROB=0.9",
                "c1 20 . A AT . . CNN_2D=1;CNN_PROB=0.2",
                "c1 30 . A AT . . CNN_2D=1;CNN_PROB=0.3",
                "c1 40 . A AT . . CNN_2D=1",
            ],
        )
    };
    let with = lab.file("with.vcf", text_of(&[SCORE, PROBABILITY, MODEL]));
    let without = lab.file("without.vcf", text_of(&[SCORE, PROBABILITY]));
    let known = lab.file("known.vcf", vcf(&[], &["c1 10 . A C . . ."]));
    let run = |calls: &Path, way: &[&str]| {
        let mut arguments = vec!["-V", text(calls), "--resource", text(&known)];
        arguments.extend(way);
        filter(&arguments)
    };
    let snp = "c1:10 CNN_2D_SNP_Tranche_99.95_100.00";
    let unfiltered = [snp, "c1:20 .", "c1:30 .", "c1:40 ."];
    let by_model = [snp, "c1:20 CNN_LOW_INDEL_F1", "c1:30 PASS", "c1:40 ."];
    for (calls, way, expected) in [
        (&with, &[][..], by_model),
        (&with, &["--on-no-resource", "model"], by_model),
        (&with, &["--on-no-resource", "unfiltered"], unfiltered),
        (&without, &[], unfiltered),
    ] {
        let output = run(calls, way);
        assert!(warnings(&output).contains("INDEL: none of 3 scored calls"));
        let found = succeed(output);
        assert_eq!(filters(&found), expected, "{way:?}");
        let described = header_lines(&found, "##FILTER=<ID=CNN_LOW_INDEL").len();
        assert_eq!(described, usize::from(expected == by_model));
    }
    let message = fail(run(&with, &["--on-no-resource", "fail"]));
    assert!(
        message.contains("INDELs are present, but none of them stands in the resources"),
        "{message}"
    );
    let message = fail(run(&without, &["--on-no-resource", "model"]));
    assert!(message.contains("needs thresholds"), "{message}");
}

const SCORED: [&str; 7] = [
    "c1 10 . A C . . CNN_PROB=0.95",
    "c1 20 . A C . PASS CNN_PROB=0.6",
    "c1 30 . A C . q10 CNN_PROB=0.4",
    "c1 40 . A AT . . CNN_PROB=0.3",
    "c1 50 . A AT . . CNN_PROB=0.2",
    "c2 10 . A C . . DP=3",
    "c2 20 . A <DEL> . q10 CNN_PROB=0.1",
];

#[test]
fn thresholds_come_with_the_file() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf(&[PROBABILITY, MODEL], &SCORED));
    let json = lab.path("summary.json");
    let output = filter(&["-V", text(&calls), "--summary-json", text(&json)]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = succeed(output);
    assert_eq!(
        filters(&found),
        [
            "c1:10 PASS",
            "c1:20 PASS",
            "c1:30 q10;CNN_LOW_SNP_F1",
            "c1:40 PASS",
            "c1:50 CNN_LOW_INDEL_F1",
            "c2:10 .",
            "c2:20 q10",
        ]
    );
    assert_eq!(
        header_lines(&found, "##FILTER"),
        [
            "##FILTER=<ID=CNN_LOW_INDEL_F1,Description=\"INDEL with CNN_PROB below the threshold of model net for aim f1: 0.25 (expected precision 0.9500, recall 0.9000); measured on chr20 of HG001\">",
            "##FILTER=<ID=CNN_LOW_SNP_F1,Description=\"SNP with CNN_PROB below the threshold of model net for aim f1: 0.5 (expected precision 0.9900, recall 0.9800); measured on chr20 of HG001\">",
        ]
    );
    for part in [
        "not judged: no score (CNN_PROB)",
        "not judged: neither SNP nor indel",
        "expected: of net, measured on chr20 of HG001",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let snp = &summary["rows"][1];
    assert_eq!(
        (&snp["kind"], &snp["passed"], &snp["filtered"]),
        (&"SNP".into(), &2.into(), &1.into())
    );
    assert_eq!(summary["records_written"], 7);
    assert_eq!(summary["mode"], "thresholds");
    // Twice is once, and another aim takes the place of the first.
    let again = lab.file("again.vcf", &found);
    assert!(succeed(filter(&["-V", text(&again)])) == found);
    let stricter = ["-V", text(&again), "--aim", "precision=0.98"];
    let message = fail(filter(&stricter));
    assert!(
        message.contains("no threshold for aim precision=0.98 (of INDELs)")
            && message.contains("there are f1"),
        "{message}"
    );
}

#[test]
fn a_mixed_record_is_filtered_as_its_best_alt() {
    let lab = Lab::new();
    let records = [
        "c1 10 . A C,AT . . CNN_PROB=0.3;CNN_AS=1,0",
        "c1 20 . A C,AT . . CNN_PROB=0.3;CNN_AS=0,1",
        "c1 30 . A C,AT . . CNN_PROB=0.2;CNN_AS=0,1",
        "c1 40 . A C,AT . . CNN_PROB=0.3",
    ];
    let calls = lab.file("calls.vcf", vcf(&[PROBABILITY, MODEL], &records));
    assert_eq!(
        filters(&succeed(filter(&["-V", text(&calls)]))),
        [
            "c1:10 CNN_LOW_SNP_F1",
            "c1:20 PASS",
            "c1:30 CNN_LOW_INDEL_F1",
            "c1:40 PASS",
        ]
    );
}

#[test]
fn the_nearest_stricter_aim_is_taken_and_told() {
    let lab = Lab::new();
    let snps_only = MODEL.replace(
        r#"\"INDEL\":[{\"aim\":\"f1\",\"probability\":0.25,\"precision\":0.95,\"recall\":0.9}],"#,
        "",
    );
    let calls = lab.file("calls.vcf", vcf(&[PROBABILITY, &snps_only], &SCORED));
    let output = filter(&["-V", text(&calls), "--aim", "precision=0.98"]);
    assert!(
        warnings(&output).contains("precision=0.99 is used"),
        "{}",
        warnings(&output)
    );
    let found = succeed(output);
    assert_eq!(
        filters(&found)[..4],
        [
            "c1:10 PASS",
            "c1:20 CNN_LOW_SNP_PRECISION_0.99",
            "c1:30 q10;CNN_LOW_SNP_PRECISION_0.99",
            "c1:40 ."
        ]
    );
}

#[test]
fn scattered_and_piped_runs_give_the_same_filters() {
    let lab = Lab::new();
    // BCF wants every filter and key defined.
    let meta = [
        PROBABILITY,
        MODEL,
        "##FILTER=<ID=q10,Description=\"x\">",
        "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">",
    ];
    let calls = lab.file("calls.vcf", vcf(&meta, &SCORED));
    let whole = succeed(filter(&["-V", text(&calls)]));
    let piped = {
        let input = std::fs::File::open(&calls).unwrap();
        succeed(
            program(&["filter", "-V", "-"])
                .stdin(std::process::Stdio::from(input))
                .output()
                .unwrap(),
        )
    };
    assert!(piped == whole);
    let mut parts = Vec::new();
    for region in ["c1:1-25", "c1:26-", "c2"] {
        let part = succeed(filter(&["-V", text(&calls), "-L", region]));
        assert_eq!(header_lines(&part, "#"), header_lines(&whole, "#"));
        parts.extend(records(&part));
    }
    assert_eq!(parts, records(&whole));
    let bcf = lab.path("out.bcf");
    succeed(filter(&[
        "-V",
        text(&calls),
        "-o",
        text(&bcf),
        "--threads",
        "3",
    ]));
    // Through BCF the thresholds in the header are still there.
    let again = succeed(filter(&["-V", text(&bcf)]));
    assert_eq!(filters(&again), filters(&whole));
}

#[test]
fn thresholds_come_from_a_model_folder_as_well() {
    let lab = Lab::new();
    let folder = lab.model_1d();
    let card = folder.join("model.json");
    let calls = lab.file("calls.vcf", vcf(&[PROBABILITY], &SCORED));
    let message = fail(filter(&["-V", text(&calls), "--model", text(&folder)]));
    assert!(message.contains("has no thresholds"), "{message}");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&card).unwrap()).unwrap();
    json["thresholds"] = serde_json::json!({
        "measured_on": "here",
        "kinds": {"SNP": [{"aim": "f1", "probability": 0.7, "precision": 0.9, "recall": 0.8}]},
    });
    std::fs::write(&card, json.to_string()).unwrap();
    let found = succeed(filter(&["-V", text(&calls), "--model", text(&folder)]));
    assert_eq!(
        filters(&found)[..4],
        [
            "c1:10 PASS",
            "c1:20 CNN_LOW_SNP_F1",
            "c1:30 q10;CNN_LOW_SNP_F1",
            "c1:40 ."
        ]
    );
    let other = lab.file("other.vcf", vcf(&[PROBABILITY, MODEL], &SCORED));
    let output = filter(&["-V", text(&other), "--model", text(&folder)]);
    assert!(
        warnings(&output).contains("its scores are those of model `net`"),
        "{}",
        warnings(&output)
    );
    json["thresholds"]["kinds"]["SNP"][0]["recall"] = 8.into();
    std::fs::write(&card, json.to_string()).unwrap();
    let message = fail(filter(&["-V", text(&calls), "--model", text(&folder)]));
    assert!(
        message.contains("recall must lie in 0 to 1, found 8"),
        "{message}"
    );
}

#[test]
fn thresholds_by_depth_or_stratum_are_refused() {
    let lab = Lab::new();
    for more in [r#"\"depth\":[0,10]"#, r#"\"stratum\":\"repeats\""#] {
        let entry = format!(
            r#"{{\"aim\":\"f1\",\"probability\":0.5,\"precision\":0.9,\"recall\":0.9,{more}}}"#
        );
        let model = format!(
            "##cnnfilterModel=<ID=net,Sha256=ab,Thresholds=\"{{\\\"measured_on\\\":\\\"x\\\",\\\"kinds\\\":{{\\\"SNP\\\":[{entry}]}}}}\">"
        );
        let record = "c1 10 . A C . . CNN_PROB=0.7;DP=30";
        let calls = lab.file("calls.vcf", vcf(&[PROBABILITY, &model], &[record]));
        let message = fail(filter(&["-V", text(&calls)]));
        assert!(message.contains("unknown field"), "{message}");
        assert!(message.contains("score the file again"), "{message}");
    }
}

/// Two samples, two ALTs.
fn cohort(lab: &Lab) -> PathBuf {
    let meta = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=c1,length=1000>",
        PROBABILITY,
        "##INFO=<ID=CNN_AS,Number=A,Type=Float,Description=\"x\">",
        "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"x\">",
        "##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">",
        "##INFO=<ID=AN,Number=1,Type=Integer,Description=\"x\">",
        "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">",
        "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">",
        "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"x\">",
        "##FORMAT=<ID=CNN,Number=1,Type=Float,Description=\"x\">",
        MODEL,
    ];
    let records = [
        // sigmoid(2) = .88 passes, sigmoid(-2) = .12 fails.
        "c1\t10\t.\tA\tC,G\t.\t.\tAC=2,1;AF=0.500,0.250;AN=4;CNN_PROB=0.88;CNN_AS=2,-2\tGT:AD:PL:CNN\t0/1:3,4,0:20,0,30,40,50,60:2\t1/2:0,3,2:60,30,20,10,0,50:-2",
        "c1\t20\t.\tA\tC\t.\t.\tAC=2;AF=0.500;AN=4;CNN_PROB=0.1;CNN_AS=-2\tGT:AD:PL:CNN\t0/1:3,4:20,0,30:-2\t0|1:3,4:20,0,30:-3",
        "c1\t30\t.\tA\tC\t.\t.\tAC=1;AF=0.250;AN=4;CNN_PROB=0.9\tGT:AD\t0/1:3,4\t0/0:9,0",
    ];
    let mut text = meta.join("\n");
    text += "\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
    text += &records.join("\n");
    text.push('\n');
    lab.file("cohort.vcf", text)
}

#[test]
fn genotypes_and_alleles_are_filtered_by_their_own_scores() {
    let lab = Lab::new();
    let calls = cohort(&lab);
    let run = |more: &[&str]| {
        let mut arguments = vec!["-V", text(&calls)];
        arguments.extend(more);
        records(&succeed(filter(&arguments)))
    };
    assert_eq!(
        run(&[]),
        [
            "c1\t10\t.\tA\tC,G\t.\tPASS\tAC=2,1;AF=0.500,0.250;AN=4;CNN_PROB=0.88;CNN_AS=2,-2\tGT:AD:PL:CNN:FT\t0/1:3,4,0:20,0,30,40,50,60:2:PASS\t1/2:0,3,2:60,30,20,10,0,50:-2:CNN_LOW_SNP_F1",
            "c1\t20\t.\tA\tC\t.\tCNN_LOW_SNP_F1\tAC=2;AF=0.500;AN=4;CNN_PROB=0.1;CNN_AS=-2\tGT:AD:PL:CNN:FT\t0/1:3,4:20,0,30:-2:CNN_LOW_SNP_F1\t0|1:3,4:20,0,30:-3:CNN_LOW_SNP_F1",
            "c1\t30\t.\tA\tC\t.\tPASS\tAC=1;AF=0.250;AN=4;CNN_PROB=0.9\tGT:AD\t0/1:3,4\t0/0:9,0",
        ]
    );
    assert_eq!(
        run(&["--trim-alts"])[0],
        "c1\t10\t.\tA\tC\t.\tPASS\tAC=2;AF=0.666667;AN=3;CNN_PROB=0.88;CNN_AS=2\tGT:AD:PL:CNN:FT\t0/1:3,4:20,0,30:2:PASS\t1/.:0,3:40,10,0:-2:CNN_LOW_SNP_F1"
    );
    let missing = run(&["--set-gt-missing"]);
    assert!(
        missing[0].contains("AC=1,0;AF=0.5,0;AN=2") && missing[0].contains("\t./.:0,3,2"),
        "{}",
        missing[0]
    );
    assert!(
        missing[1].contains("AC=0;AF=.;AN=0")
            && missing[1].ends_with("\t./.:3,4:20,0,30:-3:CNN_LOW_SNP_F1"),
        "{}",
        missing[1]
    );
    let kept = run(&["--exclude-filtered"]);
    assert_eq!(kept.len(), 2);
    let header = succeed(filter(&["-V", text(&calls)]));
    assert_eq!(header_lines(&header, "##FORMAT=<ID=FT").len(), 1);
}

#[test]
fn a_file_without_thresholds_says_what_to_give() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf(&[PROBABILITY], &SCORED));
    let message = fail(filter(&["-V", text(&calls)]));
    assert!(
        message.contains("##cnnfilterModel") && message.contains("--resource"),
        "{message}"
    );
    let empty = lab.file("empty.vcf", vcf(&[PROBABILITY], &[]));
    let output = filter(&["-V", text(&empty)]);
    assert!(warnings(&output).contains("it has no record"));
    assert!(records(&succeed(output)).is_empty());
    let damaged = lab.file(
        "damaged.vcf",
        vcf(&["##cnnfilterModel=<ID=x,Thresholds=\"{\">"], &SCORED),
    );
    let message = fail(filter(&["-V", text(&damaged)]));
    assert!(
        message.contains("`##cnnfilterModel`, Thresholds"),
        "{message}"
    );
    let unscored = lab.file("unscored.vcf", vcf(&[MODEL], &["c1 10 . A C . . DP=1"]));
    let output = filter(&["-V", text(&unscored)]);
    assert!(
        warnings(&output).contains("no record was judged"),
        "{}",
        warnings(&output)
    );
    assert_eq!(filters(&succeed(output)), ["c1:10 ."]);
    let known = lab.file("known.vcf", vcf(&[], &[]));
    let message = fail(filter(&[
        "-V",
        text(&unscored),
        "--resource",
        text(&known),
        "--info-key",
        "CNN_1D",
    ]));
    assert!(message.contains("does not define INFO/CNN_1D"), "{message}");
    let output = filter(&[
        "-V",
        text(&calls),
        "--resource",
        text(&known),
        "-o",
        text(&known),
    ]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("it is an input of this run"), "{message}");
}

/// The options of nf-core/sarek and WARP, and GATK's ways to spell them.
#[test]
fn the_flags_of_pipelines_are_taken() {
    let lab = Lab::new();
    let calls = lab.file("calls.vcf", vcf(&[SCORE], &["c1 10 . A C . . CNN_2D=1"]));
    let known = lab.file("known.vcf", vcf(&[], &["c1 10 . A C . . ."]));
    let (calls, known) = (text(&calls), text(&known));
    let out = lab.path("sarek.vcf.gz");
    let folder = lab.path("");
    succeed(filter(&[
        "--variant",
        calls,
        "--resource",
        known,
        "--resource",
        known,
        "--output",
        text(&out),
        "--tmp-dir",
        text(&folder),
        "--info-key",
        "CNN_2D",
    ]));
    assert!(out.exists() && lab.path("sarek.vcf.gz.tbi").exists());
    let out = lab.path("warp.vcf.gz");
    succeed(filter(&[
        "-V",
        calls,
        "-O",
        text(&out),
        "--snp-tranche",
        "99.9",
        "--snp-tranche",
        "99.0",
        "--indel-tranche",
        "99.5",
        "--resource",
        known,
        "--resource:omni,known=false",
        known,
        "--info-key",
        "CNN_2D",
        "--create-output-variant-index",
        "false",
        "-L",
        "c1",
        "--invalidate-previous-filters",
        "true",
    ]));
    assert!(out.exists() && !lab.path("warp.vcf.gz.tbi").exists());
    let piped = succeed(filter(&["-V", calls, "--resource", known, "-O", "v"]));
    assert_eq!(filters(&piped), ["c1:10 CNN_2D_SNP_Tranche_99.95_100.00"]);
    for wrong in [
        &["-V", calls, "--snp-tranche", "99"][..],
        &["-V", calls, "--resource", known, "--snp-tranche", "100"],
        &["-V", calls, "--resource", known, "--trim-alts"],
        &["-V", calls, "--resource", known, "-O", "x"],
        &[
            "-V",
            calls,
            "--resource",
            known,
            "-O",
            "a.vcf",
            "-o",
            "b.vcf",
        ],
        &["-V", calls, "--aim", "best"],
    ] {
        assert_eq!(filter(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

/// A cohort of 2,500 of whom one carries the first ALT and one the second, whose score fails.
fn large_cohort(lab: &Lab) -> PathBuf {
    let meta = [
        "##INFO=<ID=CNN_AS,Number=A,Type=Float,Description=\"x\">",
        "##INFO=<ID=MLEAC,Number=A,Type=Integer,Description=\"x\">",
        "##INFO=<ID=MLEAF,Number=A,Type=Float,Description=\"x\">",
        "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">",
        "##FORMAT=<ID=CNN,Number=1,Type=Float,Description=\"x\">",
    ];
    let names: Vec<String> = (0..2500).map(|at| format!("s{at}")).collect();
    let genotypes: Vec<&str> = (0..2500)
        .map(|at| match at {
            0 => "0/1:2",
            1 => "0/2:-2",
            _ => "0/0:.",
        })
        .collect();
    let info = "AC=1,1;AF=2.000e-04,2.000e-04;AN=5000;DP=70000;MLEAC=1,1;MLEAF=2.000e-04,2.000e-04;NS=2500;CNN_PROB=0.88;CNN_AS=2,-2";
    let text = format!(
        "##fileformat=VCFv4.2\n##contig=<ID=c1,length=1000>\n{}\n{PROBABILITY}\n{MODEL}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\nc1\t10\t.\tA\tC,G\t.\t.\t{info}\tGT:CNN\t{}\n",
        meta.join("\n"),
        names.join("\t"),
        genotypes.join("\t")
    );
    lab.file("large.vcf", text)
}

#[test]
fn frequencies_of_a_large_cohort_keep_their_digits() {
    let lab = Lab::new();
    let calls = large_cohort(&lab);
    for (flag, expected) in [
        // One of 4,999: the other ALT's carrier has one known allele left.
        (
            "--trim-alts",
            "AC=1;AF=0.00020004;AN=4999;DP=70000;MLEAC=1;MLEAF=2.000e-04;NS=2500",
        ),
        // One of 4,998.
        (
            "--set-gt-missing",
            "AC=1,0;AF=0.00020008,0;AN=4998;DP=70000;MLEAC=1,1;MLEAF=2.000e-04,2.000e-04;NS=2500",
        ),
    ] {
        let filtered = records(&succeed(filter(&["-V", text(&calls), flag])));
        assert!(
            filtered[0].contains(expected),
            "{flag}: {:.200}",
            filtered[0]
        );
    }
    // What is not counted again keeps its text.
    let untouched = records(&succeed(filter(&["-V", text(&calls)])));
    assert!(untouched[0].contains("AF=2.000e-04,2.000e-04;AN=5000"));
}

#[test]
fn files_scored_by_two_models_are_refused() {
    let lab = Lab::new();
    let other = MODEL.replace("ID=net,Sha256=ab", "ID=other,Sha256=cd");
    let later = MODEL.replace("ID=net,Sha256=ab", "ID=net,Sha256=cd");
    for second in [&other, &later] {
        for lines in [[MODEL, second], [second, MODEL]] {
            let meta = [PROBABILITY, SCORE, lines[0], lines[1]];
            let calls = lab.file("mix.vcf", vcf(&meta, &SCORED));
            let message = fail(filter(&["-V", text(&calls)]));
            for part in [
                "mix.vcf",
                "of several models",
                "`net` ab",
                "before you join them",
            ] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
    let calls = lab.file("twice.vcf", vcf(&[PROBABILITY, MODEL, MODEL], &SCORED));
    let once = lab.file("once.vcf", vcf(&[PROBABILITY, MODEL], &SCORED));
    assert_eq!(
        filters(&succeed(filter(&["-V", text(&calls)]))),
        filters(&succeed(filter(&["-V", text(&once)])))
    );
    // One line, as some tools leave it, and a record with the score of another model.
    let command =
        "##cnnfilterCommand=score --info-key CNN_2D --model net --model-sha256 ab -R r.fa";
    let joined = vcf(
        &[PROBABILITY, SCORE, command, MODEL],
        &[
            "c1 10 . A C . . CNN_2D=2;CNN_PROB=0.9",
            "c1 20 . A C . . CNN_1D=2;CNN_2D=1;CNN_PROB=0.9",
            "c1 30 . A C . . CNN_PROB=0.9",
            "c1 40 . A C . . CNN_1D=2;CNN_PROB=0.9",
        ],
    );
    let calls = lab.file("joined.vcf", joined);
    let message = fail(filter(&["-V", text(&calls)]));
    assert!(
        message.contains("joined.vcf: record 4 (c1:40) has a probability and the score CNN_1D"),
        "{message}"
    );
}
