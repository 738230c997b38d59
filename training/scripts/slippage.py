#!/usr/bin/env python3
"""How often reads show another length of a homopolymer than the reference, by length: what `cnnfilter simulate reads --slippage` stands for.

usage: samtools view -q 30 -F 0xf04 BAM REGION | slippage.py --reference FA --region CONTIG:FIRST-LAST --avoid VCF... > TSV

Counts reads that span a run of one base with BESIDE bases to each side, at runs of SHORTEST bases and more that keep CLEAR bases away from
the sites of --avoid (the sample's variants, or all calls). Columns: length, reads, reads with an insertion or a deletion at the run, their
share, runs, and the highest share of a run with DEEP reads or more.
"""

import argparse
import bisect
import collections
import re
import sys

from alleles import records
from cigar import consumes_reference, operations
from intervals import read_contig, regions

SHORTEST = 5
BESIDE = 8
CLEAR = 12
DEEP = 5


def indels(place, cigar):
    """(end of the read on the reference, places of its insertions and deletions)."""
    found = []
    for length, kind in operations(cigar):
        if kind in "ID":
            found.append(place)
        if consumes_reference(kind):
            place += length
    return place, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--avoid", nargs="*", default=[])
    args = parser.parse_args()

    [(contig, [(start, end)])] = regions([args.region]).items()
    bases = read_contig(args.reference, contig)
    avoid = sorted(record[0] for path in args.avoid for record in records(path, contig, 0, len(bases)))
    near = lambda low, high: bisect.bisect_left(avoid, low - CLEAR) < bisect.bisect_right(avoid, high + CLEAR)
    runs = [match.span() for match in re.compile("|".join(base + "{%d,}" % SHORTEST for base in "ACGT")).finditer(bases, start, end)]
    runs = [run for run in runs if not near(*run)]
    starts = [run[0] for run in runs]

    seen = collections.defaultdict(lambda: [0, 0])
    for line in sys.stdin:
        fields = line.split("\t", 6)
        if fields[2] != contig:
            continue
        first = int(fields[3]) - 1
        last, changes = indels(first, fields[5])
        for low, high in runs[bisect.bisect_left(starts, first + BESIDE):bisect.bisect_right(starts, last)]:
            if high + BESIDE < last:
                seen[low, high][0] += 1
                seen[low, high][1] += any(low - 1 <= place <= high for place in changes)

    print("length\treads\tslipped\tshare\truns\thighest_share")
    by_length = collections.defaultdict(list)
    for (low, high), counts in seen.items():
        by_length[high - low].append(counts)
    for length, counts in sorted(by_length.items()):
        reads, slipped = (sum(column) for column in zip(*counts))
        highest = max((changed / of for of, changed in counts if of >= DEEP), default=0)
        print(f"{length}\t{reads}\t{slipped}\t{slipped / reads:.5f}\t{len(counts)}\t{highest:.3f}")


if __name__ == "__main__":
    main()
