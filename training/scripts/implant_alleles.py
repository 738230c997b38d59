#!/usr/bin/env python3
"""Writes alleles into a part of real reads, so that they show heterozygous and mosaic variants and hidden paralogues known exactly.

usage: implant_alleles.py --reference FA --region CONTIG:FIRST-LAST --seed N --spacing BASES --out DIR [--reads SAM]
                          [--truth VCF] [--avoid VCF ...] [--confident BED] [--edits-only]
                          [--base-keep SHARE] [--copies-per-100kb N] [--divergent-per-100kb N]

The reads are primary alignments to the reference as SAM text, collated by name (standard input without --reads). In them appear

  heterozygous alleles  about every SPACING bases: kinds and places as edit_reference.py chooses them; each fragment carries those of
                        one of two haplotypes. In the truth, as 0/1.
  divergent haplotypes  N stretches for every 100,000 bases, of DIVERGENT_LENGTH bases, with DIVERGENCE or FEWEST differences on one
                        haplotype: what a hidden copy looks like, but for its depth. In the truth, as 0/1.
  mosaic alleles        MOSAIC_SHARE of the alleles instead, each carried by a fraction of MOSAIC_FRACTION of the fragments. Not in
                        the truth.
  hidden copies         N stretches as well, of COPY_LENGTH bases: paralogues that the reference lacks, of DIVERGENCE,
                        of one or two chromosomes. Their differences are not in the truth.

A fragment is kept when a number u in [0, 1), drawn for it, is below SHARE (default 1: all are). Where it overlaps a stretch, it is the
copy's when u lies between SHARE and SHARE times 1.5 or 2: so a copy adds depth with fragments of its own, not with duplicates. They
show all of the copy's differences; outside of the stretch they have a piece of another place of the contig, the copy's own
surroundings, FLANK bases on each side.

A read keeps its sequencing errors, qualities and length: what an insertion pushes out is cut off at the end that was sequenced last,
what a deletion leaves missing is filled up there from the reference, unless the read is clipped there. All that is drawn for a
fragment depends on its name and the seed, not on the order of the reads. DIR gets

  r1.fq, r2.fq   the pairs as they came off the instrument
  truth.vcf      the heterozygous alleles and, without --edits-only, the known variants of --truth
  confident.bed  --confident (or the region); with --edits-only, AROUND bases to each side of each allele of the three kinds, less
                 the surroundings of the sites of --truth and --avoid
"""

import argparse
import itertools
import math
import os
import random
import re
import sys

from alleles import AROUND, blocked_by, choose_edits, indel, records, snp, spread, write_truth
from intervals import intersected, merged, opened, read_bed, read_contig, regions, subtracted, write_bed

MOSAIC_SHARE = 0.12
MOSAIC_FRACTION = (0.05, 0.25)
COPY_LENGTH = (1000, 6000)  # log-uniform, as DIVERGENCE
DIVERGENCE = (0.005, 0.03)
COPY_INDELS = 0.15
COPY_CLEAR = 10  # bases between a copy's difference and a known variant
COPIES_APART = 2000
DIVERGENT_LENGTH = (40, 3000)  # log-uniform
FEWEST = 3
FLANK = 1000
FARTHEST = 2000  # mates further apart than this are not taken for the ends of one piece of DNA
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
CIGAR = re.compile(r"(\d+)([MIDNSHP=X])")


def log_uniform(low, high, rng):
    return math.exp(rng.uniform(math.log(low), math.log(high)))


class Copy:
    """A paralogue of the stretch [start, end): its differences and how many chromosomes have it, over the sample's two."""

    def __init__(self, start, end, changes, dose, before, behind):
        self.start, self.end, self.changes, self.dose = start, end, changes, dose
        self.before, self.behind = before, behind

    def outside(self, at):
        """The copy's base where the stretch's surroundings have `at`; None inside, and further out than FLANK."""
        if self.start - FLANK <= at < self.start:
            return self.before[at - self.start + FLANK]
        if self.end <= at < self.end + FLANK:
            return self.behind[at - self.end]
        return None


def elsewhere(bases, start, end, rng):
    """FLANK bases of the contig without N, not within [start, end) if there are such."""
    for attempt in range(10000):
        at = rng.randrange(len(bases) - FLANK)
        piece = bases[at:at + FLANK]
        if "N" not in piece and (attempt > 9000 or at + FLANK < start - FARTHEST or at > end + FARTHEST):
            return piece
    raise SystemExit(f"no {FLANK} bases without N")


def choose_changes(bases, start, end, fewest, blocked, rng):
    """Differences of a copy or a haplotype [(start, end, replacement)], sorted, none touching another."""
    wanted = max(fewest, round((end - start) * log_uniform(*DIVERGENCE, rng)))
    changes = []
    for _ in range(wanted * 20):
        place = rng.randrange(start, end)
        if "N" in bases[place - 100:place + 100]:
            continue
        change = indel(bases, place, rng) if rng.random() < COPY_INDELS else snp(bases, place, rng)
        low, high = spread(bases, change)
        if low <= start or high >= end or intersected([(low - COPY_CLEAR, high + COPY_CLEAR)], blocked):
            continue
        if intersected([(change[0] - 1, change[1] + 1)], merged([(s - 1, e + 1) for s, e, _ in changes])):
            continue
        changes.append(change)
        if len(changes) == wanted:
            break
    return sorted(changes)


def choose_copies(bases, start, end, count, blocked, rng):
    """Hidden copies in [start, end), sorted and apart."""
    copies = []
    for _ in range(count * 50):
        if len(copies) == count:
            break
        length = round(log_uniform(*COPY_LENGTH, rng))
        if length > (end - start) // 4:
            continue
        first = rng.randrange(start, end - length)
        last = first + length
        taken = merged([(copy.start - COPIES_APART, copy.end + COPIES_APART) for copy in copies])
        if "N" in bases[first - FLANK:last + FLANK] or intersected([(first, last)], taken):
            continue
        changes = choose_changes(bases, first, last, 1, blocked, rng)
        if changes:
            dose = rng.choice([0.5, 1.0])
            flanks = [elsewhere(bases, start, end, rng) for _ in range(2)]
            copies.append(Copy(first, last, changes, dose, *flanks))
    return sorted(copies, key=lambda copy: copy.start)


def choose_divergent(bases, start, end, count, blocked, confident, rng):
    """(start, end, differences) of divergent haplotypes in [start, end), sorted and apart."""
    found = []
    for _ in range(count * 50):
        if len(found) == count:
            break
        length = round(log_uniform(*DIVERGENT_LENGTH, rng))
        if length > (end - start) // 4:
            continue
        first = rng.randrange(start, end - length)
        last = first + length
        taken = merged(blocked + [(low - COPY_CLEAR, high + COPY_CLEAR) for low, high, _ in found])
        if intersected([(first, last)], taken) or intersected([(first, last)], confident) != [(first, last)]:
            continue
        changes = choose_changes(bases, first, last, FEWEST, blocked, rng)
        if changes:
            found.append((first, last, changes))
    return sorted(found)


class Allele:
    """An edit (start, end, replacement) and who carries it: the fragments of a haplotype (0 or 1), or with a fraction, some of all."""

    def __init__(self, edit, haplotype, fraction):
        self.edit, self.haplotype, self.fraction = edit, haplotype, fraction

    def carried(self, haplotype, rng):
        return self.haplotype == haplotype if self.fraction is None else rng.random() < self.fraction


def altered(bases, start, end, changes):
    """The bases of [start, end) with the changes that start there written in, and what is inserted at its end."""
    parts, at = [], start
    for low, high, replacement in changes:
        if low < at or low > end or low == end < high:
            continue
        parts += [bases[at:low], replacement]
        at = high
    return "".join(parts) + bases[at:end]


class Read:
    """One line of SAM; places are 0-based, `end` outside."""

    def __init__(self, line):
        fields = line.rstrip("\n").split("\t")
        self.name, self.flag, self.contig, self.start = fields[0], int(fields[1]), fields[2], int(fields[3]) - 1
        self.sequence, self.qualities = fields[9], fields[10]
        self.cigar = [(int(length), kind) for length, kind in CIGAR.findall(fields[5])]
        self.end = self.start + sum(length for length, kind in self.cigar if kind in "MDN=X")

    def aligned_to(self, contig):
        return not self.flag & 4 and self.contig == contig and not any(kind in "NP" for _, kind in self.cigar)

    def cells(self):
        """(head, cells, tail): the pairs (base, quality) before the first aligned base, at each reference base with what is inserted
        behind it, and those clipped behind the last."""
        pairs = iter(list(zip(self.sequence, self.qualities)))
        head, cells, tail = [], [], []
        for length, kind in self.cigar:
            if kind in "M=X":
                cells += [[pair] for pair in itertools.islice(pairs, length)]
            elif kind == "D":
                cells += [[] for _ in range(length)]
            elif kind in "IS":
                taken = list(itertools.islice(pairs, length))
                if not cells:
                    head += taken
                elif kind == "S":
                    tail += taken
                else:
                    cells[-1] += taken
        return head, cells, tail

    def implant(self, bases, changes, copy, known):
        """Writes the changes [(start, end, replacement)] into the read and, of a copy, its surroundings; whether anything changed."""
        if not any(low < self.end and high > self.start for low, high, _ in changes) and (
                copy is None or copy.start <= self.start and self.end <= copy.end):
            return False
        length = len(self.sequence)
        head, cells, tail = self.cells()
        before = [list(cell) for cell in cells]
        if copy:
            for index, cell in enumerate(cells):
                at = self.start + index
                other = copy.outside(at)
                # Errors stay; the sample's own variants do not, they are not the other place's.
                if other and cell and (cell[0][0] == bases[at] or intersected([(at, at + 1)], known)):
                    cell[0] = (other, cell[0][1])
        first, last = self.start, self.end
        for low, high, replacement in changes:
            if low == high:
                if self.start < low < self.end:
                    quality = next((cell[-1][1] for cell in reversed(cells[:low - self.start]) if cell), None) or self.qualities[0]
                    cells[low - self.start - 1] += [(base, quality) for base in replacement]
            elif len(replacement) == high - low:
                if self.start <= low < self.end:
                    cell = cells[low - self.start]
                    if cell and cell[0][0] == bases[low]:
                        cell[0] = (replacement, cell[0][1])
            else:
                for at in range(max(low, self.start), min(high, self.end)):
                    cells[at - self.start] = []
                if low <= self.start < high:
                    first = high
                if low < self.end <= high:
                    last = high
                    if low <= self.start:
                        return False
        if cells == before:
            return False
        pairs = head + [pair for cell in cells for pair in cell] + tail
        backward = bool(self.flag & 16)
        missing = length - len(pairs)
        if missing < 0:
            pairs = pairs[-missing:] if backward else pairs[:missing]
        elif missing and not (head if backward else tail):
            if backward:
                room = first - missing - 100
                more, quality = altered(bases, room, first, changes)[-missing:], pairs[0][1]
                pairs = [(base, quality) for base in more] + pairs
            else:
                more, quality = altered(bases, last, last + missing + 100, changes)[:missing], pairs[-1][1]
                pairs += [(base, quality) for base in more]
        self.sequence = "".join(base for base, _ in pairs)
        self.qualities = "".join(quality for _, quality in pairs)
        return True

    def fastq(self):
        sequence, qualities = self.sequence, self.qualities
        if self.flag & 16:
            sequence, qualities = sequence.translate(COMPLEMENT)[::-1], qualities[::-1]
        return f"@{self.name}\n{sequence}\n+\n{qualities}\n"


def fragments(lines):
    """The pairs of collated SAM text; a read without its mate is left out."""
    reads = (Read(line) for line in lines if not line.startswith("@"))
    for _, group in itertools.groupby((read for read in reads if not read.flag & 0x900), key=lambda read: read.name):
        pair = {read.flag & 0xC0: read for read in group}
        if 0x40 in pair and 0x80 in pair:
            yield pair[0x40], pair[0x80]


def covered(pair, contig):
    """The stretches of the contig that a pair comes from: one if its reads are mates of one piece of DNA."""
    spans = [(read.start, read.end) for read in pair if read.aligned_to(contig)]
    if len(spans) == 2:
        whole = (min(spans)[0], max(span[1] for span in spans))
        if whole[1] - whole[0] <= FARTHEST:
            return [whole]
    return sorted(spans)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--spacing", type=int, required=True)
    parser.add_argument("--reads")
    parser.add_argument("--truth")
    parser.add_argument("--avoid", nargs="*", default=[])
    parser.add_argument("--confident")
    parser.add_argument("--edits-only", action="store_true")
    parser.add_argument("--base-keep", type=float, default=1.0)
    parser.add_argument("--copies-per-100kb", type=float, default=0.0)
    parser.add_argument("--divergent-per-100kb", type=float, default=0.0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.copies_per_100kb and not 0 < args.base_keep <= 0.5:
        raise SystemExit(f"--base-keep {args.base_keep}: with copies, above 0 and at most 0.5, the rest being for their reads")

    [(contig, [(start, end)])] = regions([args.region]).items()
    bases = read_contig(args.reference, contig)
    known = records(args.truth, contig, start, end) if args.truth else []
    blocked = blocked_by(bases, known + [record for path in args.avoid for record in records(path, contig, start, end)])
    confident = [(start, end)]
    if args.confident:
        confident = intersected(read_bed(args.confident).get(contig, []), confident)

    rng = random.Random(args.seed)
    copies = choose_copies(bases, start, end, round(args.copies_per_100kb * (end - start) / 100000), blocked, rng)
    stretches = [(copy.start, copy.end) for copy in copies]
    count = round(args.divergent_per_100kb * (end - start) / 100000)
    divergent = choose_divergent(bases, start, end, count, merged(blocked + stretches), confident, rng)
    alleles = [Allele(change, haplotype, None) for _, _, changes in divergent for haplotype in [rng.randrange(2)] for change in changes]
    taken = merged(blocked + stretches + [(low, high) for low, high, _ in divergent])
    for edit in choose_edits(bases, start, end, args.spacing, taken, confident, rng):
        fraction = rng.uniform(*MOSAIC_FRACTION) if rng.random() < MOSAIC_SHARE else None
        alleles.append(Allele(edit, rng.randrange(2), fraction))
    if not alleles:
        raise SystemExit(f"{args.region}: no place for an allele")

    os.makedirs(args.out, exist_ok=True)
    out = lambda name: os.path.join(args.out, name)
    counts = dict.fromkeys(["pairs", "kept", "of copies", "reads altered"], 0)
    with opened(args.reads) if args.reads else sys.stdin as lines, open(out("r1.fq"), "w") as r1, open(out("r2.fq"), "w") as r2:
        for pair in fragments(lines):
            counts["pairs"] += 1
            spans = covered(pair, contig)
            copy = next((copy for copy in copies if any(low < copy.end and high > copy.start for low, high in spans)), None)
            drawn = random.Random(f"{args.seed} {pair[0].name}")
            kept, haplotype = drawn.random(), drawn.randrange(2)
            if kept >= args.base_keep * (1 + (copy.dose if copy else 0)):
                continue
            if kept < args.base_keep:
                copy = None
                near = [a for a in alleles if any(low <= a.edit[1] and high >= a.edit[0] for low, high in spans)]
                changes = [a.edit for a in near if a.carried(haplotype, drawn)]
            else:
                changes = copy.changes
                counts["of copies"] += 1
            counts["kept"] += 1
            for read, fastq in zip(pair, (r1, r2)):
                if read.aligned_to(contig):
                    counts["reads altered"] += read.implant(bases, changes, copy, blocked)
                fastq.write(read.fastq())

    around, truth = [], []
    for low, high, replacement in [a.edit for a in alleles] + [change for copy in copies for change in copy.changes]:
        around.append((low - AROUND, high + AROUND))
    for allele in alleles:
        low, high, replacement = allele.edit
        if allele.fraction is not None:
            continue
        if len(replacement) == high - low:
            truth.append((low, bases[low:high], replacement, "0/1"))
        else:
            truth.append((low - 1, bases[low - 1:high], bases[low - 1] + replacement, "0/1"))
    heterozygous = len(truth)
    if args.edits_only:
        confident = subtracted(merged(around), merged([(low - COPY_CLEAR, high + COPY_CLEAR) for low, high in blocked]))
    else:
        truth += known
    write_truth(out("truth.vcf"), contig, bases, truth)
    write_bed(out("confident.bed"), {contig: confident})
    print(f"{heterozygous} heterozygous, {sum(len(changes) for _, _, changes in divergent)} of them of {len(divergent)} divergent haplotypes, and {len(alleles) - heterozygous} mosaic alleles, {len(copies)} hidden copies over "
          f"{sum(high - low for low, high in stretches)} bases with {sum(len(copy.changes) for copy in copies)} differences, "
          f"{len(known)} known variants; " + ", ".join(f"{count} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    main()
