//! Which pixel lies at a place outside an image.

use convbase_core::FillMode;

/// The coordinate inside `0..length` that stands for one anywhere, in pixels whose centres are whole numbers; outside
/// where nothing stands for it (constant).
///
/// The formulas are those of TensorFlow's `ImageProjectiveTransformV3` (`MapCoordinate` in image_ops.h), in single
/// precision and with its clamps: half a pixel outside is not mirrored but held at the edge.
pub(super) fn inside(fill: FillMode, coordinate: f32, length: u32) -> f32 {
    let (length, last) = (length as f32, length as f32 - 1.0);
    let clamped = |coordinate: f32| coordinate.clamp(0.0, last.max(0.0));
    match fill {
        FillMode::Constant => coordinate,
        FillMode::Nearest => clamped(coordinate),
        FillMode::Reflect | FillMode::Wrap if last <= 0.0 => 0.0,
        FillMode::Reflect => {
            let period = 2.0 * length;
            if coordinate < 0.0 {
                let within = period * (-coordinate / period).trunc() + coordinate;
                clamped(if within < -length { within + period } else { -within - 1.0 })
            } else if coordinate > last {
                let within = coordinate - period * (coordinate / period).trunc();
                clamped(if within >= length { period - within - 1.0 } else { within })
            } else {
                coordinate
            }
        }
        // The periods are counted in lengths less one, as TensorFlow counts them.
        FillMode::Wrap if coordinate < 0.0 => {
            clamped(coordinate + length * ((-coordinate / last).trunc() + 1.0))
        }
        FillMode::Wrap if coordinate > last => clamped(coordinate - length * (coordinate / last).trunc()),
        FillMode::Wrap => coordinate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(fill: FillMode) -> Vec<f32> {
        (-5_i16..9).map(|x| inside(fill, f32::from(x), 4)).collect()
    }

    #[test]
    fn whole_coordinates_are_what_the_fill_modes_draw() {
        let expected = [3.0, 3.0, 2.0, 1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 0.0, 0.0];
        assert_eq!(row(FillMode::Reflect), expected);
        let expected = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0];
        assert_eq!(row(FillMode::Nearest), expected);
        let expected: Vec<f32> = (-5_i16..9).map(f32::from).collect();
        assert_eq!(row(FillMode::Constant), expected);
        let one = [FillMode::Reflect, FillMode::Wrap, FillMode::Nearest].map(|fill| inside(fill, -7.5, 1));
        assert_eq!(one, [0.0; 3]);
    }

    proptest! {
        #[test]
        fn every_coordinate_is_inside(coordinate in -1e6_f32..1e6, length in 1_u32..100) {
            for fill in [FillMode::Reflect, FillMode::Nearest, FillMode::Wrap] {
                let found = inside(fill, coordinate, length);
                prop_assert!((0.0..=length as f32 - 1.0).contains(&found), "{fill} {coordinate} of {length}: {found}");
            }
        }
    }
}
