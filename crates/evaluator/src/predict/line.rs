//! One line per photograph: a table for people, CSV or JSON for programs.

use std::io::{self, IsTerminal};
use std::path::Path;

use convbase_core::{csv_line, escaped};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::decision::Decision;
use super::listing::Chunk;
use crate::args::OutputFormat;

/// What is said of one photograph.
pub(super) enum Said<'a> {
    /// What it shows, and why it was not copied to where it belongs.
    Classes { decision: Decision<'a>, problem: Option<String> },
    /// Why it could not be read.
    Unreadable(String),
}

/// How lines are written.
pub(super) struct Lines<'a> {
    form: Form,
    classes: &'a [String],
    /// The most classes that are told, where not all are.
    top: Option<usize>,
}

enum Form {
    Csv,
    Json,
    /// With the widths of the first two columns.
    Table(usize, usize),
}

/// Columns of a table are no wider; longer names stand out of them.
const WIDEST_PATH: usize = 60;
const WIDEST_CLASS: usize = 30;
/// Classes that a table tells where nothing else is asked for.
const TOLD: usize = 3;
const UNCERTAIN: &str = "uncertain";
const UNREADABLE: &str = "unreadable";

impl<'a> Lines<'a> {
    /// Lines about these classes; the first photographs say how wide a table is.
    pub(super) fn new(
        format: OutputFormat,
        classes: &'a [String],
        top_k: Option<u32>,
        first: &Chunk,
    ) -> Self {
        let form = match format {
            OutputFormat::Auto if io::stdout().is_terminal() => Form::table(classes, &first.images),
            OutputFormat::Table => Form::table(classes, &first.images),
            OutputFormat::Auto | OutputFormat::Csv => Form::Csv,
            OutputFormat::Json => Form::Json,
        };
        Self { form, classes, top: top_k.map(|most| (most as usize).min(classes.len())) }
    }

    /// What comes before the first line: the names of the columns, or nothing.
    pub(super) fn header(&self) -> String {
        match (&self.form, self.top) {
            (Form::Json, _) => String::new(),
            (Form::Csv, top) => {
                let names: Vec<String> = match top {
                    None => self.classes.iter().map(|class| format!("prob_{class}")).collect(),
                    Some(most) => (1..=most)
                        .flat_map(|rank| [format!("prediction_{rank}"), format!("probability_{rank}")])
                        .collect(),
                };
                let columns = ["path", "prediction"].map(str::to_owned).into_iter();
                csv_line(columns.chain(names).chain(["error".to_owned()]))
            }
            (Form::Table(path, class), _) => {
                row(*path, *class, ["path", "prediction", "probability", "others"])
            }
        }
    }

    /// The line of one photograph.
    pub(super) fn line(&self, path: &str, said: &Said) -> String {
        match self.form {
            Form::Csv => csv_line(self.csv_fields(path, said)),
            Form::Json => format!("{}\n", self.json(path, said)),
            Form::Table(path_width, class_width) => self.table_row(path_width, class_width, path, said),
        }
    }

    fn csv_fields(&self, path: &str, said: &Said) -> Vec<String> {
        let number = |number: f64| format!("{number:?}");
        let mut fields = vec![path.to_owned()];
        match said {
            Said::Classes { decision, problem } => {
                fields.push(self.prediction(decision).unwrap_or_default().to_owned());
                match self.top {
                    None => fields.extend(decision.probabilities().iter().copied().map(number)),
                    Some(most) => {
                        fields.extend(decision.ranking().take(most).flat_map(|(class, probability)| {
                            [self.classes[class].clone(), number(probability)]
                        }));
                    }
                }
                fields.push(problem.clone().unwrap_or_default());
            }
            Said::Unreadable(error) => {
                let columns = self.top.map_or(self.classes.len(), |most| 2 * most);
                fields.extend(std::iter::repeat_n(String::new(), columns + 1));
                fields.push(error.clone());
            }
        }
        fields
    }

    fn json(&self, path: &str, said: &Said) -> Value {
        let (decision, problem) = match said {
            Said::Classes { decision, problem } => (decision, problem),
            Said::Unreadable(error) => return json!({"path": path, "error": error}),
        };
        let mut line = json!({"path": path, "prediction": self.prediction(decision)});
        match self.top {
            None => {
                let numbers = decision.probabilities().iter().map(|number| json!(number));
                line["probabilities"] =
                    self.classes.iter().cloned().zip(numbers).collect::<Map<_, _>>().into();
            }
            Some(most) => {
                let ranked = decision.ranking().take(most);
                let object = |(class, probability): (usize, f64)| json!({"class": self.classes[class], "probability": probability});
                line["top"] = ranked.map(object).collect();
            }
        }
        if let Some(problem) = problem {
            line["error"] = json!(problem);
        }
        line
    }

    fn table_row(&self, path_width: usize, class_width: usize, path: &str, said: &Said) -> String {
        let path = escaped(path);
        let (decision, problem) = match said {
            Said::Classes { decision, problem } => (decision, problem),
            Said::Unreadable(error) => return row(path_width, class_width, [&path, UNREADABLE, "", error]),
        };
        let told = self.top.unwrap_or(TOLD);
        let first = decision.ranking().next().map(|(_, probability)| format!("{probability:.3}"));
        // Where it is uncertain what the photograph shows, the most probable class is one of several.
        let named = usize::from(decision.class().is_some());
        let others = decision.ranking().take(told).skip(named);
        let other = |(class, probability): (usize, f64)| {
            format!("{} {probability:.3}", escaped(&self.classes[class]))
        };
        let mut others: Vec<String> = others.map(other).collect();
        others.extend(problem.clone());
        let prediction = self.prediction(decision).unwrap_or(UNCERTAIN);
        let columns = [&path, &*escaped(prediction), &first.unwrap_or_default(), &others.join(", ")];
        row(path_width, class_width, columns)
    }

    fn prediction(&self, decision: &Decision) -> Option<&'a str> {
        decision.class().map(|class| self.classes[class].as_str())
    }

    /// Whether a person sees the lines as they come.
    pub(super) fn are_on_a_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }
}

impl Form {
    fn table(classes: &[String], images: &[impl AsRef<Path>]) -> Self {
        let widest = |names: &mut dyn Iterator<Item = usize>, least: &str, most: usize| {
            names.max().unwrap_or(0).min(most).max(least.width())
        };
        let mut paths = images.iter().map(|path| escaped(&path.as_ref().to_string_lossy()).width());
        let mut names = classes.iter().map(|class| escaped(class).width());
        Self::Table(widest(&mut paths, "path", WIDEST_PATH), widest(&mut names, UNREADABLE, WIDEST_CLASS))
    }
}

/// A row of four columns: two of names, one of a number, and what follows.
fn row(path_width: usize, class_width: usize, columns: [&str; 4]) -> String {
    let [path, class, number, others] = columns;
    let padded = |text: &str, width: usize| {
        let room = width.saturating_sub(text.width());
        format!("{text}{:room$}", "")
    };
    let line =
        format!("{}  {}  {number:>11}  {others}", padded(path, path_width), padded(class, class_width));
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests;
