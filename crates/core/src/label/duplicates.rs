//! Truth records that say the same twice.

use std::collections::BTreeSet;

use super::site::Site;
use crate::genome::Variant;
use crate::genome::normalize::{Edit, ReferenceBases};

/// An allele of a genotype, whatever its spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Missing,
    Reference,
    /// A change of the reference, as far to the left as it goes.
    Change(Edit),
    /// An allele that is not spelled in bases, as it stands.
    Other(u64, Vec<u8>, Vec<u8>),
}

/// The change that an ALT (from 0) makes, as far to the left as it goes; nothing where it is not spelled
/// in bases, or is REF.
pub fn change<R: ReferenceBases + ?Sized>(
    site: &Site,
    alternate: usize,
    reference: &R,
) -> Option<Edit> {
    let alternate = site.alternates.get(alternate)?;
    if !Variant::is_sequence(alternate) {
        return None;
    }
    let edit = Edit::trimmed(site.start, &site.reference, alternate)?;
    Some(edit.left_aligned(reference))
}

/// Takes out the sites that give the same alleles in the same order as an earlier one, whatever their
/// spelling, and returns how many these were. Two records of one haplotype each (`0|1` and `1|0`) are
/// not the same.
pub fn remove<R: ReferenceBases + ?Sized>(sites: &mut Vec<Site>, reference: &R) -> u64 {
    let before = sites.len();
    let mut seen = BTreeSet::new();
    sites.retain(|site| seen.insert(contents(site, reference)));
    (before - sites.len()) as u64
}

fn contents<R: ReferenceBases + ?Sized>(site: &Site, reference: &R) -> Vec<Content> {
    let of_alternate = |at: usize| match change(site, at, reference) {
        Some(edit) => Content::Change(edit),
        None => Content::Other(
            site.start,
            site.reference.clone(),
            site.alternates.get(at).cloned().unwrap_or_default(),
        ),
    };
    // A genotype without a called allele speaks of all ALTs.
    if site.genotype.iter().all(Option::is_none) {
        let all = (0..site.alternates.len()).map(of_alternate);
        return std::iter::once(Content::Missing).chain(all).collect();
    }
    let alleles = site.genotype.iter().map(|number| match number {
        None => Content::Missing,
        Some(0) => Content::Reference,
        Some(number) => of_alternate(usize::from(*number) - 1),
    });
    // A genotype of references alone says where it was looked.
    let is_reference = site
        .genotype
        .iter()
        .all(|number| number.is_none_or(|number| number == 0));
    let place = is_reference.then(|| {
        Content::Other(
            site.start,
            site.reference.clone(),
            site.alternates.join(&b','),
        )
    });
    alleles.chain(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `start REF ALT,ALT GT`
    fn site(text: &str) -> Site {
        let fields: Vec<&str> = text.split(' ').collect();
        Site {
            start: fields[0].parse().unwrap(),
            reference: fields[1].into(),
            alternates: fields[2]
                .split(',')
                .map(|alt| alt.as_bytes().to_vec())
                .collect(),
            genotype: Site::parse_genotype(fields[3].as_bytes()),
        }
    }

    #[test]
    fn the_same_alleles_are_there_once_whatever_their_spelling() {
        let reference = b"GATTTTTCAGA";
        let kept = |sites: &[&str]| {
            let mut sites: Vec<Site> = sites.iter().map(|text| site(text)).collect();
            (remove(&mut sites, &reference[..]), sites.len())
        };
        assert_eq!(kept(&["7 C G 0/1", "7 C G 0/1", "7 C G 0/1"]), (2, 1));
        // One T of five, at the left and at the right end; with an ALT that is not carried.
        assert_eq!(kept(&["1 AT A 0|1", "5 TT T 0|1"]), (1, 1));
        assert_eq!(kept(&["7 C G 0/1", "7 C T,G 0/2"]), (1, 1));
        for different in [
            ["7 C G 0/1", "7 C T 0/1"],
            ["7 C G 0/1", "7 C G 1/1"],
            ["7 C G 0|1", "7 C G 1|0"],
            ["7 C G 0/1", "8 A G 0/1"],
            ["7 C G 0/0", "8 A G 0/0"],
            ["7 C G ./.", "7 C T ./."],
            ["7 C <DEL> 0/1", "8 A <DEL> 0/1"],
        ] {
            assert_eq!(kept(&different), (0, 2), "{different:?}");
        }
    }
}
