//! Products and steps against their definitions, in float64.

use pulp::Arch;

use super::{input_gradient, products, update};
use crate::optimizer::{Adam, Formula, RmsProp, Sgd};
use crate::vectors::trials::{arches, draw};

/// Rows, units and features with every kind of remainder.
const SIZES: [(usize, usize, usize); 6] =
    [(1, 1, 1), (3, 5, 6), (4, 4, 16), (7, 18, 83), (32, 37, 700), (5, 64, 1031)];

#[test]
fn products_are_dot_products_and_equal_for_any_number_of_threads_and_rows_beside() {
    for arch in arches().into_iter().chain([Arch::Scalar]) {
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
fn products_and_steps_are_equal_whatever_the_width_of_the_vectors() {
    for (count, units, features) in SIZES {
        let (inputs, weights, bias) = (draw(count * features, 1), draw(units * features, 2), draw(units, 3));
        let rows: Vec<&[f32]> = inputs.chunks(features).collect();
        let found = arches().into_iter().map(|arch| {
            let products = products(arch, &rows, &weights, &bias, 1);
            let back = input_gradient(arch, &products, &weights, features);
            let (mut stepped, mut squares) = (weights.clone(), vec![0.0; weights.len()]);
            update(arch, &rows, &products, &mut stepped, [&mut squares], RmsProp { rate: 0.01 }, 1);
            (products, back, stepped, squares)
        });
        let found: Vec<_> = found.collect();
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{count} {units} {features}");
    }
}

#[test]
fn input_gradients_are_sums_over_units() {
    for arch in arches().into_iter().chain([Arch::Scalar]) {
        for (count, units, inputs) in SIZES {
            let (gradients, weights) = (draw(count * units, 1), draw(units * inputs, 2));
            let found = input_gradient(arch, &gradients, &weights, inputs);
            assert_eq!(found.len(), count * inputs);
            for (index, found) in found.iter().enumerate() {
                let (row, input) = (index / inputs, index % inputs);
                let product = |unit| {
                    f64::from(gradients[row * units + unit]) * f64::from(weights[unit * inputs + input])
                };
                let expected: f64 = (0..units).map(product).sum();
                assert!((f64::from(*found) - expected).abs() < 1e-4, "expected {expected}, found {found}");
            }
        }
    }
}

/// A formula in float64: gradient and moments to what is taken from the weight, and the moments after.
type Definition<const SLOTS: usize> = fn(f64, [f64; SLOTS]) -> (f64, [f64; SLOTS]);

/// Compares steps on weights with the definition, and each number of threads with one.
fn compare<const SLOTS: usize>(formula: impl Formula<SLOTS>, definition: Definition<SLOTS>) {
    for arch in arches().into_iter().chain([Arch::Scalar]) {
        for (count, units, features) in SIZES {
            let (inputs, gradients) = (draw(count * features, 1), draw(count * units, 2));
            let rows: Vec<&[f32]> = inputs.chunks(features).collect();
            let start = draw(units * features, 3);
            let mut slot = 0.0;
            let moments = [(); SLOTS].map(|()| {
                slot += 1.0;
                start.iter().map(|w| w * w + slot).collect::<Vec<f32>>()
            });
            let step = |threads| {
                let (mut weights, mut moments) = (start.clone(), moments.clone());
                let slices = moments.each_mut().map(|moment| &mut moment[..]);
                update(arch, &rows, &gradients, &mut weights, slices, formula, threads);
                (weights, moments)
            };
            let found = step(1);
            for index in 0..units * features {
                let (unit, feature) = (index / features, index % features);
                let product = |row| {
                    f64::from(gradients[row * units + unit]) * f64::from(inputs[row * features + feature])
                };
                let gradient: f64 = (0..count).map(product).sum();
                let before = moments.each_ref().map(|moment: &Vec<f32>| f64::from(moment[index]));
                let (change, after) = definition(gradient, before);
                let expected = f64::from(start[index]) - change;
                let distance = (f64::from(found.0[index]) - expected).abs();
                assert!(distance < 1e-4, "expected {expected}, found {}", found.0[index]);
                for (moment, expected) in found.1.iter().zip(after) {
                    assert!((f64::from(moment[index]) - expected).abs() < 1e-4);
                }
            }
            for threads in [2, 3, 8] {
                assert!(step(threads) == found, "{threads} threads");
            }
        }
    }
}

#[test]
fn steps_of_rmsprop_follow_kerass_formula_for_any_number_of_threads() {
    compare(RmsProp { rate: 0.01 }, |gradient, [square]| {
        let square = 0.9 * square + 0.1 * gradient * gradient;
        (0.01 * gradient / (square + 1e-7).sqrt(), [square])
    });
}

#[test]
fn steps_of_adam_follow_kerass_formula_for_any_number_of_threads() {
    compare(Adam::new(0.01, 3), |gradient, [mean, square]| {
        let mean = 0.9 * mean + 0.1 * gradient;
        let square = 0.999 * square + 0.001 * gradient * gradient;
        let rate = 0.01 * (1.0 - 0.999_f64.powi(3)).sqrt() / (1.0 - 0.9_f64.powi(3));
        (rate * mean / (square.sqrt() + 1e-7), [mean, square])
    });
}

#[test]
fn steps_of_sgd_follow_the_gradient_for_any_number_of_threads() {
    compare(Sgd { rate: 0.01 }, |gradient, []| (0.01 * gradient, []));
}
