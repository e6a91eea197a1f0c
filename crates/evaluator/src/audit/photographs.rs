//! The photographs of the stores that are audited, with their pooled features.

use std::path::PathBuf;

use anyhow::Context;
use convbase_core::exit::WithHint;
use convbase_core::store::{FeatureStore, RowStatus};
use convbase_core::{Classes, Differences, Digest, FeatureSpec, differences};
use convbase_nn::probe::{Gathered, check_memory};
use convbase_nn::{MapPooling, Preparation, Rows};
use tracing::warn;

use crate::args::AuditArguments;
use crate::not_finite::with_remedy;

/// Stores of features that were not made alike.
#[derive(Debug, thiserror::Error)]
#[error("cannot audit `{}` together with `{}`: {differences}", other.display(), first.display())]
struct StoresDiffer {
    first: PathBuf,
    other: PathBuf,
    differences: Differences,
}

/// One photograph that became a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Photograph {
    /// The position of its store on the command line.
    pub(crate) store: usize,
    /// Relative to the folder that the store was extracted from.
    pub(crate) path: String,
    /// The position of its class in the list of all.
    pub(crate) label: usize,
    /// The digest of its file; features that came from elsewhere have none.
    pub(crate) sha256: Option<Digest>,
}

/// All photographs, store after store, each in the order of its listing.
pub(super) struct Photographs {
    pub(super) stores: Vec<FeatureStore>,
    /// Those of the first store, then what others have beyond them.
    pub(super) classes: Classes,
    pub(super) all: Vec<Photograph>,
    /// Their features [photographs, width], of maps the mean of each channel.
    pub(super) features: Gathered,
}

impl Photographs {
    /// Opens stores whose features can be compared, and pools their rows.
    pub(super) fn open(arguments: &AuditArguments, threads: usize) -> anyhow::Result<Self> {
        let stores = arguments.stores.iter().map(|folder| {
            let open =
                if arguments.no_verify { FeatureStore::open_without_hashing } else { FeatureStore::open };
            open(folder)
                .hint(|| "`extractor extract` makes and finishes a store, `extractor verify` checks it")
        });
        Self::of(stores.collect::<Result<_, _>>()?, threads)
    }

    /// The same of stores that are open.
    pub(super) fn of(stores: Vec<FeatureStore>, threads: usize) -> anyhow::Result<Self> {
        let (first, others) = stores.split_first().context("expected a store, found none")?;
        others.iter().try_for_each(|other| check_comparable(first, other))?;
        let classes = classes_of_all(&stores)?;
        let spec = first.manifest().spec();
        let pooling = pooling(spec);
        let count = stores.iter().map(FeatureStore::photographs).sum();
        check_memory(count, &spec.shape, &[pooling], threads)
            .with_context(|| format!("cannot audit {count} photographs"))
            .hint(|| "fewer `--threads` need less; stores may be audited one by one")?;
        // Covariance and factor of the whitening, and two copies of the rows as directions.
        let width = Preparation::new(&spec.shape, pooling, false).width() as u128;
        convbase_nn::check_memory(16 * width * width + 12 * width * count as u128)
            .with_context(|| format!("cannot audit {count} photographs of {width} numbers each"))
            .hint(|| "extract with `--pooling avg`")?;
        // The covariance of the columns, and its factor.
        let width = Preparation::new(&spec.shape, pooling, false).width() as u128;
        convbase_nn::check_memory(2 * 8 * width * width)
            .with_context(|| format!("cannot compare photographs by {width} numbers each"))
            .hint(|| "features of a layer that is pooled are fewer: `extractor extract --pooling avg`")?;
        let (mut all, mut features) = (Vec::with_capacity(count), None::<Gathered>);
        for (number, store) in stores.iter().enumerate() {
            let rows =
                Rows::new(store, &classes).with_context(|| format!("`{}`", store.folder().display()))?;
            all.extend(photographs(store, number, &rows)?);
            for gathered in Gathered::all(&rows, &spec.shape, &[pooling]).map_err(with_remedy)? {
                match &mut features {
                    Some(features) => features.append(gathered),
                    None => features = Some(gathered),
                }
            }
        }
        let features = features.filter(|features| !features.is_empty());
        let features = features
            .with_context(|| format!("`{}`: expected photographs, found none", first.folder().display()))?;
        Ok(Self { stores, classes, all, features })
    }

    /// What made the features.
    pub(super) fn spec(&self) -> Option<&FeatureSpec> {
        self.stores.first().map(|store| store.manifest().spec())
    }
}

/// A map is averaged over its positions, so that where something lies does not matter.
fn pooling(spec: &FeatureSpec) -> MapPooling {
    if spec.shape.sides().len() == 3 { MapPooling::Average } else { MapPooling::None }
}

/// The photographs of a store that became rows, in the order of the rows.
fn photographs(store: &FeatureStore, number: usize, rows: &Rows) -> anyhow::Result<Vec<Photograph>> {
    let records = store.records()?.into_iter().filter(|record| record.is_row() && record.is_first());
    let photograph = |(record, &label): (convbase_core::store::RowRecord, &usize)| {
        let sha256 = match record.status {
            RowStatus::Ok { photograph, .. } => photograph.map(|photograph| photograph.sha256),
            RowStatus::Rejected { .. } => None,
        };
        Photograph { store: number, path: record.path, label, sha256 }
    };
    Ok(records.zip(rows.labels()).map(photograph).collect())
}

/// Classes are matched by name.
fn classes_of_all(stores: &[FeatureStore]) -> anyhow::Result<Classes> {
    let mut names: Vec<String> = Vec::new();
    for name in stores.iter().flat_map(|store| store.manifest().classes().names()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(Classes::new(names)?)
}

fn check_comparable(first: &FeatureStore, other: &FeatureStore) -> anyhow::Result<()> {
    let (expected, found) = (first.manifest(), other.manifest());
    let differences = differences(expected.spec(), found.spec());
    if !differences.is_empty() {
        let (first, other) = (first.folder().to_owned(), other.folder().to_owned());
        Err(StoresDiffer { first, other, differences }).hint(|| "extract both with the same options")?;
    }
    if expected.precision() != found.precision() {
        warn!(
            "`{}` was computed in {}, `{}` in {}: cosines of copies are a little lower",
            first.folder().display(),
            expected.precision(),
            other.folder().display(),
            found.precision()
        );
    }
    if first.digest() == other.digest() {
        warn!(
            "`{}` and `{}` are the same store: every photograph is its own twin",
            first.folder().display(),
            other.folder().display()
        );
    }
    Ok(())
}
