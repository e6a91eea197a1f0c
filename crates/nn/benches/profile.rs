//! Where a base's time goes: each kind of operator beside the limit of the processor, arithmetic or memory.
//!
//! `cargo bench --package convbase-nn --bench profile -- NAME…` (without names, all), `--layers` for each operator, `--size N`
//! for images of N × N (224), `--batch N` (8), `--int8` for 8 bits (beside the limit of float32). The limits are measured first, on one core: independent fused multiply-adds, and sums of
//! memory that no cache holds. Weights are untrained: an operator takes as long whatever it multiplies.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints what it measures")]

mod untrained;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use convbase_bases::architectures;
use convbase_core::Precision;
use convbase_nn::{ConvBase, Device, OperatorTime};
use pulp::{Arch, Simd, WithSimd};

use untrained::{pixels, untrained};

const ROUNDS: usize = 9;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u32| {
        words.iter().position(|word| word == name).map_or(default, |at| words[at + 1].parse().unwrap())
    };
    let (size, batch) = (number("--size", 224), number("--batch", 8) as usize);
    let in_detail = words.iter().any(|word| word == "--layers");
    let precision =
        if words.iter().any(|word| word == "--int8") { Precision::Int8 } else { Precision::Float32 };
    let limits = Limits { multiply_adds: multiply_adds(), bytes: bytes() };
    println!(
        "one core: {:.1} G multiply-adds/s, {:.1} GB/s from memory",
        limits.multiply_adds / 1e9,
        limits.bytes / 1e9
    );
    let known: Vec<&str> = architectures().iter().map(|architecture| architecture.name()).collect();
    let named: Vec<&str> =
        known.iter().copied().filter(|name| words.iter().any(|word| word == name)).collect();
    for name in if named.is_empty() { known } else { named } {
        report(name, size, batch, precision, &limits, in_detail);
    }
}

/// What one core does at most in a second.
struct Limits {
    multiply_adds: f64,
    bytes: f64,
}

/// Times that are added up.
#[derive(Default, Clone, Copy)]
struct Total {
    seconds: f64,
    arithmetic: f64,
    memory: f64,
}

impl Total {
    fn add(&mut self, time: &OperatorTime, limits: &Limits) {
        self.seconds += time.seconds;
        self.arithmetic += time.multiply_adds as f64 / limits.multiply_adds;
        self.memory += time.bytes as f64 / limits.bytes;
    }

    fn line(&self, name: &str, all: f64) {
        println!(
            "{name:<40} {:>8.3} {:>6.1}% {:>10.0}% {:>6.0}%",
            self.seconds * 1e3,
            100.0 * self.seconds / all,
            100.0 * self.arithmetic / self.seconds,
            100.0 * self.memory / self.seconds,
        );
    }
}

fn report(name: &str, side: u32, batch: usize, precision: Precision, limits: &Limits, in_detail: bool) {
    let times = times(name, side, batch, precision);
    let mut all = Total::default();
    let mut kinds: BTreeMap<&str, Total> = BTreeMap::new();
    for time in &times {
        all.add(time, limits);
        kinds.entry(time.operator).or_default().add(time, limits);
    }
    println!("\n{name} at {side}, batches of {batch}: milliseconds of an image");
    println!("{:<40} {:>8} {:>7} {:>11} {:>7}", "operator", "ms", "share", "arithmetic", "memory");
    if in_detail {
        for time in &times {
            let mut one = Total::default();
            one.add(time, limits);
            one.line(&format!("{} {}", time.operator, time.layer), all.seconds);
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|one, other| other.1.seconds.total_cmp(&one.1.seconds));
    for (kind, total) in kinds {
        total.line(kind, all.seconds);
    }
    all.line("all", all.seconds);
}

/// Each operator's least time of some rounds.
fn times(name: &str, side: u32, batch: usize, precision: Precision) -> Vec<OperatorTime> {
    let (base, spec, _folder) = untrained(name, side);
    let pixels = pixels(batch, spec.image_size);
    let base = ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap();
    let round = || base.profile(&pixels, batch).unwrap();
    let mut least = round();
    for _ in 0..ROUNDS {
        for (least, time) in least.iter_mut().zip(round()) {
            least.seconds = least.seconds.min(time.seconds);
        }
    }
    least
}

/// Fused multiply-adds of one core in a second.
fn multiply_adds() -> f64 {
    /// As many sums as hide the latency of each.
    const SUMS: usize = 12;
    const TIMES: usize = 1_000_000;
    struct Run;
    impl WithSimd for Run {
        type Output = f64;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            let factor = black_box(simd.splat_f32s(0.5));
            let mut sums = black_box([simd.splat_f32s(1.0); SUMS]);
            let begun = Instant::now();
            for _ in 0..TIMES {
                for sum in &mut sums {
                    *sum = simd.mul_add_f32s(factor, *sum, factor);
                }
            }
            black_box(sums);
            (TIMES * SUMS * S::F32_LANES) as f64 / begun.elapsed().as_secs_f64()
        }
    }
    (0..ROUNDS).map(|_| Arch::new().dispatch(Run)).fold(0.0, f64::max)
}

/// Bytes that one core reads from memory in a second.
fn bytes() -> f64 {
    const VALUES: usize = 64 << 20;
    struct Run<'a>(&'a [f32]);
    impl WithSimd for Run<'_> {
        type Output = f64;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            let begun = Instant::now();
            let mut sums = [simd.splat_f32s(0.0); 8];
            for values in S::as_simd_f32s(self.0).0.as_chunks::<8>().0 {
                for (value, sum) in values.iter().zip(&mut sums) {
                    *sum = simd.add_f32s(*sum, *value);
                }
            }
            black_box(sums);
            size_of_val(self.0) as f64 / begun.elapsed().as_secs_f64()
        }
    }
    let values = vec![1.0; VALUES];
    (0..ROUNDS).map(|_| Arch::new().dispatch(Run(&values))).fold(0.0, f64::max)
}
