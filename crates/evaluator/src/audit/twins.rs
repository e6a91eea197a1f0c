//! Photographs that are there already: the same file, or one whose features point the same way.

use std::collections::HashMap;
use std::ops::Range;

use convbase_core::Digest;

use super::directions::Directions;
use super::products::compared;

/// Rows that are looked at before any of them can be the first of a set of twins.
const BLOCK: usize = 1024;
/// What products of float32 may lose of the cosine of equal rows.
const ROUNDING: f64 = 1e-6;

/// A photograph that is there already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Twin {
    /// The first photograph of its set, which is no twin itself.
    pub(super) first: usize,
    /// The cosine of the two.
    pub(super) cosine: f64,
    /// Whether their files are the same, byte by byte.
    pub(super) is_exact: bool,
}

/// What the products say of a row.
#[derive(Default)]
struct Before {
    /// The first that is earlier than the block, the first of a set, and similar.
    first: Option<usize>,
    /// Similar rows of the block before it.
    of_block: Vec<usize>,
}

/// For each photograph the earlier one that it is a twin of: the first of the set that holds the same file, or the
/// earliest that is no twin itself and whose cosine reaches the cut. Memory grows with the photographs, not with their
/// pairs.
pub(super) fn twins(rows: &Directions, digests: &[Option<Digest>], cut: f64) -> Vec<Option<Twin>> {
    let mut twins = Vec::<Option<Twin>>::new();
    let mut first_of_file: HashMap<Digest, usize> = HashMap::new();
    for start in (0..rows.len()).step_by(BLOCK) {
        let block = start..(start + BLOCK).min(rows.len());
        let all = similar(rows, &block, cut, |row| twins[row].is_none());
        for (row, before) in block.zip(all) {
            let same_file = digests[row].and_then(|digest| first_of_file.get(&digest).copied());
            let same_file = same_file.map(|other| twins[other].map_or(other, |twin| twin.first));
            let of_block = || before.of_block.iter().copied().find(|&other| twins[other].is_none());
            let first = same_file.or(before.first).or_else(of_block);
            twins.push(first.map(|first| Twin {
                first,
                cosine: rows.cosine(row, first),
                is_exact: digests[row].is_some() && digests[row] == digests[first],
            }));
            if let Some(digest) = digests[row] {
                first_of_file.entry(digest).or_insert(row);
            }
        }
    }
    twins
}

/// Each row of a block beside all before it.
fn similar(
    rows: &Directions,
    block: &Range<usize>,
    cut: f64,
    is_first: impl Fn(usize) -> bool + Sync,
) -> Vec<Before> {
    let cut = (cut - ROUNDING) as f32;
    compared(
        rows,
        block.clone(),
        0..block.end,
        |_| Before::default(),
        |before, row, others, cosines| {
            for (other, &cosine) in others.zip(cosines) {
                if cosine < cut || other >= row {
                    // Nothing, or a later twin that looks back at this one.
                } else if other >= block.start {
                    before.of_block.push(other);
                } else if before.first.is_none() && is_first(other) {
                    before.first = Some(other);
                }
            }
        },
    )
}

#[cfg(test)]
#[path = "twins/tests.rs"]
pub(super) mod tests;
