//! A graph as a table for people.

use convbase_core::ImageSize;

use super::{Graph, GraphError};

/// One layer of a summary, as Keras' `model.summary()` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's name.
    pub layer: String,
    /// [height, width, channels] of its map.
    pub shape: [usize; 3],
    /// Numbers in its tensors.
    pub parameters: u64,
}

impl Graph {
    /// The layers that `layer` needs, itself last, for images of `size`.
    pub fn summary(&self, layer: &str, size: ImageSize) -> Result<Vec<SummaryRow>, GraphError> {
        let position = self.position(layer)?;
        let shapes = self.shapes(position, size)?;
        let needed = self.needed(position);
        let rows = self.nodes().iter().zip(shapes).zip(needed).filter(|(_, needed)| *needed);
        let row = |((node, shape), _): ((&super::Node, [usize; 3]), bool)| SummaryRow {
            layer: node.name().to_owned(),
            shape,
            parameters: node.parameters(),
        };
        Ok(rows.map(row).collect())
    }
}
