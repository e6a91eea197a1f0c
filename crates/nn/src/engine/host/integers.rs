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

/// Products of whole numbers that one lane of this processor's vectors sums at a time: with four of them, which VNNI has,
/// they are far faster than those of float32. `None` where it has no instructions for them.
pub(crate) fn int8_group() -> Option<usize> {
    Some(Instructions::of(vector_instructions()?)?.group())
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
    /// AVX2 with AVX-VNNI: four products at a time.
    #[cfg(target_arch = "x86_64")]
    AvxVnni(x86::AvxVnni<false>),
    /// The same as AVX-512 writes it, for processors without AVX-VNNI to test.
    #[cfg(all(test, target_arch = "x86_64"))]
    ShortVnni(x86::AvxVnni<true>),
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
        let [fastest, others] = match arch {
            Arch::V4(simd) => [x86::Vnni::try_new().map(Self::Vnni), Some(Self::V4(simd))],
            Arch::V3(simd) => [x86::AvxVnni::<false>::try_new().map(Self::AvxVnni), Some(Self::V3(simd))],
            _ => [None, None],
        };
        #[cfg(test)]
        let others = others.into_iter().chain(
            x86::AvxVnni::<true>::try_new().map(Self::ShortVnni).filter(|_| matches!(arch, Arch::V3(_))),
        );
        fastest.into_iter().chain(others).collect()
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
            Self::AvxVnni(_) => x86::AvxVnni::<false>::GROUP,
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::ShortVnni(_) => x86::AvxVnni::<true>::GROUP,
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
            Self::AvxVnni(vnni) => vnni.vectorize(x86::Run(vnni, what)),
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::ShortVnni(vnni) => vnni.vectorize(x86::Run(vnni, what)),
            #[cfg(target_arch = "x86_64")]
            Self::V3(simd) => simd.vectorize(x86::Run(simd, what)),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;
