//! The greatest cosines of a photograph with others.

/// So many of the greatest numbers that were added.
#[derive(Debug, Clone)]
pub(super) struct Nearest {
    most: usize,
    /// Descending.
    cosines: Vec<f32>,
    least: f32,
}

impl Nearest {
    /// Of none yet.
    pub(super) fn new(most: usize) -> Self {
        Self { most, cosines: Vec::with_capacity(most + 1), least: f32::NEG_INFINITY }
    }

    /// What a number has to be above to count.
    pub(super) fn least(&self) -> f32 {
        self.least
    }

    /// Adds a number.
    pub(super) fn add(&mut self, cosine: f32) {
        let place = self.cosines.partition_point(|&greater| greater >= cosine);
        self.cosines.insert(place, cosine);
        self.cosines.truncate(self.most);
        if let (true, Some(&last)) = (self.cosines.len() == self.most, self.cosines.last()) {
            self.least = last;
        }
    }

    /// The mean of those that count; none where there are none.
    pub(super) fn mean(&self) -> Option<f64> {
        let sum: f64 = self.cosines.iter().copied().map(f64::from).sum();
        (!self.cosines.is_empty()).then(|| sum / self.cosines.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_greatest_count_and_none_have_no_mean() {
        let mut nearest = Nearest::new(2);
        assert_eq!((nearest.mean(), nearest.least()), (None, f32::NEG_INFINITY));
        for cosine in [0.25, -1.0, 0.5, 0.25] {
            nearest.add(cosine);
        }
        assert_eq!((nearest.mean(), nearest.least()), (Some(0.375), 0.25));
    }
}
