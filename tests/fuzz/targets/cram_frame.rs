//! The frame of a CRAM file: its containers and blocks, their sizes and checksums (CRAM specification
//! 3.1, sections 6 to 8).

use std::ops::Range;

use flate2::Crc;

/// The content type of a slice's header.
const SLICE: u8 = 2;

/// Where a container lies in a file.
pub struct Container {
    /// Its first byte.
    start: usize,
    /// The numbers between its length and the count of its blocks.
    numbers: Range<usize>,
    /// Contig, start and span.
    place: [i32; 3],
    /// The first byte behind its header, and behind the header's checksum.
    pub body: usize,
    /// The byte behind it, by its own length.
    end: usize,
    /// Its blocks, as far as they lie within the file.
    pub blocks: Vec<Block>,
}

/// Where a block lies in a file.
pub struct Block {
    /// Its first byte.
    pub start: usize,
    /// The first byte of its data.
    pub data: usize,
    /// The byte behind its data; a checksum follows from version 3 on.
    pub end: usize,
}

/// A block's own words about itself, and its data.
pub struct Content {
    /// How it is packed: 0 for not at all, 1 for gzip.
    pub method: u8,
    /// What is in it.
    pub kind: u8,
    /// Its number among the others.
    pub id: u32,
    /// Its size unpacked.
    pub size: u32,
    /// Packed.
    pub data: Vec<u8>,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// A number of one to five bytes (section 2.3).
    fn itf8(&mut self) -> Option<u32> {
        let first = *self.take(1)?.first()?;
        let more = first.leading_ones().min(4) as usize;
        // Of the first and the fifth byte half counts.
        let mask = if more == 4 { 0x0f } else { 0x7f >> more };
        let begun = u64::from(first & mask);
        let rest = self.take(more)?.iter();
        let number = rest.fold(begun, |number, byte| number << 8 | u64::from(*byte));
        Some(if more == 4 {
            ((number >> 8) << 4 | number & 0xf) as u32
        } else {
            number as u32
        })
    }

    /// Goes over a number of one to nine bytes.
    fn skip_ltf8(&mut self) -> Option<()> {
        let first = *self.take(1)?.first()?;
        self.take(first.leading_ones() as usize).map(drop)
    }
}

fn put_itf8(number: u32, out: &mut Vec<u8>) {
    // The longest form holds every number.
    out.push(0xf0 | (number >> 28) as u8);
    out.extend([20, 12, 4].map(|shift| (number >> shift) as u8));
    out.push((number & 0xf) as u8);
}

/// Bytes of a checksum.
fn checksum(bytes: &[u8]) -> usize {
    if bytes.get(4).is_some_and(|major| *major >= 3) {
        4
    } else {
        0
    }
}

/// The containers of a file, as far as it has any.
pub fn containers(bytes: &[u8]) -> Vec<Container> {
    let mut found = Vec::new();
    // Behind magic number, version and the file's name.
    let mut at = 26;
    while let Some(container) = container(bytes, at) {
        at = container.end;
        found.push(container);
    }
    found
}

fn container(bytes: &[u8], start: usize) -> Option<Container> {
    let mut cursor = Cursor { bytes, at: start };
    let length = i32::from_le_bytes(cursor.take(4)?.try_into().ok()?);
    let numbers = cursor.at;
    let place = [cursor.itf8()?, cursor.itf8()?, cursor.itf8()?].map(u32::cast_signed);
    cursor.itf8()?;
    if checksum(bytes) > 0 {
        cursor.skip_ltf8()?;
    } else {
        cursor.itf8()?;
    }
    cursor.skip_ltf8()?;
    let numbers = numbers..cursor.at;
    let (count, landmarks) = (cursor.itf8()?, cursor.itf8()?);
    for _ in 0..landmarks {
        cursor.itf8()?;
    }
    cursor.take(checksum(bytes))?;
    let body = cursor.at;
    let mut blocks = Vec::new();
    for _ in 0..count {
        let Some(block) = block(&mut cursor) else {
            break;
        };
        blocks.push(block);
    }
    Some(Container {
        start,
        numbers,
        place,
        body,
        end: body.checked_add(usize::try_from(length).ok()?)?,
        blocks,
    })
}

fn block(cursor: &mut Cursor<'_>) -> Option<Block> {
    let start = cursor.at;
    cursor.take(2)?;
    cursor.itf8()?;
    let (size, _) = (cursor.itf8()?, cursor.itf8()?);
    let data = cursor.at;
    cursor.take(usize::try_from(size).ok()?)?;
    let end = cursor.at;
    cursor.take(checksum(cursor.bytes))?;
    Some(Block { start, data, end })
}

/// The words and the data of a block.
pub fn content(bytes: &[u8], block: &Block) -> Option<Content> {
    let mut cursor = Cursor {
        bytes,
        at: block.start,
    };
    let [method, kind] = *cursor.take(2)? else {
        return None;
    };
    let (id, _, size) = (cursor.itf8()?, cursor.itf8()?, cursor.itf8()?);
    let data = bytes.get(block.data..block.end)?.to_vec();
    Some(Content {
        method,
        kind,
        id,
        size,
        data,
    })
}

/// The file with another content of one block: sizes, counts and landmarks around it fit.
pub fn with_content(bytes: &[u8], container: &Container, at: usize, new: &Content) -> Vec<u8> {
    let empty = vec![0; checksum(bytes)];
    let (mut body, mut landmarks) = (Vec::new(), Vec::new());
    for (index, block) in container.blocks.iter().enumerate() {
        let kind = if index == at {
            new.kind
        } else {
            bytes[block.start + 1]
        };
        if kind == SLICE {
            landmarks.push(body.len() as u32);
        }
        if index == at {
            body.extend([new.method, new.kind]);
            put_itf8(new.id, &mut body);
            put_itf8(new.data.len() as u32, &mut body);
            put_itf8(new.size, &mut body);
            body.extend(&new.data);
        } else {
            body.extend(&bytes[block.start..block.end]);
        }
        body.extend(&empty);
    }
    let mut out = bytes[..container.start].to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(&bytes[container.numbers.clone()]);
    put_itf8(container.blocks.len() as u32, &mut out);
    put_itf8(landmarks.len() as u32, &mut out);
    for landmark in landmarks {
        put_itf8(landmark, &mut out);
    }
    out.extend(&empty);
    out.extend(body);
    out.extend(bytes.get(container.end..).unwrap_or_default());
    out
}

/// Makes the checksums fit: nearly every change of a file would end at them.
pub fn mend(bytes: &mut [u8]) {
    if checksum(bytes) == 0 {
        return;
    }
    for Container {
        start,
        body,
        blocks,
        ..
    } in containers(bytes)
    {
        for Block { start, end, .. } in blocks {
            put_checksum(bytes, start..end);
        }
        put_checksum(bytes, start..body - 4);
    }
}

fn put_checksum(bytes: &mut [u8], of: Range<usize>) {
    let mut crc = Crc::new();
    crc.update(&bytes[of.clone()]);
    bytes[of.end..of.end + 4].copy_from_slice(&crc.sum().to_le_bytes());
}

/// The index of a file (section 12), as text. Slices of several contigs lie on the first two.
pub fn index(bytes: &[u8]) -> String {
    let mut text = String::new();
    for container in containers(bytes) {
        let [contig, start, span] = container.place;
        let Container {
            start: offset,
            body,
            end,
            ..
        } = container;
        let slices = container.blocks.iter();
        for slice in slices.filter(|block| bytes[block.start + 1] == SLICE) {
            let landmark = slice.start - body;
            let size = end.saturating_sub(slice.start);
            let contigs = if contig == -2 { 0..=1 } else { contig..=contig };
            let (start, span) = if contig == -2 {
                (1, 2000)
            } else {
                (start, span)
            };
            for contig in contigs {
                text += &format!("{contig}\t{start}\t{span}\t{offset}\t{landmark}\t{size}\n");
            }
        }
    }
    text
}
