//! Stores of a few numbers.

use std::collections::BTreeMap;
use std::path::Path;

use convbase_core::store::{Canary, Listing, Manifest, StoreWriter};
use convbase_core::{
    Classes, DataType, DecodedImage, Digest, FeatureShape, FeatureSpec, FillMode, ImageSize, Interpolation,
    Pooling, Precision, Preprocess, Sample, Views,
};

/// Numbers of one row.
pub const LENGTH: usize = 64;

/// Everything that a store is made of.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Each listed image's label and, unless it is rejected, what its numbers are made from.
    pub images: Vec<(usize, Option<u16>)>,
    pub shard_size: usize,
    pub dtype: DataType,
    /// Images that are appended together.
    pub batch: usize,
    /// Rows of each image.
    pub views: usize,
}

impl Contents {
    pub fn samples(&self) -> Vec<Sample> {
        let sample = |(number, (label, _)): (usize, &(usize, _))| Sample {
            path: format!("{number:03}/ü {label}.jpg"),
            label: classes().label_at(*label).unwrap(),
        };
        self.images.iter().enumerate().map(sample).collect()
    }

    pub fn manifest(&self) -> Manifest {
        let spec = FeatureSpec {
            architecture: "made up".to_owned(),
            weights: Digest::of(b"weights"),
            layer: "pool".to_owned(),
            pooling: Pooling::Maximum,
            image_size: ImageSize::new(32, 48).unwrap(),
            interpolation: Interpolation::Lanczos,
            preprocess: Preprocess::Torch,
            shape: FeatureShape::new(vec![LENGTH as u32]).unwrap(),
            exif_orientation: false,
        };
        let lines: String =
            self.samples().iter().map(|sample| format!("{}\0{}\0", sample.label, sample.path)).collect();
        let listing = Listing { images: self.images.len(), sha256: Digest::of(lines.as_bytes()) };
        let plan = Manifest::new(spec, Precision::BFloat16, self.dtype, classes(), listing, self.shard_size);
        if self.views == 1 { plan } else { plan.with_views(views(self.views)) }
    }

    /// The bytes of the row that is made from a number: finite ones of either width.
    pub fn row(&self, from: u16) -> Vec<u8> {
        let number = |index: usize| (from as usize * 31 + index * 7) as u16 & 0xBBFF;
        match self.dtype {
            DataType::Float32 => {
                (0..LENGTH).flat_map(|index| (f32::from(number(index)) / 3.0).to_le_bytes()).collect()
            }
            DataType::Float16 => (0..LENGTH).flat_map(|index| number(index).to_le_bytes()).collect(),
        }
    }

    /// The bytes of all rows of the image that is made from a number.
    pub fn rows(&self, from: u16) -> Vec<u8> {
        (0..self.views).flat_map(|view| self.row(from.wrapping_add(view as u16 * 101))).collect()
    }

    pub fn status(&self, number: usize) -> Result<Option<DecodedImage>, String> {
        let Some(from) = self.images[number].1 else { return Err(format!("unreadable\n{number}")) };
        let sha256 = Digest::of(&from.to_le_bytes());
        Ok(Some(DecodedImage { width: number as u32 + 1, height: u32::from(from), sha256 }))
    }

    /// Writes the store, or the shards of it that are not finished.
    pub fn write(&self, folder: &Path) {
        let store = StoreWriter::create(folder, self.manifest(), false).unwrap();
        let samples = self.samples();
        for shard in store.manifest().shards() {
            if store.finished(shard).is_some() {
                continue;
            }
            let mut writer = store.shard(shard).unwrap();
            let positions: Vec<usize> = store.manifest().positions(shard).collect();
            for batch in positions.chunks(self.batch) {
                let images: Vec<_> =
                    batch.iter().map(|&number| (&samples[number], self.status(number))).collect();
                let rows = batch.iter().filter_map(|&number| self.images[number].1);
                writer.append(&images, &rows.flat_map(|from| self.rows(from)).collect::<Vec<u8>>()).unwrap();
            }
            assert!(writer.is_full());
            writer.finish(Some(&canary(1.0))).unwrap();
        }
    }
}

pub fn classes() -> Classes {
    Classes::new(["cats", "dogs", "ö, \"x\""].map(String::from).to_vec()).unwrap()
}

/// What a machine makes of the drawn images; one of another scale computes something else.
pub fn canary(scale: f32) -> Canary {
    Canary::new(&(0..3 * 64).map(|number| number as f32 / 7.0 * scale).collect::<Vec<f32>>()).unwrap()
}

/// Eight images in shards of three, the third of them rejected.
pub fn contents() -> Contents {
    let image = |number: usize| (number % 3, (number != 2).then_some(number as u16 * 9));
    let images = (0..8).map(image).collect();
    Contents { images, shard_size: 3, dtype: DataType::Float32, batch: 2, views: 1 }
}

/// The same with two views of each image.
pub fn contents_of_views() -> Contents {
    Contents { views: 2, ..contents() }
}

fn views(count: usize) -> Views {
    let augment = "flip,rotate=0.1".to_owned();
    Views::new(count, augment, FillMode::Reflect, Interpolation::Bilinear, 42).unwrap()
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}
