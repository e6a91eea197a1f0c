//! Minibatches of a store's photographs: only the rows of one batch leave the memory map.

use std::borrow::Cow;

use convbase_core::store::{FeatureStore, OpenError};
use convbase_core::{Classes, Label};

use crate::randomness::{below, generator, permutation, seed_for};
use crate::tensor_file::not_finite;
use crate::{MinibatchError, ViewChoice};

/// Some photographs of a store, in a fixed order, with labels of a given class list. Each has a row of the store for
/// each of its views; splits, labels and lengths count photographs.
#[derive(Debug)]
pub struct Rows<'store> {
    store: &'store FeatureStore,
    /// Each photograph's number in the store, rejected ones not counted.
    photographs: Vec<usize>,
    /// Each photograph's label in the given class list.
    labels: Vec<usize>,
    /// What an epoch sees of them.
    choice: ViewChoice,
}

/// A view of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ViewOf {
    /// The photograph's position among the rows.
    pub(crate) position: usize,
    /// 0 is the photograph itself.
    pub(crate) view: usize,
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
    /// All photographs of a store, their labels matched to `classes` by name.
    pub fn new(store: &'store FeatureStore, classes: &Classes) -> Result<Self, ClassMappingError> {
        let own = store.manifest().classes().names();
        let mapped: Vec<Option<usize>> =
            own.iter().map(|name| classes.label(name).map(Label::index)).collect();
        // Views of a photograph lie together and have its label.
        let labels = store.labels().iter().step_by(store.views());
        let labels = labels.map(|label| mapped[label.index()]).collect::<Option<Vec<usize>>>();
        let photographs = (0..store.photographs()).collect();
        match labels {
            Some(labels) => Ok(Self { store, photographs, labels, choice: ViewChoice::default() }),
            None => Err(ClassMappingError { expected: classes.names().to_vec(), found: own.to_vec() }),
        }
    }

    /// The same with another choice of what an epoch sees.
    #[must_use]
    pub fn showing(self, choice: ViewChoice) -> Self {
        Self { choice, ..self }
    }

    /// Splits as Keras' `ImageDataGenerator(validation_split=share)` does: within each class, in listing order, the
    /// first `floor(share × count)` photographs are validation, with all their views. Gives training and validation
    /// photographs.
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
            let (photographs, labels) =
                self.photographs.iter().copied().zip(self.labels.iter().copied()).filter(keep).unzip();
            Self { store: self.store, photographs, labels, choice: self.choice }
        };
        (part(false), part(true))
    }

    /// How many photographs there are.
    pub fn len(&self) -> usize {
        self.photographs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.photographs.is_empty()
    }

    /// Views of each photograph, the photograph itself among them.
    pub fn views(&self) -> usize {
        self.store.views()
    }

    /// Each photograph's label in the class list.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The features of the photograph at a position, `[features]`: view 0, the photograph itself.
    ///
    /// # Panics
    /// When the position is out of range.
    pub fn floats(&self, position: usize) -> Result<Cow<'store, [f32]>, OpenError> {
        self.floats_of(ViewOf { position, view: 0 })
    }

    /// The same, where all of them are finite.
    ///
    /// # Panics
    /// When the position is out of range.
    pub(crate) fn finite_floats(&self, position: usize) -> Result<Cow<'store, [f32]>, MinibatchError> {
        let (features, view) = (self.floats(position)?, ViewOf { position, view: 0 });
        match not_finite(&features) {
            Some(found) => {
                let (folder, row) = (self.store.folder().to_owned(), self.row(view));
                Err(MinibatchError::NotFinite { folder, row, found })
            }
            None => Ok(features),
        }
    }

    /// The views that one epoch sees, in an order of its own; both depend on seed and epoch alone.
    pub(crate) fn epoch(&self, seed: u64, epoch: u32) -> Vec<ViewOf> {
        let views = self.views();
        match self.choice {
            ViewChoice::All => epoch_order(self.len() * views, seed, epoch)
                .into_iter()
                .map(|sample| ViewOf { position: sample / views, view: sample % views })
                .collect(),
            ViewChoice::One => epoch_order(self.len(), seed, epoch)
                .into_iter()
                .map(|position| {
                    let photograph = self.photographs[position] as u64;
                    ViewOf { position, view: drawn_view(views, seed, epoch, photograph) }
                })
                .collect(),
        }
    }

    /// The minibatch of the photographs at these positions, each itself.
    ///
    /// # Panics
    /// When a position is out of range.
    pub(crate) fn gather(&self, positions: &[usize]) -> Result<Minibatch<'store>, MinibatchError> {
        self.gather_views(positions.iter().map(|&position| ViewOf { position, view: 0 }))
    }

    /// The minibatch of these views.
    ///
    /// # Panics
    /// When a position or a view is out of range.
    pub(crate) fn gather_views(
        &self,
        views: impl Iterator<Item = ViewOf> + Clone,
    ) -> Result<Minibatch<'store>, MinibatchError> {
        let labels = views.clone().map(|view| self.labels[view.position]).collect();
        let features = views.map(|view| self.floats_of(view)).collect::<Result<_, _>>()?;
        Ok(Minibatch { features, labels })
    }

    /// The same, where all of them are finite.
    ///
    /// # Panics
    /// When a position or a view is out of range.
    pub(crate) fn gather_finite(
        &self,
        views: impl Iterator<Item = ViewOf> + Clone,
    ) -> Result<Minibatch<'store>, MinibatchError> {
        let minibatch = self.gather_views(views.clone())?;
        for (features, view) in minibatch.features.iter().zip(views) {
            if let Some(found) = not_finite(features) {
                let (folder, row) = (self.store.folder().to_owned(), self.row(view));
                return Err(MinibatchError::NotFinite { folder, row, found });
            }
        }
        Ok(minibatch)
    }

    fn floats_of(&self, view: ViewOf) -> Result<Cow<'store, [f32]>, OpenError> {
        self.store.floats(self.row(view))
    }

    fn row(&self, ViewOf { position, view }: ViewOf) -> usize {
        let views = self.views();
        assert!(view < views, "view {view} of {views}");
        self.photographs[position] * views + view
    }
}

/// The order of `count` samples in one epoch: a permutation that depends on seed and epoch alone.
pub(crate) fn epoch_order(count: usize, seed: u64, epoch: u32) -> Vec<usize> {
    permutation(count, &mut generator(seed_for(seed, epoch, u64::MAX)))
}

/// The view of a photograph, by its number in the store, that one epoch sees.
fn drawn_view(views: usize, seed: u64, epoch: u32, photograph: u64) -> usize {
    // Steps are counted from 0, and have seeds of their own: photographs lie in the upper half of the numbers.
    below(views, seed_for(seed, epoch, 1 << 63 | photograph))
}

#[cfg(test)]
mod tests;
