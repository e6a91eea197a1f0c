//! Equal bits, whatever the processor's vectors and the company.

use std::thread;

use convbase_bases::{Plan, Weights, architecture, architectures, write_untrained};
use convbase_core::{ImageSize, Precision, Preprocess};
use rayon::prelude::*;

use super::network::Network;
use crate::vectors::trials::arches;

/// Second caches in bytes: maps go through in bands of other heights.
const CACHES: [usize; 2] = [64 * 1024, 2048 * 1024];

fn plan(name: &str, size: ImageSize) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    let architecture = architecture(name).unwrap();
    write_untrained(&path, architecture, 1, Preprocess::Rescale).unwrap();
    let weights = Weights::open(&path, architecture).unwrap();
    Plan::new(architecture, &weights, architecture.default_layer(), size, Preprocess::Rescale).unwrap()
}

#[test]
fn features_have_equal_bits_whatever_the_batch_the_threads_the_vectors_and_the_cache() {
    let names: Vec<&str> = architectures().iter().map(|architecture| architecture.name()).collect();
    names.par_iter().chain(&["tiny"]).for_each(|name| equal_bits(name));
}

fn equal_bits(name: &str) {
    let size = ImageSize::new(83, 77).unwrap();
    let image = size.rgb_bytes();
    let pixels: Vec<u8> = (0..33 * image).map(|index| (index * index % 251) as u8).collect();
    let plan = plan(name, size);
    let network = |arch, precision, cache| Network::on(arch, &plan, precision, cache).unwrap();
    for precision in [Precision::Float32, Precision::Int8] {
        let network = network(arches()[0], precision, CACHES[1]);
        let expected = network.forward(&pixels);
        assert_eq!(expected.len(), 33 * network.output_shape().iter().product::<usize>());
        for batch in [1, 3, 8, 32] {
            let found: Vec<Vec<f32>> =
                pixels.chunks(batch * image).map(|pixels| network.forward(pixels)).collect();
            assert!(found.concat() == expected, "{name} in {precision}: batches of {batch}");
        }
        for threads in [2, 5] {
            let found = thread::scope(|scope| {
                let shares = pixels.chunks(33_usize.div_ceil(threads) * image);
                let running: Vec<_> = shares.map(|pixels| scope.spawn(|| network.forward(pixels))).collect();
                running.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<f32>>()
            });
            assert!(found == expected, "{name} in {precision}: {threads} threads");
        }
    }
    let pixels = &pixels[..9 * image];
    for precision in [Precision::Float32, Precision::BFloat16, Precision::Int8] {
        let cases = arches().into_iter().flat_map(|arch| CACHES.map(|cache| (arch, cache)));
        let found: Vec<Vec<f32>> =
            cases.map(|(arch, cache)| network(arch, precision, cache).forward(pixels)).collect();
        let same = found.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(same, "{name} in {precision}: vectors {:?}, caches of {CACHES:?} bytes", arches());
    }
}
