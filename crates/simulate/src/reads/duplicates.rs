//! Copies of a fragment that the polymerase made: the same pair once or twice more. An error of an
//! early cycle is in all of them.

use rand::RngExt;

use crate::random::{Random, chance, other_base};

use super::fastq::{Read, fragment_end};

/// Part of the copied fragments with two copies more.
const TWO: f64 = 0.25;
/// Part of the copied fragments with an early error.
const EARLY_ERROR: f64 = 0.1;
/// Part of the early errors that are indels of one base.
const INDEL: f64 = 0.15;

/// How many copies more there are of a fragment, given the probability of any.
pub fn copies(random: &mut Random, p: f64) -> usize {
    if chance(random, p) {
        1 + usize::from(chance(random, TWO))
    } else {
        0
    }
}

/// Puts an early error into some fragments: a substitution, or a base more or fewer, in one mate
/// and at the quality that is there.
pub fn early_error(random: &mut Random, reads: &mut [Read; 2]) {
    if !chance(random, EARLY_ERROR) {
        return;
    }
    let read = &mut reads[random.random_range(0..2usize)];
    let length = read.bases.len();
    if length < 2 {
        return;
    }
    let at = random.random_range(0..length);
    if !chance(random, INDEL) {
        read.bases[at] = other_base(random, read.bases[at]);
    } else if chance(random, 0.5) {
        read.bases.remove(at);
        read.qualities.remove(at);
    } else {
        let new = crate::random::base(random);
        read.bases.insert(at, new);
        read.qualities.insert(at, read.qualities[at]);
        read.truncate(length);
    }
}

/// Appends the name of a copy (0 the original, then 1, 2): `:copy1` behind the fragment's name.
pub fn append_name(name: &[u8], copy: usize, text: &mut Vec<u8>) {
    if copy == 0 {
        text.extend_from_slice(name);
        return;
    }
    let end = fragment_end(name);
    text.extend_from_slice(&name[..end]);
    text.extend_from_slice(format!(":copy{copy}").as_bytes());
    text.extend_from_slice(&name[end..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn copies_are_as_frequent_as_asked_for() {
        let mut random = stream(1, 0);
        let mut found = [0; 3];
        for _ in 0..40_000 {
            found[copies(&mut random, 0.1)] += 1;
        }
        assert!((2_800..3_200).contains(&found[1]), "{found:?}");
        assert!((880..1_120).contains(&found[2]), "{found:?}");
    }

    #[test]
    fn some_fragments_have_an_early_error() {
        let mut random = stream(2, 0);
        let whole = Read {
            bases: b"ACGT".repeat(25),
            qualities: vec![b'J'; 100],
        };
        let (mut substituted, mut indels) = (0, 0);
        for _ in 0..10_000 {
            let mut reads = [whole.clone(), whole.clone()];
            early_error(&mut random, &mut reads);
            for read in &reads {
                assert_eq!(read.bases.len(), read.qualities.len());
                let differ = read.bases.iter().zip(&whole.bases).filter(|(a, b)| a != b);
                match (read.bases.len(), differ.count()) {
                    (100, 0) => {}
                    (100, 1) => substituted += 1,
                    _ => indels += 1,
                }
            }
        }
        // Indels of the last base look like nothing or a substitution.
        assert!((760..940).contains(&substituted), "{substituted}");
        assert!((110..190).contains(&indels), "{indels}");
        let mut empty = [Read::default(), Read::default()];
        (0..100).for_each(|_| early_error(&mut random, &mut empty));
        assert_eq!(empty, [Read::default(), Read::default()]);
    }

    #[test]
    fn names_of_copies_keep_the_mates_mark() {
        let named = |name: &[u8], copy| {
            let mut text = Vec::new();
            append_name(name, copy, &mut text);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(named(b"20-7/1", 0), "20-7/1");
        assert_eq!(named(b"20-7/1", 1), "20-7:copy1/1");
        assert_eq!(named(b"20-7/2", 2), "20-7:copy2/2");
        assert_eq!(named(b"a:b 1:N:0", 1), "a:b:copy1 1:N:0");
        assert_eq!(named(b"a", 1), "a:copy1");
    }
}
