//! Several of a block's numbers passed over at once, where none of them is asked for.

use super::bits::Bits;
use super::huffman::Huffman;

/// So many bits are looked at together: two numbers with their codes, as a rule.
const BITS: u32 = 12;

/// For the next [`BITS`] bits, the whole codes among them and the numbers behind them.
#[derive(Debug)]
pub(super) struct Skips(Box<[Step; 1 << BITS]>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(4))]
struct Step {
    /// Of all these codes and numbers; 0 where not even one is whole.
    bits: u8,
    /// Places of a block that they stand for.
    places: u8,
    /// Whether the last code says that the rest of the block is zero.
    ends: bool,
}

impl Skips {
    /// Of the codes of the 63 numbers behind the mean.
    pub(super) fn new(codes: &Huffman) -> Self {
        let mut steps = Box::new([Step::default(); 1 << BITS]);
        for (bits, step) in (0_u64..).zip(steps.iter_mut()) {
            *step = Step::of(codes, bits << (64 - BITS));
        }
        Self(steps)
    }

    /// Passes over numbers of which the first has the place `index`. Gives the place behind them, and whether the block
    /// ends there; `None` where they are to be read one by one: the next is long, or they may leave the block.
    #[inline(always)]
    pub(super) fn skip(&self, bits: &mut Bits, index: u32) -> Option<(u32, bool)> {
        let step = self.0.get((bits.peek() >> (64 - BITS)) as usize)?;
        let behind = index.saturating_add(step.places.into());
        if step.bits == 0 || behind >= 64 {
            return None;
        }
        bits.drop(step.bits.into());
        Some((behind, step.ends))
    }
}

impl Step {
    /// Of the first [`BITS`] bits of a word.
    fn of(codes: &Huffman, word: u64) -> Self {
        let mut step = Self::default();
        while !step.ends {
            let Some((value, bits)) = codes.short(word << (step.bits & 63)) else { break };
            let bits = step.bits.saturating_add(bits);
            let (zeros, size) = (value >> 4, value & 15);
            let ends = size == 0 && zeros < 15;
            let places = step.places.saturating_add(if ends { 0 } else { zeros.saturating_add(1) });
            // Those behind the window are not known.
            if u32::from(bits) > BITS {
                break;
            }
            step = Self { bits, places, ends };
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bits::Interval;
    use super::*;

    /// The place behind the numbers, whether the block ended, and the bits left.
    fn one_by_one(codes: &Huffman, bits: &mut Bits, mut index: u32, behind: u32) -> Option<(u32, bool)> {
        while index < behind {
            let (value, _) = codes.read_with_number(bits).ok()?;
            if value & 15 == 0 && value >> 4 < 15 {
                return Some((index, true));
            }
            index += u32::from(value >> 4) + 1;
        }
        Some((index, false))
    }

    proptest! {
        #[test]
        fn many_at_once_are_what_they_are_one_by_one(
            values in prop::collection::btree_set(any::<u8>(), 6..40),
            bytes in prop::collection::vec(0..=254_u8, 16..64),
        ) {
            // Codes of 2, 4, 6, ... bits: some of each length, none that begins another.
            let values: Vec<u8> = values.into_iter().collect();
            let mut counts = [0_u8; 16];
            for length in (1..16).step_by(2) {
                counts[length] = 3.min(values.len().saturating_sub(length / 2 * 3)) as u8;
            }
            let codes = Huffman::new(counts, &values).unwrap();
            let skips = Skips::new(&codes);
            let mut interval = Interval::default();
            interval.read(&bytes, 0);
            let (mut bits, mut index) = (interval.bits(), 1);
            while bits.left() > 0 {
                let mut singles = bits;
                let Some((behind, ends)) = skips.skip(&mut bits, index) else { break };
                // The code that ends a block stands for no place: one more is looked at.
                let until = if ends { behind + 1 } else { behind };
                prop_assert_eq!(one_by_one(&codes, &mut singles, index, until), Some((behind, ends)));
                prop_assert_eq!(singles.left(), bits.left());
                prop_assert!(behind < 64);
                index = if ends { 1 } else { behind };
            }
        }
    }
}
