//! The words of `extractor import`.

use std::path::PathBuf;

use clap::Args;
use convbase_core::{DataType, Precision};

const SPEC_HELP: &str = "What the features are: a JSON file with the fields of a manifest's `spec`, or a manifest.json with it; or `article` for \
    the published tutorial's. Any architecture and any shape may stand there. Of features of which only the shape is \
    known, the architecture is `external`.";

/// The arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Features, one row per image: (rows, height, width, channels), or (rows, numbers) in the same order
    #[arg(long, value_name = "FILE")]
    pub features: PathBuf,
    /// Labels in the same order: (rows,) positions in --classes, or (rows, classes) one-hot
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// Class names in the order of their labels
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', required = true)]
    pub classes: Vec<String>,
    /// What the features are: a JSON file with the fields of a manifest's `spec`, or a manifest.json with it; or
    /// `article` for the published tutorial's
    #[arg(long, value_name = "FILE|article", long_help = SPEC_HELP)]
    pub spec: PathBuf,
    /// Folder of the feature store
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Arithmetic that the features were computed in: fp32, bf16 or int8
    #[arg(long, default_value = "fp32")]
    pub precision: Precision,
    /// How features are stored: float32 or float16 [default: float16 where the file holds it, else float32]
    #[arg(long)]
    pub dtype: Option<DataType>,
    /// Rows per shard
    #[arg(long, value_name = "N", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..))]
    pub shard_size: u32,
    /// Remove another store from the output folder first
    #[arg(long)]
    pub overwrite: bool,
}
