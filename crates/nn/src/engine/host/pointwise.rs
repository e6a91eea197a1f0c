//! What is done to each value by itself: sums of maps, factors, activations, copies with zeros around them.

use aligned_vec::{AVec, avec};
use convbase_bases::Padding;
use pulp::{Arch, Simd, WithSimd};

use super::activation::Finish;
use super::layout::{Extent, Source, Target};
use super::packing::vector;

/// The sum of maps, times a factor and plus a shift of each channel, within the limits of an activation.
#[derive(Debug)]
pub(super) struct Pointwise {
    arch: Arch,
    /// `[channels]` each, filled up with zeros.
    affine: Option<(AVec<f32>, AVec<f32>)>,
    /// Zeros around the map.
    padding: Padding,
    finish: Finish,
}

impl Pointwise {
    pub(super) fn new(arch: Arch, padding: Padding, finish: Finish) -> Self {
        Self { arch, affine: None, padding, finish }
    }

    pub(super) fn affine(arch: Arch, scale: &[f32], shift: &[f32], finish: Finish) -> Self {
        let filled = |numbers: &[f32]| {
            let mut filled = avec![0.0; numbers.len().next_multiple_of(vector(arch).lanes)];
            filled[..numbers.len()].copy_from_slice(numbers);
            filled
        };
        let affine = Some((filled(scale), filled(shift)));
        Self { arch, affine, padding: Padding::default(), finish }
    }

    /// Computes rows of `output` from those of all `inputs`.
    pub(super) fn forward(&self, inputs: &[Source], output: &mut Target, extent: &Extent) {
        self.arch.dispatch(Forward { pointwise: self, inputs, output, extent });
    }
}

struct Forward<'a, 'b> {
    pointwise: &'a Pointwise,
    inputs: &'a [Source<'a>],
    output: &'a mut Target<'b>,
    extent: &'a Extent,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pointwise: Pointwise { affine, padding, finish, .. }, inputs, output, extent } = self;
        let (Some(first), to) = (inputs.first(), output.layout) else { return };
        let limits = finish.limits(simd);
        let vectors = first.layout.channels.div_ceil(S::F32_LANES);
        let affine =
            affine.as_ref().map(|(scale, shift)| (S::as_simd_f32s(scale).0, S::as_simd_f32s(shift).0));
        for (image, row) in extent.rows() {
            let from = row as isize - padding.top as isize;
            let is_inside = (0..first.layout.height as isize).contains(&from);
            let start = output.row(image, row);
            for column in 0..to.width {
                let place = (start + column * to.pixel) / S::F32_LANES;
                let outputs = &mut S::as_mut_simd_f32s(output.values).0[place..place + vectors];
                if !is_inside || !(padding.left..padding.left + first.layout.width).contains(&column) {
                    outputs.fill(simd.splat_f32s(0.0));
                    continue;
                }
                for (number, input) in inputs.iter().enumerate() {
                    let place = input.row(image, from) + (column - padding.left) * input.layout.pixel;
                    let values = &S::as_simd_f32s(input.values).0[place / S::F32_LANES..][..vectors];
                    for (output, value) in outputs.iter_mut().zip(values) {
                        *output = if number == 0 { *value } else { simd.add_f32s(*output, *value) };
                    }
                }
                for (vector, output) in outputs.iter_mut().enumerate() {
                    let value = match affine {
                        Some((scale, shift)) => simd.mul_add_f32s(*output, scale[vector], shift[vector]),
                        None => *output,
                    };
                    *output = limits.apply(simd, value);
                }
            }
        }
    }
}
