//! Stacks of rows of which the last stored one may stand for any number of equal rows, and
//! max-pooling over them.

use super::error::{KernelError, at_least_one, exact, volume};

/// A tensor `[row][position][channel]` (channels last, row-major) of `logical` rows, of which
/// the first `stored` are kept: every row from `stored` on equals row `stored - 1`.
///
/// A pile-up of n reads is stored as n + 1 rows, the last being the padding row; a full one
/// has `stored == logical`. A sequence (1-D convolution) has one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a> {
    /// `stored * width * channels` elements.
    pub data: &'a [f32],
    /// Rows kept, 1 to `logical`.
    pub stored: usize,
    /// Rows the tensor stands for.
    pub logical: usize,
    /// Positions per row, at least 1.
    pub width: usize,
}

/// Sizes of a tensor with the row convention of [`Rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsShape {
    /// Rows kept.
    pub stored: usize,
    /// Rows the tensor stands for.
    pub logical: usize,
    /// Positions per row.
    pub width: usize,
    /// Channels per position.
    pub channels: usize,
}

impl RowsShape {
    /// The tensor of this shape over `data`, to hand to the next layer, which checks that
    /// `data` holds `stored * width * channels` elements.
    #[must_use]
    pub fn rows(self, data: &[f32]) -> Rows<'_> {
        Rows {
            data,
            stored: self.stored,
            logical: self.logical,
            width: self.width,
        }
    }

    /// Elements of the tensor with all its rows written out, `[logical][width][channels]`.
    ///
    /// # Errors
    /// [`KernelError::TooLarge`] when that cannot be addressed.
    pub fn full_len(self) -> Result<usize, KernelError> {
        volume("tensor", &[self.logical, self.width, self.channels])
    }
}

impl Rows<'_> {
    /// Fails unless the sizes agree with each other and with the data.
    ///
    /// # Errors
    /// [`KernelError::Zero`], [`KernelError::Stored`], [`KernelError::Length`] or
    /// [`KernelError::TooLarge`].
    pub(super) fn check(&self, channels: usize) -> Result<(), KernelError> {
        at_least_one(&[
            ("stored", self.stored),
            ("width", self.width),
            ("channels", channels),
        ])?;
        if self.stored > self.logical {
            return Err(KernelError::Stored {
                stored: self.stored,
                logical: self.logical,
            });
        }
        let axes = [self.stored, self.width, channels];
        exact("input", &axes, self.data.len())
    }

    /// Writes all rows out, `[logical][width][channels]`, replacing what is in `out`: the
    /// input of a fully connected layer.
    ///
    /// # Errors
    /// As for every layer: sizes that do not agree with the data.
    pub fn expand(&self, channels: usize, out: &mut Vec<f32>) -> Result<(), KernelError> {
        self.check(channels)?;
        let full = volume("tensor", &[self.logical, self.width, channels])?;
        let last = &self.data[self.data.len() - self.width * channels..];
        out.clear();
        out.reserve(full);
        out.extend_from_slice(self.data);
        for _ in self.stored..self.logical {
            out.extend_from_slice(last);
        }
        Ok(())
    }
}

/// Distinct rows of a layer's output: row r is computed from input rows that start at
/// `stride * r`, so from the first r with `stride * r >= stored - 1` on all are equal.
pub(super) fn distinct_rows(stored: usize, stride: usize, logical_out: usize) -> usize {
    ((stored - 1).div_ceil(stride) + 1).min(logical_out)
}

/// Maximum over `k` consecutive rows, stride `k`, for each position and channel. Rows left
/// over at the end are dropped: `logical / k` rows come out, of which the distinct ones (those
/// covering an input row before the last stored one, and one more) are written to `out`,
/// replacing what is in it. NaN wins over every number.
///
/// # Errors
/// [`KernelError::Window`] when `k > logical`; [`KernelError::Zero`] when `k` is 0; sizes
/// that do not agree with the data.
pub fn max_pool_rows(
    x: Rows<'_>,
    channels: usize,
    k: usize,
    out: &mut Vec<f32>,
) -> Result<RowsShape, KernelError> {
    at_least_one(&[("k", k)])?;
    x.check(channels)?;
    if k > x.logical {
        return Err(KernelError::Window {
            axis: "rows",
            input: x.logical,
            window: k,
        });
    }
    let logical = x.logical / k;
    let stored = distinct_rows(x.stored, k, logical);
    let row = x.width * channels;
    let input = |r: usize| &x.data[r.min(x.stored - 1) * row..][..row];
    out.clear();
    out.reserve(stored * row);
    for p in 0..stored {
        let start = out.len();
        out.extend_from_slice(input(k * p));
        // Beyond the last stored row the window would only see that row again.
        for r in k * p + 1..(k * (p + 1)).min(x.stored) {
            for (best, &value) in out[start..].iter_mut().zip(input(r)) {
                if value > *best || value.is_nan() {
                    *best = value;
                }
            }
        }
    }
    Ok(RowsShape {
        stored,
        logical,
        width: x.width,
        channels,
    })
}
