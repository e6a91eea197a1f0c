//! A plan cut in two: what is computed once, and what goes on from there.

use super::{Plan, PlanError, Step};

/// The steps behind a layer, which go on from its map alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Behind {
    /// [height, width, channels] of the map that enters: value 0.
    pub map: [usize; 3],
    /// Step k makes value k + 1.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The steps behind `layer`. Refuses a layer that has no map of its own, because it became part of the step of the
    /// layer behind it, and one that later steps read past.
    pub fn behind(self, layer: &str) -> Result<Behind, PlanError> {
        let found = (0..self.steps.len()).find(|&index| self.steps[index].layer == layer);
        let Some(index) = found.filter(|&index| self.is_cut(index)) else {
            let layers = (0..self.steps.len()).filter(|&index| self.is_cut(index));
            let layers = layers.map(|index| self.steps[index].layer.clone()).collect();
            return Err(PlanError::NoCut { found: layer.to_owned(), layers });
        };
        let map = self.steps[index].shape;
        let mut steps = self.steps;
        steps.drain(..=index);
        for input in steps.iter_mut().flat_map(|step| &mut step.inputs) {
            *input -= index + 1;
        }
        Ok(Behind { map, steps })
    }

    /// Whether there are later steps, and none of them reads what was made before this one.
    fn is_cut(&self, index: usize) -> bool {
        let behind = &self.steps[index + 1..];
        !behind.is_empty() && behind.iter().flat_map(|step| &step.inputs).all(|&input| input > index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Weights, architecture, write_untrained};
    use convbase_core::{ImageSize, Preprocess};

    fn plan(name: &str, folder: &std::path::Path) -> Plan {
        let (path, architecture) = (folder.join("weights.safetensors"), architecture(name).unwrap());
        write_untrained(&path, architecture, 1, Preprocess::Rescale).unwrap();
        let weights = Weights::open(&path, architecture).unwrap();
        let size = ImageSize::new(96, 96).unwrap();
        Plan::new(architecture, &weights, architecture.default_layer(), size, Preprocess::Rescale).unwrap()
    }

    #[test]
    fn the_steps_behind_a_layer_go_on_from_its_map() {
        let folder = tempfile::tempdir().unwrap();
        let behind = plan("vgg16", folder.path()).behind("block4_pool").unwrap();
        assert_eq!(behind.map, [6, 6, 512]);
        let layers: Vec<&str> = behind.steps.iter().map(|step| step.layer.as_str()).collect();
        assert_eq!(layers, ["block5_conv1", "block5_conv2", "block5_conv3", "block5_pool"]);
        assert_eq!(behind.steps[0].inputs, [0]);
        assert_eq!(behind.steps[3].shape, [3, 3, 512]);
    }

    #[test]
    fn a_layer_that_later_ones_read_past_is_refused_with_those_that_serve() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan("resnet50", folder.path());
        assert!(plan.clone().behind("conv4_block6_out").is_ok());
        for layer in ["conv5_block1_2_relu", "conv5_block1_2_conv", "no such layer"] {
            let error = plan.clone().behind(layer).unwrap_err().to_string();
            assert!(
                error.contains("conv4_block6_out") && error.ends_with(&format!("found `{layer}`")),
                "{error}"
            );
        }
        assert!(plan.behind("conv5_block3_out").is_err(), "nothing is behind the last layer");
    }
}
