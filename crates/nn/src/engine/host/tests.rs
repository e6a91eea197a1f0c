//! Equal bits, whatever the processor's vectors and the company.

use convbase_bases::{Plan, Weights, architecture, architectures, write_untrained};
use convbase_core::{ImageSize, Precision, Preprocess};
use pulp::Arch;

use super::network::Network;
use crate::vectors::trials::arches;

/// The network of a base, untrained, on some vectors.
fn network(plan: &Plan, arch: Arch, precision: Precision) -> Network {
    Network::on(arch, plan, precision).unwrap()
}

fn plan(name: &str, size: ImageSize) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    let architecture = architecture(name).unwrap();
    write_untrained(&path, architecture, 1, Preprocess::Rescale).unwrap();
    let weights = Weights::open(&path, architecture).unwrap();
    Plan::new(architecture, &weights, architecture.default_layer(), size, Preprocess::Rescale).unwrap()
}

#[test]
fn features_have_equal_bits_whatever_the_vectors_the_group_and_the_order() {
    let size = ImageSize::new(97, 83).unwrap();
    let pixels: Vec<u8> = (0..11 * size.rgb_bytes()).map(|index| (index * index % 251) as u8).collect();
    for name in architectures().iter().map(|architecture| architecture.name()).chain(["tiny"]) {
        let plan = plan(name, size);
        for precision in [Precision::Float32, Precision::BFloat16] {
            let mut all = Vec::new();
            for arch in arches() {
                let network = network(&plan, arch, precision);
                let together = network.forward(&pixels);
                assert_eq!(together.len(), 11 * network.output_shape().iter().product::<usize>());
                let mut apart: Vec<Vec<f32>> =
                    pixels.chunks(size.rgb_bytes()).rev().map(|image| network.forward(image)).collect();
                apart.reverse();
                assert!(apart.concat() == together, "{name} in {precision}: alone and together");
                all.push(together);
            }
            assert!(
                all.windows(2).all(|pair| pair[0] == pair[1]),
                "{name} in {precision}: the vectors differ"
            );
        }
    }
}
