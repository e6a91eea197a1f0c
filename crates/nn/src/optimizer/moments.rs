//! What an optimizer remembers of every parameter.

use super::OptimizerKind;
use crate::HeadShape;
use crate::head::{NamedShape, Parameters};

/// The moments of every parameter, each shaped like it. `A` is what a back end holds numbers in.
#[derive(Debug, Clone)]
pub(crate) enum Moments<A> {
    /// The mean square.
    RmsProp(Parameters<[A; 1]>),
    /// Mean and mean square.
    Adam(Parameters<[A; 2]>),
    /// None.
    Sgd(Parameters<[A; 0]>),
}

impl<A> Moments<A> {
    /// Makes each moment of the head's tensors from the tensor and its slot.
    pub(crate) fn new(
        kind: OptimizerKind,
        shape: &HeadShape,
        mut make: impl FnMut(&NamedShape, usize) -> A,
    ) -> Self {
        let tensors = shape.tensors();
        match kind {
            OptimizerKind::RmsProp => Self::RmsProp(tensors.map(|tensor| [make(&tensor, 0)])),
            OptimizerKind::Adam => Self::Adam(tensors.map(|tensor| [make(&tensor, 0), make(&tensor, 1)])),
            OptimizerKind::Sgd => Self::Sgd(tensors.map(|_| [])),
        }
    }

    /// Replaces each.
    pub(crate) fn try_map<B, E>(self, mut change: impl FnMut(A) -> Result<B, E>) -> Result<Moments<B>, E> {
        Ok(match self {
            Self::RmsProp(moments) => Moments::RmsProp(moments.try_map(|[square]| Ok([change(square)?]))?),
            Self::Adam(moments) => {
                Moments::Adam(moments.try_map(|[mean, square]| Ok([change(mean)?, change(square)?]))?)
            }
            Self::Sgd(moments) => Moments::Sgd(moments.map(|[]| [])),
        })
    }

    pub(crate) fn as_ref(&self) -> Moments<&A> {
        match self {
            Self::RmsProp(moments) => Moments::RmsProp(moments.as_ref().map(<[A; 1]>::each_ref)),
            Self::Adam(moments) => Moments::Adam(moments.as_ref().map(<[A; 2]>::each_ref)),
            Self::Sgd(moments) => Moments::Sgd(moments.as_ref().map(<[A; 0]>::each_ref)),
        }
    }

    /// Each parameter's moments, in the order of files.
    pub(crate) fn in_order(&self) -> Vec<&[A]> {
        match self {
            Self::RmsProp(moments) => moments.as_ref().map(|slots| &slots[..]).in_order().collect(),
            Self::Adam(moments) => moments.as_ref().map(|slots| &slots[..]).in_order().collect(),
            Self::Sgd(moments) => moments.as_ref().map(|slots| &slots[..]).in_order().collect(),
        }
    }

    /// Whose they are.
    pub(crate) fn kind(&self) -> OptimizerKind {
        match self {
            Self::RmsProp(_) => OptimizerKind::RmsProp,
            Self::Adam(_) => OptimizerKind::Adam,
            Self::Sgd(_) => OptimizerKind::Sgd,
        }
    }
}
