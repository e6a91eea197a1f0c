//! One scan: its header, and its blocks one after another (T.81, B.2.3, E.2 and F.2).

use super::JpegError;
use super::bits::Bits;
use super::frame::{Component, Frame};
use super::huffman::{Huffman, NoValue};
use super::progressive::{Band, Nonzero};

/// The Huffman tables that were defined so far, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) direct: [Option<Huffman>; 4],
    pub(super) alternating: [Option<Huffman>; 4],
}

/// A scan's header.
#[derive(Debug)]
pub(super) struct Scan {
    /// The place of each component in the frame, and the numbers of its tables.
    pub(super) parts: Vec<(usize, Component, usize, usize)>,
    pub(super) band: Band,
}

/// What becomes of the numbers of sequential scans, block by block. `place` is the component's in the frame.
pub(super) trait Sink {
    /// A segment that is no scan's.
    fn header(&mut self, _marker: u8, _segment: &[u8]) {}

    /// A scan begins.
    fn begin(&mut self, _frame: &Frame, _scan: &Scan) {}

    /// By how much the mean of a block is above that of the component's block before it.
    fn mean(&mut self, _place: usize, _difference: i32) {}

    /// One of the 63 other numbers of that block, in zigzag order; those that do not come are zero. A damaged block has
    /// some beyond the last.
    fn number(&mut self, _place: usize, _zigzag: u32, _value: i32) {}

    /// The block is whole: a unit's, counted in the scan, and there one of the component's.
    fn end(&mut self, _place: usize, _unit: u64, _block: u64) {}

    /// Means begin at 0 again.
    fn restart(&mut self) {}

    /// The rest of the picture is left to a decoder.
    fn not_judged(&mut self) {}
}

/// Nothing becomes of them.
#[derive(Debug)]
pub(super) struct Nothing;

impl Sink for Nothing {}

/// How a scan ended.
pub(super) struct ScanEnd {
    /// The marker behind it; `None` where the data end.
    pub(super) marker: Option<u8>,
    /// Whole bytes between its last block and that marker.
    pub(super) left: usize,
    /// Where the bytes behind the marker begin.
    pub(super) position: usize,
}

impl Scan {
    /// Reads the bytes behind the segment's length. `None` where a decoder has to judge.
    pub(super) fn read(segment: &[u8], frame: &Frame) -> Option<Self> {
        let (count, rest) = segment.split_first()?;
        let (parts, rest) = rest.split_at_checked(usize::from(*count).saturating_mul(2))?;
        let [first, last, approximation, ..] = rest else { return None };
        let part = |bytes: &[u8]| {
            let [id, tables] = bytes else { return None };
            let place = frame.components.iter().position(|component| component.id == *id)?;
            let component = *frame.components.get(place)?;
            Some((place, component, usize::from(tables >> 4), usize::from(tables & 15)))
        };
        let parts = parts.chunks_exact(2).map(part).collect::<Option<Vec<_>>>()?;
        let band =
            Band { first: *first, last: (*last).min(63), high: approximation >> 4, low: approximation & 15 };
        // Only one component's blocks can be coded by their frequencies.
        let is_sound = !parts.is_empty() && (!frame.is_progressive || band.first == 0 || parts.len() == 1);
        is_sound.then_some(Self { parts, band })
    }

    /// Whether all tables are defined that a sequential scan needs. Frames of a film leave them out, and decoders know
    /// which are meant.
    pub(super) fn has_tables(&self, tables: &Tables) -> bool {
        let has = |kind: &[Option<Huffman>; 4], number: usize| table(kind, number).is_some();
        self.parts.iter().all(|(_, _, direct, alternating)| {
            has(&tables.direct, *direct) && has(&tables.alternating, *alternating)
        })
    }

    /// The units that the scan has to hold, and the blocks of one for each part.
    fn size(&self, frame: &Frame) -> (u64, Vec<u64>) {
        match &self.parts[..] {
            [(_, component, _, _)] => (area(frame.blocks(*component)), vec![1]),
            parts => {
                let blocks = |component: &Component| {
                    u64::from(component.horizontal).saturating_mul(component.vertical.into())
                };
                (area(frame.units()), parts.iter().map(|(_, component, _, _)| blocks(component)).collect())
            }
        }
    }

    /// Walks all blocks, which begin at a byte of `data`. Those of sequential scans go into `sink`.
    #[expect(
        clippy::too_many_arguments,
        reason = "what the headers said so far, and what is kept from scan to scan"
    )]
    pub(super) fn walk(
        &self,
        data: &[u8],
        position: usize,
        frame: &Frame,
        tables: &Tables,
        restart_interval: u64,
        nonzero: &mut [Nonzero],
        sink: &mut impl Sink,
    ) -> Result<ScanEnd, JpegError> {
        sink.begin(frame, self);
        let mut bits = Bits::new(data, position);
        let (units, blocks) = self.size(frame);
        let per_unit: u64 = blocks.iter().sum();
        let expected = units.saturating_mul(per_unit);
        let mut run = 0; // Blocks that hold nothing any more, by the end-of-band run that was read last.
        let mut found = 0_u64;
        for unit in 0..units {
            if unit > 0 && unit.checked_rem(restart_interval) == Some(0) {
                run = 0;
                sink.restart();
                match bits.next_marker() {
                    (Some(0xD0..=0xD7), _) => {}
                    (marker, _) => return Err(missing(marker, found, expected)),
                }
            }
            for ((place, _, direct, alternating), count) in self.parts.iter().zip(&blocks) {
                let tables = (table(&tables.direct, *direct), table(&tables.alternating, *alternating));
                for block in 0..*count {
                    let result = if frame.is_progressive {
                        let history = if self.band.first > 0 { nonzero.get_mut(*place) } else { None };
                        self.band.block(&mut bits, tables, &mut run, history.and_then(|all| all.at(found)))
                    } else {
                        sequential_block(&mut bits, tables, sink, *place)
                    };
                    match result {
                        Ok(()) => {
                            sink.end(*place, unit, block);
                            found = found.saturating_add(1);
                        }
                        Err(NoValue::NoCode) => return Err(JpegError::NoCode { found, expected }),
                        Err(NoValue::Ended) => return Err(missing(bits.next_marker().0, found, expected)),
                    }
                }
            }
        }
        let (mut marker, left) = bits.next_marker();
        while let Some(0xD0..=0xD7) = marker {
            marker = bits.next_marker().0; // Some encoders write one behind the last interval.
        }
        Ok(ScanEnd { marker, left, position: bits.position() })
    }
}

fn table(tables: &[Option<Huffman>; 4], number: usize) -> Option<&Huffman> {
    tables.get(number).and_then(Option::as_ref)
}

fn missing(marker: Option<u8>, found: u64, expected: u64) -> JpegError {
    match marker {
        None => JpegError::NoEnd,
        Some(0xD8) => JpegError::BeginsAnew,
        Some(_) => JpegError::MissingBlocks { found, expected },
    }
}

/// A block of 64 numbers: the mean, and the others with the runs of zeros before them (T.81, F.1.2).
fn sequential_block(
    bits: &mut Bits,
    (direct, alternating): (Option<&Huffman>, Option<&Huffman>),
    sink: &mut impl Sink,
    place: usize,
) -> Result<(), NoValue> {
    let (direct, alternating) = (direct.ok_or(NoValue::NoCode)?, alternating.ok_or(NoValue::NoCode)?);
    let size = u32::from(direct.read(bits)?.min(16));
    sink.mean(place, bits.number(size)?);
    let mut index = 1_u32;
    while index < 64 {
        let value = alternating.read(bits)?;
        let (zeros, size) = (u32::from(value >> 4), u32::from(value & 15));
        if size == 0 && zeros < 15 {
            break;
        }
        index = index.saturating_add(zeros);
        sink.number(place, index, bits.number(size)?);
        index = index.saturating_add(1);
    }
    Ok(())
}

fn area([across, down]: [u64; 2]) -> u64 {
    across.saturating_mul(down)
}
