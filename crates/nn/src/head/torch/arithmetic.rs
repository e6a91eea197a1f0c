//! Optimizers' formulas on tensors.

use tch::{TchError, Tensor};

use crate::optimizer::Arithmetic;

/// Arithmetic on float32 tensors of one size and device.
pub(crate) struct Tensors;

impl Arithmetic for Tensors {
    type Numbers = Tensor;
    type Error = TchError;

    fn multiply(&self, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        a.f_mul(b)
    }

    fn divide(&self, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        a.f_div(b)
    }

    fn square_root(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_sqrt()
    }

    fn inverse_root(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_rsqrt()
    }

    fn plus(&self, x: &Tensor, number: f64) -> Result<Tensor, TchError> {
        x.f_add_scalar(number)
    }

    fn scale(&self, x: &Tensor, factor: f64) -> Result<Tensor, TchError> {
        x.f_mul_scalar(factor)
    }

    fn towards(&self, from: &Tensor, to: &Tensor, share: f64) -> Result<Tensor, TchError> {
        from.f_lerp(to, share)
    }
}
