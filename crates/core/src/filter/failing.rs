//! Records and genotypes that fail.

use super::filter_column;
use super::genotypes::{Which, set_missing};
use super::summary::FilterSummary;
use crate::vcf::VcfRecord;

/// The settings of a run for what fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failing {
    /// Genotypes that fail, by themselves or with their record, become missing.
    pub set_gt_missing: bool,
    /// Records that fail are left out.
    pub exclude: bool,
}

impl Failing {
    /// Finishes a record whose FILTER is decided; `samples` says which samples fail. Returns false
    /// for a record that is to be left out, and counts either way.
    pub fn apply(
        self,
        record: &mut VcfRecord,
        samples: &[bool],
        summary: &mut FilterSummary,
    ) -> bool {
        let fails = filter_column::fails(record.filter());
        if self.set_gt_missing {
            let which = if fails {
                Which::All
            } else {
                Which::Of(samples)
            };
            summary.missing_genotypes += set_missing(record, which);
        }
        let is_left_out = fails && self.exclude;
        if is_left_out {
            summary.excluded += 1;
        } else {
            summary.records_written += 1;
        }
        !is_left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_go_with_their_record_or_by_themselves() {
        let settings = |set_gt_missing, exclude| Failing {
            set_gt_missing,
            exclude,
        };
        for (settings, filter, stays, genotypes, missing) in [
            (settings(false, false), "q10", true, ["0/1", "1|1"], 0),
            (settings(true, false), "q10", true, ["./.", "./."], 2),
            (settings(true, false), "PASS", true, ["0/1", "./."], 1),
            (settings(true, true), "q10", false, ["./.", "./."], 2),
            (settings(false, true), "q10", false, ["0/1", "1|1"], 0),
            (settings(false, true), ".", true, ["0/1", "1|1"], 0),
        ] {
            let line = format!("1\t5\t.\tA\tC\t.\t{filter}\t.\tGT\t0/1\t1|1");
            let mut record = VcfRecord::parse(line.into_bytes(), 11).unwrap();
            let mut summary = FilterSummary::default();
            let written = settings.apply(&mut record, &[false, true], &mut summary);
            assert_eq!(written, stays, "{settings:?} {filter}");
            let found: Vec<Vec<u8>> = record.genotype_columns()[1..]
                .iter()
                .map(|fields| fields[0].clone())
                .collect();
            assert_eq!(found, genotypes.map(|text| text.as_bytes().to_vec()));
            assert_eq!(summary.missing_genotypes, missing);
            assert_eq!(
                (summary.records_written, summary.excluded),
                (u64::from(stays), u64::from(!stays))
            );
        }
    }
}
