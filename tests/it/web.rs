//! The readers of the page (`web/`), which have no htslib, against the program. `tests/web_page.py` looks at the page in a
//! browser.

use std::path::{Path, PathBuf};

use cnnfilter_web::candidates::{FindPlan, Finder};
use cnnfilter_web::sandbox::{BaseEdit, Edits};
use cnnfilter_web::session::{Lines, Plan, Session};

use crate::support::*;

fn plan(calls: &Path, reads: &[PathBuf], regions: &[&str], filter: bool) -> Plan {
    Plan {
        calls: calls.to_owned(),
        reads: reads.to_vec(),
        reference: demo("ref.fa"),
        model: None,
        regions: regions.iter().map(ToString::to_string).collect(),
        filter,
        depths: None,
    }
}

/// The scored file that a session makes.
fn by_session(plan: Plan) -> Result<String, String> {
    let run = || -> anyhow::Result<String> {
        let (mut session, opened) = Session::open(plan)?;
        let mut text = String::from_utf8(opened.header)?;
        loop {
            let lines = session.read(37)?;
            if lines.text.is_empty() {
                return Ok(text);
            }
            let (bytes, _) = session.score(&lines, true)?;
            text += std::str::from_utf8(&bytes)?;
        }
    };
    run().map_err(|error| format!("{error:#}"))
}

/// The scored file that the program writes, or its message.
fn by_program(plan: &Plan) -> Result<String, String> {
    let mut run = program(&["score", "-O", "v", "-o", "-", "-V"]);
    run.arg(&plan.calls).arg("-R").arg(&plan.reference);
    for reads in &plan.reads {
        run.arg("-I").arg(reads);
    }
    for region in &plan.regions {
        run.args(["-L", region]);
    }
    if plan.filter {
        run.arg("--filter");
    }
    if let Some([card, _]) = &plan.model {
        run.arg("--model").arg(card.parent().unwrap());
    }
    let output = run.output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        let said = String::from_utf8(output.stderr).unwrap();
        let error = said.lines().find_map(|line| line.split_once("error: "));
        Err(error.expect("no error").1.to_owned())
    }
}

#[test]
fn a_session_writes_the_bytes_of_the_program() {
    let region = &["demo1:3,000-9,000"][..];
    for (calls, reads, regions, filter) in [
        ("calls.vcf", Some("reads.bam"), &[][..], true),
        ("calls.vcf", Some("reads.cram"), &[], false),
        ("calls.freebayes.vcf", Some("reads.bam"), region, true),
        ("calls.bcftools.vcf", None, &[], true),
    ] {
        let reads: Vec<PathBuf> = reads.into_iter().map(demo).collect();
        let plan = plan(&demo(calls), &reads, regions, filter);
        let expected = by_program(&plan).unwrap();
        assert!(expected.lines().count() > 20);
        assert_eq!(by_session(plan).unwrap(), expected, "{calls} {reads:?}");
    }
}

/// The records of a session's candidates and of the program's, with headers.
#[test]
fn candidates_have_the_bytes_of_the_program() {
    let lab = Lab::new();
    let (reads, reference) = (demo("reads.bam"), demo("ref.fa"));
    for (regions, min_reads, min_indel_share) in [
        (&[][..], 2, 0.06),
        (&["demo1:3,000-9,000", "demo2"], 3, 0.2),
    ] {
        let plan = FindPlan {
            reads: vec![reads.clone()],
            reference: reference.clone(),
            regions: regions.iter().map(ToString::to_string).collect(),
            min_reads,
            min_snp_share: 0.12,
            min_indel_share,
            min_mapping_quality: 5,
            min_base_quality: 10,
        };
        let (mut finder, found) = Finder::open(&plan).unwrap();
        let mut found_text = found.header;
        for tile in 0..found.tiles {
            found_text.extend(finder.sweep(tile).unwrap());
        }
        assert!(finder.sweep(found.tiles).is_err());
        let output = lab.path("candidates.vcf");
        let mut run = program(&["call", "--candidates", "-q", "-o", text(&output)]);
        run.arg("-I").arg(&reads).arg("-R").arg(&reference);
        run.args(["--min-reads", &min_reads.to_string()]);
        run.args(["--min-indel-share", &min_indel_share.to_string()]);
        for region in regions {
            run.args(["-L", region]);
        }
        succeed(run.output().unwrap());
        let expected = std::fs::read(&output).unwrap();
        assert!(records(&expected).len() > 20);
        assert_eq!(String::from_utf8(found_text), String::from_utf8(expected));
    }
}

/// Weights of 8 bits in the page are those of `quantize`.
#[test]
fn scores_of_8_bits_are_those_of_the_quantised_model() {
    let lab = Lab::new();
    let models = lab.path("models");
    let arguments = [
        "quantize",
        "-q",
        "--model",
        "cnnfilter_reads",
        "-o",
        text(&models),
    ];
    succeed(program(&arguments).output().unwrap());
    let plan = plan(&demo("calls.vcf"), &[demo("reads.bam")], &[], true);
    let (mut session, _) = Session::open(plan).unwrap();
    let lines = session.read(100_000).unwrap();
    let whole = session.score(&lines, true).unwrap().0;
    session.weigh(true).unwrap();
    let small = session.score(&lines, true).unwrap().0;
    session.weigh(false).unwrap();
    assert_eq!(session.score(&lines, true).unwrap().0, whole);
    let reads = demo("reads.bam");
    let more = ["--filter", "-I", text(&reads), "-O", "v", "-o", "-"];
    let model = models.join("cnnfilter_reads_8bit");
    let expected = succeed(score(&demo("calls.vcf"), &model, &more));
    assert_eq!(records(&small), records(&expected));
    assert_ne!(small, whole);
}

/// Models that somebody chooses: GATK's networks with random weights, and one of 8 bits.
#[test]
fn a_model_folder_scores_as_in_the_program() {
    let lab = Lab::new();
    let models = lab.path("models");
    let arguments = [
        "quantize",
        "-q",
        "--model",
        "cnnfilter_reference",
        "-o",
        text(&models),
    ];
    succeed(program(&arguments).output().unwrap());
    let small = models.join("cnnfilter_reference_8bit");
    for (folder, reads, filter) in [
        (lab.model_2d(), true, false),
        (lab.model_1d(), false, false),
        (small, false, true),
    ] {
        let reads: Vec<PathBuf> = reads.then(|| demo("reads.bam")).into_iter().collect();
        let region = if reads.is_empty() {
            &[][..]
        } else {
            &["demo1:3,000-6,000"]
        };
        let plan = Plan {
            model: Some(["model.json", "model.safetensors"].map(|name| folder.join(name))),
            ..plan(&demo("calls.vcf"), &reads, region, filter)
        };
        let expected = by_program(&plan).unwrap();
        assert!(expected.lines().count() > 20);
        assert_eq!(by_session(plan).unwrap(), expected, "{folder:?}");
    }

    // Without thresholds FILTER stays; a model that needs reads says so.
    let folder = lab.model_1d();
    let files = Some(["model.json", "model.safetensors"].map(|name| folder.join(name)));
    let judged = Plan {
        model: files.clone(),
        ..plan(&demo("calls.vcf"), &[], &[], true)
    };
    let plain = Plan {
        model: files,
        ..plan(&demo("calls.vcf"), &[], &[], false)
    };
    assert_eq!(by_session(judged).unwrap(), by_session(plain).unwrap());
    let folder = lab.model_2d();
    let files = Some(["model.json", "model.safetensors"].map(|name| folder.join(name)));
    let without = Plan {
        model: files,
        ..plan(&demo("calls.vcf"), &[], &[], false)
    };
    let error = by_session(without).unwrap_err();
    assert!(error.contains("looks at reads"), "{error}");
    let swapped = Some(["model.safetensors", "model.json"].map(|name| folder.join(name)));
    let error = by_session(Plan {
        model: swapped,
        ..plan(&demo("calls.vcf"), &[demo("reads.bam")], &[], false)
    });
    assert!(error.unwrap_err().contains("not a model card"));
}

/// Insertions and deletions are written into reads, bases into single reads, and the ALT may be another one.
#[test]
fn indels_bases_and_alts_are_edited() {
    let calls = plan(&demo("calls.vcf"), &[demo("reads.bam")], &[], false);
    let (mut session, _) = Session::open(calls).unwrap();
    let all = session.read(1000).unwrap();
    let of = |share: f64| Edits {
        implant: Some(share),
        without_annotations: true,
        ..Edits::default()
    };
    let (mut seen, mut doubted) = ([0, 0], 0);
    let mut snp = None;
    for (text, number) in all.text.iter().zip(&all.numbers) {
        let fields: Vec<&str> = text.split('\t').collect();
        let (reference, alternate) = (fields[3], fields[4]);
        let which = usize::from(alternate.len() > reference.len());
        let is_snp = reference.len() == alternate.len();
        if (is_snp && snp.is_some()) || (!is_snp && seen[which] == 10) {
            continue;
        }
        let line = Lines {
            text: vec![text.clone()],
            numbers: vec![*number],
            read: 0,
        };
        if alternate.contains([',', '*', '<'])
            || probability(&mut session, &line, &Edits::default()) < 0.9
        {
            continue;
        }
        if is_snp {
            snp.get_or_insert((
                line,
                fields[1].parse::<i64>().unwrap(),
                alternate.to_owned(),
            ));
            continue;
        }
        let [none, half] = [0.0, 0.5].map(|share| probability(&mut session, &line, &of(share)));
        assert!(half > 0.9 && none < half, "{text}: {none} {half}");
        seen[which] += 1;
        doubted += usize::from(none < 0.5);
    }
    // Training has few calls that no read shows, and none of them without annotations: some still look real.
    let all: usize = seen.iter().sum();
    assert!(doubted * 10 >= all * 7, "{doubted} of {all}");
    assert!(seen.iter().all(|count| *count >= 3), "{seen:?}");

    // The ALT of a SNP in no read, and then base by base in each of them.
    let (line, position, alternate) = snp.unwrap();
    let (tensor, _) = session.show(&line, 0, false).unwrap();
    let names = String::from_utf8_lossy(&tensor).into_owned();
    let names: Vec<&str> = names.rsplit('\n').take(20).collect();
    let bases = names.iter().flat_map(|name| {
        [false, true].map(|reverse| BaseEdit {
            name: (*name).to_owned(),
            reverse,
            position,
            base: alternate.chars().next().unwrap(),
        })
    });
    let without = of(0.0);
    let with = Edits {
        bases: bases.collect(),
        ..of(0.0)
    };
    let [none, some] = [without, with].map(|edits| probability(&mut session, &line, &edits));
    assert!(none < 0.3 && some > 0.7, "{none} {some}");

    // Nobody shows another allele.
    let other = ["A", "C", "G", "T"].into_iter().find(|base| {
        let fields: Vec<&str> = line.text[0].split('\t').collect();
        *base != fields[3] && *base != fields[4]
    });
    let other = Edits {
        alternate: other.map(String::from),
        ..Edits::default()
    };
    let (_, shown) = session.edit(&line, 0, &other).unwrap();
    let shown = serde_json::to_value(&shown).unwrap();
    assert_eq!(shown["entry"]["alt"].as_str(), other.alternate.as_deref());
    let of_other = probability(&mut session, &line, &other);
    assert!(of_other < 0.3, "{of_other}");
    for (alternate, part) in [
        ("N", "spelled with"),
        ("", "spelled with"),
        (alternate.as_str(), "already"),
    ] {
        let edits = Edits {
            alternate: Some(alternate.to_owned()),
            ..Edits::default()
        };
        let error = session.edit(&line, 0, &edits).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// One line of a file of calls.
fn line(session: &mut Session, at: usize) -> Lines {
    let all = session.read(at + 1).unwrap();
    Lines {
        text: vec![all.text[at].clone()],
        numbers: vec![all.numbers[at]],
        read: 0,
    }
}

fn probability(session: &mut Session, line: &Lines, edits: &Edits) -> f64 {
    let (_, shown) = session.edit(line, 0, edits).unwrap();
    let shown = serde_json::to_value(&shown).unwrap();
    shown["entry"]["probability"].as_f64().unwrap()
}

#[test]
fn a_sandbox_without_changes_changes_nothing_and_implants_count() {
    let (mut session, _) =
        Session::open(plan(&demo("calls.vcf"), &[demo("reads.bam")], &[], false)).unwrap();
    let line = line(&mut session, 5);
    let (tensor, shown) = session.show(&line, 0, false).unwrap();
    let (edited, _) = session.edit(&line, 0, &Edits::default()).unwrap();
    // Reasons, which an edited call has fewer of, stand at the end.
    let cells = tensor.len() / 2;
    assert_eq!(tensor[..cells], edited[..cells]);
    let shown = serde_json::to_value(&shown).unwrap();
    let own = shown["entry"]["probability"].as_f64().unwrap();
    assert_eq!(probability(&mut session, &line, &Edits::default()), own);

    let of_share = |session: &mut Session, share: f64| {
        let edits = Edits {
            implant: Some(share),
            without_annotations: true,
            ..Edits::default()
        };
        probability(session, &line, &edits)
    };
    let [none, half] = [0.0, 0.5].map(|share| of_share(&mut session, share));
    assert!(none < 0.3 && half > 0.7, "{none} {half}");

    let without = |channels: &[&str]| Edits {
        without_channels: channels.iter().map(|&name| name.to_owned()).collect(),
        ..Edits::default()
    };
    let blind = probability(
        &mut session,
        &line,
        &without(&["read.log_ratio", "cell.agrees"]),
    );
    assert_ne!(blind, own);
    assert_eq!(probability(&mut session, &line, &Edits::default()), own);
    let unknown = session.edit(&line, 0, &without(&["cell.N"])).unwrap_err();
    assert!(unknown.to_string().contains("cell.N"), "{unknown}");

    let (bytes, layers) = session.layers(&line, 0, &Edits::default()).unwrap();
    let layers = serde_json::to_value(&layers).unwrap();
    let sizes = layers.as_array().unwrap().iter().map(|layer| {
        let shape = layer["shape"].as_array().unwrap().iter();
        shape
            .map(|size| size.as_u64().unwrap() as usize)
            .product::<usize>()
    });
    assert_eq!(sizes.sum::<usize>() * 4, bytes.len());
}
