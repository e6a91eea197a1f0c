//! The optimizers' names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Keras `RMSprop(rho=0.9, momentum=0, epsilon=1e-7, centered=False)`.
    RmsProp,
    /// Keras `Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7)`; Kingma and Ba 2015.
    Adam,
    /// Keras `SGD(momentum=0)`.
    Sgd,
}

/// A name that is no optimizer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("optimizer: expected one of rmsprop, adam, sgd, found `{0}`")]
pub struct UnknownOptimizer(String);

impl fmt::Display for OptimizerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RmsProp => "rmsprop",
            Self::Adam => "adam",
            Self::Sgd => "sgd",
        })
    }
}

impl FromStr for OptimizerKind {
    type Err = UnknownOptimizer;

    fn from_str(text: &str) -> Result<Self, UnknownOptimizer> {
        match text {
            "rmsprop" => Ok(Self::RmsProp),
            "adam" => Ok(Self::Adam),
            "sgd" => Ok(Self::Sgd),
            _ => Err(UnknownOptimizer(text.to_owned())),
        }
    }
}
