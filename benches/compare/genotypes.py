#!/usr/bin/env python3
"""Alleles with their genotypes, of several callers beside each other, compared without cnnfilter's own eval.

    benches/compare/genotypes.py PROGRAM WORK SET[:SPLIT]...

WORK is the folder of training/Snakefile, SET one of its sets with reads; SPLIT picks a zone, as in `na12878_7x:test`. Needs
bcftools and freebayes. Prints a table: for SNP and INDEL each precision, recall and F1 by genotype, with the 95 % interval of F1
(blocks of 20 kb of the confident regions drawn again, 1,000 times).

Calls and truth go through `bcftools norm -m -any`; an allele is right where place, REF, ALT and the number of its copies are those of the
truth. No haplotypes are matched, so variants that lie close together and are written in two ways count as wrong, for every
caller alike. `call` and `score` are judged by FILTER. bcftools and freebayes are judged at the QUAL that is best for each here, of the
same calls, which flatters them.
"""

import collections
import pathlib
import random
import subprocess
import sys
import tempfile

BLOCK = 20_000
KINDS = ("SNP", "INDEL")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, **options)


def pipe(line):
    run("bash", "-c", "set -euo pipefail; " + line, stderr=subprocess.DEVNULL)


def alleles(vcf, reference, confident, filtered):
    """{(contig, position, REF, ALT): (copies, QUAL)} of the alleles in the confident regions."""
    keep = "-f PASS,." if filtered else ""
    line = (f"bcftools view {keep} -T {confident} {vcf} | bcftools norm -c w -m -any -f {reference} 2> /dev/null | "
            "bcftools query -f '%CHROM\t%POS\t%REF\t%ALT\t%QUAL[\t%GT]\n'")
    found = {}
    for row in run("bash", "-c", "set -euo pipefail; " + line, stdout=subprocess.PIPE).stdout.splitlines():
        contig, position, ref, alt, quality, genotype = row.split("\t")[:6]
        copies = genotype.replace("|", "/").split("/").count("1")
        if copies and set(alt) <= set("ACGTN"):
            quality = 0.0 if quality == "." else float(quality)
            found[contig, int(position), ref.upper(), alt.upper()] = copies, quality
    return found


def kind(key):
    return KINDS[len(key[2]) != len(key[3])]


def counts(calls, truth):
    """Of each kind and block: right, called, true."""
    found = {one: collections.defaultdict(lambda: [0, 0, 0]) for one in KINDS}
    for key, (copies, _) in calls.items():
        cell = found[kind(key)][key[0], key[1] // BLOCK]
        cell[0] += truth.get(key, (0,))[0] == copies
        cell[1] += 1
    for key in truth:
        found[kind(key)][key[0], key[1] // BLOCK][2] += 1
    return found


def shares(cells):
    right, called, true = (sum(cell[at] for cell in cells) for at in range(3))
    return right / max(called, 1), right / max(true, 1), 2 * right / max(called + true, 1)


def text(blocks):
    """Precision, recall, F1 with its interval."""
    cells = list(blocks.values())
    if not cells:
        return "-\t-\t-"
    draw = random.Random(1)
    again = sorted(shares(draw.choices(cells, k=len(cells)))[2] for _ in range(1000))
    precision, recall, f1 = shares(cells)
    return f"{precision:.3f}\t{recall:.3f}\t{f1:.3f} ({again[25]:.3f}-{again[974]:.3f})"


def at_best_quality(calls, truth):
    """The calls of each kind at the QUAL with the best F1."""
    best = {}
    for one in KINDS:
        mine = sorted(((quality, key) for key, (_, quality) in calls.items() if kind(key) == one), reverse=True)
        true = sum(kind(key) == one for key in truth)
        right, top, cut = 0, -1.0, float("inf")
        for at, (quality, key) in enumerate(mine):
            right += truth.get(key, (0,))[0] == calls[key][0]
            f1 = 2 * right / (at + 1 + true)
            if f1 > top and (at + 1 == len(mine) or mine[at + 1][0] != quality):
                top, cut = f1, quality
        best |= {key: calls[key] for quality, key in mine if quality >= cut}
    return best


def called(program, folder, out):
    """The files of all callers: name, path, whether FILTER decides."""
    reads, reference, regions = folder / "reads.bam", folder / "reference.fa", folder / "regions.bed"
    depth = (folder / "depth.txt").read_text().strip()
    usual = ("-I", reads, "-R", reference, "--sample-depth", depth, "-q")
    run(program, "call", *usual, "-L", regions, "-o", out / "call.vcf.gz")
    for name, more in (("score", []), ("regenotype", ["--regenotype"])):
        run(program, "score", "--filter", *usual, *more, "-V", folder / "calls.hc.vcf.gz", "-o", out / f"{name}.vcf.gz")
    pipe(f"bcftools mpileup -a AD -d 1000 -f {reference} -R {regions} -Ou {reads} | bcftools call -mv -Oz -o {out}/bcftools.vcf.gz")
    pipe(f"freebayes -f {reference} -t {regions} {reads} | bcftools view -Oz -o {out}/freebayes.vcf.gz")
    for name in ("bcftools", "freebayes"):
        run("bcftools", "index", "-t", out / f"{name}.vcf.gz")
    return [
        ("cnnfilter call", out / "call.vcf.gz", True),
        ("HaplotypeCaller, score", out / "score.vcf.gz", True),
        ("HaplotypeCaller, score --regenotype", out / "regenotype.vcf.gz", True),
        ("HaplotypeCaller, best QUAL", folder / "calls.hc.vcf.gz", False),
        ("bcftools, best QUAL", out / "bcftools.vcf.gz", False),
        ("freebayes, best QUAL", out / "freebayes.vcf.gz", False),
    ]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    columns = [f"{one} {name}" for one in KINDS for name in ("precision", "recall", "F1 (95 %)")]
    print("\t".join(["set", "caller", *columns]), flush=True)
    for name in sys.argv[3:]:
        name, _, split = name.partition(":")
        folder = work / "sets" / name
        confident = folder / (f"confident.{split}.bed" if split else "confident.bed")
        with tempfile.TemporaryDirectory() as out:
            files = called(program, folder, pathlib.Path(out))
            truth = alleles(folder / "truth.vcf.gz", folder / "reference.fa", confident, False)
            for caller, path, filtered in files:
                calls = alleles(path, folder / "reference.fa", confident, filtered)
                if not filtered:
                    calls = at_best_quality(calls, truth)
                blocks = counts(calls, truth)
                print("\t".join([name, caller, *(text(blocks[one]) for one in KINDS)]), flush=True)


main()
