//! A class by its number.

use std::fmt;

use serde::Serialize;

/// The position of a class in its [`Classes`](super::Classes), which alone give labels: whoever holds one need not ask
/// again whether there is such a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Label(usize);

impl Label {
    /// For the class list, which knows how many there are.
    pub(super) fn new(index: usize) -> Self {
        Self(index)
    }

    /// The position, from 0.
    pub fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
