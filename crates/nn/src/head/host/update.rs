//! Gradient and step of the weights in one pass.

use std::ops::Range;
use std::thread;

use pulp::{Arch, Simd, WithSimd};

use super::vector_arithmetic::Vectors;
use super::{BLOCK, share, side};
use crate::optimizer::Formula;

/// Units that are worked on at a time.
const UNITS: usize = 4;

/// Takes the step of `weights` [units, features] along their gradient, the product of `gradients` [rows, units] and
/// `rows`, each `[features]`. `moments` are shaped like the weights.
pub(crate) fn update<const SLOTS: usize>(
    arch: Arch,
    rows: &[&[f32]],
    gradients: &[f32],
    weights: &mut [f32],
    moments: [&mut [f32]; SLOTS],
    formula: impl Formula<SLOTS>,
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
    let mut moments = moments.map(|moment| moment.chunks_mut(share * features.max(1)));
    let parts = weights.chunks_mut(share * features.max(1)).zip(transposed.chunks(share * rows.len())).map(
        |(weights, gradients)| {
            let moments = moments.each_mut().map(|parts| parts.next().unwrap_or_default());
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

struct Update<'a, F, const SLOTS: usize> {
    rows: &'a [&'a [f32]],
    /// [units, rows]
    gradients: &'a [f32],
    /// [units, features]
    weights: &'a mut [f32],
    /// Each [units, features]
    moments: [&'a mut [f32]; SLOTS],
    features: usize,
    formula: F,
}

impl<F: Formula<SLOTS>, const SLOTS: usize> WithSimd for Update<'_, F, SLOTS> {
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

impl<F: Formula<SLOTS>, const SLOTS: usize> Update<'_, F, SLOTS> {
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
                    *sum = simd.mul_add_e_f32s(gradient, value, *sum);
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
            sum = simd.mul_add_e_f32s(gradient, simd.partial_load_f32s(&row[column..end]), sum);
        }
        let start = unit * self.features;
        self.step(simd, sum, start + column..start + end);
    }

    /// The formula, for at most a vector of weights.
    #[inline(always)]
    fn step<S: Simd>(&mut self, simd: S, gradient: S::f32s, place: Range<usize>) {
        let mut before = [simd.splat_f32s(0.0); SLOTS];
        for (slot, before) in before.iter_mut().enumerate() {
            *before = load(simd, &self.moments[slot][place.clone()]);
        }
        let Ok((after, change)) = self.formula.step(&Vectors(simd), &gradient, before);
        for (slot, after) in after.into_iter().enumerate() {
            store(simd, &mut self.moments[slot][place.clone()], after);
        }
        let weight = load(simd, &self.weights[place.clone()]);
        store(simd, &mut self.weights[place], simd.sub_f32s(weight, change));
    }
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
