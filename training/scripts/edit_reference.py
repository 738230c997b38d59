#!/usr/bin/env python3
"""Puts small edits into a copy of a reference, so that real reads show variants that are known exactly.

usage: edit_reference.py --reference FA --region CONTIG:FIRST-LAST --seed N --spacing BASES --out DIR
                         [--truth VCF] [--avoid VCF ...] [--confident BED] [--zones BED] [--edits-only] [--long-share SHARE]

Every SPACING bases or so one edit: 45 % SNPs, the rest insertions and deletions of 1-20 bases, most of which add units to or take
them from a homopolymer or a tandem repeat where one is near; SHARE of them are insertions and deletions of 31-1,000 bases. Edits keep CLEAR bases away from the sites of --truth and --avoid, from
N and, with --confident, lie inside it. Undoing an edit is a homozygous variant of every read. DIR gets

  reference.fa   the edited contig up to FLANK bases behind the region (further on there are no reads)
  truth.vcf      the undoing variants, 1/1, and the known variants of --truth, moved to the new coordinates
  confident.bed  --confident (or the region) moved; with --edits-only, AROUND bases to each side of each edit
  regions.bed    the region moved
  zones.bed      --zones (contig, start, end, split), moved
"""

import bisect
import os
import random

from alleles import AROUND, Ground, altered, as_variant, choose_edits, parser_of, write_truth
from intervals import merged, write_bed, write_contig

FLANK = 5000


class Lift:
    """Coordinates of the original in the edited sequence; a place inside a deleted stretch goes to where the stretch was."""

    def __init__(self, edits):
        self.starts, self.ends, self.shifts, total = [], [], [0], 0
        for start, end, replacement in edits:
            total += len(replacement) - (end - start)
            self.starts.append(start)
            self.ends.append(end)
            self.shifts.append(total)

    def place(self, at):
        before = bisect.bisect_right(self.starts, at)
        # A boundary inside an edit counts as its end.
        if before and at < self.ends[before - 1]:
            at = self.ends[before - 1]
        return at + self.shifts[before]

    def spans(self, spans):
        return merged([(self.place(start), self.place(end)) for start, end in spans])


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--zones")
    parser.add_argument("--long-share", type=float, default=0.0)
    args = parser.parse_args()

    ground = Ground(args)
    contig, start, end, confident = ground.contig, ground.start, ground.end, ground.confident
    bases = ground.bases[:end + FLANK]
    edits = choose_edits(bases, start, end, args.spacing, ground.blocked, confident, random.Random(args.seed), args.long_share)
    if not edits:
        raise SystemExit(f"{args.region}: no place for an edit")

    edited = altered(bases, 0, len(bases), edits)
    lift = Lift(edits)

    truth, around = [], []
    for (low, high, replacement), shift in zip(edits, lift.shifts):
        new = low + shift
        around.append((new - AROUND, new + len(replacement) + AROUND))
        truth.append(as_variant(edited, new, new + len(replacement), bases[low:high], "1/1"))
    if not args.edits_only:
        truth += [(lift.place(place), ref, alt, genotype) for place, ref, alt, genotype in ground.known]

    os.makedirs(args.out, exist_ok=True)
    out = lambda name: os.path.join(args.out, name)
    write_contig(out("reference.fa"), contig, edited)
    write_truth(out("truth.vcf"), contig, edited, truth)
    write_bed(out("regions.bed"), {contig: lift.spans([(start, end)])})
    write_bed(out("confident.bed"), {contig: merged(around) if args.edits_only else lift.spans(confident)})
    with open(out("zones.bed"), "w") as zones:
        for line in open(args.zones) if args.zones else []:
            name, low, high, split = line.split()
            if name == contig and int(low) < len(bases):
                zones.write(f"{contig}\t{lift.place(int(low))}\t{min(lift.place(int(high)), len(edited))}\t{split}\n")
    print(f"{len(edits)} edits, {len(ground.known)} known variants, {len(edited) - len(bases):+d} bases")


if __name__ == "__main__":
    main()
