//! Photographs that are far from all others.

use serde::Serialize;

/// From a median absolute deviation to the standard deviation of a normal distribution (1 / Φ⁻¹(3/4)).
const NORMAL: f64 = 1.4826;

/// A photograph that is far from all others, as its class goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Odd {
    /// The photograph.
    pub(crate) row: usize,
    /// 1 minus the mean cosine of its nearest neighbours.
    pub(crate) distance: f64,
    /// How many robust standard deviations above the median of its class.
    pub(crate) deviations: f64,
}

/// What is usual in a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Usual {
    /// The median distance; null where no photograph has one.
    pub(crate) median: Option<f64>,
    /// 1.4826 times the median absolute deviation from it.
    pub(crate) deviation: Option<f64>,
}

/// What is usual in each class, and the photographs that are at least so many deviations above it, the oddest first.
/// Where most of a class are equally far, deviations have no measure, and nothing of it is odd.
pub(super) fn outliers(
    distances: &[Option<f64>],
    labels: &[usize],
    classes: usize,
    cut: f64,
) -> (Vec<Usual>, Vec<Odd>) {
    let usual: Vec<Usual> = (0..classes)
        .map(|class| {
            let of_class = distances.iter().zip(labels).filter(|(_, label)| **label == class);
            let of_class: Vec<f64> = of_class.filter_map(|(distance, _)| *distance).collect();
            let middle = median(of_class.clone());
            let deviation = middle.and_then(|middle| {
                median(of_class.iter().map(|distance| (distance - middle).abs()).collect())
            });
            Usual { median: middle, deviation: deviation.map(|deviation| NORMAL * deviation) }
        })
        .collect();
    let mut odd: Vec<Odd> = distances
        .iter()
        .enumerate()
        .filter_map(|(row, distance)| {
            let (distance, Usual { median, deviation }) = ((*distance)?, usual[labels[row]]);
            let deviation = deviation.filter(|&deviation| deviation > 0.0)?;
            let deviations = (distance - median?) / deviation;
            (deviations >= cut).then_some(Odd { row, distance, deviations })
        })
        .collect();
    odd.sort_by(|a, b| b.deviations.total_cmp(&a.deviations).then(a.row.cmp(&b.row)));
    (usual, odd)
}

/// The middle of the numbers, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = numbers.get(middle)?;
    Some(if numbers.len() % 2 == 1 { *upper } else { numbers[middle - 1].midpoint(*upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photograph_is_odd_by_what_is_usual_in_its_class() {
        // Medians 3 and 30, median absolute deviations 1 and 10.
        let near = [1.0, 2.0, 3.0, 4.0, 20.0];
        let far = [10.0, 20.0, 30.0, 40.0, 70.0];
        let distances: Vec<Option<f64>> = near.into_iter().chain(far).map(Some).chain([None]).collect();
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
        let (usual, odd) = outliers(&distances, &labels, 3, 2.5);
        assert_eq!(usual[0], Usual { median: Some(3.0), deviation: Some(1.4826) });
        assert_eq!((usual[1].median, usual[2]), (Some(30.0), Usual { median: None, deviation: None }));
        assert_eq!(odd.iter().map(|odd| odd.row).collect::<Vec<_>>(), [4, 9]);
        assert!((odd[1].deviations - 40.0 / 14.826).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_odd_where_most_are_equally_far() {
        let (usual, odd) = outliers(&[Some(1.0), Some(1.0), Some(1.0), Some(9.0)], &[0; 4], 1, 2.0);
        assert_eq!((usual[0].deviation, odd.len()), (Some(0.0), 0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
