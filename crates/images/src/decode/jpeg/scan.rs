//! One scan: its header, and its blocks one after another (T.81, B.2.3, E.2 and F.2).

use super::JpegError;
use super::bits::{Bits, Interval, number};
use super::frame::{Component, Frame};
use super::huffman::{Huffman, NoCode};
use super::progressive::{Band, Nonzero};
use super::skips::Skips;

/// A scan of fewer blocks is walked before a table for passing over their numbers is made.
const MANY_BLOCKS: u64 = 20_000;

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

    /// The last number of a component's blocks that is asked for, in zigzag order.
    fn last(&self, _place: usize) -> u32 {
        0
    }

    /// One of the 63 other numbers of that block up to the last that is asked for, in zigzag order; those that do not come
    /// are zero.
    fn number(&mut self, _place: usize, _zigzag: u32, _value: i32) {}

    /// The block is whole: where it lies in its component, in blocks across and down.
    fn end(&mut self, _place: usize, _at: [u64; 2]) {}

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

    /// The units that the scan has to hold, across and down, and the blocks of one for each part.
    fn size(&self, frame: &Frame) -> ([u64; 2], Vec<[u64; 2]>) {
        match &self.parts[..] {
            [(_, component, _, _)] => (frame.blocks(*component), vec![[1, 1]]),
            parts => {
                let blocks = |(_, component, _, _): &(usize, Component, usize, usize)| {
                    [component.horizontal.into(), component.vertical.into()]
                };
                (frame.units(), parts.iter().map(blocks).collect())
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
        let ([units_across, units_down], blocks) = self.size(frame);
        let per_unit: u64 = blocks.iter().copied().map(area).sum();
        let expected = area([units_across, units_down]).saturating_mul(per_unit);
        let parts = self.parts.iter().zip(blocks).map(|((place, _, direct, alternating), blocks)| {
            let tables = (table(&tables.direct, *direct), table(&tables.alternating, *alternating));
            let skips = tables.1.filter(|_| !frame.is_progressive && expected >= MANY_BLOCKS).map(Skips::new);
            (*place, tables, skips, blocks)
        });
        let parts: Vec<_> = parts.collect();
        let mut run = 0; // Blocks that hold nothing any more, by the end-of-band run that was read last.
        let mut found = 0_u64;
        let mut since_restart = 0_u64;
        let mut interval = Interval::default();
        interval.read(data, position);
        let mut bits = interval.bits();
        for [x, y] in places([units_across, units_down]) {
            if restart_interval > 0 && since_restart == restart_interval {
                (run, since_restart) = (0, 0);
                sink.restart();
                match interval.marker {
                    Some(0xD0..=0xD7) => interval.read(data, interval.position),
                    marker => return Err(missing(marker, found, expected)),
                }
                bits = interval.bits();
            }
            since_restart = since_restart.saturating_add(1);
            for (place, tables, skips, [across, down]) in &parts {
                for [block_x, block_y] in places([*across, *down]) {
                    let result = if frame.is_progressive {
                        let history = if self.band.first > 0 { nonzero.get_mut(*place) } else { None };
                        let history = history.and_then(|all| all.at(found));
                        let mut lent = bits;
                        let result = self.band.block(&mut lent, *tables, &mut run, history);
                        bits = lent;
                        result
                    } else {
                        sequential_block(&mut bits, *tables, skips.as_ref(), sink, *place)
                    };
                    // What lies behind the end are zeros, which may be codes.
                    let left = bits.left();
                    if left < 0 || result.is_err() && left < 16 {
                        return Err(missing(interval.marker, found, expected));
                    }
                    let Ok(()) = result else { return Err(JpegError::NoCode { found, expected }) };
                    let at = |unit: u64, blocks: u64, block: u64| {
                        unit.saturating_mul(blocks).saturating_add(block)
                    };
                    sink.end(*place, [at(x, *across, block_x), at(y, *down, block_y)]);
                    found = found.saturating_add(1);
                }
            }
        }
        let left = interval.unused(bits);
        while let Some(0xD0..=0xD7) = interval.marker {
            interval.read(data, interval.position); // Some encoders write one behind the last interval.
        }
        Ok(ScanEnd { marker: interval.marker, left, position: interval.position })
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
#[inline(always)]
fn sequential_block(
    bits: &mut Bits,
    (direct, alternating): (Option<&Huffman>, Option<&Huffman>),
    skips: Option<&Skips>,
    sink: &mut impl Sink,
    place: usize,
) -> Result<(), NoCode> {
    let (direct, alternating) = (direct.ok_or(NoCode)?, alternating.ok_or(NoCode)?);
    let size = u32::from(direct.read(bits)?.min(16));
    let word = bits.peek();
    bits.drop(size);
    sink.mean(place, number(word, size));
    let last = sink.last(place);
    let mut index = 1_u32;
    while index < 64 {
        if index > last
            && let Some((behind, ends)) = skips.and_then(|skips| skips.skip(bits, index))
        {
            index = behind;
            if ends {
                break;
            }
            continue;
        }
        let (value, word) = alternating.read_with_number(bits)?;
        let (zeros, size) = (u32::from(value >> 4), u32::from(value & 15));
        if size == 0 && zeros < 15 {
            break;
        }
        index = index.saturating_add(zeros);
        if index <= last {
            sink.number(place, index, number(word, size));
        }
        index = index.saturating_add(1);
    }
    Ok(())
}

/// All places of a rectangle, row by row.
fn places([across, down]: [u64; 2]) -> impl Iterator<Item = [u64; 2]> {
    (0..down).flat_map(move |y| (0..across).map(move |x| [x, y]))
}

fn area([across, down]: [u64; 2]) -> u64 {
    across.saturating_mul(down)
}
