//! Calibration: one number that logits are divided by.

use argmin::core::{CostFunction, Error, Executor, IterState};
use argmin::solver::brent::BrentOpt;

use convbase_core::Classes;

use super::loss::{cross_entropy, is_right, probabilities};

/// Temperatures are looked for between e⁻⁴ and e⁴.
const WIDEST: f64 = 4.0;

/// Logits of photographs that were not trained on.
#[derive(Debug, Default)]
pub struct HeldOut {
    /// Each `[outputs]`.
    pub logits: Vec<Vec<f64>>,
    /// The class of each.
    pub labels: Vec<usize>,
    /// Which split each was judged in, and its row among those that judge.
    pub places: Vec<(usize, usize)>,
}

impl HeldOut {
    /// The mean cross-entropy of the logits divided by a temperature.
    pub fn loss(&self, temperature: f64, classes: usize) -> f64 {
        let losses = self.logits.iter().zip(&self.labels).map(|(logits, &label)| {
            let mut scaled: Vec<f64> = logits.iter().map(|logit| logit / temperature).collect();
            cross_entropy(&mut scaled, label, classes)
        });
        losses.sum::<f64>() / self.labels.len().max(1) as f64
    }

    /// The share of photographs that were right.
    pub fn accuracy(&self) -> f64 {
        let right = self.logits.iter().zip(&self.labels);
        let right = right.filter(|(logits, label)| is_right(logits, **label)).count();
        right as f64 / self.labels.len().max(1) as f64
    }

    /// Sorted by the rows that judge: each photograph's fold and, of its logits divided by a temperature, the
    /// probabilities of all classes.
    pub fn by_row(&self, temperature: f64) -> Vec<HeldOutRow> {
        let row = |line: usize| {
            let (fold, row) = self.places[line];
            let calm: Vec<f64> = self.logits[line].iter().map(|logit| logit / temperature).collect();
            HeldOutRow { row, fold, label: self.labels[line], probabilities: probabilities(&calm) }
        };
        let mut rows: Vec<HeldOutRow> = (0..self.places.len()).map(row).collect();
        rows.sort_by_key(|row| row.row);
        rows
    }

    /// The temperature with the lowest loss (Guo et al. 2017). It changes no prediction.
    pub fn temperature(&self, classes: usize) -> f64 {
        let problem = Calibration { held_out: self, classes };
        let solver = BrentOpt::new(-WIDEST, WIDEST);
        let configure = |state: IterState<f64, (), (), (), (), f64>| state.max_iters(200);
        let found = Executor::new(problem, solver).configure(configure).timer(false).run();
        let logarithm = found.ok().and_then(|found| found.state.best_param).unwrap_or(0.0);
        // Where nothing is gained, nothing is changed.
        if self.loss(logarithm.exp(), classes) < self.loss(1.0, classes) { logarithm.exp() } else { 1.0 }
    }
}

/// What was said of a photograph by a classifier that was not fitted to it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutRow {
    /// The photograph's row among those that judge.
    pub row: usize,
    /// The fold it was left out with.
    pub fold: usize,
    /// Its class.
    pub label: usize,
    /// Of all classes.
    pub probabilities: Vec<f64>,
}

impl HeldOutRow {
    /// The columns of `held_out.csv`.
    pub fn header(classes: &Classes) -> Vec<String> {
        let fixed = ["path", "label", "fold"].map(str::to_owned).into_iter();
        fixed.chain(classes.names().iter().map(|name| format!("prob_{name}"))).collect()
    }

    /// Its fields there.
    pub fn fields(&self, path: &str, classes: &Classes) -> Vec<String> {
        let label = classes.names().get(self.label).cloned().unwrap_or_default();
        let fixed = [path.to_owned(), label, self.fold.to_string()].into_iter();
        fixed.chain(self.probabilities.iter().map(f64::to_string)).collect()
    }
}

struct Calibration<'a> {
    held_out: &'a HeldOut,
    classes: usize,
}

impl CostFunction for Calibration<'_> {
    type Param = f64;
    type Output = f64;

    fn cost(&self, logarithm: &f64) -> Result<f64, Error> {
        Ok(self.held_out.loss(logarithm.exp(), self.classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_three_times_too_sure_are_divided_by_three() {
        // Labels as often as the probability says: logit 1 is right in 73 of 100.
        let mut held_out = HeldOut::default();
        for (logit, right) in [(1.0_f64, 731), (2.0, 881), (-1.5, 818)] {
            for row in 0..1000 {
                held_out.logits.push(vec![logit * 3.0]);
                held_out.labels.push(usize::from((row < right) == (logit > 0.0)));
            }
        }
        let temperature = held_out.temperature(2);
        assert!((temperature - 3.0).abs() < 0.02, "{temperature}");
        assert!(held_out.loss(temperature, 2) < held_out.loss(1.0, 2));
    }
}
