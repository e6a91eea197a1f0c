//! How many unreadable images an extraction puts up with.

use convbase_core::exit::Hinted;
use convbase_images::ImageFolder;
use tracing::warn;

/// More images are unreadable than may be.
#[derive(Debug, thiserror::Error)]
#[error("`{folder}`: expected at most {allowed} unreadable of {listed} images, found {rejected}: {examples}")]
pub struct TooManyRejected {
    folder: String,
    allowed: usize,
    listed: usize,
    rejected: usize,
    examples: String,
}

/// Counts unreadable images against the greatest number that is allowed.
pub(crate) struct RejectionLimit {
    allowed: usize,
    listed: usize,
    rejected: usize,
    examples: Vec<String>,
    /// Images that were embedded although they may be damaged.
    doubts: usize,
}

impl RejectionLimit {
    /// Unreadable images that an error lists before it says how many more there are.
    const EXAMPLES: usize = 100;

    pub(crate) fn new(share: f64, listed: usize) -> Self {
        let allowed = (share * listed as f64).floor() as usize;
        Self { allowed, listed, rejected: 0, examples: Vec::new(), doubts: 0 }
    }

    /// Fails when more were counted than are allowed.
    pub(crate) fn check(&self, folder: &ImageFolder) -> Result<(), Hinted> {
        if self.is_over() { Err(self.error(folder)) } else { Ok(()) }
    }

    /// Counts one.
    pub(crate) fn add(&mut self, path: &str, error: &str) {
        self.rejected += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(format!("{path}: {error}"));
        }
    }

    /// Counts images that may be damaged and are embedded all the same.
    pub(crate) fn add_doubts(&mut self, count: usize) {
        self.doubts += count;
    }

    /// Says how many there were.
    pub(crate) fn tell_doubts(&self) {
        let doubts = self.doubts;
        if doubts > 0 {
            warn!(doubts, "{doubts} photographs were embedded although they may be damaged: look at them");
        }
    }

    /// Whether more were counted than are allowed.
    pub(crate) fn is_over(&self) -> bool {
        self.rejected > self.allowed
    }

    fn error(&self, folder: &ImageFolder) -> Hinted {
        let more = self.rejected - self.examples.len();
        let mut examples = self.examples.clone();
        if more > 0 {
            examples.push(format!("{more} more"));
        }
        let error = TooManyRejected {
            folder: folder.root().display().to_string(),
            allowed: self.allowed,
            listed: self.listed,
            rejected: self.rejected,
            examples: examples.join("; "),
        };
        let hint = "repair or remove them, or allow more with `--max-rejected SHARE` (without `--strict`); \
                    finished shards are kept";
        Hinted::new(error, hint)
    }
}
