//! The bits of entropy-coded data, up to the next marker (T.81, F.2.2.5).

/// The data ended, or a marker came, before the bits did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// Reads bits, the most significant first.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    position: usize,
    /// The next bit is the most significant one; those behind the last are 0.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Begins at a byte of `data`.
    pub(super) fn new(data: &'a [u8], position: usize) -> Self {
        Self { data, position, buffer: 0, count: 0 }
    }

    /// The next 16 bits, with zeros behind the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u16 {
        // As many as a code and a number behind it: one question for both.
        if self.count < 32 {
            self.refill();
        }
        (self.buffer >> 48) as u16
    }

    /// Drops at most 16 bits.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) -> Result<(), Ended> {
        if self.count < count {
            self.refill();
        }
        self.count = self.count.checked_sub(count).ok_or(Ended)?;
        self.buffer <<= count;
        Ok(())
    }

    /// Reads at most 15 bits.
    pub(super) fn read(&mut self, count: u32) -> Result<u32, Ended> {
        let bits = u32::from(self.peek()) >> 16_u32.saturating_sub(count);
        self.skip(count)?;
        Ok(bits)
    }

    /// Reads a number of at most 16 bits: those that begin with 0 are negative (T.81, F.2.2.1).
    #[inline]
    pub(super) fn number(&mut self, count: u32) -> Result<i32, Ended> {
        if self.count < count {
            self.refill();
        }
        let bits = self.buffer;
        self.skip(count)?;
        let value = (bits >> 48) as i32 >> 16_u32.saturating_sub(count);
        let below = if bits >> 63 == 0 { (1_i32 << count.min(16)).wrapping_sub(1) } else { 0 };
        Ok(value.wrapping_sub(below))
    }

    fn refill(&mut self) {
        // Eight bytes at once where no marker and no 0 behind an 0xFF can be among them.
        if let Some(bytes) = self.data.get(self.position..).and_then(|rest| rest.first_chunk::<8>())
            && !bytes.contains(&0xFF)
            && self.count <= 56
        {
            let taken = 64_u32.saturating_sub(self.count) / 8;
            let kept = u64::MAX << (64_u32.saturating_sub(taken.saturating_mul(8)) & 63);
            self.buffer |= (u64::from_be_bytes(*bytes) & kept) >> self.count;
            self.count = self.count.saturating_add(taken.saturating_mul(8));
            self.position = self.position.saturating_add(taken as usize);
            return;
        }
        while self.count <= 56 {
            let Some(&byte) = self.data.get(self.position) else { return };
            let length = match (byte, self.data.get(self.position.saturating_add(1))) {
                (0xFF, Some(0)) => 2, // A byte 0xFF of the data is followed by a 0, so that it is no marker.
                (0xFF, _) => return,
                _ => 1,
            };
            self.position = self.position.saturating_add(length);
            self.buffer |= u64::from(byte) << 56_u32.saturating_sub(self.count);
            self.count = self.count.saturating_add(8);
        }
    }

    /// Leaves the rest of a byte and whatever lies before the next marker. Gives the marker, or `None` where the data
    /// end, and how many whole bytes were left.
    pub(super) fn next_marker(&mut self) -> (Option<u8>, usize) {
        let mut left = (self.count / 8) as usize;
        (self.buffer, self.count) = (0, 0);
        while let Some(&byte) = self.data.get(self.position) {
            self.position = self.position.saturating_add(1);
            let next = self.data.get(self.position).copied();
            match (byte, next) {
                (0xFF, Some(0xFF)) => {} // Any number of them may stand before a marker.
                (0xFF, Some(marker)) if marker != 0 => {
                    self.position = self.position.saturating_add(1);
                    return (Some(marker), left);
                }
                _ => left = left.saturating_add(1),
            }
        }
        (None, left)
    }

    /// The byte behind the marker that was found last.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}
