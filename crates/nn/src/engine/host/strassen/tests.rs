//! Products of halves against the same products one by one, in float64.

use aligned_vec::CACHELINE_ALIGN;
use convbase_bases::{Activation, Padding};
use convbase_core::Precision;

use super::*;
use crate::vectors::trials::{arches, draw};

const IMAGES: usize = 2;

/// ‖difference‖ ÷ ‖expected‖, some times what eight products lose of numbers that look drawn.
const LIMIT: f64 = 5e-6;

struct Case {
    sides: [usize; 2],
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// Whether another map is added.
    adds: bool,
    activation: Activation,
}

impl Case {
    fn convolution(&self) -> Convolution {
        Convolution {
            weight: draw(self.outputs * self.inputs, 1),
            bias: draw(self.outputs, 2),
            inputs: self.inputs,
            outputs: self.outputs,
            groups: 1,
            kernel: [1, 1],
            stride: [self.stride; 2],
            padding: Padding::default(),
            activation: self.activation,
        }
    }

    /// [rows, columns] of what enters.
    fn from(&self) -> [usize; 2] {
        self.sides.map(|side| (side - 1) * self.stride + 1)
    }

    fn layouts(&self) -> (Layout, Layout) {
        let filled = |channels: usize| channels.next_multiple_of(FILL);
        let ([height, width], [rows, columns]) = (self.from(), self.sides);
        (
            Layout::new([height, width, self.inputs], filled(self.inputs)),
            Layout::new([rows, columns, self.outputs], filled(self.outputs)),
        )
    }

    /// The values of `layout`'s maps, those that lie behind the channels included, and never zero where nothing was written.
    fn values(layout: &Layout, seed: usize) -> AVec<f32> {
        AVec::from_iter(CACHELINE_ALIGN, draw(layout.values(IMAGES), seed))
    }

    /// What is written, by these vectors, so many rows at a time.
    fn forward(&self, arch: Arch, rows: usize) -> Vec<f32> {
        let (from, to) = self.layouts();
        let finish = Finish { activation: self.activation, precision: Precision::Float32 };
        let strassen = Strassen::new(arch, &self.convolution(), self.sides, finish);
        let (input, added) = (Self::values(&from, 3), Self::values(&to, 4));
        let mut output = avec![f32::NAN; to.values(IMAGES)];
        let source = |layout, values| Source { layout, values, image: 0 };
        let mut scratch = Scratch::default();
        let rows = if strassen.window().is_some() { rows } else { to.height };
        for start in (0..to.height).step_by(rows) {
            strassen.forward(
                source(from, &input),
                self.adds.then(|| source(to, &added)),
                &mut Target { layout: to, values: &mut output, image: 0 },
                &Extent { images: IMAGES, rows: start..(start + rows).min(to.height) },
                &mut scratch,
            );
        }
        let extent = Extent { images: IMAGES, rows: 0..to.height };
        let rows = extent.rows().map(|(image, row)| to.row(image, row as isize));
        let pixels = rows.flat_map(|start| (0..to.width).map(move |column| start + column * to.pixel));
        pixels.flat_map(|place| output[place..place + self.outputs].to_vec()).collect()
    }

    /// The same, value by value.
    fn expected(&self) -> Vec<f64> {
        let (from, to) = self.layouts();
        let (input, added) = (Self::values(&from, 3), Self::values(&to, 4));
        let Convolution { weight, bias, .. } = self.convolution();
        let mut expected = Vec::new();
        for (image, row) in (Extent { images: IMAGES, rows: 0..to.height }).rows() {
            for column in 0..to.width {
                let start = from.row(image, (row * self.stride) as isize) + column * self.stride * from.pixel;
                let added = &added[to.row(image, row as isize) + column * to.pixel..];
                for output in 0..self.outputs {
                    let pairs = input[start..start + self.inputs].iter().zip(&weight[output * self.inputs..]);
                    let sum: f64 = pairs.map(|(value, weight)| f64::from(*value) * f64::from(*weight)).sum();
                    let plus = if self.adds { f64::from(added[output]) } else { 0.0 };
                    let sum = sum + f64::from(bias[output]) + plus;
                    expected.push(match self.activation {
                        Activation::None => sum,
                        Activation::Relu => sum.max(0.0),
                        Activation::Relu6 => sum.clamp(0.0, 6.0),
                    });
                }
            }
        }
        expected
    }
}

#[test]
fn products_of_halves_are_those_of_wholes_with_equal_bits_on_every_processor() {
    let case = |sides, inputs, outputs, stride, adds, activation| Case {
        sides,
        inputs,
        outputs,
        stride,
        adds,
        activation,
    };
    let cases = [
        case([14, 14], 112, 128, 1, false, Activation::Relu),
        case([7, 7], 192, 320, 1, true, Activation::Relu6),
        case([3, 29], 116, 118, 1, false, Activation::None),
        case([5, 6], 364, 182, 1, true, Activation::None),
        case([4, 4], 128, 224, 2, false, Activation::Relu),
        case([1, 3], 114, 416, 1, false, Activation::Relu6),
        case([2, 1], 120, 120, 1, true, Activation::Relu),
    ];
    for case in cases {
        let Case { sides, inputs, outputs, .. } = case;
        assert!(Strassen::fits(&case.convolution(), sides), "{sides:?}, {inputs} to {outputs}");
        let expected = case.expected();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let mut first: Option<Vec<u32>> = None;
        for arch in arches() {
            for rows in [1, 3, sides[0]] {
                let found = case.forward(arch, rows);
                let squares =
                    |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
                let difference = squares(&mut found.iter().zip(&expected).map(|(a, b)| f64::from(*a) - b));
                let distance = (difference / squares(&mut expected.iter().copied())).sqrt();
                assert!(distance < LIMIT, "{sides:?}, {inputs} to {outputs}, {arch:?}: {distance}");
                let found = bits(&found);
                assert!(
                    *first.get_or_insert_with(|| found.clone()) == found,
                    "{sides:?}, {arch:?}, {rows} rows"
                );
            }
        }
    }
}

#[test]
fn what_has_few_channels_or_cannot_be_halved_is_left_to_whole_products() {
    let fits = |inputs, outputs, kernel, sides| {
        let convolution = Convolution {
            weight: vec![],
            bias: vec![],
            inputs,
            outputs,
            groups: 1,
            kernel,
            stride: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
        };
        Strassen::fits(&convolution, sides)
    };
    assert!(fits(256, 512, [1, 1], [14, 14]));
    assert!(!fits(96, 512, [1, 1], [14, 14]) && !fits(512, 96, [1, 1], [14, 14]));
    assert!(!fits(257, 512, [1, 1], [14, 14]) && !fits(256, 528, [1, 1], [14, 14]));
    assert!(!fits(512, 1536, [1, 1], [14, 14]));
    assert!(!fits(256, 512, [3, 3], [14, 14]) && !fits(256, 512, [1, 1], [1, 1]));
}
