//! Pictures of every format, whole, turned, cut and forged.

use super::*;
use image::{GrayImage, Rgb, RgbImage, Rgba, RgbaImage};

fn size() -> ImageSize {
    ImageSize::new(32, 40).unwrap()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gradient(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 3) as u8, (y * 5) as u8, (x ^ y) as u8])).into()
}

fn decode(bytes: &[u8]) -> Result<(DecodedImage, Vec<u8>), DecodeError> {
    let mut pixels = vec![0; size().rgb_bytes()];
    let decoded = Decoder::new(size(), Interpolation::Nearest).decode(bytes, &mut pixels)?;
    Ok((decoded.image, pixels))
}

#[test]
fn an_image_of_the_right_size_keeps_its_pixels() {
    let image = gradient(40, 32);
    let bytes = encoded(&image, ImageFormat::Png);
    let (decoded, pixels) = decode(&bytes).unwrap();
    assert_eq!((decoded.width, decoded.height, decoded.sha256), (40, 32, Digest::of(&bytes)));
    assert_eq!(pixels, image.as_bytes());
}

#[test]
fn nearest_takes_the_pixel_under_the_centre_as_pillow_does() {
    let image = gradient(97, 61);
    let (_, pixels) = decode(&encoded(&image, ImageFormat::Bmp)).unwrap();
    for (row, column) in [(0, 0), (31, 39), (7, 23), (16, 20)] {
        let y = ((row as f64 + 0.5) * 61.0 / 32.0) as u32;
        let x = ((column as f64 + 0.5) * 97.0 / 40.0) as u32;
        let expected = image.as_rgb8().unwrap().get_pixel(x, y).0;
        assert_eq!(pixels[(row * 40 + column) * 3..][..3], expected, "row {row}, column {column}");
    }
}

#[test]
fn every_format_decodes_whatever_its_colours_are() {
    let grey: DynamicImage = GrayImage::from_fn(50, 50, |x, _| image::Luma([x as u8])).into();
    let clear: DynamicImage = RgbaImage::from_pixel(50, 50, Rgba([9, 8, 7, 0])).into();
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        decode(&encoded(&gradient(50, 50), format)).unwrap();
    }
    decode(&encoded(&grey, ImageFormat::Jpeg)).unwrap();
    decode(&encoded(&DynamicImage::ImageLuma16(grey.to_luma16()), ImageFormat::Png)).unwrap();
    let (_, pixels) = decode(&encoded(&clear, ImageFormat::Png)).unwrap();
    assert_eq!(pixels[..3], [9, 8, 7], "transparency is dropped, not blended");
}

#[test]
fn truncated_files_are_refused_at_every_length() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let bytes = encoded(&gradient(50, 50), format);
        for length in (0..bytes.len() - 4).step_by(7) {
            assert!(decode(&bytes[..length]).is_err(), "{format:?} of {length} bytes");
        }
    }
}

#[test]
fn bytes_that_are_no_image_are_shown() {
    let error = decode(b"a text file").unwrap_err().to_string();
    assert!(error.ends_with("found bytes 61 20 74 65 78 74 20 66"), "{error}");
    assert_eq!(decode(b"").unwrap_err().to_string(), "expected an image, found an empty file");
}

#[test]
fn a_forged_size_does_not_exhaust_memory() {
    let mut bytes = encoded(&gradient(50, 50), ImageFormat::Bmp);
    bytes[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
    assert!(matches!(decode(&bytes), Err(DecodeError::TooManyPixels { .. })));
}

/// A JPEG with an orientation in its metadata.
fn oriented_jpeg(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let plain = encoded(&image.clone().into(), ImageFormat::Jpeg);
    let tiff =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]];
    let exif = [&b"Exif\0\0"[..], &tiff.concat()].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&plain[..2], &[0xFF, 0xE1], &length, &exif, &plain[2..]].concat()
}

#[test]
fn a_large_jpeg_is_decoded_to_a_part_of_its_size_and_hardly_anything_changes() {
    let draw = |x: u32, y: u32| {
        let shape = if (x / 90 + y / 70).is_multiple_of(3) { 90.0 } else { 0.0 };
        let wave =
            |by: f64| (70.0 + shape + 60.0 * (f64::from(x) / by).sin() * (f64::from(y) / 37.0).cos()) as u8;
        Rgb([wave(31.0), wave(53.0), wave(11.0)])
    };
    for (width, height) in [(640, 496), (643, 499)] {
        let image = RgbImage::from_fn(width, height, draw);
        for orientation in [1, 6] {
            let bytes = oriented_jpeg(&image, orientation);
            for interpolation in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Lanczos] {
                let mut decoder = Decoder::new(size(), interpolation).with_exif_orientation(true);
                let mut found = vec![0; size().rgb_bytes()];
                decoder.decode(&bytes, &mut found).unwrap();
                let Source { format, decoder: mut source } = decoder.open(&bytes).unwrap();
                let turn = decoder.orientation(&mut source, format);
                let whole = read(source, turn, format, &bytes).unwrap();
                let mut expected = vec![0; size().rgb_bytes()];
                decoder.resize(whole.width(), whole.height(), whole.as_raw(), &mut expected).unwrap();
                let differences = found.iter().zip(&expected).map(|(one, other)| one.abs_diff(*other));
                let case = format!("{width}x{height}, {interpolation}, orientation {orientation}");
                let divisor = decoder.divisor(width, height, turn);
                let is_whole =
                    interpolation == Interpolation::Nearest || (width % 2 == 1 && orientation != 1);
                assert_eq!(divisor, if is_whole { 1 } else { 4 }, "{case}");
                assert_eq!(found == expected, is_whole, "{case}");
                assert!(differences.clone().max().unwrap() <= 8, "{case}: {:?}", differences.max());
                let mean = differences.map(f64::from).sum::<f64>() / found.len() as f64;
                assert!(mean <= 0.5, "{case}: {mean} in the mean");
            }
        }
    }
}

/// A TIFF of RGB pixels with a tag that says how it is to be turned.
fn oriented_tiff(image: &RgbImage, orientation: u16) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    let mut file =
        encoder.new_image::<tiff::encoder::colortype::RGB8>(image.width(), image.height()).unwrap();
    file.encoder().write_tag(tiff::tags::Tag::Orientation, orientation).unwrap();
    file.write_data(image.as_raw()).unwrap();
    bytes.into_inner()
}

#[test]
fn a_tiff_is_turned_as_its_tag_says_which_pillow_does_when_it_loads_one() {
    let DynamicImage::ImageRgb8(image) = gradient(32, 40) else { unreachable!() };
    let (decoded, pixels) = decode(&oriented_tiff(&image, 6)).unwrap();
    assert_eq!(pixels, *image::imageops::rotate90(&image).as_raw());
    assert_eq!((decoded.width, decoded.height), (32, 40), "the size is the file's");
    let (_, pixels) = decode(&oriented_tiff(&image::imageops::rotate90(&image), 1)).unwrap();
    assert_eq!(pixels, *image::imageops::rotate90(&image).as_raw());
}

#[test]
fn greys_of_16_bits_are_divided_by_257() {
    let deep = image::ImageBuffer::from_fn(40, 32, |x, y| image::Luma([(x * 1600 + y * 7) as u16]));
    let (_, pixels) = decode(&encoded(&DynamicImage::ImageLuma16(deep.clone()), ImageFormat::Png)).unwrap();
    let expected = deep.pixels().flat_map(|grey| [((u32::from(grey.0[0]) + 128) / 257) as u8; 3]);
    assert_eq!(pixels, expected.collect::<Vec<u8>>());
}
