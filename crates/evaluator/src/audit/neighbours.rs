//! How far the nearest photographs are.

use super::directions::Directions;
use super::nearest::Nearest;
use super::products::compared;
use super::twins::Twin;

/// For each photograph 1 minus the mean cosine of the so many nearest that are no twins of it; none where all are.
pub(super) fn distances(rows: &Directions, twins: &[Option<Twin>], neighbours: usize) -> Vec<Option<f64>> {
    let all = 0..rows.len();
    let set_of = |row: usize| twins[row].map_or(row, |twin| twin.first);
    let begin = |_| Nearest::new(neighbours);
    let nearest = compared(rows, all.clone(), all, begin, |nearest, row, others, cosines| {
        for (other, &cosine) in others.zip(cosines) {
            if cosine > nearest.least() && set_of(other) != set_of(row) {
                nearest.add(cosine);
            }
        }
    });
    nearest.into_iter().map(|nearest| nearest.mean().map(|cosine| 1.0 - cosine)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::twins::tests::drawn;
    use crate::audit::twins::twins;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn blocks_find_the_distances_that_pairs_give(count in 1..700_usize, width in 2..20_usize, seed in 0..1000_usize) {
            let (rows, digests) = drawn(count, width, seed);
            let twins = twins(&rows, &digests, 0.95);
            let found = distances(&rows, &twins, 4);
            let set_of = |row: usize| twins[row].map_or(row, |twin| twin.first);
            for (row, found) in found.into_iter().enumerate() {
                let others = (0..count).filter(|&other| set_of(other) != set_of(row));
                let mut cosines: Vec<f64> = others.map(|other| rows.cosine(row, other)).collect();
                cosines.sort_by(|a, b| b.total_cmp(a));
                cosines.truncate(4);
                let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
                match found {
                    Some(distance) => prop_assert!((distance - (1.0 - mean)).abs() < 1e-5, "{} {}", distance, mean),
                    None => prop_assert!(cosines.is_empty()),
                }
            }
        }
    }
}
