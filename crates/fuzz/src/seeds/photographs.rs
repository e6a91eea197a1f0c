//! Small pictures in every format and colour that can be written here.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::Seed;

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::WebP,
    ImageFormat::Tiff,
];

pub(crate) fn photographs() -> Vec<Seed> {
    let picture = RgbImage::from_fn(23, 17, |x, y| Rgb([(x * 11) as u8, (y * 15) as u8, (x ^ y) as u8]));
    let colour = DynamicImage::from(picture);
    let colours: [(&str, DynamicImage); 6] = [
        ("rgb", colour.clone()),
        ("rgba", colour.to_rgba8().into()),
        ("grey", colour.to_luma8().into()),
        ("grey-alpha", colour.to_luma_alpha8().into()),
        ("grey16", colour.to_luma16().into()),
        ("rgb16", colour.to_rgb16().into()),
    ];
    let mut seeds = Vec::new();
    for format in FORMATS {
        for (name, picture) in &colours {
            let mut bytes = Cursor::new(Vec::new());
            // Not every format holds every colour.
            if picture.write_to(&mut bytes, format).is_ok() {
                let suffix = format.extensions_str()[0];
                seeds.push((format!("{name}.{suffix}"), bytes.into_inner()));
            }
        }
    }
    seeds
}
