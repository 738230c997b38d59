//! `-L`: which positions are wanted.
//!
//! A region is given as `chr`, `chr:pos`, `chr:beg-end` or `chr:beg-` (1-based, both ends
//! included, thousands separators allowed), or as a file: BED (0-based, half-open, by its suffix),
//! interval_list (1-based, SAM header allowed), VCF or BCF (what its records span), or `.list` /
//! `.intervals` with one region a line.

use std::path::Path;

use super::error::{IoError, Problem};
use super::text_source::TextSource;
use super::vcf_reader::VcfReader;
use cnnfilter_core::genome::{ContigTable, Interval, IntervalSet};
use cnnfilter_core::vcf::VcfRecord;

/// A contig and a stretch of it.
type Region = (String, Interval);

/// Reads all regions that the user gave; the set holds every position that one of them names.
///
/// `contigs` are the known names: they decide where a name with colons in it ends, and a region on
/// another contig is an error.
///
/// # Errors
/// Where a region or a line cannot be read, or names an unknown contig.
pub fn read(arguments: &[String], contigs: &ContigTable) -> Result<IntervalSet, IoError> {
    let mut regions = Vec::new();
    for argument in arguments {
        match kind_of(argument) {
            Some(kind) => read_file(Path::new(argument), kind, contigs, &mut regions)?,
            None => {
                let region = parse(argument, contigs)
                    .map_err(|reason| IoError::other("-L", format!("`{argument}`: {reason}")))?;
                regions.push(region);
            }
        }
    }
    if regions.is_empty() {
        log::warn!("-L names no region: no record will be written");
    }
    Ok(IntervalSet::new(regions))
}

/// Whether a record lies in the regions that were asked for, if any: by its POS, so that it lies in
/// one of the parts of a scattered run only.
pub fn hold(regions: Option<&IntervalSet>, record: &VcfRecord) -> bool {
    regions.is_none_or(|regions| {
        let contig = String::from_utf8_lossy(record.contig());
        let position = record.position().checked_sub(1);
        position.is_some_and(|position| regions.contains(&contig, position))
    })
}

/// Reads a BED file whatever its suffix, on any contigs.
///
/// # Errors
/// Where a line cannot be read.
pub fn read_bed(path: &Path) -> Result<IntervalSet, IoError> {
    let mut regions = Vec::new();
    read_file(path, Kind::Bed, &ContigTable::default(), &mut regions)?;
    Ok(IntervalSet::new(regions))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bed,
    IntervalList,
    Variants,
    Strings,
}

/// The kind of region file an argument is, by its suffix; nothing for a region itself.
fn kind_of(argument: &str) -> Option<Kind> {
    let name = argument
        .strip_suffix(".gz")
        .or(argument.strip_suffix(".bgz"));
    let name = name.unwrap_or(argument);
    let suffix = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    match suffix.as_str() {
        "bed" => Some(Kind::Bed),
        "interval_list" => Some(Kind::IntervalList),
        "vcf" | "bcf" => Some(Kind::Variants),
        "list" | "intervals" => Some(Kind::Strings),
        _ => None,
    }
}

fn read_file(
    path: &Path,
    kind: Kind,
    contigs: &ContigTable,
    regions: &mut Vec<Region>,
) -> Result<(), IoError> {
    if kind == Kind::Variants {
        let mut reader = VcfReader::open(path)?;
        while let Some((_, record)) = reader.next_record()? {
            if let Some(variant) = record.variant() {
                let (start, end) = (variant.start, variant.end);
                check_contig(&variant.contig, contigs)
                    .map_err(|reason| IoError::other(path, reason))?;
                regions.push((variant.contig, Interval { start, end }));
            }
        }
        return Ok(());
    }
    let mut source = TextSource::open_list(path)?;
    let mut bytes = Vec::new();
    let mut line = 0;
    while source.next_line(&mut bytes)? {
        line += 1;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        let is_comment = text.is_empty()
            || text.starts_with(['#', '@'])
            || ["track", "browser"].contains(&text.split_whitespace().next().unwrap_or_default());
        if is_comment {
            continue;
        }
        let parsed = match kind {
            Kind::Bed => parse_columns(text, 0, contigs),
            Kind::IntervalList if text.contains('\t') => parse_columns(text, 1, contigs),
            _ => parse(text, contigs),
        };
        let region = parsed.map_err(|reason| {
            let found = text.to_owned();
            IoError::new(
                path,
                Problem::Region {
                    line,
                    reason,
                    found,
                },
            )
        })?;
        regions.push(region);
    }
    Ok(())
}

/// Contig, start and end in columns; `first` is the number of a contig's first base.
fn parse_columns(line: &str, first: u64, contigs: &ContigTable) -> Result<Region, String> {
    let mut columns = line.split('\t');
    let (Some(contig), Some(start), Some(end)) = (columns.next(), columns.next(), columns.next())
    else {
        return Err("expected contig, start and end, separated by tabs".to_owned());
    };
    check_contig(contig, contigs)?;
    let start = number(start)?
        .checked_sub(first)
        .ok_or("positions of this format begin with 1")?;
    interval(contig, start, number(end)?)
}

/// A region as users type it.
fn parse(text: &str, contigs: &ContigTable) -> Result<Region, String> {
    if contigs.get(text).is_some() {
        return interval(text, 0, u64::MAX);
    }
    let Some((contig, range)) = text.rsplit_once(':') else {
        check_contig(text, contigs)?;
        return interval(text, 0, u64::MAX);
    };
    check_contig(contig, contigs)?;
    let (start, end) = match range.split_once('-') {
        None => {
            let position = number(range)?;
            (position, position)
        }
        Some((start, "")) => (number(start)?, u64::MAX),
        Some((start, end)) => (number(start)?, number(end)?),
    };
    let first = start.checked_sub(1).ok_or("positions begin with 1")?;
    if end < start {
        return Err(format!("it ends ({end}) before it begins ({start})"));
    }
    interval(contig, first, end)
}

fn number(text: &str) -> Result<u64, String> {
    text.replace(',', "")
        .parse()
        .map_err(|_| format!("`{text}` is no position"))
}

fn interval(contig: &str, start: u64, end: u64) -> Result<Region, String> {
    if end < start {
        return Err(format!("it ends ({end}) before it begins ({start})"));
    }
    Ok((contig.to_owned(), Interval { start, end }))
}

fn check_contig(contig: &str, contigs: &ContigTable) -> Result<(), String> {
    if contigs.is_empty() || contigs.get(contig).is_some() {
        return Ok(());
    }
    Err(match contigs.other_spelling(contig) {
        Some(other) => {
            format!("contig `{contig}` is not known; the calls or the reference say `{other}`")
        }
        None => format!(
            "contig `{contig}` is not known (there are {})",
            contigs.sample_of_names()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::genome::Contig;

    fn contigs() -> ContigTable {
        ContigTable::new(["chr1", "HLA-A*01:01", "chr2"].map(|name| Contig {
            name: name.into(),
            length: Some(1000),
        }))
    }

    #[test]
    fn regions_are_read_as_users_type_them() {
        for (text, contig, start, end) in [
            ("chr1", "chr1", 0, u64::MAX),
            ("chr1:5", "chr1", 4, 5),
            ("chr1:1,000-2,000", "chr1", 999, 2000),
            ("chr2:7-", "chr2", 6, u64::MAX),
            ("HLA-A*01:01", "HLA-A*01:01", 0, u64::MAX),
            ("HLA-A*01:01:3-4", "HLA-A*01:01", 2, 4),
        ] {
            let expected = (contig.to_owned(), Interval { start, end });
            assert_eq!(parse(text, &contigs()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_regions_say_why() {
        for (text, reason) in [
            ("1:5-9", "the calls or the reference say `chr1`"),
            ("chrZ", "there are chr1, HLA-A*01:01, chr2"),
            ("chr1:9-5", "it ends (5) before it begins (9)"),
            ("chr1:10-9", "it ends (9) before it begins (10)"),
            ("chr1:0-5", "positions begin with 1"),
            ("chr1:x", "`x` is no position"),
        ] {
            let error = parse(text, &contigs()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn files_count_as_their_format_does() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let bed = write("a.bed", "track x\nchr1\t4\t6\tname\n");
        let list = write("a.interval_list", "@HD\tVN:1.6\nchr1\t5\t6\t+\tname\n");
        let strings = write("a.list", "chr1:5-6\n");
        let vcf = write(
            "a.vcf",
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t5\t.\tAC\tA\t.\t.\t.\n",
        );
        for file in [bed, list, strings, vcf] {
            let set = read(std::slice::from_ref(&file), &contigs()).unwrap();
            assert_eq!(set.on("chr1"), &[Interval { start: 4, end: 6 }], "{file}");
        }
        let broken = write("b.bed", "chr1\t4\t6\nchr1\tx\t6\n");
        let error = read(&[broken], &contigs()).unwrap_err().to_string();
        assert!(
            error.contains("b.bed: line 2: `x` is no position"),
            "{error}"
        );
    }
}
