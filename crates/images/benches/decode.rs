//! Decoding a photograph: `just bench`.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::io::Cursor;

use convbase_core::{ImageSize, Interpolation};
use convbase_images::Decoder;
use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// A JPEG of this size with shapes and grain, at the quality of a camera.
fn photograph(width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let grain =
            (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519) >> 28;
        let shape = if (x / 40 + y / 56).is_multiple_of(3) { 90 } else { 0 };
        Rgb([
            (x * 120 / width + shape + grain) as u8,
            (y * 120 / height + shape + grain) as u8,
            (grain * 4) as u8,
        ])
    };
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode_image(&RgbImage::from_fn(width, height, pixel))
        .unwrap();
    bytes.into_inner()
}

fn decode(criterion: &mut Criterion) {
    let size = ImageSize::new(180, 180).unwrap();
    let mut group = criterion.benchmark_group("decode one photograph to 180x180");
    for (width, height) in [(500, 375), (4000, 3000)] {
        let bytes = photograph(width, height);
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
            let (mut decoder, mut pixels) = (Decoder::new(size, interpolation), vec![0; size.rgb_bytes()]);
            group.bench_function(format!("{width}x{height}, {interpolation}"), |bencher| {
                bencher.iter(|| decoder.decode(black_box(&bytes), &mut pixels).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
