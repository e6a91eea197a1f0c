//! Photographs to features.

/// What turns pixels into features.
pub trait Embed: Sync {
    /// Why it could not.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The features [batch, ...shape] of pixels [batch, height, width, 3].
    fn embed(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, Self::Error>;
}
