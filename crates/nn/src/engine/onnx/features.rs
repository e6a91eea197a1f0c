//! The shape in which an image's features are stored, and how they get there.

use super::layout::Layout;

/// One image's features, float32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Features {
    /// Without the batch, channels last.
    shape: Vec<u32>,
    /// Channels and positions of a map that comes with the channels first.
    channels_first: Option<(usize, usize)>,
    length: usize,
}

impl Features {
    /// Of an output [1, …]: [1, channels] and [1, tokens, channels] keep their order, a map gets its channels last.
    /// `None` for other shapes.
    pub(super) fn of(output: &[usize], layout: Layout) -> Option<Self> {
        let (shape, channels_first) = match (output, layout) {
            (&[1, channels], _) => (vec![channels], None),
            (&[1, tokens, channels], _) => (vec![tokens, channels], None),
            (&[1, channels, height, width], Layout::ChannelsFirst) => {
                (vec![height, width, channels], Some((channels, height.checked_mul(width)?)))
            }
            (&[1, height, width, channels], Layout::ChannelsLast) => (vec![height, width, channels], None),
            _ => return None,
        };
        let length = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))?;
        let shape: Vec<u32> =
            shape.into_iter().map(|side| u32::try_from(side).ok()).collect::<Option<_>>()?;
        (length > 0).then_some(Self { shape, channels_first, length })
    }

    pub(super) fn shape(&self) -> &[u32] {
        &self.shape
    }

    /// Numbers of one image.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Appends one image's numbers, as the engine gave them, in the order in which they are stored.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "the output's length was compared with that of the features"
    )]
    pub(super) fn append(&self, output: &[f32], features: &mut Vec<f32>) {
        match self.channels_first {
            None => features.extend_from_slice(output),
            Some((channels, positions)) => {
                for position in 0..positions {
                    features.extend((0..channels).map(|channel| output[channel * positions + position]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_stored_channels_last_and_the_rest_as_it_is() {
        let of = |output: &[usize], layout| {
            let features = Features::of(output, layout)?;
            let mut numbers = Vec::new();
            let count: usize = output.iter().product();
            features.append(&(0..count).map(|index| index as f32).collect::<Vec<_>>(), &mut numbers);
            Some((features.shape().to_vec(), numbers))
        };
        let in_order: Vec<f32> = (0..6_u8).map(f32::from).collect();
        let turned = vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
        assert_eq!(of(&[1, 6], Layout::ChannelsFirst), Some((vec![6], in_order.clone())));
        assert_eq!(of(&[1, 2, 3], Layout::ChannelsFirst), Some((vec![2, 3], in_order.clone())));
        assert_eq!(of(&[1, 2, 1, 3], Layout::ChannelsFirst), Some((vec![1, 3, 2], turned)));
        assert_eq!(of(&[1, 2, 1, 3], Layout::ChannelsLast), Some((vec![2, 1, 3], in_order)));
        for unfit in [&[][..], &[6], &[2, 3], &[1, 0], &[1, 1, 1, 1, 1], &[1, usize::MAX, 2]] {
            assert_eq!(Features::of(unfit, Layout::ChannelsFirst), None, "{unfit:?}");
        }
    }
}
