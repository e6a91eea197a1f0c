//! Whether two classifiers differ by more than chance.

/// Below its natural logarithm, a number is none of `f64`'s.
const LEAST_LOGARITHM: f64 = -746.0;

/// McNemar's exact test (Q. McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or
/// Percentages", 1947): the two-sided p-value of `only_first` samples that only the first of two classifiers has right and
/// `only_second` that only the second has right, were each as likely as the other. `mcnemar(exact=True)` of statsmodels,
/// `binomtest` of SciPy with a half. 1 where they never differ.
///
/// Takes some twenty times the root of the number of samples in steps.
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let total = u128::from(only_first) + u128::from(only_second);
    let (fewer, middle) = (u128::from(only_first.min(only_second)), total / 2);
    if fewer == middle {
        return 1.0;
    }
    // Hoeffding's bound on the tail: what is further from the middle has no digit.
    let distance = (middle - fewer) as f64;
    if -2.0 * distance * distance / (total as f64) < LEAST_LOGARITHM {
        return 0.0;
    }
    // With C(total, k − 1) = C(total, k) · k / (total − k + 1), every term of the distribution follows from its middle,
    // and nothing has to be known of factorials. Far from the middle the terms are too small for anything but logarithms.
    let step = |k: u128| k as f64 / (total - k + 1) as f64;
    let mut logarithm = 0.0;
    for k in (fewer + 1..=middle).rev() {
        logarithm += step(k).ln();
    }
    // What lies at or below a term, as a multiple of the term.
    let tail = |from: u128| {
        let (mut term, mut sum) = (1.0, 1.0);
        for k in (1..=from).rev() {
            term *= step(k);
            sum += term;
            if term < sum * 1e-18 {
                break;
            }
        }
        sum
    };
    // An odd total has two middle terms, an even one has one, which both halves hold.
    let all = if total.is_multiple_of(2) { 2.0 * tail(middle) - 1.0 } else { 2.0 * tail(middle) };
    (2.0 * logarithm.exp() * tail(fewer) / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_few_samples_give_what_counting_by_hand_gives() {
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert_eq!(mcnemar_exact(3, 3), 1.0);
        assert_eq!(mcnemar_exact(3, 4), 1.0);
        assert!((mcnemar_exact(0, 5) - 2.0 / 32.0).abs() < 1e-15);
        assert!((mcnemar_exact(6, 1) - 2.0 * 8.0 / 128.0).abs() < 1e-15);
    }

    #[test]
    fn certainty_is_told_down_to_the_smallest_number_and_then_zero() {
        let expected = 2.0_f64.powi(-899);
        assert!((mcnemar_exact(0, 900) / expected - 1.0).abs() < 1e-10);
        assert_eq!(mcnemar_exact(0, u64::MAX), 0.0);
        assert_eq!(mcnemar_exact(u64::MAX, u64::MAX), 1.0);
    }

    #[test]
    fn many_samples_approach_the_normal_distribution() {
        // Two standard deviations of the difference, with the correction for continuity: 2 (1 − Φ(1.999)) is 0.0456.
        let p = mcnemar_exact(500_000_000 - 31_623, 500_000_000 + 31_623);
        assert!((p - 0.0455).abs() < 1e-4, "{p}");
    }

    proptest! {
        #[test]
        fn the_p_value_is_that_of_the_summed_binomial_distribution(first in 0_u64..40, second in 0_u64..40) {
            let (total, fewer) = (first + second, first.min(second));
            let choose = |k: u64| (0..k).fold(1_u128, |product, i| product * u128::from(total - i) / u128::from(i + 1));
            let below: u128 = (0..=fewer).map(choose).sum();
            let expected = (2.0 * below as f64 / 2.0_f64.powi(total as i32)).min(1.0);
            prop_assert!((mcnemar_exact(first, second) - expected).abs() < 1e-13);
            prop_assert_eq!(mcnemar_exact(first, second), mcnemar_exact(second, first));
        }
    }
}
