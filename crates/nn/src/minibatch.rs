//! Minibatches of a store's rows: only the rows of one batch leave the memory map.

use std::borrow::Cow;

use convbase_core::store::{FeatureStore, OpenError};
use convbase_core::{Classes, Label};

use crate::MinibatchError;
use crate::randomness::{generator, permutation, seed_for};

/// Some rows of a store, in a fixed order, with labels of a given class list.
#[derive(Debug)]
pub struct Rows<'store> {
    store: &'store FeatureStore,
    /// Each row's number in the store.
    rows: Vec<usize>,
    /// Each row's label in the given class list.
    labels: Vec<usize>,
}

/// Features and labels of some rows.
#[derive(Debug)]
pub(crate) struct Minibatch<'store> {
    /// Each `[features]`; where the store holds float32, in its memory map.
    pub(crate) features: Vec<Cow<'store, [f32]>>,
    pub(crate) labels: Vec<usize>,
}

impl Minibatch<'_> {
    /// The features, row by row.
    pub(crate) fn rows(&self) -> Vec<&[f32]> {
        self.features.iter().map(|row| &row[..]).collect()
    }
}

/// A store holds rows of classes that the class list does not name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("classes: expected {expected:?}, found {found:?}")]
pub struct ClassMappingError {
    expected: Vec<String>,
    found: Vec<String>,
}

impl<'store> Rows<'store> {
    /// All rows of a store, their labels matched to `classes` by name.
    pub fn new(store: &'store FeatureStore, classes: &Classes) -> Result<Self, ClassMappingError> {
        let own = store.manifest().classes().names();
        let mapped: Vec<Option<usize>> =
            own.iter().map(|name| classes.label(name).map(Label::index)).collect();
        let labels = store.labels().iter().map(|label| mapped[label.index()]).collect::<Option<Vec<usize>>>();
        match labels {
            Some(labels) => Ok(Self { store, rows: (0..store.rows()).collect(), labels }),
            None => Err(ClassMappingError { expected: classes.names().to_vec(), found: own.to_vec() }),
        }
    }

    /// Splits as Keras' `ImageDataGenerator(validation_split=share)` does: within each class, in listing order, the
    /// first `floor(share × count)` rows are validation. Gives training and validation rows.
    pub fn split(self, share: f64) -> (Self, Self) {
        let classes = self.labels.iter().max().map_or(0, |last| last + 1);
        let mut counts = vec![0_usize; classes];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        let quotas: Vec<usize> = counts.iter().map(|&count| (share * count as f64) as usize).collect();
        let mut seen = vec![0; classes];
        let mut part = |validation: bool| {
            seen.fill(0);
            let keep = |&(_, label): &(usize, usize)| {
                seen[label] += 1;
                (seen[label] <= quotas[label]) == validation
            };
            let (rows, labels) =
                self.rows.iter().copied().zip(self.labels.iter().copied()).filter(keep).unzip();
            Self { store: self.store, rows, labels }
        };
        (part(false), part(true))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Each row's label in the class list.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The features of the row at a position, `[features]`.
    ///
    /// # Panics
    /// When there is no such position.
    pub fn floats(&self, position: usize) -> Result<Cow<'store, [f32]>, OpenError> {
        self.store.floats(self.rows[position])
    }

    /// The minibatch of the rows at these positions.
    ///
    /// # Panics
    /// When a position is out of range.
    pub(crate) fn gather(&self, positions: &[usize]) -> Result<Minibatch<'store>, MinibatchError> {
        let rows = positions.iter().map(|&position| self.store.floats(self.rows[position]));
        let labels = positions.iter().map(|&position| self.labels[position]).collect();
        Ok(Minibatch { features: rows.collect::<Result<_, _>>()?, labels })
    }
}

/// The order of `count` rows in one epoch: a permutation that depends on seed and epoch alone.
pub(crate) fn epoch_order(count: usize, seed: u64, epoch: u32) -> Vec<usize> {
    permutation(count, &mut generator(seed_for(seed, epoch, u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epochs_order_is_a_permutation_of_its_own() {
        let order = epoch_order(100, 42, 1);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(100, 42, 1));
        assert_ne!(order, epoch_order(100, 42, 2));
        assert_ne!(order, epoch_order(100, 43, 1));
    }
}
