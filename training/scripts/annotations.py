#!/usr/bin/env python3
"""Calls of sets.tsv as a table of annotations with labels, for baselines.py.

usage: annotations.py --sets sets.tsv --out examples.tsv [--folder WORK] [--only REGEX]

A quick judge, for looking at the data before `cnnfilter tensors` does it properly: records are split into single alleles, normalised and
taken apart into their parts (bcftools norm); an allele is real if each of its parts is in the truth at the same place, whatever the
genotype. Haplotypes are not compared, so a variant spelled in another way counts as false. Alleles outside the confident regions are
left out. One line an allele: set, split, caller, contig, pos, ref, alt, label (1 real, 0 false), type (SNP, INDEL), then the
annotations, empty where the caller gave none.
"""

import argparse
import bisect
import math
import os
import re
import subprocess

from intervals import read_bed, read_contig

INFO = ["QD", "FS", "SOR", "MQ", "MQRankSum", "ReadPosRankSum", "BaseQRankSum", "ClippingRankSum", "VQSLOD", "CNN_1D", "CNN_2D"]
FEATURES = ["QUAL", *INFO, "DP", "GQ", "AD_REF", "AD_ALT", "AB", "GT", "ALT_LENGTH", "HOMOPOLYMER", "REPEAT_UNIT", "REPEAT_LENGTH", "GC"]


def parts(vcf, reference):
    """{record number: {allele number: set of (contig, pos, ref, alt)}}, normalised parts of each single allele of a VCF."""
    # The ID carries the number of the record and INFO is dropped: norm splits alleles in their order.
    numbered = f"bcftools view --no-version {vcf} | awk -v OFS='\\t' '/^#/ {{ print; next }} {{ $3 = ++n; $8 = \".\"; print }}'"
    split = f"{numbered} | bcftools norm --no-version -m -any - 2>/dev/null | bcftools annotate --no-version -x FORMAT - 2>/dev/null"
    marked = f"{split} | awk -v OFS='\\t' '/^#/ {{ print; next }} {{ $3 = $3 \"_\" ++k[$3]; print }}'"
    text = subprocess.run(
        f"{marked} | bcftools norm --no-version -a - 2>/dev/null | bcftools norm --no-version -c w -f {reference} - 2>/dev/null"
        " | bcftools query -f '%ID\\t%CHROM\\t%POS\\t%REF\\t%ALT\\n'",
        shell=True, check=True, stdout=subprocess.PIPE, text=True, executable="/bin/bash").stdout
    out = {}
    for line in text.splitlines():
        name, contig, pos, ref, alt = line.split("\t")
        record, allele = map(int, name.split("_"))
        if alt != "*":
            out.setdefault(record, {}).setdefault(allele, set()).add((contig, int(pos), ref, alt))
    return out


def number(text, at=0):
    """The at-th number of a comma-separated field, None where there is none."""
    try:
        value = float(text.split(",")[at])
        return value if math.isfinite(value) else None
    except (AttributeError, IndexError, ValueError):
        return None


def context(bases, at):
    """(longest homopolymer, unit and length of the longest tandem repeat, GC of 100 bases) at the base behind a call's first."""
    best, homopolymer = (0, 0), 1
    for unit in range(1, 7):
        for start in (at, at - 1):
            low, high = start, start + unit
            while low > 0 and bases[low - 1] == bases[low - 1 + unit]:
                low -= 1
            while high < len(bases) and bases[high] == bases[high - unit]:
                high += 1
            if unit == 1:
                homopolymer = max(homopolymer, high - low)
            if high - low >= 2 * unit and high - low > best[1]:
                best = (unit, high - low)
    window = bases[max(0, at - 50):at + 50]
    return homopolymer, *best, sum(base in "GC" for base in window) / max(1, len(window))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", required=True)
    parser.add_argument("--folder", default=".", help="the folder that the paths of sets.tsv start at")
    parser.add_argument("--only", default="", help="regular expression of the sets' names")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    with open(args.sets) as lines:
        header = next(lines).rstrip("\n").split("\t")
        rows = [dict(zip(header, line.rstrip("\n").split("\t"))) for line in lines]
    at = lambda path: os.path.join(args.folder, path)
    truths, references, judged = {}, {}, {}
    with open(args.out, "w") as out:
        out.write("\t".join(["set", "split", "caller", "contig", "pos", "ref", "alt", "label", "type", *FEATURES]) + "\n")
        for row in rows:
            if not re.search(args.only, row["set"]):
                continue
            reference = at(row["reference"])
            if row["set"] not in truths:
                truths = {row["set"]: {part for alleles in parts(at(row["truth"]), reference).values() for p in alleles.values() for part in p}}
                references = {}
            if judged.get("calls") != row["calls"]:
                judged = {"calls": row["calls"], "parts": parts(at(row["calls"]), reference)}
            confident = read_bed(at(row["confident"]))
            text = subprocess.run(["bcftools", "view", "-H", at(row["calls"])], check=True, stdout=subprocess.PIPE, text=True).stdout
            for record, line in enumerate(text.splitlines(), 1):
                contig, pos, _, ref, alts, qual, _, info, *sample = line.split("\t")
                spans = confident.get(contig, [])
                place = int(pos) - 1
                before = bisect.bisect_right(spans, (place, 1 << 60)) - 1
                if before < 0 or place + len(ref) > spans[before][1]:
                    continue
                if contig not in references:
                    references[contig] = read_contig(reference, contig)
                fields = dict(pair.split("=", 1) for pair in info.split(";") if "=" in pair)
                format_ = dict(zip(sample[0].split(":"), sample[1].split(":"))) if len(sample) > 1 else {}
                genotype = re.split(r"[/|]", format_.get("GT", "."))
                for allele, alt in enumerate(alts.split(","), 1):
                    pieces = judged["parts"].get(record, {}).get(allele)
                    if not pieces:
                        continue
                    values = {name: number(fields.get(name)) for name in INFO}
                    values["QUAL"] = number(qual)
                    values["DP"] = number(format_.get("DP")) if "DP" in format_ else number(fields.get("DP"))
                    values["GQ"] = number(format_.get("GQ"))
                    values["AD_REF"], values["AD_ALT"] = number(format_.get("AD")), number(format_.get("AD"), allele)
                    total = sum(filter(None, (values["AD_REF"], values["AD_ALT"])))
                    values["AB"] = values["AD_ALT"] / total if total and values["AD_ALT"] is not None else None
                    values["GT"] = sum(a == str(allele) for a in genotype)
                    values["ALT_LENGTH"] = len(alt) - len(ref)
                    if values["QD"] is None and values["QUAL"] is not None and values["DP"]:
                        values["QD"] = values["QUAL"] / values["DP"]
                    keys = ("HOMOPOLYMER", "REPEAT_UNIT", "REPEAT_LENGTH", "GC")
                    values.update(zip(keys, context(references[contig], place + 1)))
                    kind = "SNP" if len(ref) == len(alt) else "INDEL"
                    label = int(pieces <= truths[row["set"]])
                    shown = ["" if values[name] is None else f"{values[name]:.6g}" for name in FEATURES]
                    out.write("\t".join([row["set"], row["split"], row["caller"], contig, pos, ref, alt, str(label), kind, *shown]) + "\n")


if __name__ == "__main__":
    main()
