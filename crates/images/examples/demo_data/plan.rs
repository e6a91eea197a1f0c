//! What to make: how many pictures, from which seed.

use crate::class::Class;
use crate::picture::Picture;

/// A part of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Train,
    Test,
}

impl Split {
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// The name of its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// Raise it whenever the same seed makes other pictures than before.
const VERSION: u32 = 1;

/// The file that says how a folder was made. It begins with a dot, so that no stage takes it for an image.
pub const MARKER: &str = ".demo-data.json";

/// Everything that decides what the folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// Pictures of both classes together.
    pub train: u32,
    /// Pictures of both classes together.
    pub test: u32,
}

impl Plan {
    /// What the marker file of this plan says.
    pub fn marker(&self) -> String {
        let Self { seed, train, test } = self;
        format!(
            "{{\"format\": \"convbase-demo-data/{VERSION}\", \"seed\": {seed}, \"train\": {train}, \"test\": {test}}}\n"
        )
    }

    /// Every picture, class by class.
    pub fn pictures(&self) -> Vec<Picture> {
        let mut pictures = Vec::new();
        for split in Split::ALL {
            let count = if split == Split::Train { self.train } else { self.test };
            for class in Class::ALL {
                pictures.extend((0..count / 2).map(|index| Picture { split, class, index }));
            }
        }
        pictures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_classes_get_half_of_each_split() {
        let pictures = Plan { seed: 1, train: 10, test: 4 }.pictures();
        let count =
            |split, class| pictures.iter().filter(|it| it.split == split && it.class == class).count();
        for class in Class::ALL {
            assert_eq!(count(Split::Train, class), 5);
            assert_eq!(count(Split::Test, class), 2);
        }
    }
}
