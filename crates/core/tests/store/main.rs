//! The feature store: what is written comes back, and whatever is damaged is found.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod damage;
mod repaired;
mod round_trip;
mod support;
mod writer;
