//! One file that is enough to predict, written and read, whole and damaged.

use super::*;
use crate::Activation;
use convbase_bases::article;
use convbase_core::{FeatureShape, FillMode, Interpolation, Pooling, write_artifact};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

fn metadata() -> CheckpointMetadata {
    let shape = FeatureShape::new(vec![512]).unwrap();
    let spec = FeatureSpec { pooling: Pooling::Average, shape, ..article() };
    CheckpointMetadata {
        spec,
        classes: Classes::new(vec!["cats".into(), "dogs".into()]).unwrap(),
        head: HeadShape::new(512, 4, Activation::Relu, 2),
        epoch: 3,
        val_loss: 0.25,
        val_accuracy: 0.9,
        tail_weights: None,
        views: None,
    }
}

fn saved(folder: &Path, metadata: &CheckpointMetadata) -> PathBuf {
    let path = folder.join("best.safetensors");
    let head = Head::new(metadata.head.clone(), 42, Device::Cpu).unwrap();
    Checkpoint::save(&path, &head, metadata).unwrap();
    path
}

#[test]
fn a_checkpoint_survives_the_way_through_its_file_and_equal_heads_make_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), &metadata());
    let bytes = fs::read(&path).unwrap();
    let checkpoint = Checkpoint::load(&path, Device::Cpu).unwrap();
    assert_eq!(checkpoint.metadata(), &metadata());
    Checkpoint::save(&path, checkpoint.head(), checkpoint.metadata()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(saved(folder.path(), &metadata()), path);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn views_are_named_where_there_are_some_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let without = fs::read(saved(folder.path(), &metadata())).unwrap();
    assert!(!String::from_utf8_lossy(&without).contains("views"));
    let views = Views::new(4, "flip".into(), FillMode::Wrap, Interpolation::Nearest, u64::MAX).unwrap();
    let with = CheckpointMetadata { views: Some(views), ..metadata() };
    let path = saved(folder.path(), &with);
    assert_eq!(Checkpoint::load(&path, Device::Cpu).unwrap().metadata(), &with);
}

#[test]
fn truncated_and_altered_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), &metadata());
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        write_artifact(&path, &bytes[..length]).unwrap();
        assert!(Checkpoint::load(&path, Device::Cpu).is_err(), "{length} bytes");
    }
    write_artifact(&path, &[&bytes[..], b"x"].concat()).unwrap();
    assert!(Checkpoint::load(&path, Device::Cpu).is_err(), "one byte too many");
}

#[test]
fn every_contradiction_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = metadata();
    wrong.classes = Classes::new(vec!["a".into(), "b".into(), "c".into()]).unwrap();
    wrong.spec.shape = FeatureShape::new(vec![256]).unwrap();
    let path = saved(folder.path(), &wrong);
    let error = Checkpoint::load(&path, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("head.features: expected 256, found 512"), "{error}");
    assert!(error.contains("head.classes: expected 3, found 2"), "{error}");
}

#[test]
fn one_class_and_numbers_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = metadata();
    one.classes = Classes::new(vec!["a".into()]).unwrap();
    one.head.classes = 1;
    let error = Checkpoint::load(&saved(folder.path(), &one), Device::Cpu).unwrap_err().to_string();
    assert!(error.ends_with("classes: expected at least 2, found 1"), "{error}");
    let path = saved(folder.path(), &metadata());
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    write_artifact(&path, &bytes).unwrap();
    let error = Checkpoint::load(&path, Device::Cpu).unwrap_err().to_string();
    assert!(error.ends_with("expected finite numbers, found NaN"), "{error}");
}

proptest! {
    #[test]
    fn a_changed_byte_is_refused_or_read_as_what_it_says(at in any::<Index>(), bit in 0_u8..8, cut in any::<Index>()) {
        static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            fs::read(saved(folder.path(), &metadata())).unwrap()
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        write_artifact(&path, &WHOLE[..cut.index(WHOLE.len())]).unwrap();
        prop_assert!(Checkpoint::load(&path, Device::Cpu).is_err());
        let mut bytes = WHOLE.clone();
        // As often in the header as in the much longer tensors.
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let at = at.index(2 * header);
        bytes[at] ^= 1 << bit;
        write_artifact(&path, &bytes).unwrap();
        if let Ok(checkpoint) = Checkpoint::load(&path, Device::Cpu) {
            Checkpoint::save(&path, checkpoint.head(), checkpoint.metadata()).unwrap();
            let again = fs::read(&path).unwrap();
            // White space and the order of fields may be others; the tensors' bytes may not.
            prop_assert!(again.ends_with(&bytes[header..]), "byte {}, bit {}", at, bit);
        }
    }
}

#[test]
fn another_safetensors_file_is_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let none: Vec<(&str, safetensors::tensor::TensorView)> = Vec::new();
    write_artifact(&path, &safetensors::serialize(none, None).unwrap()).unwrap();
    assert!(matches!(Checkpoint::load(&path, Device::Cpu), Err(CheckpointError::NoMetadata { .. })));
}
