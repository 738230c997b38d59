#!/usr/bin/env python3
"""Joins ART's libraries into one pair of FASTQ files that compress well.

usage: reads.py OUT1.fq OUT2.fq PREFIX...    (reads PREFIX1.fq and PREFIX2.fq of each library)

Pairs are numbered in the order read, 2 % of them appear twice under a new name (PCR duplicates, for markdup to find),
and base qualities are rounded to the four values of recent Illumina instruments: 2, 12, 23, 37.
"""

import random
import sys

SEED = 7
DUPLICATE_SHARE = 0.02
BIN = bytes(33 + (2 if q < 3 else 12 if q < 18 else 23 if q < 30 else 37) for q in range(94))
TABLE = bytes(range(33)) + BIN + bytes(range(127, 256))


def fastq(path):
    """(bases, qualities) of each record."""
    with open(path, "rb") as lines:
        while lines.readline():
            bases = lines.readline().strip()
            lines.readline()
            yield bases, lines.readline().strip().translate(TABLE)


def main():
    out = [open(path, "wb") for path in sys.argv[1:3]]
    rng = random.Random(SEED)
    number = 0
    for prefix in sys.argv[3:]:
        for pair in zip(fastq(prefix + "1.fq"), fastq(prefix + "2.fq"), strict=True):
            for _ in range(2 if rng.random() < DUPLICATE_SHARE else 1):
                number += 1
                for handle, (bases, quals) in zip(out, pair, strict=True):
                    handle.write(b"@%x\n%s\n+\n%s\n" % (number, bases, quals))
    for handle in out:
        handle.close()


if __name__ == "__main__":
    main()
