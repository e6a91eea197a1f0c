//! ONNX files that cannot be used, and what helps.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use convbase_core::ImageSize;

use super::fault::Fault;

/// An ONNX file that cannot be used, or not as asked.
#[derive(Debug)]
pub struct OnnxError {
    path: PathBuf,
    problem: OnnxProblem,
}

/// What is wrong with an ONNX file.
#[derive(Debug, thiserror::Error)]
pub enum OnnxProblem {
    /// The file could not be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// The bytes are no ONNX model.
    #[error("expected an ONNX model, found other bytes")]
    Format(#[source] Fault),
    /// The file ends too early.
    #[error("expected at least {expected} bytes, found {found}: the file is cut short")]
    Truncated {
        /// Bytes that the file's own lengths ask for.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// There is nothing to compute.
    #[error("expected a graph with nodes and an output, found none")]
    NoGraph,
    /// A weight lies in another file.
    #[error("expected all weights in this file, found tensor `{tensor}` in `{location}`")]
    ExternalData {
        /// The first such tensor.
        tensor: String,
        /// The other file's name.
        location: String,
    },
    /// A weight is kept in a form that is not supported or does not fill its shape.
    #[error("tensor `{tensor}`: expected {expected}, found {found}")]
    Weight {
        /// The tensor.
        tensor: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A node reads what nothing before it makes, or makes what is there already.
    #[error("node {node}: expected tensor `{tensor}` to be made once, before it is read")]
    Order {
        /// The node's name and operator.
        node: String,
        /// The tensor.
        tensor: String,
    },
    /// An attribute of a node is beyond any network.
    #[error("node {node}: expected {attribute} from -{most} to {most}, found {found}")]
    Attribute {
        /// The node's name and operator.
        node: String,
        /// The attribute's name.
        attribute: String,
        /// The greatest value.
        most: i64,
        /// Its value.
        found: i64,
    },
    /// No input can take an image, or several can.
    #[error("expected one float32 input [n, 3, height, width] or [n, height, width, 3], found {found}")]
    Input {
        /// All inputs with type and shape.
        found: String,
    },
    /// The input's channels are no red, green and blue.
    #[error("input {input}: expected 3 channels, found {found}")]
    Channels {
        /// The input with type and shape.
        input: String,
        /// Its channels.
        found: i64,
    },
    /// Neither the input's shape nor its use says where the channels are.
    #[error("input {input}: expected 3 channels in second or in last place, found neither fixed")]
    Layout {
        /// The input with type and shape.
        input: String,
    },
    /// The batch is fixed at more than one image.
    #[error("input {input}: expected a batch that is free or 1, found {found}")]
    Batch {
        /// The input with type and shape.
        input: String,
        /// The fixed batch.
        found: i64,
    },
    /// The metadata under the key `convbase` is wrong.
    #[error("metadata `convbase`: expected {expected}, found `{found}`")]
    Metadata {
        /// What the text should be.
        expected: String,
        /// What it is.
        found: String,
        /// Where the text is no JSON, or holds other fields.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The images' size is not the one that the file is made for.
    #[error("expected images of {expected}, found {found}")]
    Size {
        /// The fixed size; `?` where a side is free.
        expected: String,
        /// The size that was asked for.
        found: ImageSize,
    },
    /// No tensor has that name.
    #[error("expected one of its {count} inner tensors as layer, found `{found}`; {}", similar_names(.similar))]
    Layer {
        /// The name that was asked for.
        found: String,
        /// Up to five names, the likeliest first.
        similar: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// The layer does not follow from the image alone.
    #[error("layer `{layer}`: expected to follow from `{input}` alone, found {found}")]
    Dependence {
        /// The layer.
        layer: String,
        /// The image input.
        input: String,
        /// What it follows from.
        found: String,
    },
    /// Operators that the engine does not know.
    #[error("layer `{layer}` needs operators unknown to the engine: {}", .operators.join(", "))]
    Operators {
        /// The layer.
        layer: String,
        /// Each operator, once, with the first node of that kind.
        operators: Vec<String>,
    },
    /// The layer's output has no shape that can be stored.
    #[error(
        "layer `{layer}`: expected float32 [1, channels], [1, tokens, channels] or a map of one image, found {found}"
    )]
    Output {
        /// The layer.
        layer: String,
        /// Type and shape.
        found: String,
    },
    /// The engine refused the graph or failed on it.
    #[error("layer `{layer}` cannot be computed for images of {size}")]
    Engine {
        /// The layer.
        layer: String,
        /// The images' size.
        size: ImageSize,
        /// What the engine says.
        #[source]
        source: Fault,
    },
    /// The pixels do not fill the images.
    #[error("expected {expected} bytes of pixels, found {found}")]
    Pixels {
        /// Bytes of so many images.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
}

impl OnnxError {
    pub(super) fn new(path: &Path, problem: OnnxProblem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &OnnxProblem {
        &self.problem
    }

    /// A remedy, one line, where one is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &self.problem {
            OnnxProblem::Truncated { .. } => "copy or download the file again",
            OnnxProblem::ExternalData { .. } => {
                "save it as one file, in Python: onnx.save(onnx.load(\"model.onnx\"), \"whole.onnx\")"
            }
            OnnxProblem::Input { .. } | OnnxProblem::Dependence { .. } => {
                "export only the part of the network that turns one batch of images into features"
            }
            OnnxProblem::Layout { .. } => "export again with the number of channels fixed at 3",
            OnnxProblem::Batch { .. } => {
                "export again with one image, or with a free batch (torch.onnx.export: dynamic_axes)"
            }
            OnnxProblem::Metadata { .. } => {
                "for example {\"preprocess\": \"torch\", \"size\": [224, 224], \"interpolation\": \"bicubic\"}"
            }
            OnnxProblem::Size { .. } => {
                "give the images that size, or export again with height and width free"
            }
            OnnxProblem::Operators { .. } => {
                "choose a layer before them, or export again with standard operators (torch.onnx.export: opset 17)"
            }
            OnnxProblem::Output { .. } => "choose another layer",
            _ => return None,
        })
    }
}

impl fmt::Display for OnnxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "onnx file `{}`: {}", self.path.display(), self.problem)
    }
}

impl Error for OnnxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

fn similar_names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("the likeliest: {}", quoted.join(", "))
}
