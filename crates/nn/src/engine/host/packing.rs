//! How outputs are shared out among vectors.

use pulp::{Arch, Simd, WithSimd};

/// The vectors of a processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectors {
    /// float32 values of one.
    pub(super) lanes: usize,
    /// How many outputs' vectors are summed at once, at most: with the rows that are multiplied at once as many sums as
    /// fit into the registers.
    pub(super) most: usize,
}

/// Vectors of outputs whose weights lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panel {
    /// The first of them.
    pub(super) first: usize,
    /// How many.
    pub(super) vectors: usize,
}

pub(super) fn vector(arch: Arch) -> Vectors {
    struct Count;
    impl WithSimd for Count {
        type Output = Vectors;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Vectors {
            Vectors { lanes: S::F32_LANES, most: if S::REGISTER_COUNT >= 32 { 4 } else { 2 } }
        }
    }
    arch.dispatch(Count)
}

/// The fewest panels for `outputs`, none more than a vector wider than another.
pub(super) fn panels(arch: Arch, outputs: usize) -> Vec<Panel> {
    let Vectors { lanes, most } = vector(arch);
    let vectors = outputs.div_ceil(lanes);
    let count = vectors.div_ceil(most);
    let start = |panel: usize| panel * vectors / count;
    (0..count).map(|panel| Panel { first: start(panel), vectors: start(panel + 1) - start(panel) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::trials::arches;

    #[test]
    fn panels_share_out_all_vectors() {
        for arch in arches() {
            let Vectors { lanes, most } = vector(arch);
            for outputs in 1..300 {
                let panels = panels(arch, outputs);
                let mut next = 0;
                for panel in panels {
                    assert_eq!(panel.first, next);
                    assert!((1..=most).contains(&panel.vectors), "{panel:?}");
                    next += panel.vectors;
                }
                assert_eq!(next, outputs.div_ceil(lanes));
            }
        }
    }
}
