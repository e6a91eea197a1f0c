//! One of something for every tensor of a head.

/// One of something for every tensor of a head: its numbers, its moments, its gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameters<T> {
    /// Absent in a linear head.
    pub(crate) hidden: Option<Layer<T>>,
    pub(crate) output: Layer<T>,
}

/// One of something for the two tensors of a dense layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer<T> {
    /// [units, inputs]
    pub(crate) weight: T,
    /// `[units]`
    pub(crate) bias: T,
}

impl<T> Parameters<T> {
    pub(crate) fn as_ref(&self) -> Parameters<&T> {
        fn layer<T>(layer: &Layer<T>) -> Layer<&T> {
            Layer { weight: &layer.weight, bias: &layer.bias }
        }
        Parameters { hidden: self.hidden.as_ref().map(layer), output: layer(&self.output) }
    }

    pub(crate) fn as_mut(&mut self) -> Parameters<&mut T> {
        fn layer<T>(layer: &mut Layer<T>) -> Layer<&mut T> {
            Layer { weight: &mut layer.weight, bias: &mut layer.bias }
        }
        Parameters { hidden: self.hidden.as_mut().map(layer), output: layer(&mut self.output) }
    }

    /// Replaces each, in the order of files.
    pub(crate) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Parameters<U> {
        let mut layer = |layer: Layer<T>| Layer { weight: change(layer.weight), bias: change(layer.bias) };
        Parameters { hidden: self.hidden.map(&mut layer), output: layer(self.output) }
    }

    /// The same until the first error.
    pub(crate) fn try_map<U, E>(self, mut change: impl FnMut(T) -> Result<U, E>) -> Result<Parameters<U>, E> {
        let mut layer =
            |layer: Layer<T>| Ok(Layer { weight: change(layer.weight)?, bias: change(layer.bias)? });
        Ok(Parameters { hidden: self.hidden.map(&mut layer).transpose()?, output: layer(self.output)? })
    }

    /// Each, in the order of files: hidden weight and bias where there is a hidden layer, output weight and bias.
    pub(crate) fn in_order(self) -> impl Iterator<Item = T> {
        self.hidden.into_iter().chain([self.output]).flat_map(|layer| [layer.weight, layer.bias])
    }
}
