//! The shape that a step makes of the shapes that enter it: what a description from elsewhere is held against.

use super::step::{Convolution, Operation, Pool, Step};
use crate::graph::Padding;

/// [height, width, channels].
type Shape = [usize; 3];

/// Numbers of the largest map that a described step may make of one image: 4 GiB.
const MOST_NUMBERS: usize = 1 << 30;

impl Step {
    /// What is wrong with the step where maps of these shapes are all that there are: value 0 and what earlier steps
    /// made.
    pub fn problem(&self, values: &[[usize; 3]]) -> Option<String> {
        let inputs: Option<Vec<Shape>> =
            self.inputs.iter().map(|&input| values.get(input).copied()).collect();
        let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) else {
            return Some(format!("inputs: expected values below {}, found {:?}", values.len(), self.inputs));
        };
        let made = made(&self.operation, &inputs).filter(|shape| numbers(*shape).is_some());
        (made != Some(self.shape)).then(|| {
            let expected = made.map_or("a map that can be made".to_owned(), |shape| format!("{shape:?}"));
            format!("shape: expected {expected} of {inputs:?}, found {:?}", self.shape)
        })
    }
}

/// `None` where there is no such map.
fn made(operation: &Operation, inputs: &[Shape]) -> Option<Shape> {
    let (&first, others) = inputs.split_first()?;
    match (operation, others) {
        (Operation::Convolution(convolution), []) => convolved(convolution, first),
        (Operation::MaxPool(pool) | Operation::AveragePool(pool), []) => pooled(pool, first),
        (Operation::Pad { padding }, []) => padded(first, *padding),
        (Operation::Add { .. }, others) => others.iter().all(|other| *other == first).then_some(first),
        (Operation::Concatenate, others) => {
            others.iter().try_fold(first, |[height, width, channels], other| {
                let channels = channels.checked_add(other[2])?;
                (other[..2] == [height, width]).then_some([height, width, channels])
            })
        }
        (Operation::Activation(_) | Operation::Affine { .. }, []) => Some(first),
        _ => None,
    }
}

fn convolved(convolution: &Convolution, shape: Shape) -> Option<Shape> {
    let Convolution { inputs, outputs, groups, kernel, stride, padding, .. } = convolution;
    let is_divided = [inputs, outputs].iter().all(|count| count.checked_rem(*groups) == Some(0));
    if !is_divided || *inputs == 0 || *outputs == 0 || shape[2] != *inputs {
        return None;
    }
    let [height, width] = moved(padded(shape, *padding)?, *kernel, *stride)?;
    Some([height, width, *outputs])
}

fn pooled(pool: &Pool, shape: Shape) -> Option<Shape> {
    let Padding { top, bottom, left, right } = pool.padding;
    let [height, width] = pool.kernel;
    // A window that lies outside altogether has no maximum and no mean.
    if top.max(bottom) >= height || left.max(right) >= width {
        return None;
    }
    let [height, width] = moved(padded(shape, pool.padding)?, pool.kernel, pool.stride)?;
    Some([height, width, shape[2]])
}

fn padded([height, width, channels]: Shape, padding: Padding) -> Option<Shape> {
    let Padding { top, bottom, left, right } = padding;
    let height = height.checked_add(top)?.checked_add(bottom)?;
    let width = width.checked_add(left)?.checked_add(right)?;
    numbers([height, width, channels]).map(|_| [height, width, channels])
}

/// Height and width of what a window makes that stays inside.
fn moved([height, width, _]: Shape, kernel: [usize; 2], stride: [usize; 2]) -> Option<[usize; 2]> {
    let side = |side: usize, kernel: usize, stride: usize| {
        let steps = side.checked_sub(kernel).filter(|_| kernel > 0)?.checked_div(stride)?;
        steps.checked_add(1)
    };
    Some([side(height, kernel[0], stride[0])?, side(width, kernel[1], stride[1])?])
}

/// Numbers of a map, where there are some and memory has room for them.
fn numbers(shape: Shape) -> Option<usize> {
    let product = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))?;
    (1..=MOST_NUMBERS).contains(&product).then_some(product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Activation;

    fn step(operation: Operation, inputs: &[usize], shape: Shape) -> Step {
        Step { operation, inputs: inputs.to_vec(), shape, layer: "layer".into() }
    }

    fn pool(kernel: usize, stride: usize, padding: Padding) -> Operation {
        Operation::MaxPool(Pool { kernel: [kernel; 2], stride: [stride; 2], padding })
    }

    fn convolution(inputs: usize, outputs: usize, groups: usize) -> Operation {
        let (kernel, stride, padding) = ([3, 3], [2, 2], Padding::default());
        let (weight, bias, activation) = (Vec::new(), Vec::new(), Activation::Relu);
        let convolution =
            Convolution { weight, bias, inputs, outputs, groups, kernel, stride, padding, activation };
        Operation::Convolution(convolution)
    }

    #[test]
    fn steps_that_make_what_they_say_have_no_problem() {
        let values = [[9, 8, 4], [9, 8, 4], [9, 8, 2]];
        let padding = Padding { top: 1, bottom: 0, left: 0, right: 1 };
        for (operation, inputs, shape) in [
            (convolution(4, 6, 2), &[0][..], [4, 3, 6]),
            (pool(2, 2, padding), &[0], [5, 4, 4]),
            (Operation::Pad { padding }, &[0], [10, 9, 4]),
            (Operation::Add { activation: Activation::None }, &[0, 1], [9, 8, 4]),
            (Operation::Concatenate, &[0, 2, 1], [9, 8, 10]),
            (Operation::Activation(Activation::Relu6), &[2], [9, 8, 2]),
        ] {
            assert_eq!(step(operation, inputs, shape).problem(&values), None, "{shape:?}");
        }
    }

    #[test]
    fn steps_that_cannot_be_or_make_something_else_are_told() {
        let values = [[9, 8, 4], [9, 7, 4]];
        let huge = Padding { top: usize::MAX, ..Padding::default() };
        let large = Padding { top: 1 << 40, ..Padding::default() };
        for (operation, inputs) in [
            (convolution(4, 6, 0), &[0][..]),
            (convolution(4, 6, 4), &[0]),
            (convolution(3, 6, 1), &[0]),
            (convolution(4, usize::MAX, 1), &[0]),
            (pool(2, 0, Padding::default()), &[0]),
            (pool(0, 1, Padding::default()), &[0]),
            (pool(10, 1, Padding::default()), &[0]),
            (pool(2, 1, Padding { left: 2, ..Padding::default() }), &[0]),
            (Operation::Pad { padding: huge }, &[0]),
            (Operation::Pad { padding: large }, &[0]),
            (Operation::Add { activation: Activation::None }, &[0, 1]),
            (Operation::Concatenate, &[0, 1]),
            (Operation::Activation(Activation::None), &[0, 0]),
        ] {
            let text = step(operation, inputs, [9, 8, 4]).problem(&values).unwrap();
            assert!(text.starts_with("shape: expected a map that can be made of "), "{text}");
        }
        let text = step(Operation::Concatenate, &[0], [9, 8, 5]).problem(&values).unwrap();
        assert_eq!(text, "shape: expected [9, 8, 4] of [[9, 8, 4]], found [9, 8, 5]");
        for inputs in [&[][..], &[2], &[usize::MAX]] {
            let text = step(Operation::Concatenate, inputs, [9, 8, 4]).problem(&values).unwrap();
            assert!(text.starts_with("inputs: expected values below 2, found "), "{text}");
        }
    }
}
