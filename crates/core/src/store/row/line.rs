//! A line of a rows file as it was read.

use serde::{Deserialize, Deserializer};

use super::{RowRecord, RowStatus};
use crate::digest::hex;
use crate::{Classes, DecodedImage, Digest};

/// Its label may be no class's, its path may lead anywhere. Every field that a line may have stands here by itself: a
/// field of another name, or twice, is an error and never a photograph less.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    path: String,
    label: usize,
    class: String,
    status: Status,
    #[serde(default, deserialize_with = "given")]
    row: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    view: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    height: Option<u32>,
    #[serde(default, deserialize_with = "given_digest")]
    sha256: Option<Digest>,
    #[serde(default, deserialize_with = "given")]
    error: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Rejected,
}

/// A field with expected and found.
pub(super) type Contradiction = (&'static str, String, String);

impl Line {
    /// Holds the line against the class list, the rows before it and the line before it.
    pub(super) fn check(
        self,
        classes: &Classes,
        views: usize,
        rows: usize,
        previous: Option<&RowRecord>,
    ) -> Result<RowRecord, Contradiction> {
        let status = self.status()?;
        let Self { path, label, class, .. } = self;
        let Some(label) = classes.label_at(label) else {
            return Err(("label", format!("0 to {}", classes.len().saturating_sub(1)), label.to_string()));
        };
        // The name stands beside the label for people and other programs; both must say the same.
        let expected = classes.name(label).unwrap_or_default();
        if class != expected {
            return Err(("class", expected.to_owned(), class));
        }
        if let RowStatus::Ok { row, .. } = status
            && row != rows
        {
            return Err(("row", rows.to_string(), row.to_string()));
        }
        // Whoever joins it to the image folder must stay inside. A listing's digest ends names with NUL.
        let leads_away = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\0');
        if path.split('/').any(leads_away) {
            return Err(("path", "a path inside the image folder".to_owned(), path));
        }
        let record = RowRecord { path, label, class, status };
        record.check_view(views, previous)?;
        Ok(record)
    }

    /// What became of the image, of the fields that belong to it and no others.
    fn status(&self) -> Result<RowStatus, Contradiction> {
        let Self { row, view, width, height, sha256, error, .. } = self;
        match self.status {
            Status::Ok => {
                refuse("error", error.as_ref())?;
                let row = required("row", *row)?;
                let photograph = if width.is_some() || height.is_some() || sha256.is_some() {
                    let (width, height) = (required("width", *width)?, required("height", *height)?);
                    Some(DecodedImage { width, height, sha256: required("sha256", *sha256)? })
                } else {
                    None
                };
                Ok(RowStatus::Ok { row, view: *view, photograph })
            }
            Status::Rejected => {
                refuse("row", *row)?;
                refuse("view", *view)?;
                refuse("width", *width)?;
                refuse("height", *height)?;
                refuse("sha256", *sha256)?;
                Ok(RowStatus::Rejected { error: required("error", error.clone())? })
            }
        }
    }
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Contradiction> {
    value.ok_or_else(|| (field, "a value".to_owned(), "none".to_owned()))
}

fn refuse<T: ToString>(field: &'static str, value: Option<T>) -> Result<(), Contradiction> {
    value.map_or(Ok(()), |value| Err((field, "none".to_owned(), value.to_string())))
}

/// A field that is there has a value: `null` is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn given_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    hex::deserialize(deserializer).map(Some)
}
