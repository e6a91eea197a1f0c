use super::*;
use crate::{FeatureShape, FillMode, ImageSize, Interpolation, Pooling, Preprocess};
use serde_json::{Value, json};

pub(crate) fn manifest(images: usize, shard_size: usize) -> Manifest {
    let spec = FeatureSpec {
        architecture: "made up".to_owned(),
        weights: Digest::of(b"weights"),
        layer: "pool".to_owned(),
        pooling: Pooling::None,
        image_size: ImageSize::new(32, 64).unwrap(),
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Rescale,
        shape: FeatureShape::new(vec![1, 2, 512]).unwrap(),
        exif_orientation: false,
    };
    let classes = Classes::new(vec!["cats".into(), "dogs".into()]).unwrap();
    let listing = Listing { images, sha256: Digest::of(b"listing") };
    Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, shard_size)
}

pub(crate) fn views(count: usize) -> Views {
    Views::new(count, "flip".into(), FillMode::Wrap, Interpolation::Nearest, 7).unwrap()
}

fn parse_with(change: impl Fn(&mut Value)) -> Result<Manifest, String> {
    parse_changed(&manifest(10, 4), change)
}

fn parse_changed(manifest: &Manifest, change: impl Fn(&mut Value)) -> Result<Manifest, String> {
    let mut value = serde_json::to_value(manifest).unwrap();
    change(&mut value);
    let path = Path::new("manifest.json");
    Manifest::parse(path, value.to_string().as_bytes()).map_err(|error| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    })
}

#[test]
fn a_manifest_survives_the_way_through_json() {
    assert_eq!(parse_with(|_| ()).unwrap(), manifest(10, 4));
}

#[test]
fn a_manifest_of_views_is_of_the_second_format_and_one_without_is_as_before() {
    let several = manifest(10, 4).with_views(views(3));
    assert_eq!(parse_changed(&several, |_| ()).unwrap(), several);
    assert_eq!((several.view_count(), several.views()), (3, Some(&views(3))));
    let value = serde_json::to_value(&several).unwrap();
    assert_eq!(value["format"], "convbase-features/2");
    assert_eq!(value["views"]["count"], 3);
    let one = serde_json::to_value(manifest(10, 4)).unwrap();
    assert_eq!((one["format"].as_str(), one.get("views")), (Some("convbase-features/1"), None));
    assert_eq!(manifest(10, 4).view_count(), 1);
}

#[test]
fn views_in_a_manifest_of_the_other_format_are_refused() {
    let several = manifest(10, 4).with_views(views(3));
    let error = parse_changed(&several, |value| value["format"] = json!("convbase-features/1")).unwrap_err();
    assert!(error.contains("views: expected none in convbase-features/1, found 3 views, flip"), "{error}");
    let error = parse_with(|value| value["format"] = json!("convbase-features/2")).unwrap_err();
    assert!(error.ends_with("views: expected some in convbase-features/2, found none"), "{error}");
    let error = parse_changed(&several, |value| value["views"]["count"] = json!(1)).unwrap_err();
    assert!(error.contains("count: expected 2 to 1000, found 1"), "{error}");
}

#[test]
fn shards_cover_the_listing_without_gap_or_overlap() {
    let manifest = manifest(10, 4);
    let ranges: Vec<_> = manifest.shards().map(|shard| manifest.positions(shard)).collect();
    assert_eq!(ranges, [0..4, 4..8, 8..10]);
    for shard in manifest.shards() {
        assert!(manifest.positions(shard).all(|position| manifest.shard_of(position) == shard));
    }
}

#[test]
fn fields_that_contradict_one_another_are_refused_with_expected_and_found() {
    let refused = |change: fn(&mut Value), part: &str| {
        let error = parse_with(change).unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    refused(
        |value| value["format"] = json!("other/1"),
        "format: expected convbase-features/1 or convbase-features/2, found other/1",
    );
    refused(|value| value["spec"]["layer"] = json!("other"), "feature_id: expected sha256:");
    refused(|value| value["spec"]["layer"] = json!(7), "7");
    refused(|value| value["spec"]["shape"] = json!([64, 0]), "found [64, 0]");
    refused(|value| value["shards"] = json!(2), "shards: expected 3, found 2");
    refused(
        |value| {
            value["listing"]["images"] = json!(1_000_000_000_000_u64);
            value["shard_size"] = json!(1);
            value["shards"] = json!(1_000_000_000_000_u64);
        },
        "shards: expected at most 1000000, found 1000000000000",
    );
    refused(|value| value["shard_size"] = json!(0), "expected at least 1, found 0");
    refused(|value| value["classes"] = json!(["a", "a"]), "found `a` twice");
    refused(|value| value["dtype"] = json!("float64"), "float64");
    refused(|value| value["listing"]["images"] = json!(-1), "-1");
    refused(|value| value["surprise"] = json!(1), "surprise");
}
