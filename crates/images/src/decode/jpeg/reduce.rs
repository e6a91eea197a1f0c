//! A JPEG at a half, a quarter or an eighth of its size: the lowest frequencies of its blocks, as they are walked.
//!
//! For a picture that is made much smaller anyway, the other frequencies would be computed to be averaged out again.

use super::frame::{Component, Frame};
use super::inverse::{Block, Cosines, ZIGZAG, level, scale};
use super::scan::{Scan, Sink};

/// RGB pixels of a picture at a part of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Reduced {
    /// In pixels, of which the last may lie over the edge of the picture by a part.
    pub(in crate::decode) width: u32,
    /// The same.
    pub(in crate::decode) height: u32,
    /// [height, width, 3]
    pub(in crate::decode) pixels: Vec<u8>,
}

/// What is read so far. Codings and colours that are not known here give no picture.
#[derive(Debug)]
pub(super) struct Reduction {
    /// 2, 4 or 8.
    divisor: u16,
    /// For each number of a table, the factor of each place of a block.
    factors: [Option<Box<Block<f32>>>; 4],
    cosines: Cosines,
    frame: Option<Frame>,
    planes: Vec<Plane>,
    is_known: bool,
}

/// The pixels of one component.
#[derive(Debug)]
struct Plane {
    /// Pixels of a block, across and down.
    sides: [usize; 2],
    stride: usize,
    pixels: Vec<u8>,
    factors: Box<Block<f32>>,
    /// The last number in zigzag order that pixels depend on.
    last: u32,
    mean: i32,
    block: Block<i32>,
    /// Whether no number but the mean was met in the block.
    is_flat: bool,
}

impl Reduction {
    pub(super) fn new(divisor: u16) -> Self {
        Self {
            divisor,
            factors: Default::default(),
            cosines: Cosines::new(),
            frame: None,
            planes: Vec::new(),
            is_known: true,
        }
    }

    fn give_up(&mut self) {
        self.is_known = false;
        self.planes = Vec::new();
    }

    /// Of a scan's components.
    fn planes(&mut self, frame: &Frame, scan: &Scan) -> Option<()> {
        let has_colours = match frame.components.as_slice() {
            [_] => true,
            // Some programs name the colours of an RGB picture.
            [red, green, blue] => [red.id, green.id, blue.id] != *b"RGB",
            _ => false,
        };
        if frame.is_progressive || !has_colours || self.frame.as_ref().is_some_and(|known| known != frame) {
            return None;
        }
        if self.frame.is_none() {
            let planes = frame.components.iter().map(|component| self.plane(frame, *component));
            self.planes = planes.collect::<Option<_>>()?;
            self.frame = Some(frame.clone());
        }
        for (place, component, ..) in &scan.parts {
            let factors = self.factors.get(usize::from(component.quantization))?.clone()?;
            let plane = self.planes.get_mut(*place)?;
            (plane.factors, plane.mean) = (factors, 0);
        }
        Some(())
    }

    /// Room for a component; none where its blocks would have other sides than 1, 2, 4 or 8 pixels.
    fn plane(&self, frame: &Frame, component: Component) -> Option<Plane> {
        let of_block = 8_u16.checked_div(self.divisor)?;
        let side = |greatest: u8, own: u8| {
            let coarser =
                greatest.checked_div(own).filter(|times| times.checked_mul(own) == Some(greatest))?;
            let side = of_block.checked_mul(coarser.into())?;
            matches!(side, 1 | 2 | 4 | 8).then_some(usize::from(side))
        };
        let ([widest, highest], [across, down]) = (frame.greatest(), frame.units());
        let sides = [side(widest, component.horizontal)?, side(highest, component.vertical)?];
        let pixels = |units: u64, blocks: u8, side: usize| {
            usize::try_from(units).ok()?.checked_mul(blocks.into())?.checked_mul(side)
        };
        let stride = pixels(across, component.horizontal, sides[0])?;
        let rows = pixels(down, component.vertical, sides[1])?;
        Some(Plane {
            sides,
            stride,
            pixels: vec![0; stride.checked_mul(rows)?],
            factors: Box::new([0.0; 64]),
            last: last(sides),
            mean: 0,
            block: [0; 64],
            is_flat: true,
        })
    }

    /// The picture, when all of it was read.
    pub(super) fn picture(self) -> Option<Reduced> {
        let frame = self.frame.filter(|_| self.is_known)?;
        let (width, height) = (frame.width.div_ceil(self.divisor), frame.height.div_ceil(self.divisor));
        let across = usize::from(width);
        let bytes = across.checked_mul(3)?;
        let mut pixels = Vec::with_capacity(bytes.checked_mul(height.into())?);
        match self.planes.as_slice() {
            [grey] => {
                for row in grey.pixels.chunks_exact(grey.stride).take(height.into()) {
                    pixels.extend(row.get(..across)?.iter().flat_map(|&grey| [grey; 3]));
                }
            }
            [luma, blue, red] => {
                pixels.resize(bytes.checked_mul(height.into())?, 0);
                let lines = luma.pixels.chunks_exact(luma.stride).zip(blue.pixels.chunks_exact(blue.stride));
                let lines = lines.zip(red.pixels.chunks_exact(red.stride));
                for (row, ((luma, blue), red)) in pixels.chunks_exact_mut(bytes).zip(lines) {
                    let (row, _) = row.as_chunks_mut::<3>();
                    let (luma, blue, red) = (luma.get(..across)?, blue.get(..across)?, red.get(..across)?);
                    for (((pixel, &luma), &blue), &red) in row.iter_mut().zip(luma).zip(blue).zip(red) {
                        *pixel = rgb(luma, blue, red);
                    }
                }
            }
            _ => return None,
        }
        let part =
            |side: u16| f32::from(side.checked_rem(self.divisor).unwrap_or(0)) / f32::from(self.divisor);
        let [right, bottom] = [part(frame.width), part(frame.height)];
        if right > 0.0 && width > 1 {
            pixels.chunks_exact_mut(bytes).for_each(|row| blend(row, 3, right));
        }
        if bottom > 0.0 && height > 1 {
            blend(&mut pixels, bytes, bottom);
        }
        Some(Reduced { width: width.into(), height: height.into(), pixels })
    }
}

/// The last number in zigzag order of those that a block of so many pixels is made of.
fn last([across, down]: [usize; 2]) -> u32 {
    let is_used = |place: u8| usize::from(place % 8) < across && usize::from(place / 8) < down;
    (0..).zip(ZIGZAG).filter(|(_, place)| is_used(*place)).map(|(zigzag, _)| zigzag).max().unwrap_or(0)
}

/// Where only a part of the last pixel lies in the picture: so much of it, and the rest of the one before, for a filter
/// counts it whole. `length` bytes are one.
fn blend(pixels: &mut [u8], length: usize, part: f32) {
    let Some((rest, last)) = pixels.len().checked_sub(length).map(|at| pixels.split_at_mut(at)) else {
        return;
    };
    let before = rest.rchunks_exact(length).next().unwrap_or_default();
    for (last, before) in last.iter_mut().zip(before) {
        *last = (f32::from(*last) * part + f32::from(*before) * (1.0 - part) + 0.5) as u8;
    }
}

/// Red, green and blue of a luma and two differences (ITU-T T.871, 7).
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma) + 0.5, f32::from(blue) - 128.0, f32::from(red) - 128.0);
    // As integers they keep within 0 and 255.
    [
        (luma + 1.402 * red) as u8,
        (luma - 0.344_136 * blue - 0.714_136 * red) as u8,
        (luma + 1.772 * blue) as u8,
    ]
}

impl Sink for Reduction {
    fn header(&mut self, marker: u8, segment: &[u8]) {
        match (marker, segment) {
            // Adobe's marker: 1 says that colours are luma and differences.
            (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) if *transform != 1 => {
                self.give_up();
            }
            (0xDB, _) => self.define_factors(segment),
            _ => {}
        }
    }

    fn begin(&mut self, frame: &Frame, scan: &Scan) {
        if self.is_known && self.planes(frame, scan).is_none() {
            self.give_up();
        }
    }

    fn mean(&mut self, place: usize, difference: i32) {
        if let Some(plane) = self.planes.get_mut(place) {
            plane.mean = plane.mean.wrapping_add(difference);
            plane.block[0] = plane.mean;
        }
    }

    fn last(&self, place: usize) -> u32 {
        self.planes.get(place).map_or(0, |plane| plane.last)
    }

    fn number(&mut self, place: usize, zigzag: u32, value: i32) {
        if let Some(plane) = self.planes.get_mut(place) {
            plane.number(zigzag, value);
        }
    }

    fn end(&mut self, place: usize, at: [u64; 2]) {
        let is_known = self.planes.get_mut(place).is_none_or(|plane| plane.end(at, &self.cosines));
        if !is_known {
            self.give_up();
        }
    }

    fn restart(&mut self) {
        self.planes.iter_mut().for_each(|plane| plane.mean = 0);
    }

    fn not_judged(&mut self) {
        self.give_up();
    }
}

impl Reduction {
    /// Reads quantization tables (T.81, B.2.4.1).
    fn define_factors(&mut self, mut segment: &[u8]) {
        while let Some((number, rest)) = segment.split_first() {
            let wide = number >> 4 != 0;
            let bytes = if wide { 128 } else { 64 };
            let Some((steps, rest)) = rest.split_at_checked(bytes) else { return };
            let step = |zigzag: usize| match wide {
                true => steps.as_chunks::<2>().0.get(zigzag).map_or(0, |pair| u16::from_be_bytes(*pair)),
                false => steps.get(zigzag).map_or(0, |&step| step.into()),
            };
            let mut factors = Box::new([0.0; 64]);
            for (zigzag, &place) in ZIGZAG.iter().enumerate() {
                let place = usize::from(place);
                if let Some(factor) = factors.get_mut(place) {
                    *factor = f32::from(step(zigzag)) * scale(place / 8, place % 8);
                }
            }
            if let Some(known) = self.factors.get_mut(usize::from(number & 15)) {
                *known = Some(factors);
            }
            segment = rest;
        }
    }
}

impl Plane {
    fn number(&mut self, zigzag: u32, value: i32) {
        let place = ZIGZAG.get(zigzag as usize).copied().map(usize::from).unwrap_or(64);
        if let Some(number) = self.block.get_mut(place) {
            *number = value;
            self.is_flat = false;
        }
    }

    /// Computes the pixels of the block that was read; false where they cannot be.
    fn end(&mut self, [x, y]: [u64; 2], cosines: &Cosines) -> bool {
        let [across, down] = self.sides;
        let first = |x: u64, y: u64| {
            let row = usize::try_from(y).ok()?.checked_mul(down)?.checked_mul(self.stride)?;
            row.checked_add(usize::try_from(x).ok()?.checked_mul(across)?)
        };
        let pixels = first(x, y).and_then(|first| self.pixels.get_mut(first..));
        let rows = pixels.unwrap_or_default().chunks_mut(self.stride);
        let rows = rows.map_while(|row| row.get_mut(..across));
        if self.is_flat {
            let level = level(self.block[0], &self.factors);
            rows.take(down).for_each(|row| row.fill(level));
            return true;
        }
        let is_known = cosines.pixels(&self.block, &self.factors, self.sides, rows);
        (self.block, self.is_flat) = ([0; 64], true);
        is_known
    }
}
