//! Softness: a box blur, twice, in whole numbers.

/// Blurs one channel of `width` × `height` bytes; two boxes make a tent, which looks like a lens.
pub fn blur(channel: &mut [u8], width: usize, height: usize, radius: usize) {
    if radius == 0 {
        return;
    }
    let mut line = vec![0; width.max(height)];
    for _ in 0..2 {
        for row in 0..height {
            blur_line(channel, row * width, 1, width, radius, &mut line);
        }
        for column in 0..width {
            blur_line(channel, column, width, height, radius, &mut line);
        }
    }
}

/// One row or column, with its first and last pixel repeated beyond the edge.
fn blur_line(channel: &mut [u8], start: usize, stride: usize, length: usize, radius: usize, line: &mut [u8]) {
    for (step, value) in line[..length].iter_mut().enumerate() {
        *value = channel[start + step * stride];
    }
    let at = |position: isize| u32::from(line[position.clamp(0, length as isize - 1) as usize]);
    let reach = radius as isize;
    let count = 2 * radius as u32 + 1;
    let mut sum: u32 = (-reach..=reach).map(at).sum();
    for step in 0..length {
        channel[start + step * stride] = ((sum + count / 2) / count) as u8;
        let step = step as isize;
        sum = sum + at(step + reach + 1) - at(step - reach);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_surface_stays_as_it_is() {
        let mut channel = vec![77; 30];
        blur(&mut channel, 6, 5, 3);
        assert_eq!(channel, vec![77; 30]);
    }

    #[test]
    fn a_dot_spreads_evenly_in_all_directions() {
        let mut channel = vec![0; 49];
        channel[24] = 255;
        blur(&mut channel, 7, 7, 1);
        assert_eq!(channel[24 - 1], channel[24 + 1]);
        assert_eq!(channel[24 - 7], channel[24 + 1]);
        assert!(channel[24] > channel[25]);
    }
}
