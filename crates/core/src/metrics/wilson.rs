//! How far an accuracy measured on few samples can be trusted.

use super::MetricsError;

/// The 97.5 % quantile of the standard normal distribution.
pub(super) const Z_95: f64 = 1.959_963_984_540_054;

/// The Wilson score interval `[low, high]` at 95 % for the share `correct / total` (E. B. Wilson, "Probable
/// Inference, the Law of Succession, and Statistical Inference", 1927; `proportion_confint(method="wilson")`
/// of statsmodels). `None` without samples.
///
/// It holds the measured share and stays within 0 and 1, which the usual normal interval does not.
pub fn wilson_interval95(correct: u64, total: u64) -> Result<Option<[f64; 2]>, MetricsError> {
    if correct > total {
        return Err(MetricsError::CorrectCount { total, correct });
    }
    if total == 0 {
        return Ok(None);
    }
    let samples = total as f64;
    let share = correct as f64 / samples;
    let squared = Z_95 * Z_95;
    let scale = 1.0 + squared / samples;
    let centre = (share + squared / (2.0 * samples)) / scale;
    let variance = share * (1.0 - share) / samples + squared / (4.0 * samples * samples);
    let half_width = Z_95 * variance.sqrt() / scale;
    // At a share of 0 or 1 the bound equals the share, but rounding could put it on the wrong side.
    Ok(Some([(centre - half_width).clamp(0.0, share), (centre + half_width).clamp(share, 1.0)]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_of_ten_gives_the_textbook_interval() {
        let [low, high] = wilson_interval95(5, 10).unwrap().unwrap();
        assert!((low - 0.236_593_090_512_564_9).abs() < 1e-12, "{low}");
        assert!((high - 0.763_406_909_487_435_1).abs() < 1e-12, "{high}");
    }

    #[test]
    fn all_wrong_begins_at_zero_and_all_right_ends_at_one() {
        assert_eq!(wilson_interval95(0, 7).unwrap().unwrap()[0], 0.0);
        assert_eq!(wilson_interval95(7, 7).unwrap().unwrap()[1], 1.0);
    }

    #[test]
    fn no_samples_have_no_interval() {
        assert_eq!(wilson_interval95(0, 0), Ok(None));
    }

    #[test]
    fn more_correct_samples_than_samples_are_refused() {
        assert_eq!(wilson_interval95(3, 2), Err(MetricsError::CorrectCount { total: 2, correct: 3 }));
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_share_and_lies_between_zero_and_one(
            (correct, total) in (1_u64..=u64::MAX).prop_flat_map(|total| (0..=total, Just(total))),
        ) {
            let share = correct as f64 / total as f64;
            let [low, high] = wilson_interval95(correct, total).unwrap().unwrap();
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        }

        #[test]
        fn the_interval_of_few_samples_holds_their_share(
            (correct, total) in (1_u64..1000).prop_flat_map(|total| (0..=total, Just(total))),
        ) {
            let share = correct as f64 / total as f64;
            let [low, high] = wilson_interval95(correct, total).unwrap().unwrap();
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0 && low < high);
        }
    }
}
