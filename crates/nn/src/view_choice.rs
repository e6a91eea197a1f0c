//! Which views of a photograph an epoch trains on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an epoch sees of each training photograph. Where photographs have one view, both are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewChoice {
    /// Every view is a sample of its own.
    #[default]
    All,
    /// One view, another draw in each epoch.
    One,
}

/// A name that is no choice's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("views: expected one of all, one, found `{0}`")]
pub struct UnknownViewChoice(String);

impl fmt::Display for ViewChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "all",
            Self::One => "one",
        })
    }
}

impl FromStr for ViewChoice {
    type Err = UnknownViewChoice;

    fn from_str(text: &str) -> Result<Self, UnknownViewChoice> {
        match text {
            "all" => Ok(Self::All),
            "one" => Ok(Self::One),
            _ => Err(UnknownViewChoice(text.to_owned())),
        }
    }
}
