//! Probes and fine-tuned heads: what is said of photographs is what is said of their features, and what an exported file
//! says of their pixels.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::io::Cursor;
use std::path::PathBuf;

use assert_cmd::Command;
use clap::Parser;
use convbase_bases::{architecture, write_untrained};
use convbase_core::exit::Outcome;
use convbase_core::{Preprocess, write_artifact};
use convbase_images::{Decoder, decode_batch, photographs};
use convbase_nn::{Checkpoint, Device};
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;
use tract_onnx::prelude::tract_ndarray::ArrayD;
use tract_onnx::prelude::{Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, Tensor, tvec};

/// Photographs and weights of the tests' double of a base.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        write_untrained(
            &ground.path("tiny.safetensors"),
            architecture("tiny").unwrap(),
            3,
            Preprocess::Rescale,
        )
        .unwrap();
        for (channel, class) in ["cats", "dogs"].iter().enumerate() {
            for number in 0..12_u32 {
                let image = RgbImage::from_fn(44, 40, |x, y| {
                    let mut pixel = [((x * 7 + y * 13 + number * 41) % 120) as u8; 3];
                    pixel[channel] += 60;
                    Rgb(pixel)
                });
                let mut bytes = Cursor::new(Vec::new());
                image.write_to(&mut bytes, ImageFormat::Png).unwrap();
                let path = ground.path("images").join(class).join(format!("{number:02}.png"));
                write_artifact(&path, &bytes.into_inner()).unwrap();
            }
        }
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The words of a command, `@name` being a path of this folder.
    fn words(&self, text: &str) -> Vec<OsString> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).into_os_string(),
            None => word.into(),
        };
        text.split_whitespace().map(word).collect()
    }

    fn extractor(&self, text: &str) {
        let arguments = extractor::Arguments::parse_from(self.words(&format!("extractor extract {text}")));
        assert_eq!(extractor::run(arguments).unwrap(), Outcome::Done);
    }

    fn trainer(&self, text: &str) {
        let arguments = trainer::Arguments::parse_from(self.words(&format!("trainer {text}")));
        assert_eq!(trainer::run(arguments).unwrap(), Outcome::Done);
    }

    fn evaluator(&self, text: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evaluator"));
        let assert = command.env_remove("RUST_LOG").args(self.words(text)).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    }

    /// The probabilities of the first class that a checkpoint's exported file gives for the photographs' pixels.
    fn exported(&self, run: &str) -> Vec<f32> {
        let out = self.path(run).join("model.onnx");
        self.evaluator(&format!(
            "export --checkpoint @{run}/best.safetensors --weights @tiny.safetensors --out @{run}/model.onnx"
        ));
        let checkpoint = Checkpoint::load(&self.path(run).join("best.safetensors"), Device::Cpu).unwrap();
        let spec = &checkpoint.metadata().spec;
        let images = self.path("images");
        let paths: Vec<PathBuf> =
            photographs(&images).unwrap().paths.iter().map(|path| images.join(path)).collect();
        let pixels = decode_batch(&paths, &Decoder::new(spec.image_size, spec.interpolation)).pixels;
        let shape = [24, spec.image_size.height() as usize, spec.image_size.width() as usize, 3];
        let model = tract_onnx::onnx().model_for_path(out).unwrap();
        let model = model.with_input_fact(0, InferenceFact::dt_shape(u8::datum_type(), shape)).unwrap();
        let model = model.into_optimized().unwrap().into_runnable().unwrap();
        let input = Tensor::from(ArrayD::from_shape_vec(&shape[..], pixels).unwrap());
        let outputs = model.run(tvec![input.into()]).unwrap();
        let output = outputs[0].to_plain_array_view::<f32>().unwrap();
        assert_eq!(output.shape(), [24, 2]);
        output.iter().copied().step_by(2).collect()
    }

    /// Evaluates a checkpoint on a store and predicts the same photographs: equal probabilities.
    fn assert_equal(&self, run: &str, store: &str) {
        self.evaluator(&format!(
            "evaluate --features @{store} --checkpoint @{run}/best.safetensors --out @{run}/test"
        ));
        let evaluated = std::fs::read_to_string(self.path(run).join("test/predictions.csv")).unwrap();
        let predicted = self.evaluator(&format!(
            "predict --checkpoint @{run}/best.safetensors --weights @tiny.safetensors @images"
        ));
        let (evaluated, predicted) = (probabilities(&evaluated), probabilities(&predicted));
        assert_eq!((evaluated.len(), predicted.len()), (24, 24));
        for (found, expected) in predicted.iter().zip(&evaluated) {
            assert!((found - expected).abs() < 1e-5, "{run}: {found} {expected}");
        }
        for (found, expected) in self.exported(run).iter().zip(&predicted) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{run}, exported: {found} {expected}");
        }
        let spread = evaluated.iter().fold(0.0_f64, |most, one| most.max((one - evaluated[0]).abs()));
        assert!(spread > 1e-3, "{run}: all photographs look alike: {evaluated:?}");
    }
}

/// The column `prob_cats`.
fn probabilities(csv: &str) -> Vec<f64> {
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "prob_cats").unwrap();
    csv.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
}

fn options(layer: &str) -> String {
    format!(
        "--base tiny --weights @tiny.safetensors --images @images --image-size 32 --layer {layer} --precision fp32 --device cpu"
    )
}

#[test]
fn a_probe_says_of_photographs_what_it_says_of_their_features() {
    let ground = Ground::new();
    ground.extractor(&format!("{} --out @store", options("block3_relu")));
    for (run, more) in [
        ("chosen", ""),
        ("standard", "--pooling avg+max --scaling standard --c 1"),
        ("long", "--pooling none --scaling l2 --c 10"),
    ] {
        ground.trainer(&format!("probe --features @store --out @{run} {more}"));
        ground.assert_equal(run, "store");
    }
}

#[test]
fn a_fine_tuned_head_says_of_photographs_what_it_says_of_the_inner_layer() {
    let ground = Ground::new();
    ground.extractor(&format!("{} --out @outer", options("block3_pool")));
    ground.extractor(&format!("{} --out @inner --views 3 --augment flip,rotate=0.1", options("block2_add")));
    ground.trainer(
        "fit --features @outer --out @head --epochs 5 --hidden 8 --batch-size 8 --learning-rate 1e-2",
    );
    ground.trainer("probe --features @outer --out @probe --pooling avg --scaling l2 --c 10");
    for (run, head, views) in [("tuned", "head", "all"), ("tuned-probe", "probe", "one")] {
        ground.trainer(&format!(
            "fine-tune --features @inner --checkpoint @{head}/best.safetensors --weights @tiny.safetensors --out @{run} \
             --epochs 3 --batch-size 8 --learning-rate 1e-3 --views {views}"
        ));
        ground.assert_equal(run, "inner");
        let error = Command::new(env!("CARGO_BIN_EXE_evaluator"))
            .args(ground.words(&format!(
                "evaluate --features @outer --checkpoint @{run}/best.safetensors --out @{run}/no"
            )))
            .assert()
            .code(1);
        let text = String::from_utf8(error.get_output().stderr.clone()).unwrap();
        assert!(text.contains("layer: expected \"block2_add\", found \"block3_pool\""), "{text}");
        let mean = ground.evaluator(&format!(
            "predict --views mean --checkpoint @{run}/best.safetensors --weights @tiny.safetensors @images"
        ));
        assert_eq!(probabilities(&mean).len(), 24);
    }
}

#[test]
fn a_view_of_a_photograph_that_judges_is_never_trained_on() {
    // Views of one photograph are alike: were they in both halves, folds would look easier than they are. A probe sees
    // each photograph once, whatever its views.
    let ground = Ground::new();
    ground.extractor(&format!("{} --out @plain", options("block3_relu")));
    ground.extractor(&format!("{} --out @views --views 4 --augment zoom=0.2", options("block3_relu")));
    for store in ["plain", "views"] {
        ground.trainer(&format!(
            "probe --features @{store} --out @{store}-run --pooling avg --scaling none --c 1"
        ));
    }
    let held_out = |run: &str| std::fs::read_to_string(ground.path(run).join("held_out.csv")).unwrap();
    assert_eq!(held_out("views-run"), held_out("plain-run"));
    assert_eq!(held_out("views-run").lines().count(), 1 + 24);
}
