//! The two things to tell apart.

/// A class, named as its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Feathers,
    Leaves,
}

impl Class {
    pub const ALL: [Self; 2] = [Self::Feathers, Self::Leaves];

    /// The name of its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Feathers => "feathers",
            Self::Leaves => "leaves",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Feathers => Self::Leaves,
            Self::Leaves => Self::Feathers,
        }
    }
}
