//! Huffman codes of a JPEG (T.81, annexes C and F.2.2.3).

use super::bits::Bits;

/// So many bits are looked up at once. Longer codes are rare.
const LOOKUP_BITS: u32 = 10;

/// The codes of one table.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// For the next `LOOKUP_BITS` bits; 0 where the code is longer.
    lookup: Box<[Entry; 1 << LOOKUP_BITS]>,
    /// For each length from 1: the least number of 16 bits that no code of this length begins.
    ends: [u32; 16],
    /// For each length from 1: what is added to a code to give its place in `values`, modulo 2³².
    offsets: [u32; 16],
    values: Vec<u8>,
}

/// A code and what it stands for. Aligned, so that one load reads all of it.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(4))]
struct Entry {
    value: u8,
    /// Bits of the code; 0 where there is none.
    length: u8,
    /// The same with the number behind it, whose bits the low half of the value counts.
    length_with_number: u8,
}

impl Entry {
    fn new(length: u32, value: u8) -> Self {
        let length = length as u8; // At most 16.
        Self { value, length, length_with_number: length.wrapping_add(value & 15) }
    }
}

/// No code begins like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoCode;

impl Huffman {
    /// Codes from how many there are of each length, and their values in order. `None` where there are more codes than
    /// their lengths allow, or fewer values than codes.
    pub(super) fn new(counts: [u8; 16], values: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: Box::new([Entry::default(); 1 << LOOKUP_BITS]),
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
                    entries.for_each(|entry| *entry = Entry::new(length, value));
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
    pub(super) fn read(&self, bits: &mut Bits) -> Result<u8, NoCode> {
        let Entry { value, length, .. } = self.next(bits.peek())?;
        bits.drop(length.into());
        Ok(value)
    }

    /// Reads one code and the number behind it, whose bits the low half of the code's value counts: the value, and a word
    /// that begins with the number.
    #[inline(always)]
    pub(super) fn read_with_number(&self, bits: &mut Bits) -> Result<(u8, u64), NoCode> {
        let word = bits.peek();
        let Entry { value, length, length_with_number } = self.next(word)?;
        bits.drop(length_with_number.into());
        Ok((value, word << (length & 63)))
    }

    /// The value of the code that a word begins with, and the bits of it and of the number behind it; `None` for one that
    /// is longer than what is looked up, or for none.
    pub(super) fn short(&self, word: u64) -> Option<(u8, u8)> {
        let entry = self.lookup.get((word >> (64 - LOOKUP_BITS)) as usize)?;
        (entry.length > 0).then_some((entry.value, entry.length_with_number))
    }

    /// The code that a word begins with.
    #[inline(always)]
    fn next(&self, word: u64) -> Result<Entry, NoCode> {
        match self.lookup.get((word >> (64 - LOOKUP_BITS)) as usize) {
            Some(entry) if entry.length > 0 => Ok(*entry),
            _ => self.next_long((word >> 48) as u32),
        }
    }

    /// That of a code that is longer than what is looked up.
    #[cold]
    fn next_long(&self, next: u32) -> Result<Entry, NoCode> {
        let mut lengths = (1_u32..).zip(self.ends.iter().zip(&self.offsets));
        let (length, (_, offset)) = lengths.find(|(_, (end, _))| next < **end).ok_or(NoCode)?;
        let place = (next >> 16_u32.saturating_sub(length)).wrapping_add(*offset);
        self.values.get(place as usize).map(|value| Entry::new(length, *value)).ok_or(NoCode)
    }
}
