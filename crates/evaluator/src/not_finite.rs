//! Stored features that are no numbers: what helps.

use convbase_core::exit::Hinted;
use convbase_nn::MinibatchError;

/// The error of rows that could not be read, with what helps where it is one.
pub(crate) fn with_remedy(error: MinibatchError) -> anyhow::Error {
    match error {
        MinibatchError::NotFinite { .. } => {
            Hinted::new(error, "`extractor verify` finds all of them; extract these photographs again").into()
        }
        _ => error.into(),
    }
}
