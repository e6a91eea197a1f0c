//! Numbers that any language can draw again.

/// FNV-1a, 64 bits: offset basis and prime (Fowler, Noll, Vo).
const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;
/// 2^64 over the golden ratio, the step of splitmix64 (Steele, Lea, Flood 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// `count` numbers in 0..1, multiples of 2^-24, that depend on the name, the seed and their position alone.
///
/// Number i is made from z = (FNV-1a-64 of the name + i + 1) · 0x9E3779B97F4A7C15 mod 2^64, mixed as splitmix64 mixes
/// its state; its upper 24 bits count. A seed other than 0 is mixed the same way and changes the hash by exclusive or.
pub fn drawn(name: &str, count: usize, seed: u64) -> impl Iterator<Item = f64> + use<> {
    let hash = name.bytes().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    let hash = hash ^ mixed(seed.wrapping_mul(GOLDEN));
    (1..=count as u64).map(move |position| {
        let upper = mixed(hash.wrapping_add(position).wrapping_mul(GOLDEN)) >> 40;
        upper as f64 / f64::from(1 << 24)
    })
}

/// The output function of splitmix64. Zero stays zero.
fn mixed(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_the_published_ones() {
        let found: Vec<f64> = drawn("block1_conv1/kernel", 3, 0).collect();
        assert_eq!(found, [0.284_717_381_000_518_8, 0.768_258_392_810_821_5, 0.660_997_152_328_491_2]);
    }

    #[test]
    fn names_and_seeds_draw_other_numbers() {
        let first = |name, seed| drawn(name, 1, seed).next().unwrap();
        assert_ne!(first("a", 0), first("b", 0));
        assert_ne!(first("a", 0), first("a", 1));
        assert_eq!(first("a", 7), first("a", 7));
        assert!(drawn("a", 10_000, 3).all(|number| (0.0..1.0).contains(&number)));
    }
}
