#!/usr/bin/env python3
"""Makes a genome's reads look like those of an exome: uneven depth on targets, slopes beside them, little elsewhere.

usage: capture.py targets --regions BED --seed N --out BED
       capture.py reads --targets BED --seed N < SAM > SAM

`targets` draws exons within --regions, about a fifth of the bases, each with the share of the fragments over it that is captured
(log-normal), in the fourth column. `reads` keeps a fragment with that share, less with its distance from the exon, and OFF_TARGET of all
others; what is drawn for a fragment depends on its name and the seed alone. Reads come name by name.
"""

import argparse
import bisect
import hashlib
import math
import random
import sys

from alleles import log_uniform
from intervals import read_bed

EXON = (80, 500)
GAP = (220, 4000)  # so that margins do not meet
CAPTURED = 0.5  # the median share
SPREAD = 0.7
SLOPE = 80
OFF_TARGET = 0.012
MARGIN = 100  # bases to each side of an exon where calls are made


def draw_targets(spans, rng):
    for start, end in spans:
        at = start + int(log_uniform(*GAP, rng))
        while at < end:
            last = min(end, at + int(log_uniform(*EXON, rng)))
            yield at, last, min(1.0, CAPTURED * math.exp(rng.gauss(0, SPREAD)))
            at = last + int(log_uniform(*GAP, rng))


def share_of(targets, starts, first, last):
    """The share of the fragments from `first` to `last` that is kept."""
    share = OFF_TARGET
    at = bisect.bisect(starts, last + 10 * SLOPE)
    for start, end, captured in targets[max(0, at - 20):at]:
        distance = max(0, start - last, first - end)
        share = max(share, captured * math.exp(-distance / SLOPE))
    return share


def reads(targets, seed):
    starts = [start for start, _, _ in targets]
    name = kept = None
    for line in sys.stdin:
        if line.startswith("@"):
            sys.stdout.write(line)
            continue
        fields = line.split("\t", 9)
        if fields[0] != name:
            name = fields[0]
            place, length = int(fields[3]), abs(int(fields[8]))
            first = min(place, int(fields[7]) or place) if length else place
            drawn = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big") / 2 ** 64
            kept = drawn < share_of(targets, starts, first, first + max(length, 100))
        if kept:
            sys.stdout.write(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["targets", "reads"])
    parser.add_argument("--regions")
    parser.add_argument("--targets")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out")
    args = parser.parse_args()
    if args.mode == "reads":
        rows = [line.split() for line in open(args.targets)]
        reads([(int(row[1]) + MARGIN, int(row[2]) - MARGIN, float(row[3])) for row in rows], args.seed)
        return
    with open(args.out, "w") as out:
        for contig, spans in read_bed(args.regions).items():
            for start, end, captured in draw_targets(spans, random.Random(args.seed)):
                out.write(f"{contig}\t{start - MARGIN}\t{end + MARGIN}\t{captured:.3f}\n")


if __name__ == "__main__":
    main()
