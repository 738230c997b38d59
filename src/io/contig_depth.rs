//! The depth of a sample on single contigs.

use std::sync::Arc;

use super::depth::DepthFile;
use super::error::IoError;
use super::fasta::Reference;
use cnnfilter_core::genome::ReadFilter;
use cnnfilter_core::genotype::PlaceDepth;
use cnnfilter_core::samples::RoutedFile;

/// Places that are looked at on each contig.
const PLACES: i64 = 60;

/// The depth of usable reads at places of 1,000 bases, evenly spread over the contigs of these names that are there, a list for
/// each file of reads of the sample. As for [`super::depth::sample_depth`], a place without reads is moved on to the next
/// one, as the targets of an exome want it.
///
/// # Errors
/// Where a file cannot be read.
pub fn depths_on(
    contigs: &[&str],
    files: &[RoutedFile],
    sample: usize,
    filter: ReadFilter,
    reference: &Arc<Reference>,
) -> Result<Vec<Vec<PlaceDepth>>, IoError> {
    let mut found = Vec::new();
    let of_sample = files.iter().filter(|file| file.route.reaches(sample));
    for RoutedFile { path, route, .. } in of_sample {
        let mut file = DepthFile::open((path, route), sample, filter, reference)?;
        let mut places = Vec::new();
        for name in contigs {
            let Some((contig, length)) = file.contig(name) else {
                continue;
            };
            for wanted in file.wanted_on(contig, length, PLACES)? {
                places.extend(file.place(&wanted)?.map(|place| PlaceDepth {
                    contig: (*name).to_owned(),
                    position: place.start as u64,
                    depth: place.depth,
                }));
            }
        }
        found.push(places);
    }
    Ok(found)
}
