//! What goes wrong where stored features are computed on.

use std::path::PathBuf;

use convbase_core::store::OpenError;
use tch::TchError;

/// An operation of libtorch that failed, for instance for want of memory.
#[derive(Debug, thiserror::Error)]
#[error("libtorch: {}", first_line(.0))]
pub struct TorchError(TchError);

impl From<TchError> for TorchError {
    fn from(error: TchError) -> Self {
        Self(error)
    }
}

/// Stored features that could not be read or computed on.
#[derive(Debug, thiserror::Error)]
pub enum MinibatchError {
    /// A shard turned out to be damaged when it was first read.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Features that nothing follows from.
    #[error("`{}`: row {row}: expected finite features, found {found}", folder.display())]
    NotFinite {
        /// The store.
        folder: PathBuf,
        /// The row of the store.
        row: usize,
        /// An infinity or NaN.
        found: f32,
    },
    /// An operation of libtorch failed.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// libtorch appends a stack trace of many lines to its messages.
fn first_line(error: &TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_is_shown() {
        let error = TorchError::from(TchError::Torch("shapes differ\nframe #0: at::native".into()));
        assert!(!error.to_string().contains('\n'));
        assert!(error.to_string().starts_with("libtorch: "));
    }
}
