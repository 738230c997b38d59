//! The tables of the HTML page.

use super::escape::escape;
use super::{FilterRows, NoTruthRows, WorstRecord, number};
use crate::at_filter::FilterRow;
use crate::classes::Kind;
use crate::{Cell, Estimate, Evaluation, Figure, Metric};

/// Figures that the strata table can show, with their headings.
const STRATA_METRICS: [(Metric, &str); 9] = [
    (Metric::PrAuc, "PR-AUC"),
    (Metric::PrAucBalanced, "PR-AUC, class-balanced"),
    (Metric::RocAuc, "ROC-AUC"),
    (Metric::BestF1, "best F1"),
    (Metric::RecallAtPrecision70, "recall at precision 70 %"),
    (Metric::RecallAtPrecision80, "recall at precision 80 %"),
    (Metric::RecallAtPrecision90, "recall at precision 90 %"),
    (Metric::RecallAtPrecision95, "recall at precision 95 %"),
    (Metric::RecallAtPrecision99, "recall at precision 99 %"),
];

/// A value with its interval below it; the reason as a tooltip where something is undefined.
fn value_cell(estimate: Option<&Estimate>, best: bool) -> String {
    let Some(estimate) = estimate else {
        return "<td></td>".to_owned();
    };
    let title = estimate
        .reason()
        .map_or_else(String::new, |why| format!(" title=\"{}\"", escape(&why)));
    let class = match (&estimate.value, best) {
        (Err(_), _) => " class=\"num none\"",
        (Ok(_), true) => " class=\"num best\"",
        (Ok(_), false) => " class=\"num\"",
    };
    let interval = estimate.ends().map_or_else(String::new, |i| {
        let between = if i.low < 0.0 { " to " } else { "–" };
        format!("<small>{:.4}{between}{:.4}</small>", i.low, i.high)
    });
    // A minus sign, not a hyphen, which would look like part of the range.
    let shown = format!("{}{interval}", number::figure(&estimate.value)).replace('-', "−");
    format!("<td{class}{title}>{shown}</td>")
}

/// Whether the value is the largest of `others` to the four decimals shown.
fn is_best<'a>(
    estimate: Option<&Estimate>,
    others: impl Iterator<Item = Option<&'a Estimate>>,
) -> bool {
    let shown = |e: &Estimate| e.value.as_ref().ok().map(|v| (v * 1e4).round());
    let Some(mine) = estimate.and_then(shown) else {
        return false;
    };
    others
        .flatten()
        .filter_map(shown)
        .all(|other| other <= mine)
}

fn counts_caption(cell: &Cell) -> String {
    let missed = cell.n_missed.map_or_else(String::new, |n| {
        format!(
            "; {} truth variants without a matching call, recall at most {}",
            number::count(n),
            cell.figure("recall_ceiling")
                .map_or_else(String::new, |e| number::figure(&e.value))
        )
    });
    format!(
        "{} true, {} false, prevalence {}{missed}",
        number::count(cell.n_true),
        number::count(cell.n_false),
        number::figure(&cell.prevalence)
    )
}

fn cells_of<'a>(e: &'a Evaluation, kind: Kind, stratum: &str) -> Vec<&'a Cell> {
    e.cells
        .iter()
        .filter(|c| c.kind == kind && c.stratum == stratum)
        .collect()
}

/// All records: one table a kind, one row a score.
pub(super) fn glance(e: &Evaluation) -> String {
    const SHOWN: [(Metric, &str); 6] = [
        (Metric::PrAuc, "PR-AUC"),
        (Metric::PrAucBalanced, "PR-AUC balanced"),
        (Metric::RocAuc, "ROC-AUC"),
        (Metric::BestF1, "best F1"),
        (Metric::RecallAtPrecision95, "recall at 95 % precision"),
        (Metric::RecallAtPrecision99, "recall at 99 % precision"),
    ];
    let mut out = String::new();
    for kind in Kind::ALL {
        let cells = cells_of(e, kind, "all");
        let Some(first) = cells.first() else { continue };
        out.push_str(&format!(
            "<div class=\"scroll\"><table><caption><b>{}</b> {}; match: {}</caption><thead><tr><th>score</th>",
            kind.name(),
            counts_caption(first),
            escape(&e.match_rule)
        ));
        for (_, heading) in SHOWN {
            out.push_str(&format!("<th class=\"num\">{heading}</th>"));
        }
        if let Some(baseline) = &e.baseline {
            out.push_str(&format!(
                "<th class=\"num\">PR-AUC minus {}</th><th class=\"num\">p</th>",
                escape(baseline)
            ));
        }
        out.push_str("</tr></thead><tbody>");
        for cell in &cells {
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th>",
                escape(&cell.score)
            ));
            for (metric, _) in SHOWN {
                let mine = cell.figure(metric.name());
                let best = is_best(mine, cells.iter().map(|c| c.figure(metric.name())));
                out.push_str(&value_cell(mine, best));
            }
            if e.baseline.is_some() {
                match cell.difference(Metric::PrAuc) {
                    None => out.push_str("<td></td><td></td>"),
                    Some(d) => {
                        out.push_str(&value_cell(Some(&d.estimate), false));
                        let p = d
                            .p_value
                            .as_ref()
                            .map_or_else(|_| "–".to_owned(), |p| number::p_value(*p));
                        out.push_str(&format!("<td class=\"num\">{p}</td>"));
                    }
                }
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
    }
    out
}

/// One table a kind and figure, one row a stratum, one column a score; scripts show one figure at a time.
pub(super) fn strata(e: &Evaluation) -> String {
    let mut out = String::new();
    for kind in Kind::ALL {
        let mut names: Vec<&str> = Vec::new();
        for cell in e.cells.iter().filter(|c| c.kind == kind) {
            if names.last() != Some(&cell.stratum.as_str()) {
                names.push(&cell.stratum);
            }
        }
        for (metric, heading) in STRATA_METRICS {
            let hidden = if metric == Metric::PrAuc {
                ""
            } else {
                " hidden"
            };
            out.push_str(&format!(
                "<div class=\"scroll strata\" data-kind=\"{}\" data-metric=\"{}\"{hidden}><table><caption><b>{}</b> \
                 {heading}</caption><thead><tr><th>stratum</th><th class=\"num\">true</th><th class=\"num\">false</th>\
                 <th class=\"num\">prevalence</th>",
                kind.name(),
                metric.name(),
                kind.name()
            ));
            for score in &e.scores {
                out.push_str(&format!("<th class=\"num\">{}</th>", escape(score)));
            }
            out.push_str("</tr></thead><tbody>");
            for &name in &names {
                let cells = cells_of(e, kind, name);
                let Some(first) = cells.first() else { continue };
                out.push_str(&format!(
                    "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td \
                     class=\"num\">{}</td>",
                    escape(name),
                    number::count(first.n_true),
                    number::count(first.n_false),
                    number::figure(&first.prevalence)
                ));
                for cell in &cells {
                    let mine = cell.figure(metric.name());
                    let best = is_best(mine, cells.iter().map(|c| c.figure(metric.name())));
                    out.push_str(&value_cell(mine, best));
                }
                out.push_str("</tr>");
            }
            out.push_str("</tbody></table></div>");
        }
    }
    out
}

/// A plain table with a heading, or nothing without rows.
fn section(title: &str, note: &str, headings: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headings: String = headings
        .iter()
        .map(|h| match h.strip_prefix('#') {
            Some(h) => format!("<th class=\"num\">{h}</th>"),
            None => format!("<th>{h}</th>"),
        })
        .collect();
    format!(
        "<section><h2>{title}</h2><p class=\"note\">{note}</p><div class=\"scroll\"><table><thead><tr>{headings}</tr>\
         </thead><tbody>{}</tbody></table></div></section>",
        rows.concat()
    )
}

fn number_cell(value: &Figure) -> String {
    match value {
        Ok(v) => format!("<td class=\"num\">{v:.4}</td>"),
        Err(why) => format!(
            "<td class=\"num none\" title=\"{}\">–</td>",
            escape(&why.to_string())
        ),
    }
}

/// Figures at the FILTER column.
pub(super) fn at_filter(groups: &[FilterRows]) -> String {
    let mut rows = Vec::new();
    for group in groups {
        for row in &group.rows {
            let c = row.counts;
            rows.push(format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>{}{}{}<td class=\"num\">{}</td><td \
                 class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
                group.kind.name(),
                escape(&group.stratum),
                match row.filter {
                    FilterRow::All => "ALL",
                    FilterRow::Pass => "PASS",
                },
                number_cell(&row.recall),
                number_cell(&row.precision),
                number_cell(&row.f1),
                number::count(c.truth_tp),
                c.truth_fn.map_or_else(|| "–".to_owned(), number::count),
                number::count(c.query_fp),
                number::count(c.query_unk)
            ));
        }
    }
    section(
        "At the filter",
        "Precision, recall and F1 of the calls as they are (ALL) and with FILTER <code>PASS</code> or <code>.</code> \
         (PASS), as hap.py’s summary has them; found are true calls, not found truth variants that were never called or whose call was filtered out.",
        &[
            "kind",
            "stratum",
            "filter",
            "#recall",
            "#precision",
            "#F1",
            "#truth found",
            "#truth not found",
            "#false calls",
            "#unjudged calls",
        ],
        &rows,
    )
}

/// Ti/Tv and het/hom by score bin.
pub(super) fn no_truth(groups: &[NoTruthRows]) -> String {
    let mut rows = Vec::new();
    let edge = |value: Option<f32>| value.map_or_else(|| "missing".to_owned(), |v| v.to_string());
    for group in groups {
        let head = format!(
            "<tr data-score=\"{0}\" data-kind=\"{1}\"><th scope=\"row\">{0}</th><td>{1}</td>",
            escape(&group.score),
            group.kind.name()
        );
        match &group.bins {
            Err(why) => rows.push(format!(
                "{head}<td colspan=\"5\">undefined: {}</td></tr>",
                escape(&why.to_string())
            )),
            Ok(bins) => rows.extend(bins.iter().map(|bin| {
                format!(
                    "{head}<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>{}{}</tr>",
                    edge(bin.high),
                    edge(bin.low),
                    number::count(bin.n),
                    number_cell(&bin.ti_tv),
                    number_cell(&bin.het_hom)
                )
            })),
        }
    }
    section(
        "Without truth",
        "Transitions per transversion and heterozygous per homozygous calls by score, all calls, judged or not. \
         True SNPs of a human genome have a Ti/Tv of about 2.0–2.1, random errors 0.5.\
         <span class=\"controls\" id=\"no-truth-controls\"></span>",
        &[
            "score", "kind", "#from", "#to", "#calls", "#Ti/Tv", "#het/hom",
        ],
        &rows,
    )
}

/// The worst records.
pub(super) fn worst(records: &[WorstRecord]) -> String {
    fn optional<T: std::fmt::Display>(value: Option<T>) -> String {
        value.map_or_else(|| "–".to_owned(), |v| v.to_string())
    }
    let allele = |text: &str| {
        let n = text.chars().count();
        if n <= 24 {
            escape(text)
        } else {
            let start: String = text.chars().take(20).collect();
            format!("{}… ({n})", escape(&start))
        }
    };
    let rows: Vec<String> = records
        .iter()
        .map(|r| {
            let chips: String = r
                .repeat
                .iter()
                .chain(&r.strata)
                .map(|s| format!("<span class=\"chip\">{}</span>", escape(s)))
                .collect();
            format!(
                "<tr data-score=\"{}\" data-kind=\"{}\" data-sort=\"{}\"><th scope=\"row\">{}:{}</th><td \
                 class=\"allele\">{}</td><td class=\"allele\">{}</td><td>{} {}</td><td class=\"num\">{}</td><td \
                 class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td>{}</td><td>{chips}</td></tr>",
                escape(&r.score),
                r.kind.name(),
                r.sort.name(),
                escape(&r.contig),
                r.pos,
                allele(&r.reference),
                allele(&r.alternate),
                r.kind.name(),
                r.sort.name(),
                r.value
                    .map_or_else(|| "missing".to_owned(), |v| v.to_string()),
                optional(r.depth),
                r.alt_fraction
                    .map_or_else(|| "–".to_owned(), |v| format!("{v:.2}")),
                r.mapping_quality
                    .map_or_else(|| "–".to_owned(), |v| format!("{v:.1}")),
                escape(&r.filter),
            )
        })
        .collect();
    section(
        "Worst records",
        "False calls with the highest scores and true calls with the lowest, with what may explain them.\
         <span class=\"controls\" id=\"worst-controls\"></span>",
        &[
            "site", "REF", "ALT", "wrong as", "#score", "#depth", "#ALT", "#MAPQ", "filter",
            "where",
        ],
        &rows,
    )
}

/// Inputs and settings.
pub(super) fn provenance(entries: &[(String, String)]) -> String {
    entries
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escape(name), escape(value)))
        .collect()
}
