//! Made-up tensors for test vectors.

use crate::encode::allele::columns::{Haplotype, WINDOW};
use crate::encode::allele::{AlleleLayout, AlleleTensor, READ_LIMIT};
use crate::encode::{Encoder, Example, SiteTensor};
use crate::networks::test_vectors::SplitMix64;

/// Largest number of a call and largest annotation.
const LARGEST: f32 = 40.0;

/// A tensor of one allele for test vectors of format 2. In this order are drawn: for each column the
/// reference's symbol of 8; for each column whether the allele's differs (one in 8) and then its
/// symbol; for each read and column whether the read differs from the reference (one in 4) and then
/// its symbol of 16 (the upper 8 are clipped), and a quality below 61; for each read its numbers, 0
/// to 1; the numbers of the call, 0 to 40; the annotations, 0 to 40, of which every third is missing.
pub(in crate::networks) fn made_up(encoder: &Encoder, seed: u64, reads: usize) -> Example {
    let mut random = SplitMix64::new(seed);
    let with_reads = encoder.uses_reads();
    let reads = if with_reads { reads.min(READ_LIMIT) } else { 0 };
    let reference: [u8; WINDOW] = std::array::from_fn(|_| random.below(8));
    let alternate = reference.map(|symbol| match random.below(8) {
        0 => random.below(8),
        _ => symbol,
    });
    let mut row = |_| {
        reference.map(|symbol| {
            let cell = match random.below(4) {
                0 => random.below(16),
                _ => symbol,
            };
            [cell, random.below(61)]
        })
    };
    let rows = (0..reads).map(&mut row).collect();
    let layout = match encoder {
        Encoder::Allele { layout, .. } => layout,
        Encoder::Gatk { .. } => &AlleleLayout::usual(with_reads),
    };
    let width = layout.read().len();
    let numbers: Vec<f32> = (0..reads * width).map(|_| random.unit()).collect();
    let of_reads = numbers.chunks_exact(width.max(1));
    let supports = of_reads.map(|read| layout.supports(read)).collect();
    let mut large =
        |count: usize| -> Vec<f32> { (0..count).map(|_| LARGEST * random.unit()).collect() };
    let site = large(layout.site().len());
    let mut annotations = large(encoder.annotation_names().len());
    annotations
        .iter_mut()
        .skip(2)
        .step_by(3)
        .for_each(|value| *value = f32::NAN);
    Example {
        tensor: SiteTensor::Allele(AlleleTensor {
            haplotype: Haplotype {
                reference,
                alternate,
            },
            rows,
            supports,
            reads: numbers,
            site,
        }),
        annotations,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_nn::weights::sha256;

    /// The checksum was computed by another program from the description above.
    #[test]
    fn a_seed_gives_the_same_tensor_for_ever() {
        let annotations = ["QUAL", "INFO/DP", "INFO/MQ", "INFO/FS"];
        let annotations = annotations.map(|name| name.parse().unwrap());
        let encoder = Encoder::allele(true, annotations.to_vec());
        let example = made_up(&encoder, 1, 35);
        let SiteTensor::Allele(tensor) = &example.tensor else {
            panic!("a tensor of our own");
        };
        let mut bytes = tensor.haplotype.reference.to_vec();
        bytes.extend(tensor.haplotype.alternate);
        bytes.extend(tensor.rows.as_flattened().as_flattened());
        let numbers = tensor.reads.iter();
        bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
        assert_eq!(
            sha256(&bytes),
            "80d4b1cbb98f5ec0260856745a86a561905d4d273aa5d679499f5b3219f4c2a2"
        );
        let missing = example.annotations.iter().map(|value| value.is_nan());
        assert!(missing.eq([false, false, true, false]));
        assert_eq!(
            made_up(&encoder, 1, 500).tensor,
            made_up(&encoder, 1, READ_LIMIT).tensor
        );
    }
}
