//! Any graph by libtorch's operators: on a GPU, on matrix units, and on processors without wide vectors.

mod convolution;
mod fused_convolution;
mod window;

use convbase_bases::{Activation, Operation, Plan, Step};
use convbase_core::Precision;
use tch::{Device, Kind, Tensor};

use self::convolution::Convolution;
pub(crate) use self::convolution::{convolve, window};
pub(crate) use self::window::{average_pool, max_pool, pad};
use super::EngineError;
use crate::TorchError;
use crate::device::native_precision;

/// A plan's steps with their weights on a device.
#[derive(Debug)]
pub(crate) struct TorchNetwork {
    steps: Vec<TorchStep>,
    /// What pixels are divided by, [1, 3, 1, 1], after `mean` was taken off.
    divisor: Tensor,
    /// [1, 3, 1, 1]
    mean: Tensor,
    /// [height, width, channels]
    output_shape: [usize; 3],
    /// Numbers of an image's maps that are there at the same time, at most.
    most_values: usize,
    image: [i64; 3],
    device: Device,
    arithmetic: Arithmetic,
}

/// What is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Float32,
    /// bf16 where the device multiplies it.
    BFloat16,
    /// Values rounded to bf16, in float32 products and sums: what a matrix unit computes, on every device.
    RoundedFloat32,
}

#[derive(Debug)]
struct TorchStep {
    operator: Operator,
    /// Which values enter: 0 is the images, step k makes value k + 1.
    inputs: Vec<usize>,
    /// Values that no later step reads: their memory is for those to come.
    last_uses: Vec<usize>,
}

#[derive(Debug)]
enum Operator {
    Convolution(Convolution),
    MaxPool(convbase_bases::Pool),
    AveragePool(convbase_bases::Pool),
    Pad(convbase_bases::Padding),
    Add(Activation),
    Concatenate,
    Activation(Activation),
    /// Each [1, channels, 1, 1].
    Affine {
        scale: Tensor,
        shift: Tensor,
    },
}

// SAFETY: the tensors are only read once they are made, libtorch's operators may read a tensor from several threads, and
// its counts of references are atomic.
#[expect(unsafe_code, reason = "tch cannot know that nobody writes")]
unsafe impl Sync for TorchNetwork {}

impl Arithmetic {
    /// `None` where libtorch has no such arithmetic.
    fn new(precision: Precision, device: Device) -> Option<Self> {
        Some(match precision {
            Precision::Float32 => Self::Float32,
            Precision::BFloat16 if native_precision(device) == Precision::BFloat16 => Self::BFloat16,
            // libtorch's own bf16 is refused by some processors and slow on most of the others.
            Precision::BFloat16 => Self::RoundedFloat32,
            Precision::Int8 => return None,
        })
    }

    fn kind(self) -> Kind {
        if self == Self::BFloat16 { Kind::BFloat16 } else { Kind::Float }
    }

    /// A value of a step, or a weight, as it is kept.
    fn keep(self, tensor: Tensor) -> Result<Tensor, TorchError> {
        Ok(match self {
            Self::Float32 | Self::BFloat16 => tensor.f_to_kind(self.kind())?,
            Self::RoundedFloat32 => tensor.f_to_kind(Kind::BFloat16)?.f_to_kind(Kind::Float)?,
        })
    }
}

impl TorchNetwork {
    pub(super) fn new(plan: Plan, precision: Precision, device: Device) -> Result<Self, EngineError> {
        let arithmetic = Arithmetic::new(precision, device).ok_or_else(|| EngineError::int8_on(device))?;
        let (mean, divisor) = plan.scaling();
        let (output_shape, size) = (plan.output_shape(), plan.size());
        let image = [i64::from(size.height()), i64::from(size.width()), 3];
        let channels = |values: [f64; 3]| {
            Tensor::from_slice(&values).f_to_kind(Kind::Float)?.f_view([1, 3, 1, 1])?.f_to_device(device)
        };
        let (mean, divisor) = (channels(mean)?, channels(divisor)?);
        let steps = plan.into_steps();
        let last_uses = last_uses(&steps);
        let most_values = most_values(size.rgb_bytes(), &steps, &last_uses);
        let steps = steps
            .into_iter()
            .zip(last_uses)
            .map(|(step, last_uses)| {
                let operator = operator(step.operation, arithmetic, device)?;
                Ok(TorchStep { operator, inputs: step.inputs, last_uses })
            })
            .collect::<Result<_, TorchError>>()?;
        Ok(Self { steps, divisor, mean, output_shape, most_values, image, device, arithmetic })
    }

    /// Whether bf16 is multiplied as such.
    pub(super) fn is_native_bf16(&self) -> bool {
        self.arithmetic == Arithmetic::BFloat16
    }

    /// Whether bf16 is float32 with rounded values.
    pub(super) fn is_emulated_bf16(&self) -> bool {
        self.arithmetic == Arithmetic::RoundedFloat32
    }

    /// What an image's maps take of memory, at least.
    pub(super) fn image_bytes(&self) -> u64 {
        (self.most_values * self.arithmetic.kind().elt_size_in_bytes()) as u64
    }

    /// [height, width, channels] of the last map.
    pub(super) fn output_shape(&self) -> [usize; 3] {
        self.output_shape
    }

    /// The maps [batch, height, width, channels] of bytes [batch, height, width, 3], on this thread alone where the
    /// device is the processor.
    pub(super) fn forward(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, TorchError> {
        let _guard = tch::no_grad_guard();
        if self.device == Device::Cpu {
            // Counts for this thread; libtorch's own threads wait by burning a processor each.
            tch::set_num_threads(1);
        }
        let [height, width, channels] = self.image;
        let shape = [batch as i64, height, width, channels];
        let bytes = self.upload(&Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?)?;
        // Only the description is permuted; memory stays channels-last.
        let images = bytes.f_permute([0, 3, 1, 2])?; // [batch, 3, height, width]
        let scaled = images.f_to_kind(Kind::Float)?.f_sub(&self.mean)?.f_div(&self.divisor)?;
        let mut values = vec![Some(self.arithmetic.keep(scaled)?)];
        for step in &self.steps {
            let value = self.compute(step, &values)?; // [batch, channels, height, width]
            values.push(Some(value));
            for &used in &step.last_uses {
                values[used] = None;
            }
        }
        let last = values.pop().flatten().ok_or_else(missing)?;
        let map = last.f_to_kind(Kind::Float)?.f_permute([0, 2, 3, 1])?; // [batch, height, width, channels]
        let map = map.f_contiguous()?.f_to_device(Device::Cpu)?;
        let mut numbers = vec![0.0; map.numel()];
        let count = numbers.len();
        map.f_copy_data(&mut numbers, count)?;
        Ok(numbers)
    }

    fn compute(&self, step: &TorchStep, values: &[Option<Tensor>]) -> Result<Tensor, TorchError> {
        let inputs: Vec<&Tensor> = step.inputs.iter().filter_map(|&input| values[input].as_ref()).collect();
        let first = inputs.first().copied().ok_or_else(missing)?;
        let value = match &step.operator {
            Operator::Convolution(convolution) => convolution.forward(first)?,
            Operator::MaxPool(pool) => max_pool(first, pool)?,
            Operator::AveragePool(pool) => average_pool(first, pool)?,
            Operator::Pad(padding) => pad(first, padding, 0.0)?,
            Operator::Add(activation) => {
                let mut sum = first.shallow_clone();
                for other in &inputs[1..] {
                    sum = sum.f_add(other)?;
                }
                activate(sum, *activation)?
            }
            Operator::Concatenate => Tensor::f_cat(&inputs, 1)?,
            Operator::Activation(activation) => activate(first.shallow_clone(), *activation)?,
            Operator::Affine { scale, shift } => first.f_mul(scale)?.f_add(shift)?,
        };
        self.arithmetic.keep(value)
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

fn operator(operation: Operation, arithmetic: Arithmetic, device: Device) -> Result<Operator, TorchError> {
    Ok(match operation {
        Operation::Convolution(convolution) => {
            Operator::Convolution(Convolution::new(&convolution, arithmetic, device)?)
        }
        Operation::MaxPool(pool) => Operator::MaxPool(pool),
        Operation::AveragePool(pool) => Operator::AveragePool(pool),
        Operation::Pad { padding } => Operator::Pad(padding),
        Operation::Add { activation } => Operator::Add(activation),
        Operation::Concatenate => Operator::Concatenate,
        Operation::Activation(activation) => Operator::Activation(activation),
        Operation::Affine { scale, shift } => {
            let channels = |numbers: &[f32]| {
                let tensor = Tensor::f_from_slice(numbers)?.f_view([1, -1, 1, 1])?.f_to_device(device)?;
                arithmetic.keep(tensor)
            };
            Operator::Affine { scale: channels(&scale)?, shift: channels(&shift)? }
        }
    })
}

/// For each step the values that it is the last to read.
fn last_uses(steps: &[Step]) -> Vec<Vec<usize>> {
    let mut last_uses = vec![Vec::new(); steps.len()];
    let mut seen = vec![false; steps.len() + 1];
    for (position, step) in steps.iter().enumerate().rev() {
        for &input in &step.inputs {
            if !std::mem::replace(&mut seen[input], true) {
                last_uses[position].push(input);
            }
        }
    }
    last_uses
}

/// The most numbers of one image that are there at the same time: those of `input` and of the steps' maps.
fn most_values(input: usize, steps: &[Step], last_uses: &[Vec<usize>]) -> usize {
    let sizes: Vec<usize> =
        std::iter::once(input).chain(steps.iter().map(|step| step.shape.iter().product())).collect();
    let (mut there, mut most) = (input, input);
    for (size, used) in sizes[1..].iter().zip(last_uses) {
        there += size;
        most = most.max(there);
        there -= used.iter().map(|&value| sizes[value]).sum::<usize>();
    }
    most
}

/// A plan's steps name values that were made before and are still there.
pub(crate) fn missing() -> TorchError {
    tch::TchError::Torch("a step reads a value that is not there".to_owned()).into()
}

/// In place where nobody else holds the tensor's memory is of no account: maps are read once or twice.
pub(crate) fn activate(tensor: Tensor, activation: Activation) -> Result<Tensor, TorchError> {
    Ok(match activation {
        Activation::None => tensor,
        Activation::Relu => tensor.f_relu()?,
        Activation::Relu6 => tensor.f_clamp(0.0, 6.0)?,
    })
}
