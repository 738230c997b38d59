//! Ploidy of the calls.

use std::collections::BTreeMap;

use super::{Check, Finding};
use crate::vcf::{Genotype, VcfRecord};

/// Genotypes by their ploidy; those in which nothing is called do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ploidies(pub BTreeMap<usize, u64>);

impl Ploidies {
    /// Share of haploid genotypes from which they are no sex chromosome or mitochondrion beside others.
    const MANY: f64 = 0.2;

    /// Counts the genotype of a sample (from 0) of a record.
    pub fn count(&mut self, record: &VcfRecord, sample: usize) {
        let Some(value) = record.sample_value(sample, b"GT") else {
            return;
        };
        let genotype = Genotype::parse(value);
        if !genotype.is_missing() {
            *self.0.entry(genotype.ploidy()).or_default() += 1;
        }
    }

    fn share(&self, is_meant: impl Fn(usize) -> bool) -> f64 {
        let all: u64 = self.0.values().sum();
        let meant = self.0.iter().filter(|(ploidy, _)| is_meant(**ploidy));
        let meant: u64 = meant.map(|(_, count)| count).sum();
        meant as f64 / all.max(1) as f64
    }
}

/// Are the genotypes diploid, as those of all training data are?
pub fn judge_genotypes(ploidies: &Ploidies) -> Finding {
    const CHECK: Check = Check::Genotypes;
    let unmeasured =
        "models are trained on diploid calls: measure on calls with a truth (`cnnfilter eval`)";
    let Some(most) = ploidies.0.keys().max() else {
        let found =
            "no sampled call has a genotype (GT): the model goes without it and what is made of it";
        return Finding::warning(CHECK, found).advise("genotype the calls, if the caller can");
    };
    let haploid = ploidies.share(|ploidy| ploidy == 1);
    if *most > 2 {
        let found = format!("ploidy of up to {most}");
        Finding::warning(CHECK, found).advise(unmeasured)
    } else if haploid >= Ploidies::MANY {
        let found = format!("{:.0} % of the genotypes are haploid", 100.0 * haploid);
        Finding::warning(CHECK, found).advise(unmeasured)
    } else if haploid > 0.0 {
        Finding::ok(CHECK, format!("diploid, {:.1} % haploid", 100.0 * haploid))
    } else {
        Finding::ok(CHECK, "diploid")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn judge(genotypes: &[&str]) -> (Status, String) {
        let mut ploidies = Ploidies::default();
        for genotype in genotypes {
            let line = format!("1\t5\t.\tA\tC\t.\t.\t.\tGT\t{genotype}");
            ploidies.count(&VcfRecord::parse(line.into_bytes(), 10).unwrap(), 0);
        }
        let found = judge_genotypes(&ploidies);
        (found.status, found.found)
    }

    #[test]
    fn ploidy_is_that_of_called_genotypes() {
        for (genotypes, status, text) in [
            (&["0/1", "1|1", "./.", "."][..], Status::Ok, "diploid"),
            (
                &["0/1", "0/1", "0/1", "0/1", "0/1", "1"],
                Status::Ok,
                "16.7 % haploid",
            ),
            (
                &["1", "0/1"],
                Status::Warning,
                "50 % of the genotypes are haploid",
            ),
            (&["0/1", "0/0/1"], Status::Warning, "up to 3"),
            (&["./."], Status::Warning, "no sampled call has a genotype"),
        ] {
            let found = judge(genotypes);
            assert!(
                found.0 == status && found.1.contains(text),
                "{genotypes:?}: {found:?}"
            );
        }
    }
}
