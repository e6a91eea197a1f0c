//! The end of products: where finished sums go, and what is done to them before.

use pulp::Simd;

use super::activation::{Finish, Limits, add_bias};
use super::chunks::{Places, nearby};
use super::layout::{Source, Target};

/// Where finished sums go, and what is added to them before.
pub(super) struct Epilogue<'a, S: Simd> {
    simd: S,
    limits: Limits<S>,
    bias: &'a [S::f32s],
    added: Option<&'a [S::f32s]>,
    outputs: &'a mut [S::f32s],
}

impl<'a, S: Simd> Epilogue<'a, S> {
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        finish: Finish,
        bias: &'a [f32],
        added: Option<Source<'a>>,
        output: &'a mut Target,
    ) -> Self {
        Self {
            simd,
            limits: finish.limits(simd),
            bias: S::as_simd_f32s(bias).0,
            added: added.map(|added| S::as_simd_f32s(added.values).0),
            outputs: S::as_mut_simd_f32s(output.values).0,
        }
    }

    /// Finishes the sums of the vectors from `first` on of the outputs of pixels from `start` on, and stores them.
    #[inline(always)]
    pub(super) fn finish<const N: usize, const M: usize>(
        &mut self,
        pixels: &Places,
        start: usize,
        first: usize,
        sums: &mut [[S::f32s; N]; M],
    ) {
        add_bias(self.simd, sums, nearby(self.bias, first));
        self.finish_biased(pixels, start, first, sums);
    }

    /// The same for sums that hold their bias.
    #[inline(always)]
    pub(super) fn finish_biased<const N: usize, const M: usize>(
        &mut self,
        pixels: &Places,
        start: usize,
        first: usize,
        sums: &mut [[S::f32s; N]; M],
    ) {
        let simd = self.simd;
        let vector = |place: &usize| place / S::F32_LANES + first;
        if let Some(added) = self.added {
            self.limits.round_all(simd, sums);
            let places: &[usize; M] = nearby(pixels.added(), start);
            // Without a call: all sums would have to leave their registers.
            for (sums, place) in sums.iter_mut().zip(places) {
                let added: &[S::f32s; N] = nearby(added, vector(place));
                for (sum, added) in sums.iter_mut().zip(added) {
                    *sum = simd.add_f32s(*sum, *added);
                }
            }
        }
        self.limits.apply_all(simd, sums);
        let places: &[usize; M] = nearby(pixels.outputs(), start);
        for (sums, place) in sums.iter().zip(places) {
            self.outputs[vector(place)..][..N].copy_from_slice(sums);
        }
    }
}
