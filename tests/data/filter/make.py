#!/usr/bin/env python3
"""Makes small call sets and known sites for tests/it/filter, and records what GATK makes of them.

    make.py GATK        GATK is the command that runs GATK 4.6.2.0 (examples/gatk.sh)

Writes beside itself calls.vcf, known_a.vcf, known_b.vcf (made up, seeded) and for each case CASE.gatk.vcf: the FILTER lines
and the columns CHROM to FILTER of FilterVariantTranches' output. The cases and their arguments are in cases.tsv.
"""
import random
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
rng = random.Random(5)
BASES = "ACGT"


def other(base):
    return rng.choice([b for b in BASES if b != base])


def header(filters, info):
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=c1,length=100000>", "##contig=<ID=c2,length=100000>"]
    lines += [f'##FILTER=<ID={name},Description="{text}">' for name, text in filters]
    lines += info
    return lines + ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]


calls, known_a, known_b = [], [], []
for contig in ("c1", "c2"):
    position = 100
    for number in range(60):
        position += rng.randint(1, 40)
        ref, alt = rng.choice(BASES), ""
        shape = number % 12
        if shape < 5:
            alt = other(ref)
        elif shape < 8:
            alt = ref + "".join(rng.choice(BASES) for _ in range(rng.randint(1, 3)))
            if shape == 7:
                ref, alt = alt, ref
        elif shape == 8:
            alt = ",".join(rng.sample([b for b in BASES + "*" if b != ref], 2))
        elif shape == 9:
            alt = f"{other(ref)},{ref}TT"
        elif shape == 10:
            ref, alt = ref + "G", other(ref) + "T"
        else:
            alt = rng.choice(["<DEL>", f"{other(ref)},<NON_REF>", f"{other(ref)},*"])
        # Few distinct scores, so that many are tied; some records have none.
        score = rng.choice(["-3.5", "-1.25", "0.000", "0.5", "2.125", "4.75"])
        info = f"CNN_2D={score};X={number}" if rng.random() < 0.85 else f"X={number}"
        filters = rng.choice([".", ".", "PASS", "q10", "weak;a", "a"])
        calls.append((contig, position, ref, alt, filters, info))
        if shape == 4:
            # A second call at the same POS.
            calls.append((contig, position, ref, next(b for b in BASES if b not in (ref, alt)), ".", info))
        alleles = alt.split(",")
        if rng.random() < 0.6:
            target = known_a if rng.random() < 0.5 else known_b
            first = alleles[0]
            if first[0] != "<" and rng.random() < 0.4:
                # The same allele beside a longer REF, with another one.
                target.append((contig, position, ref + "CA", f"{first}CA,{ref}", ".", "."))
            else:
                target.append((contig, position, ref, first, ".", "."))


def write(name, lines, records):
    text = lines + [f"{c}\t{p}\t.\t{r}\t{a}\t50\t{f}\t{i}" for c, p, r, a, f, i in records]
    (here / name).write_text("\n".join(text) + "\n")


score_line = '##INFO=<ID=CNN_2D,Number=1,Type=Float,Description="Log odds">'
x_line = '##INFO=<ID=X,Number=1,Type=Integer,Description="Number">'
write("calls.vcf", header([("q10", "low"), ("weak", "x"), ("a", "y")], [score_line, x_line]), calls)
write("known_a.vcf", header([], []), known_a)
write("known_b.vcf", header([], []), known_b)

for line in (here / "cases.tsv").read_text().splitlines():
    name, arguments = line.split("\t")
    with tempfile.TemporaryDirectory() as folder:
        for resource in ("known_a.vcf", "known_b.vcf"):
            text = (here / resource).read_text()
            (Path(folder) / resource).write_text(text)
            subprocess.run([sys.argv[1], "IndexFeatureFile", "-I", resource], cwd=folder, check=True, capture_output=True)
        out = Path(folder) / "out.vcf"
        command = [sys.argv[1], "FilterVariantTranches", "-V", here / "calls.vcf", "-O", out, *arguments.split()]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        kept = []
        for text in out.read_text().splitlines():
            if text.startswith("##FILTER"):
                kept.append(text)
            elif not text.startswith("##"):
                kept.append("\t".join(text.split("\t")[:7]))
        (here / f"{name}.gatk.vcf").write_text("\n".join(kept) + "\n")
    print(name, len(kept))
