//! Products and steps against their definitions, in float64.

use super::{Formula, products, update};
use crate::vectors::trials::{arches, draw};

/// Rows, units and features with every kind of remainder.
const SIZES: [(usize, usize, usize); 6] =
    [(1, 1, 1), (3, 5, 6), (4, 4, 16), (7, 18, 83), (32, 37, 700), (5, 64, 1031)];

#[test]
fn products_are_dot_products_and_equal_for_any_number_of_threads_and_rows_beside() {
    for arch in arches() {
        for (count, units, features) in SIZES {
            let (inputs, weights, bias) =
                (draw(count * features, 1), draw(units * features, 2), draw(units, 3));
            let rows: Vec<&[f32]> = inputs.chunks(features).collect();
            let found = products(arch, &rows, &weights, &bias, 1);
            for (index, found) in found.iter().enumerate() {
                let (row, unit) = (index / units, index % units);
                let weights = &weights[unit * features..][..features];
                let sum: f64 =
                    rows[row].iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let expected = sum + f64::from(bias[unit]);
                assert!((f64::from(*found) - expected).abs() < 1e-4, "expected {expected}, found {found}");
            }
            for threads in [2, 3, 8] {
                assert_eq!(products(arch, &rows, &weights, &bias, threads), found, "{threads} threads");
            }
            let alone: Vec<f32> =
                rows.iter().flat_map(|row| products(arch, &[row], &weights, &bias, 1)).collect();
            assert_eq!(alone, found, "row by row");
        }
    }
}

#[test]
fn steps_follow_the_formulas_and_are_equal_for_any_number_of_threads() {
    let (rate, epsilon) = (0.01, 1e-7);
    let formulas = [
        (Formula::RmsProp { rate, rho: 0.9, epsilon }, 1),
        (Formula::Adam { rate, beta_1: 0.9, beta_2: 0.999, epsilon }, 2),
        (Formula::Sgd { rate }, 0),
    ];
    for arch in arches() {
        for ((count, units, features), (formula, slots)) in
            SIZES.into_iter().flat_map(|size| formulas.map(|formula| (size, formula)))
        {
            let (inputs, gradients) = (draw(count * features, 1), draw(count * units, 2));
            let rows: Vec<&[f32]> = inputs.chunks(features).collect();
            let start = draw(units * features, 3);
            let moments: Vec<Vec<f32>> =
                (0..slots).map(|slot| start.iter().map(|w| w * w + slot as f32).collect()).collect();
            let step = |threads| {
                let (mut weights, mut moments) = (start.clone(), moments.clone());
                let slices = moments.iter_mut().map(|moment| &mut moment[..]).collect();
                update(arch, &rows, &gradients, &mut weights, slices, formula, threads);
                (weights, moments)
            };
            let found = step(1);
            for index in 0..units * features {
                let (unit, feature) = (index / features, index % features);
                let gradient: f64 = (0..count)
                    .map(|row| f64::from(gradients[row * units + unit]) * f64::from(rows[row][feature]))
                    .sum();
                let before = |slot: usize| f64::from(moments[slot][index]);
                let (direction, expected) = match formula {
                    Formula::RmsProp { .. } => {
                        let square = 0.9 * before(0) + 0.1 * gradient * gradient;
                        (gradient / (square + 1e-7).sqrt(), vec![square])
                    }
                    Formula::Adam { .. } => {
                        let mean = 0.9 * before(0) + 0.1 * gradient;
                        let square = 0.999 * before(1) + 0.001 * gradient * gradient;
                        (mean / (square.sqrt() + 1e-7), vec![mean, square])
                    }
                    Formula::Sgd { .. } => (gradient, vec![]),
                };
                let expected_weight = f64::from(start[index]) - rate * direction;
                let distance = (f64::from(found.0[index]) - expected_weight).abs();
                assert!(distance < 1e-4, "{formula:?}: expected {expected_weight}, found {}", found.0[index]);
                for (moment, expected) in found.1.iter().zip(expected) {
                    assert!((f64::from(moment[index]) - expected).abs() < 1e-4, "{formula:?}");
                }
            }
            for threads in [2, 3, 8] {
                assert!(step(threads) == found, "{formula:?}, {threads} threads");
            }
        }
    }
}
