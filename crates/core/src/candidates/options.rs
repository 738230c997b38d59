//! When an allele is a candidate.

/// Thresholds. The defaults are DeepVariant's (`vsc_min_count_snps`, `vsc_min_fraction_snps`,
/// `vsc_min_fraction_indels`, `min_mapping_quality`, `min_base_quality` of its `make_examples`), which its port to the browser shows as
/// sliders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CandidateOptions {
    /// Fewest fragments that show an allele.
    pub min_reads: u32,
    /// Their smallest share of the fragments there, 0 to 1, for substitutions.
    pub min_snp_share: f32,
    /// The same for insertions and deletions.
    pub min_indel_share: f32,
    /// Lowest mapping quality of a read.
    pub min_mapping_quality: u8,
    /// Lowest quality of a base that counts.
    pub min_base_quality: u8,
}

impl Default for CandidateOptions {
    fn default() -> Self {
        Self {
            min_reads: 2,
            min_snp_share: 0.12,
            min_indel_share: 0.06,
            min_mapping_quality: 5,
            min_base_quality: 10,
        }
    }
}

impl CandidateOptions {
    /// Returns true if `carriers` of `depth` fragments make an allele a candidate.
    pub fn accepts(&self, carriers: u32, depth: u32, is_indel: bool) -> bool {
        let share = if is_indel {
            self.min_indel_share
        } else {
            self.min_snp_share
        };
        carriers >= self.min_reads && carriers as f32 >= share * depth as f32
    }
}
