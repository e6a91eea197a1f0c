//! `extractor import`: arrays that another program saved in, feature store out.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use convbase_bases::{Choices, architecture, article};
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::store::{ForeignArray, Listing, Manifest, StoreWriter};
use convbase_core::{FeatureShape, FeatureSpec, Interrupt, Sample, check_distinct_keys, listing_digest};
use serde_json::Value;
use tracing::{info, warn};

use crate::args::ImportArguments;
use crate::extract::with_remedy;

/// What an import left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Rows of the arrays.
    pub rows: usize,
    /// Whether a signal ended it before all shards were made.
    pub interrupted: bool,
}

/// Takes features and labels into a store. Shards that are finished are kept.
pub fn import(arguments: &ImportArguments, interrupt: &Interrupt) -> anyhow::Result<Import> {
    let classes = crate::args::classes(arguments.classes.clone())?;
    let spec = if arguments.spec == Path::new("article") { article() } else { read_spec(&arguments.spec)? };
    let features = ForeignArray::open(&arguments.features)?;
    check_shape(arguments, &features, &spec)?;
    let labels = ForeignArray::open(&arguments.labels)?.labels(&classes)?;
    let rows = features.shape()[0];
    ensure!(
        labels.len() == rows,
        "`{}`: rows: expected {rows}, as in `{}`, found {}",
        arguments.labels.display(),
        arguments.features.display(),
        labels.len()
    );

    // A row's path says which array it came from, so that another array is another listing.
    let source = features.digest().hex();
    let sample = |(row, label)| Sample { path: format!("{}/{row:010}", &source[..16]), label };
    let samples: Vec<Sample> = labels.into_iter().enumerate().map(sample).collect();
    let listing = Listing { images: rows, sha256: listing_digest(&samples) };
    let dtype = arguments.dtype.unwrap_or(features.data_type());
    let shard_size = arguments.shard_size as usize;
    let shards = rows.div_ceil(shard_size);
    if shards > Manifest::MOST_SHARDS {
        let (out, most) = (arguments.out.display(), Manifest::MOST_SHARDS);
        let error = anyhow::anyhow!("`{out}`: expected at most {most} shards, found {shards}");
        return Err(Hinted::new(error, "raise `--shard-size`").into());
    }
    let manifest = Manifest::new(spec, arguments.precision, dtype, classes, listing, shard_size);
    let store = StoreWriter::create(&arguments.out, manifest, arguments.overwrite).map_err(with_remedy)?;

    let mut missing = 0;
    for shard in store.manifest().shards() {
        if store.finished(shard).is_some() {
            continue;
        }
        if interrupt.is_set() {
            missing += 1;
            continue;
        }
        let mut writer = store.shard(shard)?;
        for row in store.manifest().positions(shard) {
            writer.append(&[(&samples[row], Ok(None))], &features.row_bytes(row, dtype)?)?;
        }
        writer.finish(None)?;
    }
    report(arguments, &store, rows, missing);
    Ok(Import { rows, interrupted: missing > 0 })
}

fn report(arguments: &ImportArguments, store: &StoreWriter, rows: usize, missing: usize) {
    let out = arguments.out.display();
    if missing > 0 {
        warn!(
            missing,
            "`{out}`: interrupted; {missing} shards are missing: run the same command again to go on"
        );
        return;
    }
    let spec = store.manifest().spec();
    info!(
        rows,
        "`{out}`: {rows} rows of {} {}, image size {}, {}, preprocess {}",
        spec.layer,
        spec.shape,
        spec.image_size,
        spec.interpolation,
        spec.preprocess
    );
}

/// A spec, or what holds one as its `spec`.
fn read_spec(path: &Path) -> anyhow::Result<FeatureSpec> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let what = || format!("`{}` holds no spec", path.display());
    let hint = || "the fields are those of `spec` in a manifest.json; data/README.md lists them";
    // A value keeps the last of two fields with one name.
    check_distinct_keys(&bytes).with_context(what).hint(hint)?;
    let mut value: Value = serde_json::from_slice(&bytes).with_context(what).hint(hint)?;
    let inner = value.get_mut("spec").map(Value::take);
    let spec: FeatureSpec = serde_json::from_value(inner.unwrap_or(value)).with_context(what).hint(hint)?;
    if let Some(expected) = known_shape(&spec).filter(|shape| *shape != spec.shape) {
        let error = anyhow::anyhow!("`{}`: shape: expected {expected}, found {}", path.display(), spec.shape);
        return Err(Hinted::new(error, "layer, image size and pooling decide the shape").into());
    }
    Ok(spec)
}

/// The shape that follows from layer, size and pooling, where the architecture and its layer are of the catalogue.
fn known_shape(spec: &FeatureSpec) -> Option<FeatureShape> {
    let FeatureSpec { layer, pooling, image_size, interpolation, preprocess, .. } = spec.clone();
    let choices = Choices { layer, pooling, image_size, interpolation, preprocess };
    let known = architecture(&spec.architecture).ok()?.spec(spec.weights, choices).ok()?;
    Some(known.shape)
}

/// The rows have the spec's shape, or are flat and as long.
fn check_shape(
    arguments: &ImportArguments,
    features: &ForeignArray,
    spec: &FeatureSpec,
) -> anyhow::Result<()> {
    let found = &features.shape()[1..];
    let expected: Vec<usize> = spec.shape.sides().iter().map(|&side| side as usize).collect();
    if found == expected || (found.len() == 1 && found[0] == spec.shape.length()) {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "`{}`: shape of a row: expected {expected:?}, found {found:?}",
        arguments.features.display()
    );
    let hint = "the spec must describe these features";
    Err(Hinted::new(error, hint).into())
}
