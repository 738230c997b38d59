//! Logistic regression on one score, by Newton's method (Lin, Lin & Weng 2007, algorithm 1).

/// Newton's method takes a handful of steps; Lin, Lin & Weng allow 100.
const MAX_ITERATIONS: usize = 100;

/// Largest mean gradient, in units of standardised scores, of a fit that has converged.
const TOLERANCE: f64 = 1e-10;

/// 1/(1 + e^-x) without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// ln(1 + e^x) without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Scores and targets of a logistic regression with one slope and one intercept.
pub(super) struct Likelihood {
    /// Standardised scores.
    pub(super) scores: Vec<f64>,
    /// Probability to be aimed at for each, between 0 and 1.
    pub(super) targets: Vec<f64>,
}

impl Likelihood {
    /// Mean of -t·ln p - (1-t)·ln(1-p) = softplus(z) - t·z.
    fn loss(&self, [slope, intercept]: [f64; 2]) -> f64 {
        let sum: f64 = self
            .scores
            .iter()
            .zip(&self.targets)
            .map(|(score, target)| {
                let z = slope * score + intercept;
                softplus(z) - target * z
            })
            .sum();
        sum / self.scores.len() as f64
    }

    /// Mean gradient and Hessian (slope-slope, slope-intercept, intercept-intercept).
    fn derivatives(&self, [slope, intercept]: [f64; 2]) -> ([f64; 2], [f64; 3]) {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for (score, target) in self.scores.iter().zip(&self.targets) {
            let z = slope * score + intercept;
            let p = sigmoid(z);
            let curvature = p * sigmoid(-z);
            gradient[0] += (p - target) * score;
            gradient[1] += p - target;
            hessian[0] += curvature * score * score;
            hessian[1] += curvature * score;
            hessian[2] += curvature;
        }
        let n = self.scores.len() as f64;
        (gradient.map(|g| g / n), hessian.map(|h| h / n))
    }

    /// Newton's method with backtracking from `start`; over the intercept alone where
    /// `slope_is_fixed`. Slope and intercept.
    ///
    /// # Errors
    /// The mean gradient where the method stopped short of the maximum.
    pub(super) fn maximise(&self, start: [f64; 2], slope_is_fixed: bool) -> Result<[f64; 2], f64> {
        // Keeps the Hessian invertible, as in Lin, Lin & Weng.
        const RIDGE: f64 = 1e-12;
        let mut at = start;
        let mut loss = self.loss(at);
        let mut largest = f64::NAN;
        for _ in 0..MAX_ITERATIONS {
            let (mut gradient, [h11, h12, h22]) = self.derivatives(at);
            if slope_is_fixed {
                gradient[0] = 0.0;
            }
            largest = gradient[0].abs().max(gradient[1].abs());
            if largest <= TOLERANCE {
                return Ok(at);
            }
            let (h11, h22) = (h11 + RIDGE, h22 + RIDGE);
            let direction = if slope_is_fixed {
                [0.0, -gradient[1] / h22]
            } else {
                let determinant = h11 * h22 - h12 * h12;
                [
                    -(h22 * gradient[0] - h12 * gradient[1]) / determinant,
                    -(h11 * gradient[1] - h12 * gradient[0]) / determinant,
                ]
            };
            let descent = gradient[0] * direction[0] + gradient[1] * direction[1];
            // At the end a full step lowers the loss by less than its rounding error.
            let rounding = 8.0 * f64::EPSILON * loss.abs().max(1.0);
            let mut step = 1.0;
            let next = loop {
                let next = [at[0] + step * direction[0], at[1] + step * direction[1]];
                let next_loss = self.loss(next);
                if next_loss <= loss + 1e-4 * step * descent + rounding {
                    loss = next_loss;
                    break Some(next);
                }
                step /= 2.0;
                if step < 1e-10 {
                    break None;
                }
            };
            let Some(next) = next else { break };
            at = next;
        }
        Err(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1/(1 + e^-1) = 0.73105857863, ln(1 + e) = 1.31326168752.
    #[test]
    fn functions_do_not_overflow() {
        assert!((sigmoid(1.0) - 0.731_058_578_63).abs() < 1e-11);
        assert!((sigmoid(-1.0) - 0.268_941_421_37).abs() < 1e-11);
        assert!((softplus(1.0) - 1.313_261_687_52).abs() < 1e-11);
        assert_eq!([sigmoid(-1e4), sigmoid(1e4)], [0.0, 1.0]);
        assert_eq!([softplus(-1e4), softplus(1e4)], [0.0, 1e4]);
    }

    /// Gradient and Hessian against central differences of the loss and of the gradient.
    #[test]
    fn derivatives_are_those_of_the_loss() {
        let likelihood = Likelihood {
            scores: vec![-2.0, -0.5, 0.1, 1.0, 1.4],
            targets: vec![0.1, 0.9, 0.1, 0.9, 0.9],
        };
        let h = 1e-5;
        for at in [[0.0, 0.0], [1.5, -0.3], [-0.7, 2.0]] {
            let (gradient, [h11, h12, h22]) = likelihood.derivatives(at);
            for (axis, hessian) in [[h11, h12], [h12, h22]].into_iter().enumerate() {
                let (mut above, mut below) = (at, at);
                above[axis] += h;
                below[axis] -= h;
                let slope = (likelihood.loss(above) - likelihood.loss(below)) / (2.0 * h);
                assert!((slope - gradient[axis]).abs() < 1e-9, "{at:?}");
                let (above, below) = (likelihood.derivatives(above), likelihood.derivatives(below));
                for (other, expected) in hessian.into_iter().enumerate() {
                    let slope = (above.0[other] - below.0[other]) / (2.0 * h);
                    assert!((slope - expected).abs() < 1e-8, "{at:?}");
                }
            }
        }
    }

    #[test]
    fn the_intercept_alone_meets_the_mean_target() {
        let likelihood = Likelihood {
            scores: vec![-1.0, 0.0, 1.0],
            targets: vec![0.2, 0.2, 0.2],
        };
        let [slope, intercept] = likelihood.maximise([0.0, 5.0], true).unwrap();
        assert_eq!(slope, 0.0);
        assert!((sigmoid(intercept) - 0.2).abs() < 1e-9);
    }
}
