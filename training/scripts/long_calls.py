#!/usr/bin/env python3
"""Writes calls of alleles of 31 to 1,000 bases as no caller does: the real ones of a truth and made-up ones that no read shows.

usage: long_calls.py --reference FA --regions BED --truth VCF --depth X --seed N --false-per-mb N --out VCF

Callers find few such alleles, and hardly ever wrong ones, so a model would learn that they are real. Half of the calls have the QUAL, AD and GT of a
good call and half those of a doubtful one, real or not: they tell nothing, so that only reads decide. Made-up alleles are deletions, insertions of random sequence
and of sequence from elsewhere, tandem duplications and replacements, each as often, within --regions, clear of the records of --truth.
"""

import argparse
import random

from alleles import CLEAR, long_change, as_variant, blocked_by, log_uniform, records
from intervals import intersected, merged, read_bed, read_contig

HEADER = """##fileformat=VCFv4.2
##contig=<ID={contig},length={length}>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of REF and ALT">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tlong
"""
LONG = 31


def is_long(ref, alt):
    return max(len(ref), len(alt)) > LONG and all(base in "ACGT" for base in ref + alt)


def made_up(bases, spans, taken, count, rng):
    """[(place, REF, ALT, GT)] of alleles within the spans, clear of what is taken."""
    found, starts = [], [start for start, _ in spans]
    sizes = [end - start for start, end in spans]
    for _ in range(count * 20):
        if len(found) == count or not starts:
            break
        start, size = rng.choices(list(zip(starts, sizes)), weights=sizes)[0]
        change = long_change(bases, start + rng.randrange(size), rng)
        if change is None:
            continue
        low, high, _ = change
        if high > start + size or "N" in bases[low - 200:high + 200] or intersected([(low - CLEAR, high + CLEAR)], taken):
            continue
        found.append(as_variant(bases, *change, "0/1"))
        taken = merged(taken + [(low - CLEAR, high + CLEAR)])
    return found


def annotated(genotype, depth, rng):
    """(QUAL, GT, AD) of a good or a doubtful call at a depth."""
    depth = max(4, round(rng.gauss(depth, depth ** 0.5)))
    if rng.random() < 0.5:
        copies = max(1, genotype.count("1"))
        alt = min(depth, max(2, round(rng.gauss(depth * copies / 2, depth ** 0.5 / 2))))
        return log_uniform(100, 2000, rng), "1/1" if copies == 2 else "0/1", (depth - alt, alt)
    alt = min(depth, rng.randint(1, 4))
    return rng.uniform(0.5, 60), "0/1", (depth - alt, alt)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind in [("reference", str), ("regions", str), ("truth", str), ("depth", float), ("seed", int), ("false-per-mb", float), ("out", str)]:
        parser.add_argument(f"--{name}", type=kind, required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    [(contig, spans)] = read_bed(args.regions).items()
    bases = read_contig(args.reference, contig)
    known = records(args.truth, contig, spans[0][0], spans[-1][1])
    real = [record for record in known if is_long(record[1], record[2])]
    count = round(args.false_per_mb * sum(end - start for start, end in spans) / 1e6)
    taken = [(low - CLEAR, high + CLEAR) for low, high in blocked_by(bases, known)]
    with open(args.out, "w") as out:
        out.write(HEADER.format(contig=contig, length=len(bases)))
        for place, ref, alt, genotype in sorted(real + made_up(bases, spans, merged(taken), count, rng)):
            qual, called, depths = annotated(genotype, args.depth, rng)
            value = f"{called}:{depths[0]},{depths[1]}:{sum(depths)}"
            out.write(f"{contig}\t{place + 1}\t.\t{ref}\t{alt}\t{qual:.2f}\t.\t.\tGT:AD:DP\t{value}\n")


if __name__ == "__main__":
    main()
