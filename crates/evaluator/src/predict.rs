//! `evaluator predict`: photographs in, class probabilities out.

use std::io::{self, Write};
use std::path::PathBuf;

use convbase_core::exit::{Outcome, WithHint, one_line};
use convbase_core::processors;
use convbase_images::{decode_batch, photographs};
use convbase_nn::{Base, Checkpoint, ConvBase, DeviceChoice, image_probabilities, set_threads};
use tracing::{info, warn};

use crate::args::PredictArguments;
use crate::prediction_line::{Prediction, header, line};

/// The checkpoint was trained on features of other weights.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot use checkpoint `{}` with weights `{}`: weights: expected {expected}, found {found}",
    checkpoint.display(),
    weights.display()
)]
struct OtherWeights {
    checkpoint: PathBuf,
    weights: PathBuf,
    expected: convbase_core::Digest,
    found: convbase_core::Digest,
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
    let conv_base = load_conv_base(arguments, &checkpoint, device)?;
    let images = list(&arguments.images)?;

    let classes = checkpoint.metadata().classes.names();
    let spec = &checkpoint.metadata().spec;
    let mut stdout = io::stdout().lock();
    write!(stdout, "{}", header(arguments.format, classes))?;
    let mut unreadable = 0;
    for paths in images.chunks(arguments.batch_size as usize) {
        let batch = decode_batch(paths, spec.image_size, spec.interpolation);
        let probabilities =
            image_probabilities(&conv_base, checkpoint.head(), &batch.pixels, batch.decoded())?;
        let mut rows = probabilities.chunks_exact(classes.len());
        for (path, image) in paths.iter().zip(batch.images) {
            let prediction = match image {
                Ok(_) => Prediction::Classes(rows.next().unwrap_or_default()),
                Err(error) => {
                    unreadable += 1;
                    Prediction::Error(one_line(&error))
                }
            };
            write!(stdout, "{}", line(arguments.format, path, classes, &prediction))?;
        }
    }
    stdout.flush()?;
    info!("{} photographs predicted, {unreadable} unreadable", images.len() - unreadable);
    Ok(if unreadable == 0 { Outcome::Done } else { Outcome::Findings })
}

fn load_conv_base(
    arguments: &PredictArguments,
    checkpoint: &Checkpoint,
    device: convbase_nn::Device,
) -> anyhow::Result<ConvBase> {
    let spec = &checkpoint.metadata().spec;
    let base = Base::of_spec(spec, arguments.weights.as_deref()).hint(|| {
        let name = &spec.architecture;
        format!(
            "`--weights FILE` names the weights or the .onnx file that the features were made with; \
             `scripts/weights {name}` makes weights/{name}.safetensors where {name} is a base of the catalogue"
        )
    })?;
    if base.digest() != spec.weights {
        let (checkpoint, weights) = (arguments.checkpoint.clone(), base.path().to_owned());
        Err(OtherWeights { checkpoint, weights, expected: spec.weights, found: base.digest() })
            .hint(|| "give the weights that the features were extracted with: `--weights FILE`")?;
    }
    let device = if arguments.device == DeviceChoice::Auto { base.default_device(device) } else { device };
    let threads = arguments.threads.map_or_else(processors, |threads| threads as usize);
    Ok(ConvBase::new(&base, spec, arguments.precision, device)?.with_threads(threads))
}

/// The photographs that are meant: files as they are, folders by their photographs in sorted order, sub-folders
/// included.
fn list(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    for path in given {
        if path.is_dir() {
            let found = photographs(path)?.paths;
            if found.is_empty() {
                warn!("{}", NoPhotographs { path: path.clone() });
            }
            images.extend(found.iter().map(|name| path.join(name)));
        } else {
            images.push(path.clone());
        }
    }
    if images.is_empty() {
        return Err(NoPhotographs { path: given.first().cloned().unwrap_or_default() }.into());
    }
    Ok(images)
}
