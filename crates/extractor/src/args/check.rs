//! The words of `extractor check`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Folder with one sub-folder of photographs per class
    #[arg(value_name = "DIR")]
    pub images: PathBuf,
    /// Class names in the order of their labels [default: the sub-folders, sorted]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
    /// Leave out the photographs that a file names, as `extract --exclude` does
    #[arg(long, value_name = "FILE")]
    pub exclude: Option<PathBuf>,
    /// A class may have no photographs
    #[arg(long)]
    pub allow_empty_class: bool,
    /// Decode every photograph as well
    #[arg(long)]
    pub decode: bool,
    /// Most pixels of a photograph; what has more is unreadable [default: 178956970, Pillow's limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_pixels: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
