//! Why a report cannot be made or read.

use crate::metrics::MetricsError;

/// Why a report cannot be made or read. Lines of a file are counted from one.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Nothing to evaluate.
    #[error("samples to evaluate: expected at least 1, found none beside {num_rejected} rejected")]
    NoSamples {
        /// The number of rejected images.
        num_rejected: u64,
    },
    /// A classifier that has nothing to choose from.
    #[error("classes to evaluate: expected at least 2, found {found}")]
    TooFewClasses {
        /// The number of classes given.
        found: usize,
    },
    /// Not one path per label.
    #[error("number of paths: expected {expected}, found {found}")]
    PathCount {
        /// The number of labels.
        expected: usize,
        /// The number of paths given.
        found: usize,
    },
    /// Labels or probabilities that no metric accepts.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The report cannot be written as JSON.
    #[error("cannot write the report as JSON")]
    Json(#[source] serde_json::Error),
    /// The first line does not name the columns.
    #[error("line 1: expected path,label,prediction,correct and one prob_<class> per class, found {found:?}")]
    CsvHeader {
        /// The columns found, joined by commas.
        found: String,
    },
    /// A line that is longer or shorter than the first.
    #[error("line {line}: expected {expected} columns, found {found}")]
    CsvColumns {
        /// The line on which the record begins.
        line: usize,
        /// The columns of the header.
        expected: usize,
        /// The columns found.
        found: usize,
    },
    /// A value that its column does not allow.
    #[error("line {line}, column {column:?}: expected {expected}, found {found:?}")]
    CsvField {
        /// The line on which the record begins.
        line: usize,
        /// The name of the column.
        column: String,
        /// What the column allows.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A quote, carriage return, blank line or end of file where RFC 4180 allows none.
    #[error("line {line}: expected fields as RFC 4180 quotes them and a newline at the end, found {found:?}")]
    CsvSyntax {
        /// The line on which the record begins.
        line: usize,
        /// The beginning of what stands there.
        found: String,
    },
}
