//! The end of `inspect`: the call or the card itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Summary;
use cnnfilter_core::networks::ModelCard;
use cnnfilter_core::why::Reason;
use cnnfilter_view::{Call, ScoredWith};

/// A call, or a model.
#[derive(Debug, Serialize)]
pub(crate) struct InspectSummary {
    /// The text for the screen.
    #[serde(skip)]
    pub(crate) text: String,
    /// The calls at the locus: one an ALT.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) calls: Vec<InspectedCall>,
    /// The model's card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Box<ModelCard>>,
}

/// A call that was shown.
#[derive(Debug, Serialize)]
pub(crate) struct InspectedCall {
    contig: String,
    /// 1-based, as the VCF has it.
    pos: u64,
    #[serde(rename = "ref")]
    reference: String,
    alt: String,
    filter: String,
    #[serde(flatten)]
    scored: ScoredWith,
    /// The kind of error that it looks like.
    suspect: Option<&'static str>,
    /// Topics that decided the score.
    reasons: Vec<Reason>,
    /// Contribution of each read by the read's name.
    reads: BTreeMap<String, f32>,
}

impl InspectedCall {
    /// The facts of a call.
    pub(crate) fn of(call: &Call) -> Self {
        let why = call.why.clone().unwrap_or_default();
        Self {
            contig: call.contig.clone(),
            pos: call.start + 1,
            reference: call.reference.clone(),
            alt: call.alternate.clone(),
            filter: call.filter.clone(),
            scored: call.scored.clone(),
            suspect: why.suspect.map(|suspect| suspect.code()),
            reasons: why.reasons,
            reads: call.names.iter().cloned().zip(why.reads).collect(),
        }
    }
}

impl Summary for InspectSummary {
    const COMMAND: &'static str = "inspect";

    fn to_text(&self) -> String {
        self.text.clone()
    }
}
