//! `evaluator predict`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use convbase_core::Precision;
use convbase_nn::DeviceChoice;

use super::ViewsUsed;

/// The arguments of `predict`.
#[derive(Debug, Args)]
pub struct PredictArguments {
    /// Checkpoint that `trainer fit` made; it says how photographs are prepared
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// The weights, or the .onnx file, that the checkpoint's features were made with [default: weights/NAME.safetensors
    /// of the base that the checkpoint names, in the working directory or above the program]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// first for the photograph itself; mean for the mean of the probabilities of views of it, drawn as those that the
    /// checkpoint was trained on
    #[arg(long, value_enum, default_value = "first")]
    pub views: ViewsUsed,
    /// csv with a header line, or json with one object per line
    #[arg(long, value_enum, default_value = "csv")]
    pub format: OutputFormat,
    /// Arithmetic of the convolutions: fp32 or bf16
    #[arg(long, default_value = "fp32")]
    pub precision: Precision,
    /// auto, cpu, cuda or cuda:N; cuda fails where there is none
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Images per pass through the network, views counted
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub batch_size: u32,
    /// Most pixels of a photograph; what has more is unreadable [default: 178956970, Pillow's limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_pixels: Option<u64>,
    /// Passes that are computed at the same time, each on a thread of its own; with fewer photographs they share its
    /// threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub threads: Option<u32>,
    /// Photographs, or folders whose photographs are predicted in sorted order
    #[arg(value_name = "IMAGE_OR_DIR", required = true)]
    pub images: Vec<PathBuf>,
}

/// How predictions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A header, then `path,prediction,prob_<class>...,error`.
    Csv,
    /// `{"path", "prediction", "probabilities": {class: number}}` or `{"path", "error"}` per line.
    Json,
}
