//! The tables of the HTML page.

use maud::{Markup, html};

use super::{FilterRows, NoTruthRows, WorstRecord, number};
use crate::classes::Kind;
use crate::genotypes::{GenotypeFigure, GenotypeQualityBin, GenotypeRows};
use crate::no_truth::ScoreBin;
use crate::{Cell, Difference, Estimate, Evaluation, Figure, Metric};

/// Figures of the table of all records, with their headings.
const GLANCE_METRICS: [(Metric, &str); 6] = [
    (Metric::PrAuc, "PR-AUC"),
    (Metric::PrAucBalanced, "PR-AUC balanced"),
    (Metric::RocAuc, "ROC-AUC"),
    (Metric::BestF1, "best F1"),
    (Metric::RecallAtPrecision95, "recall at 95 % precision"),
    (Metric::RecallAtPrecision99, "recall at 99 % precision"),
];

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
fn value_cell(estimate: Option<&Estimate>, best: bool) -> Markup {
    let Some(estimate) = estimate else {
        return html! { td {} };
    };
    // A minus sign, not a hyphen, which would look like part of the range.
    let minus = |text: String| text.replace('-', "−");
    let is_defined = estimate.value.is_ok();
    html! {
        td.num.none[!is_defined].best[is_defined && best] title=[estimate.reason()] {
            (minus(number::figure(&estimate.value)))
            @if let Some(ends) = estimate.ends() {
                @let between = if ends.low < 0.0 { " to " } else { "–" };
                small { (minus(format!("{:.4}{between}{:.4}", ends.low, ends.high))) }
            }
        }
    }
}

/// One cell a metric; the largest value among `cells` is marked.
fn metric_cell(cell: &Cell, metric: Metric, cells: &[&Cell]) -> Markup {
    let mine = cell.figure(metric.name());
    let best = is_best(mine, cells.iter().map(|c| c.figure(metric.name())));
    value_cell(mine, best)
}

/// True where the value is the largest of `others` to the four decimals shown.
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

/// Genotypes: the matrix of copies, the figures, and GQ against what it promises.
pub(super) fn genotypes(rows: &[GenotypeRows]) -> Markup {
    let figure = |figure: &GenotypeFigure| {
        html! {
            td.num.none[figure.value.is_err()] {
                (number::figure(&figure.value))
                @if figure.value.is_ok() {
                    small { (format!("{:.4}–{:.4}", figure.interval.low, figure.interval.high)) }
                }
            }
        }
    };
    html! {
        @if !rows.is_empty() {
            section id="genotypes" { "\n"
                h2 { "Genotypes" } "\n"
                div.scroll {
                    table {
                        caption {
                            "ALTs by copies in the truth and copies called (none: missed or filtered). Small print: exact 95 % interval."
                        }
                        thead {
                            tr {
                                th { "kind" } th { "stratum" } th { "truth" }
                                th.num { "none called" } th.num { "one called" } th.num { "two called" }
                                th.num { "copies right" } th.num { "non-reference concordance" }
                                th.num { "precision" } th.num { "recall" } th.num { "F1" }
                            }
                        }
                        tbody {
                            @for rows in rows {
                                @for (copies, name) in ["not there", "one copy", "two copies"].into_iter().enumerate() {
                                    tr {
                                        th scope="row" { @if copies == 0 { (rows.kind.name()) } }
                                        td { @if copies == 0 { (rows.stratum) } }
                                        td { (name) }
                                        @for count in rows.matrix[copies] {
                                            td.num { (number::count(count)) }
                                        }
                                        @if copies == 0 {
                                            (figure(&rows.concordance))
                                            (figure(&rows.nonref_concordance))
                                            (figure(&rows.precision))
                                            (figure(&rows.recall))
                                            td.num { (number::figure(&rows.f1)) }
                                        } @else {
                                            td colspan="5" {}
                                        }
                                    }
                                }
                            }
                        }
                    }
                } "\n"
                @for rows in rows.iter().filter(|rows| rows.stratum == "all" && !rows.by_quality.is_empty()) {
                    figure {
                        figcaption { (rows.kind.name()) ": share of wrong genotypes by GQ" }
                        (quality_curve(&rows.by_quality))
                    } "\n"
                }
                p.note {
                    "Dots: the share of called ALTs whose number of copies is another one in the truth, with its exact 95 % interval, \
                    over the share that GQ promises, both as phred. On the line GQ keeps its promise; below it promises too much. \
                    An arrow: no wrong one was seen."
                } "\n"
            } "\n"
        }
    }
}

/// The share that is wrong over the share that GQ promises, as phred, drawn without a script.
fn quality_curve(bins: &[GenotypeQualityBin]) -> Markup {
    /// Highest phred of both axes, and units of the drawing a phred.
    const HIGHEST: f64 = 60.0;
    const SCALE: f64 = 5.0;
    let phred = |share: f64| (-10.0 * share.log10()).clamp(0.0, HIGHEST);
    let x = |phred: f64| format!("{:.1}", 40.0 + SCALE * phred);
    let y = |phred: f64| format!("{:.1}", 10.0 + SCALE * (HIGHEST - phred));
    html! {
        svg.gq viewBox="0 0 360 350" width="360" height="350" role="img" aria-label="wrong genotypes by GQ" {
            @for tick in [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0] {
                line.grid x1=(x(tick)) x2=(x(tick)) y1=(y(0.0)) y2=(y(HIGHEST)) {}
                line.grid x1=(x(0.0)) x2=(x(HIGHEST)) y1=(y(tick)) y2=(y(tick)) {}
                text x=(x(tick)) y="325" text-anchor="middle" { (tick) }
                text x="34" y=(y(tick)) text-anchor="end" dominant-baseline="middle" { (tick) }
            }
            line.ideal x1=(x(0.0)) y1=(y(0.0)) x2=(x(HIGHEST)) y2=(y(HIGHEST)) {}
            @for bin in bins {
                @let at = phred(bin.promised);
                g {
                    title { (format!("GQ {} and more: {} of {} wrong", bin.low, bin.wrong, bin.n)) }
                    line.bar x1=(x(at)) x2=(x(at)) y1=(y(phred(bin.interval.high))) y2=(y(phred(bin.interval.low))) {}
                    @if bin.wrong > 0 {
                        circle cx=(x(at)) cy=(y(phred(bin.observed))) r="4" {}
                    } @else {
                        path d=(format!("M {} {} l -4 7 h 8 z", x(at), y(HIGHEST))) {}
                    }
                }
            }
            text x="190" y="345" text-anchor="middle" { "GQ: promised, phred" }
        }
    }
}

/// All records: one table a kind, one row a score.
pub(super) fn glance(e: &Evaluation) -> Markup {
    html! {
        @for kind in Kind::ALL {
            @let cells = cells_of(e, kind, "all");
            @if let Some(first) = cells.first() {
                div.scroll {
                    table {
                        caption {
                            b { (kind.name()) }
                            " " (counts_caption(first)) "; match: " (e.match_rule)
                        }
                        thead {
                            tr {
                                th { "score" }
                                @for (_, heading) in GLANCE_METRICS {
                                    th.num { (heading) }
                                }
                                @if let Some(baseline) = &e.baseline {
                                    th.num { "PR-AUC minus " (baseline) }
                                    th.num { "p" }
                                }
                            }
                        }
                        tbody {
                            @for cell in &cells {
                                tr {
                                    th scope="row" { (cell.score) }
                                    @for (metric, _) in GLANCE_METRICS {
                                        (metric_cell(cell, metric, &cells))
                                    }
                                    @if e.baseline.is_some() {
                                        (difference_cells(cell.difference(Metric::PrAuc)))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The difference from the baseline and its p-value; empty for the baseline itself.
fn difference_cells(difference: Option<&Difference>) -> Markup {
    let Some(difference) = difference else {
        return html! { td {} td {} };
    };
    html! {
        (value_cell(Some(&difference.estimate), false))
        td.num {
            @match &difference.p_value {
                Ok(p) => (number::p_value(*p)),
                Err(_) => "–",
            }
        }
    }
}

/// One table a kind and figure, one row a stratum, one column a score; scripts show one figure at a time.
pub(super) fn strata(e: &Evaluation) -> Markup {
    html! {
        @for kind in Kind::ALL {
            @let names = strata_names(e, kind);
            @for (metric, heading) in STRATA_METRICS {
                (strata_table(e, kind, &names, metric, heading))
            }
        }
    }
}

/// Names of the strata of a kind, in their order.
fn strata_names(e: &Evaluation, kind: Kind) -> Vec<&str> {
    let cells = e.cells.iter().filter(|cell| cell.kind == kind);
    let mut names: Vec<&str> = cells.map(|cell| cell.stratum.as_str()).collect();
    names.dedup();
    names
}

fn strata_table(
    e: &Evaluation,
    kind: Kind,
    names: &[&str],
    metric: Metric,
    heading: &str,
) -> Markup {
    let rows = names.iter().map(|name| (name, cells_of(e, kind, name)));
    html! {
        div.scroll.strata data-kind=(kind.name()) data-metric=(metric.name())
            hidden[metric != Metric::PrAuc]
        {
            table {
                caption { b { (kind.name()) } " " (heading) }
                thead {
                    tr {
                        th { "stratum" }
                        th.num { "true" }
                        th.num { "false" }
                        th.num { "prevalence" }
                        @for score in &e.scores {
                            th.num { (score) }
                        }
                    }
                }
                tbody {
                    @for (name, cells) in rows {
                        @if let Some(first) = cells.first() {
                            tr {
                                th scope="row" { (name) }
                                td.num { (number::count(first.n_true)) }
                                td.num { (number::count(first.n_false)) }
                                td.num { (number::figure(&first.prevalence)) }
                                @for cell in &cells {
                                    (metric_cell(cell, metric, &cells))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A plain table with a heading, or nothing without rows. A column whose heading begins with `#`
/// holds numbers.
fn section(title: &str, note: &Markup, headings: &[&str], rows: &[Markup]) -> Markup {
    if rows.is_empty() {
        return Markup::default();
    }
    html! {
        section {
            h2 { (title) }
            p.note { (note) }
            div.scroll {
                table {
                    thead {
                        tr {
                            @for heading in headings {
                                @match heading.strip_prefix('#') {
                                    Some(heading) => th.num { (heading) },
                                    None => th { (heading) },
                                }
                            }
                        }
                    }
                    tbody {
                        @for row in rows { (row) }
                    }
                }
            }
        }
    }
}

fn number_cell(value: &Figure) -> Markup {
    match value {
        Ok(value) => html! { td.num { (format!("{value:.4}")) } },
        Err(why) => html! { td.num.none title=(why) { "–" } },
    }
}

/// Figures at the FILTER column.
pub(super) fn at_filter(groups: &[FilterRows]) -> Markup {
    let rows: Vec<Markup> = groups
        .iter()
        .flat_map(|group| group.rows.iter().map(move |row| (group, row)))
        .map(|(group, row)| {
            let counts = row.counts;
            html! {
                tr {
                    th scope="row" { (group.kind.name()) }
                    td { (group.stratum) }
                    td { (row.filter.name()) }
                    (number_cell(&row.recall))
                    (number_cell(&row.precision))
                    (number_cell(&row.f1))
                    td.num { (number::count(counts.truth_tp)) }
                    td.num { (counts.truth_fn.map_or_else(|| "–".to_owned(), number::count)) }
                    td.num { (number::count(counts.query_fp)) }
                    td.num { (number::count(counts.query_unk)) }
                }
            }
        })
        .collect();
    let note = html! {
        "Precision, recall and F1 of the calls as they are (ALL) and with FILTER " code { "PASS" }
        " or " code { "." } " (PASS), as hap.py’s summary has them; found are true calls, not found \
        truth variants that were never called or whose call was filtered out."
    };
    section(
        "At the filter",
        &note,
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
pub(super) fn no_truth(groups: &[NoTruthRows]) -> Markup {
    let mut rows = Vec::new();
    for group in groups {
        match &group.bins {
            Err(why) => rows.push(no_truth_row(
                group,
                &html! { td colspan="5" { "undefined: " (why) } },
            )),
            Ok(bins) => rows.extend(bins.iter().map(|bin| no_truth_row(group, &bin_cells(bin)))),
        }
    }
    let note = html! {
        "Transitions per transversion and heterozygous per homozygous calls by score, all calls, judged or \
        not. True SNPs of a human genome have a Ti/Tv of about 2.0–2.1, random errors 0.5."
        span class="controls" id="no-truth-controls" {}
    };
    section(
        "Without truth",
        &note,
        &[
            "score", "kind", "#from", "#to", "#calls", "#Ti/Tv", "#het/hom",
        ],
        &rows,
    )
}

fn no_truth_row(group: &NoTruthRows, cells: &Markup) -> Markup {
    html! {
        tr data-score=(group.score) data-kind=(group.kind.name()) {
            th scope="row" { (group.score) }
            td { (group.kind.name()) }
            (cells)
        }
    }
}

fn bin_cells(bin: &ScoreBin) -> Markup {
    html! {
        td.num { (number::score(bin.high)) }
        td.num { (number::score(bin.low)) }
        td.num { (number::count(bin.n)) }
        (number_cell(&bin.ti_tv))
        (number_cell(&bin.het_hom))
    }
}

/// The worst records.
pub(super) fn worst(records: &[WorstRecord]) -> Markup {
    let rows: Vec<Markup> = records.iter().map(worst_row).collect();
    let note = html! {
        "False calls with the highest scores and true calls with the lowest, with what may explain them."
        @if records.iter().any(|record| record.link.is_some()) {
            " A site leads to its reads, as the network saw them."
        }
        span class="controls" id="worst-controls" {}
    };
    section(
        "Worst records",
        &note,
        &[
            "site", "REF", "ALT", "wrong as", "#score", "#depth", "#ALT", "#MAPQ", "filter",
            "where",
        ],
        &rows,
    )
}

fn worst_row(record: &WorstRecord) -> Markup {
    let dash = || "–".to_owned();
    let (kind, sort) = (record.kind.name(), record.sort.name());
    html! {
        tr data-score=(record.score) data-kind=(kind) data-sort=(sort) {
            th scope="row" {
                @match &record.link {
                    Some(link) => a href=(link) { (record.contig) ":" (record.pos) },
                    None => { (record.contig) ":" (record.pos) },
                }
            }
            td.allele { (short_allele(&record.reference)) }
            td.allele { (short_allele(&record.alternate)) }
            td { (kind) " " (sort) }
            td.num { (number::score(record.value)) }
            td.num { (record.depth.map_or_else(dash, |v| v.to_string())) }
            td.num { (record.alt_fraction.map_or_else(dash, |v| format!("{v:.2}"))) }
            td.num { (record.mapping_quality.map_or_else(dash, |v| format!("{v:.1}"))) }
            td { (record.filter) }
            td {
                @for chip in record.repeat.iter().chain(&record.strata) {
                    span.chip { (chip) }
                }
            }
        }
    }
}

/// An allele of up to 24 characters; of a longer one its beginning and its length.
fn short_allele(text: &str) -> String {
    let n = text.chars().count();
    if n <= 24 {
        return text.to_owned();
    }
    let start: String = text.chars().take(20).collect();
    format!("{start}… ({n})")
}
