//! What an exported file says of itself.

use serde_json::json;
use tract_onnx::pb::StringStringEntryProto;

use crate::Checkpoint;

/// What the input is, in a sentence for people.
pub(super) fn input(checkpoint: &Checkpoint) -> String {
    let spec = &checkpoint.metadata().spec;
    let [height, width] = [spec.image_size.height(), spec.image_size.width()];
    let turned = if spec.exif_orientation { ", turned as their EXIF orientation says" } else { "" };
    format!(
        "photographs{turned}, resized to height {height} and width {width} by {}, as bytes of red, green and blue: uint8 \
         [n, {height}, {width}, 3]. Their scaling is part of the graph.",
        spec.interpolation
    )
}

/// The entries of `metadata_props`, JSON but for the sentence, always in this order.
pub(super) fn entries(checkpoint: &Checkpoint) -> Result<Vec<StringStringEntryProto>, serde_json::Error> {
    let metadata = checkpoint.metadata();
    let spec = &metadata.spec;
    let mut origin = vec![
        ("sha256", json!(checkpoint.sha256())),
        ("feature_id", json!(spec.id())),
        ("epoch", json!(metadata.epoch)),
        ("val_loss", json!(metadata.val_loss)),
        ("val_accuracy", json!(metadata.val_accuracy)),
    ];
    origin.extend(metadata.tail_weights.map(|digest| ("tail_weights", json!(digest))));
    // Written out: serde_json keeps the order of keys only with a feature that this build may lack.
    let origin: Vec<String> = origin.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    // What the graph takes is the pixels themselves.
    let pixels = [
        ("mean", json!([0, 0, 0])),
        ("std", json!([1, 1, 1])),
        ("size", json!(spec.image_size)),
        ("interpolation", json!(spec.interpolation)),
    ];
    let pixels = pixels.map(|(name, value)| format!("\"{name}\":{value}"));
    let entries = [
        ("classes", serde_json::to_string(metadata.classes.names())?),
        ("spec", serde_json::to_string(spec)?),
        ("checkpoint", format!("{{{}}}", origin.join(","))),
        ("input", input(checkpoint)),
        ("convbase", format!("{{{}}}", pixels.join(","))),
    ];
    Ok(entries.map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value }).into())
}
