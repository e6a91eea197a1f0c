//! [`Preparation`] on tensors, where gradients go through it.

use tch::{Kind, TchError, Tensor};

use crate::{MapPooling, Preparation};

/// Rows [rows, width] of maps [rows, inputs], channels last.
pub(super) fn prepare(preparation: &Preparation, features: &Tensor) -> Result<Tensor, TchError> {
    let Preparation { pooling, unit_length, positions, channels } = *preparation;
    let map = features.f_view([-1, positions as i64, channels as i64])?; // [rows, positions, channels]
    let means = || map.f_mean_dim(1_i64, false, Kind::Float);
    let maxima = || map.f_amax(1_i64, false);
    let rows = match pooling {
        MapPooling::None => features.shallow_clone(),
        MapPooling::Average => means()?,
        MapPooling::Maximum => maxima()?,
        MapPooling::AverageAndMaximum => Tensor::f_cat(&[means()?, maxima()?], 1)?,
    };
    if !unit_length {
        return Ok(rows);
    }
    // A row of zeros stays one, and its gradient finite.
    let squares = rows.f_mul(&rows)?.f_sum_dim_intlist(1_i64, true, Kind::Float)?; // [rows, 1]
    rows.f_div(&squares.f_clamp_min(f64::from(f32::MIN_POSITIVE))?.f_sqrt()?)
}
