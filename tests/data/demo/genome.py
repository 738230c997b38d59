#!/usr/bin/env python3
"""Makes the demo reference, the sample's haplotypes, the truth set and the confident regions.

usage: genome.py    (writes into the current folder)
  ref.fa          two contigs, demo1 (30 kb) and demo2 (10 kb); no sequence of any organism
  hap{1,2}.fa     the sample's two haplotypes, with 250 bases beyond each contig end and the hidden paralogue
  artefact{1,2}.fa  the same with PCR stutter and recurrent substitutions, for a small share of the reads
  truth.vcf       the sample's variants, phased, left-aligned, sorted
  confident.bed   where every absent variant is known to be absent

All coordinates in this file are 0-based half-open. Only Random.random() is drawn from, the one method whose values
Python promises to keep for a given seed.
"""

import math
import random

SEED = 20240229
LENGTHS = {"demo1": 30_000, "demo2": 10_000}
DUPLICATE_FROM, DUPLICATE_TO, DUPLICATE_LEN = 4_000, 21_000, 2_000
PARALOGUE = (15_000, 16_500)
PARALOGUE_LEFT = (4_000, 4_250)
N_RUN = (9_000, 9_100)
IUPAC_AT = 7_777
MINISATELLITE = (12_000, 24, 10)
FLANK = 250
LINE = 60


class Draw:
    """Seeded draws, all from Random.random()."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def unit(self):
        return self.rng.random()

    def below(self, n):
        return int(self.rng.random() * n)

    def between(self, low, high):
        """An integer in low..=high."""
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def bases(self, n, gc=0.45):
        return "".join(self.pick("GC") if self.unit() < gc else self.pick("AT") for _ in range(n))

    def other(self, base, transition=0.67):
        """A different base; transitions twice as often as transversions together."""
        if self.unit() < transition:
            return {"A": "G", "G": "A", "C": "T", "T": "C"}[base]
        return self.pick({"A": "CT", "G": "CT", "C": "AG", "T": "AG"}[base])


def background(draw, length):
    """Bases whose GC content swings between about 0.30 and 0.62 over 6 kb."""
    phase = draw.unit()
    out = []
    for i in range(length):
        gc = 0.46 + 0.16 * math.sin(2 * math.pi * (i / 6_000 + phase))
        out.append(draw.pick("GC") if draw.unit() < gc else draw.pick("AT"))
    return out


def diverge(draw, segment, substitution, indel):
    """A copy of segment, mutated at the given rates per base; one-base indels only."""
    out = []
    for base in segment:
        x = draw.unit()
        if x < substitution:
            out.append(draw.other(base))
        elif x < substitution + indel / 2:
            out.append(base + draw.pick("ACGT"))
        elif x >= substitution + indel:
            out.append(base)
    return "".join(out)


def lay_repeats(draw, seq, taken):
    """Writes homopolymers and short tandem repeats over seq; returns their (start, end, unit length)."""
    tracts = []
    kinds = [(1, 6, 18)] * 5 + [(2, 6, 16)] * 2 + [(3, 5, 10), (4, 4, 8)]
    at = 300
    while at < len(seq) - 300:
        unit_len, low, high = draw.pick(kinds)
        unit = draw.pick("AATTGC") if unit_len == 1 else draw.bases(unit_len)
        while unit_len > 1 and len(set(unit)) == 1:
            unit = draw.bases(unit_len)
        end = at + unit_len * draw.between(low, high)
        if not any(at < e + 20 and s - 20 < end for s, e in taken):
            seq[at:end] = unit * ((end - at) // unit_len)
            tracts.append((at, end, unit_len))
        at = end + draw.between(150, 520)
    return tracts


def left_align(seq, pos, ref, alt):
    """The left-aligned, parsimonious form of one alternate allele, anchored on the base before for an indel."""
    while True:
        if len(ref) > 0 and len(alt) > 0 and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        elif (not ref or not alt) and pos > 0:
            pos -= 1
            ref, alt = seq[pos] + ref, seq[pos] + alt
        else:
            break
        if ref and alt and ref[-1] != alt[-1]:
            break
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


class Variants:
    """Non-overlapping variants of one contig: (pos, ref, [alt...], (allele on haplotype 1, allele on haplotype 2))."""

    def __init__(self, seq, closed):
        self.seq = seq
        self.closed = list(closed)
        self.records = []

    def add(self, pos, ref, alts, genotype, gap=6):
        """Adds a variant unless it comes within gap bases of another or of a closed interval; says whether it did."""
        if len(alts) == 1:
            pos, ref, alt = left_align(self.seq, pos, ref, alts[0])
            alts = [alt]
        end = pos + len(ref)
        if self.seq[pos:end] != ref or pos < 1 or end >= len(self.seq):
            return False
        if any(pos - gap < e and s < end + gap for s, e in self.closed):
            return False
        self.closed.append((pos, end))
        self.records.append((pos, ref, alts, genotype))
        self.records.sort()
        return True

    def snp(self, draw, pos, genotype):
        ref = self.seq[pos]
        return self.add(pos, ref, [draw.other(ref)], genotype)

    def insertion(self, draw, pos, n, genotype):
        return self.add(pos, self.seq[pos], [self.seq[pos] + draw.bases(n)], genotype)

    def deletion(self, pos, n, genotype):
        return self.add(pos, self.seq[pos : pos + n + 1], [self.seq[pos]], genotype)

    def repeat_change(self, tract, units, genotype):
        """Lengthens (units > 0) or shortens a tandem repeat by whole units."""
        start, _, unit_len = tract
        n = abs(units) * unit_len
        anchor = self.seq[start - 1]
        copy = self.seq[start : start + n]
        if units > 0:
            return self.add(start - 1, anchor, [anchor + copy], genotype)
        return self.add(start - 1, anchor + copy, [anchor], genotype)


def apply(seq, records, haplotype):
    """The haplotype (0 or 1): seq with the allele each record gives it."""
    out = []
    at = 0
    for pos, ref, alts, genotype in sorted(records):
        allele = genotype[haplotype]
        if allele:
            out.append(seq[at:pos])
            out.append(alts[allele - 1])
            at = pos + len(ref)
    out.append(seq[at:])
    return "".join(out)


def genotype(draw):
    x = draw.unit()
    return (1, 1) if x < 0.36 else (1, 0) if x < 0.68 else (0, 1)


def place_truth(draw, name, seq, tracts, closed):
    """The sample's variants on one contig: named corner cases first, then variants at random."""
    v = Variants(seq, closed)
    n = len(seq)
    placed = []
    if name == "demo1":
        placed += [v.snp(draw, 19, (1, 1)), v.snp(draw, 47, (0, 1))]
        placed += [v.deletion(n - 52, 3, (1, 1)), v.snp(draw, n - 24, (1, 0))]
        mnp = seq[2_500:2_502]
        placed.append(v.add(2_500, mnp, [draw.other(mnp[0]) + draw.other(mnp[1])], (1, 0)))
        base = seq[3_000]
        first, second = [b for b in "ACGT" if b != base][:2]
        placed.append(v.add(3_000, base, [first, second], (1, 2)))
        # Two alleles of one insertion site: +2 on one haplotype, +5 on the other.
        base, long = seq[18_000], draw.bases(5)
        placed.append(v.add(18_000, base, [base + long[:2], base + long], (1, 2)))
        placed += [v.deletion(10_400, 30, (0, 1)), v.insertion(draw, 13_300, 30, (1, 0))]
        placed += [v.deletion(24_600, 17, (1, 1)), v.insertion(draw, 26_200, 21, (1, 1))]
        # A copy-number change of the minisatellite; outside the confident regions.
        placed.append(v.repeat_change((MINISATELLITE[0], 0, MINISATELLITE[1]), -1, (0, 1)))
        placed += [v.snp(draw, PARALOGUE[0] + 200, (1, 1)), v.snp(draw, PARALOGUE[0] + 900, (0, 1))]
    else:
        placed += [v.insertion(draw, 33, 2, (1, 1)), v.snp(draw, 55, (1, 0))]
        placed += [v.snp(draw, n - 45, (0, 1)), v.snp(draw, n - 16, (1, 1))]
        mnp = seq[2_200:2_203]
        placed.append(v.add(2_200, mnp, ["".join(draw.other(b) for b in mnp)], (0, 1)))
        # A SNP eight bases after a deletion, on the other haplotype.
        placed += [v.deletion(6_000, 4, (1, 0)), v.snp(draw, 6_014, (0, 1))]
        placed += [v.insertion(draw, 7_500, 12, (0, 1)), v.deletion(8_300, 22, (1, 0))]
    if not all(placed):
        raise SystemExit(f"{name}: a corner case does not fit: {placed}")
    for tract in tracts:
        if draw.unit() < 0.22:
            v.repeat_change(tract, draw.pick([-2, -1, -1, 1, 1, 2]), genotype(draw))
    at = 100
    while at < n - 100:
        x = draw.unit()
        if x < 0.80:
            v.snp(draw, at, genotype(draw))
        elif x < 0.90:
            v.deletion(at, min(draw.between(1, 8), draw.between(1, 14)), genotype(draw))
        else:
            v.insertion(draw, at, min(draw.between(1, 8), draw.between(1, 14)), genotype(draw))
        at += draw.between(60, 480)
    return v


def place_artefacts(draw, seq, tracts, truth):
    """Stutter of long repeats and recurrent substitutions, away from the true variants and from each other."""
    v = Variants(seq, [(s - 4, e + 4) for s, e in truth.closed])
    masks = [(1, 1), (1, 0), (0, 1)]
    for tract in tracts:
        start, end, unit_len = tract
        long_enough = end - start >= (9 if unit_len == 1 else 16)
        if long_enough and unit_len <= 2 and draw.unit() < 0.85:
            v.repeat_change(tract, -1 if draw.unit() < 0.7 else 1, draw.pick(masks))
    for _ in range(len(seq) // 900):
        v.snp(draw, draw.between(150, len(seq) - 150), draw.pick(masks))
    return v


def write_fasta(path, named):
    with open(path, "w", encoding="ascii") as out:
        for name, seq in named:
            out.write(f">{name}\n")
            for i in range(0, len(seq), LINE):
                out.write(seq[i : i + LINE] + "\n")


def main():
    draw = Draw(SEED)
    genome, tracts, reference = {}, {}, {}
    for name, length in LENGTHS.items():
        seq = background(draw, length)
        taken = []
        if name == "demo1":
            start, unit_len, copies = MINISATELLITE
            seq[start : start + unit_len * copies] = draw.bases(unit_len, 0.6) * copies
            taken = [
                (start, start + unit_len * copies),
                (DUPLICATE_FROM, DUPLICATE_FROM + DUPLICATE_LEN),
                (DUPLICATE_TO, DUPLICATE_TO + DUPLICATE_LEN),
                (N_RUN[0] - 150, N_RUN[1] + 150),
                (IUPAC_AT, IUPAC_AT + 1),
            ]
            # Sites of the corner cases: kept clear of repeats, so that their alleles have one representation.
            taken += [(p - 5, p + 40) for p in (2_500, 3_000, 10_400, 13_300, 18_000, 24_600, 26_200)]
            taken += [(PARALOGUE[0] + p, PARALOGUE[0] + p + 1) for p in (200, 900)]
        else:
            taken = [(p - 5, p + 40) for p in (2_200, 6_000, 7_500, 8_300)]
        tracts[name] = lay_repeats(draw, seq, taken)
        if name == "demo1":
            source = "".join(seq[DUPLICATE_FROM : DUPLICATE_FROM + DUPLICATE_LEN])
            copy = diverge(draw, source, 0.014, 0.001)[:DUPLICATE_LEN]
            seq[DUPLICATE_TO : DUPLICATE_TO + len(copy)] = copy
        genome[name] = "".join(seq)

    for name, seq in genome.items():
        shown = list(seq)
        masked = [t for i, t in enumerate(tracts[name]) if i % 3 == 0]
        if name == "demo1":
            masked += [(DUPLICATE_TO + 500, DUPLICATE_TO + 800, 0)]
            shown[N_RUN[0] : N_RUN[1]] = "N" * (N_RUN[1] - N_RUN[0])
            shown[IUPAC_AT] = "R" if seq[IUPAC_AT] in "AG" else "Y"
        for start, end, _ in masked:
            shown[start:end] = "".join(shown[start:end]).lower()
        reference[name] = "".join(shown)
    write_fasta("ref.fa", reference.items())

    closed = {name: [] for name in genome}
    closed["demo1"] = [(N_RUN[0] - 100, N_RUN[1] + 100), (IUPAC_AT - 20, IUPAC_AT + 21)]
    truth = {n: place_truth(draw, n, s, tracts[n], closed[n]) for n, s in genome.items()}
    artefacts = {n: place_artefacts(draw, s, tracts[n], truth[n]) for n, s in genome.items()}

    paralogue = diverge(draw, genome["demo1"][PARALOGUE[0] : PARALOGUE[1]], 0.009, 0.001)
    # Its left neighbour is a copy of a piece of demo2, so that some reads align in two parts.
    start, end = PARALOGUE_LEFT
    paralogue = genome["demo2"][start:end] + paralogue + draw.bases(FLANK)
    flanks = {n: (draw.bases(FLANK), draw.bases(FLANK)) for n in genome}
    for haplotype in (0, 1):
        for stem, more in (("hap", False), ("artefact", True)):
            contigs = []
            for name, seq in genome.items():
                records = truth[name].records + (artefacts[name].records if more else [])
                before, after = flanks[name]
                contigs.append((name, before + apply(seq, records, haplotype) + after))
            contigs.append(("paralogue", paralogue))
            write_fasta(f"{stem}{haplotype + 1}.fa", contigs)

    with open("truth.vcf", "w", encoding="ascii") as out:
        out.write("##fileformat=VCFv4.2\n##source=genome.py\n")
        for name, length in LENGTHS.items():
            out.write(f"##contig=<ID={name},length={length}>\n")
        out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdemo\n")
        for name in LENGTHS:
            for pos, ref, alts, (one, two) in truth[name].records:
                out.write(f"{name}\t{pos + 1}\t.\t{ref}\t{','.join(alts)}\t.\tPASS\t.\tGT\t{one}|{two}\n")

    start, unit_len, copies = MINISATELLITE
    with open("confident.bed", "w", encoding="ascii") as out:
        holes = [(IUPAC_AT - 10, IUPAC_AT + 11), (N_RUN[0] - 50, N_RUN[1] + 50)]
        holes.append((start - 60, start + unit_len * copies + 60))
        at = 0
        for low, high in sorted(holes):
            out.write(f"demo1\t{at}\t{low}\n")
            at = high
        out.write(f"demo1\t{at}\t{LENGTHS['demo1']}\ndemo2\t0\t{LENGTHS['demo2']}\n")


if __name__ == "__main__":
    main()
