//! Qualities in few bins, as newer sequencers report them.

use crate::error::SimulateError;

/// Bins of NovaSeq with RTA3.
const NOVASEQ: [u8; 4] = [2, 12, 23, 37];

/// A bin for each quality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityBins {
    /// By Phred quality 0 to 93.
    table: [u8; 94],
}

impl QualityBins {
    /// Bins with the given qualities, ascending. Those of NovaSeq (2, 12, 23, 37) are 0 to 2 for no
    /// call, below 15, to 30, and above, as Illumina's note "NovaSeq 6000 System quality scores
    /// and RTA3 software" names them: marginal (< Q15), medium, high (> Q30). Of other bins the
    /// nearest is taken, of two the lower.
    ///
    /// # Errors
    /// Where there is none, they do not ascend, or one is above 93.
    pub fn new(bins: &[u8]) -> Result<Self, SimulateError> {
        if bins.is_empty() || !bins.is_sorted_by(|a, b| a < b) || bins.iter().any(|bin| *bin > 93) {
            let shown: Vec<String> = bins.iter().map(u8::to_string).collect();
            return Err(SimulateError::Knob {
                knob: "--quality-bins",
                found: shown.join(","),
                expected: "ascending qualities from 0 to 93, such as 2,12,23,37",
            });
        }
        let nearest = |quality: u8| {
            let distance = |bin: &&u8| (bin.abs_diff(quality), **bin);
            bins.iter().min_by_key(distance).copied().unwrap_or(quality)
        };
        let novaseq = |quality: u8| match quality {
            0..=2 => 2,
            3..=14 => 12,
            15..=30 => 23,
            _ => 37,
        };
        let is_novaseq = bins == NOVASEQ;
        let table = std::array::from_fn(|quality| {
            let quality = quality as u8;
            if is_novaseq {
                novaseq(quality)
            } else {
                nearest(quality)
            }
        });
        Ok(Self { table })
    }

    /// Bins qualities (Phred + 33) in place.
    pub fn apply(&self, qualities: &mut [u8]) {
        for quality in qualities {
            let phred = usize::from(quality.saturating_sub(33)).min(93);
            *quality = self.table[phred] + 33;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binned(bins: &[u8], phred: &[u8]) -> Vec<u8> {
        let mut qualities: Vec<u8> = phred.iter().map(|quality| quality + 33).collect();
        QualityBins::new(bins).unwrap().apply(&mut qualities);
        qualities.iter().map(|quality| quality - 33).collect()
    }

    #[test]
    fn bins_of_novaseq_have_their_own_bounds() {
        assert_eq!(
            binned(&[2, 12, 23, 37], &[0, 2, 3, 14, 15, 30, 31, 41, 93]),
            [2, 2, 12, 12, 23, 23, 37, 37, 37]
        );
    }

    #[test]
    fn other_bins_take_what_is_nearest() {
        assert_eq!(
            binned(&[10, 20, 40], &[0, 15, 16, 30, 31, 93]),
            [10, 10, 20, 20, 40, 40]
        );
        assert_eq!(binned(&[7], &[0, 7, 40]), [7, 7, 7]);
    }

    #[test]
    fn bins_that_are_none_are_refused() {
        for wrong in [[].as_slice(), &[12, 2], &[2, 2], &[2, 94]] {
            let message = QualityBins::new(wrong).unwrap_err().to_string();
            assert!(message.contains("ascending qualities"), "{message}");
        }
    }
}
