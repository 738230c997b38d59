//! FASTQ records in pairs, and blocks of them.

use std::io::BufRead;
use std::ops::Range;

use crate::error::SimulateError;

/// Pairs of a block; the last one has fewer.
pub const PAIRS_PER_BLOCK: usize = 10_000;

/// A read: as many qualities (ASCII, Phred + 33) as bases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Bases, upper case, in the order in which they were read.
    pub bases: Vec<u8>,
    /// Qualities, Phred + 33.
    pub qualities: Vec<u8>,
}

impl Read {
    /// Takes over what is in `other`, without new memory.
    pub fn copy_from(&mut self, other: Slices<'_>) {
        self.bases.clear();
        self.bases.extend_from_slice(other.bases);
        self.qualities.clear();
        self.qualities.extend_from_slice(other.qualities);
    }

    /// Cuts what is behind `length` bases.
    pub fn truncate(&mut self, length: usize) {
        self.bases.truncate(length);
        self.qualities.truncate(length);
    }
}

/// A record in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slices<'a> {
    /// The name's line without `@`.
    pub name: &'a [u8],
    /// Bases, upper case.
    pub bases: &'a [u8],
    /// Qualities, Phred + 33.
    pub qualities: &'a [u8],
}

/// Consecutive pairs of two FASTQ files.
#[derive(Debug, Clone, Default)]
pub struct Block {
    text: Vec<u8>,
    /// Ends of name and bases, then of the whole record, in `text`; two records a pair.
    ends: Vec<[usize; 2]>,
}

impl Block {
    /// Pairs in it.
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A mate (0 or 1) of the pair `index`.
    pub fn mate(&self, index: usize, mate: usize) -> Option<Slices<'_>> {
        let at = index * 2 + mate;
        let [name_end, end] = *self.ends.get(at)?;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends[before][1],
            None => 0,
        };
        let length = (end - name_end) / 2;
        Some(Slices {
            name: &self.text[start..name_end],
            bases: &self.text[name_end..name_end + length],
            qualities: &self.text[name_end + length..end],
        })
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a pair, the `number`th (from 1) of its files.
    ///
    /// # Errors
    /// Where the names are not those of one pair, or a record has not as many qualities as bases.
    pub fn push(&mut self, pair: [Slices<'_>; 2], number: u64) -> Result<(), SimulateError> {
        let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        if fragment(pair[0].name) != fragment(pair[1].name) {
            return Err(SimulateError::Unpaired {
                number,
                first: format!("`{}`", shown(pair[0].name)),
                second: format!("`{}`", shown(pair[1].name)),
            });
        }
        for record in pair {
            if record.bases.len() != record.qualities.len() {
                let [bases, qualities] = [record.bases.len(), record.qualities.len()];
                let name = shown(record.name);
                return Err(SimulateError::Fastq {
                    number,
                    expected: "as many qualities as bases",
                    found: format!("{bases} bases and {qualities} qualities of {name}"),
                });
            }
        }
        for record in pair {
            self.text.extend_from_slice(record.name);
            let name_end = self.text.len();
            self.text
                .extend(record.bases.iter().map(u8::to_ascii_uppercase));
            self.text.extend_from_slice(record.qualities);
            self.ends.push([name_end, self.text.len()]);
        }
        Ok(())
    }
}

/// Where the fragment's name ends in a read's name: before `/1` or `/2`, or the first blank.
pub fn fragment_end(name: &[u8]) -> usize {
    let end = name
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(name.len());
    match name[..end] {
        [.., b'/', b'1' | b'2'] => end - 2,
        _ => end,
    }
}

fn fragment(name: &[u8]) -> &[u8] {
    &name[..fragment_end(name)]
}

/// Faults in a FASTQ.
#[derive(Debug, thiserror::Error)]
pub enum FastqError {
    /// The system refuses.
    #[error("cannot read: {0}")]
    System(#[from] std::io::Error),
    /// The content is wrong.
    #[error(transparent)]
    Content(#[from] SimulateError),
}

/// Reads FASTQ records of four lines.
#[derive(Debug)]
pub struct FastqReader<R> {
    input: R,
    lines: Vec<u8>,
    number: u64,
}

impl<R: BufRead> FastqReader<R> {
    /// A reader of `input`, which is at the beginning of a record.
    pub fn new(input: R) -> Self {
        Self {
            input,
            lines: Vec::new(),
            number: 0,
        }
    }

    /// The next record, `None` at the end.
    ///
    /// # Errors
    /// Where the input cannot be read or is no FASTQ.
    pub fn next_record(&mut self) -> Result<Option<Slices<'_>>, FastqError> {
        self.lines.clear();
        self.number += 1;
        let [name, bases, plus, qualities] =
            [self.line()?, self.line()?, self.line()?, self.line()?];
        let lines = &self.lines;
        let wrong = |expected, range: &Range<usize>| {
            let found = String::from_utf8_lossy(&lines[range.clone()]);
            FastqError::Content(SimulateError::Fastq {
                number: self.number,
                expected,
                found: found.chars().take(80).collect(),
            })
        };
        if lines.is_empty() {
            return Ok(None);
        }
        if lines.get(name.start) != Some(&b'@') {
            return Err(wrong("a line that begins with `@`", &name));
        }
        if lines.get(plus.start) != Some(&b'+') || plus.is_empty() {
            return Err(wrong("a third line that begins with `+`", &plus));
        }
        if !lines[bases.clone()].iter().all(u8::is_ascii_alphabetic) {
            return Err(wrong("a second line of bases", &bases));
        }
        if !lines[qualities.clone()]
            .iter()
            .all(|quality| (b'!'..=b'~').contains(quality))
        {
            return Err(wrong(
                "a fourth line of qualities from `!` to `~`",
                &qualities,
            ));
        }
        Ok(Some(Slices {
            name: &lines[name.start + 1..name.end],
            bases: &lines[bases],
            qualities: &lines[qualities],
        }))
    }

    /// Where the next line stands in `lines`, without its end.
    fn line(&mut self) -> Result<Range<usize>, std::io::Error> {
        let start = self.lines.len();
        self.input.read_until(b'\n', &mut self.lines)?;
        let mut end = self.lines.len();
        while end > start && matches!(self.lines[end - 1], b'\n' | b'\r') {
            end -= 1;
        }
        Ok(start..end)
    }
}

/// Fills a block (emptied first) with the next pairs of two files; `before` pairs were read
/// already. An empty block is the end.
///
/// # Errors
/// Where a file cannot be read, is no FASTQ, or ends before the other.
pub fn next_block<R: BufRead>(
    inputs: &mut [FastqReader<R>; 2],
    before: u64,
    block: &mut Block,
) -> Result<(), FastqError> {
    block.clear();
    let [first, second] = inputs;
    while block.len() < PAIRS_PER_BLOCK {
        let number = before + block.len() as u64 + 1;
        match (first.next_record()?, second.next_record()?) {
            (None, None) => break,
            (Some(first), Some(second)) => block.push([first, second], number)?,
            (first, second) => {
                let shown = |read: Option<Slices<'_>>| match read {
                    Some(read) => format!("`{}`", String::from_utf8_lossy(read.name)),
                    None => "ended".to_owned(),
                };
                return Err(FastqError::Content(SimulateError::Unpaired {
                    number,
                    first: shown(first),
                    second: shown(second),
                }));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers<'a>(first: &'a str, second: &'a str) -> [FastqReader<&'a [u8]>; 2] {
        [first, second].map(|text| FastqReader::new(text.as_bytes()))
    }

    fn message(first: &str, second: &str) -> String {
        let mut block = Block::default();
        let read = next_block(&mut readers(first, second), 0, &mut block);
        read.unwrap_err().to_string()
    }

    #[test]
    fn pairs_come_out_as_they_went_in() {
        let first = "@a/1\nacg\n+\nIJ#\n@b/1 x\n\n+b\n\n";
        let second = "@a/2\r\nTT\r\n+\r\nII\r\n@b/2\nN\n+\n!";
        let mut readers = readers(first, second);
        let mut block = Block::default();
        next_block(&mut readers, 0, &mut block).unwrap();
        assert_eq!(block.len(), 2);
        let shown = |index, mate| {
            let read = block.mate(index, mate).unwrap();
            [read.name, read.bases, read.qualities]
                .map(|part| String::from_utf8_lossy(part).into_owned())
        };
        assert_eq!(shown(0, 0), ["a/1", "ACG", "IJ#"]);
        assert_eq!(shown(0, 1), ["a/2", "TT", "II"]);
        assert_eq!(shown(1, 0), ["b/1 x", "", ""]);
        assert_eq!(shown(1, 1), ["b/2", "N", "!"]);
        assert_eq!(block.mate(2, 0), None);
        next_block(&mut readers, 2, &mut block).unwrap();
        assert!(block.is_empty());
    }

    #[test]
    fn blocks_end_where_they_are_full() {
        let text = |mate: u8| -> String {
            (0..PAIRS_PER_BLOCK + 5)
                .map(|number| format!("@{number}/{mate}\nA\n+\nI\n"))
                .collect()
        };
        let (first, second) = (text(1), text(2));
        let mut readers = readers(&first, &second);
        let mut block = Block::default();
        let mut sizes = Vec::new();
        loop {
            let before = sizes.iter().sum::<usize>() as u64;
            next_block(&mut readers, before, &mut block).unwrap();
            if block.is_empty() {
                break;
            }
            sizes.push(block.len());
        }
        assert_eq!(sizes, [PAIRS_PER_BLOCK, 5]);
    }

    #[test]
    fn what_is_no_fastq_is_named() {
        let good = "@a/1\nAC\n+\nII\n";
        for (bad, expected) in [
            (">a\nAC\n+\nII\n", "begins with `@`"),
            (
                "@a/2\nAC\nII\n@b",
                "third line that begins with `+`, found `II`",
            ),
            ("@a/2\nAC\n+\nI\n", "2 bases and 1 qualities of a/2"),
            ("@a/2\nAC\n+\n", "2 bases and 0 qualities"),
            ("@a/2\nAC\n", "third line"),
            ("@a/2\nA C\n+\nIII\n", "line of bases, found `A C`"),
            ("@a/2\nAC\n+\nI\t\n", "qualities from `!` to `~`"),
            ("@b/2\nAC\n+\nII\n", "`a/1`, the second `b/2`"),
            ("", "pair 1: the first file has `a/1`, the second ended"),
        ] {
            let message = message(good, bad);
            assert!(message.contains(expected), "{bad:?}: {message}");
        }
    }

    #[test]
    fn names_end_before_the_mates_mark() {
        for (name, end) in [
            ("a/1", 1),
            ("a/2 x", 1),
            ("a/3", 3),
            ("a x/1", 1),
            ("/1", 0),
            ("", 0),
        ] {
            assert_eq!(fragment_end(name.as_bytes()), end, "{name}");
        }
    }
}
