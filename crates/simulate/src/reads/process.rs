//! All errors in turn, block by block.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::error::SimulateError;
use crate::random::{Random, chance};
use cnnfilter_core::genome::repeat::TandemRepeat;

use super::bins::QualityBins;
use super::chimeras;
use super::context::ContextErrors;
use super::damage::Damage;
use super::duplicates;
use super::fastq::{Block, Read};
use super::slippage::Slippage;

/// How often reads err.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Factor of the slippage probabilities.
    pub slippage: f64,
    /// Of how many positions of the genome one is bad on one of its strands; 0: none.
    pub positions_per_context_error: f64,
    /// Oxidised guanines a base.
    pub oxidation: f64,
    /// Deaminated cytosines a base.
    pub deamination: f64,
    /// Part of the pairs of which a read is of two fragments.
    pub chimeras: f64,
    /// Part of the fragments that are there twice or thrice.
    pub duplicates: f64,
    /// Qualities that are reported, ascending; none: all.
    pub quality_bins: Option<Vec<u8>>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            slippage: 1.0,
            positions_per_context_error: 3000.0,
            oxidation: 1e-4,
            deamination: 1e-5,
            chimeras: 0.002,
            duplicates: 0.03,
            quality_bins: None,
        }
    }
}

/// Puts errors into blocks of pairs.
#[derive(Debug, Clone)]
pub struct ReadErrors {
    random: ChaCha8Rng,
    slippage: Slippage,
    context: ContextErrors,
    damage: Damage,
    chimeras: f64,
    duplicates: f64,
    bins: Option<QualityBins>,
}

impl ReadErrors {
    /// Errors as the options say.
    ///
    /// # Errors
    /// Where a number is out of its range.
    pub fn new(options: &ReadOptions) -> Result<Self, SimulateError> {
        let scale = "a factor from 0 to 100";
        SimulateError::check_knob("--slippage", options.slippage, 0.0..=100.0, scale)?;
        let part = "a part from 0 to 1";
        for (knob, value) in [
            ("--oxidation", options.oxidation),
            ("--deamination", options.deamination),
            ("--chimeras", options.chimeras),
            ("--duplicates", options.duplicates),
        ] {
            SimulateError::check_knob(knob, value, 0.0..=1.0, part)?;
        }
        let positions = options.positions_per_context_error;
        if positions != 0.0 {
            let number = "0, or a number of positions from 20 to 1e9";
            SimulateError::check_knob("--context-errors", positions, 20.0..=1e9, number)?;
        }
        Ok(Self {
            random: ChaCha8Rng::seed_from_u64(options.seed),
            slippage: Slippage::new(options.slippage),
            context: ContextErrors::new(positions),
            damage: Damage {
                oxidation: options.oxidation,
                deamination: options.deamination,
            },
            chimeras: options.chimeras,
            duplicates: options.duplicates,
            bins: options
                .quality_bins
                .as_deref()
                .map(QualityBins::new)
                .transpose()?,
        })
    }

    /// Appends the FASTQ text of a block's pairs to one text for each mate. `before` is the number
    /// of pairs in all blocks before it, `previous` the block before; it must be full.
    pub fn block(
        &self,
        before: u64,
        previous: Option<&Block>,
        block: &Block,
        texts: &mut [Vec<u8>; 2],
    ) {
        let mut reads = [Read::default(), Read::default()];
        let mut repeats = Vec::new();
        for index in 0..block.len() {
            let mut random = self.random.clone();
            random.set_stream(before + index as u64);
            let (Some(first), Some(second)) = (block.mate(index, 0), block.mate(index, 1)) else {
                break;
            };
            for (read, mate) in reads.iter_mut().zip([first, second]) {
                read.copy_from(mate);
            }
            self.library(&mut random, &mut reads, &mut repeats);
            if chance(&mut random, self.chimeras) {
                chimeras::join(&mut random, &mut reads, previous, block, index);
            }
            for read in &mut reads {
                self.context.apply(&mut random, read);
            }
            let copies = duplicates::copies(&mut random, self.duplicates);
            if copies > 0 {
                duplicates::early_error(&mut random, &mut reads);
            }
            if let Some(bins) = &self.bins {
                for read in &mut reads {
                    bins.apply(&mut read.qualities);
                }
            }
            let names = [first.name, second.name];
            for copy in 0..=copies {
                for ((read, name), text) in reads.iter().zip(names).zip(texts.iter_mut()) {
                    append(text, name, copy, read);
                }
            }
        }
    }

    fn library(&self, random: &mut Random, reads: &mut [Read; 2], repeats: &mut Vec<TandemRepeat>) {
        for (mate, read) in reads.iter_mut().enumerate() {
            self.slippage.apply(random, read, repeats);
            self.damage.apply(random, read, mate);
        }
    }
}

fn append(text: &mut Vec<u8>, name: &[u8], copy: usize, read: &Read) {
    text.push(b'@');
    duplicates::append_name(name, copy, text);
    text.push(b'\n');
    text.extend_from_slice(&read.bases);
    text.extend_from_slice(b"\n+\n");
    text.extend_from_slice(&read.qualities);
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::random::{base, stream};
    use crate::reads::fastq::{PAIRS_PER_BLOCK, Slices};

    fn block(first: usize, bases: &[[Vec<u8>; 2]]) -> Block {
        let mut block = Block::default();
        for (number, pair) in bases.iter().enumerate() {
            let names = ["1", "2"].map(|mate| format!("r{}/{mate}", first + number));
            let qualities = [vec![b'I'; pair[0].len()], vec![b'I'; pair[1].len()]];
            let mate = |at: usize| Slices {
                name: names[at].as_bytes(),
                bases: &pair[at],
                qualities: &qualities[at],
            };
            block.push([mate(0), mate(1)], 1).unwrap();
        }
        block
    }

    fn random_pairs(count: usize, seed: u64) -> Vec<[Vec<u8>; 2]> {
        let mut random = stream(seed, 0);
        let mut read = || {
            let mut bases: Vec<u8> = (0..90).map(|_| base(&mut random)).collect();
            let copies = random.random_range(5..12usize);
            bases.splice(40..40, [b'A'].repeat(copies));
            bases
        };
        (0..count).map(|_| [read(), read()]).collect()
    }

    fn often(seed: u64) -> ReadErrors {
        ReadErrors::new(&ReadOptions {
            seed,
            slippage: 20.0,
            positions_per_context_error: 50.0,
            oxidation: 0.01,
            deamination: 0.01,
            chimeras: 0.3,
            duplicates: 0.3,
            quality_bins: Some(vec![2, 12, 23, 37]),
        })
        .unwrap()
    }

    fn texts(errors: &ReadErrors, previous: Option<&Block>, block: &Block) -> [Vec<u8>; 2] {
        let mut texts = [Vec::new(), Vec::new()];
        let before = previous.map_or(0, Block::len) as u64;
        errors.block(before, previous, block, &mut texts);
        texts
    }

    fn records(text: &[u8]) -> Vec<[String; 4]> {
        let text = String::from_utf8(text.to_vec()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let record = |lines: &[&str]| std::array::from_fn(|at| lines[at].to_owned());
        assert!(lines.len().is_multiple_of(4));
        lines.chunks(4).map(record).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn pairs_stay_pairs_and_bases_keep_their_qualities(
            lengths in prop::collection::vec((0usize..160, 0usize..160), 1..60),
            letters in prop::sample::select(vec![b"ACGT".to_vec(), b"AAAAC".to_vec(), b"GGCTN".to_vec()]),
            seed in any::<u64>(),
        ) {
            let mut random = stream(seed, 1);
            let mut read = |length: usize| -> Vec<u8> {
                (0..length).map(|_| letters[random.random_range(0..letters.len())]).collect()
            };
            let pairs: Vec<_> = lengths.iter().map(|(a, b)| [read(*a), read(*b)]).collect();
            let block = block(0, &pairs);
            let texts = texts(&often(seed), None, &block);
            let mates = [records(&texts[0]), records(&texts[1])];
            prop_assert_eq!(mates[0].len(), mates[1].len());
            let mut seen = std::collections::BTreeSet::new();
            for (first, second) in mates[0].iter().zip(&mates[1]) {
                let fragment = first[0].strip_suffix("/1").unwrap();
                prop_assert_eq!(Some(fragment), second[0].strip_suffix("/2"));
                prop_assert!(seen.insert(fragment.to_owned()), "{} twice", fragment);
                for record in [first, second] {
                    prop_assert!(record[0].starts_with("@r"));
                    prop_assert_eq!(&record[2], "+");
                    prop_assert_eq!(record[1].len(), record[3].len());
                    prop_assert!(record[3].bytes().all(|q| matches!(q - 33, 12 | 23 | 37)));
                }
            }
            for number in 0..pairs.len() {
                prop_assert!(seen.contains(&format!("@r{number}")), "every pair is there");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_block_by_block() {
        let (first, second) = (
            block(0, &random_pairs(PAIRS_PER_BLOCK, 1)),
            block(PAIRS_PER_BLOCK, &random_pairs(300, 2)),
        );
        let errors = often(5);
        let done = texts(&errors, Some(&first), &second);
        assert_eq!(done, texts(&often(5), Some(&first), &second));
        assert_ne!(done, texts(&often(6), Some(&first), &second));
        assert_ne!(
            done,
            texts(&errors, None, &second),
            "chimeras reach into the block before"
        );
    }

    #[test]
    fn copies_share_everything_but_their_name() {
        let done = texts(&often(7), None, &block(0, &random_pairs(500, 3)));
        for mate in records(&done[0]).windows(2) {
            if mate[1][0].contains(":copy") {
                assert_eq!(mate[0][1..], mate[1][1..]);
            }
        }
        let copies = records(&done[0]).len() - 500;
        assert!((130..250).contains(&copies), "0.3 * 1.25 a pair: {copies}");
    }

    #[test]
    fn nothing_happens_where_all_is_off() {
        let pairs = random_pairs(200, 4);
        let errors = ReadErrors::new(&ReadOptions {
            seed: 1,
            slippage: 0.0,
            positions_per_context_error: 0.0,
            oxidation: 0.0,
            deamination: 0.0,
            chimeras: 0.0,
            duplicates: 0.0,
            quality_bins: None,
        })
        .unwrap();
        let done = texts(&errors, None, &block(0, &pairs));
        for (record, pair) in records(&done[1]).iter().zip(&pairs) {
            assert_eq!(record[1].as_bytes(), pair[1]);
            assert!(record[3].bytes().all(|quality| quality == b'I'));
        }
        assert_eq!(records(&done[0]).len(), 200);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let refused = |change: fn(&mut ReadOptions)| {
            let mut options = ReadOptions::default();
            change(&mut options);
            ReadErrors::new(&options).unwrap_err().to_string()
        };
        assert!(refused(|o| o.slippage = -1.0).contains("--slippage is -1"));
        assert!(refused(|o| o.chimeras = 1.5).contains("--chimeras is 1.5"));
        assert!(refused(|o| o.oxidation = f64::NAN).contains("--oxidation"));
        assert!(refused(|o| o.positions_per_context_error = 3.0).contains("--context-errors is 3"));
        assert!(refused(|o| o.quality_bins = Some(vec![9, 3])).contains("9,3"));
        assert!(ReadErrors::new(&ReadOptions::default()).is_ok());
    }
}
