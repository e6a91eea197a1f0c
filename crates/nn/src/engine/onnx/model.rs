//! An ONNX file: what it takes, what can be asked of it.

use std::path::{Path, PathBuf};

use convbase_core::{Digest, ImageSize, Preprocess, PreprocessError};
use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::{DatumType, InferenceModelExt, IntoRunnable, TractError, TractResult, TypedModel};

use super::error::{OnnxError, OnnxProblem};
use super::fault::guarded;
use super::features::Features;
use super::image_input::ImageInput;
use super::metadata::{OnnxMetadata, Scaling};
use super::network::OnnxNetwork;
use super::part::{Part, follows_from};
use super::similar::similar;
use super::{attributes, file, graph, layout, operators, weights};

/// An ONNX file with one image input and whole weights.
///
/// The input is the only one of float32 and four axes: [n, 3, height, width] or [n, height, width, 3], its batch free
/// or 1. Where the shape leaves the channels open, or could mean both, the first convolution or transposition that
/// reads it decides; where neither does, the file is refused. Other inputs may exist as long as the layer does not need
/// them.
#[derive(Debug)]
pub struct OnnxModel {
    path: PathBuf,
    digest: Digest,
    message: ModelProto,
    graph: GraphProto,
    input: ImageInput,
    metadata: OnnxMetadata,
}

impl OnnxModel {
    /// Reads a file and checks its graph, its weights, its image input and its metadata.
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let open = || {
            let (mut message, digest) = file::read(path)?;
            let graph = message.graph.take().ok_or(OnnxProblem::NoGraph)?;
            graph::check(&graph)?;
            attributes::check(&graph)?;
            weights::check(&graph)?;
            let input = ImageInput::of(&graph)?;
            let metadata = OnnxMetadata::of(&message)?;
            Ok(Self { path: path.to_owned(), digest, message, graph, input, metadata })
        };
        open().map_err(|problem| OnnxError::new(path, problem))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How pixels become the network's input, as the file says.
    pub fn preprocess(&self) -> Result<Option<Preprocess>, PreprocessError> {
        let preprocess = |scaling| match scaling {
            Scaling::Named(preprocess) => Ok(preprocess),
            Scaling::Given(given) => Preprocess::affine(given.mean, given.deviation),
        };
        self.metadata.scaling.map(preprocess).transpose()
    }

    /// The digest of the file's bytes: the identity of its weights.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What the file says of the photographs that it expects.
    pub fn metadata(&self) -> OnnxMetadata {
        self.metadata
    }

    /// The only size of images that the file takes; `None` where height or width is free.
    pub fn fixed_size(&self) -> Option<ImageSize> {
        let side = |side: Option<i64>| u32::try_from(side?).ok();
        ImageSize::new(side(self.input.height)?, side(self.input.width)?).ok()
    }

    /// Every tensor that follows from the image and can be named as a layer, in the graph's order.
    pub fn layer_names(&self) -> Vec<&str> {
        follows_from(&self.graph, &self.input.name)
    }

    /// The first output.
    pub fn default_layer(&self) -> &str {
        self.graph.output.first().map_or("", |output| output.name.as_str())
    }

    /// The shape of one image's features at a layer: `[channels]`; [tokens, channels]; or, of a map, [height, width,
    /// channels], wherever the network has its channels.
    pub fn describe(&self, layer: &str, size: ImageSize) -> Result<Vec<u32>, OnnxError> {
        let (_, features) = self.typed(layer, size).map_err(|problem| OnnxError::new(&self.path, problem))?;
        Ok(features.shape().to_vec())
    }

    /// Makes the part of the graph that a layer needs ready for images of one size.
    pub fn compile(&self, layer: &str, size: ImageSize) -> Result<OnnxNetwork, OnnxError> {
        let compile = || {
            let (model, features) = self.typed(layer, size)?;
            let plan = guarded(|| model.into_optimized()?.into_runnable())
                .map_err(|source| OnnxProblem::Engine { layer: layer.to_owned(), size, source })?;
            Ok(OnnxNetwork {
                path: self.path.clone(),
                layer: layer.to_owned(),
                size,
                input: self.input.shape(size),
                layout: self.input.layout,
                features,
                plan,
            })
        };
        compile().map_err(|problem| OnnxError::new(&self.path, problem))
    }

    /// The part of the graph that a layer needs, for one image, with all shapes known, and what comes out of it.
    fn typed(&self, layer: &str, size: ImageSize) -> Result<(TypedModel, Features), OnnxProblem> {
        self.check_size(size)?;
        let part = self.part(layer)?;
        let input = self.input.value(size);
        let message =
            ModelProto { graph: Some(part.graph(&self.graph, input, layer)), ..self.message.clone() };
        let parse = || {
            // The shapes that an exporter noted hold for its own batch and size.
            let engine = tract_onnx::onnx().with_ignore_value_info(true);
            let model = engine.parse(&message, None)?.model.into_typed()?.into_decluttered()?;
            check_memory(&model)?;
            let fact = model.output_fact(0)?;
            let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
            let sides: Vec<String> = fact.shape.dims().iter().map(ToString::to_string).collect();
            let found = format!("{:?} [{}]", fact.datum_type, sides.join(", "));
            let shape = shape.filter(|_| fact.datum_type == DatumType::F32);
            Ok((model, shape, found))
        };
        let (model, shape, found) =
            guarded(parse).map_err(|source| OnnxProblem::Engine { layer: layer.to_owned(), size, source })?;
        let layout = layout::of(&self.graph, layer, &self.input.name, self.input.layout);
        let features = shape.and_then(|shape| Features::of(&shape, layout));
        let output = || OnnxProblem::Output { layer: layer.to_owned(), found: found.to_lowercase() };
        Ok((model, features.ok_or_else(output)?))
    }

    fn check_size(&self, size: ImageSize) -> Result<(), OnnxProblem> {
        let sides = [(self.input.height, size.height()), (self.input.width, size.width())];
        if sides.iter().all(|&(fixed, side)| fixed.is_none_or(|fixed| fixed == i64::from(side))) {
            return Ok(());
        }
        let text = |side: Option<i64>| side.map_or("?".to_owned(), |side| side.to_string());
        let expected = format!("{}x{}", text(self.input.height), text(self.input.width));
        Err(OnnxProblem::Size { expected, found: size })
    }

    /// The part of the graph that a layer needs, which the engine must know and the image alone must feed.
    fn part(&self, layer: &str) -> Result<Part<'_>, OnnxProblem> {
        let names = self.layer_names();
        let Some(&known) = names.iter().find(|&&name| name == layer) else {
            return Err(self.unknown_layer(layer, &names));
        };
        let part = Part::of(&self.graph, known);
        let others = part.inputs(&self.graph).filter(|input| input.name != self.input.name);
        let others: Vec<String> = others.map(|input| format!("`{}`", input.name)).collect();
        if !others.is_empty() {
            return Err(self.dependence(layer, others.join(", ")));
        }
        let unknown = operators::unknown(part.nodes.iter().copied());
        if !unknown.is_empty() {
            return Err(OnnxProblem::Operators { layer: layer.to_owned(), operators: unknown });
        }
        Ok(part)
    }

    fn unknown_layer(&self, layer: &str, names: &[&str]) -> OnnxProblem {
        if self.graph.node.iter().flat_map(graph::makes).any(|name| name == layer) {
            return self.dependence(layer, "constants and shapes".to_owned());
        }
        // Viewers of graphs show the names of nodes; what such a node makes is surely meant.
        let node = self.graph.node.iter().find(|node| node.name == layer);
        let made = node.into_iter().flat_map(graph::makes).filter(|name| names.contains(name)).take(1);
        let mut likely: Vec<&str> = made.collect();
        likely.extend(
            similar(names, layer).into_iter().filter(|name| !likely.contains(name)).collect::<Vec<_>>(),
        );
        OnnxProblem::Layer {
            found: layer.to_owned(),
            similar: likely.into_iter().take(5).map(str::to_owned).collect(),
            count: names.len(),
        }
    }

    fn dependence(&self, layer: &str, found: String) -> OnnxProblem {
        OnnxProblem::Dependence { layer: layer.to_owned(), input: self.input.name.clone(), found }
    }
}

/// Numbers of one tensor of one image: 4 GiB.
const MOST_NUMBERS: usize = 1 << 30;

/// Memory that cannot be had would end the program, so it is asked for only where a network may need it.
fn check_memory(model: &TypedModel) -> TractResult<()> {
    for node in model.nodes() {
        for output in &node.outputs {
            let numbers = output
                .fact
                .shape
                .as_concrete()
                .map(|sides| sides.iter().try_fold(1_usize, |product, &side| product.checked_mul(side)));
            if numbers.is_some_and(|numbers| numbers.is_none_or(|numbers| numbers > MOST_NUMBERS)) {
                let text =
                    format!("{} has more than {MOST_NUMBERS} numbers: {:?}", node.name, output.fact.shape);
                return Err(TractError::msg(text));
            }
        }
    }
    Ok(())
}
