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

import itertools
import os
import random
import sys

from alleles import AROUND, Ground, altered, as_variant, choose_edits, indel, log_uniform, parser_of, snp, spread, write_truth
from cigar import consumes_reference, operations
from intervals import intersected, merged, opened, subtracted, write_bed

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


def places(start, end, lengths, count, rng):
    """Stretches (first, last) to try for `count` of them: of log-uniform lengths, up to a quarter of [start, end)."""
    for _ in range(count * 50):
        length = round(log_uniform(*lengths, rng))
        if length <= (end - start) // 4:
            first = rng.randrange(start, end - length)
            yield first, first + length


def choose_copies(bases, start, end, count, blocked, rng):
    """Hidden copies in [start, end), sorted and apart."""
    copies = []
    for first, last in places(start, end, COPY_LENGTH, count, rng):
        taken = merged([(copy.start - COPIES_APART, copy.end + COPIES_APART) for copy in copies])
        if "N" in bases[first - FLANK:last + FLANK] or intersected([(first, last)], taken):
            continue
        changes = choose_changes(bases, first, last, 1, blocked, rng)
        if changes:
            dose = rng.choice([0.5, 1.0])
            flanks = [elsewhere(bases, start, end, rng) for _ in range(2)]
            copies.append(Copy(first, last, changes, dose, *flanks))
        if len(copies) == count:
            break
    return sorted(copies, key=lambda copy: copy.start)


def choose_divergent(bases, start, end, count, blocked, confident, rng):
    """(start, end, differences) of divergent haplotypes in [start, end), sorted and apart."""
    found = []
    for first, last in places(start, end, DIVERGENT_LENGTH, count, rng):
        taken = merged(blocked + [(low - COPY_CLEAR, high + COPY_CLEAR) for low, high, _ in found])
        if intersected([(first, last)], taken) or intersected([(first, last)], confident) != [(first, last)]:
            continue
        changes = choose_changes(bases, first, last, FEWEST, blocked, rng)
        if changes:
            found.append((first, last, changes))
        if len(found) == count:
            break
    return sorted(found)


class Allele:
    """An edit (start, end, replacement) and who carries it: the fragments of a haplotype (0 or 1), or with a fraction, some of all."""

    def __init__(self, edit, haplotype, fraction):
        self.edit, self.haplotype, self.fraction = edit, haplotype, fraction

    def carried(self, haplotype, rng):
        return self.haplotype == haplotype if self.fraction is None else rng.random() < self.fraction


class Read:
    """One line of SAM; places are 0-based, `end` outside."""

    def __init__(self, line):
        fields = line.rstrip("\n").split("\t")
        self.name, self.flag, self.contig, self.start = fields[0], int(fields[1]), fields[2], int(fields[3]) - 1
        self.sequence, self.qualities = fields[9], fields[10]
        self.cigar = operations(fields[5])
        self.end = self.start + sum(length for length, kind in self.cigar if consumes_reference(kind))

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
    parser = parser_of(__doc__)
    parser.add_argument("--reads")
    parser.add_argument("--base-keep", type=float, default=1.0)
    parser.add_argument("--copies-per-100kb", type=float, default=0.0)
    parser.add_argument("--divergent-per-100kb", type=float, default=0.0)
    args = parser.parse_args()
    if args.copies_per_100kb and not 0 < args.base_keep <= 0.5:
        raise SystemExit(f"--base-keep {args.base_keep}: with copies, above 0 and at most 0.5, the rest being for their reads")

    ground = Ground(args)
    contig, start, end, bases, blocked, confident = ground.contig, ground.start, ground.end, ground.bases, ground.blocked, ground.confident
    wanted = lambda per_100kb: round(per_100kb * (end - start) / 100000)

    rng = random.Random(args.seed)
    copies = choose_copies(bases, start, end, wanted(args.copies_per_100kb), blocked, rng)
    blocked_or_copied = merged(blocked + [(copy.start, copy.end) for copy in copies])
    divergent = choose_divergent(bases, start, end, wanted(args.divergent_per_100kb), blocked_or_copied, confident, rng)
    alleles = []
    for _, _, changes in divergent:
        haplotype = rng.randrange(2)
        alleles += [Allele(change, haplotype, None) for change in changes]
    close_together = len(alleles)
    taken = merged(blocked_or_copied + [(low, high) for low, high, _ in divergent])
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

    truth = [as_variant(bases, *allele.edit, "0/1") for allele in alleles if allele.fraction is None]
    heterozygous = len(truth)
    if args.edits_only:
        placed = [allele.edit for allele in alleles] + [change for copy in copies for change in copy.changes]
        around = merged([(low - AROUND, high + AROUND) for low, high, _ in placed])
        confident = subtracted(around, merged([(low - COPY_CLEAR, high + COPY_CLEAR) for low, high in blocked]))
    else:
        truth += ground.known
    write_truth(out("truth.vcf"), contig, bases, truth)
    write_bed(out("confident.bed"), {contig: confident})
    print(f"{heterozygous} heterozygous, {close_together} of them of {len(divergent)} divergent haplotypes, and "
          f"{len(alleles) - heterozygous} mosaic alleles, {len(copies)} hidden copies over {sum(copy.end - copy.start for copy in copies)} bases "
          f"with {sum(len(copy.changes) for copy in copies)} differences, {len(ground.known)} known variants; "
          + ", ".join(f"{count} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    main()
