//! The class list of a data set, fixed once.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::Label;
use crate::escaped;

/// Class names, each once; a name's position is its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Classes(Vec<String>);

/// A list that is no class list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// There is no class at all.
    #[error("classes: expected at least one, found none")]
    Empty,
    /// A name is empty.
    #[error("classes: expected names, found an empty one at position {0}")]
    EmptyName(usize),
    /// A name would break lines and tables.
    #[error("classes: expected names without control characters, found `{0}`")]
    ControlCharacter(String),
    /// A name stands twice.
    #[error("classes: expected each name once, found `{0}` twice")]
    Twice(String),
}

impl Classes {
    /// Takes names in the order of their labels.
    pub fn new(names: Vec<String>) -> Result<Self, ClassesError> {
        if names.is_empty() {
            return Err(ClassesError::Empty);
        }
        // A set, for a file may hold a list of any length.
        let mut seen = HashSet::new();
        for (position, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(ClassesError::EmptyName(position));
            }
            if name.contains(char::is_control) {
                return Err(ClassesError::ControlCharacter(escaped(name).into_owned()));
            }
            if !seen.insert(name) {
                return Err(ClassesError::Twice(name.clone()));
            }
        }
        Ok(Self(names))
    }

    /// The names in the order of their labels.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// How many classes there are.
    #[expect(clippy::len_without_is_empty, reason = "a class list is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The label of a name.
    pub fn label(&self, name: &str) -> Option<Label> {
        self.0.iter().position(|class| class == name).map(Label::new)
    }

    /// The label of the class at a position; `None` where there is no such class.
    pub fn label_at(&self, index: usize) -> Option<Label> {
        (index < self.0.len()).then(|| Label::new(index))
    }

    /// Every label with its name, in order.
    pub fn labelled(&self) -> impl ExactSizeIterator<Item = (Label, &str)> {
        self.0.iter().enumerate().map(|(index, name)| (Label::new(index), name.as_str()))
    }

    /// The name of a label; `None` for one of another, longer class list.
    pub fn name(&self, label: Label) -> Option<&str> {
        self.0.get(label.index()).map(String::as_str)
    }
}

impl TryFrom<Vec<String>> for Classes {
    type Error = ClassesError;

    fn try_from(names: Vec<String>) -> Result<Self, ClassesError> {
        Self::new(names)
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Self {
        classes.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(names: &[&str]) -> Result<Classes, ClassesError> {
        Classes::new(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_label_is_the_position_of_its_name() {
        let given = classes(&["dogs", "cats"]).unwrap();
        let label = |name: &str| given.label(name).map(Label::index);
        assert_eq!((label("dogs"), label("cats"), label("birds")), (Some(0), Some(1), None));
        assert_eq!((given.label_at(1), given.label_at(2)), (given.label("cats"), None));
        for (label, name) in given.labelled() {
            assert_eq!((given.label(name), given.name(label)), (Some(label), Some(name)));
        }
        assert_eq!(classes(&["birds"]).unwrap().name(Label::new(1)), None);
    }

    #[test]
    fn empty_lists_empty_names_and_repeated_names_are_refused() {
        assert_eq!(classes(&[]), Err(ClassesError::Empty));
        assert_eq!(classes(&["a", ""]), Err(ClassesError::EmptyName(1)));
        assert_eq!(classes(&["a", "b", "a"]), Err(ClassesError::Twice("a".to_owned())));
        assert_eq!(classes(&["a\nb"]), Err(ClassesError::ControlCharacter("a\\nb".to_owned())));
        assert!(serde_json::from_str::<Classes>(r#"["a","a"]"#).is_err());
    }
}
