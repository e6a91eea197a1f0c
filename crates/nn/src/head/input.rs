//! What lies between the stored features and the dense layers of a head.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::preparation::Preparation;
use super::tail::Tail;

/// Nothing, in a head that is trained on features as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Layers of the base that are computed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<Tail>,
    /// What is done to each row then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
}

impl Input {
    /// Whether stored features are weighed as they are.
    pub fn is_empty(&self) -> bool {
        self.tail.is_none() && self.preparation.is_none()
    }

    /// Numbers of a stored row, where the dense layers take `features`.
    pub(crate) fn stored(&self, features: usize) -> usize {
        match (&self.tail, &self.preparation) {
            (Some(tail), _) => product(tail.map()),
            (None, Some(preparation)) => preparation.inputs(),
            (None, None) => features,
        }
    }

    /// The prepared rows, each `[features]`. The tail, where there is one, was computed before.
    pub(crate) fn prepared<'a>(&self, rows: &[&'a [f32]]) -> Vec<Cow<'a, [f32]>> {
        let prepare = |row: &&'a [f32]| match &self.preparation {
            Some(preparation) => preparation.prepare(row),
            None => Cow::Borrowed(*row),
        };
        rows.iter().map(prepare).collect()
    }

    /// What does not fit together, where the dense layers take `features`.
    pub(crate) fn problems(&self, features: usize) -> Vec<String> {
        let mut problems: Vec<String> = self.tail.iter().filter_map(Tail::problem).collect();
        let mut check = |name: &str, expected: usize, found: usize| {
            if expected != found {
                problems.push(format!("{name}: expected {expected}, found {found}"));
            }
        };
        let mut entering = features;
        if let Some(preparation) = &self.preparation {
            check("head.features", preparation.width(), features);
            entering = preparation.inputs();
        }
        if let Some((_, shape)) = self.tail.as_ref().and_then(Tail::output) {
            check("head.input", product(shape), entering);
        }
        problems
    }
}

/// Numbers of a map, or more than there are where they cannot be counted.
fn product(sides: [usize; 3]) -> usize {
    sides.into_iter().fold(1, usize::saturating_mul)
}
