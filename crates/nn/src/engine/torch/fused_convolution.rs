//! Convolution, bias and ReLU in one pass of oneDNN over weights that are packed once.
//!
//! libtorch's own `conv2d` packs the weights at every call and leaves ReLU to a second pass over the output. The
//! operator that its compiler uses (`mkldnn::_convolution_pointwise`) does neither, and is reached through the C
//! interface that libtorch exports for compiled models (`torch/csrc/inductor/aoti_torch/c/shim_cpu.h`).

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::LazyLock;

use convbase_bases::Activation;
use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

use super::convolution::Window;
use crate::TorchError;

/// A convolution with bias, then where it has one ReLU.
#[derive(Debug)]
pub(super) struct FusedConvolution {
    /// In oneDNN's own layout.
    weight: Tensor,
    /// `[out]`
    bias: Tensor,
    window: Window,
    activation: Activation,
    operator: Pointwise,
}

/// `aoti_torch_cpu_mkldnn__convolution_pointwise`: handles are pointers to tensors, as tch's are.
type Pointwise = unsafe extern "C" fn(
    input: *const C_tensor,
    weight: *const C_tensor,
    bias: *const *const C_tensor,
    padding: *const i64,
    padding_length: i64,
    stride: *const i64,
    stride_length: i64,
    dilation: *const i64,
    dilation_length: i64,
    groups: i64,
    attribute: *const c_char,
    scalars: *const *const f64,
    scalars_length: i64,
    algorithm: *const *const c_char,
    output: *mut *mut C_tensor,
) -> c_int;

/// `aoti_torch_abi_version`: major and minor version in the two highest bytes.
type Version = unsafe extern "C" fn() -> u64;

/// The libtorch whose header says what the operator takes.
const LIBTORCH: [u8; 2] = [2, 11];

/// The operator, where this libtorch has it and is the version whose interface is known.
static POINTWISE: LazyLock<Option<Pointwise>> = LazyLock::new(|| {
    // SAFETY: the types are those of the header of libtorch 2.11 (`torch/csrc/inductor/aoti_torch`), and the operator is
    // handed on only when the version that the library itself tells is that one.
    #[expect(unsafe_code, reason = "tch has no binding of these functions")]
    let found = unsafe {
        let program = libloading::os::unix::Library::this();
        program.get::<Version>(b"aoti_torch_abi_version\0").and_then(|version| {
            let [major, minor, ..] = version().to_be_bytes();
            if [major, minor] != LIBTORCH {
                tracing::debug!(
                    "no fused convolutions: expected libtorch {LIBTORCH:?}, found {major}.{minor}"
                );
                return Ok(None);
            }
            let operator = program.get::<Pointwise>(b"aoti_torch_cpu_mkldnn__convolution_pointwise\0")?;
            Ok(Some(*operator))
        })
    };
    found
        .inspect_err(|error| tracing::debug!("no fused convolutions in this libtorch: {error}"))
        .ok()
        .flatten()
});

const ONES: [i64; 2] = [1, 1];

impl FusedConvolution {
    /// Packs the weight [out, in / groups, height, width] of a convolution with this bias `[out]`. `None` where libtorch
    /// or the device cannot do it.
    pub(super) fn new(
        weight: &Tensor,
        bias: &Tensor,
        window: Window,
        activation: Activation,
    ) -> Result<Option<Self>, TorchError> {
        let Some(operator) = *POINTWISE else { return Ok(None) };
        if weight.device() != Device::Cpu || !tch::utils::has_mkldnn() {
            return Ok(None);
        }
        let pack = || {
            let weight = weight.f_to_mkldnn(weight.kind())?;
            weight.f_mkldnn_reorder_conv2d_weight(
                window.padding,
                window.stride,
                ONES,
                window.groups,
                None::<&[i64]>,
            )
        };
        // oneDNN packs bf16 for processors that have instructions for it, and libtorch alone knows which it takes.
        match pack() {
            Ok(packed) => {
                Ok(Some(Self { weight: packed, bias: bias.shallow_clone(), window, activation, operator }))
            }
            Err(error) if weight.kind() != Kind::Float => {
                tracing::debug!("no fused convolutions in {:?} on this processor: {error}", weight.kind());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the activation is part of the pass.
    pub(super) fn activates(&self) -> bool {
        self.activation != Activation::Relu6
    }

    /// The map [batch, out, height, width] of a map [batch, in, height, width], both channels-last.
    pub(super) fn forward(&self, map: &Tensor) -> Result<Tensor, TorchError> {
        let bias = self.bias.as_ptr();
        let mut output = ptr::null_mut();
        let attribute = if self.activation == Activation::Relu { c"relu" } else { c"none" };
        let Window { stride, padding, groups } = self.window;
        // SAFETY: all tensors live until the call returns, the lists have the lengths that are said, and there are no
        // scalars and no algorithm. What comes back is a new tensor that nobody else owns, or an error code.
        #[expect(unsafe_code, reason = "tch has no binding of this function")]
        unsafe {
            let code = (self.operator)(
                map.as_ptr(),
                self.weight.as_ptr(),
                &raw const bias,
                padding.as_ptr(),
                2,
                stride.as_ptr(),
                2,
                ONES.as_ptr(),
                2,
                groups,
                attribute.as_ptr(),
                ptr::null(),
                0,
                ptr::null(),
                &raw mut output,
            );
            if code != 0 || output.is_null() {
                return Err(TchError::Torch(format!("a fused convolution failed with code {code}")).into());
            }
            Ok(Tensor::from_ptr(output))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_convolution_and_a_relu() {
        let draw = |shape: &[i64]| {
            let count: i64 = shape.iter().product();
            ((Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.37).sin()).view(shape)
        };
        for (channels, outputs, side, groups, stride, activation) in [
            (3, 64, 9, 1, [1, 1], Activation::Relu),
            (64, 32, 6, 1, [2, 2], Activation::None),
            (32, 32, 7, 32, [2, 1], Activation::Relu),
        ] {
            let map = draw(&[2, side, side, channels]).permute([0, 3, 1, 2]);
            let (weight, bias) = (draw(&[outputs, channels / groups, 3, 3]), draw(&[outputs]));
            let window = Window { stride, padding: [1, 1], groups };
            let fused = FusedConvolution::new(&weight, &bias, window, activation).unwrap().unwrap();
            let found = fused.forward(&map).unwrap();
            let expected = map.conv2d(&weight, Some(&bias), stride, [1, 1], [1, 1], groups);
            let expected = if activation == Activation::Relu { expected.relu() } else { expected };
            assert_eq!(found.size(), expected.size());
            assert!(found.permute([0, 2, 3, 1]).is_contiguous(), "the output is channels-last");
            let distance = (found - &expected).abs().max().double_value(&[]);
            assert!(distance < 1e-4, "{distance}");
        }
    }
}
