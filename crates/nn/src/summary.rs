//! A table of layers in the manner of Keras' `model.summary()`.

use std::fmt;

use convbase_bases::{SummaryRow, architecture};
use convbase_core::{FeatureSpec, Pooling};

use crate::{Activation, HeadShape};

/// Layers with output shapes and parameters.
#[derive(Debug, Default)]
pub struct Summary {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    layer: String,
    shape: Vec<usize>,
    parameters: u64,
    trainable: bool,
}

impl Summary {
    /// The frozen base up to the layer of `spec`: layer by layer where the catalogue knows it, else as one row.
    pub fn conv_base(spec: &FeatureSpec) -> Self {
        let size = spec.image_size;
        let known = architecture(&spec.architecture).ok();
        let rows = known.and_then(|known| known.graph().summary(&spec.layer, size).ok());
        let mut summary = Self::default();
        let input = vec![size.height() as usize, size.width() as usize, 3];
        summary.add(format!("input ({})", spec.preprocess), input, 0, false);
        let output: Vec<usize> = spec.shape.sides().iter().map(|&side| side as usize).collect();
        match rows {
            // The first row is the images.
            Some(rows) => rows.into_iter().skip(1).for_each(|SummaryRow { layer, shape, parameters }| {
                summary.add(layer, shape.to_vec(), parameters, false);
            }),
            None => summary.add(format!("{} ({})", spec.layer, spec.architecture), output.clone(), 0, false),
        }
        if spec.pooling != Pooling::None {
            summary.add(format!("global {} pooling", spec.pooling), output, 0, false);
        }
        summary
    }

    /// The base and the head that is trained on it.
    pub fn with_head(mut self, head: &HeadShape, dropout: f64) -> Self {
        self.add("flatten".into(), vec![head.features], 0, true);
        let mut inputs = head.features;
        if head.hidden > 0 {
            let activation = if head.activation == Activation::Relu { " (relu)" } else { "" };
            let parameters = (inputs as u64 + 1).saturating_mul(head.hidden as u64);
            self.add(format!("dense{activation}"), vec![head.hidden], parameters, true);
            inputs = head.hidden;
        }
        if dropout > 0.0 {
            self.add(format!("dropout {dropout}"), vec![inputs], 0, true);
        }
        let outputs = head.outputs();
        let activation = if outputs == 1 { "sigmoid" } else { "softmax" };
        let parameters = (inputs as u64 + 1).saturating_mul(outputs as u64);
        self.add(format!("output ({activation})"), vec![outputs], parameters, true);
        self
    }

    fn add(&mut self, layer: String, shape: Vec<usize>, parameters: u64, trainable: bool) {
        self.rows.push(Row { layer, shape, parameters, trainable });
    }

    fn total(&self, trainable: bool) -> u64 {
        self.rows.iter().filter(|row| row.trainable == trainable).map(|row| row.parameters).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<24} {:<18} {:>12}", "layer", "output shape", "parameters")?;
        for row in &self.rows {
            let sides: Vec<String> = row.shape.iter().map(usize::to_string).collect();
            let shape = format!("({})", sides.join(", "));
            writeln!(formatter, "{:<24} {:<18} {:>12}", row.layer, shape, grouped(row.parameters))?;
        }
        let (trainable, frozen) = (self.total(true), self.total(false));
        write!(
            formatter,
            "total {}, trainable {}, frozen {}",
            grouped(trainable + frozen),
            grouped(trainable),
            grouped(frozen)
        )
    }
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use convbase_bases::article;

    #[test]
    fn the_article_s_model_has_keras_s_totals() {
        let spec = article();
        let head = HeadShape::new(12_800, 256, Activation::Relu, 2);
        let text = Summary::conv_base(&spec).with_head(&head, 0.5).to_string();
        assert!(text.contains("block3_pool              (22, 22, 256)                 0"), "{text}");
        assert!(text.ends_with("total 17,992,001, trainable 3,277,313, frozen 14,714,688"), "{text}");
    }
}
