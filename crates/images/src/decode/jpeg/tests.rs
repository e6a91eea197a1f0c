//! Pictures of every coding, whole and damaged.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use super::*;

/// How a picture is coded.
#[derive(Debug, Clone, Copy)]
struct Coding {
    size: (u16, u16),
    colours: ColorType,
    sampling: SamplingFactor,
    is_progressive: bool,
    restart_interval: u16,
    quality: u8,
}

const PLAIN: Coding = Coding {
    size: (70, 53),
    colours: ColorType::Rgb,
    sampling: SamplingFactor::F_2_2,
    is_progressive: false,
    restart_interval: 0,
    quality: 80,
};

impl Coding {
    fn encode(self, seed: u32) -> Vec<u8> {
        let (width, height) = self.size;
        let channels = match self.colours {
            ColorType::Luma => 1,
            ColorType::Cmyk => 4,
            _ => 3,
        };
        let count = u32::from(width) * u32::from(height) * channels;
        let pixels: Vec<u8> = (0..count).map(|n| ((n * 7) ^ (n / 31 * seed) ^ (n * n % 97)) as u8).collect();
        self.encode_pixels(&pixels)
    }

    fn encode_pixels(self, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.quality);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.is_progressive);
        encoder.set_restart_interval(self.restart_interval);
        encoder.encode(pixels, self.size.0, self.size.1, self.colours).unwrap();
        bytes
    }
}

fn codings() -> impl Strategy<Value = Coding> {
    let colours = prop_oneof![Just(ColorType::Rgb), Just(ColorType::Luma), Just(ColorType::Cmyk)];
    let sampling = prop_oneof![
        Just(SamplingFactor::F_1_1),
        Just(SamplingFactor::F_2_1),
        Just(SamplingFactor::F_1_2),
        Just(SamplingFactor::F_2_2),
        Just(SamplingFactor::F_4_1),
    ];
    let interval = prop_oneof![Just(0_u16), 1..9_u16];
    let numbers = ((1..90_u16, 1..90_u16), interval, 5..100_u8);
    (colours, sampling, any::<bool>(), numbers).prop_map(
        |(colours, sampling, is_progressive, (size, restart_interval, quality))| Coding {
            size,
            colours,
            sampling,
            is_progressive,
            restart_interval,
            quality,
        },
    )
}

/// Where the data of the first scan begin.
fn first_scan(bytes: &[u8]) -> usize {
    let mut position = 2;
    while bytes[position + 1] != 0xDA {
        position += 2 + usize::from(u16::from_be_bytes([bytes[position + 2], bytes[position + 3]]));
    }
    position + 2 + usize::from(u16::from_be_bytes([bytes[position + 2], bytes[position + 3]]))
}

proptest! {
    #[test]
    fn a_whole_picture_is_whole_whatever_its_coding(coding in codings(), seed in 0..99_u32) {
        let bytes = coding.encode(seed);
        prop_assert_eq!(walk(&bytes), Ok(None));
        // What lies behind the end is another matter: the second picture of a stereo camera, a film.
        prop_assert_eq!(walk(&[&bytes[..], &bytes[..99]].concat()), Ok(None));
    }

    #[test]
    fn a_picture_that_is_cut_is_not_whole_also_where_somebody_closed_it(coding in codings(), at in 0.0..1.0_f64) {
        let bytes = coding.encode(7);
        let start = first_scan(&bytes);
        let cut = &bytes[..start + ((bytes.len() - 2 - start) as f64 * at) as usize];
        prop_assert_eq!(walk(cut), Err(JpegError::NoEnd));
        let closed = walk(&[cut, &[0xFF, 0xD9]].concat());
        let between_scans = coding.is_progressive && closed == Ok(Some(Doubt::CoarseScans));
        prop_assert!(closed.is_err() || between_scans, "{:?}", closed);
        let again = walk(&[cut, &bytes[..]].concat());
        // Between two scans a segment that was cut may swallow the beginning of the other picture, whose scans then are
        // those of this one once more.
        let scans = bytes.windows(2).filter(|pair| *pair == [0xFF, 0xDA]).count();
        prop_assert!(again.is_err() || scans > 1, "{:?}", again);
    }

    #[test]
    fn no_bytes_make_it_panic_or_run_away(coding in codings(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = coding.encode(3);
        for (index, value) in flips {
            *index.get_mut(&mut bytes) = value;
        }
        for bytes in [&bytes[..], &bytes[bytes.len() / 3..]] {
            let walked = walk(bytes);
            for divisor in [2, 4, 8] {
                // What is wrong is told in the same words, whether a picture is made or not.
                prop_assert_eq!(&reduced(bytes, divisor).map(|(doubt, _)| doubt), &walked);
            }
        }
    }
}

/// A picture that is smooth, so that a part of its size has its levels; of one colour where there is but one.
fn smooth(coding: Coding) -> Vec<u8> {
    let (width, height) = coding.size;
    let pixel = |x: f64, y: f64| {
        let wave = |across: f64, down: f64| (128.0 + 90.0 * (x * across + y * down).sin()) as u8;
        [wave(0.02, 0.01), wave(0.01, 0.03), wave(-0.015, 0.02)]
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| pixel(x.into(), y.into())));
    let pixels: Vec<u8> = match coding.colours {
        ColorType::Luma => rows.map(|[grey, ..]| grey).collect(),
        _ => rows.flatten().collect(),
    };
    coding.encode_pixels(&pixels)
}

#[test]
fn a_part_of_a_pictures_size_has_its_levels_whatever_its_coding() {
    use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2};
    for size in [(160, 128), (157, 123), (33, 8)] {
        for (colours, sampling) in [
            (ColorType::Luma, F_1_1),
            (ColorType::Rgb, F_1_1),
            (ColorType::Rgb, F_2_1),
            (ColorType::Rgb, F_1_2),
            (ColorType::Rgb, F_2_2),
        ] {
            for restart_interval in [0, 3] {
                let coding = Coding { size, colours, sampling, restart_interval, quality: 95, ..PLAIN };
                let bytes = smooth(coding);
                let whole = image::load_from_memory(&bytes).unwrap().into_rgb8();
                for divisor in [2, 4, 8] {
                    let (doubt, picture) = reduced(&bytes, divisor).unwrap();
                    let picture = picture.unwrap();
                    assert_eq!(doubt, None);
                    let sides = (u32::from(size.0), u32::from(size.1));
                    let divisor = u32::from(divisor);
                    assert_eq!(
                        (picture.width, picture.height),
                        (sides.0.div_ceil(divisor), sides.1.div_ceil(divisor))
                    );
                    let image =
                        image::RgbImage::from_raw(picture.width, picture.height, picture.pixels).unwrap();
                    for (x, y, found) in image.enumerate_pixels() {
                        let side =
                            |from: u32, most: u32| from * divisor..(from * divisor + divisor).min(most);
                        let area = side(y, sides.1).flat_map(|y| side(x, sides.0).map(move |x| (x, y)));
                        let pixels: Vec<[u8; 3]> = area.map(|(x, y)| whole.get_pixel(x, y).0).collect();
                        for channel in 0..3 {
                            let sum: f64 = pixels.iter().map(|pixel| f64::from(pixel[channel])).sum();
                            let mean = sum / pixels.len() as f64;
                            let difference = (mean - f64::from(found.0[channel])).abs();
                            assert!(difference < 10.0, "{coding:?} / {divisor} at {x}, {y}: {difference}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_coded_or_coloured_otherwise_is_left_to_the_decoder() {
    let of = |coding: Coding| reduced(&coding.encode(5), 2).unwrap().1;
    assert!(of(PLAIN).is_some());
    assert_eq!(of(Coding { is_progressive: true, ..PLAIN }), None);
    assert_eq!(of(Coding { colours: ColorType::Cmyk, ..PLAIN }), None);
    assert_eq!(of(Coding { sampling: SamplingFactor::F_4_1, ..PLAIN }), None, "16 pixels of a block");
    let mut named = PLAIN.encode(5);
    let at = |bytes: &[u8], marker: u8| bytes.windows(2).position(|pair| pair == [0xFF, marker]).unwrap();
    for (index, name) in b"RGB".iter().enumerate() {
        let (frame, scan) = (at(&named, 0xC0), at(&named, 0xDA));
        named[frame + 10 + 3 * index] = *name;
        named[scan + 5 + 2 * index] = *name;
    }
    assert_eq!(reduced(&named, 2), Ok((None, None)), "components called R, G and B");
    let adobe = |transform: u8| {
        let plain = PLAIN.encode(5);
        let segment = [&[0xFF, 0xEE, 0, 14][..], b"Adobe", &[0, 100, 0, 0, 0, 0, transform]].concat();
        [&plain[..2], &segment, &plain[2..]].concat()
    };
    assert_eq!(reduced(&adobe(0), 2), Ok((None, None)), "RGB by Adobe's marker");
    assert!(reduced(&adobe(1), 2).unwrap().1.is_some());
}

#[test]
fn a_size_that_was_forged_larger_misses_blocks() {
    for is_progressive in [false, true] {
        let mut bytes = Coding { is_progressive, ..PLAIN }.encode(5);
        let frame = bytes.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        let error = walk(&bytes).unwrap_err();
        assert!(matches!(error, JpegError::MissingBlocks { .. } | JpegError::NoCode { .. }), "{error}");
    }
}

#[test]
fn bytes_that_no_block_needs_are_a_doubt() {
    let bytes = PLAIN.encode(5);
    let (data, end) = bytes.split_at(bytes.len() - 2);
    assert_eq!(walk(&[data, &[1, 2, 3], end].concat()), Ok(Some(Doubt::UnusedBytes(3))));
}

#[test]
fn what_is_not_known_here_is_left_to_the_decoder_but_has_to_end() {
    let mut bytes = PLAIN.encode(5);
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes[frame + 1] = 0xC9; // Arithmetic coding.
    assert_eq!(walk(&bytes), Ok(None));
    assert_eq!(walk(&bytes[..bytes.len() - 2]), Err(JpegError::NoEnd));
}

#[test]
fn codes_that_their_lengths_do_not_allow_are_no_table() {
    use super::huffman::Huffman;
    let counts = |first: u8| std::array::from_fn(|index| if index == 0 { first } else { 0 });
    assert!(Huffman::new(counts(2), &[1, 2]).is_some());
    assert!(Huffman::new(counts(3), &[1, 2, 3]).is_none());
    assert!(Huffman::new(counts(2), &[1]).is_none());
}
