//! One convolution with bias and activation.

use convbase_bases::{Activation, Padding};
use tch::{Device, Tensor};

use super::fused_convolution::FusedConvolution;
use super::window::pad;
use super::{Arithmetic, activate};
use crate::TorchError;

/// A convolution whose weights lie on a device.
#[derive(Debug)]
pub(super) struct Convolution {
    kernel: Kernel,
    /// Put around the map first, where the convolution's own padding would not be the same on both sides.
    before: Option<Padding>,
    activation: Activation,
}

#[derive(Debug)]
enum Kernel {
    /// Packed, bias and ReLU in the same pass.
    Fused(FusedConvolution),
    /// Weight [outputs, inputs / groups, height, width] and bias `[outputs]`.
    Plain { weight: Tensor, bias: Tensor, window: Window },
}

/// How a kernel goes over a map, downwards and to the right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) stride: [i64; 2],
    pub(crate) padding: [i64; 2],
    pub(crate) groups: i64,
}

impl Convolution {
    pub(super) fn new(
        convolution: &convbase_bases::Convolution,
        arithmetic: Arithmetic,
        device: Device,
    ) -> Result<Self, TorchError> {
        let [height, width] = convolution.kernel.map(|side| side as i64);
        let inputs = (convolution.inputs / convolution.groups) as i64;
        let shape = [convolution.outputs as i64, inputs, height, width];
        let weight = Tensor::f_from_slice(&convolution.weight)?.f_view(shape)?.f_to_device(device)?;
        let weight = arithmetic.keep(weight)?;
        let bias = arithmetic.keep(Tensor::f_from_slice(&convolution.bias)?.f_to_device(device)?)?;
        let (window, before) = window(convolution);
        let kernel = match FusedConvolution::new(&weight, &bias, window, convolution.activation)? {
            Some(fused) => Kernel::Fused(fused),
            None => Kernel::Plain { weight: channels_last(&weight)?, bias, window },
        };
        Ok(Self { kernel, before, activation: convolution.activation })
    }

    /// The map [batch, outputs, height, width] of a map [batch, inputs, height, width].
    pub(super) fn forward(&self, map: &Tensor) -> Result<Tensor, TorchError> {
        let padded = self.before.as_ref().map(|padding| pad(map, padding, 0.0)).transpose()?;
        let map = padded.as_ref().unwrap_or(map);
        match &self.kernel {
            Kernel::Fused(fused) if fused.activates() => fused.forward(map),
            Kernel::Fused(fused) => activate(fused.forward(map)?, self.activation),
            Kernel::Plain { weight, bias, window } => {
                activate(convolve(map, weight, bias, *window)?, self.activation)
            }
        }
    }
}

/// How a convolution goes over a map, and what is put around the map first, where the convolution's own padding would not
/// be the same on both sides.
pub(crate) fn window(convolution: &convbase_bases::Convolution) -> (Window, Option<Padding>) {
    let Padding { top, bottom, left, right } = convolution.padding;
    let is_even = top == bottom && left == right;
    let window = Window {
        stride: convolution.stride.map(|step| step as i64),
        padding: if is_even { [top as i64, left as i64] } else { [0, 0] },
        groups: convolution.groups as i64,
    };
    (window, (!is_even).then_some(convolution.padding))
}

/// A GPU must not round float32 to the ten bits of tf32, which libtorch allows it by default, and must choose an
/// algorithm that gives equal bytes each time.
pub(crate) fn convolve(
    map: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    window: Window,
) -> Result<Tensor, TorchError> {
    let (transposed, benchmark, deterministic, cudnn, tf32) = (false, false, true, true, false);
    Ok(map.f_internal_convolution(
        weight,
        Some(bias),
        window.stride,
        window.padding,
        [1, 1],
        transposed,
        [0, 0],
        window.groups,
        benchmark,
        deterministic,
        cudnn,
        tf32,
    )?)
}

/// The same tensor with its channels last in memory: with a weight in this layout libtorch keeps maps in it.
fn channels_last(tensor: &Tensor) -> Result<Tensor, TorchError> {
    Ok(tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn the_convolution_of_a_gpu_is_libtorchs_on_the_processor() {
        let draw = |shape: &[i64]| {
            let count: i64 = shape.iter().product();
            (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.37).sin().view(shape)
        };
        let (map, weight, bias) = (draw(&[2, 4, 9, 7]), draw(&[8, 2, 3, 3]), draw(&[8]));
        let window = Window { stride: [2, 1], padding: [1, 0], groups: 2 };
        let found = convolve(&map, &channels_last(&weight).unwrap(), &bias, window).unwrap();
        let expected = map.conv2d(&weight, Some(&bias), [2, 1], [1, 0], [1, 1], 2);
        assert!((found - expected).abs().max().double_value(&[]) < 1e-5);
    }
}
