//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use convbase_cli::CommonArguments;
use convbase_core::Precision;
use convbase_nn::DeviceChoice;

/// Say how good a checkpoint is, and what it sees in photographs.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    common: CommonArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed or an image could not be predicted, 2 usage.\n\
    RUST_LOG overrides -v and -q.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure a checkpoint on a feature store: metrics.json, predictions.csv, confusion and ROC figures
    Evaluate(EvaluateArguments),
    /// Print class probabilities of photographs, one line each
    Predict(PredictArguments),
}

/// The arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Feature store to evaluate on
    #[arg(long, value_name = "DIR")]
    pub features: PathBuf,
    /// Checkpoint that `trainer fit` made
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// Folder of the report
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Of photographs with several views: first for the photograph itself, mean for the mean of the probabilities of all
    /// its views
    #[arg(long, value_enum, default_value = "first")]
    pub views: ViewsUsed,
    /// Do not compare the store's files with the hashes in its receipts
    #[arg(long)]
    pub no_verify: bool,
    /// Threads that compute; the result is the same for any number [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub threads: Option<u32>,
    /// auto, cpu, cuda or cuda:N; cuda fails where there is none
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
}

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

/// What is asked of a photograph that has several views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewsUsed {
    /// View 0, the photograph itself.
    First,
    /// All of them; the probabilities are averaged.
    Mean,
}

/// How predictions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A header, then `path,prediction,prob_<class>...,error`.
    Csv,
    /// `{"path", "prediction", "probabilities": {class: number}}` or `{"path", "error"}` per line.
    Json,
}

impl Arguments {
    /// The options that every program has.
    pub fn common(&self) -> &CommonArguments {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
