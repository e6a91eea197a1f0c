//! Images per second of the conv base, by precision and batch size: `just bench`.
//!
//! The variants take turns in every round, so that a machine that slows down slows all of them; medians and ratios to
//! the first variant are printed. Weights are untrained: convolutions take as long whatever they multiply.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints what it measures")]

use std::time::Instant;

use convbase_bases::{Choices, default_architecture, write_untrained};
use convbase_core::{ImageSize, Interpolation, Pooling, Precision, Preprocess};
use convbase_nn::{Base, ConvBase, Device};

const ROUNDS: usize = 5;
const IMAGES: usize = 16;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    let architecture = default_architecture();
    write_untrained(&path, architecture, 1, Preprocess::Rescale).unwrap();
    let base = Base::open(architecture.name(), Some(&path)).unwrap();
    let size = ImageSize::new(180, 180).unwrap();
    let choices = Choices {
        layer: base.default_layer().to_owned(),
        pooling: Pooling::None,
        image_size: size,
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Rescale,
    };
    let spec = base.spec(choices).unwrap();
    let pixels: Vec<u8> =
        (0..IMAGES * size.rgb_bytes()).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();

    let mut variants = Vec::new();
    for precision in [Precision::Float32, Precision::BFloat16] {
        for batch in [1, 2, 4, 8, 16] {
            variants.push((precision, batch, Vec::new()));
        }
    }
    let bases = [Precision::Float32, Precision::BFloat16]
        .map(|precision| ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap());
    for round in 0..=ROUNDS {
        for (precision, batch, rates) in &mut variants {
            let base = &bases[usize::from(*precision == Precision::BFloat16)];
            let begun = Instant::now();
            for pixels in pixels.chunks(*batch * size.rgb_bytes()) {
                base.features(pixels, pixels.len() / size.rgb_bytes()).unwrap();
            }
            // The first round warms caches and code up.
            if round > 0 {
                rates.push(IMAGES as f64 / begun.elapsed().as_secs_f64());
            }
        }
    }
    println!("conv base, {size}, {IMAGES} images, median of {ROUNDS} rounds");
    println!("{:<10} {:>6} {:>10} {:>8}", "precision", "batch", "images/s", "ratio");
    let mut first = None;
    for (precision, batch, mut rates) in variants {
        rates.sort_by(f64::total_cmp);
        let median = rates[ROUNDS / 2];
        let ratio = median / *first.get_or_insert(median);
        println!("{precision:<10} {batch:>6} {median:>10.1} {ratio:>8.2}");
    }
}
