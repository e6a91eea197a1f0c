//! How far apart the canaries of good machines are, and those of machines that compute something else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use convbase_bases::{architecture, article, write_untrained};
use convbase_core::store::Canary;
use convbase_core::{FeatureSpec, Interpolation, Precision, Preprocess};
use convbase_images::canary_pixels;
use convbase_nn::{Base, ConvBase, Device, default_weights};

/// The canary of a spec, its images in one pass.
fn canary(base: &Base, spec: &FeatureSpec, precision: Precision) -> Canary {
    canary_in(base, spec, precision, Canary::IMAGES, 1)
}

/// The canary of a spec, its images in passes of `batch`, each shared by so many threads.
fn canary_in(base: &Base, spec: &FeatureSpec, precision: Precision, batch: usize, threads: usize) -> Canary {
    let base = ConvBase::new(base, spec, precision, Device::Cpu).unwrap().with_threads(threads);
    let drawn = canary_pixels(spec.image_size, spec.interpolation).unwrap();
    let image = spec.image_size.rgb_bytes();
    // Larger passes hold the images several times over.
    let pixels = drawn.repeat(batch.div_ceil(Canary::IMAGES));
    let pass = |pixels: &[u8]| base.features(pixels, pixels.len() / image).unwrap();
    let features: Vec<f32> = pixels.chunks(batch * image).flat_map(pass).collect();
    Canary::new(&features[..features.len() / (pixels.len() / drawn.len())]).unwrap()
}

#[test]
fn good_machines_stay_within_the_tolerance_and_others_far_from_it() {
    if !default_weights("vgg16").exists() {
        println!("skipped: `weights/vgg16.safetensors` is absent");
        return;
    }
    let weights = Base::open("vgg16", None).unwrap();
    let article = article();
    let native = FeatureSpec {
        interpolation: Interpolation::Bilinear,
        preprocess: Preprocess::Caffe,
        ..article.clone()
    };
    let all = [Precision::Float32, Precision::BFloat16, Precision::Int8];
    let precisions = all.into_iter().filter(|precision| weights.check(*precision, Device::Cpu).is_ok());
    for (spec, name) in [(&article, "article"), (&native, "native")] {
        for precision in precisions.clone() {
            let reference = canary(&weights, spec, precision);
            let mut greatest: f64 = 0.0;
            for count in [1, 2] {
                for batch in [1, 3, 8] {
                    let distance = canary_in(&weights, spec, precision, batch, count).distance(&reference);
                    println!("{name} {precision}: {count} threads, passes of {batch}: {distance:.1e}");
                    greatest = greatest.max(distance);
                }
            }
            let most = match precision {
                Precision::Float32 | Precision::Int8 => 0.0,
                Precision::BFloat16 => Canary::tolerance(precision) / 4.0,
            };
            assert!(greatest <= most, "{name} {precision}: {greatest}");
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    write_untrained(&path, architecture("vgg16").unwrap(), 1, Preprocess::Rescale).unwrap();
    let untrained = Base::open("vgg16", Some(&path)).unwrap();
    for precision in precisions.clone() {
        let reference = canary(&weights, &native, precision);
        let others = [
            ("other weights", canary(&untrained, &native, precision)),
            ("red and blue exchanged", exchanged(&weights, &native, precision)),
            (
                "nearest instead of bilinear",
                canary(&weights, &with(&native, Interpolation::Nearest), precision),
            ),
            (
                "bicubic instead of bilinear",
                canary(&weights, &with(&native, Interpolation::Bicubic), precision),
            ),
            (
                "lanczos instead of bilinear",
                canary(&weights, &with(&native, Interpolation::Lanczos), precision),
            ),
        ];
        for (what, other) in others {
            let distance = other.distance(&reference);
            println!("{precision}: {what}: {distance:.1e}");
            assert!(distance > 2.0 * Canary::tolerance(precision), "{precision}: {what}: {distance}");
        }
    }
    let reference = canary(&weights, &article, Precision::Float32);
    for precision in precisions.skip(1) {
        let distance = canary(&weights, &article, precision).distance(&reference);
        println!("{precision} instead of fp32: {distance:.1e}");
        assert!(
            distance < Canary::tolerance(precision) && distance > Canary::tolerance(Precision::Float32),
            "{precision}: {distance}"
        );
    }
}

fn with(spec: &FeatureSpec, interpolation: Interpolation) -> FeatureSpec {
    FeatureSpec { interpolation, ..spec.clone() }
}

/// As if the decoder gave blue, green, red.
fn exchanged(base: &Base, spec: &FeatureSpec, precision: Precision) -> Canary {
    let base = ConvBase::new(base, spec, precision, Device::Cpu).unwrap();
    let mut pixels = canary_pixels(spec.image_size, spec.interpolation).unwrap();
    pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.reverse());
    Canary::new(&base.features(&pixels, Canary::IMAGES).unwrap()).unwrap()
}
