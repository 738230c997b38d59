//! The 1D tensor: reference bases around the call.

use super::{GAP, WINDOW, window::Window};
use crate::genome::ReferenceBlock;
use crate::genome::Variant;

/// The reference in the window of a call, one letter a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceTensor {
    /// Letters in upper case; 0 where the contig has ended.
    pub letters: [u8; WINDOW],
}

impl ReferenceTensor {
    /// Numbers of one site: `[window 128][A, C, G, T]`.
    pub const LEN: usize = WINDOW * 4;

    /// Takes the window of `variant` out of the reference. `reference` must hold
    /// [`Window::on_contig`] of it.
    pub fn encode(variant: &Variant, reference: &ReferenceBlock) -> Self {
        let range = Window::of(variant).on_contig(reference.contig_length());
        let mut letters = [0; WINDOW];
        for (column, base) in letters.iter_mut().zip(reference.slice(range)) {
            *column = *base;
        }
        Self { letters }
    }

    /// Appends the site as floats, `[window 128][4]` row-major, channels A, C, G, T: 1 for the
    /// base, a quarter each for an ambiguity code, 0 where there is none.
    pub fn write_floats(&self, out: &mut Vec<f32>) {
        out.reserve(Self::LEN);
        for letter in self.letters {
            out.extend_from_slice(&reference_channels(letter));
        }
    }
}

/// Channels of the reference in a tensor with reads.
pub const REFERENCE_CHANNELS: usize = 5;

/// The channels of one reference letter in a tensor with reads: A, C, G, T and gap.
pub fn gapped_reference_channels(letter: u8) -> [f32; REFERENCE_CHANNELS] {
    let [a, c, g, t] = reference_channels(letter);
    [a, c, g, t, f32::from(letter == GAP)]
}

/// The four base channels of one reference letter.
fn reference_channels(letter: u8) -> [f32; 4] {
    match letter {
        b'A' => [1.0, 0.0, 0.0, 0.0],
        b'C' => [0.0, 1.0, 0.0, 0.0],
        b'G' => [0.0, 0.0, 1.0, 0.0],
        b'T' => [0.0, 0.0, 0.0, 1.0],
        b'K' | b'M' | b'R' | b'Y' | b'S' | b'W' | b'B' | b'V' | b'H' | b'D' | b'X' | b'N' => {
            [0.25; 4]
        }
        _ => [0.0; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snp(start: u64) -> Variant {
        Variant {
            contig: "1".into(),
            start,
            end: start + 1,
            reference: b"A".to_vec(),
            alternates: vec![b"C".to_vec()],
        }
    }

    #[test]
    fn the_call_stands_in_column_64_and_edges_are_empty() {
        let mut bases = vec![b'g'; 150];
        bases[100] = b'a';
        bases[101] = b'r';
        let block = ReferenceBlock::new(0, bases, 150);
        let tensor = ReferenceTensor::encode(&snp(100), &block);
        let mut floats = Vec::new();
        tensor.write_floats(&mut floats);
        assert_eq!(floats.len(), ReferenceTensor::LEN);
        assert_eq!(
            &floats[64 * 4..66 * 4],
            &[1.0, 0.0, 0.0, 0.0, 0.25, 0.25, 0.25, 0.25]
        );
        // Columns 114 and on lie beyond the contig's 150 bases.
        assert_eq!(
            &floats[113 * 4..115 * 4],
            &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
    }

    #[test]
    fn near_the_start_the_contig_begins_in_column_0() {
        let mut bases = vec![b'g'; 500];
        bases[10] = b'a';
        let block = ReferenceBlock::new(0, bases, 500);
        let tensor = ReferenceTensor::encode(&snp(10), &block);
        assert_eq!(tensor.letters[10], b'A');
        assert_eq!(tensor.letters[74], b'G');
        assert_eq!(tensor.letters[75], 0);
    }
}
