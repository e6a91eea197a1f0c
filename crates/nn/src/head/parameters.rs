//! One of something for every tensor of a head.

/// One of something for every tensor of a head: its numbers, its moments, its gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameters<T> {
    /// The layers of the base that belong to the head, first to last.
    pub(crate) tail: Vec<Layer<T>>,
    /// Absent in a linear head.
    pub(crate) hidden: Option<Layer<T>>,
    pub(crate) output: Layer<T>,
}

/// One of something for the two tensors of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer<T> {
    /// [units, inputs], of a convolution [outputs, inputs, height, width]
    pub(crate) weight: T,
    /// `[units]`
    pub(crate) bias: T,
}

impl<T> Parameters<T> {
    pub(crate) fn as_ref(&self) -> Parameters<&T> {
        fn layer<T>(layer: &Layer<T>) -> Layer<&T> {
            Layer { weight: &layer.weight, bias: &layer.bias }
        }
        Parameters {
            tail: self.tail.iter().map(layer).collect(),
            hidden: self.hidden.as_ref().map(layer),
            output: layer(&self.output),
        }
    }

    pub(crate) fn as_mut(&mut self) -> Parameters<&mut T> {
        fn layer<T>(layer: &mut Layer<T>) -> Layer<&mut T> {
            Layer { weight: &mut layer.weight, bias: &mut layer.bias }
        }
        Parameters {
            tail: self.tail.iter_mut().map(layer).collect(),
            hidden: self.hidden.as_mut().map(layer),
            output: layer(&mut self.output),
        }
    }

    /// Replaces each, in the order of files.
    pub(crate) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Parameters<U> {
        let mut layer = |layer: Layer<T>| Layer { weight: change(layer.weight), bias: change(layer.bias) };
        Parameters {
            tail: self.tail.into_iter().map(&mut layer).collect(),
            hidden: self.hidden.map(&mut layer),
            output: layer(self.output),
        }
    }

    /// The same until the first error.
    pub(crate) fn try_map<U, E>(self, mut change: impl FnMut(T) -> Result<U, E>) -> Result<Parameters<U>, E> {
        let mut layer =
            |layer: Layer<T>| Ok(Layer { weight: change(layer.weight)?, bias: change(layer.bias)? });
        Ok(Parameters {
            tail: self.tail.into_iter().map(&mut layer).collect::<Result<_, E>>()?,
            hidden: self.hidden.map(&mut layer).transpose()?,
            output: layer(self.output)?,
        })
    }

    /// Each, in the order of files: weight and bias of each layer, first to last.
    pub(crate) fn in_order(self) -> impl Iterator<Item = T> {
        let layers = self.tail.into_iter().chain(self.hidden).chain([self.output]);
        layers.flat_map(|layer| [layer.weight, layer.bias])
    }
}
