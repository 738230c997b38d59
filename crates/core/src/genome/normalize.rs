//! One allele in its shortest, leftmost spelling.

/// Bases of one contig. Looked at one base at a time and very often, so it must be cheap.
pub trait ReferenceBases {
    /// The base at a 0-based position, in either case; `None` outside the contig, and outside
    /// the stretch at hand where only a part of the contig is.
    fn base(&self, position: u64) -> Option<u8>;
}

impl ReferenceBases for [u8] {
    fn base(&self, position: u64) -> Option<u8> {
        self.get(usize::try_from(position).ok()?).copied()
    }
}

/// A stretch of a contig, for callers that do not hold the whole of it.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// 0-based position of the first base.
    pub start: u64,
    /// The bases.
    pub bases: &'a [u8],
}

impl ReferenceBases for Stretch<'_> {
    fn base(&self, position: u64) -> Option<u8> {
        self.bases.base(position.checked_sub(self.start)?)
    }
}

/// Why an allele cannot be placed on the reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NormalizeError {
    /// The reference has no `A`, `C`, `G` or `T` where one is needed.
    #[error("the reference has no base A, C, G or T at position {}", position + 1)]
    NoReference {
        /// 0-based position of that base.
        position: u64,
    },
    /// REF is not what the reference has.
    #[error(
        "REF has `{}` at position {}, where the reference has `{}`",
        char::from(*found), position + 1, char::from(*expected)
    )]
    ReferenceMismatch {
        /// 0-based position of the first difference.
        position: u64,
        /// The base of REF, in upper case.
        found: u8,
        /// The base of the reference, in upper case.
        expected: u8,
    },
    /// REF and ALT are the same sequence.
    #[error("REF and ALT are the same")]
    NoChange,
}

/// The farthest an indel is moved to the left, in bases. Two spellings of one indel in a longer
/// repeat may come out different; there is no such repeat in the human genome, and without the
/// limit a contig made of one letter would take time that grows with its square.
pub const MAX_SHIFT: u64 = 10_000;

/// A change of the reference: `deleted` bases from `start` on are replaced by `inserted`. Trimmed:
/// no base is common to both at either end, so a substitution has its length on both sides, an
/// insertion deletes nothing and stands before `start`, a deletion inserts nothing.
///
/// The deleted bases are the reference's own, so only their number is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// 0-based position of the first changed base, or of the base before which bases are inserted.
    pub start: u64,
    /// How many reference bases are replaced.
    pub deleted: u64,
    /// The bases put in their place, in upper case.
    pub inserted: Vec<u8>,
}

impl Edit {
    /// The change that turns `reference` at `start` into `alternate` (bases, in either case), where
    /// the record has it: the common prefix is taken off before the common suffix, so that an indel
    /// stays behind its padding base. `None` where the two are the same.
    pub fn trimmed(start: u64, reference: &[u8], alternate: &[u8]) -> Option<Self> {
        let common = |pair: &(&u8, &u8)| pair.0.eq_ignore_ascii_case(pair.1);
        let prefix = reference.iter().zip(alternate).take_while(common).count();
        let (reference, alternate) = (&reference[prefix..], &alternate[prefix..]);
        let suffix = reference
            .iter()
            .rev()
            .zip(alternate.iter().rev())
            .take_while(common)
            .count();
        let deleted = reference.len() - suffix;
        let inserted = alternate[..alternate.len() - suffix].to_ascii_uppercase();
        (deleted > 0 || !inserted.is_empty()).then_some(Self {
            start: start + prefix as u64,
            deleted: deleted as u64,
            inserted,
        })
    }

    /// One past the last replaced base; `start` for an insertion.
    pub fn end(&self) -> u64 {
        self.start + self.deleted
    }

    /// Returns true if the change alters the length of the sequence. A substitution of several bases (MNP)
    /// does not, and counts with the SNPs.
    pub fn is_indel(&self) -> bool {
        self.deleted != self.inserted.len() as u64
    }

    /// The same change as far to the left as it goes (Tan, Abecasis and Kang 2015,
    /// doi:10.1093/bioinformatics/btv112): two changes give the same sequence exactly when this
    /// form of them is the same, up to [`MAX_SHIFT`]. Only equal letters `A C G T` let an indel
    /// pass; a change that replaces bases and is no pure indel has one place only.
    pub fn left_aligned<R: ReferenceBases + ?Sized>(&self, reference: &R) -> Self {
        let mut moved = self.clone();
        let shift = match (self.deleted, self.inserted.as_slice()) {
            (0, inserted) => shift_while(self.start, |step, before| {
                passed(inserted, step) == plain_base(reference, before)
            }),
            (deleted, []) => shift_while(self.start, |_, before| {
                let last = plain_base(reference, before + deleted);
                last.is_some() && last == plain_base(reference, before)
            }),
            _ => 0,
        };
        moved.start -= shift;
        if !moved.inserted.is_empty() {
            let length = moved.inserted.len();
            moved
                .inserted
                .rotate_right((shift % length as u64) as usize);
        }
        moved
    }

    /// The change as a VCF record spells it: 0-based start, REF and ALT, with the base in front as
    /// padding where one of them would be empty, or the base behind at the start of the contig.
    ///
    /// # Errors
    /// [`NormalizeError::NoReference`] where the reference has no base to write.
    pub fn to_vcf<R: ReferenceBases + ?Sized>(
        &self,
        reference: &R,
    ) -> Result<(u64, Vec<u8>, Vec<u8>), NormalizeError> {
        let base = |position| {
            plain_base(reference, position).ok_or(NormalizeError::NoReference { position })
        };
        let mut replaced = (self.start..self.end())
            .map(base)
            .collect::<Result<Vec<u8>, _>>()?;
        let mut inserted = self.inserted.clone();
        let mut start = self.start;
        if replaced.is_empty() || inserted.is_empty() {
            if let Some(before) = start.checked_sub(1) {
                start = before;
                replaced.insert(0, base(before)?);
                inserted.insert(0, base(before)?);
            } else {
                replaced.push(base(self.end())?);
                inserted.push(base(self.end())?);
            }
        }
        Ok((start, replaced, inserted))
    }
}

/// REF and all ALTs of a record in normal form at once, as `bcftools norm` has it (Tan, Abecasis and
/// Kang 2015, doi:10.1093/bioinformatics/btv112): 0-based start and alleles, REF first. Bases that
/// all alleles end with are taken off, then those that all begin with but for one; while an allele
/// would be empty, all move to the left, up to [`MAX_SHIFT`], and take on the base in front.
///
/// `alleles` (upper case) are REF first and differ from each other. `None` where the start of the
/// reference is reached before the alleles have a base in front of them.
pub fn normalize_together<R: ReferenceBases + ?Sized>(
    start: u64,
    mut alleles: Vec<Vec<u8>>,
    reference: &R,
) -> Option<(u64, Vec<Vec<u8>>)> {
    let mut start = start;
    let shared = common(&alleles, |allele, at| allele.iter().rev().nth(at).copied());
    for allele in &mut alleles {
        allele.truncate(allele.len() - shared.min(allele.len()));
    }
    if alleles.iter().any(Vec::is_empty) {
        let shift = shift_while(start, |step, before| {
            let base = plain_base(reference, before);
            let changed = alleles.iter().filter(|allele| !allele.is_empty());
            base.is_some()
                && changed
                    .map(|allele| passed(allele, step))
                    .all(|letter| letter == base)
        });
        start = (start - shift).checked_sub(1)?;
        let before = reference.base(start)?;
        for allele in &mut alleles {
            if !allele.is_empty() {
                let length = allele.len() as u64;
                allele.rotate_right((shift % length) as usize);
            }
            allele.insert(0, before);
        }
    }
    let least = alleles.iter().map(Vec::len).min()?;
    let shared =
        common(&alleles, |allele, at| allele.get(at).copied()).min(least.saturating_sub(1));
    for allele in &mut alleles {
        allele.drain(..shared);
    }
    Some((start + shared as u64, alleles))
}

/// How many letters in a row all alleles share, as `letter` counts them.
fn common(alleles: &[Vec<u8>], letter: impl Fn(&[u8], usize) -> Option<u8>) -> usize {
    let of_all = |at: usize| {
        let mut letters = alleles.iter().map(|allele| letter(allele, at));
        let first = letters.next().flatten();
        first.is_some() && letters.all(|other| other == first)
    };
    (0..).take_while(|at| of_all(*at)).count()
}

/// The letter that must equal the base to be passed in this step to the left, of bases that turn as
/// they move.
fn passed(moving: &[u8], step: u64) -> Option<u8> {
    let back = usize::try_from(step % moving.len().max(1) as u64).ok()?;
    moving.iter().rev().nth(back).copied()
}

/// How many single steps to the left of `start` the test allows; it is given the steps done so
/// far and the position of the base to be passed.
fn shift_while(start: u64, passes: impl Fn(u64, u64) -> bool) -> u64 {
    (0..start.min(MAX_SHIFT))
        .take_while(|step| passes(*step, start - 1 - step))
        .count() as u64
}

/// The reference's base in upper case, where it is one of `A C G T`.
fn plain_base<R: ReferenceBases + ?Sized>(reference: &R, position: u64) -> Option<u8> {
    reference
        .base(position)
        .map(|base| base.to_ascii_uppercase())
        .filter(|base| matches!(base, b'A' | b'C' | b'G' | b'T'))
}

/// Checks REF (bases, in either case) against the reference. Its first base must be known; behind
/// it, where the reference has `N` or another letter that is no plain base, REF is believed.
///
/// # Errors
/// The first position where the reference has another base than REF, or, for the first base of
/// REF, none of `A C G T`, or where the contig ends.
pub fn check_reference<R: ReferenceBases + ?Sized>(
    start: u64,
    allele: &[u8],
    reference: &R,
) -> Result<(), NormalizeError> {
    for (position, found) in (start..).zip(allele) {
        let found = found.to_ascii_uppercase();
        match plain_base(reference, position) {
            Some(expected) if expected != found => {
                return Err(NormalizeError::ReferenceMismatch {
                    position,
                    found,
                    expected,
                });
            }
            None if position == start || reference.base(position).is_none() => {
                return Err(NormalizeError::NoReference { position });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A record's REF and one ALT (bases) in normal form: 0-based start, REF, ALT, both in upper case,
/// as short and as far to the left as they go. What is normal already comes back as it was.
///
/// # Errors
/// REF does not lie on the reference, or REF and ALT are the same.
pub fn normalize<R: ReferenceBases + ?Sized>(
    start: u64,
    allele: &[u8],
    alternate: &[u8],
    reference: &R,
) -> Result<(u64, Vec<u8>, Vec<u8>), NormalizeError> {
    check_reference(start, allele, reference)?;
    Edit::trimmed(start, allele, alternate)
        .ok_or(NormalizeError::NoChange)?
        .left_aligned(reference)
        .to_vcf(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(start: u64, allele: &str, alternate: &str, reference: &str) -> (u64, String, String) {
        let (start, allele, alternate) = normalize(
            start,
            allele.as_bytes(),
            alternate.as_bytes(),
            reference.as_bytes(),
        )
        .unwrap();
        let text = |bases| String::from_utf8(bases).unwrap();
        (start, text(allele), text(alternate))
    }

    #[test]
    fn hard_spellings() {
        for (reference, (start, from, to), expected) in [
            // The example of Tan et al. 2015: a deletion of CA in GGGCACACACAGGG, five ways.
            ("GGGCACACACAGGG", (5, "CAC", "C"), (2, "GCA", "G")),
            ("GGGCACACACAGGG", (8, "ACA", "A"), (2, "GCA", "G")),
            ("GGGCACACACAGGG", (1, "GGCACACA", "GGCACA"), (2, "GCA", "G")),
            ("GGGCACACACAGGG", (2, "GCACA", "GCA"), (2, "GCA", "G")),
            ("GGGCACACACAGGG", (2, "GCA", "G"), (2, "GCA", "G")),
            // Insertions into a homopolymer and into a repeat of a period that does not divide.
            ("TAAAAC", (4, "A", "AA"), (0, "T", "TA")),
            ("TACACG", (4, "C", "CAC"), (0, "T", "TAC")),
            // Substitutions lose what they share with REF.
            ("TACACG", (0, "TACA", "TGCA"), (1, "A", "G")),
            ("TACACG", (1, "ACA", "GCT"), (1, "ACA", "GCT")),
            // A block substitution of another length has one place.
            ("TACACG", (1, "ACA", "GGCA"), (1, "A", "GG")),
            // At the start of the contig the base behind is the padding.
            ("AAAC", (2, "AC", "C"), (0, "AA", "A")),
            ("AAAC", (2, "A", "AA"), (0, "A", "AA")),
            ("CAAA", (0, "C", "GC"), (0, "C", "GC")),
            // Soft-masked reference, lower-case record.
            ("taaaac", (4, "a", "aa"), (0, "T", "TA")),
        ] {
            assert_eq!(
                normal(start, from, to, reference),
                (expected.0, expected.1.to_owned(), expected.2.to_owned()),
                "{reference} {start} {from}>{to}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |start, allele: &[u8], alternate: &[u8]| {
            normalize(start, allele, alternate, &b"ACNT"[..]).unwrap_err()
        };
        assert_eq!(
            check(1, b"G", b"T"),
            NormalizeError::ReferenceMismatch {
                position: 1,
                found: b'G',
                expected: b'C'
            }
        );
        assert_eq!(
            check(2, b"NT", b"T"),
            NormalizeError::NoReference { position: 2 }
        );
        assert_eq!(check_reference(1, b"CGT", &b"ACNT"[..]), Ok(()));
        assert_eq!(
            check(3, b"TA", b"T"),
            NormalizeError::NoReference { position: 4 }
        );
        assert_eq!(check(1, b"C", b"c"), NormalizeError::NoChange);
        assert_eq!(
            check(1, b"G", b"T").to_string(),
            "REF has `G` at position 2, where the reference has `C`"
        );
    }

    #[test]
    fn a_stretch_counts_from_its_own_start() {
        let stretch = Stretch {
            start: 100,
            bases: b"TAAAAC",
        };
        assert_eq!((stretch.base(99), stretch.base(101)), (None, Some(b'A')));
        assert_eq!(stretch.base(106), None);
        let edit = Edit::trimmed(104, b"A", b"AA")
            .unwrap()
            .left_aligned(&stretch);
        assert_eq!(
            edit,
            Edit {
                start: 101,
                deleted: 0,
                inserted: b"A".to_vec()
            }
        );
    }

    #[test]
    fn unknown_bases_let_nothing_pass() {
        let insertion = Edit {
            start: 5,
            deleted: 0,
            inserted: b"A".to_vec(),
        };
        assert_eq!(insertion.left_aligned(&b"TNNAAC"[..]).start, 3);
        let deletion = Edit {
            start: 2,
            deleted: 1,
            inserted: Vec::new(),
        };
        assert_eq!(deletion.left_aligned(&b"TNNAAC"[..]), deletion);
    }

    #[test]
    fn the_shift_is_bounded() {
        let reference = vec![b'A'; 3 * MAX_SHIFT as usize];
        let edit = Edit {
            start: 2 * MAX_SHIFT,
            deleted: 3,
            inserted: Vec::new(),
        };
        assert_eq!(edit.left_aligned(reference.as_slice()).start, MAX_SHIFT);
    }

    /// The whole contig with REF at `start` replaced.
    fn replaced(reference: &[u8], start: u64, length: usize, alternate: &[u8]) -> Vec<u8> {
        let start = start as usize;
        [&reference[..start], alternate, &reference[start + length..]].concat()
    }

    #[test]
    fn alleles_move_together() {
        let together = |start, alleles: &[&str]| {
            let alleles = alleles.iter().map(|allele| allele.as_bytes().to_vec());
            normalize_together(start, alleles.collect(), &b"GCATTTTTGCACACACG"[..]).map(
                |(start, alleles)| {
                    let text = alleles.into_iter().map(|a| String::from_utf8(a).unwrap());
                    (start, text.collect::<Vec<_>>().join(" "))
                },
            )
        };
        // As `bcftools norm` 1.16 has them.
        for ((start, alleles), expected) in [
            ((3, &["TT", "", "TTT"][..]), (2, "ATT A ATTT")),
            ((8, &["", "T"]), (2, "A AT")),
            ((15, &["CG", "CACG"]), (8, "G GCA")),
            ((7, &["TGC", "TAC"]), (8, "G A")),
            ((7, &["TG", "TA", "TC"]), (8, "G A C")),
        ] {
            let expected = (expected.0, expected.1.to_owned());
            assert_eq!(together(start, alleles), Some(expected), "{alleles:?}");
        }
        assert_eq!(together(0, &["G", ""]), None);
    }

    proptest! {
        #[test]
        fn one_alternate_has_one_normal_form(
            reference in prop::collection::vec(prop::sample::select(&b"ACG"[..]), 4..14),
            start in 0usize..13,
            length in 1usize..6,
            alternate in prop::collection::vec(prop::sample::select(&b"ACG"[..]), 1..6),
        ) {
            let start = start.min(reference.len() - 1);
            let allele = reference[start..(start + length).min(reference.len())].to_vec();
            let start = start as u64;
            prop_assume!(allele != alternate);
            let alone = normalize(start, &allele, &alternate, reference.as_slice()).unwrap();
            let together =
                normalize_together(start, vec![allele, alternate], reference.as_slice());
            match together {
                Some((start, alleles)) => {
                    prop_assert_eq!((start, &alleles[0], &alleles[1]), (alone.0, &alone.1, &alone.2));
                }
                None => prop_assert_eq!(alone.0, 0),
            }
        }

        #[test]
        fn normal_forms_are_equal_exactly_when_the_sequences_are(
            reference in prop::collection::vec(prop::sample::select(&b"ACG"[..]), 4..14),
            records in prop::collection::vec(
                (0usize..13, 1usize..6, prop::collection::vec(prop::sample::select(&b"ACG"[..]), 1..6)),
                2,
            ),
        ) {
            let mut seen = Vec::new();
            for (start, length, alternate) in records {
                let start = start.min(reference.len() - 1);
                let end = (start + length).min(reference.len());
                let allele = &reference[start..end];
                let haplotype = replaced(&reference, start as u64, allele.len(), &alternate);
                match normalize(start as u64, allele, &alternate, reference.as_slice()) {
                    Err(NormalizeError::NoChange) => prop_assert_eq!(&haplotype, &reference),
                    Err(error) => prop_assert!(false, "{}", error),
                    Ok(normal) => {
                        prop_assert_eq!(
                            &replaced(&reference, normal.0, normal.1.len(), &normal.2),
                            &haplotype
                        );
                        let again = normalize(normal.0, &normal.1, &normal.2, reference.as_slice());
                        prop_assert_eq!(again.as_ref(), Ok(&normal));
                        seen.push((normal, haplotype));
                    }
                }
            }
            if let [(one, first), (other, second)] = seen.as_slice() {
                prop_assert_eq!(one == other, first == second);
            }
        }
    }
}
