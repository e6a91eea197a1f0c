//! A regularised linear classifier on frozen features: pooled and scaled rows ([`Gathered`]), every combination on folds
//! ([`Grid`]), and what was said of photographs that were left out ([`HeldOut`]).

mod folds;
mod gathered;
mod grid;
mod loss;
mod regression;
mod scaling;
mod temperature;

pub use folds::{TooFew, stratified};
pub use gathered::{Gathered, check_memory};
pub use grid::{Candidate, Grid, Judged, STRENGTHS, Split, Table, best};
pub use loss::{outputs_of, probabilities};
pub use regression::{Coefficients, NotSolved};
pub use scaling::{RowScaling, UnknownRowScaling};
pub use temperature::{HeldOut, HeldOutRow};
