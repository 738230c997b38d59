//! Errors of the sizes given to a layer.

use std::error::Error;
use std::fmt;

use super::isa::Isa;

/// Sizes that do not fit together, or an instruction set this machine lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelError {
    /// A size that must be at least 1 is 0.
    Zero {
        /// The size in question, such as `cin` or `width`.
        what: &'static str,
    },
    /// A buffer's length is not the product of its axes.
    Length {
        /// The buffer in question, such as `weight` or `input`.
        what: &'static str,
        /// Number of elements the axes ask for.
        expected: usize,
        /// Number of elements given.
        found: usize,
    },
    /// More rows are stored than there are.
    Stored {
        /// Rows stored.
        stored: usize,
        /// Rows the tensor stands for.
        logical: usize,
    },
    /// The input is smaller than the window that moves over it.
    Window {
        /// `rows` or `positions`.
        axis: &'static str,
        /// Size of the input along that axis.
        input: usize,
        /// Size of the window along that axis.
        window: usize,
    },
    /// A tensor of more elements than can be addressed.
    TooLarge {
        /// The tensor in question.
        what: &'static str,
    },
    /// The instruction set is not available on this machine.
    Unavailable {
        /// The instruction set asked for.
        isa: Isa,
    },
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Zero { what } => write!(f, "{what} is 0, expected at least 1"),
            Self::Length {
                what,
                expected,
                found,
            } => write!(f, "{what} has {found} elements, expected {expected}"),
            Self::Stored { stored, logical } => {
                write!(f, "{stored} rows stored of a tensor of {logical} rows")
            }
            Self::Window {
                axis,
                input,
                window,
            } => write!(f, "a window of {window} {axis} on an input of {input}"),
            Self::TooLarge { what } => write!(f, "{what} is too large to address"),
            Self::Unavailable { isa } => {
                write!(f, "this machine has no {isa} instructions")
            }
        }
    }
}

impl Error for KernelError {}

/// Product of the sizes of a tensor's axes.
///
/// # Errors
/// [`KernelError::TooLarge`] when its bytes as f32 cannot be counted in an `isize`.
pub(super) fn volume(what: &'static str, axes: &[usize]) -> Result<usize, KernelError> {
    let too_large = KernelError::TooLarge { what };
    axes.iter()
        .try_fold(1usize, |product, &axis| product.checked_mul(axis))
        .filter(|&elements| elements <= isize::MAX as usize / size_of::<f32>())
        .ok_or(too_large)
}

/// Fails unless every named size is at least 1.
///
/// # Errors
/// [`KernelError::Zero`] for the first that is 0.
pub(super) fn at_least_one(sizes: &[(&'static str, usize)]) -> Result<(), KernelError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some(&(what, _)) => Err(KernelError::Zero { what }),
        None => Ok(()),
    }
}

/// Fails unless a buffer has the length its axes ask for.
///
/// # Errors
/// [`KernelError::Length`], or [`KernelError::TooLarge`].
pub(super) fn exact(what: &'static str, axes: &[usize], found: usize) -> Result<(), KernelError> {
    let expected = volume(what, axes)?;
    if expected == found {
        Ok(())
    } else {
        Err(KernelError::Length {
            what,
            expected,
            found,
        })
    }
}
