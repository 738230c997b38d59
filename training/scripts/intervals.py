"""Intervals on contigs: 0-based, end outside, as in BED. A set of them is {contig: sorted, non-overlapping [(start, end)]}."""

import gzip


def opened(path):
    """A text handle of a plain or gzipped file."""
    return gzip.open(path, "rt") if str(path).endswith(".gz") else open(path)


def merged(intervals):
    """The union of [(start, end)], sorted; empty intervals are dropped."""
    out = []
    for start, end in sorted(i for i in intervals if i[0] < i[1]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def intersected(a, b):
    """What two sorted, non-overlapping lists have in common."""
    out, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if start < end:
            out.append((start, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return out


def subtracted(a, b):
    """The parts of a that no interval of b covers; both sorted and non-overlapping."""
    out = []
    for start, end in a:
        for lo, hi in b:
            if hi <= start or lo >= end:
                continue
            if lo > start:
                out.append((start, lo))
            start = max(start, hi)
        if start < end:
            out.append((start, end))
    return out


def regions(texts):
    """{contig: [(start, end)]} of texts such as chr20:1-1000 (1-based, both ends inside)."""
    out = {}
    for text in texts:
        contig, span = text.rsplit(":", 1)
        first, last = span.replace(",", "").split("-")
        out.setdefault(contig, []).append((int(first) - 1, int(last)))
    return {contig: merged(spans) for contig, spans in out.items()}


def read_bed(path):
    """{contig: [(start, end)]} of a BED file."""
    out = {}
    with opened(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith(("#", "track", "browser")):
                contig, start, end = line.split("\t")[:3]
                out.setdefault(contig, []).append((int(start), int(end)))
    return {contig: merged(spans) for contig, spans in out.items()}


def write_bed(path, sets):
    """Writes {contig: [(start, end)]}."""
    with open(path, "w") as out:
        for contig in sorted(sets):
            for start, end in sets[contig]:
                out.write(f"{contig}\t{start}\t{end}\n")


def read_contig(path, contig):
    """The sequence of one contig of a plain FASTA file, upper case."""
    parts, wanted = [], False
    with opened(path) as lines:
        for line in lines:
            if line.startswith(">"):
                if parts:
                    break
                wanted = line[1:].split()[0] == contig
            elif wanted:
                parts.append(line.strip().upper())
    if not parts:
        raise SystemExit(f"{path}: contig {contig} is not in it")
    return "".join(parts)


def write_contig(path, name, sequence, width=60):
    """Writes one FASTA record."""
    with open(path, "w") as out:
        out.write(f">{name}\n")
        for at in range(0, len(sequence), width):
            out.write(sequence[at:at + width] + "\n")
