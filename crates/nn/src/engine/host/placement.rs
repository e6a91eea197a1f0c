//! Where the maps of a program lie: around which there are zeros, which are joined, which share memory.

use std::ops::RangeInclusive;

use super::fusion::{Kind, Node};
use super::layout::{FILL, Layout};

/// The map that a value is a part of, and from which of its channels on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) root: usize,
    pub(super) first: usize,
}

/// The values whose maps are written into the map that joins them, and the nodes without the joining ones; `None` where a
/// map would begin within a vector.
pub(super) fn join<'p>(nodes: Vec<Node<'p>>, shapes: &[[usize; 3]]) -> Option<(Vec<Node<'p>>, Vec<Place>)> {
    let mut places: Vec<Place> = (0..shapes.len()).map(|root| Place { root, first: 0 }).collect();
    let mut uses = vec![0; shapes.len()];
    nodes.iter().flat_map(|node| &node.inputs).for_each(|&input| uses[input] += 1);
    let mut kept = Vec::with_capacity(nodes.len());
    // From the last on: what joins is joined itself first.
    for node in nodes.into_iter().rev() {
        if !matches!(node.kind, Kind::Concatenate) {
            kept.push(node);
            continue;
        }
        let Place { root, mut first } = places[node.value];
        for &input in &node.inputs {
            // A map that something else reads too, or that the images are, has a place of its own.
            if input == 0 || uses[input] != 1 || !first.is_multiple_of(FILL) {
                return None;
            }
            places[input] = Place { root, first };
            first += shapes[input][2];
        }
    }
    kept.reverse();
    Some((kept, places))
}

/// From the operator that first writes a map to the last one that reads it.
pub(super) type Lifetime = RangeInclusive<usize>;

/// Shares memory out among maps of `sizes`, of which none overlaps another that is there at the same time: the piece of
/// memory of each, and how large each piece is.
pub(super) fn share(lifetimes: &[Lifetime], sizes: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&map| sizes[map] > 0).collect();
    order.sort_by_key(|&map| (*lifetimes[map].start(), map));
    let mut pieces: Vec<usize> = Vec::new();
    let mut until: Vec<usize> = Vec::new();
    let mut of_map = vec![0; sizes.len()];
    for map in order {
        let free = (0..pieces.len()).filter(|&piece| until[piece] < *lifetimes[map].start());
        // The smallest that is large enough, or else the largest.
        let best = free.min_by_key(|&piece| {
            let missing = sizes[map].saturating_sub(pieces[piece]);
            (missing, pieces[piece])
        });
        let piece = best.unwrap_or_else(|| {
            pieces.push(0);
            until.push(0);
            pieces.len() - 1
        });
        pieces[piece] = pieces[piece].max(sizes[map]);
        until[piece] = *lifetimes[map].end();
        of_map[map] = piece;
    }
    (of_map, pieces)
}

/// The layout of each map: every value's shape, filled up, with room for the zeros that `around` asks for.
pub(super) fn layouts(shapes: &[[usize; 3]], around: &[[usize; 2]], first_pixel: usize) -> Vec<Layout> {
    let pixel = |value: usize, channels: usize| {
        if value == 0 { first_pixel } else { channels.next_multiple_of(FILL) }
    };
    let layout = |(value, &shape): (usize, &[usize; 3])| {
        let [left, right] = around[value];
        Layout { left, right, ..Layout::new(shape, pixel(value, shape[2])) }
    };
    shapes.iter().enumerate().map(layout).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_are_there_at_the_same_time_have_memory_of_their_own() {
        let lifetimes = [0..=2, 1..=3, 3..=4, 3..=9, 4..=5, 2..=2];
        let sizes = [8, 4, 3, 9, 2, 0];
        let (of_map, pieces) = share(&lifetimes, &sizes);
        for (one, first) in lifetimes.iter().enumerate() {
            for (other, second) in lifetimes.iter().enumerate().skip(one + 1) {
                let meet = first.start() <= second.end() && second.start() <= first.end();
                let has_size = sizes[one] > 0 && sizes[other] > 0;
                assert!(!meet || !has_size || of_map[one] != of_map[other], "{one} and {other}");
            }
            assert!(pieces[of_map[one]] >= sizes[one]);
        }
        assert!(pieces.iter().sum::<usize>() < sizes.iter().sum(), "{pieces:?}");
    }
}
