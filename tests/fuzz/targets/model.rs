//! Arbitrary bytes as `model.json` and `model.safetensors`.
//!
//! What must hold: a model loads or is refused, without a panic and with bounded memory and time,
//! whatever sizes the two files declare. The first byte chooses: even, the rest is the two files
//! themselves, parted by a 0 byte; odd, it is a list of changes of the built-in model without reads,
//! so that the checks behind the parser are reached. The card's checksum is always made to fit.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Unstructured;
use cnnfilter_core::networks::{Builtin, Model};
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::weights::sha256;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static BUILTIN: LazyLock<(Value, Vec<u8>)> = LazyLock::new(|| {
    let builtin = Builtin::named("cnnfilter_reference").expect("a model inside the program");
    let card = serde_json::from_slice(builtin.0.card).expect("a card");
    (card, builtin.0.weights.to_vec())
});

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let (card, weights) = if mode % 2 == 0 {
        let mut parts = rest.splitn(2, |byte| *byte == 0);
        let (json, weights) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let _ = Model::load(json, weights, DeviceChoice::Cpu);
        let Ok(card) = serde_json::from_slice(json) else {
            return;
        };
        (card, weights.to_vec())
    } else {
        changed(&mut Unstructured::new(rest)).unwrap_or_else(|_| BUILTIN.clone())
    };
    load(card, &weights);
});

fn load(mut card: Value, weights: &[u8]) {
    if let Value::Object(fields) = &mut card {
        fields.insert("weights_sha256".into(), json!(sha256(weights)));
    }
    let json = card.to_string();
    if let Ok(model) = Model::load(json.as_bytes(), weights, DeviceChoice::Cpu) {
        let (json, weights) = model
            .to_files()
            .expect("a model that was loaded can be written");
        Model::load(&json, &weights, DeviceChoice::Cpu).expect("and loaded again");
    }
}

/// The built-in model with some values of its card and bytes of its weights replaced.
fn changed(u: &mut Unstructured<'_>) -> arbitrary::Result<(Value, Vec<u8>)> {
    let (mut card, mut weights) = BUILTIN.clone();
    for _ in 0..u.int_in_range(0..=6)? {
        let leaf = leaf(&mut card, u)?;
        let new = match u.int_in_range(0..=9)? {
            0 | 1 => {
                if let Value::Array(items) = leaf {
                    let first = items.first().cloned();
                    items.extend(first);
                }
                continue;
            }
            2 => Value::Null,
            3 => json!(u.arbitrary::<i64>()?),
            4 => json!(u.arbitrary::<f64>()?),
            5 => json!(u.arbitrary::<String>()?),
            6 => json!(u.int_in_range(0..=2000)?),
            7 => json!(u.arbitrary::<bool>()?),
            8 => json!(u64::MAX),
            _ => json!(f64::from(u.int_in_range(-1000..=1000)?) / 1000.0),
        };
        *leaf = new;
    }
    for _ in 0..u.int_in_range(0..=6)? {
        match u.int_in_range(0..=3)? {
            // The header of a safetensors file: sizes, names, shapes, offsets.
            0 | 1 => {
                let at = u.int_in_range(0..=weights.len().min(2000) - 1)?;
                weights[at] = u.arbitrary()?;
            }
            2 => {
                let at = u.int_in_range(0..=weights.len() - 1)?;
                weights[at] = u.arbitrary()?;
            }
            _ => weights.truncate(u.int_in_range(1..=weights.len())?),
        }
    }
    Ok((card, weights))
}

/// A value of the card: a leaf, or wherever the input stops on the way down.
fn leaf<'a>(value: &'a mut Value, u: &mut Unstructured<'_>) -> arbitrary::Result<&'a mut Value> {
    let count = match &*value {
        Value::Object(fields) => fields.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    if count == 0 || u.ratio(1, 16)? {
        return Ok(value);
    }
    let index = u.int_in_range(0..=count - 1)?;
    match value {
        Value::Object(fields) => {
            let child = fields.iter_mut().nth(index).map(|(_, value)| value);
            leaf(child.expect("an index within"), u)
        }
        Value::Array(items) => leaf(&mut items[index], u),
        value => Ok(value),
    }
}
