//! Folders that hold results of Convbase: their pictures and arrays are no data.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Files that lie together in a run, and in a report.
const RUN: [&str; 2] = ["config.json", "history.csv"];
const PROBE: [&str; 2] = ["config.json", "best.safetensors"];
const REPORT: [&str; 2] = ["metrics.json", "predictions.csv"];

/// Whether a folder is a feature store, a run or a report.
pub(super) fn holds_results(folder: &Path) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| folder.join(name).is_file());
    has(&RUN) || has(&PROBE) || has(&REPORT) || is_store(folder)
}

/// A store's plan names its format in the first bytes.
fn is_store(folder: &Path) -> bool {
    let path = folder.join("manifest.json");
    let mut start = Vec::new();
    let is_read =
        path.is_file() && File::open(path).and_then(|file| file.take(200).read_to_end(&mut start)).is_ok();
    is_read && String::from_utf8_lossy(&start).contains("\"convbase-features/")
}
