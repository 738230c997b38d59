//! INFO annotations as a vector.

use crate::vcf::VcfRecord;

/// The seven annotations of GATK's networks, in their order (`BEST_PRACTICES` of
/// `scorevariants/encoders.py`): RMS mapping quality, depth, strand odds ratio, Fisher strand
/// (phred), quality by depth, and two rank-sum Z scores.
pub const BEST_PRACTICES: [&str; 7] =
    ["MQ", "DP", "SOR", "FS", "QD", "MQRankSum", "ReadPosRankSum"];

/// The values of `names` in a record's INFO column, in that order and unscaled (the network's
/// batch normalisation does that). A key that is absent, `.` or no finite number is 0; of several
/// values the first counts. Returns how many were absent as well.
pub fn encode(record: &VcfRecord, names: &[String]) -> (Vec<f32>, usize) {
    let mut missing = 0;
    let values = names
        .iter()
        .map(|name| {
            record.info_float(name.as_bytes()).unwrap_or_else(|| {
                missing += 1;
                0.0
            })
        })
        .collect();
    (values, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_zero() {
        let line = b"1\t5\t.\tA\tC\t.\t.\tDP=12;MQ=59.5;QD=.;SOR=nan;FS=1,2".to_vec();
        let record = VcfRecord::parse(line, 8).unwrap();
        let names = BEST_PRACTICES.map(String::from);
        assert_eq!(
            encode(&record, &names),
            (vec![59.5, 12.0, 0.0, 1.0, 0.0, 0.0, 0.0], 4)
        );
    }
}
