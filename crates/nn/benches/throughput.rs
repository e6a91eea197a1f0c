//! Images per second of the conv bases, by base, precision and batch size: `just bench`.
//!
//! The variants take turns in every round, so that a machine that slows down slows all of them; medians and ratios to
//! the first variant of a base are printed. Weights are untrained: convolutions take as long whatever they multiply.
//! Names of bases are arguments: `cargo bench --package convbase-nn --bench throughput -- NAME`; without any, all.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints what it measures")]

mod untrained;

use std::time::Instant;

use convbase_bases::{architectures, default_architecture};
use convbase_core::Precision;
use convbase_nn::{ConvBase, Device};

use untrained::{pixels, untrained};

const ROUNDS: usize = 5;
const IMAGES: usize = 16;

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    println!(
        "{:<20} {:>9} {:<9} {:>5} {:>9} {:>6}",
        "base", "size", "precision", "batch", "images/s", "ratio"
    );
    for architecture in architectures() {
        let name = architecture.name();
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            measure(name, name == default_architecture().name());
        }
    }
}

/// Every variant of one base; in both precisions where `in_detail`.
fn measure(name: &str, in_detail: bool) {
    let (base, spec, _folder) = untrained(name, if in_detail { 180 } else { 224 });
    let size = spec.image_size;
    let pixels = pixels(IMAGES, size);

    let precisions: &[Precision] =
        if in_detail { &[Precision::Float32, Precision::BFloat16] } else { &[Precision::Float32] };
    let mut variants = Vec::new();
    for &precision in precisions {
        for &batch in if in_detail { &[1, 2, 4, 8, 16][..] } else { &[1, 8] } {
            variants.push((precision, batch, Vec::new()));
        }
    }
    let bases: Vec<ConvBase> = precisions
        .iter()
        .map(|&precision| ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap())
        .collect();
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
    let mut first = None;
    for (precision, batch, mut rates) in variants {
        rates.sort_by(f64::total_cmp);
        let median = rates[ROUNDS / 2];
        let ratio = median / *first.get_or_insert(median);
        println!(
            "{name:<20} {:>9} {:<9} {batch:>5} {median:>9.1} {ratio:>6.2}",
            size.to_string(),
            precision.to_string()
        );
    }
}
