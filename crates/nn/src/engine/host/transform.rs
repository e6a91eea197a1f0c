//! The transforms of Winograd's minimal filtering F(4 × 4, 3 × 3).
//!
//! A tile of 4 × 4 outputs takes 36 multiplications for each pair of channels instead of 144 (Lavin and Gray, *Fast
//! Algorithms for Convolutional Neural Networks*, 2016). The matrices follow from the points at which the polynomials
//! are evaluated. The usual 0, ±1, ±2, ∞ lose about a digit; 0, ±3/4, ±3/2, ∞ lose half of that, and every constant
//! that follows from them is exact in float32 but for those of the weights, which are transformed in float64.

use pulp::Simd;

/// Outputs of a tile along each axis.
pub(crate) const TILE: usize = 4;
/// Inputs of a tile along each axis.
pub(crate) const REACH: usize = TILE + 2;
/// Products of a tile for each pair of channels.
pub(crate) const PRODUCTS: usize = REACH * REACH;

/// The points ±A, ±B beside 0 and ∞.
const A: f32 = 0.75;
const B: f32 = 1.5;

/// Gᵀ-side of a kernel: the 36 factors of the weights [3, 3] of one pair of channels, G g Gᵀ.
pub(crate) fn transform_weights(weights: &[f32; 9]) -> [f32; PRODUCTS] {
    let (a, b) = (f64::from(A), f64::from(B));
    let row = |point: f64, other: f64| {
        // 1 / Π (point − other points), times 1, point, point².
        let factor = 1.0 / (2.0 * point * point * (point * point - other * other));
        [factor, factor * point, factor * point * point]
    };
    let g =
        [[1.0 / (a * a * b * b), 0.0, 0.0], row(a, b), row(-a, b), row(b, a), row(-b, a), [0.0, 0.0, 1.0]];
    let weight = |y: usize, x: usize| f64::from(weights[y * 3 + x]);
    let half = g.map(|left| {
        std::array::from_fn::<f64, 3, _>(|x| {
            left[0] * weight(0, x) + left[1] * weight(1, x) + left[2] * weight(2, x)
        })
    });
    std::array::from_fn(|product| {
        let (half, right) = (half[product / REACH], g[product % REACH]);
        #[expect(clippy::cast_possible_truncation, reason = "float32 is what is multiplied")]
        let factor = (half[0] * right[0] + half[1] * right[1] + half[2] * right[2]) as f32;
        factor
    })
}

/// Bᵀ d: six inputs along one axis become the six factors.
#[inline(always)]
pub(crate) fn transform_inputs<S: Simd>(simd: S, d: [S::f32s; REACH]) -> [S::f32s; REACH] {
    let splat = |value| simd.splat_f32s(value);
    let fma = |factor: f32, x, plus| simd.mul_add_f32s(splat(factor), x, plus);
    // x⁴ − (a² + b²) x² + a² b², and the same times x.
    let first = fma(A * A * B * B, d[0], fma(-(A * A + B * B), d[2], d[4]));
    let last = fma(A * A * B * B, d[1], fma(-(A * A + B * B), d[3], d[5]));
    // (x⁴ − b² x²) ± a (x³ − b² x)
    let (even, odd) = (fma(-(B * B), d[2], d[4]), fma(-(B * B), d[1], d[3]));
    let (plus_a, minus_a) = (fma(A, odd, even), fma(-A, odd, even));
    let (even, odd) = (fma(-(A * A), d[2], d[4]), fma(-(A * A), d[1], d[3]));
    let (plus_b, minus_b) = (fma(B, odd, even), fma(-B, odd, even));
    [first, plus_a, minus_a, plus_b, minus_b, last]
}

/// Aᵀ m: six products along one axis become four outputs.
#[inline(always)]
pub(crate) fn transform_products<S: Simd>(simd: S, m: [S::f32s; REACH]) -> [S::f32s; TILE] {
    let splat = |value| simd.splat_f32s(value);
    let fma = |factor: f32, x, plus| simd.mul_add_f32s(splat(factor), x, plus);
    let (sum_a, difference_a) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (sum_b, difference_b) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    [
        simd.add_f32s(m[0], simd.add_f32s(sum_a, sum_b)),
        fma(A, difference_a, simd.mul_f32s(splat(B), difference_b)),
        fma(A * A, sum_a, simd.mul_f32s(splat(B * B), sum_b)),
        fma(A * A * A, difference_a, fma(B * B * B, difference_b, m[5])),
    ]
}
