//! Multinomial logistic regression with an L2 penalty, solved by L-BFGS.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient, IterState};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use super::loss::{cross_entropy, outputs_of};

/// Steps that L-BFGS remembers.
const MEMORY: usize = 10;
/// Far more steps than a problem takes that was made round first.
const MOST_STEPS: u64 = 2_000;
/// Looks in a row that may find neither a lower cost nor a shorter gradient. Near the end, where rounding leaves nothing to
/// find, argmin's line search would look for ever.
const MOST_VAIN_LOOKS: usize = 50;
/// A gradient that is no smaller than this after all steps is no solution.
const LARGEST_GRADIENT: f64 = 1e-4;

/// Rows and labels that a linear classifier is fitted to.
///
/// The objective is scikit-learn's (`LogisticRegression`), divided by the sum S of the rows' weights s:
///
/// Σ sᵢ · cross-entropyᵢ / S + ‖W‖² / (2 C S)
///
/// Two classes have one row of coefficients and a sigmoid, more have one each and a softmax. The intercepts are not
/// penalised. In float64.
#[derive(Debug)]
pub(super) struct Regression<'a> {
    /// [rows, width + 1]; the last column is ones, for the intercept.
    rows: Mat<f64>,
    labels: &'a [usize],
    /// Of each row's loss.
    weights: Vec<f64>,
    classes: usize,
    /// The bound of the losses' curvature, [width + 1, width + 1], lower half.
    curvature: Mat<f64>,
    reduced: Option<Reduced>,
}

/// Rows of more numbers than there are rows. The best coefficients are a sum of rows, W = Xᵀα, and what matters of the
/// rows are their products X Xᵀ = L Lᵀ: rows L with coefficients Lᵀα have the same losses and the same penalty.
#[derive(Debug)]
struct Reduced {
    /// [rows, width]
    original: Mat<f64>,
    /// [rows, rows]
    factor: Mat<f64>,
}

/// A solution as it is gone on from.
#[derive(Debug, Clone)]
pub(super) struct Solution(Mat<f64>);

/// A linear classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// [outputs, width]
    pub weight: Vec<f64>,
    /// `[outputs]`
    pub bias: Vec<f64>,
}

/// The solver stopped short.
#[derive(Debug, thiserror::Error)]
#[error(
    "logistic regression with C {c}: expected a gradient of at most {LARGEST_GRADIENT}, found {found:.1e}"
)]
pub struct NotSolved {
    c: f64,
    found: f64,
}

impl<'a> Regression<'a> {
    /// `rows` is [rows, width], `weights` `[rows]`.
    pub(super) fn new(rows: Mat<f64>, labels: &'a [usize], weights: Vec<f64>, classes: usize) -> Self {
        let (rows, reduced) = if rows.ncols() > rows.nrows() { reduce(rows) } else { (rows, None) };
        let width = rows.ncols();
        let rows =
            Mat::from_fn(
                rows.nrows(),
                width + 1,
                |row, column| {
                    if column < width { rows[(row, column)] } else { 1.0 }
                },
            );
        let total: f64 = weights.iter().sum();
        // No loss curves more than p (1 - p) ≤ 1/4, or with a softmax ½ (Böhning 1992).
        let bound = if classes == 2 { 0.25 } else { 0.5 };
        let scaled = Mat::from_fn(rows.nrows(), width + 1, |row, column| {
            (bound * weights[row] / total).sqrt() * rows[(row, column)]
        });
        let mut curvature = Mat::zeros(width + 1, width + 1);
        lower_product(curvature.as_mut(), scaled.transpose(), scaled.as_ref());
        Self { rows, labels, weights, classes, curvature, reduced }
    }

    /// The solution for a strength of the penalty: the smaller `c`, the stronger. Stops where the gradient, measured in
    /// what the losses can curve, is shorter than `tolerance`.
    pub(super) fn solve(
        &self,
        c: f64,
        start: Option<&Solution>,
        tolerance: f64,
    ) -> Result<Solution, NotSolved> {
        let penalty = 1.0 / (c * self.weights.iter().sum::<f64>());
        let failed = |found| NotSolved { c, found };
        let mut curvature = self.curvature.clone();
        let (width, outputs) = (curvature.ncols() - 1, outputs_of(self.classes));
        for column in 0..=width {
            curvature[(column, column)] += if column < width { penalty } else { f64::EPSILON };
        }
        // In steps measured by this the objective is nearly round, and few are needed whatever the features' scales.
        let factor = curvature.llt(Side::Lower).map_err(|_| failed(f64::NAN))?;
        let mut begin = start.map_or_else(|| Mat::zeros(width + 1, outputs), |solution| solution.0.clone());
        begin = factor.L().transpose() * begin;
        let problem = Objective { regression: self, penalty, factor: factor.L(), seen: RefCell::default() };
        let seen = minimum(&problem, column_major(begin.as_ref()), tolerance);
        if seen.gradient.is_nan() || seen.gradient > LARGEST_GRADIENT {
            return Err(failed(seen.gradient));
        }
        Ok(Solution(problem.coefficients(&seen.position)))
    }

    /// A solution as coefficients of the rows as they were given.
    pub(super) fn coefficients(&self, solution: &Solution) -> Coefficients {
        let (width, outputs) = (solution.0.nrows() - 1, solution.0.ncols());
        let weight = solution.0.as_ref().subrows(0, width);
        let weight = match &self.reduced {
            Some(Reduced { original, factor }) => {
                let mut shares = weight.to_owned();
                solve_upper_triangular_in_place(factor.transpose(), shares.as_mut(), Par::Seq);
                original.transpose() * shares
            }
            None => weight.to_owned(),
        };
        let bias = (0..outputs).map(|output| solution.0[(width, output)]).collect();
        Coefficients { weight: column_major(weight.as_ref()), bias }
    }
}

impl Coefficients {
    /// Logits `[outputs]` of a row `[width]`.
    pub(super) fn logits(&self, row: &[f32]) -> Vec<f64> {
        let dot = |weight: &[f64]| weight.iter().zip(row).map(|(a, &b)| a * f64::from(b)).sum::<f64>();
        self.weight.chunks_exact(row.len().max(1)).zip(&self.bias).map(|(w, b)| dot(w) + b).collect()
    }
}

fn reduce(rows: Mat<f64>) -> (Mat<f64>, Option<Reduced>) {
    let count = rows.nrows();
    let mut products = Mat::zeros(count, count);
    lower_product(products.as_mut(), rows.as_ref(), rows.transpose());
    let trace: f64 = (0..count).map(|row| products[(row, row)]).sum();
    // Equal photographs make equal rows: what makes the factor exist is far below what a float32 feature tells.
    let least = (trace / count.max(1) as f64 * 1e-12).max(1e-30);
    (0..count).for_each(|row| products[(row, row)] += least);
    match products.llt(Side::Lower) {
        Ok(llt) => {
            let factor = llt.L().to_owned();
            (factor.clone(), Some(Reduced { original: rows, factor }))
        }
        Err(_) => (rows, None),
    }
}

/// The lower half of a symmetric product.
fn lower_product(into: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    triangular::matmul(into, lower, Accum::Replace, left, whole, right, whole, 1.0, Par::Seq);
}

fn column_major(matrix: MatRef<'_, f64>) -> Vec<f64> {
    matrix.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<_>>()).collect()
}

/// The objective, in coordinates u with coefficients w = L⁻ᵀ u.
struct Objective<'a> {
    regression: &'a Regression<'a>,
    penalty: f64,
    /// L, [width + 1, width + 1]
    factor: MatRef<'a, f64>,
    /// argmin asks for cost and gradient one after the other; both come from one pass.
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    last: Vec<f64>,
    cost: f64,
    last_gradient: Vec<f64>,
    best: Best,
    least_cost: Option<f64>,
    /// Looks since the last one that found something better.
    vain: usize,
}

/// Where the gradient was shortest.
#[derive(Clone)]
struct Best {
    position: Vec<f64>,
    gradient: f64,
}

impl Default for Best {
    fn default() -> Self {
        Self { position: Vec::new(), gradient: f64::INFINITY }
    }
}

impl Objective<'_> {
    /// [width + 1, outputs]
    fn coefficients(&self, position: &[f64]) -> Mat<f64> {
        let size = self.factor.nrows();
        let mut coefficients =
            MatRef::from_column_major_slice(position, size, position.len() / size).to_owned();
        solve_upper_triangular_in_place(self.factor.transpose(), coefficients.as_mut(), Par::Seq);
        coefficients
    }

    /// Cost and gradient of a position, unless too many in a row were no better.
    fn look(&self, position: &[f64]) -> Result<(), Error> {
        if self.seen.borrow().last == position {
            return Ok(());
        }
        if self.seen.borrow().vain >= MOST_VAIN_LOOKS {
            return Err(Error::msg("no progress"));
        }
        let Regression { rows, labels, weights, classes, .. } = self.regression;
        let coefficients = self.coefficients(position);
        let (size, outputs) = (coefficients.nrows(), coefficients.ncols());
        let mut residuals = rows * &coefficients; // logits [rows, outputs]
        let total: f64 = weights.iter().sum();
        let mut cost = 0.0;
        let mut logits = vec![0.0; outputs];
        for (row, (&label, weight)) in labels.iter().zip(weights).enumerate() {
            (0..outputs).for_each(|output| logits[output] = residuals[(row, output)]);
            let share = weight / total;
            cost += share * cross_entropy(&mut logits, label, *classes);
            (0..outputs).for_each(|output| residuals[(row, output)] = share * logits[output]);
        }
        let mut gradient = Mat::zeros(size, outputs);
        matmul(gradient.as_mut(), Accum::Replace, rows.transpose(), residuals.as_ref(), 1.0, Par::Seq);
        for output in 0..outputs {
            for column in 0..size - 1 {
                let weight = coefficients[(column, output)];
                cost += 0.5 * self.penalty * weight * weight;
                gradient[(column, output)] += self.penalty * weight;
            }
        }
        solve_lower_triangular_in_place(self.factor, gradient.as_mut(), Par::Seq);
        let gradient = column_major(gradient.as_ref());
        let length = gradient.iter().map(|number| number * number).sum::<f64>().sqrt();
        let mut seen = self.seen.borrow_mut();
        seen.vain += 1;
        if length < seen.best.gradient {
            seen.best = Best { position: position.to_vec(), gradient: length };
            seen.vain = 0;
        }
        if seen.least_cost.is_none_or(|least| cost < least) {
            (seen.least_cost, seen.vain) = (Some(cost), 0);
        }
        (seen.last, seen.cost, seen.last_gradient) = (position.to_vec(), cost, gradient);
        Ok(())
    }
}

impl CostFunction for &Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, position: &Vec<f64>) -> Result<f64, Error> {
        self.look(position)?;
        Ok(self.seen.borrow().cost)
    }
}

impl Gradient for &Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, position: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.look(position)?;
        Ok(self.seen.borrow().last_gradient.clone())
    }
}

/// Where the gradient is shortest that L-BFGS finds (Nocedal and Wright 2006, algorithm 7.4; line search by Moré and
/// Thuente 1994).
fn minimum(problem: &Objective, start: Vec<f64>, tolerance: f64) -> Best {
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_grad(tolerance);
    if let Ok(solver) = solver.and_then(|solver| solver.with_tolerance_cost(0.0)) {
        let configure =
            |state: IterState<Vec<f64>, Vec<f64>, (), (), (), f64>| state.param(start).max_iters(MOST_STEPS);
        // Near the end rounding can leave the line search nothing to find. How short the gradient is decides.
        let _ = Executor::new(problem, solver).configure(configure).timer(false).run();
    }
    problem.seen.borrow().best.clone()
}

#[cfg(test)]
#[path = "regression/tests.rs"]
mod tests;
