//! Two passes, by tranches: GATK's FilterVariantTranches, which goes on where GATK stops.

use anyhow::{Result, bail};

use super::{
    FilterPlan, OnNoResource, Output, TranchePlan, begin_header, known, regions_of, restrict,
    thresholds_of,
};
use crate::commands::quote;
use crate::io::regions;
use crate::io::spool::Replay;
use crate::io::vcf_reader::{Order, VcfReader};
use cnnfilter_core::filter::decision::score_of;
use cnnfilter_core::filter::resources::ScoredCalls;
use cnnfilter_core::filter::sensitivity::{self, SENSITIVITY_KEY, Sensitivity};
use cnnfilter_core::filter::summary::SummaryRow;
use cnnfilter_core::filter::tranches::{Tranches, tranche_kind};
use cnnfilter_core::filter::{
    Decision, FilterSummary, ModelLine, NotJudged, ThresholdFilter, filter_column,
};
use cnnfilter_core::genome::{IntervalSet, VariantKind};
use cnnfilter_core::score::keys::SCORE_KEYS;
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};

/// With fewer known calls than this a cut-off rests on chance.
const FEW: usize = 50;

/// Filters the calls.
///
/// # Errors
/// Anything that is wrong with the inputs, or an output that cannot be written.
pub(super) fn run(plan: &FilterPlan, tranches: &TranchePlan) -> Result<FilterSummary> {
    let input = Replay::new(&plan.variants, &tranches.tmp_dir)?;
    if input.is_copied() {
        log::info!(
            "{}: tranches need two passes; it is read from a copy in {}",
            plan.variants.display(),
            tranches.tmp_dir.display()
        );
    }
    let mut reader = input.open()?.with_order(plan.order);
    let info_key = info_key(&reader, tranches.info_key.as_deref())?;
    let fallback = fallback(plan, tranches, &reader)?;
    let wanted = regions_of(plan, reader.header())?;
    let by_index = restrict(plan, &mut reader, wanted.as_ref())?;
    let calls = first_pass(
        &mut reader,
        plan.order,
        tranches,
        &info_key,
        wanted.as_ref(),
    )?;
    let types = [
        Type::new(VariantKind::Snp, &tranches.snp, &calls),
        Type::new(VariantKind::Indel, &tranches.indel, &calls),
    ];
    drop(calls);
    for of_type in &types {
        of_type.tell(tranches.on_no_resource, fallback.is_some())?;
    }
    second_pass(
        plan,
        (&input, by_index),
        &info_key,
        &types,
        fallback,
        wanted.as_ref(),
    )
}

/// The key of the score, which the header must define.
fn info_key(reader: &VcfReader, given: Option<&str>) -> Result<String> {
    let header = reader.header();
    let key = given.unwrap_or_else(|| {
        let defined = SCORE_KEYS.into_iter().find(|key| header.defines_info(key));
        defined.unwrap_or(SCORE_KEYS[0])
    });
    if header.defines_info(key) {
        return Ok(key.to_owned());
    }
    let others: Vec<&str> = header.info_keys_of_type("Float").collect();
    bail!(
        "{}: its header does not define INFO/{key}; expected the key of a score (of type Float there are: {}), see --info-key",
        reader.path().display(),
        if others.is_empty() {
            "none".to_owned()
        } else {
            others.join(", ")
        }
    )
}

/// The model's thresholds, for types without known calls.
fn fallback(
    plan: &FilterPlan,
    tranches: &TranchePlan,
    reader: &VcfReader,
) -> Result<Option<(ThresholdFilter, String)>> {
    match tranches.on_no_resource {
        Some(OnNoResource::Unfiltered | OnNoResource::Fail) => return Ok(None),
        Some(OnNoResource::Model) | None => {}
    }
    let found = thresholds_of(plan, reader);
    if let (Err(error), None) = (&found, tranches.on_no_resource)
        && ModelLine::is_of_several(reader.header())
    {
        log::warn!("{error}; there is no threshold for types without known calls");
        return Ok(None);
    }
    let Some((filter, model)) = found? else {
        if tranches.on_no_resource == Some(OnNoResource::Model) {
            bail!(
                "{}: --on-no-resource model needs thresholds, and its header has none (`##cnnfilterModel`); give a model with --model",
                reader.path().display()
            );
        }
        return Ok(None);
    };
    Ok(Some((filter, model.name)))
}

/// Collects the scores, and marks the calls that stand in the resources.
fn first_pass(
    reader: &mut VcfReader,
    order: Order,
    tranches: &TranchePlan,
    info_key: &str,
    wanted: Option<&IntervalSet>,
) -> Result<ScoredCalls> {
    let mut calls = ScoredCalls::default();
    while let Some((_, record)) = reader.next_record()? {
        if !regions::hold(wanted, &record) {
            continue;
        }
        if let (Ok(score), Some(variant)) = (score_of(&record, info_key), record.variant()) {
            calls.add(&variant, score);
        }
    }
    if order == Order::Any {
        calls.sort();
    }
    let of_calls = reader.header().contigs();
    for path in &tranches.resources {
        known::mark(path, &mut calls, &of_calls)?;
    }
    Ok(calls)
}

/// What is known about SNPs or indels after the first pass.
struct Type<'a> {
    kind: VariantKind,
    tranches: &'a Tranches,
    /// Scored calls.
    scored: u64,
    sensitivity: Sensitivity,
    /// One a tranche; nothing without known calls.
    cutoffs: Option<Vec<f64>>,
}

impl<'a> Type<'a> {
    fn new(kind: VariantKind, tranches: &'a Tranches, calls: &ScoredCalls) -> Self {
        let sensitivity = Sensitivity::new(calls.known_scores(kind == VariantKind::Snp));
        Self {
            kind,
            tranches,
            scored: calls.scored(kind),
            cutoffs: tranches.cutoffs(sensitivity.descending()),
            sensitivity,
        }
    }

    /// Whether GATK would stop because of this type.
    fn lacks_cutoffs(&self) -> bool {
        self.scored > 0 && self.cutoffs.is_none()
    }

    /// Says what is unusual about it.
    fn tell(&self, way: Option<OnNoResource>, has_fallback: bool) -> Result<()> {
        let (kind, known) = (self.kind.name(), self.sensitivity.descending().len());
        if self.scored == 0 {
            log::warn!("no {kind} has a score: none is filtered");
        } else if !self.lacks_cutoffs() {
            if known < FEW {
                log::warn!(
                    "{kind}: the cut-offs rest on {known} calls at known sites only; a model's thresholds would not"
                );
            }
        } else if way == Some(OnNoResource::Fail) {
            bail!(
                "{kind}s are present, but none of them stands in the resources, so that they cannot be filtered; give other resources, or another --on-no-resource"
            );
        } else if has_fallback {
            log::warn!(
                "{kind}: none of {} scored calls stands in the resources: the model's threshold decides",
                self.scored
            );
        } else {
            log::warn!(
                "{kind}: none of {} scored calls stands in the resources: they stay unfiltered, as they are",
                self.scored
            );
        }
        Ok(())
    }

    /// The rows of the summary.
    fn rows(&self, info_key: &str) -> Vec<SummaryRow> {
        let Some(cutoffs) = &self.cutoffs else {
            return Vec::new();
        };
        let values = self.tranches.values().iter().zip(cutoffs);
        values
            .zip(self.tranches.bands())
            .map(|((percent, cutoff), band)| SummaryRow {
                kind: self.kind.name(),
                filter: self.tranches.filter_name(info_key, self.kind, band),
                rule: format!("tranche {percent}"),
                threshold: *cutoff,
                passed: 0,
                filtered: 0,
                expected_precision: None,
                expected_recall: Some(percent / 100.0),
                known_calls: Some(self.sensitivity.descending().len() as u64),
            })
            .collect()
    }
}

/// How the records of a run are judged.
struct Judge<'a> {
    info_key: &'a str,
    types: &'a [Type<'a>; 2],
    fallback: Option<(ThresholdFilter, String)>,
    /// Where the rows of each type begin in the summary, and those of the model.
    first_rows: [usize; 3],
    /// Whether GATK would have filtered anything: then what has no filter is PASS.
    passes_the_rest: bool,
    invalidate: bool,
}

fn second_pass(
    plan: &FilterPlan,
    (input, by_index): (&Replay, bool),
    info_key: &str,
    types: &[Type; 2],
    fallback: Option<(ThresholdFilter, String)>,
    wanted: Option<&IntervalSet>,
) -> Result<FilterSummary> {
    // Thresholds that decide nothing leave no trace.
    let fallback = fallback.filter(|_| types.iter().any(Type::lacks_cutoffs));
    let mut reader = input.open()?.with_order(plan.order);
    if by_index {
        restrict(plan, &mut reader, wanted)?;
    }
    let header = header(plan, reader.header(), info_key, types, fallback.as_ref());
    let mut summary = FilterSummary {
        mode: "tranches",
        info_key: info_key.to_owned(),
        ..FilterSummary::default()
    };
    let mut first_rows = [0; 3];
    for (of_type, first) in types.iter().zip(&mut first_rows) {
        *first = summary.rows.len();
        summary.rows.extend(of_type.rows(info_key));
    }
    first_rows[2] = summary.rows.len();
    if let Some((filter, model)) = &fallback {
        summary.rows.extend(FilterSummary::rows_of(filter));
        summary.model = Some(model.clone());
        summary.measured_on = Some(filter.measured_on().to_owned());
    }
    let judge = Judge {
        info_key,
        types,
        fallback,
        first_rows,
        passes_the_rest: types.iter().any(|of_type| of_type.cutoffs.is_some()),
        invalidate: plan.invalidate,
    };
    let mut output = Output::create(plan, &header)?;
    while let Some((_, mut record)) = reader.next_record()? {
        summary.records_read += 1;
        if !regions::hold(wanted, &record) {
            summary.outside_regions += 1;
            continue;
        }
        judge.filter(&mut record, &mut summary);
        output.write(&mut record, &[], &mut summary)?;
    }
    summary.records_read += reader.left_out();
    summary.outside_regions += reader.left_out();
    output.finish()?;
    Ok(summary)
}

fn header(
    plan: &FilterPlan,
    of_calls: &VcfHeader,
    info_key: &str,
    types: &[Type; 2],
    fallback: Option<&(ThresholdFilter, String)>,
) -> VcfHeader {
    let mut header = of_calls.clone();
    let mut command = format!("--info-key {}", quote(info_key));
    for (of_type, flag) in types.iter().zip(["--snp-tranche", "--indel-tranche"]) {
        for value in of_type.tranches.values() {
            command += &format!(" {flag} {value}");
        }
    }
    for path in plan
        .tranches
        .iter()
        .flat_map(|tranches| &tranches.resources)
    {
        command += &format!(" --resource {}", quote(&path.to_string_lossy()));
    }
    begin_header(&mut header, plan, &command);
    for of_type in types {
        for (name, line) in of_type.tranches.header_lines(info_key, of_type.kind) {
            header.put_filter(&name, line);
        }
    }
    if let Some((filter, ..)) = fallback {
        filter.extend_header(&mut header);
    }
    header.put_info(SENSITIVITY_KEY, sensitivity::header_line(info_key));
    for of_type in types {
        let kind = of_type.kind.name();
        let prefix = format!("##cnnfilterCutoffs=<ID={kind},");
        let list = |values: &[f64]| {
            let texts: Vec<String> = values.iter().map(f64::to_string).collect();
            texts.join(",")
        };
        let line = format!(
            "{prefix}Key={info_key},Tranches=\"{}\",Cutoffs=\"{}\",ScoredCalls={},KnownCalls={}>",
            list(of_type.tranches.values()),
            list(of_type.cutoffs.as_deref().unwrap_or(&[])),
            of_type.scored,
            of_type.sensitivity.descending().len()
        );
        header.put_meta(&prefix, line);
    }
    header
}

impl Judge<'_> {
    /// Filters one record.
    fn filter(&self, record: &mut VcfRecord, summary: &mut FilterSummary) {
        let score = score_of(record, self.info_key);
        let variant = record.variant();
        let kind = variant.map_or(VariantKind::Other, |variant| {
            tranche_kind(&variant.reference, &variant.alternates)
        });
        let of_kind = self.types.iter().position(|of_type| of_type.kind == kind);
        let judged = score.map(|score| (score, of_kind));

        let share = judged
            .ok()
            .and_then(|(score, at)| self.types[at?].sensitivity.at(score));
        let text = share.map(|share| format!("{share:.5}"));
        record.set_info(
            SENSITIVITY_KEY.as_bytes(),
            text.as_deref().map(str::as_bytes),
        );

        let mut filter = None;
        match judged {
            Err(why) => summary.count_not_judged(why),
            Ok((_, None)) => summary.count_not_judged(NotJudged::OtherKind),
            Ok((score, Some(at))) => {
                let of_type = &self.types[at];
                let Some(cutoffs) = &of_type.cutoffs else {
                    self.without_cutoffs(record, of_type, summary);
                    return;
                };
                let band = of_type.tranches.band(score, cutoffs);
                let first = self.first_rows[at];
                for tranche in of_type.tranches.bands() {
                    let row = &mut summary.rows[first + tranche - 1];
                    row.passed += u64::from(band.is_none_or(|band| band < tranche));
                    row.filtered += u64::from(band == Some(tranche));
                }
                filter = band.map(|band| of_type.tranches.filter_name(self.info_key, kind, band));
            }
        }
        let earlier: Vec<Vec<u8>> = self.earlier(record);
        let mut names: Vec<&[u8]> = earlier.iter().map(Vec::as_slice).collect();
        names.extend(filter.as_deref().map(str::as_bytes));
        if self.passes_the_rest {
            // htsjdk writes filters in order of their names.
            names.sort_unstable();
            record.set_filter(&filter_column::join(&names, "PASS"));
        } else if self.invalidate && filter_column::fails(record.filter()) {
            record.set_filter(b".");
        }
    }

    /// A scored SNP or indel while none of its type stands in the resources.
    fn without_cutoffs(&self, record: &mut VcfRecord, of_type: &Type, summary: &mut FilterSummary) {
        let decision = match &self.fallback {
            Some((filter, _)) => filter.decide(record),
            None => Decision::NotJudged(NotJudged::no_threshold(of_type.kind)),
        };
        match decision {
            Decision::NotJudged(why) => summary.count_not_judged(why),
            Decision::Judged { row, filter } => {
                summary.count(self.first_rows[2] + row, filter.is_none());
            }
        }
        decision.apply(record, self.invalidate);
    }

    /// The filters that stand in the record and stay.
    fn earlier(&self, record: &VcfRecord) -> Vec<Vec<u8>> {
        if self.invalidate {
            return Vec::new();
        }
        let names = filter_column::names(record.filter()).into_iter();
        names.map(<[u8]>::to_vec).collect()
    }
}
