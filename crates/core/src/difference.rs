//! What differs between two things that should be equal, field by field.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field's name, with dots for fields inside fields.
    pub field: String,
    /// What was wanted, as JSON.
    pub expected: String,
    /// What was there, as JSON.
    pub found: String,
}

/// All fields that differ, in the order of their names. Shown on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences(pub Vec<Difference>);

impl Differences {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Compares two values as they would be written to JSON. Objects are compared field by field, arrays as a whole.
pub fn differences<T: Serialize, U: Serialize>(expected: &T, found: &U) -> Differences {
    let mut all = Vec::new();
    // Two things that cannot be written must not pass as equal.
    #[expect(
        clippy::expect_used,
        reason = "configurations, specs and plans are plain structures, whatever their values"
    )]
    let json = |value: serde_json::Result<Value>| value.expect("what is compared can be written as JSON");
    collect("", &json(serde_json::to_value(expected)), &json(serde_json::to_value(found)), &mut all);
    all.sort_by(|a, b| a.field.cmp(&b.field));
    Differences(all)
}

fn collect(field: &str, expected: &Value, found: &Value, all: &mut Vec<Difference>) {
    if let (Value::Object(expected), Value::Object(found)) = (expected, found) {
        let only_found = found.keys().filter(|key| !expected.contains_key(*key));
        for key in expected.keys().chain(only_found) {
            let name = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            let missing = Value::Null;
            collect(&name, expected.get(key).unwrap_or(&missing), found.get(key).unwrap_or(&missing), all);
        }
    } else if expected != found {
        all.push(Difference {
            field: field.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: expected {}, found {}", self.field, self.expected, self.found)
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, difference) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{difference}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_differing_field_is_named_once() {
        let expected = json!({"a": 1, "inner": {"b": "x", "c": [1, 2]}, "gone": true});
        let found = json!({"a": 1, "inner": {"b": "y", "c": [1, 3]}, "new": 0});
        assert_eq!(
            differences(&expected, &found).to_string(),
            "gone: expected true, found null; inner.b: expected \"x\", found \"y\"; \
             inner.c: expected [1,2], found [1,3]; new: expected null, found 0"
        );
        assert!(differences(&expected, &expected).is_empty());
    }
}
