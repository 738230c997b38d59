//! The header line that carries a model's thresholds with what it scored:
//! `##cnnfilterModel=<ID=NAME,Sha256=...,Calibration="JSON",Thresholds="JSON">`.
//!
//! JSON stands as a quoted value, with `"` and `\` escaped by `\` (VCF specification, section 1.4).

use crate::score::Calibration;
use crate::score::keys::{PROBABILITY_KEY, SCORE_KEYS};
use crate::score::thresholds::{CardThresholds, ThresholdError};
use crate::vcf::header::field;
use crate::vcf::{VcfHeader, VcfRecord};

/// Beginning of such a line.
const KEY: &str = "cnnfilterModel";

/// The model that made the scores of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelLine {
    /// Name of the model.
    pub name: String,
    /// SHA-256 of its weights, in hexadecimal.
    pub sha256: String,
    /// From its log odds (`CNN_AS`, FORMAT `CNN`) to probabilities; without it they are taken as they are.
    pub calibration: Option<Calibration>,
    /// Its thresholds, where its card has them.
    pub thresholds: Option<CardThresholds>,
}

/// A line that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelLineError {
    /// A value is no JSON of its kind.
    #[error("`##cnnfilterModel`, {field}: {source}; score the file again, or give --model")]
    Json {
        /// `Thresholds` or `Calibration`.
        field: &'static str,
        /// Message of the parser.
        source: serde_json::Error,
    },
    /// Lines of several models: files scored by different ones were joined.
    #[error("its header has `##cnnfilterModel` lines of several models ({}): files scored by different ones were joined, and a record does not say which one scored it; filter each of them before you join them, or score the joined file again", models.join(", "))]
    Several {
        /// Name and beginning of the checksum of each.
        models: Vec<String>,
    },
    /// A threshold cannot be right.
    #[error("`##cnnfilterModel`, Thresholds: {0}; score the file again, or give --model")]
    Threshold(#[from] ThresholdError),
}

impl ModelLine {
    /// The line as it stands in a header.
    ///
    /// # Errors
    /// A number that JSON cannot hold (NaN or infinity).
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        let mut line = format!(
            "##{KEY}=<ID={},Sha256={}",
            word(&self.name),
            word(&self.sha256)
        );
        if let Some(calibration) = &self.calibration {
            let json = serde_json::to_string(&calibration.without_counts())?;
            line += &format!(",Calibration=\"{}\"", escape(&json));
        }
        if let Some(thresholds) = &self.thresholds {
            let json = serde_json::to_string(thresholds)?;
            line += &format!(",Thresholds=\"{}\"", escape(&json));
        }
        line.push('>');
        Ok(line)
    }

    /// Puts the line into a header; those of an earlier run go, as their probabilities are replaced.
    ///
    /// # Errors
    /// As [`Self::to_line`].
    pub fn put(&self, header: &mut VcfHeader) -> Result<(), serde_json::Error> {
        header.put_meta(&format!("##{KEY}="), self.to_line()?);
        Ok(())
    }

    /// The line of a header.
    ///
    /// # Errors
    /// It is damaged, or there are several that differ. No record is given the thresholds of one of
    /// several models: models may share the key of their score, and a record that was scored twice
    /// has the keys of both and the probability of the second.
    pub fn of_header(header: &VcfHeader) -> Result<Option<Self>, ModelLineError> {
        let mut bodies: Vec<&str> = Vec::new();
        for body in header.structured(KEY) {
            if !bodies.contains(&body) {
                bodies.push(body);
            }
        }
        let body = match bodies[..] {
            [] => return Ok(None),
            [only] => only,
            _ => {
                let models = bodies.iter().map(|body| short_name(body)).collect();
                return Err(ModelLineError::Several { models });
            }
        };
        let text = |name| field(body, name).map(unescape);
        let json = |field, source| ModelLineError::Json { field, source };
        let thresholds: Option<CardThresholds> = text("Thresholds")
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| json("Thresholds", error))?;
        if let Some(thresholds) = &thresholds {
            thresholds.check()?;
        }
        Ok(Some(Self {
            name: text("ID").unwrap_or_default(),
            sha256: text("Sha256").unwrap_or_default(),
            calibration: text("Calibration")
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|error| json("Calibration", error))?,
            thresholds,
        }))
    }
}

impl ModelLine {
    /// True where a header has lines of several models.
    pub fn is_of_several(header: &VcfHeader) -> bool {
        matches!(Self::of_header(header), Err(ModelLineError::Several { .. }))
    }

    /// The INFO key of the scores of this model, where the command that wrote them stands in the header.
    pub fn score_key<'a>(&self, header: &'a VcfHeader) -> Option<&'a str> {
        let commands = header
            .meta()
            .iter()
            .filter_map(|line| line.strip_prefix("##cnnfilterCommand=score "));
        commands.into_iter().find_map(|command| {
            let value = |flag: &str| {
                let mut words = command.split(' ').skip_while(|word| *word != flag);
                words.nth(1)
            };
            (value("--model-sha256") == Some(self.sha256.as_str()))
                .then(|| value("--info-key"))
                .flatten()
        })
    }
}

/// The key of the score that a record has its probability from, where that is not `key`: the record
/// has one of the other [`SCORE_KEYS`] and not this one.
pub fn score_of_another_model(record: &VcfRecord, key: &str) -> Option<&'static str> {
    let has = |key: &str| record.info(key.as_bytes()).is_some();
    (!has(key) && has(PROBABILITY_KEY))
        .then(|| SCORE_KEYS.into_iter().find(|other| has(other)))
        .flatten()
}

/// Name and checksum, short enough for a message.
fn short_name(body: &str) -> String {
    let name = field(body, "ID").unwrap_or("?");
    let checksum: String = field(body, "Sha256")
        .unwrap_or("?")
        .chars()
        .take(8)
        .collect();
    format!("`{name}` {checksum}")
}

/// A name as it can stand unquoted.
fn word(text: &str) -> String {
    text.chars()
        .map(|c| {
            let is_plain = c.is_alphanumeric() || "._-+:@%/".contains(c);
            if is_plain { c } else { '_' }
        })
        .collect()
}

fn escape(json: &str) -> String {
    json.replace('\\', "\\\\").replace('"', "\\\"")
}

fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => letters.next().unwrap_or('\\'),
            letter => letter,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::genome::PerKind;
    use crate::score::calibration::PlattScaling;
    use crate::score::thresholds::{Aim, AimThreshold};

    fn header(line: Option<String>) -> VcfHeader {
        let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO".to_owned();
        let mut lines = vec!["##fileformat=VCFv4.2".to_owned()];
        lines.extend(line);
        lines.push(columns);
        VcfHeader::parse(lines).unwrap()
    }

    fn line(measured_on: &str, probability: f64) -> ModelLine {
        ModelLine {
            name: "cnnfilter-2d".into(),
            sha256: "ab12".into(),
            calibration: Some(Calibration {
                kinds: PerKind {
                    snp: Some(PlattScaling {
                        slope: 0.9,
                        intercept: -0.1,
                        fitted_to: None,
                    }),
                    indel: None,
                },
            }),
            thresholds: Some(CardThresholds {
                measured_on: measured_on.into(),
                kinds: PerKind {
                    snp: Some(vec![AimThreshold {
                        aim: Aim::F1,
                        probability,
                        precision: 0.9,
                        recall: 0.8,
                    }]),
                    indel: None,
                },
                tested: Vec::new(),
            }),
        }
    }

    #[test]
    fn a_line_is_one_of_the_vcf_kind() {
        let text = line("chr20", 0.5).to_line().unwrap();
        assert_eq!(
            text,
            r#"##cnnfilterModel=<ID=cnnfilter-2d,Sha256=ab12,Calibration="{\"kinds\":{\"SNP\":[0.9,-0.1]}}",Thresholds="{\"measured_on\":\"chr20\",\"kinds\":{\"SNP\":[{\"aim\":\"f1\",\"probability\":0.5,\"precision\":0.9,\"recall\":0.8}]}}">"#
        );
    }

    #[test]
    fn lines_of_several_models_are_refused_and_one_line_twice_is_not() {
        let (first, second) = (line("first", 0.5), line("second", 0.4));
        let of = |lines: &[&ModelLine]| {
            let mut all = vec!["##fileformat=VCFv4.2".to_owned()];
            all.extend(lines.iter().map(|line| line.to_line().unwrap()));
            all.push("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO".to_owned());
            ModelLine::of_header(&VcfHeader::parse(all).unwrap())
        };
        assert_eq!(of(&[&first, &first]).unwrap(), Some(first.clone()));
        for lines in [[&first, &second], [&second, &first]] {
            let message = of(&lines).unwrap_err().to_string();
            assert!(message.contains("`cnnfilter-2d` ab12"), "{message}");
            assert!(message.contains("before you join them"), "{message}");
        }
    }

    #[test]
    fn the_key_of_the_score_is_found_by_the_checksum() {
        let command = |sha| {
            format!(
                "##cnnfilterCommand=score --info-key CNN_1D --model x --model-sha256 {sha} -R r"
            )
        };
        assert_eq!(
            line("x", 0.5).score_key(&header(Some(command("ab12")))),
            Some("CNN_1D")
        );
        assert_eq!(
            line("x", 0.5).score_key(&header(Some(command("cd34")))),
            None
        );
        assert_eq!(line("x", 0.5).score_key(&header(None)), None);
    }

    #[test]
    fn a_probability_without_its_score_is_another_models() {
        for (info, found) in [
            ("CNN_2D=1;CNN_PROB=0.7", None),
            ("CNN_1D=1;CNN_PROB=0.7", Some("CNN_1D")),
            ("CNN_1D=1;CNN_2D=1;CNN_PROB=0.7", None),
            ("CNN_1D=1", None),
            ("CNN_PROB=0.7", None),
        ] {
            let line = format!("1\t5\t.\tA\tC\t.\t.\t{info}");
            let record = VcfRecord::parse(line.into_bytes(), 8).unwrap();
            assert_eq!(score_of_another_model(&record, "CNN_2D"), found, "{info}");
        }
    }

    #[test]
    fn a_header_holds_one_line_and_says_what_is_wrong_with_it() {
        assert_eq!(ModelLine::of_header(&header(None)).unwrap(), None);
        let mut twice = header(None);
        line("first", 0.5).put(&mut twice).unwrap();
        line("second", 0.5).put(&mut twice).unwrap();
        assert_eq!(twice.meta().len(), 2);
        assert_eq!(
            ModelLine::of_header(&twice).unwrap(),
            Some(line("second", 0.5))
        );
        for (text, message) in [
            (
                "Thresholds=\"{\\\"kinds\\\":{}}\"",
                "missing field `measured_on`",
            ),
            ("Calibration=\"[]\"", "Calibration"),
        ] {
            let damaged = header(Some(format!("##cnnfilterModel=<ID=x,{text}>")));
            let error = ModelLine::of_header(&damaged).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let wrong = header(Some(line("x", 7.0).to_line().unwrap()));
        let error = ModelLine::of_header(&wrong).unwrap_err().to_string();
        assert!(error.contains("probability must lie in 0 to 1"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(measured_on in "[ -~\u{e9}]{0,40}", millionths in 0u32..1_000_000) {
            let probability = f64::from(millionths) / 1e6;
            let written = line(&measured_on, probability);
            let read = ModelLine::of_header(&header(Some(written.to_line().unwrap()))).unwrap();
            prop_assert_eq!(read, Some(written));
        }
    }
}
