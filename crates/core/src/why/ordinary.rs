//! Inputs as they are where nothing is special about a call.

use crate::encode::allele::AlleleLayout;
use crate::encode::allele::AlleleTensor;
use crate::encode::topic::Topic;
use crate::encode::{Encoder, SiteTensor};
use crate::networks::scaling::{FeatureScaling, Scaling, Transform};

/// MAPQ of a read that is placed surely.
const MAPPING_QUALITY: u8 = 60;
/// Phred quality of a usual base.
const QUALITY: u8 = 30;

/// Makes the numbers and cells of the reads ordinary that tell of a topic.
pub(super) fn make_reads_ordinary(encoder: &Encoder, tensor: &mut SiteTensor, topic: Topic) {
    match (tensor, encoder) {
        (SiteTensor::Allele(tensor), Encoder::Allele { layout, .. }) => {
            make_own_ordinary(tensor, layout, topic);
        }
        (SiteTensor::Reads(tensor), _) => {
            for row in &mut tensor.rows {
                match topic {
                    Topic::Strand => row.flags.0 = 0,
                    Topic::Mapping => row.mapping_quality = MAPPING_QUALITY,
                    Topic::Quality => {
                        let real = row.qualities.iter_mut().filter(|quality| **quality > 0);
                        real.for_each(|quality| *quality = QUALITY);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn make_own_ordinary(tensor: &mut AlleleTensor, layout: &AlleleLayout, topic: Topic) {
    for read in tensor.reads.chunks_exact_mut(layout.read().len().max(1)) {
        for (value, feature) in read.iter_mut().zip(layout.read()) {
            // Which allele a read fits is what sorts it into rows, and stays.
            if feature.topic == topic && topic != Topic::Support {
                *value = ordinary(feature.name);
            }
        }
    }
    if topic == Topic::Quality {
        for cell in tensor.rows.iter_mut().flatten() {
            if cell[1] > 0 {
                cell[1] = QUALITY;
            }
        }
    }
}

/// A read's number as it is where nothing is special about the read.
fn ordinary(name: &str) -> f32 {
    match name {
        "mapping_quality" | "proper_pair" => 1.0,
        "reverse" | "mate_reverse" | "second_of_pair" | "cycle" => 0.5,
        "quality_at_call" => f32::from(QUALITY) / 40.0,
        "distance_to_end" => 2.0,
        "template_length" => 0.85,
        _ => 0.0,
    }
}

/// The values that scale to 0.
pub(super) fn means(scaling: &Scaling) -> Vec<f32> {
    let mean = |feature: &FeatureScaling| {
        let (mean, sign) = (feature.mean.abs(), feature.mean.signum());
        let value = match feature.transform {
            Transform::Identity => mean,
            Transform::SignedSqrt => mean * mean,
            Transform::Log1p => mean.exp_m1(),
        };
        (value * sign) as f32
    };
    scaling.features.iter().map(mean).collect()
}
