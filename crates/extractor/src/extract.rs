//! `extractor extract`: photographs in, feature store out.

use convbase_core::exit::{Hinted, WithHint};
use convbase_core::store::{CreateError, Listing, Manifest, Receipt, ShardName, StoreWriter};
use convbase_core::{FeatureSpec, ImageFolder, Preprocess};
use convbase_nn::{ConvBase, ConvBaseWeights, Device, Summary};
use tracing::{info, warn};

use crate::args::{Choice, ExtractConfig};
use crate::pipeline::Pipeline;
use crate::progress::Progress;
use crate::rejection_limit::RejectionLimit;

/// What an extraction left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// Images of the listing.
    pub listed: usize,
    /// Images that became rows.
    pub embedded: usize,
    /// Images that did not.
    pub rejected: usize,
    /// Shards that were finished already.
    pub kept_shards: usize,
}

/// Extracts the features of a labelled image folder. Shards that are finished are kept.
pub fn extract(config: &ExtractConfig) -> anyhow::Result<Extraction> {
    let folder = ImageFolder::open(&config.images, config.classes.as_ref())?;
    folder.remarks().iter().for_each(|remark| warn!("`{}`: {remark}", config.images.display()));
    let weights = load_weights(config)?;
    let device = config.device.resolve()?;
    let manifest = plan(config, &folder, &weights, device)?;
    let store = StoreWriter::create(&config.out, manifest, config.overwrite).map_err(with_remedy)?;
    let manifest = store.manifest();
    let conv_base = ConvBase::new(&weights, manifest.spec(), manifest.precision(), device)?;
    describe(config, &folder, manifest, device);

    let (kept, todo) = finished_shards(&store);
    let mut limit = RejectionLimit::new(config.max_rejected, folder.samples().len());
    for (shard, receipt) in &kept {
        store.rejections(*shard, receipt)?.iter().for_each(|(path, error)| limit.add(path, error));
    }
    let kept_rejected = limit.rejected();
    limit.check(&folder)?;
    let batch_size = config.batch_size.unwrap_or(if device.is_cuda() { 64 } else { 8 });
    let images_to_do = todo.iter().map(|shard| manifest.positions(*shard).len()).sum();
    let progress = Progress::new(images_to_do, config.shows_progress);
    let rejected = Pipeline { folder: &folder, store: &store, batch_size, progress: &progress }
        .run(&conv_base, &todo, limit)?;
    progress.finish();

    let listed = folder.samples().len();
    let rejected = kept_rejected + rejected;
    let extraction = Extraction { listed, embedded: listed - rejected, rejected, kept_shards: kept.len() };
    info!(
        listed,
        embedded = extraction.embedded,
        rejected,
        "`{}`: listed {listed} = embedded {} + rejected {rejected}",
        config.out.display(),
        extraction.embedded
    );
    Ok(extraction)
}

fn load_weights(config: &ExtractConfig) -> anyhow::Result<ConvBaseWeights> {
    Ok(ConvBaseWeights::load(&config.weights).hint(
        || "`scripts/weights` makes the file, `scripts/weights --from FILE` from weights of your own",
    )?)
}

fn plan(
    config: &ExtractConfig,
    folder: &ImageFolder,
    weights: &ConvBaseWeights,
    device: Device,
) -> anyhow::Result<Manifest> {
    let spec = FeatureSpec::vgg16(
        weights.digest(),
        config.layer,
        config.pooling,
        config.image_size,
        config.interpolation,
        preprocess(config, weights)?,
    );
    let precision = match config.precision {
        Choice::This(precision) => precision,
        Choice::Auto => recorded_precision(config).unwrap_or_else(|| ConvBase::native_precision(device)),
    };
    let shards = folder.samples().len().div_ceil(config.shard_size.max(1));
    if shards > Manifest::MOST_SHARDS {
        let most = Manifest::MOST_SHARDS;
        let error =
            anyhow::anyhow!("`{}`: expected at most {most} shards, found {shards}", config.out.display());
        return Err(Hinted::new(error, "raise `--shard-size`").into());
    }
    let listing = Listing { images: folder.samples().len(), sha256: folder.listing_digest() };
    Ok(Manifest::new(spec, precision, config.dtype, folder.classes().clone(), listing, config.shard_size))
}

/// Once a plan is written, its precision binds every later run that does not name another.
fn recorded_precision(config: &ExtractConfig) -> Option<convbase_core::Precision> {
    if config.overwrite {
        return None;
    }
    Manifest::open(&config.out).ok().map(|manifest| manifest.precision())
}

fn preprocess(config: &ExtractConfig, weights: &ConvBaseWeights) -> anyhow::Result<Preprocess> {
    match (config.preprocess, weights.preprocess()) {
        (Choice::This(given), Some(trained)) if given != trained => {
            info!("preprocess {given}; the weights were trained with {trained}");
            Ok(given)
        }
        (Choice::This(given), _) => Ok(given),
        (Choice::Auto, Some(trained)) => Ok(trained),
        (Choice::Auto, None) => {
            let error = anyhow::anyhow!(
                "weights `{}`: metadata preprocess: expected one of {}, found none",
                config.weights.display(),
                Preprocess::NAMES.join(", ")
            );
            let hint = "say what the weights were trained with: `--preprocess torch`, for instance";
            Err(Hinted::new(error, hint).into())
        }
    }
}

fn with_remedy(error: CreateError) -> anyhow::Error {
    match error {
        CreateError::Differs { .. } | CreateError::Orphan { .. } => {
            let hint = "give another `--out`, the options of the store that is there, or `--overwrite`";
            Hinted::new(error, hint).into()
        }
        error => error.into(),
    }
}

fn finished_shards(store: &StoreWriter) -> (Vec<(ShardName, Receipt)>, Vec<ShardName>) {
    let (mut kept, mut todo) = (Vec::new(), Vec::new());
    for shard in store.manifest().shards() {
        match store.finished(shard) {
            Some(receipt) => kept.push((shard, receipt)),
            None => todo.push(shard),
        }
    }
    if !kept.is_empty() {
        info!("{} of {} shards are finished and kept", kept.len(), kept.len() + todo.len());
    }
    (kept, todo)
}

fn describe(config: &ExtractConfig, folder: &ImageFolder, manifest: &Manifest, device: Device) {
    let spec = manifest.spec();
    info!("frozen base\n{}", Summary::conv_base(spec));
    info!(
        "`{}`: {} photographs, classes {}",
        config.images.display(),
        folder.samples().len(),
        folder.classes().names().join(", ")
    );
    info!(
        "image size {}, {}, preprocess {}, {}, {} on {device:?}, features {:?} {}",
        spec.image_size,
        spec.interpolation,
        spec.preprocess,
        spec.layer,
        manifest.precision(),
        spec.shape,
        manifest.dtype()
    );
}
