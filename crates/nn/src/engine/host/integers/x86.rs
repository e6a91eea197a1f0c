//! Products of whole numbers on x86-64.
#![expect(
    unsafe_code,
    reason = "each value of these types is a proof that the processor has the instructions, and nothing is read or \
              written beyond the vectors that are given"
)]

use std::arch::x86_64::*;

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, Simd, cast, f32x8, f32x16, u32x8, u32x16};

use super::{Integers, WithIntegers};

pulp::simd_type!({
    /// AVX-512 as [`V4`] has it, and its products of whole numbers.
    pub struct Vnni {
        avx2: f!("avx2"),
        fma: f!("fma"),
        avx512f: f!("avx512f"),
        avx512bw: f!("avx512bw"),
        avx512cd: f!("avx512cd"),
        avx512dq: f!("avx512dq"),
        avx512vl: f!("avx512vl"),
        avx512vnni: f!("avx512vnni"),
        popcnt: f!("popcnt"),
        bmi1: f!("bmi1"),
        bmi2: f!("bmi2"),
        lzcnt: f!("lzcnt"),
    }
});

/// AVX2 as [`V3`] has it, and AVX-VNNI: what AVX-512 has for its vectors, for those of AVX2. With `LONG` as AVX-512 writes
/// the same.
#[derive(Clone, Copy, Debug)]
pub struct AvxVnni<const LONG: bool>(V3);

impl<const LONG: bool> AvxVnni<LONG> {
    pub(super) fn try_new() -> Option<Self> {
        let has = if LONG {
            is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl")
        } else {
            is_x86_feature_detected!("avxvnni")
        };
        V3::try_new().filter(|_| has).map(Self)
    }

    #[inline(always)]
    pub(super) fn vectorize<F: NullaryFnOnce>(self, function: F) -> F::Output {
        #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avxvnni")]
        fn short<F: NullaryFnOnce>(function: F) -> F::Output {
            function.call()
        }
        #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avx512vl,avx512vnni")]
        fn long<F: NullaryFnOnce>(function: F) -> F::Output {
            function.call()
        }
        // SAFETY: `try_new` asked for what they need.
        unsafe { if LONG { long(function) } else { short(function) } }
    }
}

/// A computation, for functions that have the instructions.
pub(super) struct Run<I, W>(pub(super) I, pub(super) W);

impl<I: Integers, W: WithIntegers> NullaryFnOnce for Run<I, W> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.with_integers(self.0);
    }
}

impl Integers for Vnni {
    type Simd = V4;

    const GROUP: usize = 4;

    #[inline(always)]
    fn simd(self) -> V4 {
        // SAFETY: its features are among those of this value.
        unsafe { V4::new_unchecked() }
    }

    #[inline(always)]
    fn round(self, values: f32x16, to: &mut [u32]) {
        let numbers = unsafe { _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(cast(values))) };
        to[..4].copy_from_slice(&cast::<_, [u32; 4]>(numbers));
    }

    #[inline(always)]
    fn multiply_add(self, numbers: u32, weights: u32x16, sums: u32x16) -> u32x16 {
        let numbers = cast(self.simd().splat_u32s(numbers));
        cast(unsafe { _mm512_dpbusd_epi32(cast(sums), numbers, cast(weights)) })
    }

    #[inline(always)]
    fn floats(self, sums: u32x16) -> f32x16 {
        self.simd().floats(sums)
    }
}

impl Integers for V4 {
    type Simd = Self;

    const GROUP: usize = 2;

    #[inline(always)]
    fn simd(self) -> Self {
        self
    }

    #[inline(always)]
    fn round(self, values: f32x16, to: &mut [u32]) {
        let numbers = unsafe { _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(cast(values))) };
        to[..8].copy_from_slice(&cast::<_, [u32; 8]>(numbers));
    }

    #[inline(always)]
    fn multiply_add(self, numbers: u32, weights: u32x16, sums: u32x16) -> u32x16 {
        let numbers = cast(self.splat_u32s(numbers));
        let products = unsafe { _mm512_madd_epi16(numbers, cast(weights)) };
        self.add_u32s(sums, cast(products))
    }

    #[inline(always)]
    fn floats(self, sums: u32x16) -> f32x16 {
        cast(unsafe { _mm512_cvtepi32_ps(cast(sums)) })
    }
}

impl Integers for V3 {
    type Simd = Self;

    const GROUP: usize = 2;

    #[inline(always)]
    fn simd(self) -> Self {
        self
    }

    #[inline(always)]
    fn round(self, values: f32x8, to: &mut [u32]) {
        let numbers: [u32; 8] = cast(unsafe {
            let numbers = _mm256_cvtps_epi32(cast(values));
            // Halves are packed each by itself: the first and the third quarter are what is kept.
            _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(numbers, numbers))
        });
        to[..4].copy_from_slice(&numbers[..4]);
    }

    #[inline(always)]
    fn multiply_add(self, numbers: u32, weights: u32x8, sums: u32x8) -> u32x8 {
        let numbers = cast(self.splat_u32s(numbers));
        let products = unsafe { _mm256_madd_epi16(numbers, cast(weights)) };
        self.add_u32s(sums, cast(products))
    }

    #[inline(always)]
    fn floats(self, sums: u32x8) -> f32x8 {
        cast(unsafe { _mm256_cvtepi32_ps(cast(sums)) })
    }
}

impl<const LONG: bool> Integers for AvxVnni<LONG> {
    type Simd = V3;

    const GROUP: usize = 4;

    #[inline(always)]
    fn simd(self) -> V3 {
        self.0
    }

    #[inline(always)]
    fn round(self, values: f32x8, to: &mut [u32]) {
        let numbers: [u32; 8] = cast(unsafe {
            let numbers = _mm256_cvtps_epi32(cast(values));
            let numbers = _mm256_packus_epi32(numbers, numbers);
            _mm256_packus_epi16(numbers, numbers)
        });
        // Halves are packed each by itself.
        to[..2].copy_from_slice(&[numbers[0], numbers[4]]);
    }

    #[inline(always)]
    fn multiply_add(self, numbers: u32, weights: u32x8, sums: u32x8) -> u32x8 {
        let numbers = cast(self.0.splat_u32s(numbers));
        cast(unsafe {
            if LONG {
                _mm256_dpbusd_epi32(cast(sums), numbers, cast(weights))
            } else {
                _mm256_dpbusd_avx_epi32(cast(sums), numbers, cast(weights))
            }
        })
    }

    #[inline(always)]
    fn floats(self, sums: u32x8) -> f32x8 {
        self.0.floats(sums)
    }
}
