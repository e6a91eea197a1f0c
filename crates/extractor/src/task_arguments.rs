//! Which part of a store this process makes: from the command line, else from Slurm or Kubernetes.

use clap::Args;
use convbase_core::store::{Task, TaskError};

/// The arguments that divide a store among tasks.
#[derive(Debug, Clone, Default, Args)]
pub struct TaskArguments {
    /// This task's number, from 0 [default: from SLURM_ARRAY_TASK_ID or, with --task-count, JOB_COMPLETION_INDEX]
    #[arg(long, value_name = "I")]
    task_index: Option<usize>,
    /// Tasks that make the store together, each its own shards [default: SLURM_ARRAY_TASK_COUNT, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    task_count: Option<u32>,
}

/// Arguments and environment that name no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskArgumentsError {
    /// The index lies outside the count.
    #[error(transparent)]
    Index(#[from] TaskError),
    /// There is a count but no index.
    #[error(
        "task index: expected `--task-index`, SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX with `--task-count`, found none"
    )]
    NoIndex,
    /// There is an index but no count.
    #[error("task count: expected `--task-count` with `--task-index`, found none")]
    NoCount,
    /// A variable says which of several tasks this is, but not of how many.
    #[error("{0} is set: expected `--task-count` as well, found none; 1 is for a task that works alone")]
    OfHowMany(&'static str),
    /// A variable is no number.
    #[error("{name}: expected a number, found `{found}`")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        found: String,
    },
    /// The array has gaps, so that its size is not the number of tasks.
    #[error(
        "Slurm array: expected the task numbers {least} to {greatest} without gaps, found {count} of them; say how many \
         tasks there are in all with `--task-count`"
    )]
    Gaps {
        /// SLURM_ARRAY_TASK_MIN
        least: usize,
        /// SLURM_ARRAY_TASK_MAX
        greatest: usize,
        /// SLURM_ARRAY_TASK_COUNT
        count: usize,
    },
}

impl TaskArguments {
    /// The task, with `variable` giving the environment's variables.
    ///
    /// Without arguments, a Slurm array that begins at any number divides the store by its size. With `--task-count`
    /// alone, the array's numbers are the task numbers, from 0: so a few tasks of a larger array can be run again.
    pub(crate) fn task(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Task, TaskArgumentsError> {
        let number = |name: &'static str| match variable(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(TaskArgumentsError::Variable { name, found: text }),
            },
        };
        match (self.task_index, self.task_count.map(|count| count as usize)) {
            (Some(index), Some(count)) => Ok(Task::new(index, count)?),
            (Some(_), None) => Err(TaskArgumentsError::NoCount),
            (None, Some(1)) => Ok(Task::ALONE),
            (None, Some(count)) => {
                let index = match number("SLURM_ARRAY_TASK_ID")? {
                    Some(index) => Some(index),
                    None => number("JOB_COMPLETION_INDEX")?,
                };
                Ok(Task::new(index.ok_or(TaskArgumentsError::NoIndex)?, count)?)
            }
            (None, None) => {
                let Some(id) = number("SLURM_ARRAY_TASK_ID")? else {
                    let name = "JOB_COMPLETION_INDEX";
                    return number(name)?
                        .map_or(Ok(Task::ALONE), |_| Err(TaskArgumentsError::OfHowMany(name)));
                };
                let count = number("SLURM_ARRAY_TASK_COUNT")?
                    .ok_or(TaskArgumentsError::OfHowMany("SLURM_ARRAY_TASK_ID"))?;
                let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
                let greatest =
                    number("SLURM_ARRAY_TASK_MAX")?.unwrap_or_else(|| (least + count).saturating_sub(1));
                if greatest.checked_sub(least).is_none_or(|span| span.checked_add(1) != Some(count)) {
                    return Err(TaskArgumentsError::Gaps { least, greatest, count });
                }
                Ok(Task::new(id.wrapping_sub(least), count)?)
            }
        }
    }
}

impl TaskArguments {
    /// Where the task comes from, for people.
    pub(crate) fn source(&self, variable: impl Fn(&str) -> Option<String>) -> &'static str {
        match (self.task_index, self.task_count) {
            (Some(_), _) => "`--task-index` and `--task-count`",
            (None, Some(_)) if variable("SLURM_ARRAY_TASK_ID").is_some() => {
                "SLURM_ARRAY_TASK_ID and `--task-count`"
            }
            (None, Some(_)) => "JOB_COMPLETION_INDEX and `--task-count`",
            (None, None) => "SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(
        index: Option<usize>,
        count: Option<u32>,
        variables: &[(&str, &str)],
    ) -> Result<Task, TaskArgumentsError> {
        TaskArguments { task_index: index, task_count: count }.task(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const ARRAY: [(&str, &str); 4] = [
        ("SLURM_ARRAY_TASK_ID", "5"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
        ("SLURM_ARRAY_TASK_MIN", "3"),
        ("SLURM_ARRAY_TASK_MAX", "6"),
    ];

    #[test]
    fn nothing_said_is_one_task() {
        assert_eq!(task(None, None, &[]), Ok(Task::ALONE));
        assert_eq!(task(None, Some(1), &[]), Ok(Task::ALONE));
    }

    #[test]
    fn one_of_an_unknown_number_of_tasks_does_not_make_the_whole_store() {
        for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
            assert_eq!(task(None, None, &[(name, "3")]), Err(TaskArgumentsError::OfHowMany(name)));
            assert_eq!(task(None, Some(1), &[(name, "3")]), Ok(Task::ALONE));
        }
    }

    #[test]
    fn arguments_win_over_variables() {
        assert_eq!(task(Some(1), Some(8), &ARRAY), Ok(Task::new(1, 8).unwrap()));
    }

    #[test]
    fn a_slurm_array_may_begin_at_any_number() {
        assert_eq!(task(None, None, &ARRAY), Ok(Task::new(2, 4).unwrap()));
    }

    #[test]
    fn with_an_explicit_count_the_arrays_numbers_are_the_tasks() {
        let again =
            [("SLURM_ARRAY_TASK_ID", "17"), ("SLURM_ARRAY_TASK_COUNT", "2"), ("SLURM_ARRAY_TASK_MIN", "3")];
        assert_eq!(task(None, Some(20), &again), Ok(Task::new(17, 20).unwrap()));
        assert_eq!(task(None, Some(9), &[("JOB_COMPLETION_INDEX", "8")]), Ok(Task::new(8, 9).unwrap()));
    }

    #[test]
    fn an_array_with_gaps_needs_an_explicit_count() {
        let gaps = [ARRAY[0], ("SLURM_ARRAY_TASK_COUNT", "2"), ARRAY[2], ARRAY[3]];
        assert_eq!(
            task(None, None, &gaps),
            Err(TaskArgumentsError::Gaps { least: 3, greatest: 6, count: 2 })
        );
    }

    #[test]
    fn what_names_no_task_is_refused() {
        assert_eq!(task(Some(0), None, &[]), Err(TaskArgumentsError::NoCount));
        assert_eq!(task(None, Some(4), &[]), Err(TaskArgumentsError::NoIndex));
        assert!(matches!(task(Some(4), Some(4), &[]), Err(TaskArgumentsError::Index(_))));
        let found = "x".to_owned();
        let expected = TaskArgumentsError::Variable { name: "SLURM_ARRAY_TASK_ID", found };
        assert_eq!(task(None, Some(2), &[("SLURM_ARRAY_TASK_ID", "x")]), Err(expected));
    }
}
