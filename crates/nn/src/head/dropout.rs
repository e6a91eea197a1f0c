//! What a step leaves out.

use rand_pcg::rand_core::Rng;

use crate::randomness::generator;

/// Inverted dropout (Srivastava et al. 2014; Keras `Dropout`): each number is left out with a probability of `share`,
/// and the others are scaled up by 1 / (1 - share). Which ones depends on the seed alone, whatever computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    /// From 0 to below 1.
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

impl Dropout {
    /// Outside training.
    pub(crate) const NONE: Self = Self { share: 0.0, seed: 0 };

    /// Whether anything is left out.
    pub(crate) fn is_none(self) -> bool {
        self.share == 0.0
    }

    /// What each of `count` numbers is multiplied by, row by row: 0 or 1 / (1 - share).
    pub(crate) fn factors(self, count: usize) -> Vec<f32> {
        let mut factors = vec![1.0; count];
        self.apply(&mut factors);
        factors
    }

    /// Multiplies the numbers by their factors.
    pub(crate) fn apply(self, numbers: &mut [f32]) {
        if self.is_none() {
            return;
        }
        let mut generator = generator(self.seed);
        let scale = (1.0 / (1.0 - self.share)) as f32;
        let threshold = (self.share * 2_f64.powi(32)) as u64;
        for number in numbers {
            *number *= if u64::from(generator.next_u32()) < threshold { 0.0 } else { scale };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_left_out_and_the_rest_scaled_up() {
        for share in [0.1, 0.5, 0.9] {
            let factors = Dropout { share, seed: 3 }.factors(100_000);
            let zeros = factors.iter().filter(|&&factor| factor == 0.0).count() as f64 / 100_000.0;
            assert!((zeros - share).abs() < 0.01, "expected {share}, found {zeros}");
            let scale = (1.0 / (1.0 - share)) as f32;
            assert!(factors.iter().all(|&factor| factor == 0.0 || factor == scale));
        }
        assert_eq!(Dropout::NONE.factors(3), [1.0; 3]);
    }

    #[test]
    fn which_ones_depends_on_the_seed_alone() {
        let factors = |seed| Dropout { share: 0.5, seed }.factors(1000);
        assert_eq!(factors(1), factors(1));
        assert_ne!(factors(1), factors(2));
        assert_eq!(
            factors(1)[..10],
            Dropout { share: 0.5, seed: 1 }.factors(10),
            "a longer draw begins alike"
        );
    }
}
