//! Binning indexes: BAI, TBI and CSI (SAM specification, section 5.2; Tabix; CSIv1), read to their
//! end before htslib reads them, which does not survive all of them, and to find calls by.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::bgzf_tail::is_bgzf;
use super::file::File;

/// Bases of the smallest bins of BAI and TBI, as a power of two, and levels of bins above them.
const BAI_SHIFT: u32 = 14;
const BAI_LEVELS: u32 = 5;

/// An index: which bytes of a file hold the records of which positions. Offsets are virtual ones of
/// BGZF (block << 16 | place in the block).
#[derive(Debug, Default)]
pub(crate) struct BinningIndex {
    shift: u32,
    levels: u32,
    /// The contigs by their numbers.
    pub contigs: Vec<IndexedContig>,
}

/// The index of one contig.
#[derive(Debug, Default)]
pub(crate) struct IndexedContig {
    /// Its name, where the index has names (those of text files).
    pub name: Vec<u8>,
    /// Where its first record begins and its last one ends; nothing without records.
    pub span: Option<(u64, u64)>,
    /// Number of its records, where the index counts them.
    pub records: Option<u64>,
    /// Those of them that are mapped, of an index of reads.
    pub mapped: Option<u64>,
    /// Number and first offset of each bin, sorted; of CSI only.
    bins: Vec<(u32, u64)>,
    /// First offset of each window of 2^14 bases; of BAI and TBI only.
    windows: Vec<u64>,
}

impl BinningIndex {
    /// Reads an index; nothing for a file that is none, which htslib refuses.
    ///
    /// # Errors
    /// Where it cannot be read to its end.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut file = BufReader::new(File::open(path)?);
        if !is_bgzf(file.fill_buf()?) {
            return Self::parse(&mut file);
        }
        Self::parse(&mut BufReader::new(noodles_bgzf::io::Reader::new(file)))
    }

    fn parse(bytes: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut magic = Vec::new();
        bytes.by_ref().take(4).read_to_end(&mut magic)?;
        let mut index = Self {
            shift: BAI_SHIFT,
            levels: BAI_LEVELS,
            contigs: Vec::new(),
        };
        let (count, names) = match &magic[..] {
            b"BAI\x01" => (number(bytes)?, Vec::new()),
            b"TBI\x01" => {
                let count = number(bytes)?;
                (count, names(bytes)?)
            }
            b"CSI\x01" => {
                (index.shift, index.levels) = (number(bytes)?, number(bytes)?);
                // htslib numbers the bins of more wrongly.
                if index.shift > 40 || index.levels > 9 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                let length = number(bytes)?;
                let mut own = Vec::new();
                bytes.by_ref().take(length.into()).read_to_end(&mut own)?;
                let names = names(&mut &own[..]).unwrap_or_default();
                (number(bytes)?, names)
            }
            _ => return Ok(None),
        };
        let mut names = names.into_iter();
        for _ in 0..count {
            let mut contig = index.contig(bytes, magic == b"CSI\x01")?;
            contig.name = names.next().unwrap_or_default();
            index.contigs.push(contig);
        }
        Ok(Some(index))
    }

    fn contig(&self, bytes: &mut impl BufRead, is_csi: bool) -> io::Result<IndexedContig> {
        let mut contig = IndexedContig::default();
        // Behind the last bin stands one that is none: where the contig lies, and counts.
        let counts = self.first_bin(self.levels + 1) + 1;
        for _ in 0..number(bytes)? {
            let bin = number(bytes)?;
            if is_csi {
                contig.bins.push((bin, offset(bytes)?));
            }
            let chunks = number(bytes)?;
            if bin == counts && chunks == 2 {
                let _ = contig.bins.pop_if(|_| is_csi);
                let _ = (offset(bytes)?, offset(bytes)?);
                let mapped = offset(bytes)?;
                contig.mapped = Some(mapped);
                contig.records = Some(mapped.saturating_add(offset(bytes)?));
                continue;
            }
            for _ in 0..chunks {
                let (begin, end) = (offset(bytes)?, offset(bytes)?);
                let (first, last) = contig.span.unwrap_or((begin, end));
                contig.span = Some((first.min(begin), last.max(end)));
            }
        }
        contig.bins.sort_unstable();
        if !is_csi {
            for _ in 0..number(bytes)? {
                contig.windows.push(offset(bytes)?);
            }
        }
        Ok(contig)
    }

    /// The number of the first bin of a level, 0 for the one that is the whole contig.
    fn first_bin(&self, level: u32) -> u32 {
        (((1u64 << (3 * level)) - 1) / 7) as u32
    }

    /// An offset before which no record of the contig begins at or behind `start` (0-based); as late
    /// as the index knows. Nothing for a contig without records.
    pub(crate) fn before(&self, contig: usize, start: u64) -> Option<u64> {
        let contig = self.contigs.get(contig)?;
        let (first, _) = contig.span?;
        let known = if contig.bins.is_empty() {
            // A window without records has 0, or the offset of the one before.
            let window = usize::try_from(start >> self.shift).unwrap_or(usize::MAX);
            let reached = contig.windows.len().min(window.saturating_add(1));
            let mut windows = contig.windows[..reached].iter().rev();
            windows.find(|offset| **offset > 0).copied()
        } else {
            self.bin_before(contig, start)
        };
        Some(known.unwrap_or(0).max(first))
    }

    /// The first offset of the smallest bin that holds `start`, or of the nearest one before it that
    /// has records, as htslib looks for it.
    fn bin_before(&self, contig: &IndexedContig, start: u64) -> Option<u64> {
        let leaves = 1u64 << (3 * self.levels);
        let leaf = (start >> self.shift).min(leaves - 1) as u32;
        let mut bin = self.first_bin(self.levels) + leaf;
        loop {
            if let Ok(at) = contig.bins.binary_search_by_key(&bin, |(bin, _)| *bin) {
                return Some(contig.bins[at].1);
            }
            if bin == 0 {
                return None;
            }
            let parent = (bin - 1) >> 3;
            let eldest = (parent << 3) + 1;
            bin = if bin > eldest { bin - 1 } else { parent };
        }
    }

    /// Positions of a contig (0-based) with an offset before which no record begins at or behind them, as
    /// many as the index knows; the end of its last record stands behind every position.
    pub(super) fn marks(&self, contig: usize) -> Vec<(u64, u64)> {
        let Some(contig) = self.contigs.get(contig) else {
            return Vec::new();
        };
        let Some((first, end)) = contig.span else {
            return Vec::new();
        };
        let windows = (0..).zip(&contig.windows);
        let windows = windows.map(|(window, offset)| (window << self.shift, *offset));
        let bins = contig.bins.iter();
        let bins = bins.filter_map(|(bin, offset)| Some((self.start_of(*bin)?, *offset)));
        let known = windows.chain(bins).filter(|(_, offset)| *offset > 0);
        let mut marks = vec![(0, first)];
        marks.extend(known.map(|(position, offset)| (position, offset.clamp(first, end))));
        marks.push((u64::MAX, end));
        marks
    }

    /// The first position of a bin; nothing for a number that no bin has.
    fn start_of(&self, bin: u32) -> Option<u64> {
        let level = (0..=self.levels).rfind(|level| self.first_bin(*level) <= bin)?;
        let among = u64::from(bin - self.first_bin(level));
        let is_one = among < 1 << (3 * level);
        is_one.then(|| among << (self.shift + 3 * (self.levels - level)))
    }

    /// Where the last record ends; nothing without records.
    pub(super) fn end(&self) -> Option<u64> {
        let spans = self.contigs.iter().filter_map(|contig| contig.span);
        spans.map(|(_, end)| end).max()
    }

    /// Number of records, where the index counts them.
    pub(super) fn records(&self) -> Option<u64> {
        let with_records = self.contigs.iter().filter(|contig| contig.span.is_some());
        with_records.map(|contig| contig.records).sum()
    }
}

fn number(bytes: &mut impl Read) -> io::Result<u32> {
    let mut word = [0; 4];
    bytes.read_exact(&mut word)?;
    Ok(u32::from_le_bytes(word))
}

fn offset(bytes: &mut impl Read) -> io::Result<u64> {
    let mut word = [0; 8];
    bytes.read_exact(&mut word)?;
    Ok(u64::from_le_bytes(word))
}

/// The names behind the six numbers that say how tabix reads a text.
fn names(bytes: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    for _ in 0..6 {
        number(bytes)?;
    }
    let length = number(bytes)?;
    let mut text = Vec::new();
    bytes.take(length.into()).read_to_end(&mut text)?;
    if text.len() as u64 != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let names = text.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn le(numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    fn offsets(numbers: &[u64]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    fn parse(bytes: &[u8]) -> Option<Option<BinningIndex>> {
        BinningIndex::parse(&mut &bytes[..]).ok()
    }

    /// Two contigs, the first with records in one bin and two windows.
    fn bai() -> Vec<u8> {
        [
            b"BAI\x01".to_vec(),
            le(&[2, 2, 4681, 1]),
            offsets(&[500, 900]),
            le(&[37450, 2]),
            offsets(&[500, 900, 7, 1]),
            le(&[3]),
            offsets(&[500, 0, 700]),
            le(&[0, 0]),
        ]
        .concat()
    }

    #[test]
    fn a_bai_knows_where_records_lie() {
        let bytes = bai();
        let index = parse(&bytes).unwrap().unwrap();
        assert_eq!(index.contigs.len(), 2);
        assert_eq!((index.end(), index.records()), (Some(900), Some(8)));
        for (start, expected) in [(0, 500), (16_384, 500), (32_768, 700), (1 << 40, 700)] {
            assert_eq!(index.before(0, start), Some(expected), "{start}");
        }
        assert_eq!((index.before(1, 0), index.before(2, 0)), (None, None));
        for length in 4..bytes.len() {
            assert!(parse(&bytes[..length]).is_none(), "{length}");
        }
        assert!(parse(b"hello").unwrap().is_none() && parse(b"").unwrap().is_none());
    }

    #[test]
    fn a_csi_knows_names_and_bins() {
        let own = [le(&[2, 1, 2, 0, 35, 0, 4]), b"a\0b\0".to_vec()].concat();
        let bytes = [
            b"CSI\x01".to_vec(),
            // Leaves of 16 bases; bin 0 above bins 1 to 8.
            le(&[4, 1, own.len() as u32]),
            own,
            le(&[2, 0, 3, 0]),
            offsets(&[100]),
            le(&[1]),
            offsets(&[100, 160]),
            le(&[3]),
            offsets(&[130]),
            le(&[1]),
            offsets(&[160, 190]),
            le(&[10]),
            offsets(&[0]),
            le(&[2]),
            offsets(&[100, 190, 5, 0]),
        ]
        .concat();
        let index = parse(&bytes).unwrap().unwrap();
        assert_eq!(index.contigs[1].name, b"b");
        assert_eq!(index.records(), Some(5));
        for (start, expected) in [(0, 100), (31, 100), (32, 130), (47, 130), (100, 130)] {
            assert_eq!(index.before(1, start), Some(expected), "{start}");
        }
        assert_eq!(index.before(0, 0), None);
        for length in 4..bytes.len() {
            assert!(parse(&bytes[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn marks_are_the_positions_that_an_index_knows() {
        let index = parse(&bai()).unwrap().unwrap();
        let end = (u64::MAX, 900);
        assert_eq!(index.marks(0), [(0, 500), (0, 500), (32_768, 700), end]);
        assert!(index.marks(1).is_empty() && index.marks(9).is_empty());
        let csi = BinningIndex {
            shift: 4,
            levels: 1,
            contigs: vec![IndexedContig {
                span: Some((100, 190)),
                bins: vec![(0, 100), (3, 130), (9, 150)],
                ..IndexedContig::default()
            }],
        };
        let known = [(0, 100), (0, 100), (32, 130), (u64::MAX, 190)];
        assert_eq!(csi.marks(0), known);
    }

    #[test]
    fn absurd_numbers_do_not_fill_the_memory() {
        assert!(parse(&[b"BAI\x01".to_vec(), le(&[u32::MAX])].concat()).is_none());
        assert!(parse(&[b"CSI\x01".to_vec(), le(&[14, 99, 0, 1])].concat()).is_none());
    }
}
