//! Huffman codes of a JPEG (T.81, annexes C and F.2.2.3).

use super::bits::{Bits, Ended};

/// So many bits are looked up at once. Longer codes are rare.
const LOOKUP_BITS: u32 = 9;

/// The codes of one table.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// For the next `LOOKUP_BITS` bits: length × 256 + value; 0 where the code is longer.
    lookup: Vec<u16>,
    /// For each length from 1: the least number of 16 bits that no code of this length begins.
    ends: [u32; 16],
    /// For each length from 1: what is added to a code to give its place in `values`, modulo 2³².
    offsets: [u32; 16],
    values: Vec<u8>,
}

/// Why no value could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// The data ended, or a marker came.
    Ended,
    /// No code begins like this.
    NoCode,
}

impl From<Ended> for NoValue {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl Huffman {
    /// Codes from how many there are of each length, and their values in order. `None` where there are more codes than
    /// their lengths allow, or fewer values than codes.
    pub(super) fn new(counts: [u8; 16], values: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: vec![0; 1 << LOOKUP_BITS],
            ends: [0; 16],
            offsets: [0; 16],
            values: values.to_vec(),
        };
        let (mut code, mut place) = (0_u32, 0_u32);
        let lengths = (1_u32..).zip(counts).zip(table.ends.iter_mut().zip(&mut table.offsets));
        for ((length, count), (end, offset)) in lengths {
            *offset = place.wrapping_sub(code);
            for _ in 0..count {
                let value = *values.get(place as usize)?;
                if code >> length != 0 {
                    return None;
                }
                if let Some(free) = LOOKUP_BITS.checked_sub(length) {
                    let start = (code << free) as usize;
                    let entries = table.lookup.iter_mut().skip(start).take(1 << free);
                    entries.for_each(|entry| *entry = (length as u16) << 8 | u16::from(value));
                }
                (code, place) = (code.wrapping_add(1), place.wrapping_add(1));
            }
            *end = code << 16_u32.saturating_sub(length);
            code <<= 1;
        }
        Some(table)
    }

    /// Reads one code.
    #[inline]
    pub(super) fn read(&self, bits: &mut Bits) -> Result<u8, NoValue> {
        let next = bits.peek();
        let entry = self.lookup.get(usize::from(next >> (16 - LOOKUP_BITS))).copied().unwrap_or(0);
        if entry != 0 {
            bits.skip(u32::from(entry >> 8))?;
            return Ok((entry & 0xFF) as u8);
        }
        self.read_long(bits, next.into())
    }

    /// Reads a code that is longer than what is looked up, or none.
    #[cold]
    fn read_long(&self, bits: &mut Bits, next: u32) -> Result<u8, NoValue> {
        let lengths = (1_u32..).zip(self.ends.iter().zip(&self.offsets));
        for (length, (end, offset)) in lengths {
            if next < *end {
                bits.skip(length)?;
                let place = (next >> 16_u32.saturating_sub(length)).wrapping_add(*offset);
                return self.values.get(place as usize).copied().ok_or(NoValue::NoCode);
            }
        }
        // Zeros behind the end may be no code either.
        bits.skip(16)?;
        Err(NoValue::NoCode)
    }
}
