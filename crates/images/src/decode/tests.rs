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
