//! Whether a JPEG holds every block that its frame header promises.
//!
//! Decoders fill what is missing with grey or with whatever zero bits stand for, and say nothing; a photograph whose
//! download was cut off would become features like any other. So the entropy-coded data are walked, without their
//! arithmetic, before they are decoded: ITU-T T.81, sequential (SOF0, SOF1) and progressive (SOF2) Huffman coding of
//! eight bits. What else there is, the decoder refuses by itself.

mod bits;
mod frame;
mod huffman;
mod inverse;
mod progressive;
mod reduce;
mod scan;
mod skips;
mod walk;

#[cfg(test)]
mod tests;

pub use walk::Doubt;
pub(super) use walk::{reduced, walk};

/// What is wrong with a JPEG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JpegError {
    /// The file ends before its picture does.
    #[error("expected a whole JPEG, found no end-of-image marker: the file is truncated")]
    NoEnd,
    /// Another picture begins before this one has ended: a download that was begun anew.
    #[error("expected a whole JPEG, found another one before its end: the file is truncated and begins anew")]
    BeginsAnew,
    /// A scan has fewer blocks than the frame header says.
    #[error(
        "expected {expected} blocks in a scan of the JPEG, found {found}: the file is truncated or its size is forged"
    )]
    MissingBlocks {
        /// Blocks of 8 × 8 numbers in the scan.
        found: u64,
        /// Those that it should hold.
        expected: u64,
    },
    /// Bits that no Huffman code begins with.
    #[error(
        "expected a Huffman code after {found} of {expected} blocks in a scan of the JPEG, found none: the file is damaged"
    )]
    NoCode {
        /// Blocks that were whole.
        found: u64,
        /// Those that the scan should hold.
        expected: u64,
    },
    /// A part of the picture has no scan at all.
    #[error(
        "expected a scan of every component of the JPEG, found none of component {0}: the file is truncated"
    )]
    NoScan(u8),
}
