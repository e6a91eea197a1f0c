//! `evaluator evaluate`.

use std::path::PathBuf;

use clap::Args;
use convbase_nn::DeviceChoice;

use super::ViewsUsed;

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
    /// Folder that the features were extracted from: the page then shows photographs, small
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Store that the checkpoint was trained on: the page then tells which test photographs are twins of training ones
    #[arg(long, value_name = "DIR")]
    pub training: Option<PathBuf>,
    /// Do not write the page, report.html and report.json
    #[arg(long, conflicts_with_all = ["images", "training"])]
    pub no_report: bool,
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
