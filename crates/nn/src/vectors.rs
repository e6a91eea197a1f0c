//! The processor's vector instructions.

use pulp::{Arch, Simd, WithSimd};

/// The vector instructions of this processor, where they include fused multiply-adds.
pub(crate) fn vector_instructions() -> Option<Arch> {
    let arch = Arch::new();
    (vector_values(arch) >= 4).then_some(arch)
}

/// float32 values of a vector.
fn vector_values(arch: Arch) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    arch.dispatch(Lanes)
}

/// What tests of code on wide vectors try it with.
#[cfg(test)]
pub(crate) mod trials {
    use super::*;

    /// Numbers from -1 to 1 that look drawn.
    pub(crate) fn draw(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| (((index + 1) * (seed + 7)) as f32 * 0.7391).sin()).collect()
    }

    /// Every set of vector instructions that this processor has.
    pub(crate) fn arches() -> Vec<Arch> {
        let mut arches: Vec<Arch> = vector_instructions().into_iter().collect();
        #[cfg(target_arch = "x86_64")]
        arches.extend(pulp::x86::V3::try_new().map(Arch::V3));
        arches
    }
}
