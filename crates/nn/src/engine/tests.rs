use super::*;
use convbase_bases::{Architecture, Choices, Weights, architecture, architectures, write_untrained};
use convbase_core::{Interpolation, Preprocess};

/// The least that every base takes, and odd.
const SIZE: [u32; 2] = [77, 83];

/// An untrained base, and the folder that holds its weights.
fn untrained(name: &str) -> (tempfile::TempDir, Base) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untrained.safetensors");
    write_untrained(&path, architecture(name).unwrap(), 1, Preprocess::Caffe).unwrap();
    let base = Base::open(name, Some(&path)).unwrap();
    (folder, base)
}

fn spec(base: &Base, layer: &str) -> FeatureSpec {
    let choices = Choices {
        layer: layer.to_owned(),
        pooling: Pooling::None,
        image_size: ImageSize::try_from(SIZE).unwrap(),
        interpolation: Interpolation::Nearest,
        preprocess: Preprocess::Caffe,
    };
    base.spec(choices).unwrap()
}

fn catalogue(base: &Base) -> (&'static Architecture, &Weights) {
    match base.source() {
        Source::Catalogue { architecture, weights } => (architecture, weights),
        Source::Onnx(_) => panic!("a base of the catalogue"),
    }
}

fn torch(base: &Base, spec: &FeatureSpec, precision: Precision) -> TorchNetwork {
    let (architecture, weights) = catalogue(base);
    let plan = Plan::new(architecture, weights, &spec.layer, spec.image_size, spec.preprocess).unwrap();
    TorchNetwork::new(plan, precision, Device::Cpu).unwrap()
}

fn pixels(images: usize) -> Vec<u8> {
    let [height, width] = SIZE.map(|side| side as usize);
    (0..images * height * width * 3).map(|index| (index * index % 251) as u8).collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    architectures().iter().map(|architecture| architecture.name()).chain(["tiny"])
}

/// ‖found − expected‖ / ‖expected‖
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let squares = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>();
    let pairs = found.iter().zip(expected);
    let difference = squares(&mut pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)));
    (difference / squares(&mut expected.iter().map(|number| f64::from(*number)))).sqrt()
}

#[test]
fn every_layer_is_libtorchs_with_any_number_of_threads() {
    let layers = [
        "block1_conv1",
        "block1_conv2",
        "block1_pool",
        "block2_conv1",
        "block2_pool",
        "block3_conv2",
        "block4_conv3",
        "block5_pool",
    ];
    let (_folder, base) = untrained("vgg16");
    for layer in layers {
        let spec = spec(&base, layer);
        // In bf16 another order of the sums rounds a value in a few to its other neighbour, half a per cent away.
        for (precision, limit) in [(Precision::Float32, 1e-5), (Precision::BFloat16, 1e-2)] {
            let expected = torch(&base, &spec, precision).forward(&pixels(3), 3).unwrap();
            for threads in [1, 2, 8] {
                let conv_base = ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap();
                let found = conv_base.with_threads(threads).features(&pixels(3), 3).unwrap();
                let distance = distance(&found, &expected);
                assert!(distance < limit, "{layer}, {precision}, {threads} threads: {distance}");
            }
        }
    }
}

#[test]
fn every_base_is_libtorchs() {
    for name in names() {
        let (_folder, base) = untrained(name);
        let spec = spec(&base, base.default_layer());
        for (precision, limit) in [(Precision::Float32, 1e-5), (Precision::BFloat16, 2e-2)] {
            let expected = torch(&base, &spec, precision).forward(&pixels(2), 2).unwrap();
            let conv_base = ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap();
            let distance = distance(&conv_base.features(&pixels(2), 2).unwrap(), &expected);
            assert!(distance < limit, "{name}, {precision}: {distance}");
        }
    }
}

#[test]
fn every_base_is_computed_by_our_kernels_whatever_its_last_layer() {
    let has_vectors = crate::vectors::vector_instructions().is_some();
    for name in names() {
        let (_folder, base) = untrained(name);
        let (architecture, weights) = catalogue(&base);
        for layer in architecture.graph().useful_layers().into_iter().step_by(5) {
            let size = ImageSize::try_from(SIZE).unwrap();
            let plan = Plan::new(architecture, weights, layer, size, Preprocess::Caffe).unwrap();
            let network = host::Network::new(&plan, Precision::Float32);
            assert_eq!(network.is_some(), has_vectors, "{name}, {layer}");
        }
    }
}

#[test]
fn bf16_is_near_fp32_on_every_processor_and_engine() {
    for name in names() {
        let (_folder, base) = untrained(name);
        let spec = spec(&base, base.default_layer());
        let features = |precision| {
            let conv_base = ConvBase::new(&base, &spec, precision, Device::Cpu).unwrap();
            conv_base.features(&pixels(2), 2).unwrap()
        };
        let distance = distance(&features(Precision::BFloat16), &features(Precision::Float32));
        assert!(distance > 1e-5 && distance < 5e-2, "{name}: {distance}");
    }
}

#[test]
fn int8_is_near_fp32_and_refused_where_it_is_not_computed() {
    for name in names() {
        let (_folder, base) = untrained(name);
        let spec = spec(&base, base.default_layer());
        let features = |precision| {
            let conv_base = ConvBase::new(&base, &spec, precision, Device::Cpu)?;
            Ok::<_, BaseError>(conv_base.features(&pixels(2), 2).unwrap())
        };
        if host::int8_group().is_some() {
            let [found, expected] = [Precision::Int8, Precision::Float32].map(|p| features(p).unwrap());
            let distance = distance(&found, &expected);
            assert!(distance > 1e-5 && distance < 0.1, "{name}: {distance}");
        } else {
            let error = features(Precision::Int8).unwrap_err().to_string();
            assert_eq!(error, "int8: expected a processor with AVX2 or AVX-512, found one without them");
        }
        let error = ConvBase::new(&base, &spec, Precision::Int8, Device::Cuda(0)).unwrap_err().to_string();
        assert_eq!(error, "int8: expected a processor with AVX2 or AVX-512, found Cuda(0)");
    }
}

#[test]
fn an_image_has_the_same_features_alone_and_among_others() {
    for name in ["vgg16", "tiny"] {
        let (_folder, base) = untrained(name);
        let spec = spec(&base, base.default_layer());
        let conv_base = ConvBase::new(&base, &spec, Precision::Float32, Device::Cpu).unwrap();
        let pixels = pixels(5);
        let together = conv_base.features(&pixels, 5).unwrap();
        let alone: Vec<f32> = pixels
            .chunks_exact(spec.image_size.rgb_bytes())
            .flat_map(|image| conv_base.features(image, 1).unwrap())
            .collect();
        assert!(distance(&alone, &together) < 1e-6, "{name}");
    }
}
