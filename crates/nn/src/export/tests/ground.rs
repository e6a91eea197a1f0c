//! A base with drawn weights, checkpoints on its features, and tract.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use convbase_bases::{Choices, architecture, write_untrained};
use convbase_core::{
    Classes, FeatureSpec, ImageSize, Interpolation, Pooling, Precision, Preprocess, write_artifact,
};
use serde_json::Value;
use tempfile::TempDir;
use tract_onnx::prelude::tract_ndarray::ArrayD;
use tract_onnx::prelude::{Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, Tensor, tvec};

use crate::{
    Activation, Base, Checkpoint, CheckpointMetadata, ConvBase, Device, Head, HeadShape, export_onnx,
};

pub(super) const IMAGES: usize = 3;

pub(super) struct Ground {
    folder: TempDir,
    pub(super) base: Base,
    size: ImageSize,
    checkpoints: AtomicUsize,
}

impl Ground {
    pub(super) fn new(name: &str, height: u32, width: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        write_untrained(&path, architecture(name).unwrap(), 5, Preprocess::Rescale).unwrap();
        enlarge_depthwise_kernels(&path);
        let base = Base::open(name, Some(&path)).unwrap();
        let size = ImageSize::new(height, width).unwrap();
        Self { folder, base, size, checkpoints: AtomicUsize::default() }
    }

    pub(super) fn tiny() -> Self {
        Self::new("tiny", 32, 32)
    }

    pub(super) fn spec(&self, layer: &str, pooling: Pooling, preprocess: Preprocess) -> FeatureSpec {
        let (layer, image_size, interpolation) = (layer.to_owned(), self.size, Interpolation::Bilinear);
        let choices = Choices { layer, pooling, image_size, interpolation, preprocess };
        self.base.spec(choices).unwrap()
    }

    /// A checkpoint as the trainer writes it and anybody reads it.
    pub(super) fn checkpoint(&self, spec: &FeatureSpec, head: &Head) -> Checkpoint {
        let classes = (0..head.shape().classes).map(|number| format!("class {number}")).collect();
        let metadata = CheckpointMetadata {
            spec: spec.clone(),
            classes: Classes::new(classes).unwrap(),
            head: head.shape().clone(),
            epoch: 3,
            val_loss: 0.5,
            val_accuracy: 0.75,
            tail_weights: None,
            views: None,
        };
        let number = self.checkpoints.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.safetensors"));
        Checkpoint::save(&path, head, &metadata).unwrap();
        Checkpoint::load(&path, Device::Cpu).unwrap()
    }

    /// Exports a head on features of a spec and compares what tract makes of it with what `predict` says.
    pub(super) fn check(&self, spec: &FeatureSpec, head: &Head) -> Vec<f64> {
        let checkpoint = self.checkpoint(spec, head);
        let file = export_onnx(&self.base, &checkpoint).unwrap();
        let expected = checkpoint.head().probabilities_of(&self.features(spec)).unwrap();
        let found =
            run(&file, self.pixels(), [IMAGES, self.size.height() as usize, self.size.width() as usize, 3]);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{:?}: {found} {expected}", head.shape());
        }
        expected
    }

    /// What the base makes of the images.
    pub(super) fn features(&self, spec: &FeatureSpec) -> Vec<f32> {
        let conv_base = ConvBase::new(&self.base, spec, Precision::Float32, Device::Cpu).unwrap();
        conv_base.features(&self.pixels(), IMAGES).unwrap()
    }

    fn pixels(&self) -> Vec<u8> {
        let hash = |index: usize| (index as u32).wrapping_mul(2_654_435_761) >> 24;
        // Dark, medium and bright, so that the images are not alike.
        let shade = |index: usize| hash(index) * (index / self.size.rgb_bytes() + 1) as u32 / IMAGES as u32;
        (0..IMAGES * self.size.rgb_bytes()).map(|index| shade(index) as u8).collect()
    }
}

/// Makes drawn kernels of one input as large as others are: their fan-in is that of a single channel. Otherwise little of
/// the images would be left behind a dozen of them.
fn enlarge_depthwise_kernels(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    for (name, entry) in header.iter().filter(|(name, _)| name.ends_with("/kernel")) {
        let sides: Vec<usize> = serde_json::from_value(entry["shape"].clone()).unwrap();
        let [begin, end]: [usize; 2] = serde_json::from_value(entry["data_offsets"].clone()).unwrap();
        let [_, _, channels, 1] = sides[..] else { continue };
        for number in bytes[8 + length..][begin..end].as_chunks_mut::<4>().0 {
            *number = (f32::from_le_bytes(*number) * (channels as f32).sqrt()).to_le_bytes();
        }
        assert!(end > begin, "{name}");
    }
    write_artifact(path, &bytes).unwrap();
}

/// A head at its start on features of a spec.
pub(super) fn plain_head(spec: &FeatureSpec, hidden: usize, activation: Activation, classes: usize) -> Head {
    Head::new(HeadShape::new(spec.shape.length(), hidden, activation, classes), 11, Device::Cpu).unwrap()
}

/// Asserts that the images do not all look alike to a head: equal answers prove nothing.
#[track_caller]
pub(super) fn assert_spread(probabilities: &[f64]) {
    let classes = probabilities.len() / IMAGES;
    let spread = probabilities.iter().zip(&probabilities[classes..]).map(|(a, b)| (a - b).abs());
    assert!(spread.fold(0.0, f64::max) > 1e-3, "{probabilities:?}");
}

/// What tract makes of a file and pixels of this shape.
pub(super) fn run(mut file: &[u8], pixels: Vec<u8>, shape: [usize; 4]) -> Vec<f32> {
    let model = tract_onnx::onnx().model_for_read(&mut file).unwrap();
    let model = model.with_input_fact(0, InferenceFact::dt_shape(u8::datum_type(), shape)).unwrap();
    let model = model.into_optimized().unwrap().into_runnable().unwrap();
    let input = Tensor::from(ArrayD::from_shape_vec(&shape[..], pixels).unwrap());
    let outputs = model.run(tvec![input.into()]).unwrap();
    let output = outputs[0].to_plain_array_view::<f32>().unwrap();
    assert_eq!(output.shape()[0], shape[0]);
    output.iter().copied().collect()
}
