//! Dividing a store's shards among tasks that know nothing of one another.

use std::fmt;

use super::ShardName;

/// One of several tasks that make a store together. Task *i* of *n* makes the shards i, i + n, i + 2n, …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    index: usize,
    count: usize,
}

/// An index that is no task's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("task index: expected 0 to {last}, found {index}, of {count} tasks", last = count.saturating_sub(1))]
pub struct TaskError {
    index: usize,
    count: usize,
}

impl Task {
    /// The only task.
    pub const ALONE: Self = Self { index: 0, count: 1 };

    /// Task `index`, from 0, of `count`.
    pub fn new(index: usize, count: usize) -> Result<Self, TaskError> {
        if index < count { Ok(Self { index, count }) } else { Err(TaskError { index, count }) }
    }

    /// The task that makes a shard, of `count` tasks: a rule that needs no agreement, and no list that could be lost.
    pub fn of(shard: ShardName, count: usize) -> Self {
        let count = count.max(1);
        Self { index: shard.index.checked_rem(count).unwrap_or(0), count }
    }

    /// The index, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// Whether this task makes a shard.
    pub fn makes(self, shard: ShardName) -> bool {
        Self::of(shard, self.count) == self
    }
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "task {} of {}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_is_made_by_exactly_one_task() {
        for count in 1..9 {
            for index in 0..20 {
                let shard = ShardName { index, count: 20 };
                let makers = (0..count).filter(|task| Task::new(*task, count).unwrap().makes(shard));
                assert_eq!(makers.count(), 1, "shard {index} of {count} tasks");
            }
        }
    }

    #[test]
    fn an_index_beyond_the_count_is_refused() {
        let error = Task::new(4, 4).unwrap_err().to_string();
        assert_eq!(error, "task index: expected 0 to 3, found 4, of 4 tasks");
        assert!(Task::new(0, 0).is_err());
    }
}
