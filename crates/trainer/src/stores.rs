//! The stores that a training reads, and the rows it takes from them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use convbase_core::exit::WithHint;
use convbase_core::store::FeatureStore;
use convbase_core::{Classes, Differences, differences};
use convbase_nn::{CheckpointMetadata, HeadShape, Rows, ViewChoice, balanced_class_weights};
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
        let features = self.train.folder().display();
        let most = most_of_a_class(all.labels(), classes.len());
        let (train_rows, validation_rows) = match (from, &self.validation) {
            (Validation::Split(share), _) => all.split(*share),
            (Validation::Store(folder), Some(store)) => {
                let validation = Rows::new(store, classes).with_context(|| {
                    format!("cannot validate on `{}` what is trained on `{features}`", folder.display())
                })?;
                (all, validation)
            }
            (Validation::Store(folder), None) => bail!("`{}` was not opened", folder.display()),
        };
        check_classes(&train_rows, classes, &features)?;
        if validation_rows.is_empty() {
            let (folder, hint) = match from {
                Validation::Split(_) => (features, share_that_validates(most)),
                Validation::Store(folder) => (folder.display(), hint_about_files()),
            };
            Err(anyhow::anyhow!("`{folder}`: expected validation rows, found none")).hint(|| hint)?;
        }
        for (rows, what) in [(&train_rows, "training"), (&validation_rows, "validation")] {
            for class in without_rows(rows, classes) {
                warn!("class `{class}` has no {what} rows");
            }
        }
        Ok((train_rows, validation_rows))
    }
}

/// Refuses what teaches nothing: one class alone is right however a head answers.
fn check_classes(rows: &Rows, classes: &Classes, features: &impl Display) -> anyhow::Result<()> {
    let missing: Vec<&str> = without_rows(rows, classes).collect();
    let found = classes.len() - missing.len();
    if found < 2 {
        const SHOWN: usize = 5;
        let shown: Vec<String> = missing.iter().take(SHOWN).map(|class| format!("`{class}`")).collect();
        let more = missing.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Err(anyhow::anyhow!(
            "`{features}`: classes with training rows: expected at least 2, found {found}: none of {}{more}",
            shown.join(", ")
        ))
        .hint(hint_about_files)?;
    }
    Ok(())
}

/// The classes that no row is of.
pub(crate) fn without_rows<'a>(rows: &Rows, classes: &'a Classes) -> impl Iterator<Item = &'a str> + use<'a> {
    let counts = counts(rows.labels(), classes.len());
    classes.names().iter().zip(counts).filter(|(_, count)| *count == 0).map(|(class, _)| class.as_str())
}

/// Where a class of a store has no rows.
pub(crate) fn hint_about_files() -> String {
    "`extractor inspect` counts the rows of each class and those that were rejected; where there are neither, the \
     class's folder holds no files with a known suffix"
        .to_owned()
}

/// Photographs of each class.
fn counts(labels: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    counts
}

/// Photographs of the largest class.
fn most_of_a_class(labels: &[usize], classes: usize) -> usize {
    counts(labels, classes).into_iter().max().unwrap_or(0)
}

/// What leaves photographs to validate on, where the largest class has so many.
fn share_that_validates(most: usize) -> String {
    let validation = "give photographs of their own to validate on: `--validation DIR`";
    if most < 2 {
        return validation.to_owned();
    }
    // The first floor(share × photographs) of a class validate; two digits are enough to type.
    let share = 100_usize.div_ceil(most) as f64 / 100.0;
    format!(
        "{validation}; or a larger share: the largest class has {most}, one of them is `--validation-split {share}`"
    )
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

/// The weight of each class; none where all rows weigh alike.
pub(crate) fn class_weights(how: ClassWeight, labels: &[usize], classes: usize) -> Option<Vec<f64>> {
    match how {
        ClassWeight::None => None,
        ClassWeight::Balanced => Some(balanced_class_weights(labels, classes)),
    }
}
