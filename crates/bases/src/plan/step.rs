//! What an engine computes, one step after another.

use serde::{Deserialize, Serialize};

use crate::graph::{Activation, Padding};

/// One operation on maps. All maps are channels-last in shape; how they lie in memory is the engine's choice.
///
/// As JSON it is a description: its numbers are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is computed.
    pub operation: Operation,
    /// Which values enter: 0 is the batch of images, step k makes value k + 1.
    pub inputs: Vec<usize>,
    /// [height, width, channels] of what leaves.
    pub shape: [usize; 3],
    /// The Keras layer whose map this is: the last of those that were folded into the step.
    pub layer: String,
}

/// An operation, with all that it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// A convolution with bias, then an activation.
    Convolution(Convolution),
    /// The maximum of a window; what lies outside the map is ignored.
    MaxPool(Pool),
    /// The mean of a window; what lies outside the map is not counted.
    AveragePool(Pool),
    /// Zeros around the map.
    Pad {
        /// How many.
        padding: Padding,
    },
    /// The sum of two maps, then an activation.
    Add {
        /// What is applied to the sum.
        activation: Activation,
    },
    /// Maps one behind the other along the channels.
    Concatenate,
    /// An activation where nothing before it could take it in.
    Activation(Activation),
    /// x · scale + shift by channel: a normalisation where no convolution before it could take it in.
    Affine {
        /// `[channels]`
        #[serde(skip)]
        scale: Vec<f32>,
        /// `[channels]`
        #[serde(skip)]
        shift: Vec<f32>,
    },
}

/// A convolution whose "same" padding, zero padding, normalisation and activation are all part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// [outputs, inputs / groups, height, width]
    #[serde(skip)]
    pub weight: Vec<f32>,
    /// `[outputs]`
    #[serde(skip)]
    pub bias: Vec<f32>,
    /// Channels that enter.
    pub inputs: usize,
    /// Channels that leave.
    pub outputs: usize,
    /// Groups of channels that do not see each other: 1, or as many as `inputs` for a depthwise convolution.
    pub groups: usize,
    /// Height and width.
    pub kernel: [usize; 2],
    /// Steps downwards and to the right.
    pub stride: [usize; 2],
    /// Zeros around the map.
    pub padding: Padding,
    /// What is applied to the sums.
    pub activation: Activation,
}

/// A window that a pooling moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Steps downwards and to the right.
    pub stride: [usize; 2],
    /// How far the window reaches over the edges.
    pub padding: Padding,
}

impl Convolution {
    /// Turns the channels that enter round: weights that want blue first then take red first.
    pub(super) fn reverse_inputs(&mut self) {
        let taps = self.kernel[0] * self.kernel[1];
        let inputs = self.inputs / self.groups;
        for output in self.weight.chunks_exact_mut(inputs * taps) {
            for input in 0..inputs / 2 {
                let (before, behind) = output.split_at_mut((inputs - 1 - input) * taps);
                before[input * taps..][..taps].swap_with_slice(&mut behind[..taps]);
            }
        }
    }
}
