//! `cnnfilter inspect`: one call, or a model's card, as text for a terminal.

mod card;

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::view::{self, ViewPlan};
use crate::io::model_dir;
use crate::terminal::summary::{InspectSummary, InspectedCall};
use cnnfilter_nn::DeviceChoice;
use cnnfilter_view::Terminal;

/// The thing to look at.
#[derive(Debug, Clone)]
pub(crate) enum InspectPlan {
    /// The calls at a locus.
    Calls {
        /// The choice of the calls, and how they are scored; its output is not used.
        view: Box<ViewPlan>,
        /// With ANSI colours.
        colour: bool,
    },
    /// A model: a folder, or the name of a built-in one.
    Model(PathBuf),
}

/// Describes the calls or the model.
///
/// # Errors
/// Anything that is wrong with the inputs; no record at the locus.
pub(crate) fn run(plan: &InspectPlan) -> Result<InspectSummary> {
    match plan {
        InspectPlan::Calls { view, colour } => inspect_calls(view, *colour),
        InspectPlan::Model(path) => {
            let model = model_dir::load_choice(Some(path), false, DeviceChoice::Cpu)?;
            Ok(InspectSummary {
                text: card::describe(&model),
                card: Some(Box::new(model.card().clone())),
                calls: Vec::new(),
            })
        }
    }
}

fn inspect_calls(plan: &ViewPlan, colour: bool) -> Result<InspectSummary> {
    let shown = view::shown_calls(plan)?;
    if shown.calls.is_empty() {
        bail!(
            "{}: no call to show at {}: {}",
            plan.variants.display(),
            plan.regions.join(", "),
            shown.notes.join(" ")
        );
    }
    let terminal = Terminal::new(&shown.layout, colour);
    let texts = shown.calls.iter().map(|call| terminal.show(call));
    let mut text = texts.collect::<Vec<String>>().join("\n");
    for note in &shown.notes {
        text += &format!("\n{note}\n");
    }
    Ok(InspectSummary {
        text,
        card: None,
        calls: shown.calls.iter().map(InspectedCall::of).collect(),
    })
}
