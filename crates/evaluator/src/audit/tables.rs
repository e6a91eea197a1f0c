//! labels.csv, twins.csv, outliers.csv and held_out.csv. Stores are numbered from 1 in the order of the command line.

use convbase_core::csv_line;
use convbase_nn::probe::HeldOutRow;

use super::findings::Findings;
use super::photographs::{Photograph, Photographs};

/// Which photograph a line is about.
fn place(photograph: &Photograph, photographs: &Photographs) -> [String; 3] {
    let label = photographs.classes.names()[photograph.label].clone();
    [(photograph.store + 1).to_string(), photograph.path.clone(), label]
}

/// Doubtful labels, the most doubtful first.
pub(super) fn labels(photographs: &Photographs, findings: &Findings) -> String {
    let mut text =
        csv_line(["store", "path", "label", "suggestion", "self_confidence", "suggestion_probability"]);
    if let Some((held_out, learning)) = &findings.labels {
        for doubt in &learning.doubtful {
            let row = &held_out.rows[doubt.row];
            let suggestion = held_out.classes.names()[doubt.suggestion].clone();
            let numbers =
                [doubt.self_confidence, row.probabilities[doubt.suggestion]].map(|number| number.to_string());
            let place = place(&photographs.all[row.row], photographs).into_iter();
            text += &csv_line(place.chain([suggestion]).chain(numbers));
        }
    }
    text
}

/// A line for each photograph of each set of twins, the first of a set without a cosine.
pub(super) fn twins(photographs: &Photographs, findings: &Findings) -> String {
    let mut text = csv_line(["set", "store", "path", "label", "kind", "cosine"]);
    for (number, set) in (1_usize..).zip(findings.sets()) {
        for row in set {
            let (kind, cosine) = match findings.twins[row] {
                None => ("first", String::new()),
                Some(twin) => (if twin.is_exact { "same file" } else { "similar" }, twin.cosine.to_string()),
            };
            let place = place(&photographs.all[row], photographs).into_iter();
            let fields = [number.to_string()].into_iter().chain(place);
            text += &csv_line(fields.chain([kind.to_owned(), cosine]));
        }
    }
    text
}

/// Odd ones out, the oddest first.
pub(super) fn outliers(photographs: &Photographs, findings: &Findings) -> String {
    let mut text = csv_line(["store", "path", "label", "distance", "deviations"]);
    for odd in &findings.odd {
        let numbers = [odd.distance, odd.deviations].map(|number| number.to_string());
        text += &csv_line(place(&photographs.all[odd.row], photographs).into_iter().chain(numbers));
    }
    text
}

/// What the probe said of each photograph that it was not fitted to; the header alone where labels are not audited.
pub(super) fn held_out(photographs: &Photographs, findings: &Findings) -> String {
    let classes = findings.labels.as_ref().map_or(&photographs.classes, |(held_out, _)| &held_out.classes);
    let line = |store: String, fields: Vec<String>| csv_line([store].into_iter().chain(fields));
    let mut text = line("store".to_owned(), HeldOutRow::header(classes));
    for row in findings.labels.iter().flat_map(|(held_out, _)| &held_out.rows) {
        let photograph = &photographs.all[row.row];
        text += &line((photograph.store + 1).to_string(), row.fields(&photograph.path, classes));
    }
    text
}
