//! What the files of a shard are called.

use std::fmt;

use serde::Serialize;

/// A shard by its index and the number of shards: `00000-of-00002`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ShardName {
    /// The index, from 0.
    pub index: usize,
    /// The number of shards of the store.
    pub count: usize,
}

impl ShardName {
    /// `features-00000-of-00002.npy`
    pub fn features(self) -> String {
        format!("features-{self}.npy")
    }

    /// `labels-00000-of-00002.npy`
    pub fn labels(self) -> String {
        format!("labels-{self}.npy")
    }

    /// `rows-00000-of-00002.jsonl`
    pub fn rows(self) -> String {
        format!("rows-{self}.jsonl")
    }

    /// `shard-00000-of-00002.json`
    pub fn receipt(self) -> String {
        format!("shard-{self}.json")
    }

    /// All four names, the receipt last.
    pub fn files(self) -> [String; 4] {
        [self.features(), self.labels(), self.rows(), self.receipt()]
    }

    /// The shard that a file belongs to by its name, of `count` shards.
    pub(super) fn of_file(name: &str, count: usize) -> Option<Self> {
        let digits = name.split_once('-')?.1.split_once("-of-")?.0;
        let shard = Self { index: digits.parse().ok()?, count };
        (shard.index < count && shard.files().iter().any(|file| file == name)).then_some(shard)
    }

    /// Whether a file name has the form of a shard's file, of whatever index and count.
    pub fn is_shard_file(name: &str) -> bool {
        let inner = [("features-", ".npy"), ("labels-", ".npy"), ("rows-", ".jsonl"), ("shard-", ".json")]
            .iter()
            .find_map(|(prefix, suffix)| name.strip_prefix(prefix)?.strip_suffix(suffix));
        let number = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        inner
            .and_then(|inner| inner.split_once("-of-"))
            .is_some_and(|(index, count)| number(index) && number(count))
    }
}

impl fmt::Display for ShardName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:05}-of-{:05}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_files_are_recognised_and_nothing_else_is() {
        let name = ShardName { index: 3, count: 123_456 };
        assert_eq!(name.features(), "features-00003-of-123456.npy");
        assert!(name.files().iter().all(|file| ShardName::is_shard_file(file)));
        for other in
            ["manifest.json", "features-1-of-2.npy", "features-00001-of-00002.npz", "my-features.npy"]
        {
            assert!(!ShardName::is_shard_file(other), "{other}");
        }
    }
}
