use proptest::prelude::*;

use super::*;

/// Drawn rows, and some of them again with a little noise.
pub(in crate::audit) fn drawn(count: usize, width: usize, seed: usize) -> (Directions, Vec<Option<Digest>>) {
    let number = |row: usize, column: usize| {
        let mixed = (row * 7919 + seed * 31 + column * 104_729 + 1) as u64;
        let mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut numbers = Vec::new();
    let mut digests = Vec::new();
    for row in 0..count {
        // Every fifth is a near copy of a row before it, every seventh the same file.
        let (original, noise) = match row {
            _ if row > 0 && row % 7 == 0 => (row * 3 / 7, 0.0),
            _ if row > 0 && row % 5 == 0 => (row / 2, 0.1),
            _ => (row, 0.0),
        };
        numbers
            .extend((0..width).map(|column| number(original, column) + noise * number(row + count, column)));
        let file = if noise > 0.0 { row + count } else { original };
        digests.push((row % 11 != 3).then(|| Digest::of(&file.to_le_bytes())));
    }
    (Directions::centred(&numbers, width), digests)
}

/// The definition, pair by pair.
fn naive(rows: &Directions, digests: &[Option<Digest>], cut: f64) -> Vec<Option<Twin>> {
    let mut twins = Vec::<Option<Twin>>::new();
    for row in 0..rows.len() {
        let same_file = (0..row).find(|&other| digests[row].is_some() && digests[row] == digests[other]);
        let same_file = same_file.map(|other| twins[other].map_or(other, |twin| twin.first));
        let similar = (0..row).find(|&other| twins[other].is_none() && rows.cosine(row, other) >= cut);
        twins.push(same_file.or(similar).map(|first| Twin {
            first,
            cosine: rows.cosine(row, first),
            is_exact: digests[row].is_some() && digests[row] == digests[first],
        }));
    }
    twins
}

/// A cut that no pair is at: rounding may fall either way there.
fn clear_cut(rows: &Directions) -> Option<f64> {
    let pairs = (0..rows.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let cosines: Vec<f64> = pairs.map(|(a, b)| rows.cosine(a, b)).collect();
    let mut cuts = (900..999).map(|cut| f64::from(cut) / 1000.0);
    cuts.find(|cut| cosines.iter().all(|cosine| (cosine - cut).abs() > 1e-5))
}

#[test]
fn blocks_find_what_pairs_find_beyond_the_size_of_a_block() {
    let (rows, digests) = drawn(BLOCK + 600, 12, 5);
    let cut = clear_cut(&rows).unwrap();
    let found = twins(&rows, &digests, cut);
    assert_eq!(found, naive(&rows, &digests, cut));
    assert!(found.iter().flatten().any(|twin| twin.is_exact));
    assert!(found.iter().flatten().any(|twin| !twin.is_exact && twin.first < BLOCK));
    let threads = |count| rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    for count in [1, 3] {
        assert_eq!(threads(count).install(|| twins(&rows, &digests, cut)), found, "{count} threads");
    }
}

#[test]
fn equal_rows_are_twins_at_a_cosine_of_one() {
    let numbers: Vec<f32> = [[1.0, 0.3, -0.7], [0.2, 0.9, 0.1], [1.0, 0.3, -0.7]].concat();
    let found = twins(&Directions::centred(&numbers, 3), &[None; 3], 1.0);
    assert_eq!((found[0], found[1], found[2].unwrap().first), (None, None, 0));
    assert_eq!(twins(&Directions::centred(&numbers[..3], 3), &[None], 0.5), [None]);
}

#[test]
fn what_resembles_a_twin_and_not_its_first_is_no_twin() {
    // Each 30 degrees from the next: the third is 60 degrees from the first.
    let numbers: Vec<f32> = [0.0_f32, 30.0, 60.0, 180.0, 210.0, 240.0]
        .iter()
        .flat_map(|degrees| [degrees.to_radians().cos(), degrees.to_radians().sin()])
        .collect();
    let found = twins(&Directions::centred(&numbers, 2), &[None; 6], 0.8);
    let firsts: Vec<Option<usize>> = found.iter().map(|twin| twin.map(|twin| twin.first)).collect();
    assert_eq!(firsts, [None, Some(0), None, None, Some(3), None]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn blocks_find_what_pairs_find(count in 1..300_usize, width in 2..20_usize, seed in 0..1000_usize) {
        let (rows, digests) = drawn(count, width, seed);
        let cut = clear_cut(&rows);
        prop_assume!(cut.is_some());
        prop_assert_eq!(twins(&rows, &digests, cut.unwrap()), naive(&rows, &digests, cut.unwrap()));
    }
}
