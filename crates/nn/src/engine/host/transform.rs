//! The transforms of Winograd's minimal filtering, F(4 × 4, 3 × 3) and F(6 × 6, 3 × 3).
//!
//! A tile of 4 × 4 outputs takes 36 multiplications for each pair of channels instead of 144, one of 6 × 6 takes 64
//! instead of 324 (Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2016). The matrices follow from
//! the points at which the polynomials are evaluated: 0, pairs ±p, and ∞. All constants are exact in float32 but for those
//! of the weights, which are transformed in float64.

use pulp::Simd;

/// F(TILE × TILE, 3 × 3): how REACH inputs along an axis become TILE outputs.
pub(super) trait Filtering<const TILE: usize, const REACH: usize> {
    /// All points but ∞.
    const POINTS: &'static [f64];

    /// Bᵀ d: the inputs along one axis become the factors.
    fn inputs<S: Simd>(simd: S, d: [S::f32s; REACH]) -> [S::f32s; REACH];

    /// Aᵀ m: the products along one axis become the outputs.
    fn products<S: Simd>(simd: S, m: [S::f32s; REACH]) -> [S::f32s; TILE];

    /// G g Gᵀ: the factors [REACH, REACH] of the weights [3, 3] of one pair of channels.
    fn weights(weights: &[f32; 9]) -> [[f32; REACH]; REACH] {
        let g: [[f64; 3]; REACH] = std::array::from_fn(|row| {
            let Some(point) = Self::POINTS.get(row) else { return [0.0, 0.0, 1.0] };
            let others = Self::POINTS.iter().filter(|other| *other != point);
            let factor = 1.0 / others.map(|other| point - other).product::<f64>();
            [factor, factor * point, factor * point * point]
        });
        let dot =
            |left: [f64; 3], right: [f64; 3]| left[0] * right[0] + left[1] * right[1] + left[2] * right[2];
        let column = |x: usize| [weights[x], weights[3 + x], weights[6 + x]].map(f64::from);
        let half = g.map(|row| [dot(row, column(0)), dot(row, column(1)), dot(row, column(2))]);
        #[expect(clippy::cast_possible_truncation, reason = "float32 is what is multiplied")]
        let factors = half.map(|half| g.map(|row| dot(half, row) as f32));
        factors
    }
}

/// Tiles of 4 × 4 outputs. The usual points 0, ±1, ±2, ∞ lose about a digit; these lose half of that.
pub(super) struct Four;

const A: f32 = 0.75;
const B: f32 = 1.5;

impl Filtering<4, 6> for Four {
    const POINTS: &'static [f64] = &[0.0, A as f64, -A as f64, B as f64, -B as f64];

    #[inline(always)]
    fn inputs<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
        let fma = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
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

    #[inline(always)]
    fn products<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
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
}

/// Tiles of 6 × 6 outputs, from the points 0, ±1/2, ±1, ±2, ∞: of the triples of eighths up to 3 that were
/// tried these lose least, two bits more than [`Four`].
pub(super) struct Six;

impl Filtering<6, 8> for Six {
    const POINTS: &'static [f64] = &[0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0];

    #[inline(always)]
    fn inputs<S: Simd>(simd: S, d: [S::f32s; 8]) -> [S::f32s; 8] {
        let fma = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
        // x⁶ − 21/4 x⁴ + 21/4 x² − 1, and the same times x.
        let first = fma(5.25, simd.sub_f32s(d[2], d[4]), simd.sub_f32s(d[6], d[0]));
        let last = fma(5.25, simd.sub_f32s(d[3], d[5]), simd.sub_f32s(d[7], d[1]));
        // (x⁶ − 5 x⁴ + 4 x²) ± 1/2 (x⁵ − 5 x³ + 4 x)
        let (even, odd) = (fma(4.0, d[2], fma(-5.0, d[4], d[6])), fma(4.0, d[1], fma(-5.0, d[3], d[5])));
        let (plus_half, minus_half) = (fma(0.5, odd, even), fma(-0.5, odd, even));
        // (x⁶ − 17/4 x⁴ + x²) ± (x⁵ − 17/4 x³ + x)
        let even = simd.add_f32s(d[2], fma(-4.25, d[4], d[6]));
        let odd = simd.add_f32s(d[1], fma(-4.25, d[3], d[5]));
        let (plus_one, minus_one) = (simd.add_f32s(even, odd), simd.sub_f32s(even, odd));
        // (x⁶ − 5/4 x⁴ + 1/4 x²) ± 2 (x⁵ − 5/4 x³ + 1/4 x)
        let (even, odd) = (fma(0.25, d[2], fma(-1.25, d[4], d[6])), fma(0.25, d[1], fma(-1.25, d[3], d[5])));
        let (plus_two, minus_two) = (fma(2.0, odd, even), fma(-2.0, odd, even));
        [first, plus_half, minus_half, plus_one, minus_one, plus_two, minus_two, last]
    }

    #[inline(always)]
    fn products<S: Simd>(simd: S, m: [S::f32s; 8]) -> [S::f32s; 6] {
        let fma = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
        let (sum_half, difference_half) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
        let (sum_one, difference_one) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
        let (sum_two, difference_two) = (simd.add_f32s(m[5], m[6]), simd.sub_f32s(m[5], m[6]));
        [
            simd.add_f32s(simd.add_f32s(m[0], sum_half), simd.add_f32s(sum_one, sum_two)),
            fma(0.5, difference_half, fma(2.0, difference_two, difference_one)),
            fma(0.25, sum_half, fma(4.0, sum_two, sum_one)),
            fma(0.125, difference_half, fma(8.0, difference_two, difference_one)),
            fma(0.0625, sum_half, fma(16.0, sum_two, sum_one)),
            fma(0.03125, difference_half, fma(32.0, difference_two, simd.add_f32s(difference_one, m[7]))),
        ]
    }
}
