//! The frozen convolutional base: bytes in, features out, by the engine that can compute it fastest.

mod error;
mod host;
#[cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
mod onnx;
mod pooling;
mod torch;

use std::thread;

use convbase_bases::Plan;
use convbase_core::{FeatureSpec, ImageSize, Pooling, Precision};
use tch::Device;

pub use error::EngineError;
pub use host::OperatorTime;
pub use onnx::{Fault, Normalisation, OnnxError, OnnxMetadata, OnnxModel, OnnxNetwork, OnnxProblem, Scaling};

pub(crate) use self::torch::{activate, average_pool, convolve, max_pool, missing, pad, window};

use self::torch::TorchNetwork;
use crate::base::{Base, BaseError, Source};
use crate::device::native_precision;
use crate::embed::{Embed, ImageBytes};

/// A base up to one layer, for one image size, on one device, with one arithmetic.
#[derive(Debug)]
pub struct ConvBase {
    engine: Engine,
    pooling: Pooling,
    image_size: ImageSize,
    device: Device,
    threads: usize,
}

#[derive(Debug)]
enum Engine {
    /// Kernels of our own, on processors with wide vectors.
    Host(Box<host::Network>),
    /// Any graph, by libtorch's operators.
    Torch(Box<TorchNetwork>),
    /// What an ONNX file says.
    Onnx(Box<OnnxNetwork>, Normalisation),
}

impl ConvBase {
    /// The base that computes `spec`, which is one that `base` makes, on one thread.
    pub fn new(
        base: &Base,
        spec: &FeatureSpec,
        precision: Precision,
        device: Device,
    ) -> Result<Self, BaseError> {
        base.check(precision, device)?;
        let engine = match base.source() {
            Source::Onnx(model) => {
                let network = model.compile(&spec.layer, spec.image_size)?;
                Engine::Onnx(Box::new(network), spec.preprocess.into())
            }
            Source::Catalogue { architecture, weights } => {
                let plan = Plan::new(architecture, weights, &spec.layer, spec.image_size, spec.preprocess)?;
                Self::engine(plan, precision, device)?
            }
        };
        Ok(Self { engine, pooling: spec.pooling, image_size: spec.image_size, device, threads: 1 })
    }

    /// The engine for a plan. Our own kernels come first, but for bf16 where the processor has a matrix unit: it is
    /// several times faster than the fewest multiplications.
    fn engine(plan: Plan, precision: Precision, device: Device) -> Result<Engine, EngineError> {
        let by_matrices = precision == Precision::BFloat16 && native_precision(device) == Precision::BFloat16;
        let on_host = device == Device::Cpu && !by_matrices;
        if let Some(network) = on_host.then(|| host::Network::new(&plan, precision)).flatten() {
            return Ok(Engine::Host(Box::new(network)));
        }
        Ok(Engine::Torch(Box::new(TorchNetwork::new(plan, precision, device)?)))
    }

    /// Refuses an arithmetic that a device does not have.
    pub(crate) fn check(precision: Precision, device: Device) -> Result<(), EngineError> {
        if precision == Precision::Int8 && !(device == Device::Cpu && host::int8_group().is_some()) {
            return Err(EngineError::int8_on(device));
        }
        Ok(())
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
        match &self.engine {
            _ if self.device.is_cuda() => 64,
            Engine::Torch(network) if network.is_native_bf16() => 2,
            Engine::Host(_) | Engine::Torch(_) | Engine::Onnx(..) => 8,
        }
    }

    /// Where the base computes.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Which engine computes, in a few words for people.
    pub fn engine_name(&self) -> &'static str {
        match &self.engine {
            Engine::Host(network) if network.is_int8() => match host::int8_group() {
                Some(4) => "our kernels on wide vectors, 8 bits by VNNI",
                _ => "our kernels on wide vectors, 8 bits without VNNI: fp32 may be faster",
            },
            Engine::Host(_) => "our kernels on wide vectors",
            Engine::Torch(network) if network.is_emulated_bf16() => "libtorch, bf16 rounded in float32",
            Engine::Torch(_) => "libtorch",
            Engine::Onnx(..) => "tract",
        }
    }

    /// The features of `batch` images, in C order: [batch, ...shape] of the spec.
    ///
    /// `pixels` is [batch, height, width, 3], red, green, blue. An empty batch has no features.
    ///
    /// # Panics
    /// When `pixels` is not as long as `batch` images are.
    pub fn features(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, EngineError> {
        assert_eq!(pixels.len(), batch * self.image_size.rgb_bytes(), "pixels of {batch} images");
        if batch == 0 {
            return Ok(Vec::new());
        }
        // A GPU shares the work among its own threads.
        let shares = if self.device.is_cuda() { 1 } else { self.threads.min(batch) };
        let share = batch.div_ceil(shares) * self.image_size.rgb_bytes();
        if shares == 1 {
            return self.part(pixels);
        }
        let parts: Vec<Result<Vec<f32>, EngineError>> = thread::scope(|scope| {
            let mut shares = pixels.chunks(share);
            let own = shares.next();
            let others: Vec<_> = shares.map(|pixels| scope.spawn(|| self.part(pixels))).collect();
            let own = own.map(|pixels| self.part(pixels));
            own.into_iter().chain(others.into_iter().map(joined)).collect()
        });
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(parts.concat())
    }

    /// How long each operator takes for images [batch, height, width, 3] in bytes, on this thread; `None` for engines that
    /// are not ours.
    ///
    /// # Panics
    /// When `pixels` is not as long as `batch` images are.
    pub fn profile(&self, pixels: &[u8], batch: usize) -> Option<Vec<OperatorTime>> {
        assert_eq!(pixels.len(), batch * self.image_size.rgb_bytes(), "pixels of {batch} images");
        match &self.engine {
            Engine::Host(network) => Some(network.profile(pixels)),
            Engine::Torch(_) | Engine::Onnx(..) => None,
        }
    }

    /// The features of some images, on this thread.
    fn part(&self, pixels: &[u8]) -> Result<Vec<f32>, EngineError> {
        let batch = pixels.len() / self.image_size.rgb_bytes();
        let (map, shape) = match &self.engine {
            Engine::Host(network) => (network.forward(pixels), network.output_shape().to_vec()),
            Engine::Torch(network) => (network.forward(pixels, batch)?, network.output_shape().to_vec()),
            Engine::Onnx(network, normalisation) => {
                let shape = network.shape().iter().map(|&side| side as usize).collect();
                (network.forward(pixels, batch, normalisation)?, shape)
            }
        };
        Ok(match shape[..] {
            [height, width, channels] => pooling::pool(map, height * width, channels, self.pooling),
            _ => map,
        })
    }
}

impl Embed for ConvBase {
    type Error = EngineError;

    fn embed(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, EngineError> {
        self.features(pixels, batch)
    }

    fn image_bytes(&self) -> ImageBytes {
        let float = size_of::<f32>() as u64;
        let computed = match &self.engine {
            // A GPU has memory of its own.
            _ if self.device.is_cuda() => 0,
            Engine::Torch(network) => network.image_bytes(),
            // What these work on does not grow with the batch, but its features do.
            Engine::Host(network) => float * network.output_shape().iter().product::<usize>() as u64,
            Engine::Onnx(network, _) => {
                float * network.shape().iter().map(|&side| u64::from(side)).product::<u64>()
            }
        };
        let pass = match &self.engine {
            Engine::Host(network) => float * network.pass_values() as u64,
            Engine::Torch(_) | Engine::Onnx(..) => 0,
        };
        ImageBytes { waiting: self.image_size.rgb_bytes() as u64, computed, pass }
    }
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests;
