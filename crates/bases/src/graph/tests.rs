use super::*;
use crate::catalogue::{architecture, every};
use proptest::prelude::*;

fn graph(name: &str) -> &'static Graph {
    architecture(name).unwrap().graph()
}

fn size(height: u32, width: u32) -> ImageSize {
    ImageSize::new(height, width).unwrap()
}

#[test]
fn vgg16_has_kerass_parameters_layers_and_shapes() {
    let vgg16 = graph("vgg16");
    assert_eq!(vgg16.parameters(), 14_714_688);
    let count =
        |wanted: fn(&Operator) -> bool| vgg16.nodes().iter().filter(|node| wanted(node.operator())).count();
    assert_eq!(count(|operator| matches!(operator, Operator::Convolution { .. })), 13);
    assert_eq!(count(|operator| matches!(operator, Operator::MaxPool(_))), 5);
    let shape = |layer| vgg16.shape(layer, size(180, 180)).unwrap();
    assert_eq!(shape("block1_conv1"), [180, 180, 64]);
    assert_eq!(shape("block1_pool"), [90, 90, 64]);
    assert_eq!(shape("block3_pool"), [22, 22, 256]);
    assert_eq!(shape("block5_conv3"), [11, 11, 512]);
    assert_eq!(shape("block5_pool"), [5, 5, 512]);
}

#[test]
fn the_least_side_leaves_one_pixel_of_every_map() {
    assert_eq!(graph("vgg16").least_side("block5_pool"), Ok(32));
    assert_eq!(graph("vgg16").least_side("block1_conv1"), Ok(1));
    assert_eq!(graph("inception_v3").least_side("mixed10"), Ok(75));
    let error = graph("inception_v3").shape("mixed10", size(74, 180)).unwrap_err();
    assert_eq!(error.to_string(), "image size: expected at least 75x75 for layer `mixed10`, found 74x180");
}

#[test]
fn an_unknown_layer_is_answered_with_those_that_all_maps_pass() {
    let error = graph("vgg16").position("block5-pool").unwrap_err().to_string();
    assert!(error.starts_with("layer: expected one of block1_conv1, block1_conv2, block1_pool, "), "{error}");
    assert!(error.ends_with(", block5_conv3, block5_pool, found `block5-pool`"), "{error}");
    let useful = graph("resnet50").useful_layers();
    assert_eq!(useful[..3], ["conv1_relu", "pool1_pool", "conv2_block1_out"]);
    assert_eq!(useful.len(), 18);
    assert!(graph("inception_v3").useful_layers().ends_with(&["mixed8", "mixed9", "mixed10"]));
    for layer in ["", "input_layer", "conv1_pad", "CONV1_RELU"] {
        assert!(graph("resnet50").position(layer).is_err(), "{layer}");
    }
}

#[test]
fn a_layer_needs_its_ancestors_and_nothing_else() {
    let resnet = graph("resnet50");
    let needed = resnet.needed(resnet.position("conv2_block1_0_bn").unwrap());
    let names: Vec<&str> =
        resnet.layer_names().zip(needed).filter(|(_, needed)| *needed).map(|(name, _)| name).collect();
    let stem =
        ["input_layer", "conv1_pad", "conv1_conv", "conv1_bn", "conv1_relu", "pool1_pad", "pool1_pool"];
    assert_eq!(names, [&stem[..], &["conv2_block1_0_conv", "conv2_block1_0_bn"]].concat());
}

#[test]
fn sides_that_strides_do_not_divide_are_told_with_better_ones() {
    let lite = graph("efficientnet_lite0");
    assert_eq!(lite.shifts("head_relu", size(180, 180)), Ok(true));
    assert_eq!(lite.shifts("head_relu", size(192, 224)), Ok(false));
    assert_eq!(lite.shifts("stem_relu", size(180, 180)), Ok(false));
    assert_eq!(lite.natural_sides("head_relu", 180), Ok(vec![192, 224]));
    assert_eq!(graph("vgg16").shifts("block5_pool", size(181, 183)), Ok(false));
    assert_eq!(graph("resnet50").shifts("conv5_block3_out", size(181, 183)), Ok(false));
}

#[test]
fn a_summary_ends_with_the_layer_and_adds_up() {
    let rows = graph("vgg16").summary("block5_pool", size(180, 180)).unwrap();
    assert_eq!(rows.len(), 19);
    assert_eq!(rows.iter().map(|row| row.parameters).sum::<u64>(), 14_714_688);
    assert_eq!(rows[1].layer, "block1_conv1");
    assert_eq!((rows[1].shape, rows[1].parameters), ([180, 180, 64], 1_792));
    assert_eq!(graph("vgg16").summary("block1_pool", size(64, 96)).unwrap().len(), 4);
}

#[test]
fn names_are_unique_and_inputs_come_first() {
    for architecture in every() {
        let graph = architecture.graph();
        let mut names: Vec<&str> = graph.layer_names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), graph.nodes().len(), "{architecture:?}");
        for (position, node) in graph.nodes().iter().enumerate() {
            assert!(node.inputs().iter().all(|&input| input < position), "{architecture:?} {}", node.name());
        }
    }
}

proptest! {
    #[test]
    fn maps_that_are_added_or_joined_have_one_height_and_width(height in 75_u32..400, width in 75_u32..400) {
        for architecture in every() {
            let graph = architecture.graph();
            let shapes = graph.shapes(graph.nodes().len() - 1, size(height, width)).unwrap();
            for node in graph.nodes().iter().filter(|node| node.inputs().len() > 1) {
                let first = shapes[node.inputs()[0]];
                for &input in node.inputs() {
                    prop_assert_eq!(&shapes[input][..2], &first[..2]);
                    prop_assert!(*node.operator() == Operator::Concatenate || shapes[input][2] == first[2]);
                }
            }
        }
    }
}
