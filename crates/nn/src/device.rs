//! Devices, and their names on the command line.

use std::str::FromStr;

use candle_core::Device;

use crate::NnError;

/// The device as the user names it: `auto`, `cpu`, `cuda`, `cuda:N`, `cuda:N,M` or `cuda:all`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU where this build and machine have one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPUs of these numbers, at least one and each of them once.
    Cuda(Vec<usize>),
    /// All GPUs.
    CudaAll,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(vec![0])),
            Some(("cuda", "all")) => Ok(Self::CudaAll),
            Some(("cuda", list)) => {
                let mut numbers = Vec::new();
                for number in list.split(',') {
                    let parsed = number
                        .parse()
                        .map_err(|_| format!("`{number}` is no GPU number"))?;
                    if numbers.contains(&parsed) {
                        return Err(format!("GPU {parsed} is named twice"));
                    }
                    numbers.push(parsed);
                }
                Ok(Self::Cuda(numbers))
            }
            _ => Err("expected `auto`, `cpu`, `cuda`, `cuda:N`, `cuda:N,M` or `cuda:all`".into()),
        }
    }
}

impl DeviceChoice {
    /// Opens the devices, at least one; the CPU is always alone.
    ///
    /// # Errors
    /// [`NnError::Device`] where a GPU was asked for and cannot be used.
    pub fn open(&self) -> Result<Vec<Device>, NnError> {
        match self {
            Self::Cpu => Ok(vec![Device::Cpu]),
            Self::Auto => Ok(vec![gpu(0).unwrap_or_else(|error| {
                log::debug!("{error}");
                Device::Cpu
            })]),
            Self::Cuda(numbers) => numbers.iter().map(|number| gpu(*number)).collect(),
            Self::CudaAll => match count() {
                Ok(0) => Err(cannot_be_used("cuda:all", "this machine has no GPU")),
                Ok(count) => (0..count).map(gpu).collect(),
                Err(reason) => Err(cannot_be_used("cuda:all", &reason)),
            },
        }
    }
}

/// Opens the GPU of that number. All its work goes one after the other, whichever threads it comes
/// from: candle's usual device has a queue for each thread and leaves it to the caller that none
/// reads what another is still writing.
fn gpu(number: usize) -> Result<Device, NnError> {
    Device::new_cuda_with_stream(number)
        .map_err(|error| cannot_be_used(&format!("cuda:{number}"), &error.to_string()))
}

/// GPUs of this machine.
#[cfg(feature = "cuda")]
fn count() -> Result<usize, String> {
    use candle_core::cuda_backend::cudarc::driver::CudaContext;
    let count = CudaContext::device_count().map_err(|error| error.to_string())?;
    Ok(usize::try_from(count).unwrap_or(0))
}

#[cfg(not(feature = "cuda"))]
fn count() -> Result<usize, String> {
    Err(String::new())
}

/// `reason` is what candle says.
fn cannot_be_used(device: &str, reason: &str) -> NnError {
    let reason = if cfg!(feature = "cuda") {
        reason.lines().next().unwrap_or_default().to_owned()
    } else {
        "this binary was built without `--features cuda`".to_owned()
    };
    NnError::Device {
        device: device.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(vec![3])));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(vec![0])));
        assert_eq!("cuda:1,0,7".parse(), Ok(DeviceChoice::Cuda(vec![1, 0, 7])));
        assert_eq!("cuda:all".parse(), Ok(DeviceChoice::CudaAll));
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        for bad in ["gpu", "cuda:x", "cuda:", "cuda:0,", "cuda:1,2,1", "cpu:0"] {
            assert!(bad.parse::<DeviceChoice>().is_err(), "{bad}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_so() {
        for choice in ["cuda", "cuda:0,1", "cuda:all"] {
            let choice: DeviceChoice = choice.parse().unwrap();
            let error = choice.open().unwrap_err().to_string();
            assert!(error.contains("--features cuda"), "{error}");
        }
        let open = DeviceChoice::Auto.open().unwrap();
        assert!(matches!(open[..], [Device::Cpu]));
    }
}
