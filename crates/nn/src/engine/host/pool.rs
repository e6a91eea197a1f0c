//! Maxima and means of windows.

use convbase_core::Precision;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Extent, Source, Target};
use super::window::Window;
use convbase_bases::Activation;

/// What a window becomes. What lies outside the map is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Maximum,
    Mean,
}

/// A pooling of each channel.
#[derive(Debug)]
pub(super) struct Pool {
    arch: Arch,
    window: Window,
    kind: Kind,
    finish: Finish,
}

impl Pool {
    pub(super) fn new(arch: Arch, pool: &convbase_bases::Pool, kind: Kind, precision: Precision) -> Self {
        let window = Window::new(pool.kernel, pool.stride, pool.padding);
        Self { arch, window, kind, finish: Finish { activation: Activation::None, precision } }
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// Pools `input` into rows of `output`.
    pub(super) fn forward(&self, input: Source, output: &mut Target, extent: &Extent) {
        self.arch.dispatch(Forward { pool: self, input, output, extent });
    }
}

struct Forward<'a, 'b> {
    pool: &'a Pool,
    input: Source<'a>,
    output: &'a mut Target<'b>,
    extent: &'a Extent,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pool: Pool { window, kind, finish, .. }, input, output, extent } = self;
        let (values, _) = S::as_simd_f32s(input.values);
        let (to, from) = (output.layout, input.layout);
        let limits = finish.limits(simd);
        let vectors = to.channels.div_ceil(S::F32_LANES);
        let pixel = from.pixel / S::F32_LANES;
        for (image, row) in extent.rows() {
            let rows = window.rows(row..row + 1, from.height);
            let start = output.row(image, row);
            for column in 0..to.width {
                let begin = (column * window.stride[1]) as isize - window.before[1] as isize;
                let columns = begin.max(0) as usize
                    ..((begin + window.kernel[1] as isize).max(0) as usize).min(from.width);
                let count = (rows.len() * columns.len()) as f32;
                let start = (start + column * to.pixel) / S::F32_LANES;
                let (outputs, _) = S::as_mut_simd_f32s(output.values);
                for (vector, pooled) in outputs[start..start + vectors].iter_mut().enumerate() {
                    let mut total = match kind {
                        Kind::Maximum => simd.splat_f32s(f32::NEG_INFINITY),
                        Kind::Mean => simd.splat_f32s(0.0),
                    };
                    for row in rows.clone() {
                        let row = input.row(image, row as isize) / S::F32_LANES + vector;
                        for column in columns.clone() {
                            let value = values[row + column * pixel];
                            total = match kind {
                                Kind::Maximum => simd.max_f32s(total, value),
                                Kind::Mean => simd.add_f32s(total, value),
                            };
                        }
                    }
                    *pooled = match kind {
                        Kind::Maximum => total,
                        Kind::Mean => limits.round(simd, simd.div_f32s(total, simd.splat_f32s(count))),
                    };
                }
            }
        }
    }
}
