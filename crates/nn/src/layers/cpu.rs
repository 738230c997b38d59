//! The numbers of a tensor on the CPU.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The elements of a contiguous f32 tensor's storage.
///
/// # Errors
/// Another type, or a layout that is not contiguous.
pub(super) fn elements<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!(
            "a tensor of strides {:?} is not contiguous",
            layout.stride()
        ),
    }
}

/// Hands the elements of a contiguous f32 tensor on the CPU to `f`.
///
/// # Errors
/// As [`elements`], a tensor elsewhere, and those of `f`.
pub(super) fn with_elements<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(elements(storage, layout)?),
        _ => bail!(
            "a tensor on {:?} where one on the CPU was due",
            tensor.device()
        ),
    }
}
