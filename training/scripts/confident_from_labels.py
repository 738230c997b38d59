#!/usr/bin/env python3
"""Infers confident regions from hap.py labels: a call inside them has a label, one outside has none.

usage: confident_from_labels.py --calls VCF --labels TSV --contig NAME --out BED [--repeats BED] [--exclude REGION ...] -- REGION...

Of each REGION everything stays but
  the surroundings of unlabelled calls: MARGIN bases to each side, less where a labelled call is nearer;
  intervals of --repeats without a labelled call: another caller may call there, and nothing says that the truth is complete;
  each --exclude.
The contig of calls and repeats takes the name given by --contig (20 and chr20 are one sequence in b37 and hg19).
"""

import argparse
import bisect

from intervals import intersected, merged, opened, read_bed, regions, subtracted, write_bed

MARGIN = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--contig", required=True)
    parser.add_argument("--repeats")
    parser.add_argument("--exclude", nargs="*", default=[])
    parser.add_argument("--out", required=True)
    parser.add_argument("regions", nargs="+")
    args = parser.parse_args()

    with opened(args.labels) as lines:
        labelled = {int(line.split("\t")[1]) for line in lines if not line.startswith("#")}
    spans = {}
    with opened(args.calls) as lines:
        for line in lines:
            if not line.startswith("#"):
                _, pos, _, ref = line.split("\t", 4)[:4]
                spans[int(pos)] = max(spans.get(int(pos), 0), len(ref))
    positions = sorted(spans)
    if not labelled & set(positions):
        raise SystemExit(f"{args.labels}: none of its sites is a call of {args.calls}")

    sure = [pos for pos in positions if pos in labelled]
    unsure = []
    for pos in positions:
        if pos in labelled:
            continue
        start, end = pos - 1 - MARGIN, pos - 1 + spans[pos] + MARGIN
        at = bisect.bisect(sure, pos)
        if at > 0:
            start = max(start, sure[at - 1] + spans[sure[at - 1]])
        if at < len(sure):
            end = min(end, sure[at] - 2)
        unsure.append((min(start, pos - 1), max(end, pos - 1 + spans[pos])))
    for spans_of_contig in (read_bed(args.repeats) if args.repeats else {}).values():
        for start, end in spans_of_contig:
            if bisect.bisect(sure, end) == bisect.bisect_left(sure, start):
                unsure.append((start, end))
    unsure = merged(unsure + regions(args.exclude).get(args.contig, []))

    wanted = regions(args.regions)
    if set(wanted) != {args.contig}:
        raise SystemExit(f"regions lie on {sorted(wanted)}, the calls on {args.contig}")
    write_bed(args.out, {args.contig: intersected(subtracted(wanted[args.contig], unsure), wanted[args.contig])})


if __name__ == "__main__":
    main()
