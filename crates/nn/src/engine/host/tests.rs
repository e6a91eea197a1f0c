//! The convolutions against their definition, in float64.

use convbase_core::{ImageSize, Precision};

use super::first::FirstConvolution;
use super::layer::{Convolution, Scratch};
use super::map::Map;
use super::network::{ConvolutionWeights, Network};
use super::panel_values;
use crate::vectors::trials::{arches, draw};

/// The value of output `output` at a place, from values [height, width, inputs] with zeros around.
fn convolved(
    values: &dyn Fn(isize, isize, usize) -> f32,
    inputs: usize,
    weights: &ConvolutionWeights,
    (row, column, output): (usize, usize, usize),
) -> f64 {
    let mut sum = f64::from(weights.bias[output]);
    for y in 0..3 {
        for x in 0..3 {
            for input in 0..inputs {
                let value = values((row + y) as isize - 1, (column + x) as isize - 1, input);
                let weight = weights.weights[(output * inputs + input) * 9 + y * 3 + x];
                sum += f64::from(value) * f64::from(weight);
            }
        }
    }
    sum.max(0.0)
}

fn assert_is_convolution(
    output: &Map,
    image: usize,
    weights: &ConvolutionWeights,
    inputs: usize,
    values: &dyn Fn(isize, isize, usize) -> f32,
) {
    let found: Vec<f32> = output.rows(image).flatten().copied().collect();
    assert_eq!(found.len(), output.height * output.width * output.channels);
    for (index, found) in found.into_iter().enumerate() {
        let pixel = index / output.channels;
        let (row, column, channel) = (pixel / output.width, pixel % output.width, index % output.channels);
        let at = |y, x| convolved(values, inputs, weights, (y, x, channel));
        let expected = if weights.pools {
            let (y, x) = (2 * row, 2 * column);
            at(y, x).max(at(y, x + 1)).max(at(y + 1, x)).max(at(y + 1, x + 1))
        } else {
            at(row, column)
        };
        let distance = (f64::from(found) - expected).abs();
        assert!(distance < 1e-4, "{row}, {column}, {channel}: expected {expected}, found {found}");
    }
}

#[test]
fn tiles_are_convolutions_and_pools_for_every_remainder_of_the_size() {
    for arch in arches() {
        let (inputs, outputs) = (64, panel_values(arch) * 2);
        for (height, width, pools) in
            [(4, 4, false), (5, 7, true), (6, 9, false), (11, 8, true), (2, 3, true)]
        {
            let weights =
                ConvolutionWeights { weights: draw(outputs * inputs * 9, 1), bias: draw(outputs, 2), pools };
            let convolution = Convolution::new(arch, &weights, Precision::Float32);
            let mut input = Map::new(2, height, width, inputs);
            let values = draw(2 * height * width * inputs, 3);
            for (pixel, values) in values.chunks(inputs).enumerate() {
                let (image, pixel) = (pixel / (height * width), pixel % (height * width));
                let start = input.position(image, pixel / width, pixel % width);
                input.values[start..start + inputs].copy_from_slice(values);
            }
            let side = |side| convolution.output_side(side);
            let mut output = Map::new(3, side(height), side(width), outputs);
            convolution.forward(&input, 2, &mut Scratch::default(), &mut output, 1);
            for image in 0..2 {
                let value = |row: isize, column: isize, channel: usize| {
                    let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                    let pixel = (image * height) as isize * width as isize + row * width as isize + column;
                    if inside { values[pixel as usize * inputs + channel] } else { 0.0 }
                };
                assert_is_convolution(&output, image + 1, &weights, inputs, &value);
            }
        }
    }
}

#[test]
fn the_first_convolution_scales_bytes_and_pads_with_zeros() {
    let scaled: [[f32; 256]; 3] =
        std::array::from_fn(|channel| std::array::from_fn(|byte| byte as f32 / 255.0 + channel as f32));
    for arch in arches() {
        for (height, width) in [(6, 6), (7, 13)] {
            let outputs = panel_values(arch);
            let weights =
                ConvolutionWeights { weights: draw(outputs * 27, 1), bias: draw(outputs, 2), pools: false };
            let convolution = FirstConvolution::new(arch, &weights, scaled, Precision::Float32);
            let pixels: Vec<u8> = (0..height * width * 3).map(|index| (index * 89 % 256) as u8).collect();
            let mut output = Map::new(1, height, width, outputs);
            convolution.forward(&pixels, &mut Vec::new(), &mut output, 0);
            let value = |row: isize, column: isize, channel: usize| {
                let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                let pixel = row * width as isize + column;
                if inside { scaled[channel][usize::from(pixels[pixel as usize * 3 + channel])] } else { 0.0 }
            };
            assert_is_convolution(&output, 0, &weights, 3, &value);
        }
    }
}

#[test]
fn features_have_equal_bits_whatever_the_vectors_the_group_and_the_order() {
    let size = ImageSize::new(50, 38).unwrap();
    let scaled = [std::array::from_fn(|byte| byte as f32 / 255.0); 3];
    let layer = |inputs: usize, pools| ConvolutionWeights {
        weights: draw(64 * inputs * 9, inputs),
        bias: draw(64, 5),
        pools,
    };
    let layers = [layer(3, false), layer(64, true), layer(64, false), layer(64, true)];
    let pixels: Vec<u8> = (0..11 * size.rgb_bytes()).map(|index| (index * index % 251) as u8).collect();
    for precision in [Precision::Float32, Precision::BFloat16] {
        let mut all = Vec::new();
        for arch in arches() {
            let network = Network::on(arch, size, scaled, layers.to_vec(), precision).unwrap();
            assert_eq!(network.output_shape(), [12, 9, 64]);
            let together = network.forward(&pixels);
            assert_eq!(together.len(), 11 * 12 * 9 * 64);
            let mut apart: Vec<Vec<f32>> =
                pixels.chunks(size.rgb_bytes()).rev().map(|image| network.forward(image)).collect();
            apart.reverse();
            assert_eq!(apart.concat(), together);
            all.push(together);
        }
        assert!(
            all.windows(2).all(|pair| pair[0] == pair[1]),
            "the processors' vectors differ in {precision}"
        );
    }
}
