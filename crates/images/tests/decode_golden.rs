//! Decoded and resized photographs against Pillow (`shared/golden`).

#![expect(clippy::print_stdout, reason = "a test fails by panicking and says when it skips")]

use std::path::{Path, PathBuf};

use convbase_core::{ImageSize, Interpolation};
use convbase_images::Decoder;

fn shared() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if shared.join("golden").exists() && shared.join("data").exists() {
        return Some(shared);
    }
    println!("skipped: the photographs and ground truth in `shared` are absent");
    None
}

#[test]
fn pixels_are_pillows_within_eight_levels_and_half_a_level_in_the_mean() {
    let Some(shared) = shared() else { return };
    let index = std::fs::read(shared.join("golden/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let size = ImageSize::new(180, 180).unwrap();
    for (interpolation, name) in
        [(Interpolation::Nearest, "pixels_nearest.npy"), (Interpolation::Bilinear, "pixels_bilinear.npy")]
    {
        let bytes = std::fs::read(shared.join("golden").join(name)).unwrap();
        let expected: Vec<u8> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
        let (mut greatest, mut sum) = (0, 0_u64);
        let mut decoder = Decoder::new(size, interpolation);
        for (path, expected) in
            index["images"].as_array().unwrap().iter().zip(expected.chunks_exact(size.rgb_bytes()))
        {
            let path = shared.join("data/cats_vs_dogs_small").join(path.as_str().unwrap());
            let mut found = vec![0; size.rgb_bytes()];
            decoder.decode_file(&path, &mut found).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                greatest = greatest.max(found.abs_diff(*expected));
                sum += u64::from(found.abs_diff(*expected));
            }
        }
        let mean = sum as f64 / expected.len() as f64;
        println!("{name}: greatest difference {greatest}, mean {mean:.3}");
        assert!(greatest <= 8 && mean <= 0.5, "{name}: greatest difference {greatest}, mean {mean}");
    }
}
