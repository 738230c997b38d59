//! max(x, 0).

use candle_core::{Result, Tensor};

/// `max(x, 0)` of each element, with derivative 0 at 0, as PyTorch's; NaN stays NaN. Any shape,
/// any device.
///
/// # Errors
/// candle's own.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    x.le(0f32)?.where_cond(&x.zeros_like()?, x)
}
