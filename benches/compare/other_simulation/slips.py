#!/usr/bin/env python3
"""Reads slip at tandem repeats: FASTQ from stdin to stdout, each place with a readiness of its own.

usage: slips.py RATE SEED SAMPLE

A repeat of x units more than five (of one base) or three (of two or four) slips with probability RATE * 0.0015 * x * x times the readiness of its
place, 0.3 to 9, which hangs on SAMPLE and the bases around it and is the same in every read; at most 0.45. Two of three slips lose a unit.
"""

import hashlib
import random
import re
import sys

REPEATS = re.compile("A{6,}|C{5,}|G{5,}|T{6,}|" + "|".join(
    f"(?:{unit}){{{copies},}}" for copies, units in ((4, "AC CA GT TG AG GA CT TC AT TA"), (3, "AAAT TTTA ATTT TAAA")) for unit in units.split()))
COMPLEMENT = str.maketrans("ACGT", "TGCA")
READINESS = ((0.6, 0.3), (0.85, 1.0), (0.96, 3.0), (1.0, 9.0))  # share of the places up to here, factor


def readiness(known, sample, around):
    key = min(around, around.translate(COMPLEMENT)[::-1])
    if key not in known:
        part = int.from_bytes(hashlib.md5(f"{sample}{key}".encode()).digest()[:4], "big") / 2**32
        known[key] = next(factor for share, factor in READINESS if part < share)
    return known[key]


def unit_of(repeat):
    return next(size for size in (1, 2, 4) if repeat[:size] * (len(repeat) // size) == repeat[:len(repeat) // size * size])


def main():
    rate, draw, sample, known = float(sys.argv[1]), random.Random(int(sys.argv[2])), sys.argv[3], {}
    for name in sys.stdin:
        bases, _, qualities = (next(sys.stdin).rstrip("\n") for _ in range(3))
        length = len(bases)
        for match in reversed(list(REPEATS.finditer(bases))):
            start, end = match.span()
            unit = unit_of(match[0])
            beyond = (end - start) / unit - (5 if unit == 1 else 3)
            if start < 4 or end + 4 > len(bases):
                continue
            factor = readiness(known, sample, bases[start - 4:start] + bases[start:start + unit] + bases[end:end + 4])
            if draw.random() < min(rate * 0.0015 * beyond * beyond * factor, 0.45):
                if draw.random() < 2 / 3:
                    bases, qualities = bases[:start] + bases[start + unit:], qualities[:start] + qualities[start + unit:]
                else:
                    bases, qualities = bases[:start + unit] + bases[start:], qualities[:start + unit] + qualities[start:]
        sys.stdout.write(f"{name}{bases[:length]}\n+\n{qualities[:length]}\n")


if __name__ == "__main__":
    main()
