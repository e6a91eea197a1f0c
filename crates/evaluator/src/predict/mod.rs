//! `evaluator predict`: photographs in, class probabilities out.

mod answers;
mod decision;
mod line;
mod listing;
mod progress;
mod sorted_folders;
mod stdin_paths;

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context;
use convbase_core::exit::{Outcome, WithHint};
use convbase_core::{ImageSize, Interrupt, processors};
use convbase_images::{DecodedBatch, Decoder, ViewMaker, decode_batch};
use convbase_nn::{Checkpoint, ConvBase, Device, DeviceChoice, EmbedPipeline, set_threads};

use crate::args::{PredictArguments, ViewsUsed};
use crate::checkpoint_base::open_base;
use answers::Answers;
use line::Lines;
use listing::{Listing, NothingListed};
use progress::Progress;
use sorted_folders::SortedFolders;

/// Batches of every pass that are listed at once: of longer lists on stdin, no more is in memory.
const BATCHES_LISTED: usize = 64;

/// Views are asked for that the checkpoint knows nothing of.
#[derive(Debug, thiserror::Error)]
#[error("checkpoint `{}`: views: expected those that it was trained on, found none", checkpoint.display())]
struct NoViews {
    checkpoint: PathBuf,
}

/// Predicts photographs and prints one line each to stdout. An unreadable one, or one that cannot be copied to where it
/// belongs, gets a line with its error, and the program then ends with exit code 1.
pub fn predict(arguments: &PredictArguments, shows_progress: bool) -> anyhow::Result<Outcome> {
    arguments.check()?;
    let mut listing = Listing::open(arguments)?;
    let device = arguments.device.resolve()?;
    set_threads(arguments.threads.map_or_else(processors, |threads| threads as usize));
    let checkpoint = Checkpoint::load(&arguments.checkpoint, device)
        .hint(|| "`trainer fit` writes `best.safetensors` into the folder of the run")?;
    let classes = &checkpoint.metadata().classes;
    let folders = match &arguments.sort_into {
        Some(folder) => Some(SortedFolders::create(folder, classes, arguments.threshold.is_some())?),
        None => None,
    };
    let maker = view_maker(arguments, &checkpoint)?;
    let conv_base = load_conv_base(arguments, &checkpoint, device)?;
    let default_threads = || if conv_base.device().is_cuda() { 2 } else { processors() };
    let threads = arguments.threads.map_or_else(default_threads, |threads| threads as usize);
    let most = (arguments.batch_size as usize).saturating_mul(threads).saturating_mul(BATCHES_LISTED);
    let first = listing.next(most)?.ok_or(NothingListed::OnStdin);
    let first =
        first.hint(|| "give paths, one a line: `find photographs -name '*.jpg' | evaluator predict … -`")?;

    // As in extraction several passes with a thread each; threads that find no photograph share a pass.
    let passes = threads.min(first.images.len()).max(1);
    let conv_base = conv_base.with_threads(threads / passes);
    let spec = &checkpoint.metadata().spec;
    let views = maker.as_ref().map_or(1, |maker| maker.views().count());
    let interrupt = Interrupt::default();
    // No later chunk is longer than the first.
    let all = 0..first.images.len();
    let pipeline = EmbedPipeline {
        engine: &conv_base,
        ranges: std::slice::from_ref(&all),
        views,
        batch_size: arguments.batch_size as usize,
        passes,
        interrupt: &interrupt,
    };
    let decoder = Decoder::new(spec.image_size, spec.interpolation)
        .with_exif_orientation(spec.exif_orientation)
        .with_most_pixels(arguments.max_pixels.unwrap_or(Decoder::MOST_PIXELS));
    pipeline.check_memory().hint(|| "fewer photographs at once need less: `--batch-size`, `--threads`")?;

    let lines = Lines::new(arguments.format, classes.names(), arguments.top_k, &first);
    let progress = Progress::new(listing.total(), shows_progress && !lines.are_on_a_terminal());
    let mut answers = Answers::new(lines, &checkpoint, views, arguments.threshold, folders, &progress);
    answers.begin()?;
    let mut next = Some(first);
    while let Some(chunk) = next {
        let decode = |positions: Range<usize>| {
            let images = &chunk.images[positions];
            let batch = decode_batch(images, &decoder);
            progress.warn_of_doubts(images, &batch.doubts);
            Some(match &maker {
                Some(maker) => with_views(maker, batch, images, spec.image_size),
                None => batch,
            })
        };
        let all = 0..chunk.images.len();
        let pipeline = EmbedPipeline { ranges: std::slice::from_ref(&all), ..pipeline };
        pipeline.run(decode, |embedded| answers.print(&chunk, embedded))?;
        answers.end_chunk(&chunk)?;
        next = listing.next(most)?;
    }
    answers.end()
}

/// What makes views as those that the checkpoint was trained on, where they are asked for.
fn view_maker(arguments: &PredictArguments, checkpoint: &Checkpoint) -> anyhow::Result<Option<ViewMaker>> {
    if arguments.views == ViewsUsed::First {
        return Ok(None);
    }
    let path = &arguments.checkpoint;
    let Some(views) = checkpoint.metadata().views.clone() else {
        return Err(NoViews { checkpoint: path.clone() })
            .hint(|| "leave out `--views mean`, or train on features of `extractor extract --views N`")?;
    };
    let maker = ViewMaker::new(views).with_context(|| format!("checkpoint `{}`", path.display()))?;
    Ok(Some(maker))
}

fn load_conv_base(
    arguments: &PredictArguments,
    checkpoint: &Checkpoint,
    device: Device,
) -> anyhow::Result<ConvBase> {
    let spec = &checkpoint.metadata().spec;
    let base = open_base(&arguments.checkpoint, checkpoint, arguments.weights.as_deref())?;
    let device = if arguments.device == DeviceChoice::Auto {
        base.default_device(device, Some(arguments.precision))
    } else {
        device
    };
    Ok(ConvBase::new(&base, spec, arguments.precision, device)?)
}

/// Puts the views of each photograph in its place. A photograph is known by its path as it was given.
fn with_views(maker: &ViewMaker, batch: DecodedBatch, images: &[PathBuf], size: ImageSize) -> DecodedBatch {
    let paths: Vec<_> = images.iter().map(|path| path.to_string_lossy()).collect();
    let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
    maker.make_all(batch, &paths, size)
}
