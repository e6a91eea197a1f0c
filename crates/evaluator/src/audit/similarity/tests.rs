use proptest::prelude::*;

use super::*;

/// Waves, and some of them again with a little noise.
fn drawn(count: usize, width: usize, seed: u64) -> (Directions, Vec<Option<Digest>>) {
    let wave = |row: usize, column: usize| {
        ((row as u64 * 7919 + seed * 31 + column as u64 * 104_729) as f32 * 0.618).sin()
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
        let noise = |column: usize| noise * wave(row + count, column);
        numbers.extend((0..width).map(|column| wave(original, column) + noise(column)));
        let bytes = if row % 7 == 0 { original } else { row + count };
        digests.push((row % 11 != 3).then(|| Digest::of(&bytes.to_le_bytes())));
    }
    (Directions::new(&numbers, width), digests)
}

/// The definition, pair by pair.
fn naive(rows: &Directions, digests: &[Option<Digest>], cut: f64, neighbours: usize) -> Similarity {
    let (mut twins, mut distances) = (Vec::<Option<Twin>>::new(), Vec::new());
    for row in 0..rows.len() {
        let same_file = (0..row).find(|&other| digests[row].is_some() && digests[row] == digests[other]);
        let same_file = same_file.map(|other| twins[other].map_or(other, |twin| twin.first));
        let similar = (0..row).find(|&other| twins[other].is_none() && rows.cosine(row, other) >= cut);
        twins.push(same_file.or(similar).map(|first| Twin {
            first,
            cosine: rows.cosine(row, first),
            is_exact: digests[row].is_some() && digests[row] == digests[first],
        }));
        let others = (0..rows.len()).filter(|&other| other != row);
        let mut cosines: Vec<f64> =
            others.map(|other| rows.cosine(row, other)).filter(|&cosine| cosine < cut).collect();
        cosines.sort_by(|a, b| b.total_cmp(a));
        cosines.truncate(neighbours);
        let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
        distances.push((!cosines.is_empty()).then_some(1.0 - mean));
    }
    Similarity { twins, distances }
}

fn assert_same(found: &Similarity, expected: &Similarity) {
    assert_eq!(found.twins, expected.twins);
    for (row, (found, expected)) in found.distances.iter().zip(&expected.distances).enumerate() {
        match (found, expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-5, "row {row}"),
            _ => assert_eq!(found, expected, "row {row}"),
        }
    }
}

#[test]
fn blocks_find_what_pairs_find_beyond_the_size_of_a_block() {
    let (rows, digests) = drawn(BLOCK + TILE + 77, 12, 5);
    let found = Similarity::new(&rows, &digests, 0.97, 10);
    assert_same(&found, &naive(&rows, &digests, 0.97, 10));
    assert!(found.twins.iter().flatten().any(|twin| twin.is_exact));
    assert!(found.twins.iter().flatten().any(|twin| !twin.is_exact));
    let threads = |count| rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    let alone = threads(1).install(|| Similarity::new(&rows, &digests, 0.97, 10));
    let three = threads(3).install(|| Similarity::new(&rows, &digests, 0.97, 10));
    assert_eq!(alone.twins, three.twins);
    assert_eq!(alone.distances, three.distances, "bit by bit");
}

#[test]
fn equal_rows_are_twins_at_a_cosine_of_one() {
    let numbers: Vec<f32> = [[1.0, 0.3, -0.7], [0.2, 0.9, 0.1], [1.0, 0.3, -0.7]].concat();
    let found = Similarity::new(&Directions::new(&numbers, 3), &[None; 3], 1.0, 5);
    assert_eq!(found.twins[2].unwrap().first, 0);
    assert_eq!((found.twins[0], found.twins[1]), (None, None));
    let alone = Similarity::new(&Directions::new(&numbers[..3], 3), &[None], 0.5, 5);
    assert_eq!((alone.twins, alone.distances), (vec![None], vec![None]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn blocks_find_what_pairs_find(count in 1..300_usize, width in 2..20_usize, seed in 0..1000_u64) {
        let (rows, digests) = drawn(count, width, seed);
        // A cut that no pair is at: rounding may fall either way there.
        let cosines: Vec<f64> =
            (0..count).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| rows.cosine(a, b)).collect();
        let cut = (900..999).map(|cut| f64::from(cut) / 1000.0);
        let cut = cut.into_iter().find(|cut| cosines.iter().all(|cosine| (cosine - cut).abs() > 1e-5));
        prop_assume!(cut.is_some());
        let cut = cut.unwrap();
        assert_same(&Similarity::new(&rows, &digests, cut, 4), &naive(&rows, &digests, cut, 4));
    }
}
