//! Precision, recall and F1 of each class and of all together.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::input::{check_distinct_names, check_length};
use super::{ConfusionMatrix, MetricsError};

const ACCURACY: &str = "accuracy";
const MACRO_AVERAGE: &str = "macro avg";
const WEIGHTED_AVERAGE: &str = "weighted avg";

/// One row of a [`ClassificationReport`]; scikit-learn's `precision_recall_fscore_support` with
/// `zero_division=0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScores {
    /// True positives over all that were predicted as this class.
    pub precision: f64,
    /// True positives over all that have this label.
    pub recall: f64,
    /// The harmonic mean of both: twice the true positives over label count plus prediction count.
    #[serde(rename = "f1-score")]
    pub f1_score: f64,
    /// The number of samples with this label.
    #[serde(serialize_with = "as_float")]
    pub support: u64,
}

/// What scikit-learn's `classification_report(labels=range(classes), zero_division=0)` tells.
///
/// It serialises as `output_dict=True` gives it: the classes in order, then `accuracy`, `macro avg` and
/// `weighted avg`; it displays as the text table, without a newline at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    classes: Vec<(String, ClassScores)>,
    accuracy: f64,
    macro_average: ClassScores,
    weighted_average: ClassScores,
}

impl ClassificationReport {
    /// Reads the scores off a confusion matrix; `names` has one distinct name per class.
    ///
    /// A class may not be called like a summary row: the dictionary has but one place for each key.
    pub fn new(names: &[String], confusion: &ConfusionMatrix) -> Result<Self, MetricsError> {
        check_length("class names", confusion.classes(), names.len())?;
        check_distinct_names(names)?;
        let reserved = |name: &&String| [ACCURACY, MACRO_AVERAGE, WEIGHTED_AVERAGE].contains(&name.as_str());
        if let Some(name) = names.iter().find(reserved) {
            return Err(MetricsError::ReservedName { name: name.clone() });
        }

        let counts = confusion.true_positives().zip(confusion.predicted()).zip(confusion.support());
        let scores: Vec<ClassScores> = counts
            .map(|((true_positives, predicted), support)| ClassScores {
                precision: ratio(true_positives, predicted),
                recall: ratio(true_positives, support),
                f1_score: ratio(2 * true_positives, predicted + support),
                support,
            })
            .collect();
        Ok(Self {
            accuracy: confusion.accuracy().unwrap_or(0.0),
            macro_average: average(&scores, |_| 1),
            weighted_average: average(&scores, |row| row.support),
            classes: names.iter().cloned().zip(scores).collect(),
        })
    }

    /// The scores of each class, in class order.
    pub fn classes(&self) -> impl Iterator<Item = (&str, &ClassScores)> {
        self.classes.iter().map(|(name, scores)| (name.as_str(), scores))
    }

    /// The scores of one class.
    pub fn class(&self, name: &str) -> Option<&ClassScores> {
        self.classes().find(|(class, _)| *class == name).map(|(_, scores)| scores)
    }

    /// The share of correct samples; 0 without samples.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// The plain mean over the classes, those without samples included.
    pub fn macro_average(&self) -> &ClassScores {
        &self.macro_average
    }

    /// The mean over the classes, each weighted by its support.
    pub fn weighted_average(&self) -> &ClassScores {
        &self.weighted_average
    }
}

impl Serialize for ClassificationReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.classes.len() + 3))?;
        for (name, scores) in self.classes() {
            map.serialize_entry(name, scores)?;
        }
        map.serialize_entry(ACCURACY, &self.accuracy)?;
        map.serialize_entry(MACRO_AVERAGE, &self.macro_average)?;
        map.serialize_entry(WEIGHTED_AVERAGE, &self.weighted_average)?;
        map.end()
    }
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.classes.iter().map(|(name, _)| name.chars().count());
        let width = names.max().unwrap_or(0).max(WEIGHTED_AVERAGE.len());
        let write_row = |formatter: &mut fmt::Formatter<'_>, name: &str, row: &ClassScores| {
            let ClassScores { precision, recall, f1_score, support } = row;
            write!(formatter, "\n{name:>width$}  {precision:>9.2} {recall:>9.2} {f1_score:>9.2} {support:>9}")
        };

        let empty = "";
        writeln!(formatter, "{empty:>width$}  precision    recall  f1-score   support")?;
        for (name, scores) in self.classes() {
            write_row(formatter, name, scores)?;
        }
        let (accuracy, total) = (self.accuracy, self.weighted_average.support);
        write!(formatter, "\n\n{ACCURACY:>width$}  {empty:>9} {empty:>9} {accuracy:>9.2} {total:>9}")?;
        write_row(formatter, MACRO_AVERAGE, &self.macro_average)?;
        write_row(formatter, WEIGHTED_AVERAGE, &self.weighted_average)
    }
}

/// A share of counts; 0 where there is nothing to share (`zero_division=0`).
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn average(rows: &[ClassScores], weight: impl Fn(&ClassScores) -> u64) -> ClassScores {
    let weights: u64 = rows.iter().map(&weight).sum();
    let mean = |value: fn(&ClassScores) -> f64| {
        let sum: f64 = rows.iter().map(|row| value(row) * weight(row) as f64).sum();
        if weights == 0 { 0.0 } else { sum / weights as f64 }
    };
    ClassScores {
        precision: mean(|row| row.precision),
        recall: mean(|row| row.recall),
        f1_score: mean(|row| row.f1_score),
        support: rows.iter().map(|row| row.support).sum(),
    }
}

/// scikit-learn gives even the support as a float.
fn as_float<S: Serializer>(count: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*count as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(names: &[&str], labels: &[usize], predictions: &[usize]) -> ClassificationReport {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let confusion = ConfusionMatrix::new(labels, predictions, names.len()).unwrap();
        ClassificationReport::new(&names, &confusion).unwrap()
    }

    #[test]
    fn the_table_looks_like_that_of_scikit_learn() {
        let report = report(&["cats", "dogs"], &[0, 0, 0, 1, 1], &[0, 0, 1, 1, 1]);
        let expected = "              precision    recall  f1-score   support

        cats       1.00      0.67      0.80         3
        dogs       0.67      1.00      0.80         2

    accuracy                           0.80         5
   macro avg       0.83      0.83      0.80         5
weighted avg       0.87      0.80      0.80         5";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn keys_keep_the_order_of_the_classes_not_of_the_alphabet() {
        let json = serde_json::to_string(&report(&["zebra", "ant"], &[0, 1], &[0, 1])).unwrap();
        let row = r#"{"precision":1.0,"recall":1.0,"f1-score":1.0,"support":"#;
        let expected = format!(
            r#"{{"zebra":{row}1.0}},"ant":{row}1.0}},"accuracy":1.0,"macro avg":{row}2.0}},"weighted avg":{row}2.0}}}}"#
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn a_class_that_is_never_seen_nor_predicted_scores_zero_and_counts_in_the_macro_average() {
        let report = report(&["a", "b"], &[0, 0], &[0, 0]);
        let zero = ClassScores { precision: 0.0, recall: 0.0, f1_score: 0.0, support: 0 };
        assert_eq!(report.class("b"), Some(&zero));
        assert_eq!(report.class("c"), None);
        assert_eq!((report.macro_average().recall, report.weighted_average().recall), (0.5, 1.0));
    }

    #[test]
    fn no_samples_score_zero_everywhere() {
        let report = report(&["a", "b"], &[], &[]);
        assert_eq!((report.accuracy(), report.weighted_average().f1_score), (0.0, 0.0));
    }

    #[test]
    fn names_that_would_clash_as_keys_are_refused() {
        let confusion = ConfusionMatrix::new(&[0], &[0], 2).unwrap();
        for names in [vec!["a"], vec!["a", "a"], vec!["a", "accuracy"], vec!["macro avg", "b"]] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert!(ClassificationReport::new(&names, &confusion).is_err(), "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn the_weighted_recall_is_the_accuracy(
            pairs in prop::collection::vec((0_usize..3, 0_usize..3), 1..200),
        ) {
            let (labels, predictions): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let report = report(&["a", "b", "c"], &labels, &predictions);
            prop_assert!((report.weighted_average().recall - report.accuracy()).abs() < 1e-12);
        }
    }
}
