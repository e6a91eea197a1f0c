//! Optimizers with Keras' formulas and defaults. Each is a file with its formula, written once for every back end.
//!
//! libtorch's own differ (RMSprop: alpha 0.99, epsilon outside the root; Adam: epsilon 1e-8), and their state cannot
//! be reached from here.

mod adam;
mod arithmetic;
mod kind;
mod moments;
mod rmsprop;
mod sgd;

pub(crate) use adam::Adam;
pub(crate) use arithmetic::{Arithmetic, Formula};
pub use kind::{OptimizerKind, UnknownOptimizer};
pub(crate) use moments::Moments;
pub(crate) use rmsprop::RmsProp;
pub(crate) use sgd::Sgd;

use crate::head::Parameters;

/// An optimizer with its moments.
#[derive(Debug, Clone)]
pub(crate) struct Optimizer<A> {
    pub(crate) learning_rate: f64,
    /// How many were taken.
    pub(crate) steps: i32,
    pub(crate) moments: Moments<A>,
}

/// Applies a formula to all parameters of a head.
pub(crate) trait Apply<A> {
    type Error;

    fn apply<const SLOTS: usize>(
        self,
        formula: impl Formula<SLOTS>,
        moments: &mut Parameters<[A; SLOTS]>,
    ) -> Result<(), Self::Error>;
}

impl<A> Optimizer<A> {
    /// Takes one step.
    pub(crate) fn step<T: Apply<A>>(&mut self, parameters: T) -> Result<(), T::Error> {
        self.steps = self.steps.saturating_add(1);
        let rate = self.learning_rate;
        match &mut self.moments {
            Moments::RmsProp(moments) => parameters.apply(RmsProp { rate }, moments),
            Moments::Adam(moments) => parameters.apply(Adam::new(rate, self.steps), moments),
            Moments::Sgd(moments) => parameters.apply(Sgd { rate }, moments),
        }
    }
}
