//! Random numbers that depend on a seed alone.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The generator of a seed's sequence (PCG XSL RR 128/64; O'Neill 2014), the same on every machine.
pub(crate) fn generator(seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed)
}

/// The next number from 0 to below 1, of 53 random bits.
pub(crate) fn share(generator: &mut Pcg64) -> f64 {
    (generator.next_u64() >> 11) as f64 * 2_f64.powi(-53)
}

/// The numbers below `count` in a random order (Fisher and Yates).
pub(crate) fn permutation(count: usize, generator: &mut Pcg64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, below(last + 1, generator.next_u64()));
    }
    order
}

/// A number below `count`, which is at least 1, of 64 mixed bits.
pub(crate) fn below(count: usize, bits: u64) -> usize {
    // The high half of the product is even to within one part in 2⁶⁴ / count.
    ((u128::from(bits) * count as u128) >> 64) as usize
}

/// A seed of its own for every step of every epoch, so that what a step draws does not depend on the steps before.
///
/// The mixing is splitmix64's finaliser (Steele, Lea and Flood 2014).
pub(crate) fn seed_for(seed: u64, epoch: u32, step: u64) -> u64 {
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    };
    [u64::from(epoch), step].iter().fold(seed, |state, &part| {
        mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_add(mix(part.wrapping_add(1))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_draw_equal_numbers_on_every_machine() {
        let mut drawn = generator(42);
        let expected = [4178418447715145737, 4410739922618931473, 14034899209665866285];
        assert_eq!([0; 3].map(|_| drawn.next_u64()), expected);
    }

    #[test]
    fn shares_are_even_and_below_one() {
        let mut generator = generator(1);
        let mut counts = [0; 10];
        for _ in 0..100_000 {
            counts[(share(&mut generator) * 10.0) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn all_permutations_are_as_likely() {
        let mut generator = generator(1);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..24_000 {
            *counts.entry(permutation(4, &mut generator)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn no_two_steps_share_a_seed() {
        let seeds: std::collections::HashSet<u64> = (0..20)
            .flat_map(|seed| {
                (0..20).flat_map(move |epoch| (0..20).map(move |step| seed_for(seed, epoch, step)))
            })
            .collect();
        assert_eq!(seeds.len(), 8000);
    }
}
