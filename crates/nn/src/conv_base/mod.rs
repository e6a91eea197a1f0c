//! The frozen convolutional base: bytes in, features out.

mod fused_convolution;
mod preprocess;
mod torch_layers;
mod winograd;

use std::thread;

use convbase_core::{DataType, FeatureSpec, ImageSize, Layer, Pooling, Precision, Preprocess};
use tch::{Device, Kind, Tensor};

use self::preprocess::scaled_bytes;
use self::torch_layers::TorchLayers;
use self::winograd::{ConvolutionWeights, Network};
use crate::device::native_precision;
use crate::{ConvBaseWeights, TorchError};

/// VGG16 up to one layer, on one device, with one arithmetic.
#[derive(Debug)]
pub struct ConvBase {
    layers: Layers,
    pooling: Pooling,
    image_size: ImageSize,
    device: Device,
    threads: usize,
}

#[derive(Debug)]
enum Layers {
    /// On processors with wide vectors, but for bf16 where they multiply it themselves.
    Winograd(Box<Network>),
    /// Everything else.
    Torch(TorchLayers),
}

impl ConvBase {
    /// The base that computes `spec` from `weights` (whose digest the caller has put into the spec), on one thread.
    pub fn new(
        weights: &ConvBaseWeights,
        spec: &FeatureSpec,
        precision: Precision,
        device: Device,
    ) -> Result<Self, TorchError> {
        // The matrix unit of a processor that has one is several times faster than the fewest multiplications.
        let by_matrices = precision == Precision::BFloat16 && native_precision(device) == Precision::BFloat16;
        let by_winograd = device == Device::Cpu && !by_matrices;
        let network = if by_winograd { network(weights, spec, precision)? } else { None };
        let layers = match network {
            Some(network) => Layers::Winograd(Box::new(network)),
            None => Layers::Torch(TorchLayers::new(weights, spec, precision, device)?),
        };
        Ok(Self { layers, pooling: spec.pooling, image_size: spec.image_size, device, threads: 1 })
    }

    /// The same base with this many threads for each batch. Several batches at once, from a thread each, are faster than
    /// several threads for one.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// What `--precision auto` means on a device: bf16 where it is multiplied natively, else fp32.
    pub fn native_precision(device: Device) -> Precision {
        native_precision(device)
    }

    /// Images per pass where nothing else is asked for. Large passes keep a GPU busy; on a processor what a pass works
    /// on should stay near it, and in bf16 by libtorch, where maps are not cut into tiles, that is little.
    pub fn default_batch_size(&self) -> usize {
        match &self.layers {
            _ if self.device.is_cuda() => 64,
            Layers::Torch(layers) if layers.kind() == Kind::BFloat16 => 2,
            Layers::Winograd(_) | Layers::Torch(_) => 8,
        }
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
        let map = match &self.layers {
            Layers::Winograd(network) => self.in_parts(network, pixels, batch)?,
            Layers::Torch(layers) => {
                let size = self.image_size;
                let shape = [batch as i64, i64::from(size.height()), i64::from(size.width()), 3];
                if self.device == Device::Cpu {
                    // Counts for this thread; libtorch's own threads wait by burning a processor each.
                    tch::set_num_threads(self.threads as i32);
                }
                layers.forward(pixels, &shape)?
            }
        }; // [batch, h, w, channels]
        Ok(match self.pooling {
            Pooling::None => map,
            Pooling::Average => map.f_mean_dim([1_i64, 2].as_slice(), false, Kind::Float)?, // [batch, channels]
            Pooling::Maximum => map.f_amax([1, 2], false)?, // [batch, channels]
        })
    }

    /// Gives each thread its share of the images.
    fn in_parts(&self, network: &Network, pixels: &[u8], batch: usize) -> Result<Tensor, TorchError> {
        let share = batch.div_ceil(self.threads) * self.image_size.rgb_bytes();
        let parts: Vec<Vec<f32>> = thread::scope(|scope| {
            let mut shares = pixels.chunks(share);
            let own = shares.next();
            let others: Vec<_> = shares.map(|pixels| scope.spawn(|| network.forward(pixels))).collect();
            let own = own.map(|pixels| network.forward(pixels));
            own.into_iter().chain(others.into_iter().map(joined)).collect()
        });
        let parts: Vec<Tensor> =
            parts.iter().map(|part| Tensor::f_from_slice(part)).collect::<Result<_, _>>()?;
        let [height, width, channels] = network.output_shape().map(|side| side as i64);
        Ok(Tensor::f_cat(&parts, 0)?.f_view([batch as i64, height, width, channels])?)
    }
}

fn joined(thread: thread::ScopedJoinHandle<'_, Vec<f32>>) -> Vec<f32> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The convolutions up to the layer of `spec`, where this processor has the vectors for them.
fn network(
    weights: &ConvBaseWeights,
    spec: &FeatureSpec,
    precision: Precision,
) -> Result<Option<Network>, TorchError> {
    let layers: Vec<Layer> = Layer::all().take_while(|layer| *layer <= spec.layer).collect();
    let mut pools = Vec::new();
    for layer in layers {
        match pools.last_mut() {
            Some(pools) if layer.is_pool() => *pools = true,
            _ => pools.push(false),
        }
    }
    let mut convolutions = Vec::new();
    for ((weight, bias), pools) in weights_of_layers(weights, spec)?.into_iter().zip(pools) {
        let values = |tensor: Tensor| Vec::<f32>::try_from(tensor.f_flatten(0, -1)?);
        convolutions.push(ConvolutionWeights { weights: values(weight)?, bias: values(bias)?, pools });
    }
    Ok(Network::new(spec.image_size, scaled_bytes(spec.preprocess), convolutions, precision))
}

/// Weights [out, in, 3, 3] and biases `[out]` of the convolutions up to the layer of `spec`.
fn weights_of_layers(
    weights: &ConvBaseWeights,
    spec: &FeatureSpec,
) -> Result<Vec<(Tensor, Tensor)>, TorchError> {
    let count =
        Layer::all().take_while(|layer| *layer <= spec.layer).filter(|layer| !layer.is_pool()).count();
    let mut tensors = Vec::new();
    for convolution in &weights.convolutions()[..count] {
        let (mut weight, bias) = (convolution.weight.shallow_clone(), convolution.bias.shallow_clone());
        if tensors.is_empty() && spec.preprocess == Preprocess::Caffe {
            // The weights want blue first. Turning the first layer's input channels around once is the same as turning
            // the channels of every image around.
            weight = weight.f_flip([1])?;
        }
        tensors.push((weight, bias));
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_core::Interpolation;

    #[test]
    fn every_layer_is_libtorchs_with_any_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("untrained.safetensors");
        ConvBaseWeights::write_untrained(&path, 1, Preprocess::Caffe).unwrap();
        let weights = ConvBaseWeights::load(&path).unwrap();
        let size = ImageSize::new(38, 45).unwrap();
        let pixels: Vec<u8> = (0..3 * size.rgb_bytes()).map(|index| (index * index % 251) as u8).collect();
        let layers = [
            "block1_conv1",
            "block1_conv2",
            "block1_pool",
            "block2_conv1",
            "block2_pool",
            "block3_conv2",
            "block4_conv3",
            "block5_pool",
        ];
        for layer in layers {
            let spec = FeatureSpec::vgg16(
                weights.digest(),
                layer.parse().unwrap(),
                Pooling::None,
                size,
                Interpolation::Nearest,
                Preprocess::Caffe,
            );
            // In bf16 another order of the sums rounds a value in a few to its other neighbour, half a per cent away.
            for (precision, limit) in [(Precision::Float32, 1e-5), (Precision::BFloat16, 5e-3)] {
                let torch = TorchLayers::new(&weights, &spec, precision, Device::Cpu).unwrap();
                let expected = torch.forward(&pixels, &[3, 38, 45, 3]).unwrap();
                for threads in [1, 2, 8] {
                    let base = ConvBase::new(&weights, &spec, precision, Device::Cpu).unwrap();
                    let found = base.with_threads(threads).forward(&pixels, 3).unwrap();
                    assert_eq!(found.size(), expected.size(), "{layer}");
                    let distance =
                        (&found - &expected).norm().double_value(&[]) / expected.norm().double_value(&[]);
                    assert!(distance < limit, "{layer}, {precision}, {threads} threads: {distance}");
                }
            }
        }
    }
}
