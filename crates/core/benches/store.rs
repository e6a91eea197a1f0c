//! Writing a shard and reading its rows: `just bench`.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::Path;

use convbase_core::store::{FeatureStore, Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, Digest, FeatureShape, FeatureSpec, ImageSize, Interpolation, Pooling, Precision,
    Preprocess, Sample, listing_digest,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 256;

fn shard(folder: &Path) {
    let classes = Classes::new(vec!["a".into(), "b".into()]).unwrap();
    let label = |row| classes.label_at(row % 2).unwrap();
    let images: Vec<Sample> =
        (0..ROWS).map(|row| Sample { path: format!("{row:03}"), label: label(row) }).collect();
    let listing = Listing { images: ROWS, sha256: listing_digest(&images) };
    let spec = FeatureSpec {
        architecture: "made up".to_owned(),
        weights: Digest::of(b"weights"),
        layer: "pool".to_owned(),
        pooling: Pooling::None,
        image_size: ImageSize::new(180, 180).unwrap(),
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Rescale,
        shape: FeatureShape::new(vec![5, 5, 512]).unwrap(),
        exif_orientation: false,
    };
    let manifest = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, ROWS);
    let row = vec![0x3d; 4 * manifest.spec().shape.length()];
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

criterion_group!(benches, store);
criterion_main!(benches);
