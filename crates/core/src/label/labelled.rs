//! Labels that another tool has given.
//!
//! * **hap.py's annotated VCF** (GA4GH intermediate format, github.com/ga4gh/benchmarking-tools
//!   doc/ref-impl/intermediate.md `2935705`): the QUERY sample's FORMAT fields BD (decision) and BK (kind
//!   of match).
//! * **vcfeval's annotated VCF** (`--output-mode annotate` or `combine`): INFO/CALL.
//! * **a table**: see [`LabelTable`](super::LabelTable).
//!
//! None of them tells the ALTs of a record apart, so a label holds for the record: [`GivenLabel`].

use super::state::{AltState, GenotypeState, MatchRule, Reason, RecordLabel};

/// A tool's verdict on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GivenLabel {
    /// Right with its genotype.
    Right,
    /// The tool calls it false, and adds that an allele is real and its genotype wrong.
    AlleleOnly,
    /// False. A tool that does not look for the allele of a wrong genotype calls that one false as
    /// well, so under [`MatchRule::Allele`] such labels say too often that a record is false.
    False,
    /// Not judged.
    NotAssessed,
}

impl GivenLabel {
    /// The label as tables have it ([`super::TableColumns::read`] takes it back).
    pub fn name(self) -> &'static str {
        match self {
            GivenLabel::Right => "TP",
            GivenLabel::AlleleOnly => "AM",
            GivenLabel::False => "FP",
            GivenLabel::NotAssessed => "UNK",
        }
    }

    /// The label of a record whose ALTs have these states: that of its best ALT.
    pub fn of_alternates(states: &[AltState]) -> Self {
        let label = |state: &AltState| match state {
            AltState::AlleleAndGenotype => GivenLabel::Right,
            AltState::AlleleOnly => GivenLabel::AlleleOnly,
            AltState::False => GivenLabel::False,
            AltState::Unjudged(_) => GivenLabel::NotAssessed,
        };
        let best = states.iter().map(label).min();
        best.unwrap_or(GivenLabel::NotAssessed)
    }

    /// The label of the record under a rule.
    pub fn record_label(self, rule: MatchRule) -> RecordLabel {
        match (self, rule) {
            (GivenLabel::Right, _) | (GivenLabel::AlleleOnly, MatchRule::Allele) => {
                RecordLabel::True
            }
            (GivenLabel::False, _) | (GivenLabel::AlleleOnly, MatchRule::Genotype) => {
                RecordLabel::False
            }
            (GivenLabel::NotAssessed, _) => RecordLabel::Unjudged(Reason::NotAssessed),
        }
    }

    /// The state of the record's ALTs; the same for all of them, since the tool does not tell them
    /// apart.
    pub fn alternate_state(self) -> AltState {
        match self {
            GivenLabel::Right => AltState::AlleleAndGenotype,
            GivenLabel::AlleleOnly => AltState::AlleleOnly,
            GivenLabel::False => AltState::False,
            GivenLabel::NotAssessed => AltState::Unjudged(Reason::NotAssessed),
        }
    }

    /// The state of the record's genotype.
    pub fn genotype_state(self) -> GenotypeState {
        match self {
            GivenLabel::Right => GenotypeState::Right,
            GivenLabel::AlleleOnly | GivenLabel::False => GenotypeState::Wrong,
            GivenLabel::NotAssessed => GenotypeState::Unjudged(Reason::NotAssessed),
        }
    }
}

/// A record or a table line gives no label that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelLineError {
    /// The record has no such field.
    #[error("there is no {field}; {expected}")]
    NoField {
        /// The field that is missing.
        field: &'static str,
        /// Which file has it.
        expected: &'static str,
    },
    /// A field holds a value that means nothing here.
    #[error("{field} is `{found}`, where one of {expected} stands")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// The values known.
        expected: &'static str,
    },
    /// The table's header lacks a column.
    #[error(
        "the header has no column `{column}`; it needs chrom, pos, ref, alt and label, separated by tabs"
    )]
    Column {
        /// The column.
        column: &'static str,
    },
    /// Two lines of the table give one record different labels.
    #[error("{contig}:{position} stands further up with another label; keep one of them")]
    Conflict {
        /// The record's contig.
        contig: String,
        /// The record's position, 1-based.
        position: u64,
    },
    /// A line of the table is shorter than its header.
    #[error("{found} columns, where the header has {expected}")]
    ShortLine {
        /// Columns of the line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
}

/// The label in hap.py's annotated VCF, from the FORMAT column and the QUERY sample's column:
/// BD `TP` is right; `FP` with BK `am` (allele match; `gtmm` in the GA4GH text) is a real allele with a
/// wrong genotype, other `FP` are false; `UNK` and `N` are not assessed. `Ok(None)` where BD is `.`: the
/// record is one of the truth, not a call.
///
/// # Errors
/// FORMAT has no BD, or BD is none of these.
pub fn happy_label(format: &[u8], query: &[u8]) -> Result<Option<GivenLabel>, LabelLineError> {
    let field = |name: &[u8]| {
        let at = format
            .split(|byte| *byte == b':')
            .position(|key| key == name)?;
        // Trailing fields may be left out of a sample's column.
        Some(query.split(|byte| *byte == b':').nth(at).unwrap_or(b"."))
    };
    let decision = field(b"BD").ok_or(LabelLineError::NoField {
        field: "FORMAT/BD",
        expected: "hap.py writes it to its annotated VCF (PREFIX.vcf.gz)",
    })?;
    match (decision, field(b"BK")) {
        (b"TP", _) => Ok(Some(GivenLabel::Right)),
        (b"FP", Some(b"am" | b"gtmm")) => Ok(Some(GivenLabel::AlleleOnly)),
        (b"FP", _) => Ok(Some(GivenLabel::False)),
        (b"UNK" | b"N", _) => Ok(Some(GivenLabel::NotAssessed)),
        (b".", _) => Ok(None),
        (other, _) => Err(LabelLineError::Value {
            field: "FORMAT/BD of the query sample",
            found: lossy(other),
            expected: "TP, FP, UNK, N",
        }),
    }
}

/// The label in vcfeval's annotated VCF, from the value of INFO/CALL: `TP` is right; `FP_CA` (the
/// truth has the allele with another genotype) is a real allele only; `FP` is false; `IGN`, `OUT`
/// and `HARD` (ignored, outside the regions, too hard to compare) are not assessed.
///
/// In vcfeval's default output, records of `tp.vcf.gz` are [`GivenLabel::Right`] and those of
/// `fp.vcf.gz` are [`GivenLabel::False`]; there the file's name says it.
///
/// # Errors
/// The key is missing or has another value.
pub fn vcfeval_label(call: Option<&[u8]>) -> Result<GivenLabel, LabelLineError> {
    match call {
        None => Err(LabelLineError::NoField {
            field: "INFO/CALL",
            expected: "vcfeval writes it with --output-mode annotate or combine",
        }),
        Some(b"TP") => Ok(GivenLabel::Right),
        Some(b"FP_CA") => Ok(GivenLabel::AlleleOnly),
        Some(b"FP") => Ok(GivenLabel::False),
        Some(b"IGN" | b"OUT" | b"HARD") => Ok(GivenLabel::NotAssessed),
        Some(other) => Err(LabelLineError::Value {
            field: "INFO/CALL",
            found: lossy(other),
            expected: "TP, FP, FP_CA, IGN, OUT, HARD",
        }),
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn happy() {
        let format = b"GT:BD:BK:BI:BVT:BLT:QQ";
        for (query, expected) in [
            ("0/1:TP:gm:ti:SNP:het:50", Some(GivenLabel::Right)),
            ("0/1:FP:am:ti:SNP:het:50", Some(GivenLabel::AlleleOnly)),
            ("0/1:FP:gtmm:ti:SNP:het:50", Some(GivenLabel::AlleleOnly)),
            ("0/1:FP:lm:ti:SNP:het:50", Some(GivenLabel::False)),
            ("0/1:FP", Some(GivenLabel::False)),
            ("0/1:UNK:.:ti:SNP:het:50", Some(GivenLabel::NotAssessed)),
            ("0/1:N:.:ti:SNP:het:50", Some(GivenLabel::NotAssessed)),
            (".:.:.:.:NOCALL:nocall:0", None),
            (".", None),
        ] {
            assert_eq!(
                happy_label(format, query.as_bytes()),
                Ok(expected),
                "{query}"
            );
        }
        assert_eq!(
            happy_label(b"GT:BD", b"0/1:TP"),
            Ok(Some(GivenLabel::Right))
        );
        assert!(matches!(
            happy_label(b"GT:DP", b"0/1:3"),
            Err(LabelLineError::NoField { .. })
        ));
        // FN belongs to the truth sample: the columns were mixed up.
        assert_eq!(
            happy_label(b"BD", b"FN").unwrap_err().to_string(),
            "FORMAT/BD of the query sample is `FN`, where one of TP, FP, UNK, N stands"
        );
    }

    #[test]
    fn vcfeval() {
        for (value, expected) in [
            ("TP", GivenLabel::Right),
            ("FP_CA", GivenLabel::AlleleOnly),
            ("FP", GivenLabel::False),
            ("OUT", GivenLabel::NotAssessed),
            ("IGN", GivenLabel::NotAssessed),
            ("HARD", GivenLabel::NotAssessed),
        ] {
            assert_eq!(vcfeval_label(Some(value.as_bytes())), Ok(expected));
        }
        assert!(matches!(
            vcfeval_label(None),
            Err(LabelLineError::NoField { .. })
        ));
        assert!(matches!(
            vcfeval_label(Some(b"FN")),
            Err(LabelLineError::Value { .. })
        ));
    }

    #[test]
    fn rules() {
        use RecordLabel::{False, True};
        for (given, allele, genotype) in [
            (GivenLabel::Right, True, True),
            (GivenLabel::AlleleOnly, True, False),
            (GivenLabel::False, False, False),
        ] {
            assert_eq!(given.record_label(MatchRule::Allele), allele);
            assert_eq!(given.record_label(MatchRule::Genotype), genotype);
            assert_eq!(given.alternate_state().is_real(), Some(allele == True));
            assert_eq!(
                given.genotype_state() == GenotypeState::Right,
                genotype == True
            );
        }
        assert_eq!(
            GivenLabel::NotAssessed.record_label(MatchRule::Allele),
            RecordLabel::Unjudged(Reason::NotAssessed)
        );
    }
}
