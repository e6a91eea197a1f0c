//! The base that a checkpoint's features were made with.

use std::path::{Path, PathBuf};

use convbase_core::Digest;
use convbase_core::exit::WithHint;
use convbase_nn::{Base, Checkpoint};

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
    expected: Digest,
    found: Digest,
}

/// Opens the base of the checkpoint in the file `path`, which must have the weights that its features were made with:
/// those in `weights`, or where they usually lie.
pub(crate) fn open_base(
    path: &Path,
    checkpoint: &Checkpoint,
    weights: Option<&Path>,
) -> anyhow::Result<Base> {
    let spec = &checkpoint.metadata().spec;
    let base = Base::of_spec(spec, weights).hint(|| {
        let name = &spec.architecture;
        format!(
            "`--weights FILE` names the weights or the .onnx file that the features were made with; \
             `scripts/weights {name}` makes weights/{name}.safetensors where {name} is a base of the catalogue"
        )
    })?;
    if base.digest() != spec.weights {
        let (checkpoint, weights) = (path.to_owned(), base.path().to_owned());
        Err(OtherWeights { checkpoint, weights, expected: spec.weights, found: base.digest() })
            .hint(|| "give the weights that the features were extracted with: `--weights FILE`")?;
    }
    Ok(base)
}
