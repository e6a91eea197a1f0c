//! Inception V3 (Szegedy et al. 2016; Keras `applications/inception_v3.py`).

use std::sync::OnceLock;

use convbase_core::Preprocess;

use crate::architecture::Architecture;
use crate::graph::{Builder, Graph, Window};

pub(crate) static INCEPTION_V3: Architecture = Architecture {
    name: "inception_v3",
    default_layer: "mixed10",
    default_side: 299,
    preprocess: || Preprocess::TensorFlow,
    torchvision_names: None,
    build: inception_v3,
    graph: OnceLock::new(),
};

/// Of every normalisation (Keras' default); none has a gamma.
const EPSILON: f64 = 1e-3;
const ONE: Window = Window::square(1).same();
const THREE: Window = Window::square(3).same();
const FIVE: Window = Window::square(5).same();
/// A row and a column of seven, a row and a column of three.
const ROW7: Window = Window::new(1, 7).same();
const COLUMN7: Window = Window::new(7, 1).same();
const ROW3: Window = Window::new(1, 3).same();
const COLUMN3: Window = Window::new(3, 1).same();
/// Stays inside and halves.
const HALVING: Window = Window::square(3).stride(2);

/// The builder with the numbers that Keras gives to layers without a name of their own.
struct Inception {
    graph: Builder,
    convolutions: usize,
    max_pools: usize,
    average_pools: usize,
}

fn inception_v3() -> Graph {
    let mut base = Inception { graph: Builder::new(), convolutions: 0, max_pools: 0, average_pools: 0 };
    let map = base.way(Builder::INPUT, &[(32, HALVING), (32, Window::square(3)), (64, THREE)]);
    let map = base.max_pool(map);
    let map = base.way(map, &[(80, Window::square(1)), (192, Window::square(3))]);
    let mut map = base.max_pool(map);
    for (block, pooled) in [32, 64, 64].into_iter().enumerate() {
        map = base.block35(&format!("mixed{block}"), map, pooled);
    }
    map = base.reduction17(map);
    for (block, inner) in (4..).zip([128, 160, 160, 192]) {
        map = base.block17(&format!("mixed{block}"), map, inner);
    }
    map = base.reduction8(map);
    for block in 0..2 {
        map = base.block8(block, map);
    }
    base.graph.finish(map)
}

impl Inception {
    /// Maps of 35 × 35 for images of 299 × 299.
    fn block35(&mut self, name: &str, from: usize, pooled: usize) -> usize {
        let ways = [
            self.way(from, &[(64, ONE)]),
            self.way(from, &[(48, ONE), (64, FIVE)]),
            self.way(from, &[(64, ONE), (96, THREE), (96, THREE)]),
            self.pooled_way(from, pooled),
        ];
        self.graph.concatenate(name, &ways)
    }

    fn reduction17(&mut self, from: usize) -> usize {
        let ways = [
            self.way(from, &[(384, HALVING)]),
            self.way(from, &[(64, ONE), (96, THREE), (96, HALVING)]),
            self.max_pool(from),
        ];
        self.graph.concatenate("mixed3", &ways)
    }

    /// Maps of 17 × 17.
    fn block17(&mut self, name: &str, from: usize, inner: usize) -> usize {
        let double = [(inner, ONE), (inner, COLUMN7), (inner, ROW7), (inner, COLUMN7), (192, ROW7)];
        let ways = [
            self.way(from, &[(192, ONE)]),
            self.way(from, &[(inner, ONE), (inner, ROW7), (192, COLUMN7)]),
            self.way(from, &double),
            self.pooled_way(from, 192),
        ];
        self.graph.concatenate(name, &ways)
    }

    fn reduction8(&mut self, from: usize) -> usize {
        let ways = [
            self.way(from, &[(192, ONE), (320, HALVING)]),
            self.way(from, &[(192, ONE), (192, ROW7), (192, COLUMN7), (192, HALVING)]),
            self.max_pool(from),
        ];
        self.graph.concatenate("mixed8", &ways)
    }

    /// Maps of 8 × 8. Both inner pairs are joined before the outer four.
    fn block8(&mut self, number: usize, from: usize) -> usize {
        let single = self.way(from, &[(320, ONE)]);
        let inner = self.way(from, &[(384, ONE)]);
        let pair = [self.way(inner, &[(384, ROW3)]), self.way(inner, &[(384, COLUMN3)])];
        let pair = self.graph.concatenate(format!("mixed9_{number}"), &pair);
        let inner = self.way(from, &[(448, ONE), (384, THREE)]);
        let double = [self.way(inner, &[(384, ROW3)]), self.way(inner, &[(384, COLUMN3)])];
        let double = self.graph.concatenate(automatic("concatenate", number), &double);
        let pooled = self.pooled_way(from, 192);
        self.graph.concatenate(format!("mixed{}", 9 + number), &[single, pair, double, pooled])
    }

    /// Convolutions one behind the other, each with its normalisation and ReLU.
    fn way(&mut self, from: usize, convolutions: &[(usize, Window)]) -> usize {
        convolutions.iter().fold(from, |map, &(outputs, window)| {
            let number = self.convolutions;
            self.convolutions += 1;
            let map = self.graph.convolution(automatic("conv2d", number), map, outputs, window);
            let name = automatic("batch_normalization", number);
            let map = self.graph.normalisation_without_gamma(name, map, EPSILON);
            self.graph.relu(automatic("activation", number), map)
        })
    }

    fn pooled_way(&mut self, from: usize, outputs: usize) -> usize {
        let name = automatic("average_pooling2d", self.average_pools);
        self.average_pools += 1;
        let map = self.graph.average_pool(name, from, THREE);
        self.way(map, &[(outputs, ONE)])
    }

    fn max_pool(&mut self, from: usize) -> usize {
        let name = automatic("max_pooling2d", self.max_pools);
        self.max_pools += 1;
        self.graph.max_pool(name, from, HALVING)
    }
}

/// Keras' name of the layer of a kind that was made after `number` others.
fn automatic(kind: &str, number: usize) -> String {
    if number == 0 { kind.to_owned() } else { format!("{kind}_{number}") }
}
