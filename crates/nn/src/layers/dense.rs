//! The fully connected layer.

use candle_core::{Result, Tensor};

use super::conv::conv_rows;

/// `y[s][o] = bias[o] + sum over i of x[s][i] * weight[o][i]`: PyTorch's `Linear`.
///
/// `x` is `[S, I]`, `weight` `[O, I]`, `bias` `[O]`; the result is `[S, O]`. It is a convolution of
/// rows of one position.
///
/// # Errors
/// Shapes that do not fit together, I or O of 0, and candle's own.
pub fn dense(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    conv_rows(&x.unsqueeze(1)?, &weight.unsqueeze(2)?, bias, false)?.squeeze(1)
}
