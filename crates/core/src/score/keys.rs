//! The keys under which scores and probabilities stand in a VCF.

/// INFO key of the log odds of networks that read reads.
pub const READS_KEY: &str = "CNN_2D";
/// INFO key of the log odds of networks that read the reference alone.
pub const REFERENCE_KEY: &str = "CNN_1D";
/// Both keys of log odds, the better score first.
pub const SCORE_KEYS: [&str; 2] = [READS_KEY, REFERENCE_KEY];
/// INFO key of the probability that a record's best ALT is real, 0 to 1.
pub const PROBABILITY_KEY: &str = "CNN_PROB";
/// INFO key of the log odds of each ALT (Number=A).
pub const ALLELE_KEY: &str = "CNN_AS";
/// INFO key of the topics that decided a score (`score --explain`).
pub const WHY_KEY: &str = "CNN_WHY";
/// INFO key of the novelty of a record's best ALT (`score --novelty`): the share of the training calls that are less
/// unusual, 0 to 1.
pub const NOVELTY_KEY: &str = "CNN_NOVEL";
/// FORMAT key of the log odds in one sample (Number=1).
pub const SAMPLE_KEY: &str = "CNN";
