//! Contributions in words.

use std::fmt::Write as _;

use super::Suspect;
use crate::encode::allele::{AlleleLayout, AlleleTensor};
use crate::encode::topic::Topic;
use crate::encode::{Encoder, Example, SiteTensor};

/// A contribution in words.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Reason {
    /// Code of the topic ([`Topic::code`]).
    pub code: &'static str,
    /// Contribution, in natural-log odds; below 0 it speaks against the call.
    pub value: f32,
    /// The same as a clause.
    pub text: String,
}

/// The value of INFO `CNN_WHY`: the suspect where there is one, then `topic:contribution` with two decimals, in
/// the order of [`super::Explainer::ranked`]; nothing where there is neither.
pub fn why_value(suspect: Option<Suspect>, ranked: &[(Topic, f32)]) -> Option<String> {
    let mut value = suspect.map(Suspect::code).unwrap_or_default().to_owned();
    for (topic, contribution) in ranked {
        let comma = if value.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(value, "{comma}{}:{contribution:+.2}", topic.code());
    }
    (!value.is_empty()).then_some(value)
}

/// A topic's clause, with the numbers of the call where there are some. `docs/src/view.md` lists all of them.
pub(super) fn clause(encoder: &Encoder, example: &Example, topic: Topic) -> String {
    let found = match (encoder, &example.tensor) {
        (Encoder::Allele { layout, .. }, SiteTensor::Allele(tensor)) => {
            of_numbers(&CallNumbers { layout, tensor }, topic)
        }
        _ => None,
    };
    found.unwrap_or_else(|| topic.text().to_owned())
}

/// The numbers of a call by name.
pub(super) struct CallNumbers<'a> {
    pub(super) layout: &'a AlleleLayout,
    pub(super) tensor: &'a AlleleTensor,
}

impl CallNumbers<'_> {
    pub(super) fn value(&self, name: &str) -> Option<f32> {
        let at = self.layout.site_names().position(|known| known == name)?;
        let value = self.tensor.site.get(at).copied();
        value.filter(|value| value.is_finite())
    }

    /// A number that is kept as ln(1 + x).
    pub(super) fn count(&self, name: &str) -> Option<f32> {
        self.value(name).map(|value| value.exp_m1().max(0.0))
    }

    /// True where a fragment fits the ALT: means over the ALT reads say nothing without.
    pub(super) fn has_alternate(&self) -> bool {
        self.count("alt_reads").is_some_and(|reads| reads >= 0.5)
    }

    /// Places of 100 within 300 bases where a fair share of the reads differs from the reference.
    pub(super) fn places(&self) -> Option<f32> {
        let names = ["low_places_300", "half_places_300", "whole_places_300"];
        let counts: Option<Vec<f32>> = names.into_iter().map(|name| self.count(name)).collect();
        Some(counts?.iter().sum())
    }
}

fn of_numbers(numbers: &CallNumbers<'_>, topic: Topic) -> Option<String> {
    let of_alternate = |text: Option<String>| text.filter(|_| numbers.has_alternate());
    match topic {
        Topic::Support => support(numbers),
        Topic::Strand => of_alternate(
            (numbers.count("alt_lesser_strand"))
                .map(|lesser| format!("{lesser:.0} ALT reads lie on the lesser strand")),
        ),
        Topic::Mapping => of_alternate(
            (numbers.value("alt_mapping_quality"))
                .map(|quality| format!("ALT reads map with MAPQ {:.0}", quality * 60.0)),
        ),
        Topic::Quality => of_alternate(
            (numbers.value("alt_quality"))
                .map(|quality| format!("ALT bases have quality {:.0}", quality * 40.0)),
        ),
        Topic::Position => of_alternate(numbers.value("alt_distance_to_end").map(|distance| {
            let bases = distance * 30.0;
            format!("the ALT lies {bases:.0} bases from the ends of its reads")
        })),
        Topic::Mismatches => of_alternate(
            (numbers.count("alt_mismatches"))
                .map(|mismatches| format!("ALT reads have {mismatches:.1} other mismatches each")),
        ),
        Topic::Depth => numbers.value("depth_100").map(|depth| {
            let times = depth.exp2();
            format!("depth {times:.1} times the sample's within 100 bases")
        }),
        Topic::Neighbours => neighbours(numbers),
        Topic::Repeat => repeat(numbers),
        Topic::Allele | Topic::Pileup | Topic::Other => None,
    }
}

fn support(numbers: &CallNumbers<'_>) -> Option<String> {
    let alternate = numbers.count("alt_reads")?;
    let reference = numbers.count("ref_reads")?;
    let neither = numbers.count("neither_reads").unwrap_or(0.0);
    Some(format!(
        "{alternate:.0} of {:.0} fragments fit the ALT",
        alternate + reference + neither
    ))
}

fn neighbours(numbers: &CallNumbers<'_>) -> Option<String> {
    let places = numbers.places()?;
    Some(format!(
        "{places:.1} of 100 places within 300 bases differ from the reference"
    ))
}

fn repeat(numbers: &CallNumbers<'_>) -> Option<String> {
    let (copies, unit) = (
        numbers.count("repeat_copies")?,
        numbers.value("repeat_unit")?,
    );
    let bases = unit * 3.0;
    match (copies, unit) {
        (copies, _) if copies < 3.0 => None,
        (_, unit) if unit < 0.5 => Some(format!("a run of {copies:.0} equal bases")),
        _ => Some(format!(
            "{copies:.0} copies of a repeat of {bases:.0} bases"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Builtin, Model};

    fn model() -> Model {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        builtin.load("cpu".parse().unwrap()).unwrap()
    }

    #[test]
    fn means_over_no_read_are_not_told() {
        let model = model();
        let mut example = model.architecture().made_up(5, 12);
        let Encoder::Allele { layout, .. } = model.encoder() else {
            panic!("our own encoder");
        };
        let at = |name| layout.site_names().position(|known| known == name).unwrap();
        let mut told = |alt_reads: f32| {
            let SiteTensor::Allele(tensor) = &mut example.tensor else {
                panic!("our own tensor");
            };
            tensor.site[at("alt_reads")] = alt_reads.ln_1p();
            tensor.site[at("alt_mapping_quality")] = 0.5;
            clause(model.encoder(), &example, Topic::Mapping)
        };
        assert_eq!(told(0.0), Topic::Mapping.text());
        assert_eq!(told(3.0), "ALT reads map with MAPQ 30");
    }

    #[test]
    fn the_value_holds_topics_in_order() {
        let ranked = [(Topic::Repeat, -2.126), (Topic::Support, 0.3)];
        let suspect = Some(Suspect::Slippage);
        assert_eq!(
            why_value(suspect, &ranked).unwrap(),
            "slippage,repeat:-2.13,support:+0.30"
        );
        assert_eq!(why_value(suspect, &[]).unwrap(), "slippage");
        assert_eq!(why_value(None, &[]), None);
    }
}
