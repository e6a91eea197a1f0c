//! `evaluator predict`: photographs in, class probabilities out.

use std::io::{self, StdoutLock, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use convbase_core::exit::{Hinted, Outcome, StdoutError, WithHint, one_line};
use convbase_core::{ImageSize, Interrupt, escaped_path, processors};
use convbase_images::{DecodedBatch, Decoder, LeftOut, ViewMaker, decode_batch, photographs};
use convbase_nn::{Checkpoint, ConvBase, DeviceChoice, EmbedPipeline, Embedded, Head, set_threads};
use tracing::{info, warn};

use crate::args::{OutputFormat, PredictArguments, ViewsUsed};
use crate::checkpoint_base::open_base;
use crate::prediction_line::{Prediction, header, line};

/// Views are asked for that the checkpoint knows nothing of.
#[derive(Debug, thiserror::Error)]
#[error("checkpoint `{}`: views: expected those that it was trained on, found none", checkpoint.display())]
struct NoViews {
    checkpoint: PathBuf,
}

/// A path that holds no photographs.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: expected photographs, found none", path.display())]
struct NoPhotographs {
    path: PathBuf,
}

/// Predicts photographs and prints one line each to stdout. An unreadable one gets a line with its error, and the
/// program then ends with exit code 1.
pub fn predict(arguments: &PredictArguments) -> anyhow::Result<Outcome> {
    let device = arguments.device.resolve()?;
    set_threads(arguments.threads.map_or_else(processors, |threads| threads as usize));
    let checkpoint = Checkpoint::load(&arguments.checkpoint, device)
        .hint(|| "`trainer fit` writes `best.safetensors` into the folder of the run")?;
    let maker = view_maker(arguments, &checkpoint)?;
    let conv_base = load_conv_base(arguments, &checkpoint, device)?;
    let Listed { images, unnamed } = list(&arguments.images)?;
    let default_threads = || if conv_base.device().is_cuda() { 2 } else { processors() };
    let threads = arguments.threads.map_or_else(default_threads, |threads| threads as usize);
    // As in extraction several passes with a thread each; threads that find no photograph share a pass.
    let passes = threads.min(images.len()).max(1);
    let conv_base = conv_base.with_threads(threads / passes);

    let spec = &checkpoint.metadata().spec;
    let mut lines = Lines {
        format: arguments.format,
        images: &images,
        classes: checkpoint.metadata().classes.names(),
        head: checkpoint.head(),
        views: maker.as_ref().map_or(1, |maker| maker.views().count()),
        stdout: io::stdout().lock(),
        unreadable: 0,
    };
    let all = 0..images.len();
    let pipeline = EmbedPipeline {
        engine: &conv_base,
        ranges: std::slice::from_ref(&all),
        views: lines.views,
        batch_size: arguments.batch_size as usize,
        passes,
        interrupt: &Interrupt::default(),
    };
    let decoder = Decoder::new(spec.image_size, spec.interpolation)
        .with_exif_orientation(spec.exif_orientation)
        .with_most_pixels(arguments.max_pixels.unwrap_or(Decoder::MOST_PIXELS));
    pipeline.check_memory().hint(|| "fewer photographs at once need less: `--batch-size`, `--threads`")?;
    lines.begin()?;
    let decode = |positions: Range<usize>| {
        let images = &images[positions];
        let batch = decode_batch(images, &decoder);
        for (position, doubt) in &batch.doubts {
            warn!("`{}` may be damaged: {doubt}", images[*position].display());
        }
        Some(match &maker {
            Some(maker) => with_views(maker, batch, images, spec.image_size),
            None => batch,
        })
    };
    pipeline.run(decode, |embedded| lines.print(embedded))?;
    lines.print_unnamed(&unnamed)?;
    let (all, unreadable) = (images.len() + unnamed.len(), lines.end()?);
    info!("{} photographs predicted, {unreadable} unreadable", all - unreadable);
    Ok(if unreadable == 0 { Outcome::Done } else { Outcome::Findings })
}

/// Prints what the head says of features, one line per photograph, in order.
struct Lines<'a> {
    format: OutputFormat,
    images: &'a [PathBuf],
    classes: &'a [String],
    head: &'a Head,
    /// Views of each photograph, whose probabilities are averaged.
    views: usize,
    stdout: StdoutLock<'static>,
    unreadable: usize,
}

impl Lines<'_> {
    fn begin(&mut self) -> Result<(), StdoutError> {
        Ok(self.stdout.write_all(header(self.format, self.classes).as_bytes())?)
    }

    fn print(&mut self, embedded: Embedded) -> anyhow::Result<()> {
        let probabilities = match &embedded.features[..] {
            [] => Vec::new(), // None of them is readable.
            features => means(&self.head.probabilities_of(features)?, self.views, self.classes.len()),
        };
        let mut rows = probabilities.chunks_exact(self.classes.len());
        for (path, image) in self.images[embedded.positions].iter().zip(embedded.images) {
            let prediction = match image.map(|_| rows.next()) {
                Ok(Some(probabilities)) => Prediction::Classes(probabilities),
                Ok(None) => bail!("`{}`: expected probabilities, found none", path.display()),
                Err(error) => {
                    self.unreadable += 1;
                    Prediction::Error(one_line(&error))
                }
            };
            let line = line(self.format, path, self.classes, &prediction)?;
            self.stdout.write_all(line.as_bytes()).map_err(StdoutError::from)?;
        }
        Ok(())
    }

    /// A line with an error for each photograph whose name no line can hold.
    fn print_unnamed(&mut self, names: &[String]) -> anyhow::Result<()> {
        for name in names {
            self.unreadable += 1;
            let error = Prediction::Error("expected a name in UTF-8: rename the file".to_owned());
            let line = line(self.format, Path::new(name), self.classes, &error)?;
            self.stdout.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Gives the number of unreadable photographs.
    fn end(mut self) -> Result<usize, StdoutError> {
        self.stdout.flush()?;
        Ok(self.unreadable)
    }
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

/// Puts the views of each photograph in its place. A photograph is known by its path as it was given.
fn with_views(maker: &ViewMaker, batch: DecodedBatch, images: &[PathBuf], size: ImageSize) -> DecodedBatch {
    let paths: Vec<_> = images.iter().map(|path| path.to_string_lossy()).collect();
    let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
    maker.make_all(batch, &paths, size)
}

/// The means [photographs, classes] of probabilities [photographs, views, classes].
fn means(probabilities: &[f64], views: usize, classes: usize) -> Vec<f64> {
    let mean = |views: &[f64], class: usize| {
        let numbers = views.iter().skip(class).step_by(classes);
        numbers.sum::<f64>() / (views.len() / classes) as f64
    };
    let photographs = probabilities.chunks_exact(views * classes);
    photographs.flat_map(|views| (0..classes).map(move |class| mean(views, class))).collect()
}

fn load_conv_base(
    arguments: &PredictArguments,
    checkpoint: &Checkpoint,
    device: convbase_nn::Device,
) -> anyhow::Result<ConvBase> {
    let spec = &checkpoint.metadata().spec;
    let base = open_base(&arguments.checkpoint, checkpoint, arguments.weights.as_deref())?;
    let device = if arguments.device == DeviceChoice::Auto { base.default_device(device) } else { device };
    Ok(ConvBase::new(&base, spec, arguments.precision, device)?)
}

/// What is to be predicted.
#[derive(Default)]
struct Listed {
    images: Vec<PathBuf>,
    /// Photographs whose names are no text, with the bytes that are none written out.
    unnamed: Vec<String>,
}

/// The photographs that are meant: files as they are, folders by their photographs in sorted order, sub-folders
/// included.
fn list(given: &[PathBuf]) -> anyhow::Result<Listed> {
    let mut listed = Listed::default();
    for path in given {
        if path.is_dir() {
            let found = photographs(path).map_err(|error| match error.remedy() {
                Some(remedy) => Hinted::new(error, remedy).into(),
                None => anyhow::Error::from(error),
            })?;
            let LeftOut { foreign, not_text, .. } = &found.left_out;
            if found.paths.is_empty() && not_text.is_empty() {
                warn!("{}", NoPhotographs { path: path.clone() });
            }
            if *foreign > 0 {
                let suffixes = found.left_out.shown_suffixes();
                warn!(
                    "`{}`: {foreign} photographs are of formats that cannot be decoded: {suffixes}",
                    path.display()
                );
            }
            listed.images.extend(found.paths.iter().map(|name| path.join(name)));
            listed.unnamed.extend(not_text.iter().map(|name| format!("{}/{name}", escaped_path(path))));
        } else if path.to_str().is_none() {
            listed.unnamed.push(escaped_path(path));
        } else {
            listed.images.push(path.clone());
        }
    }
    // The command line asks for at least one path.
    match given.first() {
        Some(path) if listed.images.is_empty() && listed.unnamed.is_empty() => {
            Err(NoPhotographs { path: path.clone() }.into())
        }
        _ => Ok(listed),
    }
}
