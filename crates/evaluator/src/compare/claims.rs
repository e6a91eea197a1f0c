//! What a `metrics.json` says, against what its `predictions.csv` gives.

use serde_json::Value;

/// Numbers that were computed by another build may differ in their last digits.
const TOLERANCE: f64 = 1e-9;
/// Findings that are told one by one.
const MOST: usize = 5;

/// A key that earlier builds did not write.
const NEW_KEY: &str = "expected_calibration_error";

/// Where `found` says something else than `expected`, one finding each with expected and found. Keys that `expected` does
/// not have are another build's, and are left alone.
pub(super) fn contradictions(expected: &Value, found: &Value) -> Vec<String> {
    let mut all = Vec::new();
    collect("", expected, found, &mut all);
    let more = all.len().saturating_sub(MOST);
    if more > 0 {
        all.truncate(MOST);
        all.push(format!("and {more} more"));
    }
    all
}

fn collect(at: &str, expected: &Value, found: &Value, all: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, expected) in expected {
                let name = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match found.get(key) {
                    Some(found) => collect(&name, expected, found, all),
                    None if key == NEW_KEY => {}
                    None => all.push(format!("{name}: expected {expected}, found none")),
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                collect(&format!("{at}[{index}]"), expected, found, all);
            }
        }
        _ if is_same(expected, found) => {}
        _ => all.push(format!("{at}: expected {expected}, found {found}")),
    }
}

fn is_same(expected: &Value, found: &Value) -> bool {
    match (expected.as_f64(), found.as_f64()) {
        (Some(expected), Some(found)) => (expected - found).abs() <= TOLERANCE * expected.abs().max(1.0),
        _ => expected == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn digits_of_another_build_pass_and_contradictions_are_named() {
        let expected = json!({"a": 0.5, "b": [[1, 2], [3, 4]], "c": {"d": null, "e": "x"}, NEW_KEY: 0.25});
        let same = json!({"a": 0.5 + 1e-12, "b": [[1, 2], [3.0, 4]], "c": {"d": null, "e": "x"}, "new": 1});
        assert!(contradictions(&expected, &same).is_empty());
        let other = json!({"a": 0.501, "b": [[1, 2], [3, 5]], "c": {"d": 0.0}, NEW_KEY: 0.5});
        let findings = [
            "a: expected 0.5, found 0.501",
            "b[1][1]: expected 4, found 5",
            "c.d: expected null, found 0.0",
            "c.e: expected \"x\", found none",
            "expected_calibration_error: expected 0.25, found 0.5",
        ];
        assert_eq!(contradictions(&expected, &other), findings);
        let many = contradictions(&json!([1, 2, 3, 4, 5, 6, 7]), &json!([0, 0, 0, 0, 0, 0, 0]));
        assert_eq!((many.len(), many[5].as_str()), (6, "and 2 more"));
    }
}
