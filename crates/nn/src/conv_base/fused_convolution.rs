//! Convolution, bias and ReLU in one pass of oneDNN over weights that are packed once.
//!
//! libtorch's own `conv2d` packs the weights at every call and leaves ReLU to a second pass over the output. The
//! operator that its compiler uses (`mkldnn::_convolution_pointwise`) does neither, and is reached through the C
//! interface that libtorch exports for compiled models (`torch/csrc/inductor/aoti_torch/c/shim_cpu.h`).

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::LazyLock;

use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

use crate::TorchError;

/// A 3 × 3 convolution with stride 1 and zero padding, then ReLU.
#[derive(Debug)]
pub(crate) struct FusedConvolution {
    /// In oneDNN's own layout.
    weight: Tensor,
    /// `[out]`
    bias: Tensor,
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

/// The operator, where this libtorch has it.
static POINTWISE: LazyLock<Option<Pointwise>> = LazyLock::new(|| {
    // SAFETY: the type is that of the header of libtorch 2.11, the only version that tch builds against.
    #[expect(unsafe_code, reason = "tch has no binding of this function")]
    let found = unsafe {
        let program = libloading::os::unix::Library::this();
        program.get::<Pointwise>(b"aoti_torch_cpu_mkldnn__convolution_pointwise\0").map(|symbol| *symbol)
    };
    found.inspect_err(|error| tracing::debug!("no fused convolutions in this libtorch: {error}")).ok()
});

const ONES: [i64; 2] = [1, 1];

impl FusedConvolution {
    /// Packs the weight [out, in, 3, 3] of a convolution with this bias `[out]`. `None` where libtorch or the device
    /// cannot do it.
    pub(crate) fn new(weight: &Tensor, bias: &Tensor) -> Result<Option<Self>, TorchError> {
        let Some(operator) = *POINTWISE else { return Ok(None) };
        if weight.device() != Device::Cpu || !tch::utils::has_mkldnn() {
            return Ok(None);
        }
        let pack = || {
            let weight = weight.f_to_mkldnn(weight.kind())?;
            weight.f_mkldnn_reorder_conv2d_weight(ONES, ONES, ONES, 1, None::<&[i64]>)
        };
        // oneDNN packs bf16 for processors that have instructions for it, and libtorch alone knows which it takes.
        match pack() {
            Ok(packed) => Ok(Some(Self { weight: packed, bias: bias.shallow_clone(), operator })),
            Err(error) if weight.kind() != Kind::Float => {
                tracing::debug!("no fused convolutions in {:?} on this processor: {error}", weight.kind());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The map [batch, out, height, width] of a map [batch, in, height, width], both channels-last.
    pub(crate) fn forward(&self, map: &Tensor) -> Result<Tensor, TorchError> {
        let bias = self.bias.as_ptr();
        let mut output = ptr::null_mut();
        // SAFETY: all tensors live until the call returns, the lists have the lengths that are said, and there are no
        // scalars and no algorithm. What comes back is a new tensor that nobody else owns, or an error code.
        #[expect(unsafe_code, reason = "tch has no binding of this function")]
        unsafe {
            let code = (self.operator)(
                map.as_ptr(),
                self.weight.as_ptr(),
                &raw const bias,
                ONES.as_ptr(),
                2,
                ONES.as_ptr(),
                2,
                ONES.as_ptr(),
                2,
                1,
                c"relu".as_ptr(),
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
        for (channels, outputs, side) in [(3, 64, 9), (64, 32, 6)] {
            let map = draw(&[2, side, side, channels]).permute([0, 3, 1, 2]);
            let (weight, bias) = (draw(&[outputs, channels, 3, 3]), draw(&[outputs]));
            let fused = FusedConvolution::new(&weight, &bias).unwrap().unwrap();
            let found = fused.forward(&map).unwrap();
            let expected = map.conv2d(&weight, Some(&bias), [1, 1], [1, 1], [1, 1], 1).relu();
            assert_eq!(found.size(), expected.size());
            assert!(found.permute([0, 2, 3, 1]).is_contiguous(), "the output is channels-last");
            let distance = (found - &expected).abs().max().double_value(&[]);
            assert!(distance < 1e-4, "{distance}");
        }
    }
}
