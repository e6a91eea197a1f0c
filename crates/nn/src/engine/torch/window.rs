//! What moves a window over a map, and what is put around the map before.

use convbase_bases::{Padding, Pool};
use tch::Tensor;

use crate::TorchError;

/// Puts `value` around a map [batch, channels, height, width].
pub(crate) fn pad(map: &Tensor, padding: &Padding, value: f64) -> Result<Tensor, TorchError> {
    let sides = [padding.left, padding.right, padding.top, padding.bottom].map(|side| side as i64);
    Ok(map.f_pad(sides, "constant", value)?)
}

/// The maximum of each window; what lies outside the map is ignored.
pub(crate) fn max_pool(map: &Tensor, pool: &Pool) -> Result<Tensor, TorchError> {
    let padded =
        if pool.padding.is_empty() { None } else { Some(pad(map, &pool.padding, f64::NEG_INFINITY)?) };
    let map = padded.as_ref().unwrap_or(map);
    Ok(map.f_max_pool2d(sides(pool.kernel), sides(pool.stride), [0, 0], [1, 1], false)?)
}

/// The mean of each window; what lies outside the map is not counted.
pub(crate) fn average_pool(map: &Tensor, pool: &Pool) -> Result<Tensor, TorchError> {
    let (kernel, stride) = (sides(pool.kernel), sides(pool.stride));
    let sum = |map: &Tensor| -> Result<Tensor, TorchError> {
        let padded = pad(map, &pool.padding, 0.0)?;
        Ok(padded.f_avg_pool2d(kernel, stride, [0, 0], false, true, 1_i64)?)
    };
    if pool.padding.is_empty() {
        return Ok(map.f_avg_pool2d(kernel, stride, [0, 0], false, true, None::<i64>)?);
    }
    // Sums over the window, divided by how many of its pixels lie on the map.
    let ones = map.f_narrow(0, 0, 1)?.f_narrow(1, 0, 1)?.f_ones_like()?; // [1, 1, height, width]
    Ok(sum(map)?.f_div(&sum(&ones)?)?)
}

fn sides(sides: [usize; 2]) -> [i64; 2] {
    sides.map(|side| side as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_do_not_count_what_lies_outside_and_maxima_ignore_it() {
        let map = Tensor::from_slice(&[-1.0_f32, -2.0, -3.0, -4.0]).view([1, 1, 2, 2]);
        let padding = Padding { top: 0, bottom: 1, left: 0, right: 1 };
        let pool = Pool { kernel: [2, 2], stride: [1, 1], padding };
        let numbers = |tensor: Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
        assert_eq!(numbers(average_pool(&map, &pool).unwrap()), [-2.5, -3.0, -3.5, -4.0]);
        assert_eq!(numbers(max_pool(&map, &pool).unwrap()), [-1.0, -2.0, -3.0, -4.0]);
    }
}
