//! Where tensors live and what the device multiplies natively.

use std::fmt;
use std::str::FromStr;

use convbase_core::Precision;
use serde::{Serialize, Serializer};

/// A device as the user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU where there is one, else the processor.
    Auto,
    /// The processor.
    Cpu,
    /// The GPU of this number. Fails where there is none.
    Cuda(usize),
}

/// A device that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The name is no device's.
    #[error("device: expected auto, cpu, cuda or cuda:N, found `{0}`")]
    Unknown(String),
    /// This libtorch knows no GPU, or the machine has none.
    #[error("device: expected a CUDA device, found none that this libtorch can use")]
    NoCuda,
    /// The machine has fewer GPUs.
    #[error("device: expected cuda:{index}, found {count} CUDA devices")]
    TooFew {
        /// The number that was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl DeviceChoice {
    /// Finds the device. Never falls back from `cuda` to the processor.
    pub fn resolve(self) -> Result<tch::Device, DeviceError> {
        match self {
            Self::Cpu => Ok(tch::Device::Cpu),
            Self::Auto => Ok(if cuda_devices() > 0 { tch::Device::Cuda(0) } else { tch::Device::Cpu }),
            Self::Cuda(index) => match cuda_devices() {
                0 => Err(DeviceError::NoCuda),
                count if index >= count => Err(DeviceError::TooFew { index, count }),
                _ => Ok(tch::Device::Cuda(index)),
            },
        }
    }
}

/// How many GPUs this libtorch can use.
fn cuda_devices() -> usize {
    // The stages are linked against the libraries that every libtorch has. Where the CUDA half lies beside them,
    // loading it registers the GPU; it stays loaded, as its functions are called from now on.
    // SAFETY: the library's initialisers are libtorch's own.
    #[expect(unsafe_code, reason = "the only way to use a GPU without being linked against it")]
    match unsafe { libloading::Library::new("libtorch_cuda.so") } {
        Ok(library) => std::mem::forget(library),
        Err(error) => tracing::debug!("no CUDA in this libtorch: {error}"),
    }
    if tch::Cuda::is_available() { usize::try_from(tch::Cuda::device_count()).unwrap_or(0) } else { 0 }
}

/// The arithmetic that `--precision auto` means on a device: bf16 where matrices of it are multiplied natively.
pub(crate) fn native_precision(device: tch::Device) -> Precision {
    let native = match device {
        tch::Device::Cuda(_) => true,
        _ => processor_multiplies_bf16(),
    };
    if native { Precision::BFloat16 } else { Precision::Float32 }
}

/// Whether the processor has AMX and the kernel lets programs use it. The bf16 instructions of AVX-512 alone do not
/// count: on a Xeon without AMX their peak was half of float32's.
fn processor_multiplies_bf16() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| has_flag(&text, "amx_bf16"))
}

fn has_flag(cpuinfo: &str, flag: &str) -> bool {
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags")?.split_once(':'));
    flags.is_some_and(|(_, flags)| flags.split_whitespace().any(|name| name == flag))
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| DeviceError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
        }
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_others_refused() {
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for text in ["gpu", "cuda:", "cuda:-1", "CPU", ""] {
            assert_eq!(text.parse::<DeviceChoice>(), Err(DeviceError::Unknown(text.to_owned())));
        }
    }

    #[test]
    fn flags_are_whole_words_of_the_flags_line() {
        let cpuinfo = "model name\t: amx_bf16\nflags\t\t: fpu avx512_bf16 amx_tile\nbugs\t\t: amx_bf16\n";
        assert!(has_flag(cpuinfo, "avx512_bf16"));
        assert!(!has_flag(cpuinfo, "amx_bf16"));
        assert!(!has_flag("", "amx_bf16"));
    }

    #[test]
    fn the_processor_is_always_there() {
        assert_eq!(DeviceChoice::Cpu.resolve(), Ok(tch::Device::Cpu));
    }
}
