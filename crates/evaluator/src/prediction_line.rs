//! One line per photograph: CSV or JSON.

use std::path::Path;

use convbase_core::csv_line;
use convbase_core::metrics::{MetricsError, predicted_classes};
use serde_json::{Map, Value, json};

use crate::args::OutputFormat;

/// What is said of one photograph.
pub(crate) enum Prediction<'a> {
    /// The probability of each class.
    Classes(&'a [f64]),
    /// Why it could not be read.
    Error(String),
}

/// What comes before the first line: the names of the columns, or nothing.
pub(crate) fn header(format: OutputFormat, classes: &[String]) -> String {
    match format {
        OutputFormat::Json => String::new(),
        OutputFormat::Csv => {
            let probabilities = classes.iter().map(|class| format!("prob_{class}"));
            let columns = ["path".to_owned(), "prediction".to_owned()].into_iter();
            csv_line(columns.chain(probabilities).chain(["error".to_owned()]))
        }
    }
}

/// The line of one photograph.
pub(crate) fn line(
    format: OutputFormat,
    path: &Path,
    classes: &[String],
    prediction: &Prediction,
) -> Result<String, MetricsError> {
    let path = path.to_string_lossy();
    Ok(match (format, prediction) {
        (OutputFormat::Csv, Prediction::Classes(probabilities)) => {
            let numbers = probabilities.iter().map(|number| format!("{number:?}"));
            let fields = [path.into_owned(), winner(classes, probabilities)?.to_owned()].into_iter();
            csv_line(fields.chain(numbers).chain([String::new()]))
        }
        (OutputFormat::Csv, Prediction::Error(error)) => {
            let empty = std::iter::repeat_n(String::new(), classes.len() + 1);
            csv_line(std::iter::once(path.into_owned()).chain(empty).chain([error.clone()]))
        }
        (OutputFormat::Json, Prediction::Classes(probabilities)) => {
            let named: Map<String, Value> =
                classes.iter().cloned().zip(probabilities.iter().map(|number| json!(number))).collect();
            let prediction = winner(classes, probabilities)?;
            format!("{}\n", json!({"path": path, "prediction": prediction, "probabilities": named}))
        }
        (OutputFormat::Json, Prediction::Error(error)) => {
            format!("{}\n", json!({"path": path, "error": error}))
        }
    })
}

/// The class of the greatest probability, the first on ties.
///
/// # Panics
/// When `probabilities` are not one per class.
fn winner<'a>(classes: &'a [String], probabilities: &[f64]) -> Result<&'a str, MetricsError> {
    Ok(&classes[predicted_classes(probabilities, classes.len())?[0]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_csv_line_has_as_many_fields_as_the_header() {
        let classes = ["cats".to_owned(), "dogs, large".to_owned()];
        let format = OutputFormat::Csv;
        assert_eq!(header(format, &classes), "path,prediction,prob_cats,\"prob_dogs, large\",error\n");
        let path = Path::new("a,b.jpg");
        let sure = line(format, path, &classes, &Prediction::Classes(&[0.25, 0.75])).unwrap();
        assert_eq!(sure, "\"a,b.jpg\",\"dogs, large\",0.25,0.75,\n");
        let unreadable = line(format, path, &classes, &Prediction::Error("no image".into())).unwrap();
        assert_eq!(unreadable, "\"a,b.jpg\",,,,no image\n");
    }

    #[test]
    fn a_json_line_is_one_object() {
        let classes = ["cats".to_owned(), "dogs".to_owned()];
        let sure = Prediction::Classes(&[0.25, 0.75]);
        let text = line(OutputFormat::Json, Path::new("a.jpg"), &classes, &sure).unwrap();
        let expected =
            json!({"path": "a.jpg", "prediction": "dogs", "probabilities": {"cats": 0.25, "dogs": 0.75}});
        assert_eq!(serde_json::from_str::<Value>(text.trim_end()).unwrap(), expected);
        assert_eq!(text.matches('\n').count(), 1);
    }
}
