#!/usr/bin/env python3
"""Alleles of 31 to 1,000 bases: how many that no read shows pass, and how many real ones.

    benches/compare/long_alleles.py DATA [CNNFILTER]

DATA is a folder with reads/ and ref/ as tests/it/real_data.rs expects it. Needs bwa and samtools.

* Made up: 400 records of each kind on real reads (NA12878, 52x), at random places of the window.
* Real: some 370 alleles of up to 300 bases, in one or both copies of a megabase of chr20, with simulated reads (30x, 2x150 bases, 0.3 % of
  errors of sequencing) that bwa aligns.

All records have annotations of a doubtful call (QUAL 12.6, genotype 0/1, AD 27,3). The real ones are scored with fitting annotations as well.
"""

import pathlib
import random
import subprocess
import sys
import tempfile

KINDS = ["deletion", "insertion", "copy", "duplication", "replacement"]
MADE_UP = [50, 75, 100, 150, 200, 300, 500, 1000]
REAL = [31, 50, 75, 100, 150, 200, 300]
DOUBTFUL = ("12.6", "0/1:27,3")
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
HEADER = """##fileformat=VCFv4.2
##contig=<ID={contig}>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths of the alleles">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}
"""


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def bases(reference, region):
    """Bases of a region."""
    lines = run("samtools", "faidx", reference, region, stdout=subprocess.PIPE).stdout.split("\n", 1)[1]
    return lines.replace("\n", "").upper()


def random_bases(count):
    return "".join(random.choices("ACGT", k=count))


def allele(sequence, at, kind, sizes):
    """REF and ALT of an allele whose first base, which both have, is at `at`."""
    size = random.choice(sizes)
    first, stretch = sequence[at], sequence[at + 1:at + 1 + size]
    if kind == "deletion":
        return first + stretch, first
    if kind == "insertion":
        return first, first + random_bases(size)
    if kind == "copy":
        place = random.randrange(2000, len(sequence) - 2000)
        return first, first + sequence[place:place + size]
    if kind == "duplication":
        return first, first + stretch
    return first + stretch, first + random_bases(random.choice(sizes))


def write_calls(path, contig, offset, sample, calls):
    """Calls are (index, name, REF, ALT, QUAL, value of the sample)."""
    with open(path, "w") as out:
        out.write(HEADER.format(contig=contig, sample=sample))
        for at, name, ref, alt, quality, value in sorted(calls):
            out.write("\t".join([contig, str(offset + at + 1), name, ref, alt, quality, ".", ".", "GT:AD", value]) + "\n")


def passed(program, calls, reads, reference):
    """Names of the calls that pass."""
    command = [program, "score", "-q", "-V", calls, "-I", reads, "-R", reference, "--filter"]
    lines = run(*command, stdout=subprocess.PIPE).stdout.splitlines()
    records = [line.split("\t") for line in lines if not line.startswith("#")]
    return [record[2] for record in records if record[6] == "PASS"]


def made_up(program, data, work):
    """Passing records of each kind that no read shows."""
    reference, start = data / "ref/hg19.chr20.fa.gz", 10_000_000
    sequence = bases(reference, f"chr20:{start + 1}-{start + 100_000}")
    counts = {}
    for kind in KINDS:
        calls = []
        while len(calls) < 400:
            at = random.randrange(2000, len(sequence) - 3000)
            if "N" not in sequence[at - 200:at + 2400]:
                calls.append((at, kind, *allele(sequence, at, kind, MADE_UP), *DOUBTFUL))
        write_calls(work / "calls.vcf", "chr20", start, "NA12878", calls)
        reads = data / "reads/NA12878.hg19.chr20_10.0-10.1M.52x.bam"
        counts[kind] = (len(passed(program, work / "calls.vcf", reads, reference)), len(calls))
    return counts


def write_reads(haplotypes, work):
    """Pairs of reads, 15x of each haplotype."""
    number = 0
    with open(work / "1.fq", "w") as first, open(work / "2.fq", "w") as second:
        for haplotype in haplotypes:
            for _ in range(len(haplotype) * 15 // 300):
                length = max(310, round(random.gauss(420, 60)))
                start = random.randrange(len(haplotype) - length)
                fragment = haplotype[start:start + length]
                if random.random() < 0.5:
                    fragment = fragment.translate(COMPLEMENT)[::-1]
                number += 1
                for out, read in ((first, fragment[:150]), (second, fragment[-150:].translate(COMPLEMENT)[::-1])):
                    read = "".join(random.choice("ACGT") if random.random() < 0.003 else base for base in read)
                    qualities = "".join(random.choices("F:,", weights=[9, 1, 1], k=150))
                    out.write(f"@r{number}\n{read}\n+\n{qualities}\n")


def real(program, data, work):
    """Passing records of each kind that half or all of the reads show, with doubtful and with fitting annotations."""
    sequence = bases(data / "ref/b37.chr20.fa.gz", "20:11000001-12000000")
    events, at = [], 2000
    while at < len(sequence) - 6000:
        kind = random.choice(KINDS)
        events.append((at, kind, *allele(sequence, at, kind, REAL), random.random() < 0.5))
        at += random.randrange(2200, 3200)
    haplotypes = []
    for homozygous_only in (False, True):
        parts, behind = [], 0
        for at, _, ref, alt, is_homozygous in events:
            if is_homozygous or not homozygous_only:
                parts += [sequence[behind:at], alt]
                behind = at + len(ref)
        haplotypes.append("".join([*parts, sequence[behind:]]))
    write_reads(haplotypes, work)
    reference, reads = work / "ref.fa", work / "reads.bam"
    reference.write_text(f">c\n{sequence}\n")
    run("samtools", "faidx", reference)
    run("bwa", "index", reference, stderr=subprocess.DEVNULL)
    script = "bwa mem -t 2 -R '@RG\\tID:s\\tSM:s' ref.fa 1.fq 2.fq 2>/dev/null | samtools sort -o reads.bam - 2>/dev/null"
    run("bash", "-euo", "pipefail", "-c", script, cwd=work)
    run("samtools", "index", reads)
    counts = {kind: [0, 0, sum(event[1] == kind for event in events)] for kind in KINDS}
    for column, is_fitting in enumerate((False, True)):
        calls = []
        for at, kind, ref, alt, is_homozygous in events:
            fitting = ("600", "1/1:0,30" if is_homozygous else "0/1:16,14")
            calls.append((at, kind, ref, alt, *(fitting if is_fitting else DOUBTFUL)))
        write_calls(work / "calls.vcf", "c", 0, "s", calls)
        for kind in passed(program, work / "calls.vcf", reads, reference):
            counts[kind][column] += 1
    return counts


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(__file__).resolve().parents[2]
    program = sys.argv[2] if len(sys.argv) == 3 else root / "target/release/cnnfilter"
    data = pathlib.Path(sys.argv[1]).resolve()
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        of_nothing, of_reads = made_up(program, data, work), real(program, data, work)
    print(f"{'passing':<14}{'made up':>12}{'real, doubtful':>18}{'real, fitting':>16}")
    for kind in KINDS:
        pass_made_up, all_made_up = of_nothing[kind]
        doubtful, fitting, all_real = of_reads[kind]
        print(f"{kind:<14}{f'{pass_made_up}/{all_made_up}':>12}{f'{doubtful}/{all_real}':>18}{f'{fitting}/{all_real}':>16}")


if __name__ == "__main__":
    main()
