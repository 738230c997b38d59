#!/usr/bin/env python3
"""What the networks know of calls that nobody told them apart: mosaics in real reads, and repeats of a whole chromosome.

    knowledge.py PROGRAM DATA OUT [--model NAME|DIR ...] [--part mosaics|repeats]

DATA is the folder of real data that training/README.md names. Needs samtools, and the packages of tests/embedding.txt. Writes
OUT/mosaics.tsv and OUT/repeats.tsv, and prints them.

Mosaics. Into the reads of NA12878, chr22 (32x), SNPs are written at random places away from all known variants: MOSAICS of
them, each carried by a share of the fragments drawn from 5 to 35 %, and HETS at 50 %, which show whether it is the writing that
is seen. Beside them stand HaplotypeCaller's permissive calls: SNPs of the truth (het, hom) and SNPs that it lacks (false). All
calls lose their annotations and genotypes, for nobody called the written ones. A map is made of all but 42 of the mosaics; the
42 are placed on it, as in "Learning DeepVariant's hidden powers". `found` is the share of the 42 in the cluster that most mosaics of
the map are in, with Wilson's interval; `purity` the share of mosaics among that cluster's calls; `times` how much more common they
are there than on the map. `probe` is the ROC-AUC of a linear model of the layer, five-fold, mosaics against het, hom and
false; `probe_af` the same against calls of 5 to 35 % ALT reads only; `ami` the adjusted mutual information of clusters and kinds. `numbers`,
the hand-made inputs beside the reads, are the control for the layers that learned.

Repeats. All 92,137 calls of NA12878, chr20, by the network without reads: for each layer the AUC of the same probe for each of
GIAB's strata, SNPs only.
"""

import argparse
import hashlib
import itertools
import json
import math
import pathlib
import random
import subprocess

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MOSAICS, HETS, PLACED = 242, 200, 42
CLUSTERS = (4, 6, 8, 15)
FRACTION = (0.05, 0.35)
REGION = ("chr22", 16_600_000, 16_800_000)
APART = 60  # bases between a written SNP and any other variant
LEAST_DEPTH = 15
SEED = 21


def sh(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, **options)


def records(path):
    for line in sh("bcftools", "view", "-H", path, stdout=subprocess.PIPE).stdout.splitlines():
        yield line.split("\t")


def choose(reference, taken, depth):
    """Places and alleles of written SNPs: position (from 1), REF, ALT, share of the fragments, kind."""
    contig, start, end = REGION
    fasta = sh("samtools", "faidx", reference, f"{contig}:{start + 1}-{end}", stdout=subprocess.PIPE).stdout
    bases = "".join(fasta.splitlines()[1:]).upper()
    draw = random.Random(SEED)
    near, chosen = sorted(taken), []
    places = list(range(start + 1, end + 1))
    draw.shuffle(places)
    used = set()
    for position in places:
        base = bases[position - start - 1]
        window = range(position - APART, position + APART + 1)
        if base not in "ACGT" or depth.get(position, 0) < LEAST_DEPTH or any(one in used or one in taken for one in window):
            continue
        used.add(position)
        kind = "mosaic" if len(chosen) < MOSAICS else "written het"
        share = draw.uniform(*FRACTION) if kind == "mosaic" else 0.5
        chosen.append((position, base, draw.choice([one for one in "ACGT" if one != base]), share, kind))
        if len(chosen) == MOSAICS + HETS:
            break
    return chosen


def carries(name, position, share):
    drawn = hashlib.sha256(f"{SEED}:{name}:{position}".encode()).digest()
    return int.from_bytes(drawn[:8], "little") / 2**64 < share


def write_reads(bam, chosen, out):
    """The reads with the SNPs written into those that carry them; qualities and places stay."""
    at = {position: (alt, share) for position, _, alt, share, _ in chosen}
    contig, start, end = REGION
    text = sh("samtools", "view", "-h", bam, f"{contig}:{start}-{end}", stdout=subprocess.PIPE).stdout
    lines = []
    for line in text.splitlines():
        fields = line.split("\t")
        if not line.startswith("@") and fields[5] != "*":
            bases, place, offset, number = list(fields[9]), int(fields[3]), 0, ""
            for letter in fields[5]:
                if letter.isdigit():
                    number += letter
                    continue
                length, number = int(number), ""
                if letter in "M=X":
                    for step in range(length):
                        if place + step in at:
                            alt, share = at[place + step]
                            if carries(fields[0], place + step, share):
                                bases[offset + step] = alt
                if letter in "M=XDN":
                    place += length
                if letter in "M=XIS":
                    offset += length
            fields[9] = "".join(bases)
            # Tags that tell the old bases.
            line = "\t".join(field for field in fields if not field.startswith(("MD:", "NM:")))
        lines.append(line)
    sh("samtools", "sort", "-o", out, "-", input="\n".join(lines) + "\n")
    sh("samtools", "index", out)


def write_calls(path, calls, lengths):
    lines = ["##fileformat=VCFv4.2", *lengths, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA12878"]
    lines += [f"{REGION[0]}\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t./." for position, ref, alt, _ in sorted(calls)]
    path.write_text("\n".join(lines) + "\n")


def read(path):
    run = numpy.load(path)
    meta = json.loads(run["meta.json"])
    levels = {column["name"]: column.get("levels", []) for column in meta["columns"]}
    return run, levels, [layer["name"] for layer in meta["layers"]]


def auc(values, is_one):
    """ROC-AUC of a linear model, five-fold."""
    if is_one.sum() < 20 or (~is_one).sum() < 20:
        return float("nan")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    return roc_auc_score(is_one, cross_val_predict(model, values, is_one, cv=folds, method="decision_function"))


def wilson(hits, count):
    share, z = hits / count, 1.96
    middle, half = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def mosaics(program, data, out, models):
    name = "NA12878.hg38.chr22_16.6-16.8M"
    bam, reference = data / f"reads/{name}.32x.bam", data / "ref/hg38.chr22.slice.fa.gz"
    called = list(records(data / f"calls/{name}.gatk4.6hc_permissive.cnn.vcf.gz"))
    truth = list(records(data / "truth/NA12878.hg38.chr22_16.5-16.9M.platinum2016.vcf.gz"))
    known = {(int(one[1]), one[3], one[4]): one[9].split(":")[0].replace("|", "/") for one in truth}
    taken = {int(one[1]) + step for one in called + truth for step in range(len(one[3]))}
    depth = {}
    for line in sh("samtools", "depth", "-q", "10", "-Q", "20", "-r", f"{REGION[0]}:{REGION[1]}-{REGION[2]}", bam, stdout=subprocess.PIPE).stdout.splitlines():
        _, position, count = line.split("\t")
        depth[int(position)] = int(count)
    chosen = choose(reference, taken, depth)
    write_reads(bam, chosen, out / "written.bam")
    calls = [(position, ref, alt, kind) for position, ref, alt, _, kind in chosen]
    for one in called:
        key = (int(one[1]), one[3], one[4])
        if len(one[3]) == len(one[4]) == 1 and one[4] in "ACGT":
            genotype = known.get(key)
            kind = "false" if genotype is None else "hom" if genotype == "1/1" else "het"
            calls.append((*key, kind))
    lengths = [f"##contig=<ID={line.split()[0]},length={line.split()[1]}>" for line in pathlib.Path(f"{reference}.fai").read_text().splitlines()]
    placed = {one[0] for one in random.Random(SEED).sample([call for call in calls if call[3] == "mosaic"], PLACED)}
    kinds = {position: kind for position, _, _, kind in calls}
    write_calls(out / "map.vcf", [call for call in calls if call[0] not in placed], lengths)
    write_calls(out / "placed.vcf", [call for call in calls if call[0] in placed], lengths)
    counts = {kind: sum(call[3] == kind for call in calls) for kind in sorted(set(kinds.values()))}
    print("calls:", ", ".join(f"{count} {kind}" for kind, count in counts.items()), flush=True)
    rows = []
    for model in models:
        for part in ("map", "placed"):
            sh(program, "embed", "-q", "-V", out / f"{part}.vcf", "-I", out / "written.bam", "-R", reference, "--model", model, "--sample-depth", 32,
               "-o", out / f"{part}.emb")
        run, _, layers = read(out / "map.emb")
        kind = numpy.array([kinds[position] for position in run["obs/pos"]])
        is_mosaic, told = kind == "mosaic", kind != "written het"
        af = run["obs/af"]
        # GATK's encoder has no share of reads here.
        alike = told & ((af >= FRACTION[0]) & (af <= FRACTION[1])) if not numpy.isnan(af).all() else numpy.zeros(len(kind), bool)
        for chosen_layers in [[layer] for layer in layers] + [layers]:
            label = chosen_layers[0] if len(chosen_layers) == 1 else "all joined"
            more = ["--layers", ",".join(chosen_layers)]
            values = numpy.hstack([run[f"layer/{layer}"] for layer in chosen_layers])
            probes = auc(values[told], is_mosaic[told]), auc(values[alike], is_mosaic[alike])
            maps = {}
            for count in CLUSTERS:
                sh(program, "embed", "map", "-q", out / "map.emb", *more, "--clusters", count, "-o", out / "map.map")
                sh(program, "embed", "map", "-q", out / "placed.emb", "--transform", out / "map.map", "-o", out / "placed.map")
                maps[count] = read(out / "map.map")[0], read(out / "placed.map")[0]
            for clustering, (count, (old, new)) in itertools.product(("kmeans", "hierarchical", "spectral"), maps.items()):
                clusters = old[f"obs/{clustering}"]
                best = numpy.bincount(clusters[is_mosaic]).argmax()
                hits = int((new[f"obs/{clustering}"] == best).sum())
                inside = clusters == best
                purity = is_mosaic[inside].mean()
                low, high = wilson(hits, PLACED)
                false = (kind[inside] == "false").mean()
                rows.append((model.name if isinstance(model, pathlib.Path) else model, label, f"{clustering} {count}", f"{hits}/{PLACED}", f"{low:.2f}-{high:.2f}", f"{purity:.2f}",
                             f"{purity / is_mosaic.mean():.1f}", f"{false:.2f}", f"{adjusted_mutual_info_score(kind, clusters):.3f}",
                             f"{probes[0]:.3f}", f"{probes[1]:.3f}"))
    return ["model\tlayer\tclusters\tfound\tinterval\tpurity\ttimes\tfalse_in_it\tami\tprobe\tprobe_af"] + ["\t".join(row) for row in rows]


def repeats(program, data, out):
    strata = {path.name.split(".")[0]: path for path in sorted((data / "strat").glob("*.b37.chr20.bed.gz"))}
    tracks = [word for name, path in strata.items() for word in ("--track", f"{name}={path}")]
    sh(program, "embed", "-q", "-V", data / "calls/NA12878.b37.chr20.gatk3.8hc.vcf.gz", "-R", data / "ref/b37.chr20.fa.gz", *tracks, "-o", out / "chr20.emb")
    run, levels, layers = read(out / "chr20.emb")
    snps = numpy.flatnonzero(run["obs/type"] == levels["type"].index("SNP"))
    draw = numpy.random.default_rng(SEED)
    rows = []
    for name in strata:
        inside = run[f"obs/{name}"][snps] == levels[name].index("in")
        some = numpy.concatenate([draw.permutation(snps[side])[:4000] for side in (inside, ~inside)])
        is_in = run[f"obs/{name}"][some] == levels[name].index("in")
        found = [f"{auc(run[f'layer/{layer}'][some], is_in):.3f}" for layer in layers]
        rows.append("\t".join([name, str(int(inside.sum())), *found]))
    return ["\t".join(["stratum", "SNPs", *layers])] + rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--part", choices=["mosaics", "repeats"])
    options = parser.parse_args()
    program, data, out = (path.resolve() for path in (options.program, options.data, options.out))
    out.mkdir(parents=True, exist_ok=True)
    parts = {"mosaics": lambda: mosaics(program, data, out, options.model or ["cnnfilter_reads"]), "repeats": lambda: repeats(program, data, out)}
    for name in [options.part] if options.part else parts:
        lines = parts[name]()
        (out / f"{name}.tsv").write_text("\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)


main()
