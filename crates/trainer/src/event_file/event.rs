//! The few messages of TensorBoard's protobuf that an epoch needs.
//!
//! Fields and numbers are those of `tensorboard/compat/proto/event.proto` and `summary.proto`.

use convbase_core::EpochRecord;
use prost::{Message, Oneof};

/// One record of the file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds, which TensorBoard shows as time. There is no clock in what a run writes: they are the epoch's number.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    /// The name of the series.
    #[prost(string, tag = "1")]
    tag: String,
    /// Of a oneof with images, sounds and tensors, which nothing here writes. Optional, as members of a oneof are:
    /// a number of 0 is written too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

impl Event {
    /// What every file begins with.
    pub(super) fn version() -> Self {
        Self { wall_time: 0.0, step: 0, what: Some(What::FileVersion("brain.Event:2".to_owned())) }
    }

    /// The four series of `history.csv` at an epoch.
    pub(super) fn of_epoch(record: &EpochRecord) -> Self {
        let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy } = *record;
        let series =
            [("loss", loss), ("accuracy", accuracy), ("val_loss", val_loss), ("val_accuracy", val_accuracy)];
        let value =
            |(tag, number): (&str, f64)| Value { tag: tag.to_owned(), simple_value: Some(number as f32) };
        let summary = Summary { value: series.map(value).into() };
        Self { wall_time: f64::from(epoch), step: i64::from(epoch), what: Some(What::Summary(summary)) }
    }
}
