//! The folder of photographs, opened with whatever a person should know of it.

use std::path::Path;

use convbase_core::Exclusions;
use convbase_core::exit::{Hinted, WithHint};
use convbase_core::lies_inside;
use convbase_images::{DatasetError, ImageFolder};
use tracing::warn;

use crate::args::ExtractConfig;

/// Lists the photographs, and says what was left out.
pub(crate) fn open_folder(config: &ExtractConfig) -> anyhow::Result<ImageFolder> {
    refuse_output_inside(&config.images, &config.out)?;
    let exclusions = exclusions(config.exclude.as_deref())?;
    let (images, classes, allows) = (&config.images, config.classes.as_ref(), config.allows_empty_class);
    let folder = match &exclusions {
        Some(exclusions) => ImageFolder::open_without(images, classes, allows, exclusions),
        None => ImageFolder::open(images, classes, allows),
    };
    let folder = folder.map_err(dataset_error)?;
    folder.remarks().iter().for_each(|remark| warn!("`{}`: {remark}", config.images.display()));
    Ok(folder)
}

/// The photographs to leave out, where a file names some.
pub(crate) fn exclusions(file: Option<&Path>) -> anyhow::Result<Option<Exclusions>> {
    let Some(file) = file else { return Ok(None) };
    let exclusions = Exclusions::open(file).hint(
        || "`--exclude` takes a text with a path on each line, relative to the folder of the photographs",
    )?;
    Ok(Some(exclusions))
}

/// The error of a folder of photographs, with what helps.
pub(crate) fn dataset_error(error: DatasetError) -> anyhow::Error {
    match error.remedy() {
        Some(remedy) => Hinted::new(error, remedy).into(),
        None => error.into(),
    }
}

/// Features inside of the folder of photographs would be a class, or photographs, of the next run.
fn refuse_output_inside(images: &Path, out: &Path) -> anyhow::Result<()> {
    if !lies_inside(out, images)? {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "`--out {}`: expected a folder outside of `{}`, found one inside",
        out.display(),
        images.display()
    );
    Err(Hinted::new(error, "it would be listed as a class: give a folder beside it").into())
}
