"""Small alleles put at places of a reference that are known exactly: SNPs and indels, apart from each other and from known variants."""

import argparse
import math

from intervals import intersected, merged, opened, read_bed, read_contig, regions

CLEAR = 60
AROUND = 50  # bases to each side of an allele that count as confident where only the alleles do
SNP_SHARE = 0.45
REPEAT_SHARE = 0.7
LONGEST_INDEL = 20
LONG_LENGTH = (31, 1001)  # log-uniform
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


def log_uniform(low, high, rng):
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def long_indel(bases, at, rng):
    """(start, end, replacement) of a long deletion, insertion of random sequence or of sequence from elsewhere, or tandem duplication."""
    length = int(log_uniform(*LONG_LENGTH, rng))
    kind = rng.randrange(4)
    if kind == 0:
        return at, at + length, ""
    if kind == 1:
        return at, at, "".join(rng.choice("ACGT") for _ in range(length))
    if kind == 2:
        other = rng.randrange(max(0, at - 200_000), min(len(bases) - length, at + 200_000))
        return at, at, bases[other:other + length]
    return at, at, bases[at:at + length]


def long_change(bases, at, rng):
    """As `long_indel`, replacements as often as the others; None where the sequence is not known."""
    low, high, replacement = long_indel(bases, at, rng)
    if rng.random() < 0.2:
        other = int(log_uniform(*LONG_LENGTH, rng))
        high, replacement = at + int(log_uniform(*LONG_LENGTH, rng)), "".join(rng.choice("ACGT") for _ in range(other))
    if high > len(bases) or low == high and not replacement or any(base not in "ACGT" for base in replacement):
        return None
    return low, high, replacement


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


def spread(bases, edit):
    """(start, end) of what an edit (start, end, replacement) may be said to change: an indel in a repeat, the whole repeat."""
    start, end, replacement = edit
    return (start, end) if len(replacement) == end - start else slack(bases, *edit)


def choose_edits(bases, start, end, spacing, blocked, confident, rng, long_share=0.0):
    """[(start, end, replacement)], sorted, apart from each other and from what is blocked."""
    edits, last = [], start
    at = start + rng.randint(spacing // 4, spacing)
    while at < end - CLEAR:
        for _ in range(10):
            place = at + rng.randint(-spacing // 8, spacing // 8)
            if not start + CLEAR < place < end - CLEAR or "N" in bases[place - 200:place + 200]:
                continue
            if long_share and rng.random() < long_share:
                edit = long_indel(bases, place, rng)
                if "N" in bases[edit[0]:edit[1]] + edit[2]:
                    continue
            else:
                edit = snp(bases, place, rng) if rng.random() < SNP_SHARE else indel(bases, place, rng)
            low, high = spread(bases, edit)
            clear = (low - CLEAR, high + CLEAR)
            if clear[0] < last or intersected([clear], blocked) or intersected([clear], confident) != [clear]:
                continue
            edits.append(edit)
            last = high
            break
        at += rng.randint(spacing // 2, spacing * 3 // 2)
    return edits


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


def blocked_by(bases, sites):
    """The sorted intervals that the variants [(place, REF, ALT, GT)] take, with the repeats they lie in."""
    return merged([slack(bases, at, at + len(ref), ref) for at, ref, _, _ in sites] + [(at, at + len(ref)) for at, ref, _, _ in sites])


def altered(bases, start, end, changes):
    """The bases of [start, end) with the changes that start there written in, and what is inserted at its end."""
    parts, at = [], start
    for low, high, replacement in changes:
        if low < at or low > end or low == end < high:
            continue
        parts += [bases[at:low], replacement]
        at = high
    return "".join(parts) + bases[at:end]


def as_variant(bases, low, high, replacement, genotype):
    """(place, REF, ALT, GT) of a change of [low, high) of `bases`; an insertion or deletion has the base before it."""
    if len(replacement) == high - low:
        return low, bases[low:high], replacement, genotype
    return low - 1, bases[low - 1:high], bases[low - 1] + replacement, genotype


def parser_of(description):
    """A parser of the arguments that placing alleles takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--spacing", type=int, required=True)
    parser.add_argument("--truth")
    parser.add_argument("--avoid", nargs="*", default=[])
    parser.add_argument("--confident")
    parser.add_argument("--edits-only", action="store_true")
    parser.add_argument("--out", required=True)
    return parser


class Ground:
    """Where alleles can be placed, of the arguments of `parser_of`: the contig's bases, the region [start, end), the known variants, what they
    and the sites to avoid block, and the confident part."""

    def __init__(self, args):
        [(self.contig, [(self.start, self.end)])] = regions([args.region]).items()
        self.bases = read_contig(args.reference, self.contig)
        self.known = self.records(args.truth) if args.truth else []
        self.blocked = blocked_by(self.bases, self.known + [record for path in args.avoid for record in self.records(path)])
        self.confident = [(self.start, self.end)]
        if args.confident:
            self.confident = intersected(read_bed(args.confident).get(self.contig, []), self.confident)

    def records(self, path):
        return records(path, self.contig, self.start, self.end)


def write_truth(path, contig, bases, variants):
    """Writes [(place, REF, ALT, GT)] as VCF; stops at a REF that `bases`, the contig, does not have there."""
    with open(path, "w") as vcf:
        vcf.write("##fileformat=VCFv4.2\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n")
        vcf.write(f"##contig=<ID={contig},length={len(bases)}>\n")
        vcf.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        vcf.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ttruth\n")
        for place, ref, alt, genotype in sorted(variants):
            if bases[place:place + len(ref)] != ref.upper():
                raise SystemExit(f"{path}: {contig}:{place + 1}: {ref} expected, the reference has {bases[place:place + len(ref)]}")
            vcf.write(f"{contig}\t{place + 1}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{genotype}\n")
