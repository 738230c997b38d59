//! Several samples in one file: whose reads count for whom.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cnnfilter_core::genome::FlagSet;
use rust_htslib::bam::record::Aux;
use rust_htslib::bam::{self, Format, Header, Read as _, Record};

use crate::support::*;

/// Samples of the tests, and the reads of the demo that are each one's: about 18x, 9x and 3x.
const SAMPLES: [&str; 3] = ["mother", "child", "father"];

fn sample_of(record: &Record) -> usize {
    let sum: u32 = record.qname().iter().map(|byte| u32::from(*byte)).sum();
    match sum % 10 {
        0..=5 => 0,
        6..=8 => 1,
        _ => 2,
    }
}

/// Writes the demo's reads of some samples, each in a read group of its own.
fn write_reads(path: &Path, samples: &[usize]) {
    let mut reader = bam::Reader::from_path(demo("reads.bam")).unwrap();
    let text: String = String::from_utf8_lossy(reader.header().as_bytes())
        .lines()
        .filter(|line| !line.starts_with("@RG"))
        .map(|line| format!("{line}\n"))
        .chain(samples.iter().map(|sample| {
            let name = SAMPLES[*sample];
            format!("@RG\tID:group-{name}\tSM:{name}\n")
        }))
        .collect();
    let header = Header::from_template(&bam::HeaderView::from_bytes(text.as_bytes()));
    {
        let mut writer = bam::Writer::from_path(path, &header, Format::Bam).unwrap();
        let mut record = Record::new();
        while let Some(read) = reader.read(&mut record) {
            read.unwrap();
            let sample = sample_of(&record);
            if samples.contains(&sample) {
                record.remove_aux(b"RG").unwrap();
                let group = format!("group-{}", SAMPLES[sample]);
                record.push_aux(b"RG", Aux::String(&group)).unwrap();
                writer.write(&record).unwrap();
            }
        }
    }
    bam::index::build(path, None, bam::index::Type::Bai, 1).unwrap();
}

/// The demo's calls with these columns of samples: the genotype of one differs from the next one's.
fn write_calls(lab: &Lab, name: &str, samples: &[usize]) -> PathBuf {
    let calls = std::fs::read_to_string(demo("calls.vcf")).unwrap();
    let mut text = String::new();
    for (at, line) in calls.lines().enumerate() {
        // Every fifth call: GATK's network takes 40 ms for each.
        if !line.starts_with('#') && at % 5 != 0 {
            continue;
        }
        let fixed: Vec<&str> = line.split('\t').collect();
        let columns: Vec<String> = if line.starts_with("##") {
            vec![line.to_owned()]
        } else {
            let of_sample = |sample: &usize| match (line.starts_with('#'), sample + at % 2) {
                (true, _) => SAMPLES[*sample].to_owned(),
                (_, 1) => "./.".to_owned(),
                (_, 2) => fixed[9].replacen("0/1", "1/1", 1),
                _ => fixed[9].to_owned(),
            };
            let fixed = fixed[..9].iter().map(ToString::to_string);
            fixed.chain(samples.iter().map(of_sample)).collect()
        };
        text += &(columns.join("\t") + "\n");
    }
    lab.file(name, text)
}

fn run(calls: &Path, more: &[&str]) -> Vec<u8> {
    let reference = demo("ref.fa");
    let mut arguments = vec!["score", "-V", text(calls), "-R", text(&reference)];
    arguments.extend(more);
    succeed(program(&arguments).output().unwrap())
}

/// FORMAT `CNN` of each record, by sample.
fn of_samples(vcf: &[u8]) -> BTreeMap<String, Vec<String>> {
    let text = String::from_utf8_lossy(vcf);
    let names = text
        .lines()
        .find(|line| line.starts_with("#CHROM"))
        .unwrap();
    let mut found = BTreeMap::new();
    for (at, name) in names.split('\t').enumerate().skip(9) {
        let values = records(vcf)
            .iter()
            .map(|line| {
                let columns: Vec<&str> = line.split('\t').collect();
                match columns[8].split(':').position(|key| key == "CNN") {
                    Some(place) => columns[at].split(':').nth(place).unwrap_or("."),
                    None => "absent",
                }
                .to_owned()
            })
            .collect();
        found.insert(name.to_owned(), values);
    }
    found
}

fn of_record(vcf: &[u8], key: &str) -> Vec<String> {
    records(vcf)
        .iter()
        .map(|line| info(line, key).unwrap_or("absent").to_owned())
        .collect()
}

#[test]
fn each_sample_scores_as_if_it_were_alone() {
    let lab = Lab::new();
    let each: Vec<PathBuf> = (0..3)
        .map(|sample| {
            let path = lab.path(&format!("{sample}.bam"));
            write_reads(&path, &[sample]);
            path
        })
        .collect();
    let merged = vec![lab.path("merged.bam"); 3];
    write_reads(&merged[0], &[0, 1, 2]);
    let list = lab.file(
        "reads.list",
        each.iter()
            .map(|path| format!("{}\n", path.display()))
            .collect::<String>(),
    );
    let cohort = write_calls(&lab, "cohort.vcf", &[0, 1, 2]);
    let gatk = lab.model_2d();
    let files: Vec<&str> = each.iter().flat_map(|path| ["-I", text(path)]).collect();
    for model in ["cnnfilter_reads", text(&gatk)] {
        // Three files, a list of them, all in one file; any number of threads and size of batch.
        // How deep a sample is gets measured at places that differ from file to file a little.
        for (reads, of_sample, more) in [
            (files.clone(), &each, ["--threads", "1"]),
            (vec!["-I", text(&list)], &each, ["--threads", "3"]),
            (
                vec!["-I", text(&merged[0])],
                &merged,
                ["--batch-size", "17"],
            ),
        ] {
            let mut alone = BTreeMap::new();
            for (sample, reads) in of_sample.iter().enumerate() {
                let calls = write_calls(&lab, "alone.vcf", &[sample]);
                let scored = run(&calls, &["--model", model, "-I", text(reads)]);
                let format = of_samples(&scored);
                assert!(
                    format[SAMPLES[sample]]
                        .iter()
                        .all(|value| value == "absent")
                );
                alone.insert(SAMPLES[sample].to_owned(), of_record(&scored, "CNN_2D"));
            }
            let arguments = [&["--model", model][..], &reads, &more].concat();
            let scored = run(&cohort, &arguments);
            assert!(of_samples(&scored) == alone, "{model} {reads:?}");
            let best: Vec<String> = (0..alone[SAMPLES[0]].len())
                .map(|at| {
                    let values = SAMPLES.iter().map(|sample| &alone[*sample][at]);
                    let number = |value: &&String| value.parse::<f64>().unwrap();
                    let best = values.max_by(|a, b| number(a).total_cmp(&number(b)));
                    best.unwrap().clone()
                })
                .collect();
            assert_eq!(of_record(&scored, "CNN_2D"), best);
            let definition = "##FORMAT=<ID=CNN,Number=1,Type=Float,";
            assert!(String::from_utf8_lossy(&scored).contains(definition));
            // A second run replaces.
            let again = lab.file("again.vcf", &scored);
            assert!(run(&again, &arguments) == scored);
        }
    }
}

#[test]
fn samples_without_reads_get_no_score_and_are_named() {
    let lab = Lab::new();
    let reads = lab.path("child.bam");
    write_reads(&reads, &[1]);
    let calls = write_calls(&lab, "cohort.vcf", &[0, 1, 2]);
    let output = |more: &[&str]| {
        let reference = demo("ref.fa");
        let fixed = ["score", "-V", text(&calls), "-R", text(&reference)];
        program(&[&fixed, more].concat()).output().unwrap()
    };
    let run = output(&["-I", text(&reads)]);
    let message = String::from_utf8_lossy(&run.stderr).into_owned();
    let named = "2 of 3 samples have no reads and get no score: `mother`, `father`";
    assert_eq!(message.matches(named).count(), 1, "{message}");
    let scored = of_samples(&succeed(run));
    assert!(scored["mother"].iter().all(|value| value == "."));
    assert!(
        scored["child"]
            .iter()
            .all(|value| value.parse::<f64>().is_ok())
    );

    // Under another name they are nobody's, until a map says whose.
    let other = lab.path("other.bam");
    std::fs::copy(demo("reads.bam"), &other).unwrap();
    std::fs::copy(demo("reads.bam.bai"), lab.path("other.bam.bai")).unwrap();
    let message = fail(output(&["-I", text(&other)]));
    assert!(message.contains("`mother`, `child`, `father`"), "{message}");
    assert!(message.contains("--sample-map"), "{message}");
    for whose in ["other.bam", text(&other), "demo"] {
        let map = lab.file("map.tsv", format!("# calls\treads\nfather\t{whose}\n"));
        let scored = succeed(output(&["-I", text(&other), "--sample-map", text(&map)]));
        let scored = of_samples(&scored);
        assert!(
            scored["father"]
                .iter()
                .all(|value| value.parse::<f64>().is_ok()),
            "{whose}"
        );
        assert!(scored["child"].iter().all(|value| value == "."));
    }
    let map = lab.file("map.tsv", "father\tnobody\n");
    let message = fail(output(&["-I", text(&other), "--sample-map", text(&map)]));
    assert!(
        message.contains("map.tsv") && message.contains("`nobody`"),
        "{message}"
    );
    let link = lab.path("link.bam");
    std::os::unix::fs::symlink(&reads, &link).unwrap();
    let message = fail(output(&["-I", text(&reads), "-I", text(&link)]));
    assert!(message.contains("would count twice"), "{message}");
}

#[test]
fn without_reads_each_genotype_counts() {
    let lab = Lab::new();
    let cohort = of_samples(&run(&write_calls(&lab, "cohort.vcf", &[0, 1, 2]), &[]));
    for (sample, name) in SAMPLES.iter().enumerate() {
        let alone = run(&write_calls(&lab, "alone.vcf", &[sample]), &[]);
        assert_eq!(cohort[*name], of_record(&alone, "CNN_1D"));
    }
    assert_ne!(cohort["mother"], cohort["father"]);
    // GATK's network looks at no genotype: one score for all.
    let calls = write_calls(&lab, "cohort.vcf", &[0, 1, 2]);
    let scored = run(&calls, &["--model", text(&lab.model_1d())]);
    assert!(
        of_samples(&scored)["child"]
            .iter()
            .all(|value| value == "absent")
    );
}

#[test]
fn reads_are_left_out_as_samtools_would() {
    let lab = Lab::new();
    let model = lab.model_2d();
    let bam = demo("reads.bam");
    // The same reads, taken out of the file beforehand.
    let kept = |name: &str, keep: &dyn Fn(&Record) -> bool| {
        let path = lab.path(name);
        let mut reader = bam::Reader::from_path(&bam).unwrap();
        let header = Header::from_template(reader.header());
        {
            let mut writer = bam::Writer::from_path(&path, &header, Format::Bam).unwrap();
            for record in reader.records() {
                let record = record.unwrap();
                if keep(&record) {
                    writer.write(&record).unwrap();
                }
            }
        }
        bam::index::build(&path, None, bam::index::Type::Bai, 1).unwrap();
        path
    };
    let calls = demo("calls.vcf");
    let scores = |model: &str, reads: &Path, more: &[&str]| {
        // Some mapping qualities are low here.
        let usual = ["-L", "demo1:12,000-17,000", "--model", model, "-I"];
        let scored = run(&calls, &[&usual[..], &[text(reads)], more].concat());
        of_record(&scored, "CNN_2D")
    };
    let good = kept("good.bam", &|record| record.mapq() >= 30);
    let proper = kept("proper.bam", &|record| {
        record.flags() & 0x2 != 0 && record.flags() & FlagSet::UNUSABLE.0 == 0
    });
    let forward = kept("forward.bam", &|record| record.flags() & 0x10 == 0);
    for model in ["cnnfilter_reads", text(&model)] {
        let depth = ["--sample-depth", "30"];
        let all = scores(model, &bam, &depth);
        for (reads, options) in [
            (&good, vec!["--min-mapq", "30"]),
            (
                &proper,
                vec!["--require-flags", "PROPER_PAIR", "--exclude-flags", "0xf04"],
            ),
            (&forward, vec!["--exclude-flags", "0xf14"]),
        ] {
            let filtered = scores(model, &bam, &[&options[..], &depth].concat());
            assert_ne!(filtered, all, "{model} {options:?}");
            // What the option leaves out besides is left out of both.
            let excluded: Vec<&str> = options
                .iter()
                .skip_while(|option| **option != "--exclude-flags")
                .copied()
                .collect();
            let beforehand = scores(model, reads, &[&excluded[..], &depth].concat());
            assert_eq!(filtered, beforehand, "{model} {options:?}");
        }
    }
    // Duplicates count for GATK's networks and not for ours, unless told.
    let without = kept("without.bam", &|record| !record.is_duplicate());
    let all = text(&model).to_owned();
    assert_ne!(scores(&all, &bam, &[]), scores(&all, &without, &[]));
    let ours = |reads: &Path, more: &[&str]| {
        scores(
            "cnnfilter_reads",
            reads,
            &[&["--sample-depth", "30"], more].concat(),
        )
    };
    assert_eq!(ours(&bam, &[]), ours(&without, &[]));
    assert_ne!(
        ours(&bam, &["--exclude-flags", "0xb04"]),
        ours(&without, &[])
    );
}

#[test]
fn a_map_means_the_same_in_any_order_and_never_guesses() {
    let lab = Lab::new();
    let calls = write_calls(&lab, "two.vcf", &[0, 1]);
    let files = ["d1", "d2"].map(|folder| {
        std::fs::create_dir(lab.path(folder)).unwrap();
        lab.path(folder).join("reads.bam")
    });
    write_reads(&files[0], &[1]);
    write_reads(&files[1], &[2]);
    let paths = files.each_ref().map(|path| text(path));
    let output = |map: &str| {
        let (reference, map) = (demo("ref.fa"), lab.file("map", map));
        let mut arguments = vec!["score", "-V", text(&calls), "-R", text(&reference)];
        arguments.extend(["-I", paths[0], "-I", paths[1], "--sample-map", text(&map)]);
        arguments.extend(["-o", "-"]);
        program(&arguments).output().unwrap()
    };
    let scores = |map: &str| of_samples(&succeed(output(map)));
    let by_path = scores(&format!("mother\t{}\nchild\t{}\n", paths[0], paths[1]));
    assert_ne!(by_path["mother"], by_path["child"]);
    // The path takes its file away from the name.
    for map in [
        format!("mother\t{}\nchild\treads.bam\n", paths[0]),
        format!("child\treads.bam\nmother\t{}\n", paths[0]),
    ] {
        assert_eq!(scores(&map), by_path, "{map}");
    }
    let message = fail(output("mother\treads.bam\n"));
    assert!(
        message.contains("is the name of several reads files")
            && message.contains("d1/reads.bam, ")
            && message.contains("d2/reads.bam"),
        "{message}"
    );
    let twice = format!("{}/../d1/reads.bam", lab.path("d2").display());
    for map in [
        format!("mother\t{}\nchild\t{twice}\n", paths[0]),
        format!("child\t{twice}\nmother\t{}\n", paths[0]),
    ] {
        let message = fail(output(&map));
        assert!(
            message.contains("map: ") && message.contains("give it once"),
            "{message}"
        );
    }
}
