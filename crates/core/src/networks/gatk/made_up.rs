//! Made-up tensors for test vectors.

use super::spec::GatkSpec;
use crate::encode::gatk::read_tensor::ReadRow;
use crate::encode::gatk::{READ_LIMIT, ReadTensor, ReferenceTensor, WINDOW};
use crate::encode::{Example, SiteTensor};
use crate::genome::ReadFlags;
use crate::networks::test_vectors::SplitMix64;

/// Letters of a cell.
const LETTERS: [u8; 6] = *b"ACGTN*";

/// MQ, DP, SOR, FS, QD, MQRankSum and ReadPosRankSum of a genome at depth 30: middle and spread.
const ANNOTATIONS: [(f32, f32); 7] = [
    (58.0, 3.0),
    (30.0, 10.0),
    (1.0, 0.8),
    (3.0, 3.0),
    (17.0, 9.0),
    (0.0, 1.5),
    (0.0, 1.0),
];

/// A tensor as GATK makes it, for test vectors of format 2. In this order are drawn: for each column
/// the reference's letter of `ACGTN*`; for each read and column its letter and a quality below 61;
/// for each read, behind its columns, the first column that carries its flags (below 64), how far
/// behind column 64 the last one is (below 65), the lower and the upper eight flags of the first 12
/// (below 255, below 16), and its mapping quality (below 61); the annotations.
pub(super) fn made_up(spec: &GatkSpec, seed: u64, reads: usize) -> Example {
    let mut random = SplitMix64::new(seed);
    let letter = |random: &mut SplitMix64| LETTERS[usize::from(random.below(6))];
    let reference: [u8; WINDOW] = std::array::from_fn(|_| letter(&mut random));
    let tensor = if spec.uses_reads() {
        let row = |_| {
            let (mut letters, mut qualities) = ([0; WINDOW], [0; WINDOW]);
            for (cell, quality) in letters.iter_mut().zip(&mut qualities) {
                *cell = letter(&mut random);
                *quality = random.below(61);
            }
            ReadRow {
                letters,
                qualities,
                from: random.below(64),
                to: 64 + random.below(65),
                flags: ReadFlags(u16::from_le_bytes([random.below(255), random.below(16)])),
                mapping_quality: random.below(61),
            }
        };
        let rows = (0..reads.min(READ_LIMIT)).map(row).collect();
        SiteTensor::Reads(ReadTensor { reference, rows })
    } else {
        SiteTensor::Reference(ReferenceTensor { letters: reference })
    };
    let annotations =
        ANNOTATIONS.map(|(middle, spread)| middle + spread * (2.0 * random.unit() - 1.0));
    Example {
        tensor,
        annotations: annotations.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::gatk::spec::SMALL_2D;
    use cnnfilter_nn::weights::sha256;

    /// The checksum was computed by another program from the description above.
    #[test]
    fn a_seed_gives_the_same_tensor_for_ever() {
        let example = made_up(&SMALL_2D, 1, 35);
        let SiteTensor::Reads(tensor) = &example.tensor else {
            panic!("a read tensor");
        };
        let mut bytes = tensor.reference.to_vec();
        for row in &tensor.rows {
            bytes.extend(row.letters);
            bytes.extend(row.qualities);
            bytes.extend([row.from, row.to]);
            bytes.extend(row.flags.0.to_le_bytes());
            bytes.push(row.mapping_quality);
        }
        assert_eq!(
            sha256(&bytes),
            "cf6b2f3ebbbe180493b0060b01ffb0f3814a11e2fb6ba5958b673a6096ad8b91"
        );
        let first = 58.0 + 3.0 * (2.0 * 0.100_535_99_f32 - 1.0);
        assert_eq!(example.annotations[0], first);
    }
}
