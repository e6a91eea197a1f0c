//! Every photograph beside every other, block by block: twins, and how far the nearest others are.

use std::collections::HashMap;
use std::ops::Range;

use convbase_core::Digest;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rayon::prelude::*;

use super::directions::Directions;
use super::nearest::Nearest;

/// Rows that are looked at before any of them can be the first of a set of twins.
const BLOCK: usize = 1024;
/// Rows of one product, and those that it multiplies them with: 256 kB of cosines stay in the second cache.
const CHUNK: usize = 128;
const TILE: usize = 512;
/// What products of float32 may lose of the cosine of equal rows.
const ROUNDING: f32 = 1e-6;

/// A photograph that is there already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Twin {
    /// The first photograph of its set.
    pub(super) first: usize,
    /// The cosine of the two.
    pub(super) cosine: f64,
    /// Whether their files are the same, byte by byte.
    pub(super) is_exact: bool,
}

/// What each photograph is beside all others.
#[derive(Debug)]
pub(super) struct Similarity {
    /// For each photograph the earlier one that it is a twin of: the first that is no twin itself and whose cosine
    /// reaches the cut, or the one whose set holds the same file.
    pub(super) twins: Vec<Option<Twin>>,
    /// For each photograph 1 minus the mean cosine of the nearest that are no twins; none where all are.
    pub(super) distances: Vec<Option<f64>>,
}

/// What the products say of a row.
struct Beside {
    nearest: Nearest,
    /// The first that is earlier than the block, the first of a set, and similar.
    first: Option<usize>,
    /// Similar rows of the block before it.
    of_block: Vec<usize>,
}

impl Similarity {
    /// Compares all rows, on the threads of the pool that this is called in. Memory grows with the rows, not with their
    /// pairs.
    pub(super) fn new(rows: &Directions, digests: &[Option<Digest>], cut: f64, neighbours: usize) -> Self {
        let cut = cut as f32 - ROUNDING;
        let (mut twins, mut distances) = (Vec::<Option<Twin>>::new(), Vec::new());
        let mut first_of_file: HashMap<Digest, usize> = HashMap::new();
        for start in (0..rows.len()).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(rows.len());
            let chunks: Vec<Range<usize>> =
                block.clone().step_by(CHUNK).map(|first| first..(first + CHUNK).min(block.end)).collect();
            let compared = chunks.par_iter().map(|chunk| look(rows, chunk, &block, &twins, cut, neighbours));
            let compared: Vec<Vec<Beside>> = compared.collect();
            for (row, beside) in block.zip(compared.into_iter().flatten()) {
                let is_first = |other: usize| twins[other].is_none();
                let same_file = digests[row].and_then(|digest| first_of_file.get(&digest).copied());
                let of_set = |other: usize| twins[other].map_or(other, |twin| twin.first);
                let first = same_file.map(of_set).or(beside.first);
                let first = first.or_else(|| beside.of_block.into_iter().find(|&other| is_first(other)));
                twins.push(first.map(|first| Twin {
                    first,
                    cosine: rows.cosine(row, first),
                    is_exact: digests[row].is_some() && digests[row] == digests[first],
                }));
                if let Some(digest) = digests[row] {
                    first_of_file.entry(digest).or_insert(row);
                }
                distances.push(beside.nearest.mean().map(|cosine| 1.0 - cosine));
            }
        }
        Self { twins, distances }
    }
}

/// Some rows of a block beside all rows.
fn look(
    rows: &Directions,
    chunk: &Range<usize>,
    block: &Range<usize>,
    twins: &[Option<Twin>],
    cut: f32,
    neighbours: usize,
) -> Vec<Beside> {
    let beside = || Beside { nearest: Nearest::new(neighbours), first: None, of_block: Vec::new() };
    let mut all: Vec<Beside> = chunk.clone().map(|_| beside()).collect();
    let ours = rows.rows(chunk.clone());
    let mut products = Mat::<f32>::zeros(TILE, chunk.len());
    for tile in (0..rows.len()).step_by(TILE) {
        let others = tile..(tile + TILE).min(rows.len());
        let mut cosines = products.as_mut().subrows_mut(0, others.len());
        let theirs = rows.rows(others.clone());
        matmul(cosines.as_mut(), Accum::Replace, theirs, ours.transpose(), 1.0, Par::Seq); // [others, ours]
        for ((row, beside), cosines) in chunk.clone().zip(&mut all).zip(cosines.col_iter()) {
            for (other, &cosine) in others.clone().zip(cosines.iter()) {
                if cosine < cut {
                    if cosine > beside.nearest.least() && other != row {
                        beside.nearest.add(cosine);
                    }
                } else if other >= row {
                    // A later twin looks back at this one.
                } else if other >= block.start {
                    beside.of_block.push(other);
                } else if beside.first.is_none() && twins[other].is_none() {
                    beside.first = Some(other);
                }
            }
        }
    }
    all
}

#[cfg(test)]
#[path = "similarity/tests.rs"]
mod tests;
