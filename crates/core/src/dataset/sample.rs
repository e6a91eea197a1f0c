//! The photographs of a data set, in a fixed order.

use serde::{Deserialize, Serialize};

use super::Label;
use crate::digest::hex;
use crate::{Digest, Hasher};

/// One photograph of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Relative to the folder, with `/` between its parts.
    pub path: String,
    /// The class it lies under.
    pub label: Label,
}

/// What is known of a photograph that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodedImage {
    /// Width in the file, in pixels.
    pub width: u32,
    /// Height in the file, in pixels.
    pub height: u32,
    /// Digest of the file.
    #[serde(with = "hex")]
    pub sha256: Digest,
}

/// The digest over label, NUL, path, NUL of every sample in order.
pub fn listing_digest(samples: &[Sample]) -> Digest {
    let mut hasher = Hasher::default();
    samples.iter().for_each(|sample| hash_listed(&mut hasher, sample.label, &sample.path));
    hasher.finish()
}

/// Adds one photograph to a listing's digest: label, NUL, path, NUL.
pub(crate) fn hash_listed(hasher: &mut Hasher, label: Label, path: &str) {
    hasher.update(format!("{label}\0{path}\0").as_bytes());
}
