//! Header lines of a scored file.

use std::fmt::Write as _;

use super::Annotator;
use crate::filter::ModelLine;
use crate::genome::FlagSet;
use crate::score::keys::{ALLELE_KEY, NOVELTY_KEY, PROBABILITY_KEY, SAMPLE_KEY, WHY_KEY};
use crate::vcf::{VcfHeader, quote};

/// The inputs of a run that its scores depend on, for `##cnnfilterCommand`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreCommand {
    /// Version of the program.
    pub version: String,
    /// Files of reads, as typed.
    pub reads: Vec<String>,
    /// The table of samples and their reads.
    pub sample_map: Option<String>,
    /// Lowest mapping quality of a read.
    pub min_mapping_quality: u8,
    /// Flags that a read must have.
    pub required_flags: FlagSet,
    /// Flags that a read must not have, where they were given.
    pub excluded_flags: Option<FlagSet>,
    /// Mean depth of each sample, where it was given.
    pub sample_depth: Option<f32>,
    /// The reference, as typed.
    pub reference: String,
    /// Options about genotypes, as words.
    pub genotypes: String,
}

impl Annotator<'_> {
    /// Adds the definitions of the scores, the program's version and what decided the scores. Lines
    /// of an earlier run for the same key are replaced.
    ///
    /// `##cnnfilterCommand` holds the inputs that scores depend on (reads, reference, model) and
    /// nothing else: neither threads, batch size, regions nor where the records came from and go
    /// to. So a scattered run has the header of a whole one, byte for byte.
    ///
    /// # Errors
    /// A card whose numbers cannot be written as JSON.
    pub fn extend_header(
        &self,
        header: &mut VcfHeader,
        command: &ScoreCommand,
    ) -> Result<(), serde_json::Error> {
        self.define_keys(header);
        header.put_version(&command.version);
        let prefix = format!(
            "##cnnfilterCommand=score --info-key {} ",
            self.model.card().info_key
        );
        let line = format!("{prefix}{}", self.options(command));
        header.put_meta(&prefix, line);
        let card = self.model.card();
        if card.calibration.is_some() || card.thresholds.is_some() {
            let line = ModelLine {
                name: card.name.clone(),
                sha256: card.weights_sha256.clone(),
                calibration: card.calibration.clone(),
                thresholds: card.thresholds.clone(),
            };
            line.put(header)?;
        }
        Ok(())
    }

    /// Defines the keys that records get.
    fn define_keys(&self, header: &mut VcfHeader) {
        let card = self.model.card();
        let (key, name) = (&card.info_key, &card.name);
        header.put_info(
            key,
            format!(
                "##INFO=<ID={key},Number=1,Type=Float,Description=\"Log odds of being a true variant versus being false under the convolutional network {name} (natural logarithm)\">"
            ),
        );
        if self.scores_alleles() {
            header.put_info(
                ALLELE_KEY,
                format!("##INFO=<ID={ALLELE_KEY},Number=A,Type=Float,Description=\"{key} of each ALT allele\">"),
            );
        }
        if card.calibration.is_some() {
            header.put_info(
                PROBABILITY_KEY,
                format!(
                    "##INFO=<ID={PROBABILITY_KEY},Number=1,Type=Float,Description=\"Calibrated probability that the best ALT allele is real, by the convolutional network {name}\">"
                ),
            );
        }
        if self.explainer.is_some() {
            header.put_info(
                WHY_KEY,
                format!(
                    "##INFO=<ID={WHY_KEY},Number=.,Type=String,Description=\"Topics that decided {key} of the best ALT allele, as topic:contribution (the score less the score without it, natural-log odds); those for the verdict come first\">"
                ),
            );
        }
        if let Some(genotyper) = &self.genotyper {
            genotyper.extend_header(header);
        }
        if self.novelty.is_some() {
            header.put_info(
                NOVELTY_KEY,
                format!(
                    "##INFO=<ID={NOVELTY_KEY},Number=1,Type=Float,Description=\"Share of the training calls of the kind that are less unusual than the best ALT allele, in what the convolutional network {name} makes of them: 0.5 is ordinary, above 0.999 is unlike anything in training\">"
                ),
            );
        }
        if self.tells_samples_apart() {
            header.put_format(
                SAMPLE_KEY,
                format!(
                    "##FORMAT=<ID={SAMPLE_KEY},Number=1,Type=Float,Description=\"{key} of the sample's best ALT allele, from the sample's own reads and genotype\">"
                ),
            );
        }
    }

    /// The options of the command line that scores depend on.
    fn options(&self, command: &ScoreCommand) -> String {
        let card = self.model.card();
        let mut text = format!(
            "--model {} --model-sha256 {} ",
            quote(&card.name),
            card.weights_sha256
        );
        // Writing to a string cannot fail.
        let mut add = |option: &str, value: &str| {
            let _ = write!(text, "{option} {value} ");
        };
        if self.model.uses_reads() {
            for path in &command.reads {
                add("-I", &quote(path));
            }
            if let Some(map) = &command.sample_map {
                add("--sample-map", &quote(map));
            }
            if command.min_mapping_quality > 0 {
                add("--min-mapq", &command.min_mapping_quality.to_string());
            }
            if command.required_flags != FlagSet::default() {
                add("--require-flags", &command.required_flags.to_string());
            }
            if let Some(excluded) = command.excluded_flags {
                add("--exclude-flags", &excluded.to_string());
            }
        }
        if let Some(depth) = command.sample_depth {
            add("--sample-depth", &depth.to_string());
        }
        text += &format!("-R {}", quote(&command.reference));
        if !command.genotypes.is_empty() {
            text += &format!(" {}", command.genotypes);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Builtin, Model};
    use cnnfilter_nn::DeviceChoice;

    fn model(reads: bool) -> Model {
        Builtin::default_for(reads).load(DeviceChoice::Cpu).unwrap()
    }

    fn header(columns: usize) -> VcfHeader {
        let samples: String = (0..columns).map(|at| format!("\ts{at}")).collect();
        let text = format!(
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT{samples}\n"
        );
        VcfHeader::parse(text.lines().map(String::from).collect()).unwrap()
    }

    fn text(header: &VcfHeader) -> String {
        String::from_utf8(header.to_bytes()).unwrap()
    }

    fn command() -> ScoreCommand {
        ScoreCommand {
            version: "9.8.7".into(),
            reads: vec!["my reads.bam".into()],
            reference: "ref.fa".into(),
            ..ScoreCommand::default()
        }
    }

    #[test]
    fn keys_are_defined_once_however_often_a_file_is_scored() {
        let model = model(true);
        let annotator = Annotator::new(&model, vec![0, 1], 2);
        let mut header = header(2);
        annotator.extend_header(&mut header, &command()).unwrap();
        let once = text(&header);
        for key in [
            "INFO=<ID=CNN_2D",
            "INFO=<ID=CNN_AS",
            "INFO=<ID=CNN_PROB",
            "FORMAT=<ID=CNN,",
        ] {
            assert_eq!(once.matches(&format!("##{key}")).count(), 1, "{key}");
        }
        assert!(once.contains("##cnnfilterVersion=9.8.7\n"));
        assert!(once.contains(" -I 'my reads.bam' -R ref.fa\n"), "{once}");
        annotator.extend_header(&mut header, &command()).unwrap();
        assert_eq!(text(&header), once);
    }

    #[test]
    fn options_without_effect_are_not_written() {
        let model = model(false);
        let annotator = Annotator::new(&model, vec![0], 1);
        let given = ScoreCommand {
            min_mapping_quality: 20,
            sample_map: Some("map.tsv".into()),
            sample_depth: Some(31.5),
            ..command()
        };
        let mut header = header(1);
        annotator.extend_header(&mut header, &given).unwrap();
        let found = text(&header);
        assert!(
            !found.contains("FORMAT=<ID=CNN,"),
            "one sample has the record's score"
        );
        assert!(
            !found.contains("my reads")
                && !found.contains("--min-mapq")
                && !found.contains("map.tsv")
        );
        assert!(
            found.contains(" --sample-depth 31.5 -R ref.fa\n"),
            "{found}"
        );
    }

    #[test]
    fn every_choice_of_reads_is_written() {
        let model = model(true);
        let annotator = Annotator::new(&model, vec![0], 1);
        let given = ScoreCommand {
            min_mapping_quality: 20,
            required_flags: "PROPER_PAIR".parse().unwrap(),
            excluded_flags: Some("DUP".parse().unwrap()),
            sample_map: Some("map.tsv".into()),
            ..command()
        };
        let options = annotator.options(&given);
        for part in [
            "--sample-map map.tsv",
            "--min-mapq 20",
            "--require-flags ",
            "--exclude-flags ",
        ] {
            assert!(options.contains(part), "{options}");
        }
    }
}
