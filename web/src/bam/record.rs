//! One read, in the form of a BAM record (SAM specification, section 4.2).

use super::bytes::{number_at, short_at};
use crate::errors::Error;

/// Letters of the bases by their four bits.
const LETTERS: &[u8; 16] = b"=ACMGRSVTWYHKDBN";
/// Bytes of a record before its name.
const FIXED: usize = 32;

/// One read.
#[derive(Debug, Default, Clone)]
pub struct Record {
    pub(super) tid: i32,
    pub(super) pos: i64,
    pub(super) flags: u16,
    pub(super) mapq: u8,
    pub(super) mtid: i32,
    pub(super) insert_size: i64,
    pub(super) name: Vec<u8>,
    /// Length << 4 | code.
    pub(super) cigar: Vec<u32>,
    /// As letters.
    pub(super) bases: Vec<u8>,
    pub(super) qualities: Vec<u8>,
    /// `RG`.
    pub(super) group: Option<String>,
}

/// The value of a tag.
#[derive(Debug, PartialEq, Eq)]
pub enum Aux<'a> {
    /// `Z`.
    String(&'a str),
}

impl Record {
    /// An empty one, to read into.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of its contig.
    pub fn tid(&self) -> i32 {
        self.tid
    }

    /// 0-based position of its first aligned base.
    pub fn pos(&self) -> i64 {
        self.pos
    }

    /// SAM flags.
    pub fn flags(&self) -> u16 {
        self.flags
    }

    /// Mapping quality.
    pub fn mapq(&self) -> u8 {
        self.mapq
    }

    /// Number of its mate's contig.
    pub fn mtid(&self) -> i32 {
        self.mtid
    }

    /// TLEN.
    pub fn insert_size(&self) -> i64 {
        self.insert_size
    }

    /// Its name.
    pub fn qname(&self) -> &[u8] {
        &self.name
    }

    /// Length << 4 | code of each operation.
    pub fn raw_cigar(&self) -> &[u32] {
        &self.cigar
    }

    /// Its bases.
    pub fn seq(&self) -> Seq<'_> {
        Seq(&self.bases)
    }

    /// Number of its bases.
    pub fn seq_len(&self) -> usize {
        self.bases.len()
    }

    /// Its qualities.
    pub fn qual(&self) -> &[u8] {
        &self.qualities
    }

    /// Has a mate.
    pub fn is_paired(&self) -> bool {
        self.flags & 0x1 != 0
    }

    /// Is not mapped.
    pub fn is_unmapped(&self) -> bool {
        self.flags & 0x4 != 0
    }

    /// Its mate is not mapped.
    pub fn is_mate_unmapped(&self) -> bool {
        self.flags & 0x8 != 0
    }

    /// The value of a tag; of `RG` only.
    ///
    /// # Errors
    /// Where it has none.
    pub fn aux(&self, tag: &[u8]) -> Result<Aux<'_>, Error> {
        match &self.group {
            Some(group) if tag == b"RG" => Ok(Aux::String(group)),
            _ => Err(Error("the read has no such tag".to_owned())),
        }
    }

    /// One past the last reference position, as htslib's `bam_endpos` has it.
    pub(super) fn end(&self) -> i64 {
        let takes_reference = |packed: &&u32| matches!(**packed & 0xf, 0 | 2 | 3 | 7 | 8);
        let spanned = self.cigar.iter().filter(takes_reference);
        let span: i64 = if self.is_unmapped() {
            0
        } else {
            spanned.map(|packed| i64::from(packed >> 4)).sum()
        };
        self.pos + span.max(1)
    }

    /// Reads the bytes of a BAM record behind its length.
    ///
    /// # Errors
    /// Where parts of it reach past its end.
    pub(super) fn parse(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let cut = || Error("a record is shorter than its parts".to_owned());
        let fixed = bytes.get(..FIXED).ok_or_else(cut)?;
        self.tid = number_at(fixed, 0) as i32;
        self.pos = i64::from(number_at(fixed, 4) as i32);
        self.mapq = fixed[9];
        self.flags = short_at(fixed, 14);
        self.mtid = number_at(fixed, 20) as i32;
        self.insert_size = i64::from(number_at(fixed, 28) as i32);
        let length = number_at(fixed, 16) as usize;
        let mut rest = &bytes[FIXED..];
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at_checked(count).ok_or_else(cut)?;
            rest = left;
            Ok::<&[u8], Error>(taken)
        };
        let name = take(fixed[8].into())?;
        let cigar = take(usize::from(short_at(fixed, 12)) * 4)?;
        let bases = take(length.div_ceil(2))?;
        let qualities = take(length)?;
        refill(
            &mut self.name,
            name.strip_suffix(b"\0").unwrap_or(name).iter().copied(),
        );
        let operations = (0..cigar.len()).step_by(4).map(|at| number_at(cigar, at));
        refill(&mut self.cigar, operations);
        let letter = |at: usize| LETTERS[usize::from(bases[at / 2] >> (4 * (1 - at % 2)) & 0xf)];
        refill(&mut self.bases, (0..length).map(letter));
        refill(&mut self.qualities, qualities.iter().copied());
        self.take_tags(rest, length);
        Ok(())
    }

    /// Reads the read group, and the CIGAR where it is too long for its own place (section 4.2.2).
    fn take_tags(&mut self, tags: &[u8], length: usize) {
        self.group = None;
        let is_elsewhere = matches!(self.cigar[..], [clip, skip]
            if clip & 0xf == 4 && (clip >> 4) as usize == length && skip & 0xf == 3);
        for (name, kind, value) in Tags(tags) {
            match (&name, kind) {
                (b"RG", b'Z') => self.group = String::from_utf8(value.to_vec()).ok(),
                (b"CG", b'B') if is_elsewhere => {
                    let operations = (5..value.len()).step_by(4).map(|at| number_at(value, at));
                    self.cigar = operations.collect();
                }
                _ => {}
            }
        }
    }
}

/// The bases of a record.
#[derive(Debug, Clone, Copy)]
pub struct Seq<'a>(&'a [u8]);

impl Seq<'_> {
    /// As letters.
    pub fn as_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

fn refill<T>(place: &mut Vec<T>, values: impl Iterator<Item = T>) {
    place.clear();
    place.extend(values);
}

/// Walks over the tags of a record: name, type and bytes of each; ends where they are damaged.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = ([u8; 2], u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [first, second, kind, rest @ ..] = self.0 else {
            return None;
        };
        let width = |kind: u8| match kind {
            b'A' | b'c' | b'C' => Some(1),
            b's' | b'S' => Some(2),
            b'i' | b'I' | b'f' => Some(4),
            _ => None,
        };
        let (value, after) = match kind {
            b'Z' | b'H' => {
                let end = rest.iter().position(|byte| *byte == 0)?;
                (end, end + 1)
            }
            b'B' => {
                let count = number_at(rest, 1) as usize;
                let end = count.checked_mul(width(*rest.first()?)?)?.checked_add(5)?;
                (end, end)
            }
            other => {
                let width = width(*other)?;
                (width, width)
            }
        };
        self.0 = rest.get(after..)?;
        Some(([*first, *second], *kind, rest.get(..value)?))
    }
}
