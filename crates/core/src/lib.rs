//! What every stage of Convbase must agree on: no images, no networks, nothing that needs libtorch.
//!
//! A data set is a list of photographs ([`Sample`]), each of one of its [`Classes`]. They become features that a
//! [`FeatureSpec`] identifies. Features lie in a feature store ([`store`]); training leaves a [`History`], evaluation a [`Report`], computed by [`metrics`].
//! Files appear whole or not at all ([`Artifact`]), and an error leaves a program through [`exit`].

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod artifact;
mod csv_records;
mod dataset;
mod difference;
mod digest;
mod distinct_keys;
mod escape;
mod interrupt;
mod location;
mod processors;
mod spec;

pub mod exit;
pub mod history;
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "every metric checks lengths and labels before it counts; what it counts is at most the rows in memory"
)]
pub mod metrics;
pub mod report;
pub mod store;

pub use artifact::{Artifact, ArtifactError, remove_abandoned, write_artifact, write_json};
pub(crate) use artifact::{to_json, write_in_place, write_json_in_place};
pub use csv_records::csv_line;
pub use dataset::{
    Classes, ClassesError, DecodedImage, Exclusions, ExclusionsError, FillMode, Label, Sample, Views,
    ViewsError, listing_digest,
};
pub use difference::{Difference, Differences, differences};
pub use digest::{Digest, DigestError, Hasher};
pub use distinct_keys::check_distinct_keys;
pub use escape::{escaped, escaped_path};
pub use history::{EpochRecord, History};
pub use interrupt::Interrupt;
pub use location::lies_inside;
pub use processors::processors;
pub use report::Report;
pub use spec::{
    Affine, DataType, FeatureId, FeatureShape, FeatureShapeError, FeatureSpec, ImageSize, ImageSizeError,
    Interpolation, Pooling, Precision, Preprocess, PreprocessError, UnknownName,
};
