//! `extractor extract`: photographs in, feature store out.

use std::path::Path;

use anyhow::Context;
use convbase_bases::Choices;
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::store::{Canary, CreateError, Listing, Manifest, Receipt, ShardName, StoreWriter, Task};
use convbase_core::{FeatureSpec, Interpolation, Precision, Preprocess, processors};
use convbase_images::{DecodeThreads, Decoder, ImageFolder, canary_pixels};
use convbase_nn::{Base, BaseError, ConvBase, Device, DeviceChoice, Summary, is_onnx_file};
use tracing::{info, warn};

use crate::args::{Choice, ExtractConfig};
use crate::disk::tell_disk;
use crate::images_folder::open_folder;
use crate::pipeline::Pipeline;
use crate::progress::Progress;
use crate::rejection_limit::RejectionLimit;

/// What an extraction left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// Images of the listing that this task is for.
    pub listed: usize,
    /// Images that became rows.
    pub embedded: usize,
    /// Images that did not.
    pub rejected: usize,
    /// Shards that were finished already.
    pub kept_shards: usize,
    /// Whether a signal ended it before all shards were made.
    pub interrupted: bool,
}

/// Extracts the features of a labelled image folder. Shards that are finished are kept.
pub fn extract(config: &ExtractConfig) -> anyhow::Result<Extraction> {
    let folder = open_folder(config)?;
    let base = open_base(config)?;
    let device = device(config, &base)?;
    let create = || -> anyhow::Result<StoreWriter> {
        let manifest = plan(config, &folder, &base, device)?;
        StoreWriter::create(&config.out, manifest, config.overwrite).map_err(with_remedy)
    };
    let store = match create() {
        // Another task may just have written the plan, with the precision of its machine: that one binds.
        Err(_) if config.precision == Choice::Auto && !config.overwrite => create()?,
        created => created?,
    };
    let manifest = store.manifest();
    let conv_base = ConvBase::new(&base, manifest.spec(), manifest.precision(), device)?;
    let (images, count) = (config.images.display(), folder.samples().len());
    let excluded = excluded(&folder);
    info!(table = folder.table(), "`{images}`: {count} photographs{excluded}");
    describe(&base, manifest, &conv_base)?;
    tell_disk(manifest);

    let mine: Vec<ShardName> = manifest.shards().filter(|shard| config.task.makes(*shard)).collect();
    let (kept, todo) = finished_shards(&store, &mine, config.retry_rejected);
    let images = |shards: &[ShardName]| shards.iter().map(|shard| manifest.positions(*shard).len()).sum();
    let mut limit = RejectionLimit::new(config.max_rejected, images(&mine));
    for (_, receipt) in &kept {
        store.rejections(receipt)?.iter().for_each(|(path, error)| limit.add(path, error));
    }
    limit.check(&folder)?;
    let made = if todo.is_empty() {
        Vec::new()
    } else {
        make(config, &folder, &store, &conv_base, &kept, &todo, limit)?
    };

    let receipts = || kept.iter().map(|(_, receipt)| receipt).chain(&made);
    let extraction = Extraction {
        listed: images(&mine),
        embedded: receipts().map(|receipt| receipt.rows / manifest.view_count()).sum(),
        rejected: receipts().map(|receipt| receipt.rejected).sum(),
        kept_shards: kept.len(),
        interrupted: made.len() < todo.len(),
    };
    report(config, &extraction, &excluded, mine.len() - kept.len() - made.len());
    if mine.is_empty() {
        let (task, source, shards) = (config.task, config.task_source, manifest.shards().count());
        warn!(
            "{task}, from {source}, has nothing to do: the store has {shards} shards, and others make them"
        );
    }
    Ok(extraction)
}

/// Makes the shards that are not kept, and gives the receipts of those that were finished.
fn make(
    config: &ExtractConfig,
    folder: &ImageFolder,
    store: &StoreWriter,
    conv_base: &ConvBase,
    kept: &[(ShardName, Receipt)],
    todo: &[ShardName],
    limit: RejectionLimit,
) -> anyhow::Result<Vec<Receipt>> {
    let manifest = store.manifest();
    let canary = canary(conv_base, manifest)?;
    compare_canary(&canary, kept, manifest, &config.out)?;
    let images = todo.iter().map(|shard| manifest.positions(*shard).len()).sum();
    let progress = Progress::new(images, config.shows_progress);
    let decode_threads = DecodeThreads::start(config.decode_threads)
        .with_context(|| format!("cannot start {} threads to decode", config.decode_threads))?;
    let spec = manifest.spec();
    let pipeline = Pipeline {
        folder,
        store,
        decoder: Decoder::new(spec.image_size, spec.interpolation)
            .with_exif_orientation(spec.exif_orientation)
            .with_most_pixels(config.most_pixels),
        decode_threads: &decode_threads,
        views: config.views.as_ref(),
        batch_size: config.batch_size.unwrap_or_else(|| conv_base.default_batch_size()),
        passes: config.threads.unwrap_or_else(|| if conv_base.device().is_cuda() { 2 } else { processors() }),
        progress: &progress,
        interrupt: &config.interrupt,
        canary: &canary,
        replaces: config.retry_rejected,
    };
    let (made, time) = pipeline.run(conv_base, todo, limit)?;
    progress.finish(&time);
    Ok(made)
}

/// How many photographs of the folder a list left out, to end a sentence with.
fn excluded(folder: &ImageFolder) -> String {
    folder.excluded().map_or(String::new(), |excluded| format!(", and {excluded} excluded"))
}

fn report(config: &ExtractConfig, extraction: &Extraction, excluded: &str, missing: usize) {
    let Extraction { listed, embedded, rejected, .. } = *extraction;
    let (out, of_task) = (
        config.out.display(),
        if config.task == Task::ALONE { String::new() } else { format!(", {}", config.task) },
    );
    if extraction.interrupted {
        warn!(
            missing,
            "`{out}`{of_task}: interrupted; {missing} shards are missing: run the same command again to go on"
        );
    } else {
        info!(
            listed,
            embedded,
            rejected,
            "`{out}`{of_task}: listed {listed} = embedded {embedded} + rejected {rejected}{excluded}"
        );
    }
}

fn open_base(config: &ExtractConfig) -> anyhow::Result<Base> {
    let base = Base::open(&config.base, config.weights.as_deref());
    Ok(base.hint(|| {
        if is_onnx_file(&config.base) {
            "`scripts/export-onnx` makes such a file from timm or torchvision".to_owned()
        } else {
            format!(
                "`scripts/weights {}` makes the file, with `--from FILE` from weights of your own",
                config.base
            )
        }
    })?)
}

/// The device. An ONNX file is computed on the processor, also where a GPU would be taken by itself.
fn device(config: &ExtractConfig, base: &Base) -> anyhow::Result<Device> {
    let device = config.device.resolve()?;
    Ok(if config.device == DeviceChoice::Auto {
        base.default_device(device, precision(config))
    } else {
        device
    })
}

fn choices(config: &ExtractConfig, base: &Base) -> anyhow::Result<Choices> {
    let image_size = config.image_size.or_else(|| base.default_image_size());
    let image_size = image_size
        .ok_or_else(|| anyhow::anyhow!("`{}`: expected an image size, found none", base.path().display()))
        .hint(|| "the file takes every size: choose one, for instance `--image-size 224`")?;
    let interpolation = config.interpolation.or_else(|| base.default_interpolation());
    Ok(Choices {
        layer: config.layer.clone().unwrap_or_else(|| base.default_layer().to_owned()),
        pooling: config.pooling,
        image_size,
        interpolation: interpolation.unwrap_or(Interpolation::Nearest),
        preprocess: preprocess(config, base)?,
    })
}

fn plan(
    config: &ExtractConfig,
    folder: &ImageFolder,
    base: &Base,
    device: Device,
) -> anyhow::Result<Manifest> {
    let exif_orientation = config.exif_orientation;
    let spec = FeatureSpec { exif_orientation, ..base.spec(choices(config, base)?)? };
    let precision = precision(config).unwrap_or_else(|| base.native_precision(device));
    base.check(precision, device)?;
    let shards = folder.samples().len().div_ceil(config.shard_size.max(1));
    if shards > Manifest::MOST_SHARDS {
        let most = Manifest::MOST_SHARDS;
        let error =
            anyhow::anyhow!("`{}`: expected at most {most} shards, found {shards}", config.out.display());
        return Err(Hinted::new(error, "raise `--shard-size`").into());
    }
    let listing = Listing { images: folder.samples().len(), sha256: folder.listing_digest() };
    let classes = folder.classes().clone();
    let plan = Manifest::new(spec, precision, config.dtype, classes, listing, config.shard_size);
    Ok(match &config.views {
        Some(maker) => plan.with_views(maker.views().clone()),
        None => plan,
    })
}

/// The precision that is asked for. Once a plan is written, its precision binds every later run that does not name another.
fn precision(config: &ExtractConfig) -> Option<Precision> {
    match config.precision {
        Choice::This(precision) => Some(precision),
        Choice::Auto if config.overwrite => None,
        Choice::Auto => Manifest::open(&config.out).ok().map(|manifest| manifest.precision()),
    }
}

fn preprocess(config: &ExtractConfig, base: &Base) -> anyhow::Result<Preprocess> {
    match (config.preprocess, base.preprocess()?) {
        (Choice::This(given), Some(trained)) if given != trained => {
            info!("preprocess {given}; the weights were trained with {trained}");
            Ok(given)
        }
        (Choice::This(given), _) => Ok(given),
        (Choice::Auto, Some(trained)) => Ok(trained),
        (Choice::Auto, None) => {
            let error = anyhow::anyhow!(
                "weights `{}`: metadata preprocess: expected one of {}, found none",
                base.path().display(),
                Preprocess::NAMES.join(", ")
            );
            let hint = "say what the weights were trained with: `--preprocess torch`, for instance";
            Err(Hinted::new(error, hint).into())
        }
    }
}

/// Tells what to do about a folder that holds another store.
pub(crate) fn with_remedy(error: CreateError) -> anyhow::Error {
    match error {
        CreateError::Differs { .. } | CreateError::Orphan { .. } => {
            let hint = "give another `--out`, the options of the store that is there, or `--overwrite`";
            Hinted::new(error, hint).into()
        }
        error => error.into(),
    }
}

fn finished_shards(
    store: &StoreWriter,
    shards: &[ShardName],
    retry_rejected: bool,
) -> (Vec<(ShardName, Receipt)>, Vec<ShardName>) {
    let (mut kept, mut todo) = (Vec::new(), Vec::new());
    for &shard in shards {
        match store.finished(shard) {
            Some(receipt) if !(retry_rejected && receipt.rejected > 0) => kept.push((shard, receipt)),
            _ => todo.push(shard),
        }
    }
    if !kept.is_empty() {
        info!("{} of {} shards are finished and kept", kept.len(), shards.len());
    }
    (kept, todo)
}

/// What this machine makes of the drawn images, always in one pass, so that the batch size does not matter.
fn canary(conv_base: &ConvBase, manifest: &Manifest) -> anyhow::Result<Canary> {
    let spec = manifest.spec();
    let pixels = canary_pixels(spec.image_size, spec.interpolation)?;
    let features = conv_base.features(&pixels, Canary::IMAGES)?;
    Canary::new(&features)
        .context("the features of drawn images are not usable")
        .hint(|| "the numeric library or the weights on this machine are broken")
        .map_err(Into::into)
}

/// Shards that another machine made differently are not added to.
fn compare_canary(
    canary: &Canary,
    kept: &[(ShardName, Receipt)],
    manifest: &Manifest,
    out: &Path,
) -> anyhow::Result<()> {
    let tolerance = Canary::tolerance(manifest.precision());
    let distances = kept.iter().filter_map(|(shard, receipt)| Some((shard, receipt.canary.as_ref()?)));
    let odd = distances.map(|(shard, other)| (shard, canary.distance(other))).find(|(_, d)| *d > tolerance);
    let Some((shard, distance)) = odd else { return Ok(()) };
    let error = anyhow::anyhow!(
        "`{}`: canary: expected this machine to compute at most {tolerance} from what finished shards hold, \
         found {distance:.2e}",
        out.join(shard.receipt()).display()
    );
    let hint =
        "one of the two machines computes wrong features: `extractor verify` names the shards that differ";
    Err(Hinted::new(error, hint).into())
}

fn describe(base: &Base, manifest: &Manifest, conv_base: &ConvBase) -> Result<(), BaseError> {
    let spec = manifest.spec();
    info!(table = %Summary::conv_base(spec), "frozen base {}", base.architecture());
    if let Some(sides) = base.natural_sides(&spec.layer, spec.image_size)? {
        let sides: Vec<String> = sides.iter().map(u32::to_string).collect();
        warn!(
            "image size {}: \"same\" padding shifts maps with odd sides inside this base; its natural sizes are {}",
            spec.image_size,
            sides.join(", ")
        );
    }
    info!(
        engine = conv_base.engine_name(),
        "image size {}, {}, preprocess {}, {}, {} on {:?} by {}, features {} {}",
        spec.image_size,
        spec.interpolation,
        spec.preprocess,
        spec.layer,
        manifest.precision(),
        conv_base.device(),
        conv_base.engine_name(),
        spec.shape,
        manifest.dtype()
    );
    Ok(())
}
