//! The readers of the page (`web/`), which have no htslib, against the program. `tests/web_page.py` looks at the page in a
//! browser.

use std::path::{Path, PathBuf};

use cnnfilter_web::sandbox::Edits;
use cnnfilter_web::session::{Lines, Plan, Session};

use crate::support::*;

fn plan(calls: &Path, reads: &[PathBuf], regions: &[&str], filter: bool) -> Plan {
    Plan {
        calls: calls.to_owned(),
        reads: reads.to_vec(),
        reference: demo("ref.fa"),
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
