#!/usr/bin/env python3
"""Writes a set's rows of sets.tsv: one for each caller and split.

usage: entry.py --set NAME --kind real|simulated --folder DIR --note TEXT --out TSV --splits SPLIT... --callers CALLER...
       entry.py --join OUT.tsv ENTRY.tsv...

A set with one split has its truth judged in confident.bed, one with several in confident.SPLIT.bed; a split whose BED is empty has
no rows. `calls` is where the caller's VCF is, `records` how many it holds; `reads` is `.` where there are none.
"""

import argparse
import gzip
import os

COLUMNS = ["set", "kind", "split", "caller", "calls", "reads", "reference", "truth", "confident", "note", "records"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--join")
    parser.add_argument("entries", nargs="*")
    parser.add_argument("--set")
    parser.add_argument("--kind", choices=["real", "simulated"])
    parser.add_argument("--folder")
    parser.add_argument("--note", default="")
    parser.add_argument("--out")
    parser.add_argument("--splits", nargs="+")
    parser.add_argument("--callers", nargs="+")
    args = parser.parse_args()

    if args.join:
        with open(args.join, "w") as out:
            out.write("\t".join(COLUMNS) + "\n")
            for path in args.entries:
                with open(path) as entry:
                    out.write(entry.read())
        return

    at = lambda name: os.path.join(args.folder, name)
    with open(args.out, "w") as out:
        for caller in args.callers:
            calls = at(f"calls.{caller}.vcf.gz")
            with gzip.open(calls, "rt") as lines:
                records = sum(not line.startswith("#") for line in lines)
            for split in args.splits:
                confident = at("confident.bed" if len(args.splits) == 1 else f"confident.{split}.bed")
                if os.path.getsize(confident) == 0:
                    continue
                reads = at("reads.bam") if os.path.exists(at("reads.bam")) else "."
                row = [args.set, args.kind, split, caller, calls, reads, at("reference.fa"), at("truth.vcf.gz"), confident, args.note, records]
                out.write("\t".join(map(str, row)) + "\n")


if __name__ == "__main__":
    main()
