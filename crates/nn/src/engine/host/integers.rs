//! Products of whole numbers, by the instructions that a processor has for them: exact, so equal on all.

use pulp::{Arch, Simd};

use crate::vectors::vector_instructions;

/// Products of numbers from 0 to 255 with weights from -127 to 127, summed in 32 bits.
pub(super) trait Integers: Copy {
    /// The vectors that it works with.
    type Simd: Simd;

    /// Products that one lane sums at a time: a word of 32 bits holds so many numbers.
    const GROUP: usize;

    /// The vectors that it works with.
    fn simd(self) -> Self::Simd;

    /// Rounds each value to the nearest number, from the middle to the even one, and stores the numbers in order, as words.
    fn round(self, values: <Self::Simd as Simd>::f32s, to: &mut [u32]);

    /// Adds the products of a word of numbers and a word of weights in each lane.
    fn multiply_add(
        self,
        numbers: u32,
        weights: <Self::Simd as Simd>::u32s,
        sums: <Self::Simd as Simd>::u32s,
    ) -> <Self::Simd as Simd>::u32s;

    /// Sums as float32.
    fn floats(self, sums: <Self::Simd as Simd>::u32s) -> <Self::Simd as Simd>::f32s;
}

/// A word of weights.
pub(super) fn word(weights: &[i8], group: usize) -> u32 {
    let bits = u32::BITS as usize / group;
    let mask = u32::MAX >> (u32::BITS as usize - bits);
    let placed =
        |(place, &weight): (usize, &i8)| (i32::from(weight).cast_unsigned() & mask) << (place * bits);
    weights.iter().enumerate().map(placed).fold(0, |word, bits| word | bits)
}

/// What is computed with whole numbers.
pub(super) trait WithIntegers {
    fn with_integers<I: Integers>(self, integers: I);
}

/// Whether this processor has instructions for products of whole numbers.
pub(crate) fn multiplies_int8() -> bool {
    vector_instructions().and_then(Instructions::of).is_some()
}

/// The instructions of a processor for products of whole numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instructions {
    /// AVX-512 with VNNI: four products at a time.
    #[cfg(target_arch = "x86_64")]
    Vnni(x86::Vnni),
    /// AVX-512: two products at a time.
    #[cfg(target_arch = "x86_64")]
    V4(pulp::x86::V4),
    /// AVX2: two products at a time.
    #[cfg(target_arch = "x86_64")]
    V3(pulp::x86::V3),
}

impl Instructions {
    /// The best of those that go with these vectors; `None` where there are none.
    pub(super) fn of(arch: Arch) -> Option<Self> {
        Self::all(arch).into_iter().next()
    }

    /// Those that go with these vectors, the best first.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn all(arch: Arch) -> Vec<Self> {
        match arch {
            Arch::V4(simd) => {
                x86::Vnni::try_new().map(Self::Vnni).into_iter().chain([Self::V4(simd)]).collect()
            }
            Arch::V3(simd) => vec![Self::V3(simd)],
            _ => Vec::new(),
        }
    }

    /// Those that go with these vectors, the best first.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn all(_: Arch) -> Vec<Self> {
        Vec::new()
    }

    /// Products that one lane sums at a time.
    pub(super) fn group(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(_) => x86::Vnni::GROUP,
            #[cfg(target_arch = "x86_64")]
            Self::V4(_) => pulp::x86::V4::GROUP,
            #[cfg(target_arch = "x86_64")]
            Self::V3(_) => pulp::x86::V3::GROUP,
        }
    }

    /// Computes with these instructions.
    pub(super) fn dispatch(self, what: impl WithIntegers) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(vnni) => vnni.vectorize(x86::Run(vnni, what)),
            #[cfg(target_arch = "x86_64")]
            Self::V4(simd) => simd.vectorize(x86::Run(simd, what)),
            #[cfg(target_arch = "x86_64")]
            Self::V3(simd) => simd.vectorize(x86::Run(simd, what)),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
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
            cast(unsafe { _mm512_cvtepi32_ps(cast(sums)) })
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
}
