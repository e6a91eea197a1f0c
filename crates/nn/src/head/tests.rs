//! Both back ends, beside one another and beside Keras.

use std::borrow::Cow;
use std::path::Path;

use tch::Device;

use super::*;
use crate::learner::{Learner, PlainLearner};
use crate::minibatch::Minibatch;
use crate::optimizer::Optimizer;
use crate::randomness::seed_for;
use crate::training::Totals;
use crate::vectors::trials::{arches, draw};
use crate::{Means, OptimizerKind};

const KINDS: [OptimizerKind; 3] = [OptimizerKind::RmsProp, OptimizerKind::Adam, OptimizerKind::Sgd];

fn minibatch<'a>(features: &'a [f32], length: usize, labels: &[usize]) -> Minibatch<'a> {
    Minibatch { features: features.chunks(length).map(Cow::Borrowed).collect(), labels: labels.to_vec() }
}

/// A head at its start with moments at zero.
fn learner<B: BackEnd>(shape: &HeadShape, kind: OptimizerKind, rate: f64) -> Learner<B> {
    PlainLearner::begin(shape, kind, rate, 5).load(Device::Cpu).unwrap()
}

/// All parameters and moments after fifty steps, and the totals of these and of a look at the last rows.
fn fifty_steps<B: BackEnd>(
    mut learner: Learner<B>,
    dropout: f64,
    class_weights: Option<&[f64]>,
) -> (Vec<Vec<f32>>, Totals) {
    let shape = learner.head.shape().clone();
    let mut sums = learner.head.sums(Totals::default()).unwrap();
    for step in 0..50 {
        let rows = if step % 10 == 9 { 3 } else { 8 };
        let features = draw(rows * shape.features, step);
        let labels: Vec<usize> = (0..rows).map(|row| (row * row + step) % shape.classes).collect();
        let minibatch = minibatch(&features, shape.features, &labels);
        let dropout = Dropout { share: dropout, seed: seed_for(1, 1, step as u64) };
        let how = Step { dropout, class_weights };
        learner.head.step(&mut learner.optimizer, &minibatch, &how, &mut sums).unwrap();
        if step == 49 {
            learner.head.measure(&minibatch, &mut sums).unwrap();
        }
    }
    let parameters = learner.head.parameters().as_ref().in_order();
    let moments = learner.optimizer.moments.in_order().into_iter().flatten();
    let arrays = parameters.chain(moments).map(|array| B::numbers(array).unwrap().into_owned());
    (arrays.collect(), B::totals(&sums).unwrap())
}

const LEARNING_RATE: f64 = 0.01;

#[test]
fn both_back_ends_take_the_same_steps() {
    let mut worst = [0.0_f32; 2];
    for (classes, hidden) in [(2, 0), (2, 8), (3, 0), (3, 8)] {
        for (kind, activation) in KINDS
            .into_iter()
            .flat_map(|kind| [Activation::Relu, Activation::None].map(|activation| (kind, activation)))
        {
            for (dropout, weighted) in [(0.0, false), (0.0, true), (0.5, false), (0.5, true)] {
                let shape = HeadShape::new(37, hidden, activation, classes);
                let weights = [0.5, 2.0, 1.25];
                let weights = weighted.then_some(&weights[..classes]);
                let host = fifty_steps(learner::<HostHead>(&shape, kind, LEARNING_RATE), dropout, weights);
                let torch = fifty_steps(learner::<TorchHead>(&shape, kind, LEARNING_RATE), dropout, weights);
                let what = format!("{shape:?} {kind} dropout {dropout} weights {weights:?}");
                assert_eq!((host.1.correct, host.1.samples), (torch.1.correct, torch.1.samples), "{what}");
                assert!(
                    (host.1.loss / torch.1.loss - 1.0).abs() < 1e-5,
                    "{what}: {:?} {:?}",
                    host.1,
                    torch.1
                );
                let parameters = shape.tensors().in_order().count();
                for (index, (host, torch)) in host.0.iter().zip(&torch.0).enumerate() {
                    // A parameter that ends near zero has still come from as far as its steps reach.
                    let step = if index < parameters { LEARNING_RATE as f32 } else { 0.0 };
                    let largest = torch.iter().fold(step, |largest, number| largest.max(number.abs()));
                    let away = host.iter().zip(torch).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    // The mean gradient of one bias is what large gradients of either sign leave of one another.
                    let limit = if index < parameters { 1e-5 } else { 1e-4 };
                    assert!(away <= limit * largest, "{what}: array {index}: {away} of {largest}");
                    let worst = &mut worst[usize::from(index >= parameters)];
                    *worst = worst.max(away / largest);
                }
            }
        }
    }
    let [parameters, moments] = worst;
    println!("after fifty steps: parameters {parameters:.1e}, moments {moments:.1e} of the largest away");
}

#[test]
fn fifty_steps_are_equal_whatever_the_width_of_the_vectors() {
    for (hidden, classes) in [(0, 2), (19, 2), (19, 3)] {
        let shape = HeadShape::new(1037, hidden, Activation::Relu, classes);
        let found = arches().into_iter().map(|arch| {
            let Learner { head, optimizer } = learner::<HostHead>(&shape, OptimizerKind::RmsProp, 0.001);
            fifty_steps(Learner { head: head.with_arch(arch), optimizer }, 0.5, None)
        });
        let found: Vec<_> = found.collect();
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{hidden} {classes}");
    }
}

#[test]
fn without_wide_vectors_the_steps_are_nearly_the_same() {
    let shape = HeadShape::new(37, 8, Activation::Relu, 3);
    for kind in KINDS {
        let steps = |arch| {
            let Learner { head, optimizer } = learner::<HostHead>(&shape, kind, 0.01);
            fifty_steps(Learner { head: head.with_arch(arch), optimizer }, 0.5, None).0.concat()
        };
        let (wide, scalar) = (steps(pulp::Arch::new()), steps(pulp::Arch::Scalar));
        let distance = wide.iter().zip(scalar).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(distance < 1e-5, "{kind}: {distance}");
    }
}

#[test]
fn both_back_ends_say_the_same_probabilities() {
    for (hidden, classes) in [(8, 2), (0, 2), (8, 3), (0, 4)] {
        let shape = HeadShape::new(21, hidden, Activation::Relu, classes);
        let features = draw(5 * 21, 1);
        let rows: Vec<&[f32]> = features.chunks(21).collect();
        let host = HostHead::new(shape.clone(), start(&shape, 7), Device::Cpu).unwrap();
        let torch = TorchHead::new(shape.clone(), start(&shape, 7), Device::Cpu).unwrap();
        let expected = probabilities(&torch.logits(&rows).unwrap(), shape.outputs());
        let head = Head { computed: Computed::Host(host) };
        let found = head.probabilities_of(&features).unwrap();
        assert_eq!(found.len(), 5 * classes);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "expected {expected}, found {found}");
        }
        assert_eq!(head.probabilities_of(&[]).unwrap(), Vec::<f64>::new());
    }
}

#[test]
fn features_that_are_no_numbers_show_in_the_loss() {
    let shape = HeadShape::new(2, 4, Activation::Relu, 2);
    let head = HostHead::new(shape.clone(), start(&shape, 1), Device::Cpu).unwrap();
    let mut totals = Totals::default();
    head.measure(&minibatch(&[f32::NAN, 1.0], 2, &[0]), &mut totals).unwrap();
    assert!(totals.loss.is_nan(), "{totals:?}");
}

#[test]
fn class_weights_scale_each_samples_loss() {
    fn loss<B: BackEnd>(weights: &[f64]) -> f64 {
        let shape = HeadShape::new(2, 0, Activation::None, 2);
        let mut learner = learner::<B>(&shape, OptimizerKind::Sgd, 0.1);
        let mut sums = learner.head.sums(Totals::default()).unwrap();
        let how = Step { dropout: Dropout::NONE, class_weights: Some(weights) };
        let minibatch = minibatch(&[1.0, 0.0, 0.0, 1.0], 2, &[0, 1]);
        learner.head.step(&mut learner.optimizer, &minibatch, &how, &mut sums).unwrap();
        B::totals(&sums).unwrap().means().loss
    }
    for loss in [loss::<HostHead>, loss::<TorchHead>] {
        let (first, second, both) = (loss(&[1.0, 0.0]), loss(&[0.0, 1.0]), loss(&[3.0, 0.5]));
        assert!((both - (3.0 * first + 0.5 * second)).abs() < 1e-6);
    }
}

/// Keras' arrays of `golden/rmsprop`.
struct Golden<'a>(&'a Path);

impl Golden<'_> {
    fn array(&self, name: &str) -> FloatTensor {
        let bytes = std::fs::read(self.0.join(name)).unwrap();
        let file = npyz::NpyFile::new(&bytes[..]).unwrap();
        let size: Vec<usize> = file.shape().iter().map(|&side| side as usize).collect();
        let numbers = match file.dtype().descr().as_str() {
            "'<f4'" => file.into_vec().unwrap(),
            "'<i8'" => file.into_vec::<i64>().unwrap().into_iter().map(|number| number as f32).collect(),
            "'<i4'" => file.into_vec::<i32>().unwrap().into_iter().map(|number| number as f32).collect(),
            other => panic!("{name}: {other}"),
        };
        FloatTensor { size, numbers }
    }

    /// Keras' kernels are [inputs, outputs].
    fn parameters(&self, when: &str) -> Parameters<FloatTensor> {
        let layer = |layer: &str| parameters::Layer {
            weight: transposed(&self.array(&format!("{when}_{layer}_kernel.npy"))),
            bias: self.array(&format!("{when}_{layer}_bias.npy")),
        };
        Parameters { tail: Vec::new(), hidden: Some(layer("dense")), output: layer("out") }
    }
}

fn transposed(tensor: &FloatTensor) -> FloatTensor {
    let [rows, columns] = tensor.size[..] else { panic!("{:?}", tensor.size) };
    let number = |index| tensor.numbers[index % rows * columns + index / rows];
    FloatTensor { size: vec![columns, rows], numbers: (0..rows * columns).map(number).collect() }
}

/// Trains as Keras did: each epoch's means, and the parameters at the end.
fn as_keras<B: BackEnd>(golden: &Golden, rate: f64, epochs: usize) -> (Vec<Means>, Vec<Vec<f32>>) {
    let shape = HeadShape::new(40, 8, Activation::Relu, 2);
    let begun = PlainLearner::begin(&shape, OptimizerKind::RmsProp, rate, 0);
    let begun = PlainLearner { parameters: golden.parameters("start"), ..begun };
    let Learner { mut head, mut optimizer }: Learner<B> = begun.load(Device::Cpu).unwrap();
    let (features, labels) = (golden.array("x.npy").numbers, golden.array("y.npy").numbers);
    let labels: Vec<usize> = labels.into_iter().map(|label| label as usize).collect();
    let how = Step { dropout: Dropout::NONE, class_weights: None };
    let epoch = |head: &mut B, optimizer: &mut Optimizer<B::Array>| {
        let mut sums = head.sums(Totals::default()).unwrap();
        for (features, labels) in features.chunks(32 * 40).zip(labels.chunks(32)) {
            head.step(optimizer, &minibatch(features, 40, labels), &how, &mut sums).unwrap();
        }
        B::totals(&sums).unwrap().means()
    };
    let means = (0..epochs).map(|_| epoch(&mut head, &mut optimizer)).collect();
    let parameters = head.parameters().as_ref().in_order();
    (means, parameters.map(|array| B::numbers(array).unwrap().into_owned()).collect())
}

#[test]
fn twenty_epochs_of_rmsprop_end_at_kerass_weights_and_losses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/rmsprop");
    if !folder.exists() {
        println!("skipped: the ground truth in `shared/golden/rmsprop` is absent");
        return;
    }
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let (golden, rate) = (Golden(&folder), config["learning_rate"].as_f64().unwrap());
    let losses = config["epoch_loss"].as_array().unwrap();
    for as_keras in [as_keras::<HostHead>, as_keras::<TorchHead>] {
        let (means, parameters) = as_keras(&golden, rate, losses.len());
        for (epoch, (means, expected)) in means.iter().zip(losses).enumerate() {
            let (found, expected) = (means.loss, expected.as_f64().unwrap());
            let epoch = epoch + 1;
            assert!((found - expected).abs() < 1e-5, "epoch {epoch}: expected {expected}, found {found}");
        }
        for (found, expected) in parameters.iter().zip(golden.parameters("end").in_order()) {
            assert_eq!(found.len(), expected.numbers.len());
            let distances = found.iter().zip(&expected.numbers).map(|(a, b)| (a - b).abs());
            let distance = distances.fold(0.0, f32::max);
            assert!(distance < 1e-5, "an end weight is {distance} away");
        }
    }
}
