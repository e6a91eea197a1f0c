//! The part of a graph that a layer needs, ready to compute.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use convbase_core::ImageSize;
use tract_onnx::prelude::tract_ndarray::ArrayD;
use tract_onnx::prelude::{Tensor, TractError, TractResult, TypedRunnableModel, tvec};

use super::error::{OnnxError, OnnxProblem};
use super::fault::guarded;
use super::features::Features;
use super::layout::Layout;
use super::normalisation::Normalisation;

/// Computes a layer for images of one size. Several threads may use it at once: each call computes on its caller's
/// thread.
pub struct OnnxNetwork {
    pub(super) path: PathBuf,
    pub(super) layer: String,
    pub(super) size: ImageSize,
    /// The shape of one image, [1, 3, height, width] or [1, height, width, 3].
    pub(super) input: [usize; 4],
    pub(super) layout: Layout,
    pub(super) features: Features,
    pub(super) plan: Arc<TypedRunnableModel>,
}

impl OnnxNetwork {
    /// The shape of one image's features: `[channels]`, [tokens, channels] or [height, width, channels].
    pub fn shape(&self) -> &[u32] {
        self.features.shape()
    }

    /// The layer's name.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// The size of the images.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// Pixels [batch, height, width, 3], red, green, blue → features, image after image, C order. An image's features
    /// have the same bits in every batch.
    pub fn forward(
        &self,
        pixels: &[u8],
        batch: usize,
        normalisation: &Normalisation,
    ) -> Result<Vec<f32>, OnnxError> {
        let error = |problem| OnnxError::new(&self.path, problem);
        let expected = batch.saturating_mul(self.size.rgb_bytes());
        if pixels.len() != expected {
            return Err(error(OnnxProblem::Pixels { expected, found: pixels.len() }));
        }
        let tables = normalisation.tables();
        let mut features = Vec::with_capacity(batch.saturating_mul(self.features.length()));
        for image in pixels.chunks_exact(self.size.rgb_bytes()) {
            guarded(|| self.append(image, &tables, &mut features)).map_err(|source| {
                error(OnnxProblem::Engine { layer: self.layer.clone(), size: self.size, source })
            })?;
        }
        Ok(features)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a table has a number for each byte, and a pixel three bytes"
    )]
    fn append(
        &self,
        image: &[u8],
        tables: &[(usize, [f32; 256]); 3],
        features: &mut Vec<f32>,
    ) -> TractResult<()> {
        let (pixels, _) = image.as_chunks::<3>();
        let input: Vec<f32> = match self.layout {
            Layout::ChannelsFirst => tables
                .iter()
                .flat_map(|(place, table)| pixels.iter().map(|pixel| table[usize::from(pixel[*place])]))
                .collect(),
            Layout::ChannelsLast => pixels
                .iter()
                .flat_map(|pixel| tables.iter().map(|(place, table)| table[usize::from(pixel[*place])]))
                .collect(),
        };
        let input = Tensor::from(ArrayD::from_shape_vec(self.input.as_slice(), input)?);
        let outputs = self.plan.run(tvec![input.into()])?;
        let output = outputs.first().map(|output| output.to_plain_array_view::<f32>()).transpose()?;
        let output = output.as_ref().and_then(|output| output.as_slice());
        let output = output.filter(|output| output.len() == self.features.length());
        self.features.append(output.ok_or_else(|| TractError::msg("the output lacks numbers"))?, features);
        Ok(())
    }
}

impl fmt::Debug for OnnxNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OnnxNetwork")
            .field("path", &self.path)
            .field("layer", &self.layer)
            .field("size", &self.size)
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}
