//! The states of an ALT, a genotype and a record, and the rule that leads from one to the other.

use std::collections::BTreeMap;
use std::fmt;

/// Why an ALT or a genotype is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Not wholly inside one confident region.
    OutsideConfident,
    /// The truth has no record on this contig.
    NoTruthOnContig,
    /// The truth has records on this contig, and FILTER marks all of them.
    TruthFiltered,
    /// The reference has no `A C G T` under the first base of REF, or does not reach as far as REF.
    NoReference,
    /// REF is not what the reference has.
    ReferenceMismatch,
    /// `<DEL>`, `<NON_REF>`, a breakend, or letters that are no bases.
    Symbolic,
    /// `*`: the deletion it stands for is judged in its own record.
    SpanningDeletion,
    /// No ALT (`.`), or ALT is REF.
    NoChange,
    /// The ALT is in no genotype of the sample, and such ALTs were to be left alone.
    NotInGenotype,
    /// The sample's genotype holds no ALT allele (`0/0`).
    NotCalled,
    /// The genotype is missing, wholly (`./.`) or in part (`./1`), or names an ALT that is not there.
    GenotypeMissing,
    /// More than two alleles in the genotype.
    Polyploid,
    /// The alleles are in the truth, but without a diploid genotype.
    TruthGenotypeMissing,
    /// So many ways to read the neighbourhood that the comparison was given up.
    TooComplex,
    /// The tool that made the labels did not judge it (hap.py `UNK`, `N`; vcfeval `IGN`, `OUT`, `HARD`).
    NotAssessed,
}

impl Reason {
    /// The reason as tables and messages print it.
    pub fn text(self) -> &'static str {
        match self {
            Reason::OutsideConfident => "outside the confident regions",
            Reason::NoTruthOnContig => "no truth on the contig",
            Reason::TruthFiltered => "all truth on the contig is filtered",
            Reason::NoReference => "no reference sequence",
            Reason::ReferenceMismatch => "REF differs from the reference",
            Reason::Symbolic => "symbolic ALT or breakend",
            Reason::SpanningDeletion => "ALT is `*`",
            Reason::NoChange => "no ALT, or ALT equals REF",
            Reason::NotInGenotype => "ALT not in the sample's genotype",
            Reason::NotCalled => "genotype without ALT (0/0)",
            Reason::GenotypeMissing => "genotype missing",
            Reason::Polyploid => "more than two alleles in the genotype",
            Reason::TruthGenotypeMissing => "no genotype in the truth",
            Reason::TooComplex => "too complex to compare",
            Reason::NotAssessed => "not assessed by the tool that made the labels",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The truth's verdict on one ALT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AltState {
    /// The allele is real, and the record's genotype, of which it is part, is right.
    AlleleAndGenotype,
    /// The allele is real; the record's genotype is wrong or not judged ([`GenotypeState`] says which).
    AlleleOnly,
    /// The allele is not real. Of a truth allele: it was not called.
    False,
    /// Nothing can be said.
    Unjudged(Reason),
}

impl AltState {
    /// True where the allele is real, false where it is not; `None` where it is not judged.
    pub fn is_real(self) -> Option<bool> {
        match self {
            AltState::AlleleAndGenotype | AltState::AlleleOnly => Some(true),
            AltState::False => Some(false),
            AltState::Unjudged(_) => None,
        }
    }
}

/// The truth's verdict on the genotype of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GenotypeState {
    /// Its alleles and their number are the truth's.
    Right,
    /// They are not: an allele is not real, or its number is wrong.
    Wrong,
    /// Nothing can be said.
    Unjudged(Reason),
}

/// When a record counts as true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MatchRule {
    /// When any of its ALTs is real: the question a filter is asked, and the rule that goes with a
    /// record's score being that of its best ALT.
    #[default]
    Allele,
    /// When its genotype is right: what hap.py and vcfeval count as TP.
    Genotype,
}

impl MatchRule {
    /// The rule as the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            MatchRule::Allele => "allele",
            MatchRule::Genotype => "genotype",
        }
    }
}

/// The label of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordLabel {
    /// True under the rule.
    True,
    /// False under the rule.
    False,
    /// Left out of every figure.
    Unjudged(Reason),
}

/// The label of a record from the states of its ALTs and of its genotype.
///
/// * [`MatchRule::Allele`]: true when any ALT is real; else false when any ALT is judged; else
///   unjudged for the first ALT's reason ([`Reason::NoChange`] without ALTs).
/// * [`MatchRule::Genotype`]: as the genotype.
pub fn record_label(states: &[AltState], genotype: GenotypeState, rule: MatchRule) -> RecordLabel {
    match (rule, genotype) {
        (MatchRule::Genotype, GenotypeState::Right) => RecordLabel::True,
        (MatchRule::Genotype, GenotypeState::Wrong) => RecordLabel::False,
        (MatchRule::Genotype, GenotypeState::Unjudged(reason)) => RecordLabel::Unjudged(reason),
        (MatchRule::Allele, _) => {
            let judged = states.iter().filter_map(|state| state.is_real());
            match (judged.max(), states.first()) {
                (Some(true), _) => RecordLabel::True,
                (Some(false), _) => RecordLabel::False,
                (None, Some(AltState::Unjudged(reason))) => RecordLabel::Unjudged(*reason),
                (None, _) => RecordLabel::Unjudged(Reason::NoChange),
            }
        }
    }
}

/// How many records are true, false and unjudged, the last by reason. Displayed as
/// `3 true, 2 false, 1 not judged (genotype missing)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelCounts {
    /// Records that are true.
    pub true_records: u64,
    /// Records that are false.
    pub false_records: u64,
    /// Records that are not judged, by reason.
    pub unjudged: BTreeMap<Reason, u64>,
}

impl LabelCounts {
    /// Counts one record.
    pub fn add(&mut self, label: RecordLabel) {
        match label {
            RecordLabel::True => self.true_records += 1,
            RecordLabel::False => self.false_records += 1,
            RecordLabel::Unjudged(reason) => *self.unjudged.entry(reason).or_default() += 1,
        }
    }
}

impl fmt::Display for LabelCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} true, {} false",
            self.true_records, self.false_records
        )?;
        self.unjudged
            .iter()
            .try_for_each(|(reason, count)| write!(f, ", {count} not judged ({reason})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_real_alt_makes_a_true_record() {
        use AltState::{AlleleOnly, False, Unjudged};
        let label =
            |states: &[AltState]| record_label(states, GenotypeState::Wrong, MatchRule::Allele);
        assert_eq!(label(&[False, AlleleOnly]), RecordLabel::True);
        assert_eq!(
            label(&[Unjudged(Reason::Symbolic), False]),
            RecordLabel::False
        );
        assert_eq!(
            label(&[
                Unjudged(Reason::Symbolic),
                Unjudged(Reason::SpanningDeletion)
            ]),
            RecordLabel::Unjudged(Reason::Symbolic)
        );
        assert_eq!(label(&[]), RecordLabel::Unjudged(Reason::NoChange));
    }

    #[test]
    fn the_genotype_rule_looks_at_the_genotype_only() {
        let label = |genotype| record_label(&[AltState::AlleleOnly], genotype, MatchRule::Genotype);
        assert_eq!(label(GenotypeState::Right), RecordLabel::True);
        assert_eq!(label(GenotypeState::Wrong), RecordLabel::False);
        assert_eq!(
            label(GenotypeState::Unjudged(Reason::NotCalled)),
            RecordLabel::Unjudged(Reason::NotCalled)
        );
    }

    #[test]
    fn counts_by_reason() {
        let mut counts = LabelCounts::default();
        for label in [
            RecordLabel::True,
            RecordLabel::False,
            RecordLabel::Unjudged(Reason::Symbolic),
            RecordLabel::Unjudged(Reason::Symbolic),
        ] {
            counts.add(label);
        }
        assert_eq!((counts.true_records, counts.false_records), (1, 1));
        assert_eq!(counts.unjudged, BTreeMap::from([(Reason::Symbolic, 2)]));
        assert_eq!(
            counts.to_string(),
            "1 true, 1 false, 2 not judged (symbolic ALT or breakend)"
        );
    }
}
