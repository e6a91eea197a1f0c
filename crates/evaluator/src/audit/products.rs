//! Cosines of many rows with many others, as products of small matrices: in one pass, and in little memory.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, Par};
use rayon::prelude::*;

use super::directions::Directions;

/// Rows of one product, and those that it multiplies them with: 256 kB of cosines stay in the second cache.
const CHUNK: usize = 128;
const TILE: usize = 512;

/// Calls `look` for each row of `ours` with the cosines of it and those of `theirs` that come next, and their positions,
/// from the first to the last; what it gathers of a row comes out in the order of the rows. Chunks of rows are looked at
/// side by side, on the threads of the pool that this is called in; what comes out does not depend on how many.
pub(super) fn compared<T: Send>(
    rows: &Directions,
    ours: Range<usize>,
    theirs: Range<usize>,
    begin: impl Fn(usize) -> T + Sync,
    look: impl Fn(&mut T, usize, Range<usize>, &[f32]) + Sync,
) -> Vec<T> {
    let end = ours.end;
    let chunks: Vec<Range<usize>> =
        ours.step_by(CHUNK).map(|start| start..(start + CHUNK).min(end)).collect();
    let chunks = chunks.par_iter().map(|chunk| {
        let mut gathered: Vec<T> = chunk.clone().map(&begin).collect();
        let matrix = rows.rows(chunk.clone());
        let mut products = vec![0.0; TILE * chunk.len()];
        for start in theirs.clone().step_by(TILE) {
            let tile = start..(start + TILE).min(theirs.end);
            let products = &mut products[..tile.len() * chunk.len()];
            let into = MatMut::from_column_major_slice_mut(products, tile.len(), chunk.len());
            let others = rows.rows(tile.clone());
            matmul(into, Accum::Replace, others, matrix.transpose(), 1.0, Par::Seq); // [theirs, ours]
            let cosines = products.chunks_exact(tile.len());
            for ((row, gathered), cosines) in chunk.clone().zip(&mut gathered).zip(cosines) {
                look(gathered, row, tile.clone(), cosines);
            }
        }
        gathered
    });
    chunks.collect::<Vec<Vec<T>>>().into_iter().flatten().collect()
}
