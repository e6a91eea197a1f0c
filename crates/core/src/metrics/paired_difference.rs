//! How far the difference of two accuracies measured on the same samples can be trusted.

use super::MetricsError;
use super::wilson::Z_95;

/// The interval `[low, high]` at 95 % of the accuracy of a first classifier less that of a second one, both on the same
/// `total` samples, of which the first alone has `only_first` right and the second alone `only_second`: the differences
/// that a score test does not reject (T. Tango, "Equivalence Test and Confidence Interval for the Difference in
/// Proportions for the Paired-Sample Design", 1998). `None` without samples.
///
/// It holds the measured difference and stays within −1 and 1.
pub fn paired_difference_interval95(
    only_first: u64,
    only_second: u64,
    total: u64,
) -> Result<Option<[f64; 2]>, MetricsError> {
    let different = u128::from(only_first) + u128::from(only_second);
    if different > u128::from(total) {
        return Err(MetricsError::DifferentCount { total, different });
    }
    if total == 0 {
        return Ok(None);
    }
    if only_first < only_second {
        // Below zero the statistic's variance is a difference of numbers that may be nearly equal.
        let turned = paired_difference_interval95(only_second, only_first, total)?;
        return Ok(turned.map(|[low, high]| [-high, -low]));
    }
    let [first, second, samples] = [only_first, only_second, total].map(|count| count as f64);
    let found = (first - second) / samples;
    let score = |difference| score(first, second, samples, difference);
    let low = root(-1.0, found, |difference| score(difference) > Z_95);
    let high = root(found, 1.0, |difference| score(difference) > -Z_95);
    Ok(Some([low.min(found), high.max(found)]))
}

/// Tango's statistic, standard normal where `difference` is the true one. It falls from difference −1 to 1.
fn score(first: f64, second: f64, samples: f64, difference: f64) -> f64 {
    // The most likely share of samples that only the second has right, under this difference: the greater root of
    // a x² + b x + c.
    let a = 2.0 * samples;
    let b = (2.0 * samples - first + second) * difference - first - second;
    let c = -second * difference * (1.0 - difference);
    let only_second = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
    let variance = samples * (2.0 * only_second + difference * (1.0 - difference));
    let distance = first - second - samples * difference;
    if distance == 0.0 { 0.0 } else { distance / variance.max(f64::MIN_POSITIVE).sqrt() }
}

/// Where `is_below_root` stops being true between two numbers, to the last digits.
fn root(mut low: f64, mut high: f64, is_below_root: impl Fn(f64) -> bool) -> f64 {
    // Each step halves a range of at most 2.
    for _ in 0..64 {
        let middle = low.midpoint(high);
        if is_below_root(middle) { low = middle } else { high = middle }
    }
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn classifiers_that_never_differ_are_equal_up_to_what_so_few_samples_tell() {
        let [low, high] = paired_difference_interval95(0, 0, 30).unwrap().unwrap();
        assert!((high - 0.113_513_393_173_968_8).abs() < 1e-12 && (low + high).abs() < 1e-12, "{low} {high}");
        assert_eq!(paired_difference_interval95(0, 0, 0), Ok(None));
    }

    #[test]
    fn more_samples_that_differ_than_samples_are_refused() {
        let error = paired_difference_interval95(2, 2, 3).unwrap_err().to_string();
        assert_eq!(error, "number of samples on which two classifiers differ: expected at most 3, found 4");
        assert!(paired_difference_interval95(u64::MAX, u64::MAX, u64::MAX).is_err());
        assert!(paired_difference_interval95(u64::MAX, 0, u64::MAX).is_ok());
    }

    #[test]
    fn the_interval_of_a_published_example_comes_out() {
        // Airway hyper-responsiveness of 21 children before and after stem cell transplantation, as M. W. Fagerland et
        // al., "Recommended Tests and Confidence Intervals for Paired Binomial Proportions", 2014, give it.
        let [low, high] = paired_difference_interval95(1, 7, 21).unwrap().unwrap();
        assert!((low + 0.517).abs() < 5e-4 && (high + 0.026).abs() < 5e-4, "{low} {high}");
    }

    #[test]
    fn the_interval_is_exact_whichever_classifier_is_ahead() {
        // By the same formula with sixty decimal digits.
        for (first, total, expected) in [
            (200, 208, [0.925_953_838_799_853_8, 0.980_384_330_644_644_6]),
            (4483, 4491, [0.996_488_643_117_033_1, 0.999_097_083_542_634_2]),
        ] {
            let [low, high] = paired_difference_interval95(first, 0, total).unwrap().unwrap();
            assert!((low - expected[0]).abs() < 1e-14 && (high - expected[1]).abs() < 1e-14, "{low} {high}");
            assert_eq!(paired_difference_interval95(0, first, total).unwrap(), Some([-high, -low]));
        }
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_difference_and_turns_with_the_classifiers(
            (first, second, total) in (1_u64..5000).prop_flat_map(|total| (0..=total, Just(total)))
                .prop_flat_map(|(first, total)| (Just(first), 0..=total - first, Just(total))),
        ) {
            let found = (first as f64 - second as f64) / total as f64;
            let [low, high] = paired_difference_interval95(first, second, total).unwrap().unwrap();
            prop_assert!(-1.0 <= low && low <= found && found <= high && high <= 1.0 && low < high);
            let [turned_low, turned_high] = paired_difference_interval95(second, first, total).unwrap().unwrap();
            prop_assert!((low + turned_high).abs() < 1e-12 && (high + turned_low).abs() < 1e-12);
        }

        #[test]
        fn it_holds_zero_where_mcnemars_test_without_correction_does_not_reject(first in 0_u64..200, second in 0_u64..200) {
            prop_assume!(first + second > 0);
            let statistic = (first as f64 - second as f64).abs() / ((first + second) as f64).sqrt();
            prop_assume!((statistic - Z_95).abs() > 1e-9);
            let [low, high] = paired_difference_interval95(first, second, 1000).unwrap().unwrap();
            prop_assert_eq!(low <= 0.0 && 0.0 <= high, statistic <= Z_95);
        }
    }
}
