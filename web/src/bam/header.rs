//! The header of a file of reads.

use std::collections::HashMap;

/// Text and contigs.
#[derive(Debug, Default)]
pub struct HeaderView {
    text: Vec<u8>,
    names: Vec<Vec<u8>>,
    lengths: Vec<u64>,
    /// The first contig of each name.
    ids: HashMap<Vec<u8>, u32>,
}

impl HeaderView {
    /// A header of some lines and contigs with their lengths.
    pub(super) fn new(text: Vec<u8>, contigs: Vec<(Vec<u8>, u64)>) -> Self {
        let mut header = Self {
            text,
            ..Self::default()
        };
        for (id, (name, length)) in (0..).zip(contigs) {
            header.ids.entry(name.clone()).or_insert(id);
            header.names.push(name);
            header.lengths.push(length);
        }
        header
    }

    /// Number of contigs.
    pub fn target_count(&self) -> u32 {
        self.names.len() as u32
    }

    /// The name of a contig; empty for a number that none has.
    pub fn tid2name(&self, id: u32) -> &[u8] {
        self.names.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// The length of a contig.
    pub fn target_len(&self, id: u32) -> Option<u64> {
        self.lengths.get(id as usize).copied()
    }

    /// The number of a contig.
    pub fn tid(&self, name: &[u8]) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// Its lines.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}
