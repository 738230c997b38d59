//! Which numbers of a read and of a call an encoder computes, by name and in order.

use super::read_features::{self, ReadFeature, ReadFeatures, StrandFlip};
use super::read_set::AlleleTensor;
use super::site_features::{self, ReadCounts, SiteFeature, SiteThinning};
use super::support::Supports;

/// The numbers that a model's card lists, looked up once.
#[derive(Debug, Clone)]
pub struct AlleleLayout {
    read: Vec<&'static ReadFeature>,
    site: Vec<&'static SiteFeature>,
}

/// A name that stands for no number, or for none that this encoder can compute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// No number of a read has this name.
    #[error("`{0}` is no number of a read that this version knows; a later one may")]
    Read(String),
    /// No number of a call has this name.
    #[error("`{0}` is no number of a call that this version knows; a later one may")]
    Site(String),
    /// A name is listed twice.
    #[error("`{0}` is listed twice; list it once")]
    Twice(String),
    /// The number is made of reads, and the encoder reads none.
    #[error("`{0}` is made of reads, which this encoder does not read")]
    NeedsReads(String),
}

/// What each name stands for, in the order of the names.
///
/// # Errors
/// The first name that `find` refuses, or that is listed twice.
pub(crate) fn each_once<S: AsRef<str>, T, E>(
    names: &[S],
    twice: fn(String) -> E,
    find: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut found = Vec::with_capacity(names.len());
    for (at, name) in names.iter().map(AsRef::as_ref).enumerate() {
        found.push(find(name)?);
        if names[..at].iter().any(|earlier| earlier.as_ref() == name) {
            return Err(twice(name.to_owned()));
        }
    }
    Ok(found)
}

impl AlleleLayout {
    /// The numbers that networks are trained with.
    pub fn usual(with_reads: bool) -> Self {
        let read = read_features::usual().filter(|_| with_reads);
        Self {
            read: read.filter_map(read_features::known).collect(),
            site: site_features::usual(with_reads)
                .filter_map(site_features::known)
                .collect(),
        }
    }

    /// The numbers of these names, in this order.
    ///
    /// # Errors
    /// The first name that is unknown, listed twice, or made of reads where there are none.
    pub fn resolve<S: AsRef<str>>(
        with_reads: bool,
        read: &[S],
        site: &[S],
    ) -> Result<Self, LayoutError> {
        let read = each_once(read, LayoutError::Twice, |name| {
            let found = read_features::known(name);
            let feature = found.ok_or_else(|| LayoutError::Read(name.to_owned()))?;
            match with_reads {
                true => Ok(feature),
                false => Err(LayoutError::NeedsReads(name.to_owned())),
            }
        })?;
        let site = each_once(site, LayoutError::Twice, |name| {
            let found = site_features::known(name);
            let feature = found.ok_or_else(|| LayoutError::Site(name.to_owned()))?;
            match with_reads || !feature.needs_reads() {
                true => Ok(feature),
                false => Err(LayoutError::NeedsReads(name.to_owned())),
            }
        })?;
        Ok(Self { read, site })
    }

    /// The numbers of a read, in order; none without reads.
    pub fn read(&self) -> &[&'static ReadFeature] {
        &self.read
    }

    /// The numbers of a call, in order.
    pub fn site(&self) -> &[&'static SiteFeature] {
        &self.site
    }

    /// Names of the numbers of a read, in order.
    pub fn read_names(&self) -> impl Iterator<Item = &'static str> {
        self.read.iter().map(|feature| feature.name)
    }

    /// Names of the numbers of a call, in order.
    pub fn site_names(&self) -> impl Iterator<Item = &'static str> {
        self.site.iter().map(|feature| feature.name)
    }

    /// The alleles that a read with these numbers supports, as two of them say;
    /// none where the layout lacks them.
    pub(crate) fn supports(&self, read: &[f32]) -> Supports {
        let says = |name: &str| {
            let at = self.read_names().position(|known| known == name);
            at.and_then(|at| read.get(at))
                .is_some_and(|value| *value > 0.5)
        };
        Supports {
            alternate: says(read_features::SUPPORTS_ALT),
            reference: says(read_features::SUPPORTS_REF),
        }
    }

    /// Changes the strands of all reads of a tensor that was made by this layout.
    pub fn flip_strands(&self, tensor: &mut AlleleTensor) {
        for read in tensor.reads.chunks_exact_mut(self.read.len().max(1)) {
            for (value, feature) in read.iter_mut().zip(&self.read) {
                if feature.strand_flip() == StrandFlip::Inverts {
                    *value = 1.0 - *value;
                }
            }
        }
    }
}

impl PartialEq for AlleleLayout {
    fn eq(&self, other: &Self) -> bool {
        self.read_names().eq(other.read_names()) && self.site_names().eq(other.site_names())
    }
}

impl Eq for AlleleLayout {}

/// A number of a read that counting anew takes, and that the layout lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "examples cannot be thinned without `{0}` among the numbers of a read: numbers of the call are counted from it"
)]
pub struct CannotThin(pub &'static str);

/// Takes reads away from tensors of one layout.
#[derive(Debug, Clone)]
pub struct Thinner {
    layout: AlleleLayout,
}

impl Thinner {
    /// For tensors that were made by `layout`.
    ///
    /// # Errors
    /// Numbers of the call are counted from a number of a read that the layout lacks.
    pub fn new(layout: AlleleLayout) -> Result<Self, CannotThin> {
        let recounts = |feature: &&SiteFeature| feature.thinning() == SiteThinning::Recounted;
        if layout.site.iter().any(recounts) {
            let counted = read_features::ALL.iter().filter(|one| one.is_counted());
            for needed in counted.map(|feature| feature.name) {
                if !layout.read_names().any(|name| name == needed) {
                    return Err(CannotThin(needed));
                }
            }
        }
        Ok(Self { layout })
    }

    /// Makes of a tensor the same call with fewer reads: keeps the rows that `keep` names
    /// (ascending) and counts its reads anew, as if the sample had been sequenced to `share` of its
    /// depth. What lies beyond the rows (the surroundings) keeps its values. Nothing changes without
    /// reads.
    pub fn thin(&self, tensor: &mut AlleleTensor, keep: &[usize], share: f32) {
        if tensor.rows.is_empty() {
            return;
        }
        let width = self.layout.read.len();
        let kept = || keep.iter().filter(|row| **row < tensor.rows.len());
        let reads: Vec<f32> = kept()
            .flat_map(|row| &tensor.reads[row * width..(row + 1) * width])
            .copied()
            .collect();
        let supports = kept().map(|row| tensor.supports[*row]).collect();
        let rows = kept().map(|row| tensor.rows[*row]).collect();
        (tensor.reads, tensor.supports, tensor.rows) = (reads, supports, rows);
        let features: Vec<ReadFeatures> = (tensor.supports.iter().enumerate())
            .map(|(row, supports)| {
                let mut read = ReadFeatures::blank(supports.side());
                let values = &tensor.reads[row * width..(row + 1) * width];
                for (feature, value) in self.layout.read.iter().zip(values) {
                    feature.restore(&mut read, *value);
                }
                read
            })
            .collect();
        let counts = ReadCounts::new(&features);
        for (value, feature) in tensor.site.iter_mut().zip(&self.layout.site) {
            match feature.thinning() {
                SiteThinning::Keeps => {}
                SiteThinning::Recounted => {
                    *value = feature.recount(&counts).unwrap_or(*value);
                }
                SiteThinning::AddsLogOfShare => *value += share.ln(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_their_order() {
        let layout =
            AlleleLayout::resolve(true, &["cycle", "reverse"], &["gc_20", "alt_reads"]).unwrap();
        assert!(layout.read_names().eq(["cycle", "reverse"]));
        assert!(layout.site_names().eq(["gc_20", "alt_reads"]));
        assert_ne!(layout, AlleleLayout::usual(true));
        let usual = AlleleLayout::usual(true);
        let (read, site): (Vec<_>, Vec<_>) =
            (usual.read_names().collect(), usual.site_names().collect());
        assert_eq!(AlleleLayout::resolve(true, &read, &site), Ok(usual));
    }

    #[test]
    fn wrong_names_are_told() {
        let none: [&str; 0] = [];
        for (with_reads, read, site, expected) in [
            (
                true,
                &["depth"][..],
                &[][..],
                LayoutError::Read("depth".into()),
            ),
            (true, &[], &["cycle"], LayoutError::Site("cycle".into())),
            (
                true,
                &["cycle", "cycle"],
                &[],
                LayoutError::Twice("cycle".into()),
            ),
            (
                true,
                &[],
                &["gc_20", "gc_20"],
                LayoutError::Twice("gc_20".into()),
            ),
            (
                false,
                &["cycle"],
                &[],
                LayoutError::NeedsReads("cycle".into()),
            ),
            (
                false,
                &[],
                &["het_z"],
                LayoutError::NeedsReads("het_z".into()),
            ),
        ] {
            assert_eq!(AlleleLayout::resolve(with_reads, read, site), Err(expected));
        }
        assert!(AlleleLayout::resolve(false, &none, &["gc_20"]).is_ok());
    }

    #[test]
    fn thinning_takes_what_it_counts_from() {
        let layout =
            |read: &[&str], site: &[&str]| AlleleLayout::resolve(true, read, site).unwrap();
        assert!(Thinner::new(AlleleLayout::usual(true)).is_ok());
        assert!(Thinner::new(layout(&["cycle"], &["gc_20", "depth_100"])).is_ok());
        let error = Thinner::new(layout(&["cycle"], &["alt_reads"])).unwrap_err();
        assert_eq!(error, CannotThin("log_ratio"));
    }
}
