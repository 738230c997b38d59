// Copyright 2019 Johannes Köster and Florian Finkernagel.
// Licensed under the MIT license (http://opensource.org/licenses/MIT)
// This file may not be copied, modified, or distributed
// except according to those terms.

//! Extensions for BAM records beyond htslib

use crate::bam;
use crate::bam::record::Cigar;
use crate::htslib;
use std::collections::HashMap;

pub struct IterAlignedBlockPairs {
    genome_pos: i64,
    read_pos: i64,
    cigar_index: usize,
    cigar: Vec<Cigar>,
}

impl Iterator for IterAlignedBlockPairs {
    type Item = ([i64; 2], [i64; 2]);
    fn next(&mut self) -> Option<Self::Item> {
        while self.cigar_index < self.cigar.len() {
            let entry = self.cigar[self.cigar_index];
            match entry {
                Cigar::Match(len) | Cigar::Equal(len) | Cigar::Diff(len) => {
                    let qstart = self.read_pos;
                    let qend = qstart + len as i64;
                    let rstart = self.genome_pos;
                    let rend = self.genome_pos + len as i64;
                    self.read_pos += len as i64;
                    self.genome_pos += len as i64;
                    self.cigar_index += 1;
                    return Some(([qstart, qend], [rstart, rend]));
                }
                Cigar::Ins(len) | Cigar::SoftClip(len) => {
                    self.read_pos += len as i64;
                }
                Cigar::Del(len) | Cigar::RefSkip(len) => {
                    self.genome_pos += len as i64;
                }
                Cigar::HardClip(_) => {} // no advance
                Cigar::Pad(_) => panic!("Padding (Cigar::Pad) is not supported."), //padding is only used for multiple sequence alignment
            }
            self.cigar_index += 1;
        }
        None
    }
}

pub struct IterAlignedBlocks {
    pos: i64,
    cigar_index: usize,
    cigar: Vec<Cigar>,
}

impl Iterator for IterAlignedBlocks {
    type Item = [i64; 2];
    fn next(&mut self) -> Option<Self::Item> {
        while self.cigar_index < self.cigar.len() {
            let entry = self.cigar[self.cigar_index];
            match entry {
                Cigar::Match(len) | Cigar::Equal(len) | Cigar::Diff(len) => {
                    let out_pos = self.pos;
                    //result.push([pos, pos + *len as i64]);
                    self.pos += len as i64;
                    self.cigar_index += 1;
                    return Some([out_pos, out_pos + len as i64]);
                }
                Cigar::Del(len) => self.pos += len as i64,
                Cigar::RefSkip(len) => self.pos += len as i64,
                _ => (),
            }
            self.cigar_index += 1;
        }
        None
    }
}

pub struct IterIntrons {
    pos: i64,
    cigar_index: usize,
    cigar: Vec<Cigar>,
}

impl Iterator for IterIntrons {
    type Item = [i64; 2];
    fn next(&mut self) -> Option<Self::Item> {
        while self.cigar_index < self.cigar.len() {
            let entry = self.cigar[self.cigar_index];
            match entry {
                Cigar::Match(len) | Cigar::Equal(len) | Cigar::Diff(len) | Cigar::Del(len) => {
                    self.pos += len as i64
                }
                Cigar::RefSkip(len) => {
                    let junc_start = self.pos;
                    self.pos += len as i64;
                    self.cigar_index += 1;
                    return Some([junc_start, self.pos]); //self.pos is  junc_start + len
                }
                _ => {}
            }
            self.cigar_index += 1;
        }
        None
    }
}

pub struct IterAlignedPairs {
    genome_pos: i64,
    read_pos: i64,
    cigar: Vec<Cigar>,
    remaining_match_bp: u32,
    cigar_index: usize,
}

impl Iterator for IterAlignedPairs {
    type Item = [i64; 2];
    fn next(&mut self) -> Option<Self::Item> {
        if self.remaining_match_bp > 0 {
            self.remaining_match_bp -= 1;
            self.genome_pos += 1;
            self.read_pos += 1;
            return Some([self.read_pos - 1, self.genome_pos - 1]);
        }

        while self.cigar_index < self.cigar.len() {
            let entry = self.cigar[self.cigar_index];
            match entry {
                Cigar::Match(len) | Cigar::Equal(len) | Cigar::Diff(len) => {
                    self.genome_pos += 1;
                    self.read_pos += 1;
                    self.remaining_match_bp = len - 1;
                    self.cigar_index += 1;
                    return Some([self.read_pos - 1, self.genome_pos - 1]);
                }
                Cigar::Ins(len) | Cigar::SoftClip(len) => {
                    self.read_pos += len as i64;
                }
                Cigar::Del(len) | Cigar::RefSkip(len) => {
                    self.genome_pos += len as i64;
                }
                Cigar::HardClip(_) => {} // no advance
                Cigar::Pad(_) => panic!("Padding (Cigar::Pad) is not supported."), //padding is only used for multiple sequence alignment
            }
            self.cigar_index += 1;
        }
        None
    }
}

pub struct IterAlignedPairsFull {
    genome_pos: i64,
    read_pos: i64,
    cigar: Vec<Cigar>,
    remaining_match_bp: u32,
    remaining_ins_bp: u32,
    remaining_del_bp: u32,
    cigar_index: usize,
}

impl Iterator for IterAlignedPairsFull {
    type Item = [Option<i64>; 2];
    fn next(&mut self) -> Option<Self::Item> {
        if self.remaining_match_bp > 0 {
            self.remaining_match_bp -= 1;
            self.genome_pos += 1;
            self.read_pos += 1;
            return Some([Some(self.read_pos - 1), Some(self.genome_pos - 1)]);
        }
        if self.remaining_ins_bp > 0 {
            self.remaining_ins_bp -= 1;
            self.read_pos += 1;
            return Some([Some(self.read_pos - 1), None]);
        }
        if self.remaining_del_bp > 0 {
            self.remaining_del_bp -= 1;
            self.genome_pos += 1;
            return Some([None, Some(self.genome_pos - 1)]);
        }

        while self.cigar_index < self.cigar.len() {
            let entry = self.cigar[self.cigar_index];
            match entry {
                Cigar::Match(len) | Cigar::Equal(len) | Cigar::Diff(len) => {
                    self.genome_pos += 1;
                    self.read_pos += 1;
                    self.remaining_match_bp = len - 1;
                    self.cigar_index += 1;
                    return Some([Some(self.read_pos - 1), Some(self.genome_pos - 1)]);
                }
                Cigar::Ins(len) | Cigar::SoftClip(len) => {
                    self.read_pos += 1;
                    self.remaining_ins_bp = len - 1;
                    self.cigar_index += 1;
                    return Some([Some(self.read_pos - 1), None]);
                }
                Cigar::Del(len) | Cigar::RefSkip(len) => {
                    self.genome_pos += 1;
                    self.remaining_del_bp = len - 1;
                    self.cigar_index += 1;
                    return Some([None, Some(self.genome_pos - 1)]);
                }
                Cigar::HardClip(_) => {
                    // no advance
                }
                Cigar::Pad(_) => panic!("Padding (Cigar::Pad) is not supported."), //padding is only used for multiple sequence alignment
            }
            self.cigar_index += 1;
        }
        None
    }
}

/// Extra functionality for BAM records
///
/// Inspired by pysam
pub trait BamRecordExtensions {
    /// iterator over start and end positions of aligned gapless blocks
    ///
    /// The start and end positions are in genomic coordinates.
    /// There is not necessarily a gap between blocks on the genome,
    /// this happens on insertions.
    ///
    /// pysam: blocks
    /// See also: [aligned_block_pairs](#tymethod.aligned_block_pairs) if you need
    /// the read coordinates as well.
    fn aligned_blocks(&self) -> IterAlignedBlocks;

    ///Iter over <([read_start, read_stop], [genome_start, genome_stop]) blocks
    ///of continously aligned reads.
    ///
    ///In contrast to [aligned_blocks](#tymethod.aligned_blocks), this returns
    ///read and genome coordinates.
    ///In contrast to aligned_pairs, this returns just the start-stop
    ///coordinates of each block.
    ///
    ///There is not necessarily a gap between blocks in either coordinate space
    ///(this happens in in-dels).
    fn aligned_block_pairs(&self) -> IterAlignedBlockPairs;

    /// This scans the CIGAR for reference skips
    /// and reports their positions.
    /// It does not inspect the reported regions
    /// for actual splice sites.
    /// pysam: get_introns
    fn introns(&self) -> IterIntrons;

    /// iter aligned read and reference positions on a basepair level
    ///
    /// No entry for insertions, deletions or skipped pairs
    ///
    /// pysam: get_aligned_pairs(matches_only = True)
    ///
    /// See also [aligned_block_pairs](#tymethod.aligned_block_pairs)
    /// if you just need start&end coordinates of each block.
    /// That way you can allocate less memory for the same
    /// informational content.
    fn aligned_pairs(&self) -> IterAlignedPairs;

    /// iter list of read and reference positions on a basepair level.
    ///
    /// Unlike `aligned_pairs` this returns None in
    /// either the read positions or the reference position
    /// for insertions, deletions or skipped pairs
    ///
    /// pysam: aligned_pairs(matches_only = False)
    fn aligned_pairs_full(&self) -> IterAlignedPairsFull;

    /// the number of nucleotides covered by each Cigar::* variant.
    ///
    /// Result is a Hashmap Cigar::*(0) => covered nucleotides
    ///
    /// pysam: first result from get_cigar_stats
    fn cigar_stats_nucleotides(&self) -> HashMap<Cigar, i32>;

    /// the number of occurrences of each each Cigar::* variant
    ///
    /// Result is a Hashmap Cigar::*(0) => number of times this Cigar::
    /// appeared
    ///
    /// pysam: second result from get_cigar_stats
    fn cigar_stats_blocks(&self) -> HashMap<Cigar, i32>;

    /// iter over  reference positions that this read aligns to
    ///
    /// only returns positions that are aligned, excluding any soft-clipped
    /// or unaligned positions within the read
    ///
    /// pysam: get_reference_positions(full_length=False)
    fn reference_positions(&self) -> Box<dyn Iterator<Item = i64>>;

    ///
    /// iter over reference positions that this read aligns to
    ///
    /// include soft-clipped or skipped positions as None
    ///
    /// pysam: get_reference_positions(full_length=True)
    fn reference_positions_full(&self) -> Box<dyn Iterator<Item = Option<i64>>>;

    /// left most aligned reference position of the read on the reference genome.
    fn reference_start(&self) -> i64;

    /// right most aligned absolute reference position of the read on the reference genome.
    fn reference_end(&self) -> i64;

    /// infer the query length from the cigar string, optionally include hard clipped bases
    ///
    /// Contrast with record::seq_len which returns the length of the sequence stored
    /// in the BAM file, and as such is 0 if the BAM file omits sequences
    ///
    /// pysam: infer_query_length / infer_read_length
    fn seq_len_from_cigar(&self, include_hard_clip: bool) -> usize;
}

impl BamRecordExtensions for bam::Record {
    fn aligned_blocks(&self) -> IterAlignedBlocks {
        IterAlignedBlocks {
            pos: self.pos(),
            cigar: self.cigar().take().0,
            cigar_index: 0,
        }
    }

    fn introns(&self) -> IterIntrons {
        IterIntrons {
            pos: self.pos(),
            cigar: self.cigar().take().0,
            cigar_index: 0,
        }
    }

    fn aligned_block_pairs(&self) -> IterAlignedBlockPairs {
        IterAlignedBlockPairs {
            genome_pos: self.pos(),
            read_pos: 0,
            cigar: self.cigar().take().0,
            cigar_index: 0,
        }
    }

    fn aligned_pairs(&self) -> IterAlignedPairs {
        IterAlignedPairs {
            genome_pos: self.pos(),
            read_pos: 0,
            cigar: self.cigar().take().0,
            remaining_match_bp: 0,
            cigar_index: 0,
        }
    }

    fn aligned_pairs_full(&self) -> IterAlignedPairsFull {
        IterAlignedPairsFull {
            genome_pos: self.pos(),
            read_pos: 0,
            cigar: self.cigar().take().0,
            remaining_match_bp: 0,
            remaining_ins_bp: 0,
            remaining_del_bp: 0,
            cigar_index: 0,
        }
    }

    fn cigar_stats_nucleotides(&self) -> HashMap<Cigar, i32> {
        let mut result = HashMap::new();
        result.insert(Cigar::Match(0), 0); // M
        result.insert(Cigar::Ins(0), 0); // I
        result.insert(Cigar::Del(0), 0); // D
        result.insert(Cigar::RefSkip(0), 0); // N
        result.insert(Cigar::SoftClip(0), 0); // S
        result.insert(Cigar::HardClip(0), 0); // H
        result.insert(Cigar::Pad(0), 0); // P
        result.insert(Cigar::Equal(0), 0); // =
        result.insert(Cigar::Diff(0), 0); // X
        for entry in self.cigar().iter() {
            match entry {
                Cigar::Match(len) => *result.get_mut(&Cigar::Match(0)).unwrap() += *len as i32, // M
                Cigar::Ins(len) => *result.get_mut(&Cigar::Ins(0)).unwrap() += *len as i32,     // I
                Cigar::Del(len) => *result.get_mut(&Cigar::Del(0)).unwrap() += *len as i32,     // D
                Cigar::RefSkip(len) => *result.get_mut(&Cigar::RefSkip(0)).unwrap() += *len as i32, // N
                Cigar::SoftClip(len) => {
                    *result.get_mut(&Cigar::SoftClip(0)).unwrap() += *len as i32
                } // S
                Cigar::HardClip(len) => {
                    *result.get_mut(&Cigar::HardClip(0)).unwrap() += *len as i32
                } // H
                Cigar::Pad(len) => *result.get_mut(&Cigar::Pad(0)).unwrap() += *len as i32, // P
                Cigar::Equal(len) => *result.get_mut(&Cigar::Equal(0)).unwrap() += *len as i32, // =
                Cigar::Diff(len) => *result.get_mut(&Cigar::Diff(0)).unwrap() += *len as i32, // X
            }
        }
        result
    }

    fn cigar_stats_blocks(&self) -> HashMap<Cigar, i32> {
        let mut result = HashMap::new();
        result.insert(Cigar::Match(0), 0); // M
        result.insert(Cigar::Ins(0), 0); // I
        result.insert(Cigar::Del(0), 0); // D
        result.insert(Cigar::RefSkip(0), 0); // N
        result.insert(Cigar::SoftClip(0), 0); // S
        result.insert(Cigar::HardClip(0), 0); // H
        result.insert(Cigar::Pad(0), 0); // P
        result.insert(Cigar::Equal(0), 0); // =
        result.insert(Cigar::Diff(0), 0); // X
        for entry in self.cigar().iter() {
            match entry {
                Cigar::Match(_) => *result.get_mut(&Cigar::Match(0)).unwrap() += 1, // M
                Cigar::Ins(_) => *result.get_mut(&Cigar::Ins(0)).unwrap() += 1,     // I
                Cigar::Del(_) => *result.get_mut(&Cigar::Del(0)).unwrap() += 1,     // D
                Cigar::RefSkip(_) => *result.get_mut(&Cigar::RefSkip(0)).unwrap() += 1, // N
                Cigar::SoftClip(_) => *result.get_mut(&Cigar::SoftClip(0)).unwrap() += 1, // S
                Cigar::HardClip(_) => *result.get_mut(&Cigar::HardClip(0)).unwrap() += 1, // H
                Cigar::Pad(_) => *result.get_mut(&Cigar::Pad(0)).unwrap() += 1,     // P
                Cigar::Equal(_) => *result.get_mut(&Cigar::Equal(0)).unwrap() += 1, // =
                Cigar::Diff(_) => *result.get_mut(&Cigar::Diff(0)).unwrap() += 1,   // X
            }
        }
        result
    }

    fn reference_positions(&self) -> Box<dyn Iterator<Item = i64>> {
        Box::new(self.aligned_pairs().map(|x| x[1]))
    }

    fn reference_positions_full(&self) -> Box<dyn Iterator<Item = Option<i64>>> {
        Box::new(
            self.aligned_pairs_full()
                .filter(|x| x[0].is_some())
                .map(|x| x[1]),
        )
    }

    fn reference_start(&self) -> i64 {
        self.pos()
    }

    /// Calculate the rightmost absolute reference base position of an alignment on the reference genome.
    /// Returns the coordinate of the first base after the alignment (0-based).
    fn reference_end(&self) -> i64 {
        unsafe { htslib::bam_endpos(self.inner_ptr()) }
    }

    fn seq_len_from_cigar(&self, include_hard_clip: bool) -> usize {
        let mut result = 0;
        for entry in self.cigar().iter() {
            match entry {
                Cigar::Match(len)
                | Cigar::Ins(len)
                | Cigar::SoftClip(len)
                | Cigar::Equal(len)
                | Cigar::Diff(len) => {
                    result += len;
                }
                Cigar::HardClip(len) if include_hard_clip => {
                    result += len;
                }
                _ => {}
            }
        }
        result as usize
    }
}
