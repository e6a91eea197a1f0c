//! The wide layer of a head on the processor: thousands of features to some hundred units, a few rows at a time.
//!
//! Weights and moments are large, rows are few: what a step costs is passes over memory. Products are formed from the
//! rows where they lie, in the memory map of the store, without packing; the weights' gradient is never written, but
//! goes from the registers into the optimizer's formula. Threads share the units, so that each sum is one fixed sequence
//! whatever their number.

mod products;
mod update;

#[cfg(test)]
mod tests;

pub(crate) use products::products;
pub(crate) use update::{Formula, update};

/// Features that are worked on at a time: so many of all rows stay in the second cache.
const BLOCK: usize = 1024;

/// Units that are worth a thread of their own.
const LEAST_UNITS: usize = 16;

/// Vectors that are worked on at a time beside four others: as many sums as fit into the registers.
const fn side(registers: usize) -> usize {
    if registers >= 32 { 4 } else { 2 }
}

/// Units for each of at most `threads` threads.
fn share(units: usize, threads: usize) -> usize {
    units.div_ceil(threads.max(1)).max(LEAST_UNITS)
}
