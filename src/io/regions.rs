//! Regions, as typed and as files: one reader for `-L`, confident regions, strata and held-out regions.
//!
//! A region is typed as `chr`, `chr:pos`, `chr:beg-end` or `chr:beg-` (1-based, both ends included,
//! thousands separators allowed). A file is one of four formats:
//!
//! | format | counts | told by |
//! |---|---|---|
//! | BED | from 0, half-open | the suffix `.bed`, or a line `track` or `browser` in front |
//! | interval_list | from 1, both ends included | an `@` header in front, or the suffix `.interval_list` |
//! | one region a line, as typed | from 1 | lines without tabs |
//! | VCF or BCF: what its records span | | its first line |
//!
//! `.list`, `.intervals` and `.picard` hold an interval_list or regions as typed, as in GATK. Where
//! name and content disagree, or columns might count from 0 or from 1, the file is refused: a guess
//! would be off by one in silence.

use std::path::Path;

use super::error::{IoError, Problem};
use super::text_source::TextSource;
use super::vcf_reader::VcfReader;
use cnnfilter_core::genome::{ContigTable, Interval, IntervalSet};
use cnnfilter_core::vcf::VcfRecord;

/// A contig and a stretch of it.
type Region = (String, Interval);

/// The regions that the user gave; nothing, which means everywhere, where none was given.
///
/// # Errors
/// As [`read`].
pub fn wanted(arguments: &[String], contigs: &ContigTable) -> Result<Option<IntervalSet>, IoError> {
    let given = !arguments.is_empty();
    given.then(|| read(arguments, contigs)).transpose()
}

/// Reads all regions that the user gave; the set holds every position that one of them names.
///
/// `contigs` are the known names: they decide where a name with colons in it ends, and a region on
/// another contig is an error.
///
/// # Errors
/// Where a region or a line cannot be read, or names an unknown contig.
pub fn read(arguments: &[String], contigs: &ContigTable) -> Result<IntervalSet, IoError> {
    let names = Names {
        contigs,
        is_strict: true,
    };
    let mut regions = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let is_file = Suffix::of(path).is_some() && contigs.get(argument).is_none();
        // Without contigs any word would be the name of one.
        if is_file || (contigs.is_empty() && path.is_file()) {
            read_into(path, names, &mut regions)?;
            continue;
        }
        match names.typed(argument) {
            Ok(region) => {
                if path.is_file() {
                    log::warn!(
                        "-L `{argument}` is taken for a region; for the file of that name, write `./{argument}`"
                    );
                }
                regions.push(region);
            }
            Err(_) if path.exists() => read_into(path, names, &mut regions)?,
            Err(reason) => {
                let missing = if argument.contains(':') {
                    ""
                } else {
                    ", and there is no file of that name"
                };
                let message = format!("`{argument}`: {reason}{missing}");
                return Err(IoError::other("-L", message));
            }
        }
    }
    if regions.is_empty() {
        log::warn!("-L names no region: no record will be written");
    }
    Ok(IntervalSet::new(regions))
}

/// True where a record lies in the regions that were asked for, if any: by its POS, so that it lies in
/// one of the parts of a scattered run only.
pub fn hold(regions: Option<&IntervalSet>, record: &VcfRecord) -> bool {
    regions.is_none_or(|regions| {
        let contig = String::from_utf8_lossy(record.contig());
        let position = record.position().checked_sub(1);
        position.is_some_and(|position| regions.contains(&contig, position))
    })
}

/// Reads a file of regions, which may lie on contigs beside those of `contigs` as well: confident
/// regions and strata are made for a whole genome. `what` names them in a warning if there are none.
///
/// # Errors
/// Where a line cannot be read, or it is not clear from where the positions count.
pub fn read_file(path: &Path, what: &str, contigs: &ContigTable) -> Result<IntervalSet, IoError> {
    let names = Names {
        contigs,
        is_strict: false,
    };
    let mut regions = Vec::new();
    read_into(path, names, &mut regions)?;
    if regions.is_empty() {
        log::warn!("{}: {what}: the file names no region", path.display());
    }
    Ok(IntervalSet::new(regions))
}

/// The format that a file's name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suffix {
    Bed,
    IntervalList,
    Variants,
    /// Of GATK: interval_list, or one region a line.
    List,
}

impl Suffix {
    fn of(path: &Path) -> Option<Self> {
        let is_packed = |suffix: &str| ["gz", "bgz", "bgzf"].contains(&suffix);
        let lower = |path: &Path| Some(path.extension()?.to_str()?.to_ascii_lowercase());
        let mut suffix = lower(path)?;
        if is_packed(&suffix) {
            suffix = lower(Path::new(path.file_stem()?))?;
        }
        match suffix.as_str() {
            "bed" => Some(Self::Bed),
            "interval_list" => Some(Self::IntervalList),
            "vcf" | "bcf" => Some(Self::Variants),
            "list" | "intervals" | "picard" => Some(Self::List),
            _ => None,
        }
    }

    /// The format as messages call it.
    fn name(self) -> &'static str {
        match self {
            Self::Bed => "BED, which counts from 0",
            Self::IntervalList => "interval_list, which counts from 1",
            Self::Variants => "VCF",
            Self::List => "a list of regions, which counts from 1",
        }
    }
}

/// Layout of the lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Columns from 0, half-open.
    Bed,
    /// Columns from 1; lines without tabs as typed.
    IntervalList,
    /// As typed.
    Typed,
}

/// The lines before the first region of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    Nothing,
    /// `@HD`, `@SQ`: interval_list.
    SamHeader,
    /// `track` or `browser`: BED.
    Track,
}

impl Front {
    fn of(line: &str) -> Self {
        match line.split_whitespace().next() {
            Some("track" | "browser") => Self::Track,
            Some(word) if word.starts_with('@') => Self::SamHeader,
            _ => Self::Nothing,
        }
    }
}

/// The layout of a file from its name, what stands in front of its first region, and that region.
fn layout(suffix: Option<Suffix>, front: Front, first: &str) -> Result<Layout, String> {
    let columns: Vec<&str> = first.split('\t').collect();
    let has_columns = columns.len() > 1;
    match (suffix, front) {
        (Some(Suffix::Bed), Front::SamHeader) => Err(
            "the name says BED, which counts from 0, but `@` lines stand in front, as in an interval_list, which counts from 1; name the file .interval_list, or take the `@` lines out if it counts from 0".to_owned(),
        ),
        (Some(Suffix::Bed), _) if is_interval_row(&columns) => Err(
            "the name says BED, which counts from 0, but the columns are those of an interval_list, which counts from 1 (a strand in the fourth, a name in the fifth and last); name the file .interval_list, or keep its first three columns if it counts from 0".to_owned(),
        ),
        (Some(Suffix::Bed), _) => Ok(Layout::Bed),
        (Some(other), Front::Track) => Err(format!(
            "the name says {}, but `track` or `browser` stands in front, as in BED, which counts from 0; name the file .bed, or take that line out if it counts from 1",
            other.name()
        )),
        (None, Front::Track) => Ok(Layout::Bed),
        (Some(Suffix::IntervalList), _) | (_, Front::SamHeader) => Ok(Layout::IntervalList),
        (_, Front::Nothing) if has_columns => Err(
            "columns may count from 0 or from 1, and neither the name nor a header says which; name the file .bed if it counts from 0 (or add a line `track` in front), .interval_list if it counts from 1 (or add its `@` header)".to_owned(),
        ),
        (_, Front::Nothing) => Ok(Layout::Typed),
    }
}

/// True where columns are contig, start, end, strand and name: in BED the fifth is a number.
fn is_interval_row(columns: &[&str]) -> bool {
    matches!(columns, [_, _, _, "+" | "-", name] if name.parse::<f64>().is_err())
}

/// Adds the regions of a file.
fn read_into(path: &Path, names: Names<'_>, regions: &mut Vec<Region>) -> Result<(), IoError> {
    let suffix = Suffix::of(path);
    let mut source = TextSource::open(path)?;
    let begins_as_vcf = source.begins_with(b"##fileformat=VCF")?;
    match (suffix, begins_as_vcf) {
        (Some(Suffix::Variants), _) | (None, true) => {
            return read_variants(VcfReader::of_source(source)?, names, regions);
        }
        (Some(other), true) => {
            let message = format!(
                "the name says {}, but it is a VCF; name the file .vcf",
                other.name()
            );
            return Err(IoError::other(path, message));
        }
        (_, false) => {}
    }
    source.take_any_last_line();
    let mut bytes = Vec::new();
    let (mut line, mut front, mut known) = (0, Front::Nothing, None);
    while source.next_line(&mut bytes)? {
        line += 1;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        let in_front = Front::of(text);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if in_front != Front::Nothing && known.is_none() {
            front = in_front;
            continue;
        }
        let parsed = match (known, in_front) {
            // Files of one format may be joined with their headers; those of two count in two ways.
            (Some(Layout::Bed), Front::Track) | (Some(Layout::IntervalList), Front::SamHeader) => {
                continue;
            }
            (Some(_), Front::SamHeader | Front::Track) => Err(
                "a header of another format stands among the regions; give the files one by one"
                    .to_owned(),
            ),
            (Some(layout), Front::Nothing) => Ok(layout),
            (None, _) => layout(suffix, front, text),
        }
        .and_then(|layout| {
            known = Some(layout);
            names.row(text, layout)
        });
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

/// Adds what the records of a VCF span.
fn read_variants(
    mut reader: VcfReader,
    names: Names<'_>,
    regions: &mut Vec<Region>,
) -> Result<(), IoError> {
    while let Some((_, record)) = reader.next_record()? {
        if let Some(variant) = record.variant() {
            let (start, end) = (variant.start, variant.end);
            names
                .check(&variant.contig)
                .map_err(|reason| IoError::other(reader.path(), reason))?;
            regions.push((variant.contig, Interval { start, end }));
        }
    }
    Ok(())
}

/// The contigs that regions may lie on.
#[derive(Clone, Copy)]
struct Names<'a> {
    contigs: &'a ContigTable,
    /// True where others are an error.
    is_strict: bool,
}

impl Names<'_> {
    /// A line of a file.
    fn row(self, text: &str, layout: Layout) -> Result<Region, String> {
        match layout {
            Layout::Bed => self.columns(text, 0),
            Layout::IntervalList if text.contains('\t') => self.columns(text, 1),
            Layout::IntervalList | Layout::Typed => {
                if text.contains(char::is_whitespace) {
                    return Err(
                        "expected a region, chr:beg-end, and nothing else on the line".to_owned(),
                    );
                }
                self.typed(text)
            }
        }
    }

    /// Contig, start and end in columns; `first` is the number of a contig's first base.
    fn columns(self, line: &str, first: u64) -> Result<Region, String> {
        let mut columns = line.split('\t');
        let (Some(contig), Some(start), Some(end)) =
            (columns.next(), columns.next(), columns.next())
        else {
            return Err("expected contig, start and end, separated by tabs".to_owned());
        };
        self.check(contig)?;
        let start = number(start)?.checked_sub(first).ok_or(
            "positions of this format begin with 1; name the file .bed if it counts from 0",
        )?;
        interval(contig, start, number(end)?)
    }

    /// A region as users type it.
    fn typed(self, text: &str) -> Result<Region, String> {
        if self.contigs.get(text).is_some() {
            return interval(text, 0, u64::MAX);
        }
        let Some((contig, range)) = text.rsplit_once(':') else {
            // Any word could be the name of a contig that the calls lack.
            let names = Names {
                is_strict: true,
                ..self
            };
            names.check(text)?;
            return interval(text, 0, u64::MAX);
        };
        self.check(contig)?;
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

    fn check(self, contig: &str) -> Result<(), String> {
        if !self.is_strict || self.contigs.is_empty() || self.contigs.get(contig).is_some() {
            return Ok(());
        }
        Err(match self.contigs.other_spelling(contig) {
            Some(other) => {
                format!("contig `{contig}` is not known; the calls or the reference say `{other}`")
            }
            None => format!(
                "contig `{contig}` is not known (there are {})",
                self.contigs.sample_of_names()
            ),
        })
    }
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

    fn strict(contigs: &ContigTable) -> Names<'_> {
        Names {
            contigs,
            is_strict: true,
        }
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
            assert_eq!(strict(&contigs()).typed(text), Ok(expected), "{text}");
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
            let error = strict(&contigs()).typed(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn name_and_content_decide_together() {
        use Front::{Nothing, SamHeader, Track};
        let of = |name: &str, front, first: &str| {
            layout(Suffix::of(Path::new(name)), front, first).map_err(|_| ())
        };
        let (columns, typed) = ("c\t1\t9", "c:1-9");
        for (name, front, first, expected) in [
            ("x.bed", Nothing, columns, Ok(Layout::Bed)),
            ("x.BED.gz", Nothing, "c\t1\t9\t+\t0", Ok(Layout::Bed)),
            ("x.bed", Track, columns, Ok(Layout::Bed)),
            ("x", Track, columns, Ok(Layout::Bed)),
            ("x.bed", SamHeader, columns, Err(())),
            ("x.bed", Nothing, "c\t1\t9\t+\tname", Err(())),
            (
                "x.interval_list",
                Nothing,
                columns,
                Ok(Layout::IntervalList),
            ),
            (
                "x.interval_list",
                SamHeader,
                columns,
                Ok(Layout::IntervalList),
            ),
            ("x.interval_list", Track, columns, Err(())),
            ("x.list", SamHeader, columns, Ok(Layout::IntervalList)),
            ("x.intervals", Nothing, typed, Ok(Layout::Typed)),
            ("x.picard", Nothing, columns, Err(())),
            ("x.txt", SamHeader, columns, Ok(Layout::IntervalList)),
            ("x.txt", Nothing, typed, Ok(Layout::Typed)),
            ("x.txt", Nothing, columns, Err(())),
        ] {
            assert_eq!(of(name, front, first), expected, "{name} {front:?} {first}");
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
