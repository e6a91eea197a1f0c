//! `evaluator export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Checkpoint that `trainer` made
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// The weights that the checkpoint's features were made with [default: weights/NAME.safetensors of the base that the
    /// checkpoint names, in the working directory or above the program]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// What is written: onnx, base and head in one file
    #[arg(long, value_enum, default_value = "onnx")]
    pub format: ExportFormat,
    /// The file; its name ends in .onnx
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// What a checkpoint is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Pixels in, probabilities out, in standard operators.
    Onnx,
}
