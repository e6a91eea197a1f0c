//! The frozen convolutional base: bytes in, features out.

use convbase_core::{DataType, FeatureSpec, ImageSize, Layer, Pooling, Precision, Preprocess};
use tch::{Device, Kind, Tensor};

use crate::device::native_precision;
use crate::fused_convolution::FusedConvolution;
use crate::{ConvBaseWeights, TorchError};

/// VGG16 up to one layer, on one device, with one arithmetic.
#[derive(Debug)]
pub struct ConvBase {
    steps: Vec<Step>,
    pooling: Pooling,
    image_size: ImageSize,
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

impl ConvBase {
    /// The base that computes `spec` from `weights` (whose digest the caller has put into the spec).
    pub fn new(
        weights: &ConvBaseWeights,
        spec: &FeatureSpec,
        precision: Precision,
        device: Device,
    ) -> Result<Self, TorchError> {
        let kind = match precision {
            Precision::Float32 => Kind::Float,
            Precision::BFloat16 => Kind::BFloat16,
        };
        let mut convolutions = weights.convolutions().iter();
        let mut steps = Vec::new();
        for layer in Layer::all().take_while(|layer| *layer <= spec.layer) {
            if layer.is_pool() {
                steps.push(Step::Pool);
            } else if let Some(convolution) = convolutions.next() {
                let (mut weight, mut bias) = (convolution.weight.copy(), convolution.bias.copy());
                if steps.is_empty() && spec.preprocess == Preprocess::Caffe {
                    // The weights want blue first. Turning the first layer's input channels around once is the same
                    // as turning the channels of every image around.
                    weight = weight.f_flip([1])?;
                }
                weight = weight.f_to_device(device)?.f_to_kind(kind)?;
                bias = bias.f_to_device(device)?.f_to_kind(kind)?;
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
        Ok(Self {
            steps,
            pooling: spec.pooling,
            image_size: spec.image_size,
            divisor: channels(divisor)?,
            mean: channels(mean)?,
            device,
            kind,
        })
    }

    /// What `--precision auto` means on a device: bf16 where it is multiplied natively, else fp32.
    pub fn native_precision(device: Device) -> Precision {
        native_precision(device)
    }

    /// Where the base computes.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The features of `batch` images, in C order and the store's dtype, little-endian.
    ///
    /// `pixels` is [batch, height, width, 3], red, green, blue; the result is [batch, height, width, channels], or
    /// [batch, channels] with pooling. An empty batch has no features.
    ///
    /// # Panics
    /// When `pixels` is not as long as `batch` images are.
    pub fn features(&self, pixels: &[u8], batch: usize, dtype: DataType) -> Result<Vec<u8>, TorchError> {
        assert_eq!(pixels.len(), batch * self.image_size.rgb_bytes(), "pixels of {batch} images");
        if batch == 0 {
            return Ok(Vec::new());
        }
        let kind = match dtype {
            DataType::Float32 => Kind::Float,
            DataType::Float16 => Kind::Half,
        };
        let features =
            self.forward(pixels, batch)?.f_to_kind(kind)?.f_to_device(Device::Cpu)?.f_contiguous()?;
        // Bytes as they lie in memory: the supported processors are little-endian.
        let mut bytes = vec![0; features.numel() * dtype.bytes()];
        let count = bytes.len();
        features.f_view([-1])?.f_view_dtype(Kind::Uint8)?.f_copy_data(&mut bytes, count)?;
        Ok(bytes)
    }

    /// The features of `batch` images as a float32 tensor on the base's device, [batch, ...shape].
    pub fn forward(&self, pixels: &[u8], batch: usize) -> Result<Tensor, TorchError> {
        let _guard = tch::no_grad_guard();
        let size = self.image_size;
        let shape = [batch as i64, i64::from(size.height()), i64::from(size.width()), 3];
        let bytes = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?.f_to_device(self.device)?;
        // Only the description is permuted; memory stays channels-last.
        let images = bytes.f_permute([0, 3, 1, 2])?; // [batch, 3, height, width]
        let mut map =
            images.f_to_kind(Kind::Float)?.f_sub(&self.mean)?.f_div(&self.divisor)?.f_to_kind(self.kind)?;
        for step in &self.steps {
            map = match step {
                Step::Convolution { weight, bias } => {
                    map.f_conv2d(weight, Some(bias), [1, 1], [1, 1], [1, 1], 1)?.f_relu_()? // [batch, out, h, w]
                }
                Step::Fused(convolution) => convolution.forward(&map)?, // [batch, out, h, w]
                Step::Pool => map.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?, // [batch, out, h / 2, w / 2]
            };
        }
        let map = map.f_to_kind(Kind::Float)?.f_permute([0, 2, 3, 1])?; // [batch, h, w, channels]
        Ok(match self.pooling {
            Pooling::None => map,
            Pooling::Average => map.f_mean_dim([1_i64, 2].as_slice(), false, Kind::Float)?, // [batch, channels]
            Pooling::Maximum => map.f_amax([1, 2], false)?, // [batch, channels]
        })
    }
}

/// Mean and divisor of red, green and blue (Keras `imagenet_utils.preprocess_input` and its `mode`s).
fn normalisation(preprocess: Preprocess) -> ([f64; 3], [f64; 3]) {
    match preprocess {
        Preprocess::Rescale => ([0.0; 3], [255.0; 3]),
        Preprocess::Caffe => ([123.68, 116.779, 103.939], [1.0; 3]),
        Preprocess::Torch => (
            [0.485, 0.456, 0.406].map(|mean| mean * 255.0),
            [0.229, 0.224, 0.225].map(|deviation| deviation * 255.0),
        ),
        Preprocess::TensorFlow => ([127.5; 3], [127.5; 3]),
    }
}

/// The same tensor with its channels last in memory: with a weight in this layout libtorch keeps maps in it.
fn channels_last(tensor: &Tensor) -> Result<Tensor, TorchError> {
    Ok(tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preprocessing_maps_black_and_white_to_the_published_ranges() {
        let map = |preprocess, value: f64| {
            let (mean, divisor) = normalisation(preprocess);
            [0, 1, 2].map(|channel| (value - mean[channel]) / divisor[channel])
        };
        assert_eq!(map(Preprocess::Rescale, 255.0), [1.0; 3]);
        assert_eq!(map(Preprocess::TensorFlow, 0.0), [-1.0; 3]);
        assert_eq!(map(Preprocess::TensorFlow, 255.0), [1.0; 3]);
        assert_eq!(map(Preprocess::Caffe, 0.0), [-123.68, -116.779, -103.939]);
        let white = map(Preprocess::Torch, 255.0);
        assert!((white[0] - (1.0 - 0.485) / 0.229).abs() < 1e-12);
    }
}
