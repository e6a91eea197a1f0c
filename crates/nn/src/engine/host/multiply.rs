//! Products of narrow matrices with packed weights: where the time goes.

use pulp::Simd;

/// Rows of the left matrix that are multiplied at once.
pub(crate) const ROWS: usize = 6;

/// Bytes of a line of the caches.
const LINE: usize = 64;

/// Bytes of the weights whose products are summed before the sums go back to memory: they stay in the first cache.
pub(crate) const WEIGHTS: usize = 24 * 1024;

/// Adds to `sums` [ROWS, outputs] the products of `rows` [ROWS, depth] and `weights` [depth, N vectors]. Rows begin
/// `stride` values apart, rows of sums `outputs` vectors. Without `adds` the sums are set. Each sum is one chain of
/// fused multiply-adds in the order of the inputs, on every processor.
#[inline(always)]
pub(crate) fn multiply<S: Simd, const N: usize>(
    simd: S,
    rows: &[f32],
    stride: usize,
    weights: &[[S::f32s; N]],
    sums: &mut [S::f32s],
    outputs: usize,
    adds: bool,
) {
    assert!(rows.len() >= (ROWS - 1) * stride + weights.len());
    let mut sum = [[simd.splat_f32s(0.0); N]; ROWS];
    if adds {
        for (row, sum) in sum.iter_mut().enumerate() {
            sum.copy_from_slice(&sums[row * outputs..][..N]);
        }
    }
    for (input, weights) in weights.iter().enumerate() {
        for (row, sum) in sum.iter_mut().enumerate() {
            // SAFETY: `row` is below ROWS and `input` below the depth; the length was compared above.
            #[expect(unsafe_code, reason = "a comparison for each factor would cost as much as its product")]
            let factor = simd.splat_f32s(unsafe { *rows.get_unchecked(row * stride + input) });
            for (weight, sum) in weights.iter().zip(sum) {
                *sum = simd.mul_add_f32s(factor, *weight, *sum);
            }
        }
    }
    for (row, sum) in sum.iter().enumerate() {
        sums[row * outputs..][..N].copy_from_slice(sum);
    }
}

/// `sums` [M, N vectors] and the products of M rows of `values`, which begin at `places`, and `weights` [depth, N
/// vectors]. Each sum is one chain of fused multiply-adds in the order of the inputs, on every processor.
///
/// # Panics
/// When a row would end beyond the values.
#[inline(always)]
pub(crate) fn add_products<S: Simd, const N: usize, const M: usize>(
    simd: S,
    values: &[f32],
    places: [usize; M],
    weights: &[[S::f32s; N]],
    mut sums: [[S::f32s; N]; M],
) -> [[S::f32s; N]; M] {
    let furthest = places.iter().fold(0, |furthest, &place| place.max(furthest));
    assert!(furthest.saturating_add(weights.len()) <= values.len());
    for (input, weights) in weights.iter().enumerate() {
        for (place, sums) in places.iter().zip(&mut sums) {
            // SAFETY: `input` is below the depth; the furthest place was compared above.
            #[expect(unsafe_code, reason = "a comparison for each factor would cost as much as its product")]
            let factor = simd.splat_f32s(unsafe { *values.get_unchecked(place + input) });
            for (weight, sum) in weights.iter().zip(sums) {
                *sum = simd.mul_add_f32s(factor, *weight, *sum);
            }
        }
    }
    sums
}

/// Has values that are needed soon fetched into the second cache.
#[inline(always)]
pub(crate) fn prefetch<V>(values: &[V]) {
    for line in values.iter().step_by((LINE / size_of::<V>()).max(1)) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            // SAFETY: it is a hint, which every x86-64 processor has; nothing is read.
            #[expect(unsafe_code, reason = "there is no safe way to say so")]
            unsafe {
                _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(line).cast());
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}
