//! One step and one epoch of training.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::minibatch::{Features, Minibatch, epoch_order};
use crate::optimizer::Gradient;
use crate::randomness::{seed_for, seeded};
use crate::{Head, MinibatchError, Optimizer, Rows, TorchError, TrainingState};

/// Means over samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// Mean cross-entropy, class weights included.
    pub loss: f64,
    /// Share of samples that were right.
    pub accuracy: f64,
}

/// How an epoch is trained.
#[derive(Debug)]
pub struct TrainingOptions {
    /// Samples per step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// Share of hidden units that each step leaves out.
    pub dropout: f64,
    /// Decides the order of the rows and the dropout, together with epoch and step.
    pub seed: u64,
    /// The weight of each class's loss, `[classes]`.
    pub class_weights: Option<Vec<f64>>,
}

/// An epoch between two steps: how far it is, and the sums over the samples so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BegunEpoch {
    /// Steps that were made.
    pub steps: u64,
    /// Their samples.
    samples: usize,
    /// Samples that were right.
    correct: i64,
    /// The sum of the losses, as the bits of a 64-bit float: decimal digits might not read back the same.
    loss_bits: u64,
}

/// The share of hidden units that a step leaves out, and the seed that decides which.
#[derive(Clone, Copy)]
struct Dropout {
    share: f64,
    seed: u64,
}

/// Sums over samples, which stay on the device until the end of a pass.
pub(crate) struct Sums {
    /// float64 scalar
    loss: Tensor,
    /// int64 scalar
    correct: Tensor,
    samples: usize,
}

impl Sums {
    pub(crate) fn new(device: Device) -> Result<Self, TorchError> {
        Self::from_begun(&BegunEpoch::default(), device)
    }

    fn from_begun(begun: &BegunEpoch, device: Device) -> Result<Self, TorchError> {
        let scalar = [0_i64; 0];
        Ok(Self {
            loss: Tensor::f_full(scalar, f64::from_bits(begun.loss_bits), (Kind::Double, device))?,
            correct: Tensor::f_full(scalar, begun.correct, (Kind::Int64, device))?,
            samples: begun.samples,
        })
    }

    fn to_begun(&self, steps: u64) -> Result<BegunEpoch, TorchError> {
        let (loss, correct) = (self.loss.f_double_value(&[])?, self.correct.f_int64_value(&[])?);
        Ok(BegunEpoch { steps, samples: self.samples, correct, loss_bits: loss.to_bits() })
    }

    pub(crate) fn add(
        &mut self,
        losses: &Tensor,
        correct: &Tensor,
        samples: usize,
    ) -> Result<(), TorchError> {
        let _ = self.loss.f_add_(&losses.f_detach()?.f_sum(Kind::Double)?)?;
        let _ = self.correct.f_add_(correct)?;
        self.samples += samples;
        Ok(())
    }

    pub(crate) fn means(&self) -> Result<Means, TorchError> {
        let samples = self.samples as f64;
        let (loss, correct) = (self.loss.f_double_value(&[])?, self.correct.f_int64_value(&[])?);
        Ok(Means { loss: loss / samples, accuracy: correct as f64 / samples })
    }
}

impl TrainingState {
    /// Trains the epoch after the last finished one, from the step it was left at, the rows in an order of its own.
    /// Gives the means as Keras reports them: over the steps while the head changes, dropout included.
    ///
    /// `stop` is asked before each step; when it says yes, `None` comes back and the state is between two steps, ready
    /// to be saved and gone on with exactly.
    pub fn train_epoch(
        &mut self,
        rows: &Rows,
        options: &TrainingOptions,
        mut stop: impl FnMut() -> bool,
    ) -> Result<Option<Means>, MinibatchError> {
        let device = rows.device();
        let weights =
            options.class_weights.as_deref().map(|weights| class_weights(weights, device)).transpose()?;
        let epoch = self.epoch + 1;
        let order = epoch_order(rows.len(), options.seed, epoch)?;
        let mut sums = Sums::from_begun(&self.begun, device)?;
        let begun = self.begun.steps;
        for (step, positions) in (0_u64..).zip(order.chunks(options.batch_size.max(1))) {
            if step < begun {
                continue;
            }
            if stop() {
                self.begun = sums.to_begun(step)?;
                return Ok(None);
            }
            let minibatch = rows.gather(positions)?;
            let dropout = Dropout { share: options.dropout, seed: seed_for(options.seed, epoch, step) };
            let (head, optimizer) = (&mut self.head, &mut self.optimizer);
            train_step(head, optimizer, &minibatch, dropout, weights.as_ref(), &mut sums)?;
        }
        self.begun = sums.to_begun(order.len().div_ceil(options.batch_size.max(1)) as u64)?;
        Ok(Some(sums.means()?))
    }
}

fn train_step(
    head: &mut Head,
    optimizer: &mut Optimizer,
    minibatch: &Minibatch,
    dropout: Dropout,
    class_weights: Option<&Tensor>,
    sums: &mut Sums,
) -> Result<(), TorchError> {
    let samples = minibatch.labels.numel();
    // Computed here, the hidden layer's sums are where libtorch's gradients end.
    let hidden = head.sums(&minibatch.features)?.map(|sums| sums.f_set_requires_grad(true)).transpose()?;
    let logits = match &hidden {
        Some(sums) => seeded(dropout.seed, || head.logits_of_sums(sums, dropout.share)),
        None => {
            let features = minibatch.features.tensor()?;
            seeded(dropout.seed, || head.logits(&features, dropout.share))
        }
    }?; // [batch, outputs]
    let mut losses = head.losses(&logits, &minibatch.labels)?; // [batch]
    if let Some(weights) = class_weights {
        losses = losses.f_mul(&weights.f_index_select(0, &minibatch.labels)?)?;
    }
    // Keras divides by the number of samples, not by the sum of their weights.
    let loss = losses.f_sum(Kind::Float)?.f_div_scalar(samples as f64)?;
    let gradients = match (&hidden, &minibatch.features, head.parameters()) {
        (Some(sums), Features::Rows(rows), [_, _, weight, bias]) => {
            let mut gradients = Tensor::f_run_backward(&[loss], &[sums, weight, bias], false, false)?;
            let outputs = gradients.remove(0); // [batch, hidden]
            let bias = Gradient::Whole(outputs.f_sum_dim_intlist(0, false, Kind::Float)?);
            let weight = Gradient::Product { rows, outputs };
            [weight, bias].into_iter().chain(gradients.into_iter().map(Gradient::Whole)).collect()
        }
        (_, _, parameters) => {
            let gradients = Tensor::f_run_backward(&[loss], parameters, false, false)?;
            gradients.into_iter().map(Gradient::Whole).collect::<Vec<_>>()
        }
    };
    optimizer.step_along(head.parameters_mut(), &gradients)?;
    sums.add(&losses, &head.correct(&logits, &minibatch.labels)?, samples)
}

fn class_weights(weights: &[f64], device: Device) -> Result<Tensor, TorchError> {
    Ok(Tensor::f_from_slice(weights)?.f_to_kind(Kind::Float)?.f_to_device(device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, HeadShape, OptimizerKind};
    use std::path::Path;

    const NONE: Dropout = Dropout { share: 0.0, seed: 0 };

    fn array(folder: &Path, name: &str) -> Tensor {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let file = npyz::NpyFile::new(&bytes[..]).unwrap();
        let shape: Vec<i64> = file.shape().iter().map(|&side| side as i64).collect();
        let floats: Vec<f32> = match file.dtype().descr().as_str() {
            "'<f4'" => file.into_vec().unwrap(),
            "'<i8'" => file.into_vec::<i64>().unwrap().into_iter().map(|number| number as f32).collect(),
            "'<i4'" => file.into_vec::<i32>().unwrap().into_iter().map(|number| number as f32).collect(),
            other => panic!("{name}: {other}"),
        };
        Tensor::from_slice(&floats).view(&shape[..])
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
        // Keras kernels are [inputs, outputs].
        let tensors = |when: &str| {
            [("dense_kernel", true), ("dense_bias", false), ("out_kernel", true), ("out_bias", false)].map(
                |(name, kernel)| {
                    let tensor = array(&folder, &format!("{when}_{name}.npy"));
                    if kernel { tensor.transpose(0, 1).contiguous() } else { tensor }
                },
            )
        };
        let shape = HeadShape { features: 40, hidden: 8, activation: Activation::Relu, classes: 2 };
        let mut head = Head::from_tensors(shape, tensors("start").into(), Device::Cpu).unwrap();
        let rate = config["learning_rate"].as_f64().unwrap();
        let mut optimizer = Optimizer::new(OptimizerKind::RmsProp, rate, head.parameters()).unwrap();
        let (features, labels) =
            (array(&folder, "x.npy"), array(&folder, "y.npy").to_kind(Kind::Int64).view([-1]));
        let rows = features.size()[0];
        for (epoch, expected) in config["epoch_loss"].as_array().unwrap().iter().enumerate() {
            let mut sums = Sums::new(Device::Cpu).unwrap();
            for start in (0..rows).step_by(32) {
                let count = 32.min(rows - start);
                let minibatch = Minibatch {
                    features: Features::Tensor(features.narrow(0, start, count)),
                    labels: labels.narrow(0, start, count),
                };
                train_step(&mut head, &mut optimizer, &minibatch, NONE, None, &mut sums).unwrap();
            }
            let (found, expected) = (sums.means().unwrap().loss, expected.as_f64().unwrap());
            assert!(
                (found - expected).abs() < 1e-5,
                "epoch {}: expected {expected}, found {found}",
                epoch + 1
            );
        }
        for (parameter, expected) in head.parameters().iter().zip(tensors("end")) {
            let distance = (parameter.detach() - expected).abs().max().double_value(&[]);
            assert!(distance < 1e-5, "an end weight is {distance} away");
        }
    }

    #[test]
    fn class_weights_scale_each_samples_loss() {
        let shape = HeadShape { features: 2, hidden: 0, activation: Activation::None, classes: 2 };
        let minibatch = Minibatch {
            features: Features::Tensor(Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 1.0]).view([2, 2])),
            labels: Tensor::from_slice(&[0_i64, 1]),
        };
        let loss = |weights: &[f64]| {
            let mut head = Head::new(shape, 1, Device::Cpu).unwrap();
            let mut optimizer = Optimizer::new(OptimizerKind::Sgd, 0.1, head.parameters()).unwrap();
            let weights = class_weights(weights, Device::Cpu).unwrap();
            let mut sums = Sums::new(Device::Cpu).unwrap();
            train_step(&mut head, &mut optimizer, &minibatch, NONE, Some(&weights), &mut sums).unwrap();
            sums.means().unwrap().loss
        };
        let (first, second, both) = (loss(&[1.0, 0.0]), loss(&[0.0, 1.0]), loss(&[3.0, 0.5]));
        assert!((both - (3.0 * first + 0.5 * second)).abs() < 1e-6);
    }
}
