//! Plans that these kernels compute: chains of 3 × 3 convolutions with ReLU, and pools between them.

use convbase_bases::{Activation, Convolution, Operation, Padding, Plan, Pool};

use super::network::ConvolutionWeights;

/// Red, green and blue.
const CHANNELS: usize = 3;

/// The convolutions of a plan, whose channels fill panels of `panel` values. `None` where the plan has a step that is not
/// computed here.
pub(super) fn convolutions(plan: &Plan, panel: usize) -> Option<Vec<ConvolutionWeights>> {
    let mut convolutions: Vec<ConvolutionWeights> = Vec::new();
    for (position, step) in plan.steps().iter().enumerate() {
        if step.inputs != [position] {
            return None; // A map that is read again later, or by two steps.
        }
        match &step.operation {
            Operation::Convolution(convolution) if fits(convolution, convolutions.is_empty(), panel) => {
                let (weights, bias) = (convolution.weight.clone(), convolution.bias.clone());
                convolutions.push(ConvolutionWeights { weights, bias, pools: false });
            }
            // The first convolution's kernel does not pool.
            Operation::MaxPool(pool) if halves(pool) && convolutions.len() > 1 => {
                let last = convolutions.last_mut()?;
                if std::mem::replace(&mut last.pools, true) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(convolutions)
}

/// What each byte of red, green and blue becomes, in float32 as the frameworks compute it, for a mean and a divisor.
pub(super) fn scaled_bytes((mean, divisor): ([f64; 3], [f64; 3])) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        std::array::from_fn(|byte| (byte as f32 - mean[channel] as f32) / divisor[channel] as f32)
    })
}

fn fits(convolution: &Convolution, is_first: bool, panel: usize) -> bool {
    let Convolution { inputs, outputs, groups, kernel, stride, padding, activation, .. } = convolution;
    let inputs_fit = if is_first { *inputs == CHANNELS } else { inputs.is_multiple_of(panel) };
    let around = Padding { top: 1, bottom: 1, left: 1, right: 1 };
    inputs_fit
        && outputs.is_multiple_of(panel)
        && *groups == 1
        && (*kernel, *stride, *padding) == ([3, 3], [1, 1], around)
        && *activation == Activation::Relu
}

fn halves(pool: &Pool) -> bool {
    (pool.kernel, pool.stride) == ([2, 2], [2, 2]) && pool.padding.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_what_the_frameworks_make_of_them() {
        let scaled = scaled_bytes(([123.68, 116.779, 103.939], [1.0; 3]));
        assert_eq!(scaled.map(|channel| channel[0]), [-123.68, -116.779, -103.939]);
        let scaled = scaled_bytes(([127.5; 3], [127.5; 3]));
        assert_eq!((scaled[0][0], scaled[2][255]), (-1.0, 1.0));
    }
}
