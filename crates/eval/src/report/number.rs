//! Numbers as text.

use crate::bootstrap::Interval;
use crate::{Estimate, Figure};

/// Four decimals, or a dash.
pub(super) fn figure(value: &Figure) -> String {
    value
        .as_ref()
        .map_or_else(|_| "–".to_owned(), |v| format!("{v:.4}"))
}

/// `0.9876 [0.9812, 0.9921]`, the value alone, or a dash.
pub(super) fn with_interval(estimate: &Estimate) -> String {
    match (&estimate.value, estimate.ends()) {
        (Ok(value), Some(Interval { low, high })) => format!("{value:.4} [{low:.4}, {high:.4}]"),
        (value, _) => figure(value),
    }
}

/// A score with all its digits, or `missing`.
pub(super) fn score(value: Option<f32>) -> String {
    value.map_or_else(|| "missing".to_owned(), |v| v.to_string())
}

/// A p-value to two significant digits.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.01 {
        format!("{p:.4}")
    } else {
        format!("{p:.2}")
    }
}

/// A whole number with thin groups of three: `12,306`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_306, "12,306"),
            (5_000_000, "5,000,000"),
        ] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn p_values_keep_two_digits() {
        assert_eq!(p_value(0.002), "0.0020");
        assert_eq!(p_value(0.5), "0.50");
    }
}
