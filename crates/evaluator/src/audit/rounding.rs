//! Counts from numbers that are none.

/// Whole numbers near these, whose sum is that of these, rounded. Where rounding each (halves to even) misses the sum, the
/// numbers that were rounded furthest the other way give way, of equals the later ones first where the sum grows.
pub(super) fn round_preserving_sum(numbers: &[f64]) -> Vec<i64> {
    let mut rounded: Vec<f64> = numbers.iter().map(|number| number.round_ties_even()).collect();
    let wanted = numbers.iter().sum::<f64>().round_ties_even();
    loop {
        let missing = wanted - rounded.iter().sum::<f64>();
        if numbers.is_empty() || !missing.is_finite() || missing == 0.0 {
            return rounded.into_iter().map(|number| number as i64).collect();
        }
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|&a, &b| (numbers[a] - rounded[a]).total_cmp(&(numbers[b] - rounded[b])));
        if missing > 0.0 {
            order.reverse();
        }
        let changes = (missing.abs() as usize).min(numbers.len());
        order.iter().take(changes).for_each(|&position| rounded[position] += missing.signum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_rounding_loses_goes_to_the_numbers_that_lost_most() {
        assert_eq!(round_preserving_sum(&[0.4, 0.4, 0.2]), [0, 1, 0]);
        assert_eq!(round_preserving_sum(&[1.6, 1.7, 1.7]), [1, 2, 2]);
        assert_eq!(round_preserving_sum(&[0.5, 1.5, 2.5]), [0, 2, 2]);
        assert_eq!(round_preserving_sum(&[]), [0_i64; 0]);
    }

    proptest! {
        #[test]
        fn the_sum_stays_and_no_number_moves_by_more_than_one(
            numbers in prop::collection::vec(0.0..1000.0_f64, 1..20),
        ) {
            let rounded = round_preserving_sum(&numbers);
            prop_assert_eq!(rounded.iter().sum::<i64>() as f64, numbers.iter().sum::<f64>().round_ties_even());
            for (rounded, number) in rounded.iter().zip(&numbers) {
                prop_assert!((*rounded as f64 - number).abs() <= 1.5, "{} {}", rounded, number);
            }
        }
    }
}
