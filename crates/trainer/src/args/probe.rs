//! The arguments of `probe`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use convbase_core::processors;
use convbase_nn::MapPooling;
use convbase_nn::probe::{RowScaling, STRENGTHS};

use super::{Choice, ClassWeight, positive};

/// The arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Feature store to train on
    #[arg(long, value_name = "DIR")]
    features: PathBuf,
    /// Feature store that judges, instead of folds of the training rows
    #[arg(long, value_name = "DIR", conflicts_with = "folds")]
    validation: Option<PathBuf>,
    /// Without --validation: parts of each class that take turns in judging
    #[arg(long, value_name = "K", default_value = "5", value_parser = clap::value_parser!(u32).range(2..=1000))]
    folds: u32,
    /// Folder of the run: config.json, grid.csv, held_out.csv, best.safetensors
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What becomes of the positions of a map: none, avg, max, avg+max, or auto for the best of the last three
    #[arg(long, default_value = "auto")]
    pooling: Choice<MapPooling>,
    /// none, l2 for rows of length 1, standard for columns of mean 0 and deviation 1, or auto for the best
    #[arg(long, default_value = "auto")]
    scaling: Choice<RowScaling>,
    /// Inverse strength of the penalty, as scikit-learn's C; several are tried; auto tries powers of ten from 1e-4 to 1e4
    #[arg(long, value_name = "VALUE", num_args = 1.., value_delimiter = ',', default_value = "auto", value_parser = strength)]
    c: Vec<Choice<f64>>,
    /// none, or balanced to weigh each class by the inverse of its rows
    #[arg(long, value_enum, default_value = "none")]
    class_weight: ClassWeight,
    /// Leave the probabilities as the fit gives them, without a temperature from photographs that were left out
    #[arg(long)]
    no_calibration: bool,
    /// Decides which photographs make a fold
    #[arg(long, value_name = "N", default_value = "42")]
    seed: u64,
    /// Threads that compute; the result is the same for any number [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// Do not compare the stores' files with the hashes in their receipts
    #[arg(long)]
    no_verify: bool,
}

/// Which photographs judge what was fitted to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judges {
    /// A store of their own.
    Store(PathBuf),
    /// So many parts of the training photographs, in turns.
    Folds(usize),
}

/// Everything that `probe` needs to know.
#[derive(Debug, Clone)]
pub struct ProbeConfig {
    /// The training store.
    pub features: PathBuf,
    /// Who judges.
    pub judges: Judges,
    /// The run's folder.
    pub out: PathBuf,
    /// `None` tries all that make rows short.
    pub pooling: Option<MapPooling>,
    /// The scalings that are tried.
    pub scalings: Vec<RowScaling>,
    /// The strengths that are tried, ascending.
    pub strengths: Vec<f64>,
    /// How classes are weighed.
    pub class_weight: ClassWeight,
    /// Whether a temperature is fitted.
    pub calibrates: bool,
    /// Decides the folds.
    pub seed: u64,
    /// Threads that compute.
    pub threads: usize,
    /// Believe the stores' files without hashing them.
    pub no_verify: bool,
    /// Show a progress bar.
    pub shows_progress: bool,
}

impl ProbeArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool) -> ProbeConfig {
        let mut strengths: Vec<f64> = Vec::new();
        for choice in self.c {
            match choice {
                Choice::Auto => strengths.extend(STRENGTHS),
                Choice::This(strength) => strengths.push(strength),
            }
        }
        strengths.sort_by(f64::total_cmp);
        strengths.dedup();
        ProbeConfig {
            features: self.features,
            judges: self.validation.map_or(Judges::Folds(self.folds as usize), Judges::Store),
            out: self.out,
            pooling: match self.pooling {
                Choice::Auto => None,
                Choice::This(pooling) => Some(pooling),
            },
            scalings: match self.scaling {
                Choice::Auto => RowScaling::ALL.to_vec(),
                Choice::This(scaling) => vec![scaling],
            },
            strengths,
            class_weight: self.class_weight,
            calibrates: !self.no_calibration,
            seed: self.seed,
            threads: self.threads.map_or_else(processors, |threads| threads as usize),
            no_verify: self.no_verify,
            shows_progress,
        }
    }
}

impl ProbeConfig {
    /// The poolings that are tried on features that are a map, or are none.
    pub fn poolings(&self, is_map: bool) -> anyhow::Result<Vec<MapPooling>> {
        match self.pooling {
            Some(pooling) => {
                ensure!(
                    is_map || pooling == MapPooling::None,
                    "pooling: expected none, for these features are no map, found {pooling}"
                );
                Ok(vec![pooling])
            }
            None if is_map => {
                Ok(vec![MapPooling::Average, MapPooling::Maximum, MapPooling::AverageAndMaximum])
            }
            None => Ok(vec![MapPooling::None]),
        }
    }
}

fn strength(text: &str) -> Result<Choice<f64>, String> {
    if text == "auto" { Ok(Choice::Auto) } else { positive(text).map(Choice::This) }
}
