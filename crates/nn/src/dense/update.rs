//! Gradient and step of the weights in one pass.

use std::ops::Range;
use std::thread;

use pulp::{Arch, Simd, WithSimd};

use super::{BLOCK, share, side};

/// Units that are worked on at a time.
const UNITS: usize = 4;

/// What an optimizer makes of a gradient g.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Formula {
    /// v ← v + (1 - ρ)(g² - v);  w ← w - η g / √(v + ε): Keras puts ε inside the root.
    RmsProp { rate: f64, rho: f64, epsilon: f64 },
    /// m ← m + (1 - β₁)(g - m);  v ← v + (1 - β₂)(g² - v);  w ← w - η m / (√v + ε)
    Adam { rate: f64, beta_1: f64, beta_2: f64, epsilon: f64 },
    /// w ← w - η g
    Sgd { rate: f64 },
}

/// Takes the step of `weights` [units, features] along their gradient, the product of `gradients` [rows, units] and
/// `rows`, each `[features]`. `moments` are shaped like the weights.
pub(crate) fn update(
    arch: Arch,
    rows: &[&[f32]],
    gradients: &[f32],
    weights: &mut [f32],
    moments: Vec<&mut [f32]>,
    formula: Formula,
    threads: usize,
) {
    let Some(features) = rows.first().map(|row| row.len()) else { return };
    let units = gradients.len() / rows.len();
    assert!(gradients.len() == rows.len() * units && rows.iter().all(|row| row.len() == features));
    assert!(weights.len() == units * features && moments.iter().all(|moment| moment.len() == weights.len()));
    let mut transposed = vec![0.0; gradients.len()]; // [units, rows]
    for (row, gradients) in gradients.chunks_exact(units).enumerate() {
        for (unit, gradient) in gradients.iter().enumerate() {
            transposed[unit * rows.len() + row] = *gradient;
        }
    }
    let share = share(units, threads);
    let mut moments: Vec<_> = moments.into_iter().map(|moment| moment.chunks_mut(share * features)).collect();
    let parts = weights.chunks_mut(share * features).zip(transposed.chunks(share * rows.len())).map(
        |(weights, gradients)| {
            let moments = moments.iter_mut().filter_map(Iterator::next).collect();
            Update { rows, gradients, weights, moments, features, formula }
        },
    );
    thread::scope(|scope| {
        let mut parts = parts.collect::<Vec<_>>().into_iter();
        let own = parts.next();
        for part in parts {
            scope.spawn(move || arch.dispatch(part));
        }
        if let Some(part) = own {
            arch.dispatch(part);
        }
    });
}

struct Update<'a> {
    rows: &'a [&'a [f32]],
    /// [units, rows]
    gradients: &'a [f32],
    /// [units, features]
    weights: &'a mut [f32],
    /// Each [units, features]
    moments: Vec<&'a mut [f32]>,
    features: usize,
    formula: Formula,
}

impl WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let units = self.gradients.len() / self.rows.len();
        for start in (0..self.features).step_by(BLOCK) {
            let end = self.features.min(start + BLOCK);
            let mut unit = 0;
            while unit < units {
                if units - unit >= UNITS {
                    self.units::<S, UNITS>(simd, start, end, unit);
                    unit += UNITS;
                } else {
                    self.units::<S, 1>(simd, start, end, unit);
                    unit += 1;
                }
            }
        }
    }
}

impl Update<'_> {
    #[inline(always)]
    fn units<S: Simd, const U: usize>(&mut self, simd: S, start: usize, end: usize, unit: usize) {
        let mut column = start;
        let wide = side(S::REGISTER_COUNT);
        while column < end {
            let left = (end - column) / S::F32_LANES;
            if wide == 4 && left >= 4 {
                self.tile::<S, U, 4>(simd, column, unit);
                column += 4 * S::F32_LANES;
            } else if wide == 2 && left >= 2 {
                self.tile::<S, U, 2>(simd, column, unit);
                column += 2 * S::F32_LANES;
            } else if left >= 1 {
                self.tile::<S, U, 1>(simd, column, unit);
                column += S::F32_LANES;
            } else {
                for unit in unit..unit + U {
                    self.rest(simd, column, end, unit);
                }
                column = end;
            }
        }
    }

    /// U units, N vectors of features from `column` on.
    #[inline(always)]
    fn tile<S: Simd, const U: usize, const N: usize>(&mut self, simd: S, column: usize, unit: usize) {
        let width = N * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); N]; U];
        for (index, row) in self.rows.iter().enumerate() {
            let values: &[S::f32s] = S::as_simd_f32s(&row[column..column + width]).0;
            let (values, _) = values.as_chunks::<N>();
            for (u, sums) in sums.iter_mut().enumerate() {
                let gradient = simd.splat_f32s(self.gradients[(unit + u) * self.rows.len() + index]);
                for (value, sum) in values[0].into_iter().zip(sums) {
                    *sum = simd.mul_add_f32s(gradient, value, *sum);
                }
            }
        }
        for (u, sums) in sums.into_iter().enumerate() {
            let start = (unit + u) * self.features + column;
            for (vector, gradient) in sums.into_iter().enumerate() {
                let start = start + vector * S::F32_LANES;
                self.step(simd, gradient, start..start + S::F32_LANES);
            }
        }
    }

    /// The features of one unit that do not fill a vector.
    #[inline(always)]
    fn rest<S: Simd>(&mut self, simd: S, column: usize, end: usize, unit: usize) {
        let mut sum = simd.splat_f32s(0.0);
        for (index, row) in self.rows.iter().enumerate() {
            let gradient = simd.splat_f32s(self.gradients[unit * self.rows.len() + index]);
            sum = simd.mul_add_f32s(gradient, simd.partial_load_f32s(&row[column..end]), sum);
        }
        let start = unit * self.features;
        self.step(simd, sum, start + column..start + end);
    }

    /// The formula, for at most a vector of weights.
    #[inline(always)]
    fn step<S: Simd>(&mut self, simd: S, gradient: S::f32s, place: Range<usize>) {
        let weight = load(simd, &self.weights[place.clone()]);
        let weight = match (self.formula, &mut self.moments[..]) {
            (Formula::RmsProp { rate, rho, epsilon }, [squares]) => {
                let squares = &mut squares[place.clone()];
                let square = simd.mul_f32s(gradient, gradient);
                let square = towards(simd, load(simd, squares), square, 1.0 - rho);
                store(simd, squares, square);
                let root = inverse_root(simd, simd.add_f32s(square, simd.splat_f32s(epsilon as f32)));
                moved(simd, weight, rate, simd.mul_f32s(gradient, root))
            }
            (Formula::Adam { rate, beta_1, beta_2, epsilon }, [means, squares]) => {
                let (means, squares) = (&mut means[place.clone()], &mut squares[place.clone()]);
                let mean = towards(simd, load(simd, means), gradient, 1.0 - beta_1);
                let square = simd.mul_f32s(gradient, gradient);
                let square = towards(simd, load(simd, squares), square, 1.0 - beta_2);
                store(simd, means, mean);
                store(simd, squares, square);
                let root = simd.add_f32s(simd.sqrt_f32s(square), simd.splat_f32s(epsilon as f32));
                moved(simd, weight, rate, simd.div_f32s(mean, root))
            }
            (Formula::Sgd { rate }, _) => moved(simd, weight, rate, gradient),
            (formula, moments) => unreachable!("{formula:?} with {} moments", moments.len()),
        };
        store(simd, &mut self.weights[place], weight);
    }
}

/// 1 / √x for x from 1e-30 to 1e30, to within three units in the last place, with equal bits on every processor: from a
/// first guess by halving the exponent, three times Newton's iteration, each of which squares the error. Root and division
/// of the processor would take four times as long, which is most of a step.
#[inline(always)]
fn inverse_root<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let halved = simd.wrapping_dyn_shr_u32s(simd.transmute_u32s_f32s(x), simd.splat_u32s(1));
    let mut y = simd.transmute_f32s_u32s(simd.sub_u32s(simd.splat_u32s(0x5f37_5a86), halved));
    let minus_half = simd.mul_f32s(x, simd.splat_f32s(-0.5));
    for _ in 0..2 {
        let correction = simd.mul_add_f32s(minus_half, simd.mul_f32s(y, y), simd.splat_f32s(1.5));
        y = simd.mul_f32s(y, correction);
    }
    // The last one as a small sum, which rounds less: y + y (1 - x y²) / 2.
    let rest = simd.mul_add_f32s(simd.mul_f32s(minus_half, y), y, simd.splat_f32s(0.5));
    simd.mul_add_f32s(y, rest, y)
}

/// moment + share (x - moment)
#[inline(always)]
fn towards<S: Simd>(simd: S, moment: S::f32s, x: S::f32s, share: f64) -> S::f32s {
    simd.mul_add_f32s(simd.splat_f32s(share as f32), simd.sub_f32s(x, moment), moment)
}

/// weight - rate · direction
#[inline(always)]
fn moved<S: Simd>(simd: S, weight: S::f32s, rate: f64, direction: S::f32s) -> S::f32s {
    simd.sub_f32s(weight, simd.mul_f32s(simd.splat_f32s(rate as f32), direction))
}

#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values).0 {
        [vector] => *vector,
        _ => simd.partial_load_f32s(values),
    }
}

#[inline(always)]
fn store<S: Simd>(simd: S, to: &mut [f32], values: S::f32s) {
    match S::as_mut_simd_f32s(to).0 {
        [vector] => *vector = values,
        _ => simd.partial_store_f32s(to, values),
    }
}
