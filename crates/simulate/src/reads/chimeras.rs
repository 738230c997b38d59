//! Fragments joined in the library: a read begins on one and ends on another.

use rand::RngExt;

use crate::random::{Random, chance};

use super::fastq::{Block, PAIRS_PER_BLOCK, Read, Slices};

/// Pairs before a pair among which its other fragment is.
pub const REACH: usize = PAIRS_PER_BLOCK;
/// Fewest bases of each fragment in the read.
const LEAST: usize = 20;

/// The pair `distance` before the pair `index` of `block`; `previous` is the full block before.
pub fn donor<'a>(
    previous: Option<&'a Block>,
    block: &'a Block,
    index: usize,
    distance: usize,
    mate: usize,
) -> Option<Slices<'a>> {
    match index.checked_sub(distance) {
        Some(earlier) => block.mate(earlier, mate),
        None => {
            let previous = previous?;
            let back = distance - index;
            previous.mate(previous.len().checked_sub(back)?, mate)
        }
    }
}

/// Puts another fragment's bases behind a random place of one mate, on either strand. Nothing
/// happens to the first pair or to reads of fewer than 40 bases.
pub fn join(
    random: &mut Random,
    reads: &mut [Read; 2],
    previous: Option<&Block>,
    block: &Block,
    index: usize,
) {
    let mate = random.random_range(0..2usize);
    let distance = random.random_range(1..=REACH);
    let from = random.random_range(0..2usize);
    let Some(other) = donor(previous, block, index, distance, from) else {
        return;
    };
    let read = &mut reads[mate];
    let shorter = read.bases.len().min(other.bases.len());
    if shorter < 2 * LEAST {
        return;
    }
    let at = random.random_range(LEAST..=shorter - LEAST);
    read.truncate(at);
    read.qualities.extend_from_slice(&other.qualities[at..]);
    let tail = &other.bases[at..];
    if chance(random, 0.5) {
        read.bases
            .extend(tail.iter().rev().map(|base| complement(*base)));
    } else {
        read.bases.extend_from_slice(tail);
    }
}

fn complement(base: u8) -> u8 {
    match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn block(letters: &[u8]) -> Block {
        let mut block = Block::default();
        for letter in letters {
            let bases = [*letter; 100];
            let qualities = [*letter + 1; 100];
            let read = |name| Slices {
                name,
                bases: &bases,
                qualities: &qualities,
            };
            block.push([read(b"r/1"), read(b"r/2")], 1).unwrap();
        }
        block
    }

    #[test]
    fn donors_are_earlier_pairs_of_this_block_and_the_one_before() {
        let (previous, now) = (block(b"TTC"), block(b"AG"));
        let letter = |index, distance| {
            donor(Some(&previous), &now, index, distance, 0).map(|read| read.bases[0])
        };
        assert_eq!(letter(1, 1), Some(b'A'));
        assert_eq!(letter(1, 2), Some(b'C'));
        assert_eq!(letter(0, 1), Some(b'C'));
        assert_eq!(letter(0, 3), Some(b'T'));
        assert_eq!(letter(0, 4), None);
        assert!(donor(None, &now, 0, 1, 0).is_none());
        assert!(donor(None, &now, 1, 1, 1).is_some());
    }

    #[test]
    fn one_mate_ends_on_another_fragment() {
        let letters = b"AC".repeat(PAIRS_PER_BLOCK / 2);
        let (previous, now) = (block(&letters), block(b"GG"));
        let mut random = stream(3, 0);
        let mut tails = std::collections::BTreeSet::new();
        let whole = Read {
            bases: vec![b'G'; 100],
            qualities: vec![b'H'; 100],
        };
        for _ in 0..200 {
            let mut reads = [whole.clone(), whole.clone()];
            join(&mut random, &mut reads, Some(&previous), &now, 0);
            let changed: Vec<&Read> = reads.iter().filter(|read| **read != whole).collect();
            // The reverse complement of C is G: the qualities tell as well.
            assert_eq!(changed.len(), 1);
            let read = changed[0];
            assert_eq!((read.bases.len(), read.qualities.len()), (100, 100));
            let tail = read
                .qualities
                .iter()
                .filter(|quality| **quality != b'H')
                .count();
            assert!((20..=80).contains(&tail));
            assert!(read.bases[..100 - tail].iter().all(|base| *base == b'G'));
            let last = read.bases[99];
            assert!(read.bases[100 - tail..].iter().all(|base| *base == last));
            tails.insert(last);
        }
        assert_eq!(
            tails.into_iter().collect::<Vec<u8>>(),
            b"ACGT",
            "either strand"
        );
    }

    #[test]
    fn short_reads_and_the_first_pair_stay() {
        let now = block(b"A");
        let mut random = stream(3, 0);
        let mut reads = [Read::default(), Read::default()];
        for _ in 0..50 {
            join(&mut random, &mut reads, None, &now, 0);
            join(&mut random, &mut reads, Some(&block(&[b'A'; 300])), &now, 0);
        }
        assert_eq!(reads, [Read::default(), Read::default()]);
    }
}
