//! Blocks whose numbers come in several scans, by frequency and by bit (T.81, annex G).

use super::bits::Bits;
use super::huffman::{Huffman, NoCode};

/// Which numbers of each block a scan tells, and which of their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Band {
    /// The first of the 64 numbers, in zigzag order; 0 is the mean.
    pub(super) first: u8,
    pub(super) last: u8,
    /// The bit that was told before; 0 where this is the first scan of the band.
    pub(super) high: u8,
    /// The bit that is told now.
    pub(super) low: u8,
}

/// Which numbers of each block of a component are not zero, a bit each: what a refining scan says of a block depends on
/// it. Grows with the blocks that were met, not with what a header promises.
#[derive(Debug, Default)]
pub(super) struct Nonzero(Vec<u64>);

impl Nonzero {
    /// That of a block, by its number in the component.
    pub(super) fn at(&mut self, block: u64) -> Option<&mut u64> {
        let block = usize::try_from(block).ok()?;
        if block >= self.0.len() {
            self.0.resize(block.checked_add(1)?, 0);
        }
        self.0.get_mut(block)
    }
}

impl Band {
    /// Walks one block. `run` is how many blocks from this one on hold nothing new.
    pub(super) fn block(
        self,
        bits: &mut Bits,
        (direct, alternating): (Option<&Huffman>, Option<&Huffman>),
        run: &mut u32,
        nonzero: Option<&mut u64>,
    ) -> Result<(), NoCode> {
        match (self.first, self.high, nonzero) {
            (0, 0, _) => {
                let size = direct.ok_or(NoCode)?.read(bits)?;
                bits.read(u32::from(size.min(16)));
                Ok(())
            }
            (0, ..) => {
                bits.read(1);
                Ok(())
            }
            (.., None) => Err(NoCode),
            (_, 0, Some(nonzero)) => self.first_of(bits, alternating.ok_or(NoCode)?, run, nonzero),
            (.., Some(nonzero)) => self.refine(bits, alternating.ok_or(NoCode)?, run, nonzero),
        }
    }

    /// The first bits of a band (G.1.2.2).
    fn first_of(
        self,
        bits: &mut Bits,
        codes: &Huffman,
        run: &mut u32,
        nonzero: &mut u64,
    ) -> Result<(), NoCode> {
        if let Some(left) = run.checked_sub(1) {
            *run = left;
            return Ok(());
        }
        let mut index = u32::from(self.first);
        while index <= u32::from(self.last) {
            let value = codes.read(bits)?;
            let (zeros, size) = (u32::from(value >> 4), u32::from(value & 15));
            if size == 0 && zeros < 15 {
                *run = end_of_band(bits, zeros).saturating_sub(1); // This block is one of them.
                break;
            }
            index = index.saturating_add(zeros);
            if size > 0 {
                bits.read(size);
                set(nonzero, index);
            }
            index = index.saturating_add(1);
        }
        Ok(())
    }

    /// One more bit of each number of a band (G.1.2.3).
    fn refine(
        self,
        bits: &mut Bits,
        codes: &Huffman,
        run: &mut u32,
        nonzero: &mut u64,
    ) -> Result<(), NoCode> {
        let mut index = u32::from(self.first);
        while *run == 0 && index <= u32::from(self.last) {
            let value = codes.read(bits)?;
            let (zeros, size) = (u32::from(value >> 4), u32::from(value & 15));
            if size == 0 && zeros < 15 {
                *run = end_of_band(bits, zeros);
                break;
            }
            if size > 0 {
                bits.read(1); // Its sign.
            }
            index = self.correct(bits, index, Some(zeros), *nonzero);
            if size > 0 {
                set(nonzero, index);
            }
            index = index.saturating_add(1);
        }
        if let Some(left) = run.checked_sub(1) {
            self.correct(bits, index, None, *nonzero);
            *run = left;
        }
        Ok(())
    }

    /// Skips the bit of each number that is not zero, from `index` on, until so many zeros have been passed; gives the
    /// place behind them.
    fn correct(self, bits: &mut Bits, mut index: u32, zeros: Option<u32>, nonzero: u64) -> u32 {
        let mut left = zeros;
        while index <= u32::from(self.last) {
            if nonzero >> index & 1 == 1 {
                bits.read(1);
            } else if let Some(zeros) = left {
                match zeros.checked_sub(1) {
                    Some(fewer) => left = Some(fewer),
                    None => break,
                }
            }
            index = index.saturating_add(1);
        }
        index
    }
}

/// The blocks of an end-of-band run: 2^size and as many more as `size` bits say.
fn end_of_band(bits: &mut Bits, size: u32) -> u32 {
    (1_u32 << size).saturating_add(bits.read(size))
}

fn set(nonzero: &mut u64, index: u32) {
    *nonzero |= 1_u64.checked_shl(index).unwrap_or(0);
}
