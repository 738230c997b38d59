#!/usr/bin/env python3
"""Another simulated sample than `cnnfilter simulate genome` makes, by code and numbers of its own.

usage: genome.py --reference FA --region CONTIG:FIRST-LAST --variants VCF --seed N --out DIR
                 [--copies-per-mb N] [--copy-indels SHARE] [--mosaics-per-mb N]

Two haplotypes with the real variants of --variants (heterozygous ones on a haplotype drawn anew) and some random ones; copies of 1-20 kb with
0.5-3 % changes that the reference lacks; mosaic variants on 5-35 % of the reads; 2 % of another individual. DIR gets FASTA files,
mixture.tsv (file, share of the depth), truth.vcf and confident.bed.
"""

import argparse
import os
import random
import subprocess

CONTAMINATION = 0.02
RANDOM_VARIANTS = 0.0004  # a base
LONGEST_REAL = 40
FLANK = 400
AROUND_MOSAIC = 700


class Sequence:
    """One stretch of the reference and the draws of changes in it."""

    def __init__(self, bases, seed):
        self.bases, self.draw = bases, random.Random(seed)

    def substitution(self, at):
        old = self.bases[at]
        transition = {"A": "G", "G": "A", "C": "T", "T": "C"}.get(old, "A")
        if self.draw.random() < 0.67:
            return old, transition
        return old, self.draw.choice([base for base in "ACGT" if base not in (old, transition)])

    def indel(self, at):
        length = 1
        while self.draw.random() < 0.6 and length < 25:
            length += 1
        if self.draw.random() < 0.5:
            return self.bases[at:at + length + 1], self.bases[at]
        again = self.draw.random() < 0.6
        new = self.bases[at + 1:at + 1 + length] if again else "".join(self.draw.choice("ACGT") for _ in range(length))
        return self.bases[at], self.bases[at] + new

    def change(self, at, indels):
        return self.indel(at) if self.draw.random() < indels else self.substitution(at)

    def place(self, margin):
        return self.draw.randrange(margin, len(self.bases) - margin)

    def written(self, variants):
        """The sequence with {place: (REF, ALT)} written in; of overlapping ones the first."""
        parts, done = [], 0
        for at in sorted(variants):
            if at >= done:
                ref, alt = variants[at]
                parts += [self.bases[done:at], alt]
                done = at + len(ref)
        return "".join(parts) + self.bases[done:]


def real_variants(path, contig, start, sequence):
    """{place: (REF, ALT, copies)} of those that fit the sequence and do not touch one another."""
    found, last = {}, -1
    region = f"{contig}:{start + 1}-{start + len(sequence.bases)}"
    text = subprocess.run(["bcftools", "norm", "-m-any", "-t", region, path], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        at, ref, alt = int(fields[1]) - 1 - start, fields[3].upper(), fields[4].upper()
        copies = fields[9].split(":")[0].replace("|", "/").split("/").count("1")
        plain = not set(ref + alt) - set("ACGT") and max(len(ref), len(alt)) <= LONGEST_REAL
        if plain and copies and at > last + 1 and sequence.bases[at:at + len(ref)] == ref:
            found[at] = (ref, alt, copies)
            last = at + len(ref)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--variants", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--copies-per-mb", type=float, default=7)
    parser.add_argument("--copy-indels", type=float, default=0.15)
    parser.add_argument("--mosaics-per-mb", type=float, default=40)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    contig, span = args.region.split(":")
    start = int(span.split("-")[0]) - 1
    text = subprocess.run(["samtools", "faidx", args.reference, args.region], capture_output=True, text=True, check=True).stdout
    sequence = Sequence("".join(text.split("\n")[1:]).upper(), args.seed)
    draw, length = sequence.draw, len(sequence.bases)
    if "N" in sequence.bases:
        raise SystemExit(f"{args.region} has bases that are not known")

    variants = real_variants(args.variants, contig, start, sequence)
    taken = {near for at, (ref, _, _) in variants.items() for near in range(at - 5, at + len(ref) + 5)}
    free = lambda at: not taken & set(range(at - 5, at + 40))
    for _ in range(int(length * RANDOM_VARIANTS)):
        at = sequence.place(100)
        if free(at):
            ref, alt = sequence.change(at, 0.2)
            variants[at] = (ref, alt, draw.choice([1, 1, 1, 2]))
            taken.update(range(at - 5, at + len(ref) + 5))

    haplotypes = [{}, {}]
    for at, (ref, alt, copies) in sorted(variants.items()):
        on = [0, 1] if copies == 2 else [draw.randrange(2)]
        for haplotype in on:
            haplotypes[haplotype][at] = (ref, alt)
    pieces = [("haplotype1", sequence.written(haplotypes[0]), 0.5), ("haplotype2", sequence.written(haplotypes[1]), 0.5)]
    for number in range(int(args.copies_per_mb * length / 1e6)):
        size = int(1000 * 20 ** draw.random())
        at = draw.randrange(0, length - size)
        divergence = draw.uniform(0.005, 0.03)
        for copy in range(1 if draw.random() < 0.8 else 2):
            changes = {place: sequence.change(place, args.copy_indels) for place in range(at, at + size - 30) if draw.random() < divergence}
            whole = Sequence(sequence.bases[at:at + size], 0).written({place - at: change for place, change in changes.items()})
            flanks = [sequence.bases[other:other + FLANK] for other in (sequence.place(FLANK), sequence.place(FLANK))]
            pieces.append((f"copy{number + 1}_{copy + 1}", flanks[0] + whole + flanks[1], draw.choice([0.5, 1.0, 1.0])))
    for number in range(int(args.mosaics_per_mb * length / 1e6)):
        at = sequence.place(2000)
        if free(at):
            ref, alt = sequence.change(at, 0.25)
            around = sequence.bases[at - AROUND_MOSAIC:at] + alt + sequence.bases[at + len(ref):at + AROUND_MOSAIC]
            pieces.append((f"mosaic{number + 1}", around, draw.uniform(0.05, 0.35)))
    other = {at: (ref, alt) for at, (ref, alt, _) in variants.items() if draw.random() < 0.5}
    for _ in range(int(length * 0.001)):
        at = sequence.place(100)
        other.setdefault(at, sequence.change(at, 0.15))
    pieces.append(("contaminant", sequence.written(other), CONTAMINATION))

    os.makedirs(args.out, exist_ok=True)
    with open(f"{args.out}/mixture.tsv", "w") as mixture:
        for name, bases, share in pieces:
            with open(f"{args.out}/{name}.fa", "w") as fasta:
                fasta.write(f">{name}\n{bases}\n")
            mixture.write(f"{name}.fa\t{share}\n")
    with open(f"{args.out}/truth.vcf", "w") as truth:
        truth.write(f'##fileformat=VCFv4.2\n##contig=<ID={contig}>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        truth.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ttruth\n")
        for at, (ref, alt, copies) in sorted(variants.items()):
            truth.write(f"{contig}\t{start + at + 1}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{'1/1' if copies == 2 else '0/1'}\n")
    with open(f"{args.out}/confident.bed", "w") as bed:
        bed.write(f"{contig}\t{start + 500}\t{start + length - 500}\n")
    print(f"{len(variants)} variants, {sum(name.startswith('copy') for name, _, _ in pieces)} copies")


if __name__ == "__main__":
    main()
