//! `--set key.path=value` on top of a configuration.

use toml::{Table, Value};

use super::{ConfigError, TrainConfig};

/// Tables whose keys the user chooses.
const OPEN_TABLES: [&str; 2] = ["architecture", "batches.set_weights"];

impl TrainConfig {
    /// Sets fields by their dotted paths, in order; a later one wins.
    ///
    /// A value is read as TOML (`0.01`, `true`, `[1, 2]`); what is no TOML is taken as a string, as
    /// is every value of a field that holds a string. A list may be given without brackets,
    /// separated by commas. Below `architecture` and `batches.set_weights` new fields may be made.
    /// Either all overrides are applied and the result is valid, or nothing changes.
    ///
    /// # Errors
    /// A field that does not exist, a value of the wrong type or outside its range.
    pub fn apply_overrides(&mut self, overrides: &[(String, String)]) -> Result<(), ConfigError> {
        let mut config = self.clone();
        for (path, text) in overrides {
            let mut table = Table::try_from(&config)?;
            set(&mut table, path, text)?;
            config = table
                .try_into()
                .map_err(|error: toml::de::Error| ConfigError::Override {
                    path: path.clone(),
                    value: text.clone(),
                    message: error.message().to_owned(),
                })?;
        }
        config.check()?;
        *self = config;
        Ok(())
    }
}

fn is_open(path: &str) -> bool {
    OPEN_TABLES
        .iter()
        .any(|open| path == *open || path.strip_prefix(open).is_some_and(|r| r.starts_with('.')))
}

fn set(root: &mut Table, path: &str, text: &str) -> Result<(), ConfigError> {
    let refuse = |message: &str| ConfigError::Override {
        path: path.to_owned(),
        value: text.to_owned(),
        message: message.to_owned(),
    };
    let mut table = root;
    let mut inside = String::new();
    let mut rest = path;
    // The names of sets of examples may hold dots, so a set's weight is one key, however long.
    while let (Some((key, below)), false) = (rest.split_once('.'), inside == OPEN_TABLES[1]) {
        if !table.contains_key(key) {
            if !is_open(&inside) || key.is_empty() {
                return Err(unknown(path, &inside, table));
            }
            table.insert(key.to_owned(), Value::Table(Table::new()));
        }
        let Some(Value::Table(next)) = table.get_mut(key) else {
            return Err(refuse(&format!("{key} is a value, not a table")));
        };
        table = next;
        if !inside.is_empty() {
            inside.push('.');
        }
        inside.push_str(key);
        rest = below;
    }
    if rest.is_empty() || !(table.contains_key(rest) || is_open(&inside)) {
        return Err(unknown(path, &inside, table));
    }
    let value = match table.get(rest) {
        Some(Value::Table(_)) => return Err(refuse("this is a table; name one of its fields")),
        Some(Value::String(_)) => match parse(text) {
            Some(Value::String(string)) => Value::String(string),
            _ => Value::String(text.to_owned()),
        },
        Some(Value::Array(current)) => match parse(text) {
            Some(Value::Array(array)) => Value::Array(array),
            _ => Value::Array(list(text, current.first())),
        },
        _ => parse(text).unwrap_or_else(|| Value::String(text.to_owned())),
    };
    table.insert(rest.to_owned(), value);
    Ok(())
}

fn parse(text: &str) -> Option<Value> {
    let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
    match table.len() {
        1 => table.into_iter().next().map(|(_, value)| value),
        _ => None,
    }
}

/// Elements separated by commas. They are strings (a contig may be called `20`) unless the list
/// holds numbers by now.
fn list(text: &str, current: Option<&Value>) -> Vec<Value> {
    let numbers = current.is_some_and(|value| !value.is_str());
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| match parse(item) {
            Some(value) if numbers || value.is_str() => value,
            _ => Value::String(item.to_owned()),
        })
        .collect()
}

fn unknown(path: &str, inside: &str, table: &Table) -> ConfigError {
    let keys: Vec<&str> = table.keys().map(String::as_str).collect();
    ConfigError::UnknownField {
        path: path.to_owned(),
        table: if inside.is_empty() {
            "the configuration".to_owned()
        } else {
            inside.to_owned()
        },
        known: keys.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ScheduleKind;

    fn apply(pairs: &[(&str, &str)]) -> Result<TrainConfig, ConfigError> {
        let mut config = TrainConfig::default();
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|&(path, value)| (path.to_owned(), value.to_owned()))
            .collect();
        config.apply_overrides(&pairs)?;
        Ok(config)
    }

    #[test]
    fn values_of_every_type_are_set() {
        let config = apply(&[
            ("seed", "9"),
            ("optimizer.learning_rate", "3e-4"),
            ("optimizer.clip_norm", "5"),
            ("batches.allow_one_type", "true"),
            ("schedule.kind", "constant"),
            ("loss.class_weights", "1,2,3,4"),
            ("validation.regions", "20,chr1:1-10"),
            ("validation.sets", "[\"real\"]"),
            ("batches.set_weights.real.32x", "2.5"),
            ("batches.set_weights.made", "[4, 3.5, 2, 1]"),
            ("architecture.name", "reads"),
            ("architecture.dense.width", "64"),
            ("seed", "10"),
        ])
        .unwrap();
        assert_eq!(config.seed, 10);
        assert_eq!(config.optimizer.learning_rate, 3e-4);
        assert_eq!(config.optimizer.clip_norm, 5.0);
        assert!(config.batches.allow_one_type);
        assert_eq!(config.schedule.kind, ScheduleKind::Constant);
        assert_eq!(config.loss.class_weights, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(config.validation.regions, ["20", "chr1:1-10"]);
        assert_eq!(config.validation.sets, ["real"]);
        let weights = |name: &str| [0, 1, 2, 3].map(|at| config.batches.set_weights[name].of(at));
        assert_eq!(weights("real.32x"), [2.5; 4]);
        assert_eq!(weights("made"), [4.0, 3.5, 2.0, 1.0]);
        assert_eq!(config.architecture["name"].as_str(), Some("reads"));
        assert_eq!(config.architecture["dense"]["width"].as_integer(), Some(64));
    }

    #[test]
    fn mistakes_are_named() {
        for (path, value, expected) in [
            (
                "learning_rate",
                "1",
                "there is no learning_rate; the configuration has",
            ),
            (
                "optimizer.rate",
                "1",
                "there is no optimizer.rate; optimizer has clip_norm, ema_decay",
            ),
            (
                "optimiser.rate",
                "1",
                "there is no optimiser.rate; the configuration has",
            ),
            ("optimizer", "1", "optimizer=1: this is a table"),
            ("seed.x", "1", "seed.x=1: seed is a value"),
            ("seed", "many", "seed=many: invalid type: string \"many\""),
            ("seed", "-1", "seed=-1: "),
            (
                "schedule.kind",
                "linear",
                "schedule.kind=linear: unknown variant",
            ),
            (
                "loss.class_weights",
                "1,2",
                "loss.class_weights=1,2: invalid length 2",
            ),
            (
                "optimizer.ema_decay",
                "2",
                "optimizer.ema_decay is 2; allowed is",
            ),
            ("", "1", "there is no ; the configuration has"),
            (
                "architecture.",
                "1",
                "there is no architecture.; architecture has",
            ),
            ("seed", "1\nepochs = 3", "seed=1\nepochs = 3: invalid type"),
        ] {
            let message = apply(&[(path, value)]).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{path}={value}: {message}");
        }
    }

    #[test]
    fn a_mistake_changes_nothing() {
        let mut config = TrainConfig::default();
        let pairs = [("seed", "5"), ("epochs", "0")].map(|(p, v)| (p.to_owned(), v.to_owned()));
        assert!(config.apply_overrides(&pairs).is_err());
        assert_eq!(config, TrainConfig::default());
    }
}
