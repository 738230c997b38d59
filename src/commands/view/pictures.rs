//! Calls as pictures in a folder, one a call, or as one animation.

use std::path::Path;

use anyhow::Result;

use super::{Chosen, ViewPlan, next_chunk, restricted};
use crate::commands::encoding::{Workers, encode_calls};
use crate::io::atomic;
use crate::io::vcf_reader::VcfReader;
use crate::terminal::summary::ViewSummary;
use cnnfilter_core::encode::{EncodedAllele, Outcome};
use cnnfilter_core::genome::Variant;
use cnnfilter_core::networks::allele::Channels;
use cnnfilter_view::Layout;
use cnnfilter_view::picture::{self, Greys};
use cnnfilter_view::planes::planes;
use cnnfilter_view::site::Rows;

/// Formats of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    /// One PNG a call.
    Png,
    /// One SVG a call, with the channels' names.
    Svg,
    /// One GIF of all calls, a frame each.
    Gif,
}

/// How pictures are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PicturePlan {
    /// Their format.
    pub(crate) format: PictureFormat,
    /// Pixels of a cell's side.
    pub(crate) scale: usize,
}

/// Longest alleles in file names.
const LONGEST: usize = 20;

/// Writes the pictures of the chosen calls and returns a summary.
pub(super) fn write(plan: &ViewPlan, pictures: PicturePlan, chosen: Chosen) -> Result<ViewSummary> {
    let Chosen {
        pool,
        opened,
        records,
        ..
    } = &chosen;
    let layout = if plan.gatk_tensor {
        Layout::of(&opened.inputs.encoder, None, &Channels::usual(true))
    } else {
        Layout::of_model(&opened.model)
    };
    let workers = Workers::default();
    let mut reader = restricted(VcfReader::open(&plan.variants)?, opened)?;
    let (mut frames, mut count, mut skipped) = (Vec::new(), 0u64, 0u64);
    atomic::create_folder(&plan.output)?;
    loop {
        let chunk = next_chunk(&mut reader, records)?;
        if chunk.is_empty() {
            break;
        }
        for (call, outcome) in encode_calls(chunk, &opened.inputs, pool, &workers)? {
            let (Outcome::Encoded(site), Some(variant)) = (outcome, call.record.variant()) else {
                skipped += 1;
                continue;
            };
            for allele in &site.alleles {
                count += 1;
                let planes = planes(&Rows::of(&allele.example.tensor), &layout);
                let name = name_of(&variant, allele);
                let path = |suffix: &str| plan.output.join(format!("{name}.{suffix}"));
                match pictures.format {
                    PictureFormat::Gif => frames.push(picture::draw(&planes, pictures.scale)),
                    PictureFormat::Svg => {
                        let svg = picture::to_svg(&name, &planes, pictures.scale)?;
                        atomic::write(&path("svg"), svg.as_bytes())?;
                    }
                    PictureFormat::Png => {
                        let names: Vec<&str> = planes.iter().map(|one| one.name.as_str()).collect();
                        let text = [("Title", name.clone()), ("Channels", names.join(" "))];
                        let png = picture::draw(&planes, pictures.scale).to_png(&text)?;
                        atomic::write(&path("png"), &png)?;
                    }
                }
            }
        }
    }
    if skipped > 0 {
        log::warn!("{skipped} of the chosen records cannot be encoded and have no picture");
    }
    write_animation(&plan.output, &frames)?;
    Ok(ViewSummary {
        output: plan.output.clone(),
        calls: count,
        page_bytes: None,
    })
}

fn write_animation(folder: &Path, frames: &[Greys]) -> Result<()> {
    if !frames.is_empty() {
        atomic::write(&folder.join("calls.gif"), &picture::to_gif(frames)?)?;
    }
    Ok(())
}

/// Contig, 1-based position and alleles, as a file name.
fn name_of(variant: &Variant, allele: &EncodedAllele) -> String {
    let short = |bases: &[u8]| {
        let text = String::from_utf8_lossy(bases).into_owned();
        let kept: String = text.chars().take(LONGEST).collect();
        if kept.len() < text.len() {
            format!("{kept}_{}", text.len())
        } else {
            kept
        }
    };
    let alternates = match allele.alternate {
        Some(at) => variant
            .alternates
            .get(at)
            .map(|one| short(one))
            .unwrap_or_default(),
        None => short(&variant.alternates.join(&b'_')),
    };
    let position = variant.start + 1;
    let name = format!(
        "{}_{position}_{}_{alternates}",
        variant.contig,
        short(&variant.reference)
    );
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.chars()
        .map(|letter| if is_plain(letter) { letter } else { '_' })
        .collect()
}
