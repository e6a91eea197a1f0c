//! How many views of each photograph, and what they are drawn by.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use convbase_core::{FillMode, Interpolation, UnknownName, Views};
use convbase_images::{Augmentation, ViewMaker};

use crate::args::Arguments;

/// The arguments of augmented views.
#[derive(Debug, Clone, Args)]
pub struct ViewArguments {
    /// Rows of each photograph: the photograph itself, and N - 1 views that --augment draws of it
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=Views::MOST as i64))]
    views: u32,
    /// Layers that make a view, in their order: flip, rotate=F, zoom=F, translate=F, contrast=F, as Keras' random layers
    /// of these names with this factor: flip,rotate=0.1,zoom=0.2
    #[arg(long, value_name = "LIST")]
    augment: Option<Augmentation>,
    /// What lies outside a photograph that is turned, zoomed or moved: reflect, constant (black), nearest or wrap
    /// [default: reflect]
    #[arg(long, value_name = "MODE", requires = "augment")]
    augment_fill: Option<FillMode>,
    /// How pixels are taken between pixels: nearest or bilinear [default: bilinear]
    #[arg(long, value_name = "HOW", requires = "augment", value_parser = between_pixels)]
    augment_interpolation: Option<Interpolation>,
    /// Decides what is drawn, with each photograph's path and the number of the view [default: 42]
    #[arg(long, value_name = "N", requires = "augment")]
    augment_seed: Option<u64>,
}

impl ViewArguments {
    const SEED: u64 = 42;

    /// What makes the views, where there is more than one. Views without an augmentation, and the reverse, are no
    /// command line.
    pub(crate) fn maker(&self) -> Result<Option<ViewMaker>, clap::Error> {
        let error = |kind, text: String| Err(Arguments::command().error(kind, text));
        match (self.views as usize, &self.augment) {
            (1, None) => Ok(None),
            (1, Some(_)) => {
                let text = "`--augment`: expected `--views` of at least 2, found 1".to_owned();
                error(ErrorKind::ArgumentConflict, text)
            }
            (count, None) => {
                let text = format!("`--views {count}`: expected `--augment LIST` as well, found none");
                error(ErrorKind::MissingRequiredArgument, text)
            }
            (count, Some(augmentation)) => {
                let fill = self.augment_fill.unwrap_or(FillMode::Reflect);
                let interpolation = self.augment_interpolation.unwrap_or(Interpolation::Bilinear);
                let seed = self.augment_seed.unwrap_or(Self::SEED);
                match Views::new(count, augmentation.to_string(), fill, interpolation, seed) {
                    Ok(views) => Ok(Some(ViewMaker::of(views, augmentation.clone()))),
                    Err(problem) => error(ErrorKind::ValueValidation, problem.to_string()),
                }
            }
        }
    }
}

/// Of the ways to resize, those by which Keras' layers take pixels.
fn between_pixels(text: &str) -> Result<Interpolation, String> {
    let parsed: Result<Interpolation, UnknownName> = text.parse();
    match parsed {
        Ok(known @ (Interpolation::Nearest | Interpolation::Bilinear)) => Ok(known),
        _ => Err(format!("augment interpolation: expected one of nearest, bilinear, found `{text}`")),
    }
}
