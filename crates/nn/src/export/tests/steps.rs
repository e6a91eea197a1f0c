//! Layers of a base in a head: of the base itself, and drawn ones of every kind.

use convbase_bases::{Behind, Convolution, Operation, Padding, Pool, Step};
use convbase_core::{Pooling, Preprocess};
use proptest::prelude::*;

use super::ground::{Ground, assert_spread, plain_head, run};
use crate::{Activation, Device, ExportError, Head, HeadShape, export_onnx};

#[test]
fn a_fine_tuned_head_says_the_same_whatever_its_head_was_trained_on() {
    let ground = Ground::tiny();
    let inner = ground.spec("block2_add", Pooling::None, Preprocess::Rescale);
    for pooling in [Pooling::None, Pooling::Average, Pooling::Maximum] {
        let outer = ground.spec("block3_pool", pooling, Preprocess::Rescale);
        let behind = ground.base.behind(&outer, "block2_add").unwrap();
        let head = plain_head(&outer, 6, Activation::Relu, 2);
        let tuned = head.with_tail(behind, None, pooling, Device::Cpu).unwrap();
        assert_spread(&ground.check(&inner, &tuned));
    }
}

#[test]
fn layers_that_do_not_go_on_from_the_base_are_refused_with_both_shapes() {
    let ground = Ground::tiny();
    let spec = ground.spec("block1_pool", Pooling::None, Preprocess::Rescale);
    // As many numbers in another order.
    let step = step(Operation::Activation(convbase_bases::Activation::Relu), &[0], [8, 32, 16]);
    let behind = Behind { map: [8, 32, 16], steps: vec![step] };
    let head = head_on(&behind).with_tail(behind, None, Pooling::None, Device::Cpu).unwrap();
    let error = export_onnx(&ground.base, &ground.checkpoint(&spec, &head)).unwrap_err();
    assert!(matches!(error, ExportError::Shape { .. }));
    let expected = "fine-tuned layers: expected [8, 32, 16], found [16, 16, 16] of `block1_pool`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn layers_may_have_any_name() {
    let ground = Ground::tiny();
    let spec = ground.spec("block1_pool", Pooling::None, Preprocess::Rescale);
    let names = ["pixels", "probabilities", "", "block1_pool", "same", "same", "a\0\nb", "dense", "features"];
    let steps = names.iter().enumerate().map(|(index, name)| Step {
        layer: (*name).to_owned(),
        ..step(Operation::Activation(convbase_bases::Activation::Relu6), &[index], [16, 16, 16])
    });
    let behind = Behind { map: [16, 16, 16], steps: steps.collect() };
    let head = head_on(&behind).with_tail(behind, None, Pooling::None, Device::Cpu).unwrap();
    ground.check(&spec, &head);
}

fn step(operation: Operation, inputs: &[usize], shape: [usize; 3]) -> Step {
    Step { operation, inputs: inputs.to_vec(), shape, layer: "layer".to_owned() }
}

fn head_on(behind: &Behind) -> Head {
    let features = behind.steps.last().unwrap().shape.iter().product();
    Head::new(HeadShape::new(features, 0, Activation::Relu, 3), 2, Device::Cpu).unwrap()
}

fn numbers(count: usize, scale: f32) -> Vec<f32> {
    (0..count).map(|index| ((index * 7 + count) as f32 * 0.61).sin() * scale).collect()
}

/// The step that eight bytes mean after values of these shapes.
fn drawn(draw: [u8; 8], values: &[[usize; 3]]) -> Option<Step> {
    let [from, kind, a, b, c, d, e, f] = draw.map(usize::from);
    let input = from % values.len();
    let [height, width, channels] = values[input];
    let kernel = [a % 3 + 1, b % 3 + 1];
    let stride = [c % 2 + 1, d % 2 + 1];
    // A window always touches the map.
    let padding =
        Padding { top: e % kernel[0], bottom: f % kernel[0], left: a % kernel[1], right: b % kernel[1] };
    let moved = || {
        let side = |side: usize, around: usize, axis: usize| {
            Some((side + around).checked_sub(kernel[axis])? / stride[axis] + 1)
        };
        Some([side(height, padding.top + padding.bottom, 0)?, side(width, padding.left + padding.right, 1)?])
    };
    let activation = [
        convbase_bases::Activation::None,
        convbase_bases::Activation::Relu,
        convbase_bases::Activation::Relu6,
    ][f % 3];
    let alike = |same: &dyn Fn(&[usize; 3]) -> bool| -> Vec<usize> {
        (0..values.len()).filter(|&value| same(&values[value])).collect()
    };
    Some(match kind % 8 {
        0 | 1 => {
            let groups = [1, channels, if channels % 2 == 0 { 2 } else { 1 }][c % 3];
            let outputs = groups * (d % 2 + 1);
            let inputs = channels / groups;
            let taps = inputs * kernel[0] * kernel[1];
            let weight = numbers(outputs * taps, (3.0 / taps as f32).sqrt());
            let bias = numbers(outputs, 0.3);
            let convolution = Convolution {
                weight,
                bias,
                inputs: channels,
                outputs,
                groups,
                kernel,
                stride,
                padding,
                activation,
            };
            let [height, width] = moved()?;
            step(Operation::Convolution(convolution), &[input], [height, width, outputs])
        }
        2 | 3 => {
            let pool = Pool { kernel, stride, padding };
            let operation =
                if kind % 8 == 2 { Operation::MaxPool(pool) } else { Operation::AveragePool(pool) };
            let [height, width] = moved()?;
            step(operation, &[input], [height, width, channels])
        }
        4 => {
            let shape =
                [height + padding.top + padding.bottom, width + padding.left + padding.right, channels];
            step(Operation::Pad { padding }, &[input], shape)
        }
        5 => {
            let others = alike(&|shape| *shape == values[input]);
            let inputs: Vec<usize> = (0..a % 2 + 2).map(|index| others[(index * b) % others.len()]).collect();
            step(Operation::Add { activation }, &inputs, values[input])
        }
        6 => {
            let others = alike(&|shape| shape[..2] == values[input][..2]);
            let inputs = [input, others[a % others.len()]];
            let channels = inputs.iter().map(|&input| values[input][2]).sum();
            step(Operation::Concatenate, &inputs, [height, width, channels])
        }
        _ if a % 2 == 0 => step(Operation::Activation(activation), &[input], values[input]),
        _ => {
            let (scale, shift) = (numbers(channels, 1.5), numbers(channels, 0.2));
            step(Operation::Affine { scale, shift }, &[input], values[input])
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn layers_of_every_kind_and_in_every_order_say_the_same(draws in prop::collection::vec(any::<[u8; 8]>(), 1..7)) {
        let ground = Ground::tiny();
        let spec = ground.spec("block1_pool", Pooling::None, Preprocess::Rescale);
        let mut values = vec![[16, 16, 16]];
        let mut steps = Vec::new();
        for step in draws {
            // Where the map became too small for the window, nothing is added.
            if let Some(step) = drawn(step, &values) {
                prop_assert_eq!(step.problem(&values), None);
                values.push(step.shape);
                steps.push(step);
            }
        }
        prop_assume!(!steps.is_empty());
        let behind = Behind { map: [16, 16, 16], steps };
        let head = head_on(&behind).with_tail(behind, None, Pooling::None, Device::Cpu).unwrap();
        ground.check(&spec, &head);
    }
}

#[test]
fn an_image_is_classified_alike_alone_and_among_others() {
    let ground = Ground::tiny();
    let spec = ground.spec("block3_pool", Pooling::None, Preprocess::Rescale);
    let head = plain_head(&spec, 5, Activation::Relu, 3);
    let file = export_onnx(&ground.base, &ground.checkpoint(&spec, &head)).unwrap();
    let pixels: Vec<u8> = (0..4 * 32 * 32 * 3_usize).map(|index| (index * index % 251) as u8).collect();
    let together = run(&file, pixels.clone(), [4, 32, 32, 3]);
    let alone: Vec<f32> =
        pixels.chunks(32 * 32 * 3).flat_map(|image| run(&file, image.to_vec(), [1, 32, 32, 3])).collect();
    for (found, expected) in alone.iter().zip(&together) {
        assert!((found - expected).abs() < 1e-6);
    }
}
