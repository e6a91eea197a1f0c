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
