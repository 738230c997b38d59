#!/usr/bin/env python3
"""Prints a VCF of SNPs at even distances over a reference, to see how a page of many calls behaves.

    many_calls.py ref.fa COUNT
"""

import sys


def main():
    contigs, name = {}, None
    with open(sys.argv[1], encoding="ascii") as file:
        for line in file:
            if line.startswith(">"):
                name = line[1:].split()[0]
                contigs[name] = []
            else:
                contigs[name].append(line.strip().upper())
    contigs = {name: "".join(lines) for name, lines in contigs.items()}
    count = int(sys.argv[2])
    step = sum(map(len, contigs.values())) // (count + len(contigs))
    print("##fileformat=VCFv4.2")
    for name, bases in contigs.items():
        print(f"##contig=<ID={name},length={len(bases)}>")
    print("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", sep="\t")
    for name, bases in contigs.items():
        for at in range(step // 2, len(bases), step):
            alternate = {"A": "G", "G": "A", "C": "T"}.get(bases[at], "C")
            print(name, at + 1, ".", bases[at], alternate, 50, ".", ".", sep="\t")


if __name__ == "__main__":
    main()
