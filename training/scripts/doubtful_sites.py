#!/usr/bin/env python3
"""Finds where a truth without confident regions is probably incomplete: calls that it lacks and that are probably real all the same.

usage: doubtful_sites.py --reference FA --contig NAME --truth TSV [--carried TSV] --calls TSV... --out BED

The tables hold single alleles, left-aligned: contig, 1-based POS, REF, ALT, and in --calls the reads of REF and ALT, as N,N. An allele that
--truth lacks is doubtful

  if --carried, a list of alleles that others found in the sample, has it;
  if ALT has HOMOZYGOUS_READS reads or more and HOMOZYGOUS_SHARE of those of REF and ALT: reads of a copy that the reference lacks leave
  reads of REF beside them;
  if it is an insertion or a deletion that can be moved over REPEAT bases or more, with REPEAT_READS reads and REPEAT_SHARE of them: truth sets
  leave out lengths of homopolymers and tandem repeats, and slippage alone seldom has so many.

The BED covers MARGIN bases around each, and all of the bases over which it can be moved.
"""

import argparse

from alleles import spread
from intervals import merged, read_contig, write_bed

HOMOZYGOUS_READS = 8
HOMOZYGOUS_SHARE = 0.8
REPEAT = 8
REPEAT_READS = 4
REPEAT_SHARE = 0.2
MARGIN = 10


def alleles(path, contig):
    """{(0-based place, REF, ALT): (reads of REF, reads of ALT)} of a table; reads are 0 where it has none."""
    out = {}
    with open(path) as lines:
        for line in lines:
            name, pos, ref, alt, *depths = line.rstrip("\n").split("\t")
            if name == contig and not set(ref + alt) - set("ACGT"):
                counts = depths[0].split(",") if depths else []
                out[int(pos) - 1, ref, alt] = (int(counts[0]), int(counts[1])) if len(counts) == 2 and "." not in counts else (0, 0)
    return out


def as_edit(place, ref, alt):
    """(start, end, replacement) of an allele, without the base before an insertion or deletion."""
    anchor = 0 if len(ref) == len(alt) else 1
    return place + anchor, place + len(ref), alt[anchor:]


def doubtful(allele, depths, carried, moved):
    ref_reads, alt_reads = depths
    share = alt_reads / (ref_reads + alt_reads) if alt_reads else 0
    if allele in carried or alt_reads >= HOMOZYGOUS_READS and share >= HOMOZYGOUS_SHARE:
        return True
    return moved >= REPEAT and alt_reads >= REPEAT_READS and share >= REPEAT_SHARE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--contig", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--carried")
    parser.add_argument("--calls", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    bases = read_contig(args.reference, args.contig)
    truth = alleles(args.truth, args.contig)
    carried = alleles(args.carried, args.contig) if args.carried else {}
    found, spans = set(), []
    for path in args.calls:
        for allele, depths in alleles(path, args.contig).items():
            if allele in truth:
                continue
            start, end = spread(bases, as_edit(*allele))
            if doubtful(allele, depths, carried, end - start if len(allele[1]) != len(allele[2]) else 0):
                found.add(allele)
                spans.append((max(0, start - MARGIN), end + MARGIN))
    write_bed(args.out, {args.contig: merged(spans)})
    print(f"{len(found)} doubtful alleles, {sum(end - start for start, end in merged(spans))} bases left out")


if __name__ == "__main__":
    main()
