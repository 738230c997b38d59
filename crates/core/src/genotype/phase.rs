//! Phase of genotypes, written into records.

use crate::candidates::Phase;
use crate::vcf::VcfRecord;
use crate::vcf::genotype::{Genotype, GenotypeAllele};

/// FORMAT key of the set that a phased genotype belongs to.
pub(super) const PHASE_SET: &str = "PS";

/// Writes the phase of each sample into its genotype (`0|1`, `1|0`) and `PS` (POS of the set's first site), where the
/// genotype is REF and the ALT that was phased. The copy with the ALT of a set's first site stands second.
pub fn write_phases(record: &mut VcfRecord, phases: &[Option<Phase>]) {
    let mut genotypes = record.sample_values(b"GT");
    let mut sets = vec![".".to_owned(); genotypes.len()];
    for ((genotype, set), phase) in genotypes.iter_mut().zip(&mut sets).zip(phases) {
        let Some(phase) = phase else { continue };
        let called: Vec<Option<usize>> = Genotype::parse(genotype.as_bytes()).numbers().collect();
        let allele = Some(phase.alternate + 1);
        if called != [Some(0), allele] {
            continue;
        }
        let order = match phase.is_second {
            true => [Some(0), allele],
            false => [allele, Some(0)],
        };
        let separators = [None, Some(b'|')];
        let alleles = order.into_iter().zip(separators);
        let phased = Genotype {
            alleles: alleles
                .map(|(number, separator)| GenotypeAllele { separator, number })
                .collect(),
        };
        *genotype = String::from_utf8_lossy(&phased.to_bytes()).into_owned();
        *set = (phase.set + 1).to_string();
    }
    if sets.iter().any(|set| set != ".") {
        record.set_sample_values(b"GT", Some(&genotypes));
        record.set_sample_values(PHASE_SET.as_bytes(), Some(&sets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_of_ref_and_the_alt_are_phased() {
        let line = "c\t9\t.\tA\tC,G\t.\t.\t.\tGT:DP\t0/2:9\t0/1:8\t0/2:7\t2/2:6\t.:0";
        let mut record = VcfRecord::parse(line.into(), 14).unwrap();
        let phase = |is_second| {
            Some(Phase {
                set: 4,
                alternate: 1,
                is_second,
            })
        };
        let phases = [phase(true), phase(true), phase(false), phase(true), None];
        write_phases(&mut record, &phases);
        let mut text = Vec::new();
        record.write_to(&mut text);
        let text = String::from_utf8(text).unwrap();
        let found = text.trim_end().split_once("GT:").unwrap().1;
        assert_eq!(found, "DP:PS\t0|2:9:5\t0/1:8\t2|0:7:5\t2/2:6\t.:0");

        let before = text;
        write_phases(&mut record, &[None; 5]);
        let mut text = Vec::new();
        record.write_to(&mut text);
        assert_eq!(String::from_utf8(text).unwrap(), before);
    }
}
