//! The layers as libtorch computes them: on a GPU, in bf16, and on processors without wide vectors.

use convbase_core::{FeatureSpec, Layer, Precision};
use tch::{Device, Kind, Tensor};

use super::fused_convolution::FusedConvolution;
use super::preprocess::normalisation;
use super::weights_of_layers;
use crate::{ConvBaseWeights, TorchError};

/// Layers with one arithmetic on one device.
#[derive(Debug)]
pub(super) struct TorchLayers {
    steps: Vec<Step>,
    /// What pixels are divided by, [1, 3, 1, 1], after `mean` was taken off.
    divisor: Tensor,
    /// [1, 3, 1, 1]
    mean: Tensor,
    device: Device,
    kind: Kind,
}

#[derive(Debug)]
enum Step {
    /// 3 × 3, stride 1, zero padding, then ReLU: weight [out, in, 3, 3], bias `[out]`.
    Convolution { weight: Tensor, bias: Tensor },
    /// The same, packed, in one pass.
    Fused(FusedConvolution),
    /// 2 × 2 maximum, stride 2.
    Pool,
}

// SAFETY: the tensors are only read once they are made, libtorch's operators may read a tensor from several threads, and
// its counts of references are atomic.
#[expect(unsafe_code, reason = "tch cannot know that nobody writes")]
unsafe impl Sync for TorchLayers {}

impl TorchLayers {
    pub(super) fn new(
        weights: &ConvBaseWeights,
        spec: &FeatureSpec,
        precision: Precision,
        device: Device,
    ) -> Result<Self, TorchError> {
        let kind = match precision {
            Precision::Float32 => Kind::Float,
            Precision::BFloat16 => Kind::BFloat16,
        };
        let mut convolutions = weights_of_layers(weights, spec)?.into_iter();
        let mut steps = Vec::new();
        for layer in Layer::all().take_while(|layer| *layer <= spec.layer) {
            if layer.is_pool() {
                steps.push(Step::Pool);
            } else if let Some((weight, bias)) = convolutions.next() {
                let weight = weight.f_to_device(device)?.f_to_kind(kind)?;
                let bias = bias.f_to_device(device)?.f_to_kind(kind)?;
                steps.push(match FusedConvolution::new(&weight, &bias)? {
                    Some(fused) => Step::Fused(fused),
                    None => Step::Convolution { weight: channels_last(&weight)?, bias },
                });
            }
        }
        let (mean, divisor) = normalisation(spec.preprocess);
        let channels = |values: [f64; 3]| {
            Tensor::from_slice(&values).f_to_kind(Kind::Float)?.f_view([1, 3, 1, 1])?.f_to_device(device)
        };
        Ok(Self { steps, divisor: channels(divisor)?, mean: channels(mean)?, device, kind })
    }

    /// What is multiplied.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The maps [batch, height, width, channels], float32 on the device, of bytes [batch, height, width, 3].
    pub(super) fn forward(&self, pixels: &[u8], shape: &[i64; 4]) -> Result<Tensor, TorchError> {
        let bytes = self.upload(&Tensor::f_from_data_size(pixels, shape, Kind::Uint8)?)?;
        // Only the description is permuted; memory stays channels-last.
        let images = bytes.f_permute([0, 3, 1, 2])?; // [batch, 3, height, width]
        let mut map =
            images.f_to_kind(Kind::Float)?.f_sub(&self.mean)?.f_div(&self.divisor)?.f_to_kind(self.kind)?;
        for step in &self.steps {
            map = match step {
                Step::Convolution { weight, bias } => convolve(&map, weight, bias)?, // [batch, out, h, w]
                Step::Fused(convolution) => convolution.forward(&map)?,              // [batch, out, h, w]
                Step::Pool => map.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?, // [batch, out, h / 2, w / 2]
            };
        }
        Ok(map.f_to_kind(Kind::Float)?.f_permute([0, 2, 3, 1])?) // [batch, h, w, channels]
    }

    /// Bytes on the device: a quarter of the traffic of float32. A GPU fetches them from pinned memory by itself, while
    /// another thread's pass is computed.
    fn upload(&self, bytes: &Tensor) -> Result<Tensor, TorchError> {
        if !self.device.is_cuda() {
            return Ok(bytes.f_to_device(self.device)?);
        }
        let non_blocking = true;
        Ok(bytes.f_pin_memory(self.device)?.f_internal_to_copy((Kind::Uint8, self.device), non_blocking)?)
    }
}

/// Convolution and ReLU. A GPU must not round float32 to the ten bits of tf32, which libtorch allows it by default, and
/// must choose an algorithm that gives equal bytes each time.
fn convolve(map: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor, TorchError> {
    let (transposed, benchmark, deterministic, cudnn, tf32) = (false, false, true, true, false);
    let convolved = map.f_internal_convolution(
        weight,
        Some(bias),
        [1, 1],
        [1, 1],
        [1, 1],
        transposed,
        [0, 0],
        1,
        benchmark,
        deterministic,
        cudnn,
        tf32,
    )?;
    Ok(convolved.f_relu()?)
}

/// The same tensor with its channels last in memory: with a weight in this layout libtorch keeps maps in it.
fn channels_last(tensor: &Tensor) -> Result<Tensor, TorchError> {
    Ok(tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convolution_of_a_gpu_is_libtorchs_on_the_processor() {
        let draw = |shape: &[i64]| {
            let count: i64 = shape.iter().product();
            (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.37).sin().view(shape)
        };
        let (map, weight, bias) = (draw(&[2, 3, 9, 7]), draw(&[8, 3, 3, 3]), draw(&[8]));
        let found = convolve(&map, &channels_last(&weight).unwrap(), &bias).unwrap();
        let expected = map.conv2d(&weight, Some(&bias), [1, 1], [1, 1], [1, 1], 1).relu();
        assert!((found - expected).abs().max().double_value(&[]) < 1e-5);
    }
}
