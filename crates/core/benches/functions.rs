//! Decoding a photograph, writing a shard and reading its rows: `just bench`.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, Decoder, FeatureSpec, ImageSize, Interpolation, Precision, Sample, listing_digest,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

const ROWS: usize = 256;

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

fn shard(folder: &Path) {
    let images: Vec<Sample> =
        (0..ROWS).map(|row| Sample { path: format!("{row:03}"), label: row % 2 }).collect();
    let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
    let listing = Listing { images: ROWS, sha256: listing_digest(&images) };
    let spec = FeatureSpec::article();
    let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, ROWS);
    let row = vec![0x3d; 4 * manifest.spec().feature_length().unwrap_or(0)];
    let store = StoreWriter::create(folder, manifest, false).unwrap();
    let mut writer = store.shard(store.manifest().shards().next().unwrap()).unwrap();
    images.iter().for_each(|sample| writer.append(&[(sample, Ok(None))], &row).unwrap());
    writer.finish(None).unwrap();
}

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shard of 256 rows, 13 MB");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function("written, hashed and finished", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().unwrap(),
            |folder| {
                shard(folder.path());
                folder
            },
            BatchSize::PerIteration,
        );
    });
    let folder = tempfile::tempdir().unwrap();
    shard(folder.path());
    let sum = |store: FeatureStore| -> f32 { (0..ROWS).map(|row| store.floats(row).unwrap()[0]).sum() };
    group.bench_function("opened, hashed and its rows found", |bencher| {
        bencher.iter(|| sum(FeatureStore::open(folder.path()).unwrap()));
    });
    group.bench_function("opened and its rows found", |bencher| {
        bencher.iter(|| sum(FeatureStore::open_without_hashing(folder.path()).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, decode, store);
criterion_main!(benches);
