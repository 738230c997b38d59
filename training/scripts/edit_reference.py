#!/usr/bin/env python3
"""Puts small edits into a copy of a reference, so that real reads show variants that are known exactly.

usage: edit_reference.py --reference FA --region CONTIG:FIRST-LAST --seed N --spacing BASES --out DIR
                         [--truth VCF] [--avoid VCF ...] [--confident BED] [--zones BED] [--edits-only]

Every SPACING bases or so one edit: 45 % SNPs, the rest insertions and deletions of 1-20 bases, most of which add units to or take
them from a homopolymer or a tandem repeat where one is near. Edits keep CLEAR bases away from the sites of --truth and --avoid, from
N and, with --confident, lie inside it. Undoing an edit is a homozygous variant of every read. DIR gets

  reference.fa   the edited contig up to FLANK bases behind the region (further on there are no reads)
  truth.vcf      the undoing variants, 1/1, and the known variants of --truth, moved to the new coordinates
  confident.bed  --confident (or the region) moved; with --edits-only, AROUND bases to each side of each edit
  regions.bed    the region moved
  zones.bed      --zones (contig, start, end, split), moved
"""

import argparse
import bisect
import os
import random

from intervals import intersected, merged, opened, read_bed, read_contig, regions, write_bed, write_contig

CLEAR = 60
AROUND = 50
FLANK = 5000
SNP_SHARE = 0.45
REPEAT_SHARE = 0.7
LONGEST_INDEL = 20
SEARCH = 60  # how far from its place an edit may go to find a repeat


def repeat_at(bases, at, unit_length):
    """(start, end) of the tandem repeat with this unit length around `at`, whole units or not."""
    start = end = at
    while start > 0 and bases[start - 1] == bases[start - 1 + unit_length]:
        start -= 1
    end = at + unit_length
    while end < len(bases) and bases[end] == bases[end - unit_length]:
        end += 1
    return start, end


def find_repeat(bases, at, rng):
    """A repeat near `at` as (start, end, unit length): a homopolymer of 5 and more or 3 and more units of 2-6; None if there is none."""
    found = []
    for unit in range(1, 7):
        place = at - SEARCH
        while place < at + SEARCH:
            start, end = repeat_at(bases, place, unit)
            if end - start >= max(5, 3 * unit) and "N" not in bases[start:end]:
                found.append((start, end, unit))
            place = max(place + 1, end - unit + 1)
    return rng.choice(found) if found else None


def indel_length(rng):
    """1-20, short ones most often."""
    length = 1
    while length < LONGEST_INDEL and rng.random() < 0.7:
        length += 1
    return length


def indel(bases, at, rng):
    """(start, end, replacement) of an insertion or deletion near `at`."""
    repeat = find_repeat(bases, at, rng) if rng.random() < REPEAT_SHARE else None
    if repeat:
        start, end, unit = repeat
        units = 1 if rng.random() < 0.7 else rng.randint(2, 4)
        units = max(1, min(units, LONGEST_INDEL // unit, (end - start) // unit - 1))
        if rng.random() < 0.5:
            return start, start + units * unit, ""
        return start, start, bases[start:start + unit] * units
    length = indel_length(rng)
    if rng.random() < 0.5:
        return at, at + length, ""
    if rng.random() < 0.5:
        return at, at, bases[at:at + length]
    return at, at, "".join(rng.choice("ACGT") for _ in range(length))


def snp(bases, at, rng):
    """(start, end, replacement) of a substitution, transitions twice as likely as the two transversions together."""
    transition = {"A": "G", "G": "A", "C": "T", "T": "C"}[bases[at]]
    others = [base for base in "ACGT" if base not in (bases[at], transition)]
    return at, at + 1, transition if rng.random() < 2 / 3 else rng.choice(others)


def slack(bases, start, end, replacement):
    """(start, end) over which an insertion or deletion can be moved without changing what it means."""
    moved = bases[start:end] or replacement
    left = start
    while left > 0 and bases[left - 1] == moved[-1]:
        moved = moved[-1] + moved[:-1]
        left -= 1
    moved = bases[start:end] or replacement
    right = end
    while right < len(bases) and bases[right] == moved[0]:
        moved = moved[1:] + moved[0]
        right += 1
    return left, right


def choose_edits(bases, start, end, spacing, blocked, confident, rng):
    """[(start, end, replacement)], sorted, apart from each other and from what is blocked."""
    edits, last = [], start
    at = start + rng.randint(spacing // 4, spacing)
    while at < end - CLEAR:
        for _ in range(10):
            place = at + rng.randint(-spacing // 8, spacing // 8)
            if not start + CLEAR < place < end - CLEAR or "N" in bases[place - 200:place + 200]:
                continue
            edit = snp(bases, place, rng) if rng.random() < SNP_SHARE else indel(bases, place, rng)
            low, high = edit[0], edit[1]
            if len(edit[2]) != high - low:
                low, high = slack(bases, *edit)
            clear = (low - CLEAR, high + CLEAR)
            if clear[0] < last or intersected([clear], blocked) or intersected([clear], confident) != [clear]:
                continue
            edits.append(edit)
            last = high
            break
        at += rng.randint(spacing // 2, spacing * 3 // 2)
    return edits


class Lift:
    """Coordinates of the original in the edited sequence; a place inside a deleted stretch goes to where the stretch was."""

    def __init__(self, edits):
        self.starts, self.ends, self.shifts, total = [], [], [0], 0
        for start, end, replacement in edits:
            total += len(replacement) - (end - start)
            self.starts.append(start)
            self.ends.append(end)
            self.shifts.append(total)

    def place(self, at):
        before = bisect.bisect_right(self.starts, at)
        # A boundary inside an edit counts as its end.
        if before and at < self.ends[before - 1]:
            at = self.ends[before - 1]
        return at + self.shifts[before]

    def spans(self, spans):
        return merged([(self.place(start), self.place(end)) for start, end in spans])


def records(path, contig, start, end):
    """(0-based place, REF, ALT, GT) of the records of one contig that lie inside [start, end)."""
    out = []
    with opened(path) as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            at = int(fields[1]) - 1
            if fields[0] == contig and start <= at and at + len(fields[3]) <= end:
                genotype = fields[9].split(":")[0] if len(fields) > 9 else "./."
                out.append((at, fields[3], fields[4], genotype))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--spacing", type=int, required=True)
    parser.add_argument("--truth")
    parser.add_argument("--avoid", nargs="*", default=[])
    parser.add_argument("--confident")
    parser.add_argument("--zones")
    parser.add_argument("--edits-only", action="store_true")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    [(contig, [(start, end)])] = regions([args.region]).items()
    bases = read_contig(args.reference, contig)[:end + FLANK]
    known = records(args.truth, contig, start, end) if args.truth else []
    sites = known + [record for path in args.avoid for record in records(path, contig, start, end)]
    blocked = merged([slack(bases, at, at + len(ref), ref) for at, ref, _, _ in sites] + [(at, at + len(ref)) for at, ref, _, _ in sites])
    confident = [(start, end)]
    if args.confident:
        confident = intersected(read_bed(args.confident).get(contig, []), confident)
    edits = choose_edits(bases, start, end, args.spacing, blocked, confident, random.Random(args.seed))
    if not edits:
        raise SystemExit(f"{args.region}: no place for an edit")

    parts, at = [], 0
    for low, high, replacement in edits:
        parts += [bases[at:low], replacement]
        at = high
    edited = "".join(parts) + bases[at:]
    lift = Lift(edits)

    truth, around = [], []
    for (low, high, replacement), shift in zip(edits, lift.shifts):
        new = low + shift
        original = bases[low:high]
        around.append((new - AROUND, new + len(replacement) + AROUND))
        if len(original) == len(replacement):
            truth.append((new, replacement, original, "1/1"))
        else:
            truth.append((new - 1, edited[new - 1] + replacement, edited[new - 1] + original, "1/1"))
    if not args.edits_only:
        truth += [(lift.place(place), ref, alt, genotype) for place, ref, alt, genotype in known]

    os.makedirs(args.out, exist_ok=True)
    out = lambda name: os.path.join(args.out, name)
    write_contig(out("reference.fa"), contig, edited)
    with open(out("truth.vcf"), "w") as vcf:
        vcf.write("##fileformat=VCFv4.2\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n")
        vcf.write(f"##contig=<ID={contig},length={len(edited)}>\n")
        vcf.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        vcf.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ttruth\n")
        for place, ref, alt, genotype in sorted(truth):
            if edited[place:place + len(ref)] != ref.upper():
                raise SystemExit(f"{contig}:{place + 1}: {ref} expected, the edited reference has {edited[place:place + len(ref)]}")
            vcf.write(f"{contig}\t{place + 1}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{genotype}\n")
    write_bed(out("regions.bed"), {contig: lift.spans([(start, end)])})
    write_bed(out("confident.bed"), {contig: merged(around) if args.edits_only else lift.spans(confident)})
    with open(out("zones.bed"), "w") as zones:
        for line in open(args.zones) if args.zones else []:
            name, low, high, split = line.split()
            if name == contig and int(low) < len(bases):
                zones.write(f"{contig}\t{lift.place(int(low))}\t{min(lift.place(int(high)), len(edited))}\t{split}\n")
    print(f"{len(edits)} edits, {len(known)} known variants, {len(edited) - len(bases):+d} bases")


if __name__ == "__main__":
    main()
