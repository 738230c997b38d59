//! The range of every field.

use super::{ConfigError, ScheduleKind, TrainConfig};

const PROBABILITY: &str = "a number from 0 to 1";

fn ensure(
    holds: bool,
    field: &'static str,
    found: impl ToString,
    allowed: &'static str,
) -> Result<(), ConfigError> {
    if holds {
        Ok(())
    } else {
        Err(ConfigError::Invalid {
            field,
            found: found.to_string(),
            allowed,
        })
    }
}

impl TrainConfig {
    /// Checks every field's range. NaN and infinities are outside of all of them.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        ensure(
            i64::try_from(self.seed).is_ok(),
            "seed",
            self.seed,
            "a whole number from 0 to 9223372036854775807",
        )?;
        ensure(
            (1..=1_000_000).contains(&self.epochs),
            "epochs",
            self.epochs,
            "a whole number from 1 to 1000000",
        )?;
        self.check_batches()?;
        self.check_loss()?;
        self.check_genotype()?;
        self.check_optimizer()?;
        self.check_schedule()?;
        self.check_augmentation()?;
        self.check_validation()
    }

    fn check_batches(&self) -> Result<(), ConfigError> {
        let batches = &self.batches;
        ensure(
            (1..=4096).contains(&batches.per_class),
            "batches.per_class",
            batches.per_class,
            "a whole number from 1 to 4096",
        )?;
        ensure(
            batches.steps_per_epoch <= 1_000_000_000,
            "batches.steps_per_epoch",
            batches.steps_per_epoch,
            "a whole number from 0 (as many as the examples fill) to 1000000000",
        )?;
        for (set, weight) in &batches.set_weights {
            for class in 0..4 {
                let weight = weight.of(class);
                ensure(
                    (0.0..=1e6).contains(&weight),
                    "batches.set_weights",
                    format!("{weight} for {set}"),
                    "a number from 0 to 1000000, or four of them",
                )?;
            }
        }
        Ok(())
    }

    fn check_genotype(&self) -> Result<(), ConfigError> {
        let weight = self.genotype.weight;
        ensure(
            weight > 0.0 && weight <= 100.0,
            "genotype.weight",
            weight,
            "a number above 0, at most 100",
        )
    }

    fn check_loss(&self) -> Result<(), ConfigError> {
        let loss = &self.loss;
        let weights = loss.class_weights;
        ensure(
            weights.iter().all(|w| (0.0..=1e6).contains(w)) && weights.iter().any(|w| *w > 0.0),
            "loss.class_weights",
            format!("{weights:?}"),
            "four numbers from 0 to 1000000, not all 0",
        )?;
        ensure(
            (0.0..=10.0).contains(&loss.focal_gamma),
            "loss.focal_gamma",
            loss.focal_gamma,
            "a number from 0 (no focal term) to 10",
        )
    }

    fn check_optimizer(&self) -> Result<(), ConfigError> {
        let optimizer = &self.optimizer;
        ensure(
            optimizer.learning_rate > 0.0 && optimizer.learning_rate <= 1.0,
            "optimizer.learning_rate",
            optimizer.learning_rate,
            "a number above 0, at most 1",
        )?;
        ensure(
            (0.0..=1.0).contains(&optimizer.weight_decay),
            "optimizer.weight_decay",
            optimizer.weight_decay,
            "a number from 0 to 1",
        )?;
        ensure(
            (0.0..=1e9).contains(&optimizer.clip_norm),
            "optimizer.clip_norm",
            optimizer.clip_norm,
            "a number from 0 (no clipping) to 1000000000",
        )?;
        ensure(
            (0.0..1.0).contains(&optimizer.ema_decay),
            "optimizer.ema_decay",
            optimizer.ema_decay,
            "a number from 0 (no average) to below 1",
        )
    }

    fn check_schedule(&self) -> Result<(), ConfigError> {
        let schedule = &self.schedule;
        ensure(
            (0.0..=1.0).contains(&schedule.final_fraction),
            "schedule.final_fraction",
            schedule.final_fraction,
            "a number from 0 to 1",
        )?;
        ensure(
            schedule.warmup_steps <= 1_000_000_000,
            "schedule.warmup_steps",
            schedule.warmup_steps,
            "a whole number from 0 to 1000000000",
        )?;
        let (start, end) = (schedule.temperature_start, schedule.temperature_end);
        for (field, found) in [
            ("schedule.temperature_start", start),
            ("schedule.temperature_end", end),
        ] {
            let learned = start == 0.0 && end == 0.0;
            ensure(
                learned || (0.01..=1000.0).contains(&found),
                field,
                found,
                "a number from 0.01 to 1000, or 0 in both",
            )?;
        }
        if schedule.kind != ScheduleKind::Plateau {
            return Ok(());
        }
        ensure(
            (1..=1_000_000).contains(&schedule.plateau_patience),
            "schedule.plateau_patience",
            schedule.plateau_patience,
            "a whole number from 1 to 1000000",
        )?;
        ensure(
            schedule.plateau_factor > 0.0 && schedule.plateau_factor < 1.0,
            "schedule.plateau_factor",
            schedule.plateau_factor,
            "a number above 0 and below 1",
        )
    }

    fn check_augmentation(&self) -> Result<(), ConfigError> {
        let augmentation = &self.augmentation;
        for (field, probability) in [
            ("augmentation.strand_flip", augmentation.strand_flip),
            (
                "augmentation.downsample_probability",
                augmentation.downsample_probability,
            ),
            (
                "augmentation.annotation_dropout",
                augmentation.annotation_dropout,
            ),
            ("augmentation.group_dropout", augmentation.group_dropout),
        ] {
            ensure(
                (0.0..=1.0).contains(&probability),
                field,
                probability,
                PROBABILITY,
            )?;
        }
        let fraction = augmentation.downsample_min_fraction;
        ensure(
            fraction > 0.0 && fraction <= 1.0,
            "augmentation.downsample_min_fraction",
            fraction,
            "a number above 0, at most 1",
        )
    }

    fn check_validation(&self) -> Result<(), ConfigError> {
        let validation = &self.validation;
        for (field, names) in [
            ("validation.regions", &validation.regions),
            ("validation.sets", &validation.sets),
        ] {
            ensure(
                names.iter().all(|name| !name.trim().is_empty()),
                field,
                format!("{names:?}"),
                "a list of names, none of them empty",
            )?;
        }
        ensure(
            validation.last_fraction > 0.0 && validation.last_fraction < 1.0,
            "validation.last_fraction",
            validation.last_fraction,
            "a number above 0 and below 1",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every numeric field, set outside its range in TOML, is refused by its own name.
    #[test]
    fn values_outside_their_range_are_named_with_what_is_allowed() {
        for (field, value) in [
            ("epochs", "0"),
            ("batches.per_class", "0"),
            ("batches.per_class", "5000"),
            ("batches.steps_per_epoch", "1000000001"),
            ("batches.set_weights", "{ real = -1.0 }"),
            ("batches.set_weights", "{ real = nan }"),
            ("batches.set_weights", "{ real = [1.0, -1.0, 1.0, 1.0] }"),
            ("loss.class_weights", "[0.0, 0.0, 0.0, 0.0]"),
            ("loss.class_weights", "[1.0, -1.0, 1.0, 1.0]"),
            ("loss.class_weights", "[1.0, nan, 1.0, 1.0]"),
            ("loss.focal_gamma", "10.5"),
            ("optimizer.learning_rate", "0.0"),
            ("optimizer.learning_rate", "nan"),
            ("optimizer.weight_decay", "-0.1"),
            ("optimizer.clip_norm", "inf"),
            ("optimizer.ema_decay", "1.0"),
            ("schedule.final_fraction", "1.5"),
            ("schedule.warmup_steps", "1000000001"),
            ("schedule.temperature_start", "-1.0"),
            ("genotype.weight", "0.0"),
            ("augmentation.strand_flip", "1.1"),
            ("augmentation.downsample_probability", "-0.1"),
            ("augmentation.downsample_min_fraction", "0.0"),
            ("augmentation.annotation_dropout", "2"),
            ("augmentation.group_dropout", "nan"),
            ("validation.regions", "[\"\"]"),
            ("validation.sets", "[\" \"]"),
            ("validation.last_fraction", "1.0"),
        ] {
            let error = TrainConfig::from_toml(&format!("{field} = {value}")).unwrap_err();
            let ConfigError::Invalid {
                field: named,
                found,
                allowed,
            } = error
            else {
                panic!("{field} = {value}: {error}");
            };
            assert_eq!(named, field);
            assert!(!found.is_empty() && !allowed.is_empty());
        }
    }

    #[test]
    fn the_message_names_field_value_and_range() {
        let error = TrainConfig::from_toml("optimizer.ema_decay = 1.0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "optimizer.ema_decay is 1; allowed is a number from 0 (no average) to below 1"
        );
    }

    #[test]
    fn plateau_fields_matter_only_to_a_plateau() {
        let text = "schedule.plateau_factor = 1.0\nschedule.kind = ";
        assert!(TrainConfig::from_toml(&format!("{text}\"cosine\"")).is_ok());
        let message = TrainConfig::from_toml(&format!("{text}\"plateau\""))
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("schedule.plateau_factor is 1;"),
            "{message}"
        );
        let text = "schedule.plateau_patience = 0\nschedule.kind = \"plateau\"";
        assert!(TrainConfig::from_toml(text).is_err());
    }
}
