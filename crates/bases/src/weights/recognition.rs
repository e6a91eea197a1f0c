//! Which base a file of weights is of, by its tensors.

use std::cmp::Reverse;

use safetensors::SafeTensors;

use crate::architecture::Architecture;
use crate::catalogue::every;

/// Who named the tensors of a file, which also says how kernels lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `layer/variable`, kernels [height, width, in, out].
    Keras,
    /// `features.N.variable`, kernels [out, in, height, width].
    Torchvision,
}

/// A naming with the name and the shape of every tensor, in the graph's order.
pub(super) struct Expected {
    pub(super) naming: Naming,
    pub(super) tensors: Vec<(String, Vec<usize>)>,
}

/// How well a file fits: tensors that are there by name and shape, and as few others missing as can be.
type Fit = (usize, Reverse<usize>);

/// The names and shapes of an architecture in the naming that the file has most of.
pub(super) fn expected(architecture: &Architecture, file: &SafeTensors) -> Expected {
    let graph = architecture.graph();
    let keras = graph.tensors().iter().map(|tensor| (tensor.name().to_owned(), tensor.shape().to_vec()));
    let keras = Expected { naming: Naming::Keras, tensors: keras.collect() };
    let Some(names) = architecture.torchvision_names() else { return keras };
    let shapes = graph.tensors().iter().map(|tensor| tensor.canonical_shape());
    let torchvision =
        Expected { naming: Naming::Torchvision, tensors: names.into_iter().zip(shapes).collect() };
    let named =
        |expected: &Expected| expected.tensors.iter().filter(|(name, _)| file.tensor(name).is_ok()).count();
    if named(&torchvision) > named(&keras) { torchvision } else { keras }
}

/// The base that the file's tensors fit better than `asked`, where they have more than half of its tensors.
pub(super) fn better(asked: &Architecture, file: &SafeTensors) -> Option<&'static Architecture> {
    let own = fit(asked, file);
    let others = every().filter(|other| other.name() != asked.name());
    let (best, other) = others.map(|other| (fit(other, file), other)).max_by_key(|(fit, _)| *fit)?;
    (best > own && best.0.saturating_mul(2) > other.graph().tensors().len()).then_some(other)
}

fn fit(architecture: &Architecture, file: &SafeTensors) -> Fit {
    let tensors = expected(architecture, file).tensors;
    let has = |(name, shape): &&(String, Vec<usize>)| {
        file.tensor(name).is_ok_and(|tensor| tensor.shape() == shape.as_slice())
    };
    let count = tensors.iter().filter(has).count();
    (count, Reverse(tensors.len().saturating_sub(count)))
}
