//! Parts of the training photographs that take turns in validating.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A class with fewer photographs than there are folds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("class `{class}`: expected at least {folds} photographs for {folds} folds, found {found}")]
pub struct TooFew {
    class: String,
    folds: usize,
    found: usize,
}

/// The fold of each photograph, from 0: each class is shuffled and dealt out, so that every fold has its share of it (scikit-learn
/// `StratifiedKFold(shuffle=True)`, with draws of our own).
pub fn stratified(
    labels: &[usize],
    classes: &[String],
    folds: usize,
    seed: u64,
) -> Result<Vec<usize>, TooFew> {
    let mut fold_of = vec![0; labels.len()];
    let mut next = 0;
    for (label, class) in classes.iter().enumerate() {
        let mut members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == label).collect();
        if members.len() < folds {
            return Err(TooFew { class: class.clone(), folds, found: members.len() });
        }
        shuffle(&mut members, &mut Pcg64::seed_from_u64(seed ^ (label as u64).wrapping_mul(0x9E37_79B9)));
        for member in members {
            fold_of[member] = next % folds;
            next += 1;
        }
    }
    Ok(fold_of)
}

/// Fisher and Yates.
fn shuffle(numbers: &mut [usize], generator: &mut Pcg64) {
    for last in (1..numbers.len()).rev() {
        let other = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
        numbers.swap(last, other as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let classes = ["a", "b"].map(str::to_owned);
        let labels: Vec<usize> = (0..53).map(|row| usize::from(row % 4 == 0)).collect();
        let folds = stratified(&labels, &classes, 5, 42).unwrap();
        for label in [0, 1] {
            let all = labels.iter().filter(|&&found| found == label).count();
            for fold in 0..5 {
                let count = (0..53).filter(|&row| labels[row] == label && folds[row] == fold).count();
                assert!(count == all / 5 || count == all / 5 + 1, "{count} of {all}");
            }
        }
        assert_eq!(folds, stratified(&labels, &classes, 5, 42).unwrap());
        assert_ne!(folds, stratified(&labels, &classes, 5, 43).unwrap());
    }

    #[test]
    fn a_class_that_is_smaller_than_the_number_of_folds_is_named() {
        let classes = ["a", "b"].map(str::to_owned);
        let error = stratified(&[0, 0, 0, 1], &classes, 3, 1).unwrap_err().to_string();
        assert_eq!(error, "class `b`: expected at least 3 photographs for 3 folds, found 1");
    }
}
