//! Whole numbers against the same sums told one by one.

use convbase_bases::{Activation, Padding};
use convbase_core::Precision;

use super::*;
use crate::vectors::trials::{arches, draw};

const IMAGES: usize = 2;
const HEIGHT: usize = 7;
const WIDTH: usize = 9;

struct Case {
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    /// Whether another map is added.
    adds: bool,
}

impl Case {
    fn convolution(&self) -> Convolution {
        let Self { inputs, outputs, kernel: [height, width], .. } = *self;
        Convolution {
            weight: draw(outputs * inputs * height * width, 1),
            bias: draw(outputs, 2),
            inputs,
            outputs,
            groups: 1,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
            activation: Activation::Relu6,
        }
    }

    /// [rows, columns] of what leaves.
    fn sides(&self) -> [usize; 2] {
        let Padding { top, bottom, left, right } = self.padding;
        let side = |side: usize, padding: usize, axis: usize| {
            (side + padding - self.kernel[axis]) / self.stride[axis] + 1
        };
        [side(HEIGHT, top + bottom, 0), side(WIDTH, left + right, 1)]
    }

    /// The maps [images, rows, columns, outputs] of maps [images, height, width, inputs], by these instructions.
    fn forward(&self, arch: Arch, instructions: Instructions, values: &[f32], added: &[f32]) -> Vec<f32> {
        let lanes = vector(arch).lanes;
        let [rows, columns] = self.sides();
        let pixel = self.inputs.next_multiple_of(16);
        let (left, right) = (self.padding.left, self.padding.right);
        let layout = Layout { left, right, ..Layout::new([HEIGHT, WIDTH, self.inputs], pixel) };
        let to = Layout::new([rows, columns, self.outputs], self.outputs.next_multiple_of(16));
        let convolution = self.convolution();
        let finish = Finish { activation: convolution.activation, precision: Precision::Int8 };
        let quantised = Quantised::with(arch, instructions, &convolution, &layout, finish);
        assert_eq!(quantised.weights() % lanes, 0);
        let input = placed(&layout, values);
        let added = placed(&to, added);
        let mut output = placed(&to, &vec![0.0; IMAGES * rows * columns * self.outputs]);
        let source = |layout, values| Source { layout, values, image: 0 };
        quantised.forward(
            source(layout, &input),
            self.adds.then(|| source(to, &added)),
            &mut Target { layout: to, values: &mut output, image: 0 },
            &Extent { images: IMAGES, rows: 0..rows },
            &mut Scratch::default(),
        );
        let extent = Extent { images: IMAGES, rows: 0..rows };
        let pixels = extent.rows().flat_map(|(image, row)| {
            (0..columns).map(move |column| to.row(image, row as isize) + column * to.pixel)
        });
        pixels.flat_map(|place| output[place..place + self.outputs].to_vec()).collect()
    }

    /// The same, value by value.
    fn expected(&self, values: &[f32], added: &[f32]) -> Vec<f32> {
        let convolution = self.convolution();
        let [rows, columns] = self.sides();
        let [height, width] = self.kernel;
        let mut expected = Vec::new();
        for (image, row) in (0..IMAGES).flat_map(|image| (0..rows).map(move |row| (image, row))) {
            // What lies in a row and a column of the window's, counted from its first pixel on.
            let value = |input: usize, down: usize, across: usize| {
                let down = (row * self.stride[0] + down).checked_sub(self.padding.top);
                match (down, across.checked_sub(self.padding.left)) {
                    (Some(row), Some(column)) if row < HEIGHT && column < WIDTH => {
                        values[((image * HEIGHT + row) * WIDTH + column) * self.inputs + input]
                    }
                    _ => 0.0,
                }
            };
            let read = |column: usize| -> Vec<f32> {
                let from = column * self.stride[1];
                let taps = |input| (0..height * width).map(move |tap| (input, tap / width, tap % width));
                let all = (0..self.inputs).flat_map(taps);
                all.map(|(input, down, across)| value(input, down, from + across)).collect()
            };
            let span = (columns - 1) * self.stride[1] + width;
            let places = (0..self.inputs).flat_map(|input| (0..height).map(move |down| (input, down)));
            let all: Vec<f32> = places
                .flat_map(|(input, down)| (0..span).map(move |across| (input, down, across)))
                .map(|(input, down, across)| value(input, down, across))
                .collect();
            let least = all.iter().fold(0.0, |least: f32, value| least.min(*value));
            let range = all.iter().fold(0.0, |most: f32, value| most.max(*value)) - least;
            let number = |value: f32| {
                ((value - least) * if range > 0.0 { 255.0 / range } else { 0.0 }).round_ties_even() as i64
            };
            for column in 0..columns {
                let read = read(column);
                for (output, weights) in convolution.weight.chunks_exact(read.len()).enumerate() {
                    let scale = weights.iter().fold(0.0, |most: f32, weight| most.max(weight.abs())) / 127.0;
                    let weight = |weight: f32| (weight / scale).round_ties_even() as i64;
                    let pairs = read.iter().zip(weights);
                    let sum: i64 = pairs.map(|(value, of)| number(*value) * weight(*of)).sum();
                    let of_weights: i64 = weights.iter().map(|of| weight(*of)).sum();
                    let shift = least.mul_add(of_weights as f32 * scale, convolution.bias[output]);
                    let sum = (sum as f32).mul_add(range / 255.0 * scale, shift);
                    let place = ((image * rows + row) * columns + column) * self.outputs + output;
                    let sum = if self.adds { sum + added[place] } else { sum };
                    expected.push(sum.clamp(0.0, 6.0));
                }
            }
        }
        expected
    }
}

/// Maps [images, height, width, channels] as they lie, zeros around them.
fn placed(layout: &Layout, values: &[f32]) -> AVec<f32> {
    let mut placed = avec![0.0; layout.values(IMAGES)];
    let mut pixels = values.chunks_exact(layout.channels);
    for image in 0..IMAGES {
        for row in 0..layout.height {
            let start = layout.row(image, row as isize);
            for (pixel, column) in pixels.by_ref().take(layout.width).zip(0..) {
                let start = start + column * layout.pixel;
                placed[start..start + layout.channels].copy_from_slice(pixel);
            }
        }
    }
    placed
}

#[test]
fn all_instructions_give_the_bits_of_sums_told_one_by_one() {
    let same = Padding { top: 1, bottom: 1, left: 1, right: 1 };
    let case = |inputs, outputs, kernel, stride, padding, adds| Case {
        inputs,
        outputs,
        kernel,
        stride,
        padding,
        adds,
    };
    let cases = [
        case(24, 40, [1, 1], [1, 1], Padding::default(), false),
        case(16, 72, [1, 1], [1, 1], Padding::default(), true),
        case(5, 3, [1, 1], [2, 2], Padding::default(), false),
        case(32, 17, [3, 3], [1, 1], same, false),
        case(24, 16, [3, 3], [2, 2], same, true),
        case(48, 33, [1, 7], [1, 1], Padding { left: 3, right: 3, ..Padding::default() }, false),
        case(40, 64, [5, 1], [1, 1], Padding { top: 2, bottom: 2, ..Padding::default() }, false),
    ];
    for case in cases {
        let mut values = draw(IMAGES * HEIGHT * WIDTH * case.inputs, 3);
        // Rows of zeros, and rows in which nothing lies below zero.
        values[..2 * WIDTH * case.inputs].fill(0.0);
        values.iter_mut().skip(5 * WIDTH * case.inputs).for_each(|value| *value = value.abs());
        let [rows, columns] = case.sides();
        let added = draw(IMAGES * rows * columns * case.outputs, 4);
        let expected = case.expected(&values, &added);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for arch in arches() {
            for instructions in Instructions::all(arch) {
                let found = case.forward(arch, instructions, &values, &added);
                let (inputs, kernel) = (case.inputs, case.kernel);
                assert!(bits(&found) == bits(&expected), "{inputs} inputs, {kernel:?}, {instructions:?}");
            }
        }
    }
}

#[test]
fn a_row_of_zeros_is_the_bias_and_weights_of_zeros_have_no_scale() {
    let mut scale = 1.0;
    assert_eq!((rounded(&[0.0, -0.0], &mut scale), scale), (vec![0, 0], 0.0));
    assert_eq!((rounded(&[0.5, -1.27, 0.01], &mut scale), scale), (vec![50, -127, 1], 0.01));
    let case = Case {
        inputs: 16,
        outputs: 4,
        kernel: [1, 1],
        stride: [1, 1],
        padding: Padding::default(),
        adds: false,
    };
    let zeros = vec![0.0; IMAGES * HEIGHT * WIDTH * case.inputs];
    for arch in arches() {
        for instructions in Instructions::all(arch) {
            let found = case.forward(arch, instructions, &zeros, &[]);
            let bias: Vec<f32> = draw(4, 2).into_iter().map(|bias| bias.clamp(0.0, 6.0)).collect();
            assert!(found.chunks_exact(4).all(|pixel| pixel == bias), "{instructions:?}");
        }
    }
}
