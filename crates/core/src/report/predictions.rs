//! What was said about each sample.

use std::collections::HashMap;
use std::iter;

use super::ReportError;
use crate::csv_records::{csv_lines, csv_records};
use crate::metrics::{check_distinct_names, check_labelled_probabilities, predicted_classes};

const CSV_COLUMNS: [&str; 4] = ["path", "label", "prediction", "correct"];
const CSV_PROBABILITY_PREFIX: &str = "prob_";

/// `predictions.csv`: what was said about each sample.
///
/// RFC 4180 with line feeds, the columns `path,label,prediction,correct` and one `prob_<class>` per class;
/// numbers are the shortest that read back as the same `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    classes: Vec<String>,
    paths: Vec<String>,
    labels: Vec<usize>,
    predictions: Vec<usize>,
    probabilities: Vec<f64>,
}

/// One row of [`Predictions`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction<'a> {
    /// The image, relative to its folder.
    pub path: &'a str,
    /// The name of its true class.
    pub label: &'a str,
    /// The name of the most probable class.
    pub prediction: &'a str,
    /// Whether both are the same.
    pub correct: bool,
    /// One per class.
    pub probabilities: &'a [f64],
}

impl Predictions {
    /// Joins `paths` `[rows]`, `labels` `[rows]` and row-major `probabilities` `[rows, classes]`. The
    /// prediction is the most probable class, as in [`Report::new`](super::Report::new).
    pub fn new(
        classes: Vec<String>,
        paths: Vec<String>,
        labels: Vec<usize>,
        probabilities: Vec<f64>,
    ) -> Result<Self, ReportError> {
        check_distinct_names(&classes)?;
        check_labelled_probabilities(&labels, &probabilities, classes.len())?;
        if paths.len() != labels.len() {
            return Err(ReportError::PathCount { expected: labels.len(), found: paths.len() });
        }
        let predictions = predicted_classes(&probabilities, classes.len())?;
        Ok(Self { classes, paths, labels, predictions, probabilities })
    }

    /// The class names, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The rows, in order.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`new` alone makes the value: as many labels, predictions and rows of probabilities as paths, of these classes"
    )]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Prediction<'_>> {
        self.paths.iter().enumerate().map(|(row, path)| {
            let (label, prediction) = (self.labels[row], self.predictions[row]);
            let first = row * self.classes.len();
            Prediction {
                path,
                label: &self.classes[label],
                prediction: &self.classes[prediction],
                correct: label == prediction,
                probabilities: &self.probabilities[first..first + self.classes.len()],
            }
        })
    }

    /// The bytes of `predictions.csv`.
    pub fn to_csv(&self) -> String {
        let probabilities = self.classes.iter().map(|class| format!("{CSV_PROBABILITY_PREFIX}{class}"));
        let header: Vec<String> = CSV_COLUMNS.map(str::to_owned).into_iter().chain(probabilities).collect();
        let rows = self.rows().map(|row| {
            let named = [row.path, row.label, row.prediction].map(str::to_owned);
            // `{:?}` is the shortest form that reads back, with an exponent where that is shorter by far.
            let numbers = row.probabilities.iter().map(|probability| format!("{probability:?}"));
            named.into_iter().chain([row.correct.to_string()]).chain(numbers).collect()
        });
        csv_lines(iter::once(header).chain(rows))
    }

    /// Reads what [`Predictions::to_csv`] wrote, and refuses a file that contradicts itself: another
    /// prediction than the most probable class, a wrong `correct`, rows that do not sum to one, a last line
    /// cut short.
    pub fn from_csv(text: &str) -> Result<Self, ReportError> {
        let mut records = csv_records(text)
            .map(|record| record.map_err(|odd| ReportError::CsvSyntax { line: odd.line, found: odd.found }));
        // An empty file has no header, and is refused as one whose header names no column.
        let header = records.next().transpose()?.map_or(Vec::new(), |(_, columns)| columns);
        let classes = csv_classes(&header)?;
        let positions: HashMap<&String, usize> =
            classes.iter().enumerate().rev().map(|(position, class)| (class, position)).collect();

        let (mut paths, mut labels, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
        let mut claims = Vec::new();
        for record in records {
            let (line, fields) = record?;
            let columns = || ReportError::CsvColumns { line, expected: header.len(), found: fields.len() };
            if fields.len() != header.len() {
                return Err(columns());
            }
            let [path, label, prediction, correct, numbers @ ..] = &fields[..] else { return Err(columns()) };
            let field_error = |column: &str, expected: &str, found: &String| ReportError::CsvField {
                line,
                column: column.to_owned(),
                expected: expected.to_owned(),
                found: found.clone(),
            };
            paths.push(path.clone());
            let position = positions.get(label).copied();
            labels.push(position.ok_or_else(|| field_error("label", "a class of the header", label))?);
            for (column, field) in header.iter().skip(CSV_COLUMNS.len()).zip(numbers) {
                let value = field.parse().ok().filter(|value| (0.0..=1.0).contains(value));
                probabilities.push(value.ok_or_else(|| field_error(column, "a number from 0 to 1", field))?);
            }
            claims.push((line, prediction.clone(), correct.clone()));
        }

        let predictions = Self::new(classes, paths, labels, probabilities)?;
        for ((line, prediction, correct), row) in iter::zip(claims, predictions.rows()) {
            let claims = [
                ("prediction", prediction, row.prediction.to_owned()),
                ("correct", correct, row.correct.to_string()),
            ];
            if let Some((column, found, expected)) = claims.into_iter().find(|claim| claim.1 != claim.2) {
                let expected = format!("{expected:?}, as label and probabilities have it");
                return Err(ReportError::CsvField { line, column: column.to_owned(), expected, found });
            }
        }
        Ok(predictions)
    }
}

/// The names of the classes, from the columns of `predictions.csv`.
fn csv_classes(header: &[String]) -> Result<Vec<String>, ReportError> {
    let name = |column: &String| column.strip_prefix(CSV_PROBABILITY_PREFIX).map(str::to_owned);
    let columns = header.strip_prefix(CSV_COLUMNS.map(str::to_owned).as_slice());
    let names = columns.and_then(|columns| columns.iter().map(name).collect::<Option<Vec<String>>>());
    names.filter(|names| !names.is_empty()).ok_or_else(|| ReportError::CsvHeader { found: header.join(",") })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn two_cats_and_a_dog() -> Predictions {
        let (paths, probabilities) =
            (names(&["a/1.jpg", "a/2,\"x\".jpg", "d/ü.jpg"]), vec![1.0, 0.0, 0.25, 0.75, 0.5, 0.5]);
        Predictions::new(names(&["cats", "dogs"]), paths, vec![0, 0, 1], probabilities).unwrap()
    }

    #[test]
    fn predictions_are_quoted_where_they_must_be_and_nowhere_else() {
        insta::assert_snapshot!(two_cats_and_a_dog().to_csv(), @r#"
        path,label,prediction,correct,prob_cats,prob_dogs
        a/1.jpg,cats,cats,true,1.0,0.0
        "a/2,""x"".jpg",cats,dogs,false,0.25,0.75
        d/ü.jpg,dogs,cats,false,0.5,0.5
        "#);
    }

    #[test]
    fn carriage_returns_at_the_ends_of_lines_are_no_trouble() {
        let csv = two_cats_and_a_dog().to_csv().replace('\n', "\r\n");
        assert_eq!(Predictions::from_csv(&csv).unwrap(), two_cats_and_a_dog());
    }

    #[test]
    fn predictions_of_contradicting_shapes_are_refused() {
        let new = |classes: &[&str], paths: &[&str], labels: Vec<usize>, probabilities: Vec<f64>| {
            Predictions::new(names(classes), names(paths), labels, probabilities).unwrap_err().to_string()
        };
        assert_eq!(new(&["a"], &[], vec![0], vec![1.0]), "number of paths: expected 1, found 0");
        assert_eq!(new(&[], &[], vec![], vec![]), "number of classes: expected 1 to 16384, found 0");
        assert_eq!(new(&["a"], &["p"], vec![0], vec![]), "number of probabilities: expected 1, found 0");
        assert_eq!(
            new(&["a"], &["p"], vec![1], vec![1.0]),
            "label of row 0: expected a class below 1, found 1"
        );
    }

    #[test]
    fn every_finding_in_a_file_names_its_line_with_expected_and_found() {
        let header = "path,label,prediction,correct,prob_a,prob_b\n";
        let attacks = [
            ("p,a,a,true,0.75\n", "line 2: expected 6 columns, found 5"),
            ("p\n", "line 2: expected 6 columns, found 1"),
            (
                "p,c,a,true,0.75,0.25\n",
                r#"line 2, column "label": expected a class of the header, found "c""#,
            ),
            (
                "p,a,b,false,0.75,0.25\n",
                r#"line 2, column "prediction": expected "a", as label and probabilities have it, found "b""#,
            ),
            (
                "\"two\nlines\",a,a,true,1,0\np,b,a,true,1,0\n",
                r#"line 4, column "correct": expected "false", as label and probabilities have it, found "true""#,
            ),
            (
                "p,a,a,true,0.75,NaN\n",
                r#"line 2, column "prob_b": expected a number from 0 to 1, found "NaN""#,
            ),
            ("p,a,a,true,2,0.25\n", r#"line 2, column "prob_a": expected a number from 0 to 1, found "2""#),
            ("p,a,a,true,0.5,0.25\n", "probabilities of row 0: expected a sum of 1, found 0.75"),
        ];
        for (text, message) in attacks {
            assert_eq!(Predictions::from_csv(&format!("{header}{text}")).unwrap_err().to_string(), message);
        }
        for odd in [
            "\n",
            "p,a,a,true,0.75,0.25",
            "p\"q,a,a,true,1,0\n",
            "\"p\"q,a,a,true,1,0\n",
            "p\rq,a,a,true,1,0\n",
            "\"p,a,a,true,1,0\n",
        ] {
            let error = Predictions::from_csv(&format!("{header}{odd}")).unwrap_err();
            assert!(matches!(error, ReportError::CsvSyntax { line: 2, .. }), "{odd:?}: {error}");
        }
        for header in ["", "path\n", "path,label,prediction,correct\n", "path,label,prediction,correct,a\n"] {
            let error = Predictions::from_csv(header).unwrap_err();
            assert!(matches!(error, ReportError::CsvHeader { .. }), "{header:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn predictions_read_back_as_they_were(
            rows in prop::collection::vec(
                (any::<String>(), "[a-c,\"\r\n/ ü犬]{0,12}", 0_usize..2, 0.0..=1.0_f64),
                0..20,
            ),
            class in "[a-z,\" \n\ré]{0,8}",
        ) {
            let paths = rows.iter().map(|row| format!("{}{}", row.0, row.1)).collect();
            let labels = rows.iter().map(|row| row.2).collect();
            let probabilities = rows.iter().flat_map(|row| [1.0 - row.3, row.3]).collect();
            let classes = vec![class, "Dogs".to_owned()];
            let predictions = Predictions::new(classes, paths, labels, probabilities).unwrap();
            let read = Predictions::from_csv(&predictions.to_csv()).unwrap();
            prop_assert_eq!(read.to_csv(), predictions.to_csv());
            prop_assert_eq!(read, predictions);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[pab,\"\r\n01.e]{0,60}") {
            let _ = Predictions::from_csv(&text);
            let _ = Predictions::from_csv(&format!("path,label,prediction,correct,prob_a,prob_b\n{text}"));
        }
    }
}
