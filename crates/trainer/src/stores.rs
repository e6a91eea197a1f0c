//! The stores that a training reads, and the rows it takes from them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use convbase_core::exit::WithHint;
use convbase_core::store::FeatureStore;
use convbase_core::{Classes, Differences, differences};
use convbase_nn::{CheckpointMetadata, HeadShape, Rows, ViewChoice};
use tracing::warn;

use crate::args::{ClassWeight, Validation};

/// A store to train on, and one to validate on where there is one.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) train: FeatureStore,
    pub(crate) validation: Option<FeatureStore>,
}

/// Training and validation features that cannot be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot validate on `{}` what is trained on `{}`: {differences}", validation.display(), features.display())]
struct StoresDiffer {
    features: PathBuf,
    validation: PathBuf,
    differences: Differences,
}

impl Stores {
    /// Opens stores whose features can be compared.
    pub(crate) fn open(
        features: &Path,
        validation: Option<&PathBuf>,
        no_verify: bool,
    ) -> anyhow::Result<Self> {
        let train = open(features, no_verify)?;
        let validation = validation.map(|folder| open(folder, no_verify)).transpose()?;
        if let Some(validation) = &validation {
            check_comparable(&train, validation)?;
        }
        Ok(Self { train, validation })
    }

    /// What the checkpoints of a training on these stores say, but for their figures.
    pub(crate) fn metadata(&self, classes: Classes, head: HeadShape) -> CheckpointMetadata {
        let manifest = self.train.manifest();
        CheckpointMetadata {
            spec: manifest.spec().clone(),
            classes,
            head,
            epoch: 0,
            val_loss: f64::INFINITY,
            val_accuracy: 0.0,
            tail_weights: None,
            views: manifest.views().cloned(),
        }
    }

    /// Training and validation rows, of which there are some.
    pub(crate) fn rows(
        &self,
        classes: &Classes,
        from: &Validation,
        views: ViewChoice,
    ) -> anyhow::Result<(Rows<'_>, Rows<'_>)> {
        let all = Rows::new(&self.train, classes)?.showing(views);
        let (train_rows, validation_rows) = match (from, &self.validation) {
            (Validation::Split(share), _) => all.split(*share),
            (Validation::Store(folder), Some(store)) => {
                let validation = Rows::new(store, classes).with_context(|| {
                    let (validation, features) = (folder.display(), self.train.folder().display());
                    format!("cannot validate on `{validation}` what is trained on `{features}`")
                })?;
                (all, validation)
            }
            (Validation::Store(folder), None) => bail!("`{}` was not opened", folder.display()),
        };
        for (rows, what) in [(&train_rows, "training"), (&validation_rows, "validation")] {
            ensure!(
                !rows.is_empty(),
                "`{}`: expected {what} rows, found none",
                self.train.folder().display()
            );
            for (label, class) in classes.names().iter().enumerate() {
                if !rows.labels().contains(&label) {
                    warn!("class `{class}` has no {what} rows");
                }
            }
        }
        Ok((train_rows, validation_rows))
    }
}

fn open(folder: &Path, no_verify: bool) -> anyhow::Result<FeatureStore> {
    let open = if no_verify { FeatureStore::open_without_hashing } else { FeatureStore::open };
    Ok(open(folder)
        .hint(|| "`extractor extract` makes and finishes a store, `extractor verify` checks it")?)
}

fn check_comparable(train: &FeatureStore, validation: &FeatureStore) -> anyhow::Result<()> {
    let (expected, found) = (train.manifest(), validation.manifest());
    let differences = differences(expected.spec(), found.spec());
    if !differences.is_empty() {
        let features = train.folder().to_owned();
        let validation = validation.folder().to_owned();
        Err(StoresDiffer { features, validation, differences })
            .hint(|| "extract both with the same options")?;
    }
    if (expected.precision(), expected.dtype()) != (found.precision(), found.dtype()) {
        warn!(
            "features are {} {}, validation features {} {}",
            expected.precision(),
            expected.dtype(),
            found.precision(),
            found.dtype()
        );
    }
    if train.digest() == validation.digest() {
        warn!(
            "training and validation features are the same: validation figures say nothing about new images"
        );
    }
    Ok(())
}

/// rows / (classes × rows of the class), over the classes that have rows (scikit-learn `compute_class_weight`).
pub(crate) fn class_weights(how: ClassWeight, labels: &[usize], classes: usize) -> Option<Vec<f64>> {
    if how == ClassWeight::None {
        return None;
    }
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    let present = counts.iter().filter(|&&count| count > 0).count();
    let weight =
        |&count: &usize| if count == 0 { 0.0 } else { labels.len() as f64 / (present * count) as f64 };
    Some(counts.iter().map(weight).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learn_s() {
        // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) is [0.667, 2.0].
        let weights = class_weights(ClassWeight::Balanced, &[0, 0, 0, 1], 2).unwrap();
        assert!((weights[0] - 2.0 / 3.0).abs() < 1e-12 && (weights[1] - 2.0).abs() < 1e-12);
        assert_eq!(class_weights(ClassWeight::Balanced, &[0, 2], 3).unwrap(), [1.0, 0.0, 1.0]);
        assert_eq!(class_weights(ClassWeight::None, &[0, 1], 2), None);
    }
}
