//! Weights that were never trained.

use std::io::{self, Write};
use std::path::Path;

use convbase_core::{Artifact, Preprocess};
use serde_json::json;

use super::WeightsError;
use crate::architecture::Architecture;
use crate::drawn::drawn;
use crate::graph::Tensor;

/// Writes a file of weights that were never trained: a base for tests and trials where the real weights are not at
/// hand. Equal seeds write equal bytes, on every machine.
///
/// Kernels are uniform in ±√(6 / fan-in) (He et al. 2015; the fan-in is the product of all sides of Keras' shape but the
/// last, of a `depthwise_kernel` height · width), `bias`, `beta` and `moving_mean` uniform in ±0.1, `gamma` and
/// `moving_variance` in 0.5..1.5, all [drawn](crate::drawn()) by the tensor's name.
pub fn write_untrained(
    path: &Path,
    architecture: &Architecture,
    seed: u64,
    preprocess: Preprocess,
) -> Result<(), WeightsError> {
    let tensors = architecture.graph().tensors();
    let header = header(architecture, preprocess, tensors);
    let mut artifact = Artifact::create(path)?;
    let mut write = || -> io::Result<()> {
        artifact.write_all(&(header.len() as u64).to_le_bytes())?;
        artifact.write_all(header.as_bytes())?;
        for tensor in tensors {
            for number in values(tensor, seed) {
                artifact.write_all(&number.to_le_bytes())?;
            }
        }
        Ok(())
    };
    let written = write();
    written.map_err(|source| artifact.error(source))?;
    Ok(artifact.finish()?)
}

/// The header of a safetensors file, filled up with spaces to a multiple of eight bytes. Written out here because the
/// safetensors crate writes metadata in an order that changes from run to run.
fn header(architecture: &Architecture, preprocess: Preprocess, tensors: &[Tensor]) -> String {
    let (name, preprocess) = (json!(architecture.name()), json!(preprocess.to_string()));
    let mut entries = vec![format!(r#""__metadata__":{{"architecture":{name},"preprocess":{preprocess}}}"#)];
    let mut end = 0;
    for tensor in tensors {
        let begin = end;
        end += tensor.count() * size_of::<f32>();
        let (name, shape) = (json!(tensor.name()), json!(tensor.shape()));
        entries.push(format!(r#"{name}:{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}"#));
    }
    let header = format!("{{{}}}", entries.join(","));
    format!("{header:<width$}", width = header.len().next_multiple_of(8))
}

/// The numbers of a tensor in C order over Keras' shape.
fn values(tensor: &Tensor, seed: u64) -> impl Iterator<Item = f32> {
    let sides = match (tensor.variable(), tensor.shape()) {
        ("depthwise_kernel", [height, width, ..]) => height * width,
        (_, [first @ .., _]) => first.iter().product(),
        (_, []) => 1,
    };
    let (scale, shift) = match tensor.variable() {
        "kernel" | "depthwise_kernel" | "pointwise_kernel" => {
            let limit = (6.0 / sides as f64).sqrt();
            (limit, 0.0)
        }
        "gamma" | "moving_variance" => (0.5, 1.0),
        _ => (0.1, 0.0),
    };
    // 0.5 + u is (2u - 1) · 0.5 + 1 without any rounding: u has 24 bits.
    drawn(tensor.name(), tensor.count(), seed).map(move |u| ((2.0 * u - 1.0) * scale + shift) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::architecture;

    #[test]
    fn the_first_values_of_vgg19_are_the_published_ones() {
        let tensors = architecture("vgg19").unwrap().graph().tensors();
        let first: Vec<f32> = values(&tensors[0], 0).take(3).collect();
        assert_eq!(first, [-0.202_970_4, 0.252_916_43, 0.151_789_58]);
        let first: Vec<f32> = values(&tensors[1], 0).take(2).collect();
        assert_eq!(first, [0.022_453_059, -0.021_953_916]);
    }
}
