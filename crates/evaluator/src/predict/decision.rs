//! From the probabilities of a photograph to what is said of it.

use convbase_core::metrics::{MetricsError, predicted_classes};

/// What the probabilities of one photograph say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision<'a> {
    probabilities: &'a [f64],
    /// All classes, the most probable first; the first of the class list on ties.
    ranking: Vec<usize>,
    is_certain: bool,
}

impl<'a> Decision<'a> {
    /// Ranks the classes by `probabilities` `[classes]`. Uncertain is what has no class of at least the threshold.
    pub(super) fn new(probabilities: &'a [f64], threshold: Option<f64>) -> Result<Self, MetricsError> {
        // Nothing is ranked that is no distribution over the classes.
        predicted_classes(probabilities, probabilities.len())?;
        let mut ranking: Vec<usize> = (0..probabilities.len()).collect();
        ranking.sort_by(|left, right| probabilities[*right].total_cmp(&probabilities[*left]));
        let is_certain = threshold.is_none_or(|threshold| probabilities[ranking[0]] >= threshold);
        Ok(Self { probabilities, ranking, is_certain })
    }

    /// Every probability, `[classes]`, in the order of the class list.
    pub(super) fn probabilities(&self) -> &'a [f64] {
        self.probabilities
    }

    /// The most probable class; `None` where that is uncertain.
    pub(super) fn class(&self) -> Option<usize> {
        self.is_certain.then(|| self.ranking[0])
    }

    /// Classes with their probabilities, the most probable first.
    pub(super) fn ranking(&self) -> impl ExactSizeIterator<Item = (usize, f64)> {
        self.ranking.iter().map(|&class| (class, self.probabilities[class]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ranked_by_probability_and_on_ties_by_their_order() {
        let decision = Decision::new(&[0.25, 0.125, 0.25, 0.375], None).unwrap();
        let ranking: Vec<_> = decision.ranking().collect();
        assert_eq!(ranking, [(3, 0.375), (0, 0.25), (2, 0.25), (1, 0.125)]);
        assert_eq!(decision.class(), Some(3));
        assert!(Decision::new(&[0.5, 0.25], None).is_err() && Decision::new(&[], None).is_err());
    }

    #[test]
    fn what_reaches_the_threshold_is_certain_and_what_does_not_is_not() {
        let class = |threshold| Decision::new(&[0.25, 0.75], Some(threshold)).unwrap().class();
        assert_eq!((class(0.75), class(0.751), class(0.0)), (Some(1), None, Some(1)));
    }
}
