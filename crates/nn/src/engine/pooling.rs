//! Maps to one number a channel.

use convbase_core::Pooling;

/// Pools maps [batch, pixels, channels] to [batch, channels]: the mean (Keras `GlobalAveragePooling2D`; summed in
/// float64) or the maximum (`GlobalMaxPooling2D`) over height and width.
pub(super) fn pool(maps: Vec<f32>, pixels: usize, channels: usize, pooling: Pooling) -> Vec<f32> {
    if pooling == Pooling::None || pixels * channels == 0 {
        return maps;
    }
    let mut pooled = Vec::with_capacity(maps.len() / pixels);
    for map in maps.chunks_exact(pixels * channels) {
        if pooling == Pooling::Average {
            let mut sums = vec![0.0_f64; channels];
            for pixel in map.chunks_exact(channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            pooled.extend(sums.into_iter().map(|sum| (sum / pixels as f64) as f32));
        } else {
            let mut greatest = vec![f32::NEG_INFINITY; channels];
            for pixel in map.chunks_exact(channels) {
                // A NaN stays one: the store refuses it.
                let larger =
                    |most: f32, value: f32| if value > most || value.is_nan() { value } else { most };
                greatest.iter_mut().zip(pixel).for_each(|(most, &value)| *most = larger(*most, value));
            }
            pooled.extend(greatest);
        }
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_maxima_are_of_each_channel_of_each_image() {
        let maps = vec![1.0, -5.0, 3.0, -7.0, 0.0, 10.0, 2.0, 20.0];
        assert_eq!(pool(maps.clone(), 2, 2, Pooling::None), maps);
        assert_eq!(pool(maps.clone(), 2, 2, Pooling::Average), [2.0, -6.0, 1.0, 15.0]);
        assert_eq!(pool(maps, 2, 2, Pooling::Maximum), [3.0, -5.0, 2.0, 20.0]);
    }
}
