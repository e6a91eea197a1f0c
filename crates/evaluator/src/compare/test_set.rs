//! Whether two reports are of the same photographs.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use convbase_core::escaped;
use convbase_core::exit::Hinted;

use super::report_folder::ReportFolder;

/// Names that are told of what differs.
const TOLD: usize = 3;

/// Photographs, each with its label and whether the report has it right, in the order of their paths.
pub(super) type TestSet<'a> = BTreeMap<&'a str, (&'a str, bool)>;

/// The photographs of a report; a path that stands twice is refused.
pub(super) fn test_set(report: &ReportFolder) -> anyhow::Result<TestSet<'_>> {
    let mut set = TestSet::new();
    for row in report.predictions.rows() {
        if set.insert(row.path, (row.label, row.correct)).is_some() {
            let file = report.path.join("predictions.csv");
            bail!("`{}`: expected each path once, found `{}` twice", file.display(), escaped(row.path));
        }
    }
    Ok(set)
}

/// Refuses photographs that are in one of two reports alone, or have another label there.
pub(super) fn check_same(
    (first, first_set): (&str, &TestSet<'_>),
    (other, other_set): (&str, &TestSet<'_>),
) -> anyhow::Result<()> {
    let alone = |set: &TestSet<'_>, than: &TestSet<'_>| {
        set.keys().filter(|path| !than.contains_key(*path)).map(|path| escaped(path).into_owned()).collect()
    };
    let relabelled = first_set.iter().filter_map(|(path, (expected, _))| {
        let (found, _) = other_set.get(path)?;
        (found != expected)
            .then(|| format!("{} ({} there, {} here)", escaped(path), escaped(expected), escaped(found)))
    });
    let findings = [
        told(alone(first_set, other_set), "are missing"),
        told(alone(other_set, first_set), "are here alone"),
        told(relabelled.collect(), "have another label"),
    ];
    let findings: Vec<String> = findings.into_iter().flatten().collect();
    if findings.is_empty() {
        return Ok(());
    }
    let error = anyhow!(
        "report `{other}`: expected the {} photographs of `{first}`, found others: {}",
        first_set.len(),
        findings.join("; ")
    );
    Err(Hinted::new(error, "evaluate both on features of the same photographs").into())
}

/// How many there are and the first of them; nothing where there are none.
fn told(names: Vec<String>, what: &str) -> Option<String> {
    let first = names.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > TOLD { ", …" } else { "" };
    (!names.is_empty()).then(|| format!("{} {what}: {first}{more}", names.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set<'a>(rows: &[(&'a str, &'a str)]) -> TestSet<'a> {
        rows.iter().map(|(path, label)| (*path, (*label, true))).collect()
    }

    #[test]
    fn every_way_in_which_photographs_differ_is_told_with_the_first_names() {
        let first = set(&[("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")]);
        assert!(check_same(("one", &first), ("two", &first)).is_ok());
        let other = set(&[("a", "y"), ("1", "x"), ("2", "x"), ("3", "x"), ("4", "x"), ("d", "y")]);
        let error = check_same(("one", &first), ("two", &other)).unwrap_err().to_string();
        let expected = "report `two`: expected the 4 photographs of `one`, found others: 2 are missing: b, c; \
            4 are here alone: 1, 2, 3, …; 1 have another label: a (x there, y here)";
        assert_eq!(error, expected);
    }
}
