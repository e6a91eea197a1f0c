//! `evaluator predict`.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use convbase_core::Precision;
use convbase_nn::DeviceChoice;

use super::{Arguments, ViewsUsed};

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
    /// table for people; csv with a header line; json with one object per line; auto: table on a terminal, else csv
    #[arg(long, value_enum, default_value = "auto")]
    pub format: OutputFormat,
    /// Print the K most probable classes alone, the most probable first
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub top_k: Option<u32>,
    /// Give no prediction where no class has at least this probability, from 0 to 1: the photograph is uncertain
    #[arg(long, value_name = "P", value_parser = probability)]
    pub threshold: Option<f64>,
    /// Copy each photograph into `DIR/<class>/`, those of sub-folders into the same sub-folders there, uncertain ones into
    /// `DIR/uncertain/`, unreadable ones nowhere; nothing is moved or overwritten
    #[arg(long, value_name = "DIR")]
    pub sort_into: Option<PathBuf>,
    /// Arithmetic of the convolutions: fp32, bf16 or int8
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
    /// Paths on stdin end with a zero byte, as those of `find -print0`, in place of a line feed
    #[arg(short = '0', long)]
    pub null: bool,
    /// Photographs, or folders whose photographs are predicted in sorted order; - for paths from stdin, one a line
    #[arg(value_name = "IMAGE_OR_DIR", required = true)]
    pub images: Vec<PathBuf>,
}

/// How predictions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table on a terminal, else CSV.
    Auto,
    /// Columns for people: path, prediction, its probability, the next classes.
    Table,
    /// A header, then `path,prediction,prob_<class>...,error`.
    Csv,
    /// `{"path", "prediction", "probabilities": {class: number}}` or `{"path", "error"}` per line.
    Json,
}

impl PredictArguments {
    /// Refuses words that contradict each other.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let error = |kind, text: &str| Err(Arguments::command().error(kind, text));
        match self.images.iter().filter(|path| is_stdin(path)).count() {
            0 if self.null => error(
                ErrorKind::MissingRequiredArgument,
                "`--null`: expected `-` among the paths, found none",
            ),
            0 | 1 => Ok(()),
            count => {
                let text = format!("`-`: expected once, found {count} times; a file of this name is `./-`");
                error(ErrorKind::ArgumentConflict, &text)
            }
        }
    }
}

/// Whether a path stands for those that stdin gives.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}
