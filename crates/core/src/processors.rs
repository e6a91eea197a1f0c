//! How many processors there are to use.

use std::num::NonZero;
use std::thread;

/// Processors that this program may use: those of the machine, or fewer where its group of processes or its affinity
/// says so, as Slurm and Kubernetes do. 1 where the system does not tell.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
