//! What lies beside a checkpoint and belongs to it: the configuration of its run, and its history.

use std::fs;
use std::path::Path;

use convbase_core::History;
use convbase_nn::{Checkpoint, CheckpointMetadata};
use serde_json::Value;
use tracing::debug;

/// Longer files are nothing that the trainer wrote.
const MOST_BYTES: u64 = 1 << 26;

/// The run of a checkpoint, as far as it is there.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Options of `config.json`: key and value.
    pub(super) options: Vec<(String, String)>,
    /// `history.csv`.
    pub(super) history: Option<History>,
}

impl Run {
    /// Reads what lies in the folder of the checkpoint. What is damaged, or belongs to another training, is left out:
    /// a report can be made without it.
    pub(super) fn beside(path: &Path, checkpoint: &Checkpoint) -> Self {
        let folder = path.parent().unwrap_or(Path::new(""));
        let metadata = checkpoint.metadata();
        let options = text(&folder.join("config.json")).and_then(|text| options(&text, metadata));
        let history = text(&folder.join("history.csv")).and_then(|text| history(&text, metadata));
        Self { options: options.unwrap_or_default(), history }
    }
}

fn text(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    (found.is_file() && found.len() <= MOST_BYTES).then(|| fs::read_to_string(path).ok())?
}

/// The options whose values are words or numbers; the spec and the classes are told elsewhere.
fn options(text: &str, metadata: &CheckpointMetadata) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(config)) = serde_json::from_str(text) else {
        debug!("config.json beside the checkpoint is no JSON object");
        return None;
    };
    let same = |key: &str, value: serde_json::Result<Value>| {
        value.is_ok_and(|value| config.get(key) == Some(&value))
    };
    if !same("classes", serde_json::to_value(&metadata.classes))
        || !same("spec", serde_json::to_value(&metadata.spec))
    {
        debug!("config.json beside the checkpoint belongs to another training");
        return None;
    }
    let shown = config.iter().filter_map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Value::Array(list) if list.iter().all(|value| value.is_number() || value.is_string()) => {
                let words =
                    list.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                words.collect::<Vec<_>>().join(", ")
            }
            _ => return None,
        };
        (key != "classes").then(|| (key.replace('_', " "), value))
    });
    Some(shown.collect())
}

/// A history that holds the checkpoint's epoch with its figures.
fn history(text: &str, metadata: &CheckpointMetadata) -> Option<History> {
    let history = match History::from_csv(text) {
        Ok(history) => history,
        Err(error) => {
            debug!("history.csv beside the checkpoint: {error}");
            return None;
        }
    };
    let belongs = history
        .records()
        .iter()
        .any(|record| record.epoch == metadata.epoch && record.val_loss == metadata.val_loss);
    belongs.then_some(history)
}
