//! The back end of the processor: a whole head on plain floats and wide vectors, without libtorch.
//!
//! Weights and moments are large, rows are few: what a step costs is passes over memory. Products are formed from the
//! rows where they lie, in the memory map of the store, without packing; no gradient of weights is ever written, but goes
//! from the registers into the optimizer's formula. Threads share the units, so that each sum is one fixed sequence
//! whatever their number; a sum over features is 16 sums, whatever the width of the vectors.

mod input_gradient;
mod loss;
mod network;
mod products;
mod update;
mod vector_arithmetic;

#[cfg(test)]
mod tests;

pub(crate) use network::{HostHead, aligned};

use input_gradient::input_gradient;
use loss::{cross_entropy, gradient_of_cross_entropy, is_right};
use products::products;
use update::update;

/// Features that are worked on at a time: so many of all rows stay in the second cache.
const BLOCK: usize = 1024;

/// Sums that a sum over features is made of: as many as the widest vectors hold.
const LANES: usize = 16;

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
