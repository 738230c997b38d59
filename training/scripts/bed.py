#!/usr/bin/env python3
"""Small BED work.

usage: bed.py regions OUT.bed REGION...                 regions (1-based, both ends inside) as BED
       bed.py intersect OUT.bed A.bed B.bed             what two BED files have in common
       bed.py without OUT.bed A.bed B.bed...            what A has and none of the others
       bed.py around OUT.bed BASES                      lines of contig and 1-based position from standard input, and BASES on both sides
       bed.py sequence OUT.bed REF.fa REGION...         stretches of the regions that are not N, of 1,000 bases and more
"""

import re
import sys

from intervals import intersected, merged, read_bed, read_contig, regions, subtracted, write_bed

SHORTEST = 1000


def main():
    what, out, *args = sys.argv[1:]
    if what == "regions":
        write_bed(out, regions(args))
    elif what == "intersect":
        a, b = (read_bed(path) for path in args)
        write_bed(out, {contig: intersected(a[contig], b.get(contig, [])) for contig in a})
    elif what == "without":
        left, *others = (read_bed(path) for path in args)
        for other in others:
            left = {contig: subtracted(left[contig], other.get(contig, [])) for contig in left}
        write_bed(out, left)
    elif what == "around":
        margin, found = int(args[0]), {}
        for line in sys.stdin:
            contig, position, *_ = line.split()
            found.setdefault(contig, []).append((max(int(position) - 1 - margin, 0), int(position) + margin))
        write_bed(out, {contig: merged(spans) for contig, spans in found.items()})
    elif what == "sequence":
        found = {}
        for contig, spans in regions(args[1:]).items():
            bases = read_contig(args[0], contig)
            stretches = [match.span() for match in re.finditer("[^N]+", bases)]
            found[contig] = [(s, e) for s, e in intersected(spans, stretches) if e - s >= SHORTEST]
        write_bed(out, found)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
