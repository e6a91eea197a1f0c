//! The bits of entropy-coded data, up to the next marker (T.81, F.1.2.3 and B.1.1.5).

/// Entropy-coded bytes up to a marker, without the zeros that tell a byte 0xFF of theirs from one.
#[derive(Debug, Default)]
pub(super) struct Interval {
    bytes: Vec<u8>,
    /// Bytes that lie between them and the marker.
    behind: usize,
    /// The marker; `None` where the data end.
    pub(super) marker: Option<u8>,
    /// Where the bytes behind the marker begin.
    pub(super) position: usize,
}

impl Interval {
    /// Reads those that begin at a byte of `data`.
    pub(super) fn read(&mut self, data: &[u8], position: usize) {
        self.bytes.clear();
        (self.behind, self.marker, self.position) = (0, None, data.len());
        let mut rest = data.get(position..).unwrap_or_default();
        let mut has_ended = false;
        while let Some(at) = memchr::memchr(0xFF, rest) {
            let (before, from) = rest.split_at(at);
            self.take(before, has_ended);
            rest = match from {
                [_, 0, behind @ ..] => {
                    self.take(&[0xFF], has_ended);
                    behind
                }
                // Any number of them may stand before a marker.
                [_, 0xFF, ..] => {
                    has_ended = true;
                    from.get(1..).unwrap_or_default()
                }
                [_, marker, behind @ ..] => {
                    self.marker = Some(*marker);
                    self.position = data.len().saturating_sub(behind.len());
                    return;
                }
                _ => {
                    has_ended = true;
                    self.take(from, has_ended);
                    &[]
                }
            };
        }
        self.take(rest, has_ended);
    }

    fn take(&mut self, bytes: &[u8], has_ended: bool) {
        if has_ended {
            self.behind = self.behind.saturating_add(bytes.len());
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Its bits.
    pub(super) fn bits(&self) -> Bits<'_> {
        Bits { bytes: &self.bytes, position: 0, buffer: 0, count: 0 }
    }

    /// Whole bytes between what was read of it and the marker.
    pub(super) fn unused(&self, bits: Bits) -> usize {
        ((bits.left() / 8) as usize).saturating_add(self.behind)
    }
}

/// Reads bits, the most significant first, and zeros behind the last. Small enough for registers, where it stays as long
/// as nobody borrows it.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The next bit is the most significant one.
    buffer: u64,
    /// How many of them count; the others will come again.
    count: u32,
}

impl Bits<'_> {
    /// The bits that come next, at least 56: more than a code and a number behind it.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> u64 {
        self.buffer |= self.word() >> (self.count & 63);
        let taken = 63_u32.wrapping_sub(self.count) / 8;
        self.count = self.count.wrapping_add(taken.wrapping_mul(8));
        self.position = self.position.wrapping_add(taken as usize);
        self.buffer
    }

    /// The eight bytes that come next.
    #[inline(always)]
    fn word(&self) -> u64 {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        match rest.first_chunk() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => last_word(rest),
        }
    }

    /// Drops at most 56 bits that were looked at.
    #[inline(always)]
    pub(super) fn drop(&mut self, count: u32) {
        self.buffer <<= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// Reads at most 16 bits.
    pub(super) fn read(&mut self, count: u32) -> u32 {
        let bits = (self.peek() >> 48) as u32 >> 16_u32.saturating_sub(count);
        self.drop(count);
        bits
    }

    /// The bits that were not read yet; negative where some were read behind the end.
    pub(super) fn left(self) -> i64 {
        let unread = (self.bytes.len() as i64).saturating_sub(self.position as i64).saturating_mul(8);
        unread.saturating_add(self.count.into())
    }
}

/// The bytes before the end, of which there are fewer than eight, and zeros.
#[cold]
fn last_word(rest: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, last) in bytes.iter_mut().zip(rest) {
        *byte = *last;
    }
    u64::from_be_bytes(bytes)
}

/// The number of at most 16 bits that a word begins with: those that begin with 0 are negative (T.81, F.2.2.1).
#[inline(always)]
pub(super) fn number(word: u64, count: u32) -> i32 {
    let value = (word >> 48) as i32 >> 16_u32.saturating_sub(count);
    let below = if word >> 63 == 0 { (1_i32 << count.min(16)).wrapping_sub(1) } else { 0 };
    value.wrapping_sub(below)
}
