//! `evaluator export`: checkpoint and weights in, one file for other programs out.

use std::io::Write;

use anyhow::{Context, ensure};
use convbase_core::Artifact;
use convbase_core::exit::{Hinted, WithHint};
use convbase_nn::{Checkpoint, Device, ExportError, export_onnx, is_onnx_file, is_onnx_spec};
use tracing::info;

use crate::args::{ExportArguments, ExportFormat};
use crate::checkpoint_base::open_base;

/// Writes base and head as one file.
pub fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let ExportArguments { checkpoint: path, weights, format, out } = arguments;
    ensure!(
        out.to_str().is_some_and(is_onnx_file),
        "`{}`: expected a name that ends in .onnx",
        out.display()
    );
    // Begun first: a folder that cannot be written is known before anything is read.
    let mut artifact = Artifact::create(out)?;
    let checkpoint = Checkpoint::load(path, Device::Cpu)
        .hint(|| "`trainer fit` writes `best.safetensors` into the folder of the run")?;
    let context = || format!("cannot export checkpoint `{}`", path.display());
    if is_onnx_spec(&checkpoint.metadata().spec) {
        return Err(with_remedy(ExportError::OnnxBase)).with_context(context);
    }
    let base = open_base(path, &checkpoint, weights.as_deref())?;
    let bytes = match format {
        ExportFormat::Onnx => export_onnx(&base, &checkpoint).map_err(with_remedy).with_context(context)?,
    };
    artifact.write_all(&bytes).map_err(|source| artifact.error(source))?;
    artifact.finish()?;
    let spec = &checkpoint.metadata().spec;
    let classes = checkpoint.metadata().classes.names();
    info!(
        bytes = bytes.len(),
        "`{}`: {:.1} MB, pixels uint8 [n, {}, {}, 3] to probabilities [n, {}] of {}",
        out.display(),
        bytes.len() as f64 / 1e6,
        spec.image_size.height(),
        spec.image_size.width(),
        classes.len(),
        classes.join(", ")
    );
    Ok(())
}

fn with_remedy(error: ExportError) -> anyhow::Error {
    let remedy = match &error {
        ExportError::OnnxBase => {
            "`evaluator predict --weights FILE.onnx` uses it; to export, train on features of `extractor extract --base NAME`"
        }
        ExportError::TooLarge { .. } => {
            "a head with fewer `--hidden` units, or on features with `--pooling avg`, is smaller"
        }
        _ => return error.into(),
    };
    Hinted::new(error, remedy).into()
}
