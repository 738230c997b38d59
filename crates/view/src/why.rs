//! Contributions of inputs to a score: the score less the score without them.
//!
//! Nothing here is an approximation of the network: each number is the difference of two scores, that
//! of the call as it is, and that of the same call without a read, a column or a group of inputs.
//! Such differences need not sum to the score: inputs that say the same stand in for each other.
//!
//! * A read is taken away as if it had not been sequenced: numbers of the call that are counted from
//!   the reads are counted anew, its surroundings stay.
//! * A column is emptied in all reads.
//! * A group of inputs is made ordinary: annotations become missing, numbers of the call take their
//!   mean in training, mapping qualities 60, base qualities 30, strands and flags are made equal.

use std::ops::Range;

use cnnfilter_core::encode::allele::columns::{WINDOW, symbol};
use cnnfilter_core::encode::allele::site_features::SiteThinning;
use cnnfilter_core::encode::allele::{AlleleLayout, AlleleTensor, Thinner};
use cnnfilter_core::encode::{Encoder, Example, SiteTensor};
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::networks::scaling::{Scaling, Transform};
use cnnfilter_core::networks::{Model, ModelError};
use cnnfilter_core::score::log_odds::log_odds;

/// Contributions to the score of one call, in natural-log odds. Empty where a sort was not computed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Why {
    /// One a row.
    pub reads: Vec<f32>,
    /// One a column of the window.
    pub columns: Vec<f32>,
    /// One a group, in the order of [`Group::of_encoder`].
    pub groups: Vec<f32>,
    /// The largest of the groups in words, largest first.
    pub reasons: Vec<Reason>,
}

/// A contribution in words.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Reason {
    /// Code of the group ([`Group::code`]).
    pub code: &'static str,
    /// Contribution, in natural-log odds; below 0 it speaks against the call.
    pub value: f32,
    /// The same as a clause.
    pub text: String,
}

/// Contributions below this, in natural-log odds, are not told in words.
pub const LEAST: f32 = 0.1;

/// A group of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What the caller wrote.
    Annotations,
    /// The allele's kind and the sequence around it.
    Allele,
    /// How many reads fit which allele.
    Counts,
    /// Strands and flags.
    Strands,
    /// Mapping qualities.
    Mapping,
    /// Base qualities.
    Qualities,
    /// How well reads fit apart from the allele: mismatches, gaps, clips, places in the read.
    Misfits,
    /// Depth and differences within a kilobase.
    Surroundings,
    /// The cells of the pileup.
    Cells,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 9] = [
        Self::Annotations,
        Self::Allele,
        Self::Counts,
        Self::Strands,
        Self::Mapping,
        Self::Qualities,
        Self::Misfits,
        Self::Surroundings,
        Self::Cells,
    ];

    /// The groups that networks of an encoder take.
    pub fn of_encoder(encoder: &Encoder) -> impl Iterator<Item = Self> + use<> {
        let (reads, is_gatk) = match encoder {
            Encoder::Gatk { reads, .. } => (*reads, true),
            Encoder::Allele { reads, .. } => (*reads, false),
        };
        Self::ALL.into_iter().filter(move |group| match group {
            Self::Annotations => true,
            Self::Strands | Self::Mapping | Self::Qualities | Self::Cells => reads,
            Self::Allele => !is_gatk,
            Self::Counts | Self::Misfits | Self::Surroundings => reads && !is_gatk,
        })
    }

    /// The groups that GATK's networks take.
    pub(crate) fn of_gatk(reads: bool) -> impl Iterator<Item = Self> + use<> {
        let encoder = Encoder::Gatk {
            reads,
            annotations: Vec::new(),
        };
        Self::of_encoder(&encoder)
    }

    /// The word for it in `CNN_WHY` and in tables.
    pub fn code(self) -> &'static str {
        match self {
            Self::Annotations => "annotations",
            Self::Allele => "allele",
            Self::Counts => "counts",
            Self::Strands => "strands",
            Self::Mapping => "mapping",
            Self::Qualities => "qualities",
            Self::Misfits => "misfits",
            Self::Surroundings => "surroundings",
            Self::Cells => "bases",
        }
    }

    /// A line about it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Annotations => "the caller's annotations",
            Self::Allele => "kind of allele, repeats and sequence around it",
            Self::Counts => "how many reads fit which allele",
            Self::Strands => "strands and flags of the reads",
            Self::Mapping => "mapping qualities",
            Self::Qualities => "base qualities",
            Self::Misfits => "other mismatches, gaps, clips and places in the reads",
            Self::Surroundings => "depth and differences within a kilobase",
            Self::Cells => "the bases of the pileup",
        }
    }
}

/// The group of a number of the call.
fn group_of_site(name: &str, needs_reads: bool, thinning: SiteThinning) -> Group {
    if !needs_reads {
        Group::Allele
    } else if thinning != SiteThinning::Recounted {
        Group::Surroundings
    } else {
        group_of_name(name)
    }
}

/// The group of a number that is made of reads, by its name.
fn group_of_name(name: &str) -> Group {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["mapping", "unplaced"]) {
        Group::Mapping
    } else if has(&[
        "strand",
        "reverse",
        "pair",
        "elsewhere",
        "template",
        "overlaps",
    ]) {
        Group::Strands
    } else if has(&["quality"]) {
        Group::Qualities
    } else if has(&[
        "mismatch", "gap", "clip", "cycle", "end", "misfit", "inside", "distance",
    ]) {
        Group::Misfits
    } else {
        Group::Counts
    }
}

/// Computes contributions for calls of one model.
#[derive(Debug)]
pub struct Explainer<'a> {
    model: &'a Model,
    groups: Vec<Group>,
    /// Values of the numbers of a call that scale to 0: their means in training.
    means: Vec<f32>,
    thinner: Option<Thinner>,
}

impl<'a> Explainer<'a> {
    /// For calls that were encoded for `model`.
    pub fn new(model: &'a Model) -> Self {
        let thinner = match model.encoder() {
            Encoder::Allele {
                reads: true,
                layout,
                ..
            } => Thinner::new(layout.clone()).ok(),
            _ => None,
        };
        Self {
            model,
            groups: Group::of_encoder(model.encoder()).collect(),
            means: model
                .architecture()
                .scaling()
                .map(means)
                .unwrap_or_default(),
            thinner,
        }
    }

    /// The contributions of groups, and with `in_detail` of reads and columns, to a call's score.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn explain(
        &self,
        example: &Example,
        kind: VariantKind,
        in_detail: bool,
    ) -> Result<Why, ModelError> {
        let mut variants = vec![example.clone()];
        variants.extend(
            self.groups
                .iter()
                .map(|group| self.without(example, *group)),
        );
        let groups = 1..variants.len();
        let (mut base, mut reads, mut columns) = (0, 0..0, 0..0);
        if let (true, SiteTensor::Allele(tensor), Some(thinner)) =
            (in_detail, &example.tensor, &self.thinner)
        {
            // Counted from the rows that are shown, as the ones without a read are.
            base = variants.len();
            variants.push(thinned(example, tensor, thinner, None));
            let first = variants.len();
            let rows = 0..tensor.rows.len();
            variants.extend(rows.map(|row| thinned(example, tensor, thinner, Some(row))));
            reads = first..variants.len();
            let first = variants.len();
            if !tensor.rows.is_empty() {
                variants.extend((0..WINDOW).map(|column| without_column(example, tensor, column)));
            }
            columns = first..variants.len();
        }
        let logits = self.model.logits(&variants)?;
        let scores: Vec<f64> = logits
            .iter()
            .map(|logits| log_odds(*logits, kind))
            .collect();
        let less = |of: usize, range: Range<usize>| -> Vec<f32> {
            let without = &scores[range];
            without
                .iter()
                .map(|one| (scores[of] - one) as f32)
                .collect()
        };
        let groups = less(0, groups);
        Ok(Why {
            reads: less(base, reads),
            columns: less(0, columns),
            reasons: self.reasons(example, &groups),
            groups,
        })
    }

    /// The groups that matter, largest first.
    fn reasons(&self, example: &Example, values: &[f32]) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = (self.groups.iter().zip(values))
            .filter(|(_, value)| value.abs() >= LEAST)
            .map(|(group, value)| Reason {
                code: group.code(),
                value: *value,
                text: self.clause(example, *group),
            })
            .collect();
        reasons.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        reasons
    }

    /// A group's clause, with the numbers of the call where there are some.
    fn clause(&self, example: &Example, group: Group) -> String {
        match (self.model.encoder(), &example.tensor) {
            (Encoder::Allele { layout, .. }, SiteTensor::Allele(tensor)) => {
                clause(&Numbers { layout, tensor }, group)
            }
            _ => group.text().to_owned(),
        }
    }

    /// The example with a group made ordinary.
    fn without(&self, example: &Example, group: Group) -> Example {
        let mut changed = example.clone();
        if group == Group::Annotations {
            let missing = match self.model.encoder() {
                // They were 0 in training where they were missing.
                Encoder::Gatk { .. } => 0.0,
                Encoder::Allele { .. } => f32::NAN,
            };
            changed.annotations.fill(missing);
        }
        match (&mut changed.tensor, self.model.encoder()) {
            (SiteTensor::Allele(tensor), Encoder::Allele { layout, .. }) => {
                self.make_ordinary(tensor, layout, group);
            }
            (SiteTensor::Reads(tensor), _) => {
                for row in &mut tensor.rows {
                    match group {
                        Group::Strands => row.flags.0 = 0,
                        Group::Mapping => row.mapping_quality = ORDINARY_MAPQ,
                        Group::Qualities => {
                            let real = row.qualities.iter_mut().filter(|quality| **quality > 0);
                            real.for_each(|quality| *quality = ORDINARY_QUALITY);
                        }
                        Group::Cells => row.letters.fill(0),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        changed
    }

    fn make_ordinary(&self, tensor: &mut AlleleTensor, layout: &AlleleLayout, group: Group) {
        for (at, feature) in layout.site().iter().enumerate() {
            let of = group_of_site(feature.name, feature.needs_reads(), feature.thinning());
            if of == group
                && let (Some(value), Some(mean)) = (tensor.site.get_mut(at), self.means.get(at))
            {
                *value = *mean;
            }
        }
        for read in tensor.reads.chunks_exact_mut(layout.read().len().max(1)) {
            for (value, name) in read.iter_mut().zip(layout.read_names()) {
                if group_of_name(name) == group {
                    *value = ordinary(name);
                }
            }
        }
        for cell in tensor.rows.iter_mut().flatten() {
            match group {
                Group::Qualities if cell[1] > 0 => cell[1] = ORDINARY_QUALITY,
                Group::Cells => *cell = [symbol::EMPTY, 0],
                _ => {}
            }
        }
    }
}

const ORDINARY_MAPQ: u8 = 60;
const ORDINARY_QUALITY: u8 = 30;

/// A read's number as it is where nothing is special about the read.
fn ordinary(name: &str) -> f32 {
    match name {
        "mapping_quality" | "proper_pair" | "weight" => 1.0,
        "reverse" | "mate_reverse" | "second_of_pair" | "cycle" => 0.5,
        "quality_at_call" => f32::from(ORDINARY_QUALITY) / 40.0,
        "distance_to_end" => 2.0,
        "template_length" => 0.85,
        _ => 0.0,
    }
}

fn means(scaling: &Scaling) -> Vec<f32> {
    let mean = |feature: &cnnfilter_core::networks::scaling::FeatureScaling| {
        let (mean, sign) = (feature.mean.abs(), feature.mean.signum());
        let value = match feature.transform {
            Transform::Identity => mean,
            Transform::SignedSqrt => mean * mean,
            Transform::Log1p => mean.exp_m1(),
        };
        (value * sign) as f32
    };
    scaling.features.iter().map(mean).collect()
}

fn thinned(
    example: &Example,
    tensor: &AlleleTensor,
    thinner: &Thinner,
    without: Option<usize>,
) -> Example {
    let mut tensor = tensor.clone();
    let keep: Vec<usize> = (0..tensor.rows.len())
        .filter(|row| Some(*row) != without)
        .collect();
    thinner.thin(&mut tensor, &keep, 1.0);
    Example {
        tensor: SiteTensor::Allele(tensor),
        annotations: example.annotations.clone(),
    }
}

fn without_column(example: &Example, tensor: &AlleleTensor, column: usize) -> Example {
    let mut tensor = tensor.clone();
    for row in &mut tensor.rows {
        row[column] = [symbol::EMPTY, 0];
    }
    Example {
        tensor: SiteTensor::Allele(tensor),
        annotations: example.annotations.clone(),
    }
}

/// The numbers of a tensor by name.
struct Numbers<'a> {
    layout: &'a AlleleLayout,
    tensor: &'a AlleleTensor,
}

impl Numbers<'_> {
    fn site(&self, name: &str) -> Option<f32> {
        let at = self.layout.site_names().position(|known| known == name)?;
        self.tensor
            .site
            .get(at)
            .copied()
            .filter(|value| value.is_finite())
    }

    /// A number that is kept as ln(1 + x).
    fn count(&self, name: &str) -> Option<f32> {
        self.site(name).map(|value| value.exp_m1().max(0.0))
    }
}

/// The clause of a group. `docs/view.md` lists all of them.
fn clause(numbers: &Numbers<'_>, group: Group) -> String {
    let alt_reads = numbers.count("alt_reads").unwrap_or(0.0);
    let found = match group {
        // Means over the ALT reads say nothing where there are none.
        Group::Strands | Group::Mapping | Group::Qualities | Group::Misfits if alt_reads < 0.5 => {
            None
        }
        Group::Counts => counts_clause(numbers),
        Group::Strands => numbers
            .count("alt_lesser_strand")
            .map(|lesser| format!("{lesser:.0} ALT reads lie on the lesser strand")),
        Group::Mapping => numbers
            .site("alt_mapping_quality")
            .map(|quality| format!("ALT reads map with MAPQ {:.0}", quality * 60.0)),
        Group::Qualities => numbers
            .site("alt_quality")
            .map(|quality| format!("ALT bases have quality {:.0}", quality * 40.0)),
        Group::Misfits => numbers
            .count("alt_mismatches")
            .map(|mismatches| format!("ALT reads have {mismatches:.1} other mismatches each")),
        Group::Surroundings => numbers.site("depth_100").map(|depth| {
            format!(
                "depth {:.1} times the sample's within 100 bases",
                depth.exp2()
            )
        }),
        Group::Allele => match (numbers.count("repeat_copies"), numbers.site("repeat_unit")) {
            (Some(copies), Some(unit)) if copies >= 3.0 && unit < 0.5 => {
                Some(format!("a run of {copies:.0} equal bases"))
            }
            (Some(copies), Some(unit)) if copies >= 3.0 => Some(format!(
                "{copies:.0} copies of a repeat of {:.0} bases",
                unit * 3.0
            )),
            _ => None,
        },
        Group::Annotations | Group::Cells => None,
    };
    found.unwrap_or_else(|| group.text().to_owned())
}

fn counts_clause(numbers: &Numbers<'_>) -> Option<String> {
    let alternate = numbers.count("alt_reads")?;
    let reference = numbers.count("ref_reads")?;
    let neither = numbers.count("neither_reads").unwrap_or(0.0);
    Some(format!(
        "{alternate:.0} of {:.0} fragments fit the ALT",
        alternate + reference + neither
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::networks::Builtin;

    fn model() -> Model {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        builtin.load("cpu".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_read_contributes_the_score_less_that_without_it() {
        let model = model();
        let example = model.architecture().made_up(5, 12);
        let explainer = Explainer::new(&model);
        let why = explainer.explain(&example, VariantKind::Snp, true).unwrap();
        let SiteTensor::Allele(tensor) = &example.tensor else {
            panic!("our own tensor");
        };
        assert_eq!(
            (why.reads.len(), why.columns.len()),
            (tensor.rows.len(), WINDOW)
        );
        let thinner = explainer.thinner.as_ref().unwrap();
        let score =
            |example: Example| log_odds(model.logits(&[example]).unwrap()[0], VariantKind::Snp);
        let whole = score(thinned(&example, tensor, thinner, None));
        for row in [0, tensor.rows.len() - 1] {
            let mut without = tensor.clone();
            let keep: Vec<usize> = (0..tensor.rows.len()).filter(|at| *at != row).collect();
            thinner.thin(&mut without, &keep, 1.0);
            assert_eq!(without.rows.len(), tensor.rows.len() - 1);
            let without = score(Example {
                tensor: SiteTensor::Allele(without),
                annotations: example.annotations.clone(),
            });
            assert!((f64::from(why.reads[row]) - (whole - without)).abs() < 1e-6);
        }
    }

    #[test]
    fn each_number_belongs_to_a_group_and_each_group_changes_something() {
        let model = model();
        let mut example = model.architecture().made_up(5, 12);
        example.annotations.fill(3.0);
        let explainer = Explainer::new(&model);
        for group in Group::ALL {
            assert_ne!(explainer.without(&example, group), example, "{group:?}");
        }
    }

    #[test]
    fn means_over_no_read_are_not_told() {
        let model = model();
        let example = model.architecture().made_up(5, 12);
        let (Encoder::Allele { layout, .. }, SiteTensor::Allele(mut tensor)) =
            (model.encoder(), example.tensor)
        else {
            panic!("our own tensor");
        };
        let at = layout
            .site_names()
            .position(|name| name == "alt_reads")
            .unwrap();
        let mut told = |alt_reads: f32| {
            tensor.site[at] = alt_reads.ln_1p();
            let tensor = &tensor;
            clause(&Numbers { layout, tensor }, Group::Mapping)
        };
        assert_eq!(told(0.0), Group::Mapping.text());
        assert!(told(3.0).starts_with("ALT reads map with MAPQ"));
    }

    #[test]
    fn groups_of_names() {
        for (name, group) in [
            ("alt_mapping_quality", Group::Mapping),
            ("alt_quality", Group::Qualities),
            ("strand_odds", Group::Strands),
            ("alt_many_mismatches", Group::Misfits),
            ("het_z", Group::Counts),
            ("alt_unplaced", Group::Mapping),
            ("gaps_difference", Group::Misfits),
        ] {
            assert_eq!(group_of_name(name), group, "{name}");
        }
    }

    #[test]
    fn reasons_come_largest_first_and_small_ones_not() {
        let model = model();
        let example = model.architecture().made_up(5, 12);
        let explainer = Explainer::new(&model);
        let mut values = vec![0.0; explainer.groups.len()];
        (values[0], values[2], values[4]) = (0.05, -2.0, 1.0);
        let reasons = explainer.reasons(&example, &values);
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, ["counts", "mapping"]);
        assert!(
            reasons[0].text.ends_with("fragments fit the ALT"),
            "{}",
            reasons[0].text
        );
    }
}
