//! A sorted CRAM with its index. noodles decodes a container at a time; the last few are kept, since calls
//! near each other ask for the same ones. The reference is held a contig at a time.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noodles_cram::io::reader::{Builder, Container, Reader};
use noodles_fasta_of_cram as fasta;
use noodles_sam as sam;
use sam::alignment::Record as _;
use sam::alignment::record::cigar::op::Kind;
use sam::alignment::record::data::field::{Tag, Value};

use super::{HeaderView, Record, Stretch};
use crate::errors::Error;
use crate::io::fasta::Reference;
use crate::io::file::File;
use crate::io::gunzip;

/// Decoded containers that are kept.
const KEPT: usize = 3;

/// A container's records, by its place in the file.
type Decoded = (u64, Arc<Vec<Record>>);

/// An open file and where it is read.
pub(super) struct Cram {
    path: PathBuf,
    reference: OnceCell<PathBuf>,
    /// Opened at the first read, once the reference is known.
    decoder: Option<Decoder>,
    lines: sam::Header,
    pub(super) header: HeaderView,
    index: Vec<Slice>,
    kept: VecDeque<Decoded>,
    stretch: Stretch,
    /// Places of the containers that are still to be read.
    to_come: VecDeque<u64>,
    /// The container that is read, and its next record.
    current: Option<(Arc<Vec<Record>>, usize)>,
}

impl fmt::Debug for Cram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cram")
            .field("stretch", &self.stretch)
            .finish_non_exhaustive()
    }
}

/// What containers are decoded with.
struct Decoder {
    reader: Reader<BufReader<File>>,
    contigs: fasta::Repository,
}

/// A line of the index (CRAM specification 3.1, section 12): where the reads of a contig lie.
struct Slice {
    contig: i32,
    /// 0-based.
    start: i64,
    end: i64,
    /// Place of the container in the file.
    container: u64,
}

impl Slice {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut number = || columns.next()?.trim().parse::<i64>().ok();
        let (contig, start, span, container) = (number()?, number()?, number()?, number()?);
        Some(Self {
            contig: i32::try_from(contig).ok()?,
            start: start - 1,
            end: start - 1 + span,
            container: u64::try_from(container).ok()?,
        })
    }
}

/// Hands noodles whole contigs.
struct Contigs(Arc<Reference>);

impl fasta::repository::Adapter for Contigs {
    fn get(&mut self, name: &[u8]) -> Option<io::Result<fasta::Record>> {
        let text = String::from_utf8_lossy(name).into_owned();
        let read = || -> io::Result<fasta::Record> {
            let mut reader = self.0.reader().map_err(io::Error::other)?;
            let block = reader.block(&text, 0, u64::MAX).map_err(io::Error::other)?;
            let bases = block.slice(0..u64::MAX).to_vec();
            let definition = fasta::record::Definition::new(name, None);
            Ok(fasta::Record::new(definition, bases.into()))
        };
        self.0.contigs().get(&text)?;
        Some(read())
    }
}

impl Cram {
    /// Opens the file with its index and reads its header.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub(super) fn open(path: &Path, index: &Path) -> Result<Self, Error> {
        let mut reader = Builder::default().build_from_reader(buffered(path)?);
        reader.read_file_definition()?;
        let lines = reader.read_file_header()?;
        let mut text = sam::io::Writer::new(Vec::new());
        text.write_header(&lines)?;
        let contigs = lines.reference_sequences().iter();
        let contigs = contigs.map(|(name, map)| (name.to_vec(), usize::from(map.length()) as u64));
        let lines_of_index = gunzip::open(index).map_err(|error| Error(error.to_string()))?;
        let mut slices = Vec::new();
        for line in lines_of_index.lines() {
            let slice = Slice::parse(&line?);
            slices.push(slice.ok_or(Error("a line of the index is damaged".to_owned()))?);
        }
        Ok(Self {
            path: path.to_owned(),
            reference: OnceCell::new(),
            decoder: None,
            header: HeaderView::new(text.into_inner(), contigs.collect()),
            lines,
            index: slices,
            kept: VecDeque::new(),
            stretch: (-1, 0, 0),
            to_come: VecDeque::new(),
            current: None,
        })
    }

    /// Names the reference.
    pub(super) fn set_reference(&self, path: &Path) {
        let _ = self.reference.set(path.to_owned());
    }

    /// Goes before the first record of a stretch.
    pub(super) fn fetch(&mut self, stretch: Stretch) {
        let (contig, start, end) = stretch;
        let overlaps =
            |slice: &&Slice| slice.contig == contig && slice.start < end && slice.end > start;
        let wanted = self.index.iter().filter(overlaps);
        let mut places: Vec<u64> = wanted.map(|slice| slice.container).collect();
        places.dedup();
        (self.stretch, self.to_come, self.current) = (stretch, places.into(), None);
    }

    /// Reads the next record of the stretch; nothing behind the last one.
    ///
    /// # Errors
    /// Where a container is damaged, or not made with this reference.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<Option<()>, Error> {
        let (contig, start, end) = self.stretch;
        loop {
            let Some((records, next)) = &mut self.current else {
                let Some(place) = self.to_come.pop_front() else {
                    return Ok(None);
                };
                self.current = Some((self.container(place)?, 0));
                continue;
            };
            let Some(found) = records.get(*next) else {
                self.current = None;
                continue;
            };
            *next += 1;
            if found.tid == contig && found.pos < end && found.end() > start {
                record.clone_from(found);
                return Ok(Some(()));
            }
        }
    }

    /// The records of the container at a place.
    fn container(&mut self, place: u64) -> Result<Arc<Vec<Record>>, Error> {
        if let Some((_, records)) = self.kept.iter().find(|(kept, _)| *kept == place) {
            return Ok(Arc::clone(records));
        }
        let records = Arc::new(self.decode(place)?);
        self.kept.push_back((place, Arc::clone(&records)));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        Ok(records)
    }

    fn decode(&mut self, place: u64) -> Result<Vec<Record>, Error> {
        let Decoder { reader, contigs } = match &mut self.decoder {
            Some(decoder) => decoder,
            none => {
                let path = self.reference.get();
                let path = path.ok_or(Error("it has no reference".to_owned()))?;
                let reference = Reference::open(path).map_err(|error| Error(error.to_string()))?;
                let contigs = fasta::Repository::new(Contigs(reference));
                let builder = Builder::default();
                let builder = builder.set_reference_sequence_repository(contigs.clone());
                let reader = builder.build_from_reader(buffered(&self.path)?);
                none.insert(Decoder { reader, contigs })
            }
        };
        // One contig at a time: that of the stretch.
        if contigs.len() > 1 {
            contigs.clear();
        }
        reader.seek(SeekFrom::Start(place))?;
        let mut container = Container::default();
        reader.read_container(&mut container)?;
        let compression = container.compression_header()?;
        let mut records = Vec::new();
        for slice in container.slices() {
            let slice = slice?;
            let (core, external) = slice.decode_blocks()?;
            let decoded =
                slice.records(contigs.clone(), &self.lines, &compression, &core, &external)?;
            for one in &decoded {
                records.push(converted(one, &self.lines)?);
            }
        }
        Ok(records)
    }
}

fn buffered(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 16, File::open(path)?))
}

/// A decoded record as a record of BAM.
fn converted(read: &noodles_cram::Record<'_>, lines: &sam::Header) -> Result<Record, Error> {
    let contig = |id: Option<io::Result<usize>>| -> Result<i32, Error> {
        Ok(id.transpose()?.map_or(-1, |id| id as i32))
    };
    let start = read.alignment_start().transpose()?;
    let bases: Vec<u8> = read.sequence().iter().collect();
    let mut qualities = read
        .quality_scores()
        .iter()
        .collect::<io::Result<Vec<u8>>>()?;
    if qualities.is_empty() {
        qualities = vec![u8::MAX; bases.len()];
    }
    let data = read.data();
    let group = match data.get(&Tag::READ_GROUP).transpose()? {
        Some(Value::String(group)) => String::from_utf8(group.to_vec()).ok(),
        _ => None,
    };
    let mapq = read.mapping_quality().transpose()?;
    let operations = read.cigar();
    let operations = operations.iter().map(|operation| {
        let operation = operation?;
        Ok((operation.len() as u32) << 4 | code(operation.kind()))
    });
    Ok(Record {
        tid: contig(read.reference_sequence_id(lines))?,
        pos: start.map_or(0, usize::from) as i64 - 1,
        flags: read.flags()?.bits(),
        mapq: mapq.map_or(u8::MAX, u8::from),
        mtid: contig(read.mate_reference_sequence_id(lines))?,
        insert_size: read.template_length()?.into(),
        name: read.name().map(|name| name.to_vec()).unwrap_or_default(),
        cigar: operations.collect::<io::Result<_>>()?,
        bases: bases.to_ascii_uppercase(),
        qualities,
        group,
    })
}

/// The code of an operation in BAM.
fn code(kind: Kind) -> u32 {
    match kind {
        Kind::Match => 0,
        Kind::Insertion => 1,
        Kind::Deletion => 2,
        Kind::Skip => 3,
        Kind::SoftClip => 4,
        Kind::HardClip => 5,
        Kind::Pad => 6,
        Kind::SequenceMatch => 7,
        Kind::SequenceMismatch => 8,
    }
}
