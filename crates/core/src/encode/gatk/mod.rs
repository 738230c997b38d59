//! GATK's tensors, exactly, for the networks that were trained on them.
//!
//! Follows GATK 4.6.2.0's `scorevariants/encoders.py` (commit 6b05e1d1dd). The published weights
//! depend on what that code does, so its oddities are copied; each is named here and tested:
//!
//! 1. A read longer than the window is cut to its first 128 bases *before* it is shifted to its
//!    place, so bases beyond the 128th never appear ([`read_tensor`]).
//! 2. A soft-clipped read begins at its unclipped start; hard clips and `N`, `=`, `X`, `P` do not
//!    move the columns of insertions and deletions behind them.
//! 3. An insertion or deletion left of the window pushes the whole row to the right; insertions
//!    of *any* read near the window open columns in all rows and in the reference, also behind
//!    the end of a shorter read.
//! 4. Two indels of one read are placed right to left in columns counted before the other was
//!    placed.
//! 5. Flags and mapping quality end one column before the read's last base.
//! 6. Duplicates, secondary, supplementary, QC-fail and unmapped-but-placed reads take part; only
//!    reads of HaplotypeCaller's artificial read group are left out.
//! 7. Reference letters other than A, C, G, T count as `N` (a quarter each); ambiguity codes *in
//!    reads* use a table whose rows for R, Y, S, W, V, H are permuted.
//! 8. Where the window would begin left of the contig it begins at its first base instead, so the
//!    call is not in the middle.
//! 9. Mapping quality is divided by 60 and not clipped.
//! 10. A record of two types takes the larger of the SNP and the INDEL score.
//!
//! Three things differ, on purpose: reads of a site deeper than 128 are sampled per site (see
//! [`crate::encode::reservoir`]); a missing annotation written as `.` is 0 (there: NaN, and so is
//! the score); reads without read group, bases or qualities are accepted (there: a crash; a
//! missing quality counts as certain).

pub mod read_tensor;
pub mod reference_tensor;
pub mod window;

pub use read_tensor::ReadTensor;
pub use reference_tensor::ReferenceTensor;

/// Stands for a gap (`INDEL_CHAR`).
const GAP: u8 = b'*';

/// Columns of either tensor, in bases.
pub const WINDOW: usize = 128;
/// Rows of the read tensor: the most reads a site can show.
pub const READ_LIMIT: usize = 128;
/// Channels of the read tensor; their order is [`CHANNEL_NAMES`].
pub const CHANNELS: usize = 15;

/// The channels of the read tensor, in order.
pub const CHANNEL_NAMES: [&str; CHANNELS] = [
    "read_A",
    "read_C",
    "read_G",
    "read_T",
    "read_*",
    "reference_A",
    "reference_C",
    "reference_G",
    "reference_T",
    "reference_*",
    "flag_bit_4",
    "flag_bit_5",
    "flag_bit_6",
    "flag_bit_7",
    "mapping_quality",
];
