//! A checkpoint and features that do not belong together.

use convbase_bases::{Choices, architecture};
use convbase_core::{Digest, FeatureSpec, ImageSize, Interpolation, Pooling, Preprocess};

use super::features::{Store, spec};
use super::support::*;

/// The spec with one choice changed and its shape as it follows.
fn changed(change: impl Fn(&mut FeatureSpec)) -> FeatureSpec {
    let mut other = spec();
    change(&mut other);
    let FeatureSpec { weights, layer, pooling, image_size, interpolation, preprocess, .. } = other;
    let choices = Choices { layer, pooling, image_size, interpolation, preprocess };
    architecture("vgg16").unwrap().spec(weights, choices).unwrap()
}

#[test]
fn every_mismatch_is_refused_with_its_field_and_what_was_expected_and_found() {
    let digest = |text: &str| format!("\"{}\"", Digest::of(text.as_bytes()));
    let weights = format!("weights: expected {}, found {}", digest("other"), digest("weights"));
    let cases = [
        (
            changed(|spec| spec.preprocess = Preprocess::Caffe),
            "preprocess: expected \"caffe\", found \"rescale\"".to_owned(),
        ),
        (changed(|spec| spec.weights = Digest::of(b"other")), weights),
        (
            changed(|spec| spec.layer = "block1_conv2".to_owned()),
            "layer: expected \"block1_conv2\", found \"block1_pool\"".to_owned(),
        ),
        (
            changed(|spec| spec.image_size = ImageSize::new(150, 160).unwrap()),
            "image_size: expected [150,160], found [32,32]".to_owned(),
        ),
        (
            changed(|spec| spec.interpolation = Interpolation::Bicubic),
            "interpolation: expected \"bicubic\", found \"nearest\"".to_owned(),
        ),
        (
            changed(|spec| spec.pooling = Pooling::Maximum),
            "pooling: expected \"max\", found \"avg\"".to_owned(),
        ),
    ];
    let features = Store::of(&[("cats", 2), ("dogs", 2)]).in_folder();
    for (wanted, difference) in cases {
        let out = tempfile::tempdir().unwrap();
        let head = checkpoint(out.path(), &wanted, &["cats", "dogs"], 4);
        let report = out.path().join("report");
        let said = evaluate(1, features.path(), &head, &report);
        let expected = format!(
            "cannot use checkpoint `{}` with features `{}`: {difference}",
            head.display(),
            features.path().display()
        );
        assert_eq!(error_of(&said), expected);
        let hint = said.stderr.lines().nth(1).unwrap();
        let options = format!(
            "`--base vgg16 --image-size {} --layer {} --pooling {} --preprocess {} --interpolation {}` and weights {}",
            wanted.image_size,
            wanted.layer,
            wanted.pooling,
            wanted.preprocess,
            wanted.interpolation,
            wanted.weights
        );
        assert_eq!(hint, format!("hint: evaluate on features extracted with {options}"));
        assert!(!report.exists(), "{difference}");
    }
}

#[test]
fn all_fields_that_differ_are_named_at_once() {
    let features = Store::of(&[("cats", 2), ("dogs", 2)]).in_folder();
    let out = tempfile::tempdir().unwrap();
    let wanted = changed(|spec| {
        (spec.layer, spec.pooling) = ("block5_pool".to_owned(), Pooling::None);
        spec.preprocess = Preprocess::Torch;
    });
    let head = checkpoint(out.path(), &wanted, &["cats", "dogs"], 4);
    let said = evaluate(1, features.path(), &head, &out.path().join("report"));
    let expected = "layer: expected \"block5_pool\", found \"block1_pool\"; pooling: expected \"none\", found \
                    \"avg\"; preprocess: expected \"torch\", found \"rescale\"; shape: expected [1,1,512], found [64]";
    assert!(error_of(&said).ends_with(expected), "{}", said.stderr);
}
