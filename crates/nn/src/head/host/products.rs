//! Rows times transposed weights.

use std::thread;

use pulp::{Arch, Simd, WithSimd};

use super::{BLOCK, LANES, share, side};

/// Rows that are worked on at a time.
const ROWS: usize = 4;

/// The products [rows, units] of `rows`, each `[features]`, with `weights` [units, features], plus `bias` `[units]`.
pub(crate) fn products(
    arch: Arch,
    rows: &[&[f32]],
    weights: &[f32],
    bias: &[f32],
    threads: usize,
) -> Vec<f32> {
    let (count, units) = (rows.len(), bias.len());
    let features = weights.len() / units.max(1);
    assert!(weights.len() == units * features && rows.iter().all(|row| row.len() == features));
    if count == 0 || units == 0 {
        return Vec::new();
    }
    let share = share(units, threads);
    let mut sums = vec![0.0; units * count]; // [units, rows]
    thread::scope(|scope| {
        let mut parts = weights.chunks(share * features.max(1)).zip(sums.chunks_mut(share * count));
        let own = parts.next();
        for (weights, sums) in parts {
            scope.spawn(move || arch.dispatch(Products { rows, weights, features, sums }));
        }
        if let Some((weights, sums)) = own {
            arch.dispatch(Products { rows, weights, features, sums });
        }
    });
    let mut products = vec![0.0; count * units];
    for (unit, (sums, bias)) in sums.chunks_exact(count).zip(bias).enumerate() {
        for (row, sum) in sums.iter().enumerate() {
            products[row * units + unit] = sum + bias;
        }
    }
    products
}

struct Products<'a> {
    rows: &'a [&'a [f32]],
    /// [units, features]
    weights: &'a [f32],
    features: usize,
    /// [units, rows]
    sums: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let units = self.sums.len() / self.rows.len();
        for start in (0..self.features).step_by(BLOCK) {
            let mut unit = 0;
            while unit < units {
                // A unit's sums do not depend on the units beside it.
                let many = if side(S::REGISTER_COUNT) == 4 { 4 } else { 2 };
                match units - unit {
                    left if left >= 4 && many == 4 => self.units::<S, 4>(simd, start, unit),
                    left if left >= 2 && many == 2 => self.units::<S, 2>(simd, start, unit),
                    _ => self.units::<S, 1>(simd, start, unit),
                }
                unit += if units - unit >= many { many } else { 1 };
            }
        }
    }
}

impl Products<'_> {
    /// Adds to the sums of UNITS units what the block from `start` on contributes.
    #[inline(always)]
    fn units<S: Simd, const UNITS: usize>(&mut self, simd: S, start: usize, unit: usize) {
        let end = self.features.min(start + BLOCK);
        let weights: [&[f32]; UNITS] =
            std::array::from_fn(|index| &self.weights[(unit + index) * self.features..][start..end]);
        let mut row = 0;
        while row < self.rows.len() {
            if self.rows.len() - row >= ROWS {
                self.tile::<S, ROWS, UNITS>(simd, (start, end), (row, unit), weights);
                row += ROWS;
            } else {
                self.tile::<S, 1, UNITS>(simd, (start, end), (row, unit), weights);
                row += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const UNITS: usize>(
        &mut self,
        simd: S,
        (start, end): (usize, usize),
        (row, unit): (usize, usize),
        weights: [&[f32]; UNITS],
    ) {
        let rows: [&[f32]; R] = std::array::from_fn(|index| &self.rows[row + index][start..end]);
        let sums = dot_products(simd, rows, weights);
        for (r, sums) in sums.into_iter().enumerate() {
            for (u, sum) in sums.into_iter().enumerate() {
                self.sums[(unit + u) * self.rows.len() + row + r] += sum;
            }
        }
    }
}

/// The dot product of every row with every unit's weights, all equally long: 16 sums of every 16th product, and then
/// their sum, half onto half, so that bits do not depend on how many numbers a vector of this processor holds. Narrower
/// vectors pass more often over what is in the first cache.
#[inline(always)]
fn dot_products<S: Simd, const R: usize, const UNITS: usize>(
    simd: S,
    rows: [&[f32]; R],
    weights: [&[f32]; UNITS],
) -> [[f32; UNITS]; R] {
    if 2 * S::F32_LANES < LANES {
        return narrow_dot_products(simd, rows, weights);
    }
    let mut sums = sums_of_lanes(simd, rows, weights, 0);
    if S::F32_LANES < LANES {
        let others = sums_of_lanes(simd, rows, weights, S::F32_LANES);
        for r in 0..R {
            for u in 0..UNITS {
                sums[r][u] = simd.add_f32s(sums[r][u], others[r][u]);
            }
        }
    }
    let mut totals = [[0.0; UNITS]; R];
    for r in 0..R {
        for u in 0..UNITS {
            // Vectors of eight or sixteen are added half onto half.
            totals[r][u] = simd.reduce_sum_f32s(sums[r][u]);
        }
    }
    totals
}

/// The same where a vector holds four numbers or one.
#[inline(always)]
fn narrow_dot_products<S: Simd, const R: usize, const UNITS: usize>(
    simd: S,
    rows: [&[f32]; R],
    weights: [&[f32]; UNITS],
) -> [[f32; UNITS]; R] {
    let mut lanes = [[[0.0; LANES]; UNITS]; R];
    for first in (0..LANES).step_by(S::F32_LANES) {
        let sums = sums_of_lanes(simd, rows, weights, first);
        for r in 0..R {
            for u in 0..UNITS {
                S::as_mut_simd_f32s(&mut lanes[r][u]).0[first / S::F32_LANES] = sums[r][u];
            }
        }
    }
    let mut totals = [[0.0; UNITS]; R];
    for r in 0..R {
        for u in 0..UNITS {
            totals[r][u] = half_onto_half(lanes[r][u]);
        }
    }
    totals
}

/// The sum of all, each half added to the other until one is left.
#[inline(always)]
fn half_onto_half(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Of every LANES numbers the vector from `first` on, multiplied and summed.
#[inline(always)]
fn sums_of_lanes<S: Simd, const R: usize, const UNITS: usize>(
    simd: S,
    rows: [&[f32]; R],
    weights: [&[f32]; UNITS],
    first: usize,
) -> [[S::f32s; UNITS]; R] {
    let end = rows[0].len();
    let whole = end / LANES * LANES;
    let mut sums = sums_of_vectors(simd, rows, weights, first, whole);
    if whole < end {
        let (from, to) = (end.min(whole + first), end.min(whole + first + S::F32_LANES));
        for r in 0..R {
            let row = simd.partial_load_f32s(&rows[r][from..to]);
            for u in 0..UNITS {
                let weights = simd.partial_load_f32s(&weights[u][from..to]);
                sums[r][u] = simd.mul_add_e_f32s(row, weights, sums[r][u]);
            }
        }
    }
    sums
}

/// The same of the numbers up to `whole`, a multiple of LANES. Loops over counts and no iterators or closures: the
/// compiler must keep all sums in registers.
#[inline(always)]
fn sums_of_vectors<S: Simd, const R: usize, const UNITS: usize>(
    simd: S,
    rows: [&[f32]; R],
    weights: [&[f32]; UNITS],
    first: usize,
    whole: usize,
) -> [[S::f32s; UNITS]; R] {
    let length = whole / S::F32_LANES;
    let mut row_vectors = [&[][..]; R];
    for r in 0..R {
        row_vectors[r] = &S::as_simd_f32s(rows[r]).0[..length];
    }
    let mut unit_vectors = [&[][..]; UNITS];
    for u in 0..UNITS {
        unit_vectors[u] = &S::as_simd_f32s(weights[u]).0[..length];
    }
    let mut sums = [[simd.splat_f32s(0.0); UNITS]; R];
    let mut index = first / S::F32_LANES;
    while index < length {
        // SAFETY: all slices were cut to this length.
        #[expect(unsafe_code, reason = "a comparison for each factor would cost as much as its product")]
        unsafe {
            let mut factors = [simd.splat_f32s(0.0); UNITS];
            for u in 0..UNITS {
                factors[u] = *unit_vectors[u].get_unchecked(index);
            }
            for r in 0..R {
                let row = *row_vectors[r].get_unchecked(index);
                for u in 0..UNITS {
                    sums[r][u] = simd.mul_add_e_f32s(row, factors[u], sums[r][u]);
                }
            }
        }
        index += LANES / S::F32_LANES;
    }
    sums
}
