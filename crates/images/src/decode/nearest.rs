//! Nearest-neighbour resizing, pixel for pixel Pillow's.

use convbase_core::ImageSize;

/// Brings RGB `source` [height, width, 3] to `pixels` of `size`.
pub(super) fn resize_nearest(width: u32, height: u32, source: &[u8], size: ImageSize, pixels: &mut [u8]) {
    let columns = positions(width, size.width());
    let rows = positions(height, size.height());
    let targets = pixels.chunks_exact_mut(columns.len() * 3);
    for (row, target) in rows.into_iter().zip(targets) {
        let source = &source[row * width as usize * 3..];
        for (column, target) in columns.iter().zip(target.chunks_exact_mut(3)) {
            target.copy_from_slice(&source[column * 3..column * 3 + 3]);
        }
    }
}

/// Which of `from` pixels each of `to` pixels takes: the one under its centre. Pillow (`ImagingScaleAffine` in
/// `Geometry.c`) adds the scale up instead of multiplying, and where a centre lies on the edge of two pixels the sum
/// often falls just short of it: for widths like 240, 320 and 480 another pixel is taken than the product says.
fn positions(from: u32, to: u32) -> Vec<usize> {
    let scale = f64::from(from) / f64::from(to);
    let mut centre = scale * 0.5;
    let mut next = || {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounds down, from 0")]
        let position = centre as u32;
        centre += scale;
        position.min(from - 1) as usize
    };
    (0..to).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centre_on_the_edge_of_two_pixels_takes_the_one_that_pillow_takes() {
        // Pillow 13.0.0: where Image.resize((180, 1), NEAREST) of a row of so many pixels, each with its position as
        // its colour, differs from floor((i + 0.5) * from / 180). (from, how many, the first of them and their pixels)
        for (from, count, first) in [
            (240, 23, &[(4, 5), (16, 21), (19, 25), (22, 29), (25, 33), (61, 81)][..]),
            (264, 1, &[(22, 32)]),
            (320, 15, &[(49, 87), (58, 103), (67, 119), (76, 135), (85, 151), (94, 167)]),
            (344, 2, &[(112, 214), (157, 300)]),
            (480, 23, &[(4, 11), (16, 43), (19, 51), (22, 59), (25, 67), (61, 163)]),
            (488, 4, &[(22, 60), (67, 182), (112, 304), (157, 426)]),
        ] {
            let centre = |index: usize| ((index as f64 + 0.5) * f64::from(from) / 180.0) as usize;
            let others: Vec<(usize, usize)> = positions(from, 180)
                .into_iter()
                .enumerate()
                .filter(|(index, p)| *p != centre(*index))
                .collect();
            assert_eq!(others.len(), count, "{from}");
            assert_eq!(&others[..first.len()], first, "{from}");
        }
    }

    #[test]
    fn no_position_lies_outside() {
        for from in 1..700 {
            for to in [32, 33, 180, 224] {
                let positions = positions(from, to);
                assert_eq!(positions.len(), to as usize);
                assert!(positions.is_sorted() && positions.iter().all(|position| *position < from as usize));
            }
        }
    }
}
