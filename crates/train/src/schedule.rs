//! The learning rate of a step.

use serde::{Deserialize, Serialize};

use super::config::{OptimizerConfig, ScheduleConfig, ScheduleKind};

/// Learning rate as a function of the step, and of the plateaus seen so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    config: ScheduleConfig,
    learning_rate: f64,
    total_steps: u64,
}

impl Schedule {
    /// A schedule over `total_steps` steps (epochs at most times steps per epoch).
    pub fn new(schedule: &ScheduleConfig, optimizer: &OptimizerConfig, total_steps: u64) -> Self {
        Self {
            config: schedule.clone(),
            learning_rate: optimizer.learning_rate,
            total_steps,
        }
    }

    /// The learning rate of a step, counted from 0.
    ///
    /// In the w steps of warm-up it is `lr·(step + 1)/w`. After them, with t the fraction of the
    /// remaining steps that is done and f the final fraction, a cosine gives
    /// `lr·(f + (1 - f)·(1 + cos πt)/2)`, which is lr at the first and lr·f at the last step; a
    /// plateau `lr·max(f, scale)`; a constant lr. Steps beyond the total have the rate of the last.
    pub fn learning_rate(&self, step: u64, plateau: &Plateau) -> f64 {
        let warmup = self.config.warmup_steps;
        if step < warmup {
            return self.learning_rate * (step + 1) as f64 / warmup as f64;
        }
        let lowest = self.config.final_fraction;
        let fraction = match self.config.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Plateau => plateau.scale.max(lowest),
            ScheduleKind::Cosine => {
                let last = self.total_steps.saturating_sub(1).saturating_sub(warmup);
                let done = if last == 0 {
                    // One step after the warm-up is its first as well as its last.
                    if step > warmup { 1.0 } else { 0.0 }
                } else {
                    (step - warmup).min(last) as f64 / last as f64
                };
                lowest + (1.0 - lowest) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        };
        self.learning_rate * fraction
    }

    /// The temperature of a quality threshold at a step, counted from 0; nothing where it is learned.
    ///
    /// From the start to the end by the same factor from step to step: with t the fraction of the steps that
    /// is done, `start·(end/start)^t`.
    pub fn temperature(&self, step: u64) -> Option<f64> {
        let (start, end) = (self.config.temperature_start, self.config.temperature_end);
        if start == 0.0 {
            return None;
        }
        let last = self.total_steps.saturating_sub(1).max(1);
        let done = step.min(last) as f64 / last as f64;
        Some(start * (end / start).powf(done))
    }

    /// Tells the plateau rule the validation metric of an epoch (higher is better; `None` or
    /// NaN where it is undefined, which counts as no improvement). Does nothing for the other schedules.
    pub fn end_epoch(&self, plateau: &mut Plateau, metric: Option<f64>) {
        if self.config.kind != ScheduleKind::Plateau {
            return;
        }
        if let Some(metric) = metric.filter(|value| value.is_finite())
            && plateau.best.is_none_or(|best| metric > best)
        {
            plateau.best = Some(metric);
            plateau.epochs_since_best = 0;
            return;
        }
        plateau.epochs_since_best += 1;
        if plateau.epochs_since_best >= self.config.plateau_patience {
            plateau.scale *= self.config.plateau_factor;
            plateau.epochs_since_best = 0;
        }
    }
}

/// The memory of a plateau schedule; part of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// Factor of the learning rate by the cuts so far, at most 1.
    pub scale: f64,
    /// Best metric so far.
    pub best: Option<f64>,
    /// Epochs since the best or the last cut.
    pub epochs_since_best: u64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            scale: 1.0,
            best: None,
            epochs_since_best: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn temperature_goes_from_start_to_end() {
        let config = ScheduleConfig {
            temperature_start: 10.0,
            temperature_end: 0.1,
            ..ScheduleConfig::default()
        };
        let schedule = Schedule::new(&config, &OptimizerConfig::default(), 101);
        let at = |step| schedule.temperature(step).unwrap();
        assert_eq!((at(0), at(100), at(5000)), (10.0, 0.1, 0.1));
        assert!((at(50) - 1.0).abs() < 1e-12);
        let learned = Schedule::new(&ScheduleConfig::default(), &OptimizerConfig::default(), 9);
        assert_eq!(learned.temperature(3), None);
    }

    fn schedule(kind: ScheduleKind, warmup_steps: u64, total_steps: u64) -> Schedule {
        let schedule = ScheduleConfig {
            kind,
            warmup_steps,
            final_fraction: 0.1,
            ..ScheduleConfig::default()
        };
        let optimizer = OptimizerConfig {
            learning_rate: 2.0,
            ..OptimizerConfig::default()
        };
        Schedule::new(&schedule, &optimizer, total_steps)
    }

    /// 2·(0.1 + 0.9·(1 + cos(pi·t))/2) at t = 0, 1/4, 1/2, 3/4, 1, by hand.
    #[test]
    fn a_cosine_falls_from_the_rate_to_its_final_fraction() {
        let schedule = schedule(ScheduleKind::Cosine, 4, 9);
        let plateau = Plateau::default();
        let rates: Vec<f64> = (0..11)
            .map(|s| schedule.learning_rate(s, &plateau))
            .collect();
        let quarter = 0.9 * std::f64::consts::FRAC_1_SQRT_2;
        let expected = [
            0.5,
            1.0,
            1.5,
            2.0,
            2.0,
            1.1 + quarter,
            1.1,
            1.1 - quarter,
            0.2,
            0.2,
            0.2,
        ];
        for (step, (found, expected)) in rates.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "step {step}: {rates:?}");
        }
    }

    #[test]
    fn a_constant_stays() {
        let schedule = schedule(ScheduleKind::Constant, 0, 5);
        let plateau = Plateau::default();
        assert!((0..9).all(|step| schedule.learning_rate(step, &plateau) == 2.0));
    }

    #[test]
    fn a_plateau_cuts_after_its_patience_and_not_below_the_floor() {
        let schedule = schedule(ScheduleKind::Plateau, 0, 5);
        let mut plateau = Plateau::default();
        let mut rates = Vec::new();
        // Patience 3, factor 0.5: the first value is an improvement, as is 0.8.
        for metric in [0.7, 0.7, 0.6, 0.7, 0.8, 0.1, 0.1] {
            schedule.end_epoch(&mut plateau, Some(metric));
            rates.push(schedule.learning_rate(1, &plateau));
        }
        assert_eq!(rates, [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        for _ in 0..30 {
            schedule.end_epoch(&mut plateau, None);
        }
        assert!((schedule.learning_rate(1, &plateau) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn other_schedules_have_no_plateaus() {
        let schedule = schedule(ScheduleKind::Cosine, 0, 5);
        let mut plateau = Plateau::default();
        for _ in 0..10 {
            schedule.end_epoch(&mut plateau, Some(0.5));
        }
        assert_eq!(plateau, Plateau::default());
    }

    proptest! {
        #[test]
        fn rates_stay_within_their_bounds(
            warmup in 0_u64..50,
            total in 0_u64..200,
            step in 0_u64..400,
        ) {
            let rate =
                schedule(ScheduleKind::Cosine, warmup, total).learning_rate(step, &Plateau::default());
            prop_assert!(rate > 0.0 && rate <= 2.0 + 1e-12, "{}", rate);
            if step >= warmup {
                prop_assert!(rate >= 0.2 - 1e-12, "{}", rate);
            }
        }
    }
}
