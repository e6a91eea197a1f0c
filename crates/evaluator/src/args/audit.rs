//! `evaluator audit`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    /// Feature stores that were made alike, in the order of their right to a photograph: of twins the first stays
    #[arg(value_name = "STORE", required = true)]
    pub stores: Vec<PathBuf>,
    /// Folder of the audit: labels.csv, twins.csv, outliers.csv, held_out.csv, audit.json, audit.html, and exclude.txt for
    /// `extractor extract --exclude` (exclude-1.txt, exclude-2.txt, … with several stores)
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The folders that the stores were extracted from, one for each and in their order: the page then shows the photographs
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub images: Vec<PathBuf>,
    /// Parts of each class that take turns in judging: labels are audited over all stores together, and what judges a
    /// photograph was fitted to the other parts of all of them
    #[arg(long, value_name = "K", default_value = "5", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub folds: u32,
    /// Decides which photographs make a fold
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
    /// Cosine of whitened features from which two photographs are twins, whatever their files are
    #[arg(long, value_name = "COSINE", default_value_t = AuditArguments::TWINS, value_parser = cosine)]
    pub twins: f64,
    /// Nearest photographs, twins aside, whose mean distance says how odd a photograph is
    #[arg(long, value_name = "K", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub neighbours: u32,
    /// Robust standard deviations (1.4826 times the median absolute deviation) above the median distance of its class from
    /// which a photograph is listed as odd
    #[arg(long, value_name = "DEVIATIONS", default_value = "2.5", value_parser = deviations)]
    pub outliers: f64,
    /// Do not write audit.html
    #[arg(long)]
    pub no_page: bool,
    /// Do not compare the stores' files with the hashes in their receipts
    #[arg(long)]
    pub no_verify: bool,
    /// Threads that compute; the result is the same for any number [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub threads: Option<u32>,
}

impl AuditArguments {
    /// The cosine of whitened features from which photographs are twins unless another is given.
    pub const TWINS: f64 = 0.65;
}

fn cosine(text: &str) -> Result<f64, String> {
    let cosine = text.parse().ok().filter(|&cosine: &f64| cosine > 0.0 && cosine <= 1.0);
    cosine.ok_or_else(|| "expected a cosine above 0, at most 1".to_owned())
}

fn deviations(text: &str) -> Result<f64, String> {
    let deviations = text.parse().ok().filter(|&number: &f64| number > 0.0 && number.is_finite());
    deviations.ok_or_else(|| "expected a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for text in ["0", "-0.5", "1.01", "nan", "x", ""] {
            assert!(cosine(text).is_err(), "{text}");
        }
        for text in ["0", "-1", "inf", "nan", "x"] {
            assert!(deviations(text).is_err(), "{text}");
        }
        assert_eq!((cosine("1"), deviations("3.5")), (Ok(1.0), Ok(3.5)));
    }
}
