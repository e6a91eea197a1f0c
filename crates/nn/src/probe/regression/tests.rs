use std::path::{Path, PathBuf};

use npyz::NpyFile;
use serde_json::Value;

use super::*;
use crate::balanced_class_weights;
use crate::probe::scaling::{Columns, RowScaling};

/// Two columns of very different scales; the third class is rare.
fn drawn(rows: usize, width: usize, classes: usize) -> (Mat<f64>, Vec<usize>) {
    let wave = |row: usize, column: usize| ((row * 37 + column * 101) as f64 * 0.618).sin();
    let labels: Vec<usize> = (0..rows).map(|row| if row % 7 == 0 { classes - 1 } else { row % 2 }).collect();
    let matrix = Mat::from_fn(rows, width, |row, column| {
        wave(row, column) * 10_f64.powi(column as i32 % 3) + labels[row] as f64 * 0.3
    });
    (matrix, labels)
}

#[test]
fn the_gradient_of_the_objective_is_zero_at_the_solution() {
    for (rows, width, classes) in [(60, 5, 2), (60, 5, 3), (20, 50, 2), (20, 50, 3)] {
        let (matrix, labels) = drawn(rows, width, classes);
        let weights: Vec<f64> = (0..rows).map(|row| 1.0 + (row % 3) as f64).collect();
        let c = 0.5;
        let regression = Regression::new(matrix.clone(), &labels, weights.clone(), classes);
        let solution = regression.solve(c, None, 1e-9).unwrap();
        let Coefficients { weight, bias } = regression.coefficients(&solution);
        // Σ sᵢ (pᵢ - yᵢ) xᵢ + w / C, formed here without any of the solver's changes of coordinates.
        let outputs = bias.len();
        let mut gradient = weight.iter().map(|weight| weight / c).collect::<Vec<f64>>();
        let mut bias_gradient = vec![0.0; outputs];
        for row in 0..rows {
            let dot = |output: usize| {
                (0..width).map(|j| weight[output * width + j] * matrix[(row, j)]).sum::<f64>()
            };
            let mut logits: Vec<f64> = (0..outputs).map(|output| dot(output) + bias[output]).collect();
            cross_entropy(&mut logits, labels[row], classes);
            for output in 0..outputs {
                let residual = weights[row] * logits[output];
                bias_gradient[output] += residual;
                (0..width).for_each(|j| gradient[output * width + j] += residual * matrix[(row, j)]);
            }
        }
        let largest =
            gradient.iter().chain(&bias_gradient).fold(0.0_f64, |most, number| most.max(number.abs()));
        assert!(largest < 1e-4, "{rows} x {width}, {classes} classes: {largest}");
    }
}

#[test]
fn a_solution_does_not_depend_on_where_it_was_begun() {
    let (matrix, labels) = drawn(80, 6, 3);
    let regression = Regression::new(matrix, &labels, vec![1.0; 80], 3);
    let strong = regression.solve(1e-3, None, 1e-9).unwrap();
    let cold = regression.coefficients(&regression.solve(10.0, None, 1e-9).unwrap());
    let warm = regression.coefficients(&regression.solve(10.0, Some(&strong), 1e-9).unwrap());
    for (cold, warm) in cold.weight.iter().zip(&warm.weight) {
        assert!((cold - warm).abs() <= 1e-6 * cold.abs().max(1.0), "{cold} {warm}");
    }
}

#[test]
fn rows_that_are_all_equal_or_zero_are_solved_too() {
    for value in [0.0, 3.0] {
        for width in [2, 30] {
            let labels: Vec<usize> = (0..8).map(|row| row % 2).collect();
            let rows = Mat::from_fn(8, width, |_, _| value);
            let regression = Regression::new(rows, &labels, vec![1.0; 8], 2);
            let solved = regression.coefficients(&regression.solve(1.0, None, 1e-9).unwrap());
            assert!(solved.weight.iter().chain(&solved.bias).all(|number| number.abs() < 1e-4), "{solved:?}");
        }
    }
}

fn golden() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/probe");
    folder.is_dir().then_some(folder)
}

#[test]
fn all_cases_of_scikit_learn_have_its_coefficients_and_losses() {
    let Some(folder) = golden() else {
        println!("skipped: shared/golden/probe is absent: the probe was not compared with scikit-learn's");
        return;
    };
    let answers: Value =
        serde_json::from_slice(&std::fs::read(folder.join("answers.json")).unwrap()).unwrap();
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
    };
    let (mut greatest, mut greatest_loss, mut count) = (0.0_f64, 0.0_f64, 0);
    for case in answers["cases"].as_array().unwrap() {
        let name = case["data"].as_str().unwrap();
        let read = |what: &str| std::fs::read(folder.join(format!("{name}_{what}.npy"))).unwrap();
        let (features, truth) = (read("x"), read("y"));
        let features = NpyFile::new(&features[..]).unwrap();
        let [rows, width] = [0, 1].map(|axis| features.shape()[axis] as usize);
        let features: Vec<f32> = features.into_vec().unwrap();
        let labels: Vec<usize> = NpyFile::new(&truth[..])
            .unwrap()
            .into_vec::<i64>()
            .unwrap()
            .iter()
            .map(|&y| y as usize)
            .collect();
        let scaling: RowScaling = case["scaling"].as_str().unwrap().parse().unwrap();
        let mut matrix = Mat::from_fn(rows, width, |row, column| f64::from(features[row * width + column]));
        match scaling {
            RowScaling::None => {}
            RowScaling::Standard => Columns::of(&matrix).standardise(&mut matrix),
            RowScaling::UnitLength => {
                for row in 0..rows {
                    let length = (0..width).map(|j| matrix[(row, j)].powi(2)).sum::<f64>().sqrt();
                    (0..width).for_each(|j| matrix[(row, j)] /= length);
                }
            }
        }
        let classes = if name == "binary" { 2 } else { 3 };
        let balances = !case["class_weight"].is_null();
        let weights = balances.then(|| balanced_class_weights(&labels, classes));
        let weights =
            labels.iter().map(|&label| weights.as_ref().map_or(1.0, |weights| weights[label])).collect();
        let regression = Regression::new(matrix.clone(), &labels, weights, classes);
        let found = regression.solve(case["C"].as_f64().unwrap(), None, 1e-8).unwrap();
        let found = regression.coefficients(&found);
        let expected: Vec<f64> = case["coef"].as_array().unwrap().iter().flat_map(numbers).collect();
        let length = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|n| n * n).sum::<f64>().sqrt();
        let distance = length(&mut found.weight.iter().zip(&expected).map(|(a, b)| a - b));
        greatest = greatest.max(distance / length(&mut expected.iter().copied()));
        let intercepts = numbers(&case["intercept"]);
        let distance = length(&mut found.bias.iter().zip(&intercepts).map(|(a, b)| a - b));
        greatest = greatest.max(distance / length(&mut intercepts.iter().copied()));
        let loss: f64 = (0..rows)
            .map(|row| {
                let mut logits: Vec<f64> = found.bias.clone();
                for (output, logit) in logits.iter_mut().enumerate() {
                    *logit +=
                        (0..width).map(|j| found.weight[output * width + j] * matrix[(row, j)]).sum::<f64>();
                }
                cross_entropy(&mut logits, labels[row], classes)
            })
            .sum();
        greatest_loss = greatest_loss.max((loss / rows as f64 - case["log_loss"].as_f64().unwrap()).abs());
        count += 1;
    }
    println!(
        "{count} cases: coefficients and intercepts within {greatest:.1e}, losses within {greatest_loss:.1e}"
    );
    assert_eq!(count, 36);
    assert!(greatest < 1e-4 && greatest_loss < 1e-6, "{greatest} {greatest_loss}");
}

#[test]
fn a_solver_ends_where_rounding_leaves_nothing_to_find() {
    for (rows, width, classes) in [(80, 6, 3), (80, 6, 2), (60, 5, 3), (20, 50, 2), (40, 12, 4)] {
        for c in [1e-3, 1.0, 1e3] {
            let (matrix, labels) = drawn(rows, width, classes);
            let regression = Regression::new(matrix, &labels, vec![1.0; rows], classes);
            // No gradient is as short as that.
            regression.solve(c, None, 1e-300).unwrap();
        }
    }
}
