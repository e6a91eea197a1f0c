//! Convolutions in float32 by Winograd's minimal filtering, without libtorch.
//!
//! bf16 is computed here where the processor does not multiply it itself: pixels, weights and the values between the
//! layers are rounded to bf16, products and sums are float32, as matrix units have them.
//!
//! A plan is taken when it is a chain of 3 × 3 convolutions with stride 1, as in the networks of Simonyan and Zisserman
//! (2015), where nearly all of an extraction's time is theirs; every other plan is declined. F(4 × 4, 3 × 3) multiplies a quarter as often as the definition does. Map by map, each thread takes tiles of 6 × 6 inputs, transforms
//! them, multiplies the 36 parts with the transformed weights, and transforms the sums into 4 × 4 outputs, or where a
//! pool follows into the 2 × 2 maxima, while all of this lies in its own caches.
//!
//! Each value is one fixed sequence of fused multiply-adds, whatever the batch, the number of threads or the width of
//! the processor's vectors: equal images have equal features to the bit on every processor that this runs on.

mod activation;
mod chain;
mod first;
mod layer;
mod map;
mod multiply;
mod network;
mod transform;

#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

pub(crate) use network::Network;

/// Outputs whose weights lie together.
fn panel_values(arch: Arch) -> usize {
    struct Panel;
    impl WithSimd for Panel {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            multiply::panel_vectors(S::REGISTER_COUNT) * S::F32_LANES
        }
    }
    arch.dispatch(Panel)
}
