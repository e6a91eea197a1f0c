//! What the optimizers' formulas are written in.

/// Elementwise arithmetic on float32 numbers: those of a vector register or of a tensor. Each formula is written once on
/// it.
pub(crate) trait Arithmetic {
    type Numbers;
    type Error;

    /// a · b
    fn multiply(&self, a: &Self::Numbers, b: &Self::Numbers) -> Result<Self::Numbers, Self::Error>;

    /// a / b
    fn divide(&self, a: &Self::Numbers, b: &Self::Numbers) -> Result<Self::Numbers, Self::Error>;

    /// √x
    fn square_root(&self, x: &Self::Numbers) -> Result<Self::Numbers, Self::Error>;

    /// 1 / √x
    fn inverse_root(&self, x: &Self::Numbers) -> Result<Self::Numbers, Self::Error>;

    /// x + number
    fn plus(&self, x: &Self::Numbers, number: f64) -> Result<Self::Numbers, Self::Error>;

    /// factor · x
    fn scale(&self, x: &Self::Numbers, factor: f64) -> Result<Self::Numbers, Self::Error>;

    /// from + share · (to - from)
    fn towards(
        &self,
        from: &Self::Numbers,
        to: &Self::Numbers,
        share: f64,
    ) -> Result<Self::Numbers, Self::Error>;
}

/// An optimizer's formula in one step, with SLOTS moments for each parameter.
pub(crate) trait Formula<const SLOTS: usize>: Copy + Send {
    /// The moments after the step, and what is taken from the parameter.
    #[expect(clippy::type_complexity, reason = "two values and an error")]
    fn step<A: Arithmetic>(
        &self,
        arithmetic: &A,
        gradient: &A::Numbers,
        moments: [A::Numbers; SLOTS],
    ) -> Result<([A::Numbers; SLOTS], A::Numbers), A::Error>;
}
