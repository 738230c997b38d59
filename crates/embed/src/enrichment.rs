//! Values of columns that are more common in a cluster than outside it.

use std::fmt::Write as _;

use super::Column;

/// Words of a column at most; columns with more (sequences, identifiers) are left out.
pub const MOST_LEVELS: usize = 60;

/// One value of one column in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrichment {
    /// The clustering.
    pub clustering: String,
    /// The cluster.
    pub cluster: String,
    /// Its calls.
    pub size: usize,
    /// The column.
    pub column: String,
    /// The word; nothing for numbers.
    pub value: Option<String>,
    /// Calls of the cluster with the word, or with a number.
    pub calls: usize,
    /// Share of the cluster's calls with a value that have the word; for numbers their median.
    pub inside: f64,
    /// The same of all other calls.
    pub outside: f64,
    /// Odds ratio, half a call added to each count; for numbers the chance that a call of the cluster has a
    /// larger number than another one (0.5: no difference).
    pub effect: f64,
    /// Natural logarithm of the two-sided p.
    pub ln_p: f64,
    /// The same after Benjamini and Hochberg, over all rows.
    pub ln_q: f64,
}

/// Compares each cluster of each clustering with the other calls, column by column. Rows are ordered by
/// clustering, cluster and q.
pub fn enrichments(
    clusterings: &[(&str, &Column)],
    columns: &[(&str, &Column)],
) -> Vec<Enrichment> {
    let mut rows = Vec::new();
    for (clustering, clusters) in clusterings {
        let Column::Categories { codes, levels } = clusters else {
            continue;
        };
        let factorials = ln_factorials(codes.len());
        for (name, column) in columns {
            let found = match column {
                Column::Categories { levels, .. } if levels.len() > MOST_LEVELS => continue,
                Column::Categories { .. } => of_words(codes, levels.len(), column, &factorials),
                Column::Numbers(values) => {
                    let values: Vec<f64> = values.iter().map(|one| f64::from(*one)).collect();
                    of_numbers(codes, levels.len(), &values)
                }
                Column::Integers(_) => continue,
            };
            rows.extend(found.into_iter().map(|(cluster, mut row)| {
                (*clustering).clone_into(&mut row.clustering);
                row.cluster.clone_from(&levels[cluster]);
                row.size = codes.iter().filter(|code| **code == cluster as i32).count();
                (*name).clone_into(&mut row.column);
                row
            }));
        }
    }
    adjust(&mut rows);
    // Stable, so that equal ones stay in the order of the columns.
    rows.sort_by(|a, b| {
        (&a.clustering, natural(&a.cluster))
            .cmp(&(&b.clustering, natural(&b.cluster)))
            .then(a.ln_q.total_cmp(&b.ln_q))
            .then(a.ln_p.total_cmp(&b.ln_p))
    });
    rows
}

/// Clusters by number: `2` before `10`, `1.2` before `1.10`.
fn natural(cluster: &str) -> Vec<u64> {
    let parts = cluster.split('.');
    parts.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
}

fn row(calls: usize, inside: f64, outside: f64, effect: f64, ln_p: f64) -> Enrichment {
    Enrichment {
        clustering: String::new(),
        cluster: String::new(),
        size: 0,
        column: String::new(),
        value: None,
        calls,
        inside,
        outside,
        effect,
        ln_p: ln_p.min(0.0),
        ln_q: 0.0,
    }
}

/// Logarithms of 0!, 1!, ... `last`!.
fn ln_factorials(last: usize) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for number in 1..=last {
        sum += (number as f64).ln();
        sums.push(sum);
    }
    sums
}

fn of_words(
    clusters: &[i32],
    count: usize,
    column: &Column,
    factorials: &[f64],
) -> Vec<(usize, Enrichment)> {
    let Column::Categories { codes, levels } = column else {
        return Vec::new();
    };
    let mut table = vec![vec![0usize; levels.len()]; count];
    for (cluster, code) in clusters.iter().zip(codes) {
        if let (Ok(cluster), Ok(code)) = (usize::try_from(*cluster), usize::try_from(*code)) {
            table[cluster][code] += 1;
        }
    }
    let of_level: Vec<usize> = (0..levels.len())
        .map(|level| table.iter().map(|row| row[level]).sum())
        .collect();
    let total: usize = of_level.iter().sum();
    let mut rows = Vec::new();
    for (cluster, counts) in table.iter().enumerate() {
        let size: usize = counts.iter().sum();
        for (level, inside) in counts.iter().enumerate() {
            // A word that all calls or none have says nothing.
            if size == 0 || size == total || of_level[level] == 0 || of_level[level] == total {
                continue;
            }
            let (inside, others) = (*inside, total - size);
            let outside = of_level[level] - inside;
            let share = |part: usize, whole: usize| part as f64 / whole as f64;
            let half = |part: usize| part as f64 + 0.5;
            let odds =
                half(inside) / half(size - inside) / (half(outside) / half(others - outside));
            let ln_p = hypergeometric(factorials, total, of_level[level], size, inside);
            let mut found = row(
                inside,
                share(inside, size),
                share(outside, others),
                odds,
                ln_p,
            );
            found.value = Some(levels[level].clone());
            rows.push((cluster, found));
        }
    }
    rows
}

/// Natural logarithm of the two-sided p (twice the smaller tail) of `found` marked among `drawn` out of `all`, of
/// which `marked` are.
fn hypergeometric(
    factorials: &[f64],
    all: usize,
    marked: usize,
    drawn: usize,
    found: usize,
) -> f64 {
    let choose = |n: usize, k: usize| factorials[n] - factorials[k] - factorials[n - k];
    let ln_at = |k: usize| choose(marked, k) + choose(all - marked, drawn - k) - choose(all, drawn);
    let least = (marked + drawn).saturating_sub(all);
    let most = marked.min(drawn);
    let expected = marked as f64 * drawn as f64 / all as f64;
    // From the value found to the end of its tail; terms fall off fast.
    let first = ln_at(found);
    let mut sum = 0.0;
    let tail: Box<dyn Iterator<Item = usize>> = if found as f64 >= expected {
        Box::new(found..=most)
    } else {
        Box::new((least..=found).rev())
    };
    for k in tail {
        let term = (ln_at(k) - first).exp();
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    (first + f64::ln(sum) + 2f64.ln()).min(0.0)
}

/// The test of Mann and Whitney, its normal approximation with ties.
fn of_numbers(clusters: &[i32], count: usize, values: &[f64]) -> Vec<(usize, Enrichment)> {
    let mut order: Vec<usize> = (0..values.len())
        .filter(|at| values[*at].is_finite() && clusters[*at] >= 0)
        .collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let total = order.len();
    let (mut ranks, mut sizes) = (vec![0.0f64; count], vec![0usize; count]);
    let mut ties = 0.0;
    let mut start = 0;
    while start < total {
        let value = values[order[start]];
        let end = start + order[start..].partition_point(|at| values[*at] <= value);
        let length = (end - start) as f64;
        ties += length.powi(3) - length;
        let rank = (start + end + 1) as f64 / 2.0;
        for at in &order[start..end] {
            ranks[clusters[*at] as usize] += rank;
            sizes[clusters[*at] as usize] += 1;
        }
        start = end;
    }
    let mut rows = Vec::new();
    for cluster in 0..count {
        let (own, others) = (sizes[cluster], total - sizes[cluster]);
        // One value for all says nothing.
        if own == 0 || others == 0 || ties >= (total as f64).powi(3) - total as f64 {
            continue;
        }
        let (n, m, all) = (own as f64, others as f64, total as f64);
        let larger = ranks[cluster] - n * (n + 1.0) / 2.0;
        let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
        let z = (larger - n * m / 2.0) / variance.sqrt();
        let is_own = |at: &&usize| clusters[**at] == cluster as i32;
        let inside = median(order.iter().filter(is_own).map(|at| values[*at]), own);
        let outside = median(
            order.iter().filter(|at| !is_own(at)).map(|at| values[*at]),
            others,
        );
        let ln_p = ln_two_sided(z);
        rows.push((cluster, row(own, inside, outside, larger / (n * m), ln_p)));
    }
    rows
}

/// The median of sorted values.
fn median(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    let middle: Vec<f64> = values.skip((count - 1) / 2).take(2 - count % 2).collect();
    middle.iter().sum::<f64>() / middle.len().max(1) as f64
}

/// Natural logarithm of the chance of a normal number further from 0, by the continued fraction of the error
/// function (Abramowitz and Stegun 7.1.14) beyond 3, by its series (7.1.6) before.
fn ln_two_sided(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    if x < 2.2 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= 2.0 * x * x / (2 * n + 1) as f64;
            sum += term;
        }
        let erf = 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum;
        return (1.0 - erf).max(f64::MIN_POSITIVE).ln();
    }
    let mut fraction = x;
    for n in (1..200).rev() {
        fraction = x + n as f64 / 2.0 / fraction;
    }
    -x * x - std::f64::consts::PI.sqrt().ln() - fraction.ln()
}

/// The q of all rows together.
fn adjust(rows: &mut [Enrichment]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*b].ln_p.total_cmp(&rows[*a].ln_p).then(a.cmp(b)));
    let count = rows.len() as f64;
    let mut least = 0.0f64;
    for (at, row) in order.iter().enumerate() {
        let rank = count - at as f64;
        least = least.min(rows[*row].ln_p + (count / rank).ln());
        rows[*row].ln_q = least;
    }
}

/// A number from its natural logarithm, as `1.23e-345`: smaller than what a float holds.
pub fn text_of_ln(ln: f64) -> String {
    let log10 = ln / std::f64::consts::LN_10;
    if log10 > -2.0 {
        return format!("{:.4}", ln.exp());
    }
    let exponent = log10.floor();
    format!("{:.2}e{exponent}", 10f64.powf(log10 - exponent))
}

/// The rows as a table (TSV).
pub fn to_tsv(rows: &[Enrichment]) -> String {
    let mut text =
        "clustering\tcluster\tsize\tcolumn\tvalue\tcalls\tinside\toutside\teffect\tp\tq\n"
            .to_owned();
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{:.4}\t{:.4}\t{:.4}\t{}\t{}",
            row.clustering,
            row.cluster,
            row.size,
            row.column,
            row.value.as_deref().unwrap_or(""),
            row.calls,
            row.inside,
            row.outside,
            row.effect,
            text_of_ln(row.ln_p),
            text_of_ln(row.ln_q)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_hypergeometric_distribution() {
        // scipy.stats.hypergeom.sf(7, 50, 12, 15) and .cdf(1, 50, 12, 15)
        let factorials = ln_factorials(50);
        for (found, expected) in [(8, 0.003_060_382), (1, 0.058_425_541)] {
            let p = hypergeometric(&factorials, 50, 12, 15, found).exp() / 2.0;
            assert!((p - expected).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn normal_tails_are_right_near_and_far() {
        // 2 * scipy.stats.norm.sf(z), and its logarithm.
        for (z, expected) in [
            (0.5, 0.617_075_08),
            (1.96, 0.049_995_79),
            (3.0, 0.002_699_796),
            (3.2, 0.001_374_276),
        ] {
            assert!((ln_two_sided(z).exp() - expected).abs() < 1e-7, "{z}");
        }
        assert!((ln_two_sided(40.0) + 803.915_3).abs() < 1e-3);
    }

    #[test]
    fn what_is_common_in_a_cluster_comes_first_and_nan_is_left_out() {
        let clusters: Vec<String> = (0..300).map(|at| format!("{}", at % 3 + 1)).collect();
        let clusters = Column::of_words(clusters.iter().map(|word| Some(word.as_str())));
        let words = (0..300).map(|at| match (at % 3, at % 7) {
            (0, 0..=4) | (_, 0) => Some("LINE"),
            (_, 6) => None,
            _ => Some("none"),
        });
        let words = Column::of_words(words);
        let numbers = (0..300).map(|at| {
            if at % 5 == 0 {
                f32::NAN
            } else {
                (at % 3) as f32
            }
        });
        let numbers = Column::Numbers(numbers.collect());
        let same = Column::Numbers(vec![7.0; 300]);
        let rows = enrichments(
            &[("kmeans", &clusters)],
            &[("repeat", &words), ("number", &numbers), ("same", &same)],
        );
        let found = rows
            .iter()
            .find(|row| row.cluster == "1" && row.value.as_deref() == Some("LINE"));
        let found = found.unwrap();
        assert!(found.inside > 0.8 && found.outside < 0.2 && found.effect > 10.0);
        assert!(found.ln_q < -20.0 && found.ln_q >= found.ln_p);
        let number = rows
            .iter()
            .find(|row| row.cluster == "3" && row.column == "number")
            .unwrap();
        assert_eq!((number.inside, number.effect), (2.0, 1.0));
        assert!(
            rows.iter()
                .all(|row| row.column != "same" && row.effect.is_finite())
        );
        assert!(to_tsv(&rows).lines().count() == rows.len() + 1);
    }

    #[test]
    fn tiny_numbers_are_written() {
        assert_eq!(text_of_ln(-1000.0), "5.08e-435");
        assert_eq!(text_of_ln(0.05f64.ln()), "0.0500");
    }
}
