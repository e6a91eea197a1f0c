//! A JPEG from its first marker to its last.

use std::fmt;

use super::JpegError;
use super::frame::Frame;
use super::huffman::Huffman;
use super::progressive::Nonzero;
use super::reduce::{Reduced, Reduction};
use super::scan::{Nothing, Scan, Sink, Tables};

/// More scans than this are the decoder's to refuse: each can make it go through the whole picture.
const MOST_SCANS: usize = 100;

/// What decodes and yet looks damaged: a doubt for a person, not a reason to leave the photograph out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Bytes of the entropy-coded data that no block needed.
    UnusedBytes(usize),
    /// A progressive picture whose last scans are missing: it is coarser than it was.
    CoarseScans,
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusedBytes(count) => write!(
                formatter,
                "{count} bytes of the JPEG's scans belong to no block: a part of the picture may be damaged"
            ),
            Self::CoarseScans => formatter.write_str(
                "the last scans of the progressive JPEG are missing: the picture is coarser than it was",
            ),
        }
    }
}

/// Walks a whole JPEG and says what is wrong with it, or doubtful. Codings that are not known here are not judged.
pub(in crate::decode) fn walk(bytes: &[u8]) -> Result<Option<Doubt>, JpegError> {
    walk_into(bytes, &mut Nothing)
}

/// Walks a whole JPEG, and makes a picture of it whose sides are a `divisor`th, which is 2, 4 or 8; none where that is not
/// known how.
pub(in crate::decode) fn reduced(
    bytes: &[u8],
    divisor: u16,
) -> Result<(Option<Doubt>, Option<Reduced>), JpegError> {
    let mut reduction = Reduction::new(divisor);
    let doubt = walk_into(bytes, &mut reduction)?;
    Ok((doubt, reduction.picture()))
}

fn walk_into(bytes: &[u8], sink: &mut impl Sink) -> Result<Option<Doubt>, JpegError> {
    let mut walker = Walker::default();
    let mut position = 2;
    loop {
        let Some((marker, next)) = next_marker(bytes, position) else { return Err(JpegError::NoEnd) };
        match marker {
            0xD9 => return walker.finish(),
            // A frame header as well: the marker before it may lie in a segment that was cut.
            0xD8 | 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if walker.scans > 0 => {
                return Err(JpegError::BeginsAnew);
            }
            0x01 | 0xD0..=0xD8 => position = next,
            _ => {
                let Some(segment) = segment(bytes, next) else { return Err(JpegError::NoEnd) };
                position = next.saturating_add(2).saturating_add(segment.len());
                if marker == 0xDA {
                    match walker.scan(bytes, segment, position, sink)? {
                        Some(behind) => position = behind,
                        // Not judged, but its end has to come.
                        None if has_end(bytes, position) => {
                            sink.not_judged();
                            return Ok(None);
                        }
                        None => return Err(JpegError::NoEnd),
                    }
                } else {
                    walker.header(marker, segment);
                    sink.header(marker, segment);
                }
            }
        }
    }
}

/// The next marker from a position on, and where what is behind it begins. Bytes that are none are passed over, as
/// decoders do.
fn next_marker(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    let pairs = bytes.get(position..)?.windows(2);
    let found = pairs.enumerate().find_map(|(index, pair)| match pair {
        [0xFF, marker @ (0x01..=0xFE)] => Some((*marker, index)),
        _ => None,
    });
    found.map(|(marker, index)| (marker, position.saturating_add(index).saturating_add(2)))
}

/// What a segment holds behind its length, which begins at `position`.
fn segment(bytes: &[u8], position: usize) -> Option<&[u8]> {
    let rest = bytes.get(position..)?;
    let [high, low, ..] = rest else { return None };
    rest.get(2..usize::from(u16::from_be_bytes([*high, *low])).max(2))
}

fn has_end(bytes: &[u8], position: usize) -> bool {
    bytes.get(position..).is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xFF, 0xD9]))
}

#[derive(Default)]
struct Walker {
    frame: Option<Frame>,
    tables: Tables,
    restart_interval: u64,
    nonzero: Vec<Nonzero>,
    /// For each component, the lowest bit that a scan told of each of its 64 numbers; none was told at first.
    told: Vec<[Option<u8>; 64]>,
    scans: usize,
    unused: usize,
}

impl Walker {
    fn header(&mut self, marker: u8, segment: &[u8]) {
        match (marker, segment) {
            (0xC0..=0xC2, _) if self.scans == 0 => {
                self.frame = Frame::read(marker, segment);
                let count = self.frame.as_ref().map_or(0, |frame| frame.components.len());
                self.nonzero = (0..count).map(|_| Nonzero::default()).collect();
                self.told = vec![[None; 64]; count];
            }
            // Lossless, hierarchical and arithmetic coding.
            (0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF, _) => self.frame = None,
            (0xC4, _) => self.define_tables(segment),
            (0xDD, [high, low, ..]) => self.restart_interval = u16::from_be_bytes([*high, *low]).into(),
            _ => {}
        }
    }

    fn define_tables(&mut self, mut segment: &[u8]) {
        while let Some((number, rest)) = segment.split_first() {
            let Some((counts, rest)) = rest.split_first_chunk::<16>() else { return };
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let Some((values, rest)) = rest.split_at_checked(total) else { return };
            let tables =
                if number >> 4 == 0 { &mut self.tables.direct } else { &mut self.tables.alternating };
            if let Some(table) = tables.get_mut(usize::from(number & 15)) {
                *table = Huffman::new(*counts, values);
            }
            segment = rest;
        }
    }

    /// Walks a scan whose data begin at `position`, and gives where its end marker stands; `None` for one that is not
    /// judged.
    fn scan(
        &mut self,
        bytes: &[u8],
        header: &[u8],
        position: usize,
        sink: &mut impl Sink,
    ) -> Result<Option<usize>, JpegError> {
        self.scans = self.scans.saturating_add(1);
        let Some(frame) = &self.frame else { return Ok(None) };
        let Some(scan) = Scan::read(header, frame) else { return Ok(None) };
        let is_known = frame.is_progressive || scan.has_tables(&self.tables);
        if !is_known || self.scans > MOST_SCANS {
            return Ok(None);
        }
        let end =
            scan.walk(bytes, position, frame, &self.tables, self.restart_interval, &mut self.nonzero, sink)?;
        self.unused = self.unused.saturating_add(end.left);
        let band =
            if frame.is_progressive { (scan.band.first, scan.band.last, scan.band.low) } else { (0, 63, 0) };
        for (place, ..) in &scan.parts {
            let told = self.told.get_mut(*place).into_iter().flatten();
            let count = usize::from(band.1.saturating_sub(band.0)).saturating_add(1);
            let numbers = told.skip(usize::from(band.0)).take(count);
            numbers.for_each(|low| *low = Some(band.2));
        }
        match end.marker {
            None => Err(JpegError::NoEnd),
            Some(_) => Ok(Some(end.position.saturating_sub(2))),
        }
    }

    fn finish(self) -> Result<Option<Doubt>, JpegError> {
        let components = self.frame.iter().flat_map(|frame| &frame.components);
        let mut is_coarse = false;
        for (component, told) in components.zip(&self.told) {
            if told.first().is_none_or(Option::is_none) {
                return Err(JpegError::NoScan(component.id));
            }
            is_coarse |= told.iter().any(|low| *low != Some(0));
        }
        Ok(match self.unused {
            0 if is_coarse => Some(Doubt::CoarseScans),
            0 => None,
            count => Some(Doubt::UnusedBytes(count)),
        })
    }
}
