#!/usr/bin/env python3
"""What the networks know of calls that nobody told them apart: mosaics in real reads, and repeats of a whole chromosome.

    knowledge.py PROGRAM DATA OUT [--model NAME|DIR ...] [--part mosaics|repeats|paralogues] [--untrained SEED ...]

DATA is the folder of real data that training/README.md names. Needs samtools, bcftools, and the packages of tests/embedding.txt. Writes
OUT/mosaics.tsv, OUT/repeats.tsv and OUT/paralogues.tsv, and prints them.

--untrained adds a network of the built-in one's shape whose weights are drawn by the seed: what it tells, its inputs and its
shape tell, not its training. Intervals are of 95 %: Wilson's for shares, for AUC those of 200 samples of the calls with replacement.

Mosaics. Into the reads of NA12878, chr22 (32x), SNPs are written at random places away from all known variants: MOSAICS of
them, each carried by a share of the fragments drawn from 5 to 35 %, and HETS at 50 %, which show whether it is the writing that
is seen. Beside them stand HaplotypeCaller's permissive calls: SNPs of the truth (het, hom) and SNPs that it lacks (false). All
calls lose their annotations and genotypes, for nobody called the written ones. A map is made of all but 42 of the mosaics; the
42 are placed on it, as in "Learning DeepVariant's hidden powers". `found` is the share of the 42 in the cluster that most mosaics of
the map are in, with Wilson's interval; `purity` the share of mosaics among that cluster's calls; `times` how much more common they
are there than on the map. `probe` is the ROC-AUC of a linear model of the layer, five-fold, mosaics against het, hom and
false; `probe_af` the same against calls of 5 to 35 % ALT reads only; `ami` the adjusted mutual information of clusters and kinds. `numbers`,
the hand-made inputs beside the reads, are the control for the layers that learned; `raw tensor` are the 50 first principal
components of the rows of reads (whether each base is REF's, and its quality), in the order in which they lie. `probe_alike` is the
probe among pairs of a mosaic and another call of the same depth (within 15 %) and MAPQ (within 5), share of ALT 5 to 35 %.
All calls are SNPs.

Paralogues. A hidden copy of a stretch brings its reads: at each place where the copies differ some of the fragments have
another base, the same fragments at all of them. In STRETCHES stretches of 1,200 bases a base is changed about every 100 bases in
a share of the fragments that is drawn once a stretch, 1/2, 2/3 or 3/4 for one, two or three more copies; no read is added, so that depth and
MAPQ stay. Beside them stand single written SNPs of the same shares. The probe tells one from the other; folds keep a stretch together.
By number of copies.

Repeats. All 92,137 calls of NA12878, chr20, by the network without reads: for each layer the AUC of the same probe for each of
GIAB's strata, SNPs only; and for dispersed repeats (as LINEs are), found in the sequence itself: at least half of the 24-mers within 150
bases stand FAMILY times or more on the chromosome, outside GIAB's tandem repeats. RepeatMasker's intervals were not at hand.
`alike`: the same among pairs, one inside and one outside, of the same depth (within 15 %) and MQ (within 2).
"""

import argparse
import gzip
import hashlib
import itertools
import json
import math
import pathlib
import random
import subprocess

import numpy
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score, roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MOSAICS, HETS, PLACED = 242, 200, 42
CLUSTERS = (4, 6, 8, 15)
FRACTION = (0.05, 0.35)
REGION = ("chr22", 16_600_000, 16_800_000)
APART = 60  # bases between a written SNP and any other variant
LEAST_DEPTH = 15
STRETCHES, STRETCH = 60, 1200
FAMILY = 20  # places of a 24-mer from which it counts as one of a dispersed repeat
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


def carries(name, key, share):
    drawn = hashlib.sha256(f"{SEED}:{name}:{key}".encode()).digest()
    return int.from_bytes(drawn[:8], "little") / 2**64 < share


def write_reads(bam, chosen, out, keys=None):
    """The reads with the SNPs written into those that carry them; qualities and places stay. SNPs of one key are carried by the same
    fragments; by itself each position is a key."""
    at = {position: (alt, share) for position, _, alt, share, _ in chosen}
    keys = keys or {}
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
                            if carries(fields[0], keys.get(place + step, place + step), share):
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


def decisions(values, is_one, groups=None):
    """What a linear model of the other folds says of each call, five-fold; calls of a group stay together."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED) if groups is None else GroupKFold(5)
    return cross_val_predict(model, values, is_one, cv=folds, groups=groups, method="decision_function")


def auc(values, is_one):
    """ROC-AUC of a linear model, five-fold."""
    if is_one.sum() < 20 or (~is_one).sum() < 20:
        return float("nan")
    return roc_auc_score(is_one, decisions(values, is_one))


def auc_text(values, is_one, groups=None):
    """The same with its interval."""
    if is_one.sum() < 20 or (~is_one).sum() < 20:
        return ""
    told, draw, found = decisions(values, is_one, groups), numpy.random.default_rng(SEED), []
    while len(found) < 200:
        some = draw.integers(0, len(told), len(told))
        if 0 < is_one[some].sum() < len(some):
            found.append(roc_auc_score(is_one[some], told[some]))
    low, high = numpy.quantile(found, [0.025, 0.975])
    return f"{roc_auc_score(is_one, told):.3f} ({low:.3f}-{high:.3f})"


def pairs(is_one, depth, mapq, reach):
    """Calls of the two kinds in pairs of the same depth (within 15 %) and MAPQ (within `reach`), each call once."""
    left = [int(at) for at in numpy.flatnonzero(~is_one)]
    numpy.random.default_rng(SEED).shuffle(left)
    taken = []
    for one in numpy.flatnonzero(is_one):
        fits = (other for other in left if abs(depth[other] - depth[one]) <= 0.15 * depth[one] and abs(mapq[other] - mapq[one]) <= reach)
        other = next(fits, None)
        if other is not None:
            left.remove(other)
            taken += [int(one), other]
    return numpy.array(sorted(taken), int)


def untrained(out, seed):
    """A model folder of the built-in network's shape with drawn weights, as a fit begins with them."""
    shipped = pathlib.Path(__file__).resolve().parent.parent / "models/cnnfilter_reads"
    old = (shipped / "model.safetensors").read_bytes()
    length = int.from_bytes(old[:8], "little")
    new, draw = bytearray(old), numpy.random.default_rng(seed)
    for name, tensor in json.loads(old[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        shape, (start, end) = tensor["shape"], tensor["data_offsets"]
        inputs = math.prod(shape[1:]) if len(shape) > 1 else 0
        drawn = draw.normal(0, math.sqrt(2 / inputs), shape) if inputs else numpy.zeros(shape)
        new[8 + length + start : 8 + length + end] = drawn.astype("<f4").tobytes()
    card = json.loads((shipped / "model.json").read_text())
    card["weights_sha256"], card["test_vectors"] = hashlib.sha256(new).hexdigest(), []
    card.pop("novelty", None)
    folder = out / f"untrained {seed}"
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(new)
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def raw_tensors(program, calls, bam, reference, out):
    """The rows of reads of each call's tensor, by position: for each cell whether it is REF's, and its quality."""
    labels, examples = out / "labels.tsv", out / "raw.examples"
    places = [line.split("\t") for line in calls.read_text().splitlines() if not line.startswith("#")]
    labels.write_text("chrom\tpos\tref\talt\tlabel\n" + "".join(f"{one[0]}\t{one[1]}\t{one[3]}\t{one[4]}\ttrue\n" for one in places))
    sh(program, "tensors", "-q", "-V", calls, "-I", bam, "-R", reference, "--sample-depth", 32, "--labels", labels, "-o", examples)
    data = examples.read_bytes()
    count = int.from_bytes(data[-8:], "little")
    offsets = numpy.frombuffer(data[-8 - 8 * count : -8], "<u8")
    found = {}
    for offset in offsets:
        at = int(offset) + 4  # the label
        start = int.from_bytes(data[at : at + 8], "little")
        at += 8
        for width in (4, 4, 4):
            at += width + int.from_bytes(data[at : at + width], "little")
        annotations, numbers, rows = (int.from_bytes(data[at + 4 * one : at + 4 * one + 4], "little") for one in range(3))
        at += 12 + 4 * (annotations + numbers)
        reference_row = numpy.frombuffer(data, "u1", 64, at)
        cells = numpy.frombuffer(data, "u1", rows * 128, at + 128).reshape(rows, 64, 2)[:64]
        image = numpy.zeros((64, 64, 2), "f4")
        symbol = cells[:, :, 0] & 7
        image[: len(cells), :, 0] = numpy.where(symbol == 0, 0, numpy.where(symbol == (reference_row & 7), 1, -1))
        image[: len(cells), :, 1] = cells[:, :, 1] / 40
        found[start + 1] = image.ravel()
    return found


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
    raw = raw_tensors(program, out / "map.vcf", out / "written.bam", reference, out)
    raw_placed = raw_tensors(program, out / "placed.vcf", out / "written.bam", reference, out)
    rows = []

    def row(model, label, clustering, clusters, new_clusters, kind, told):
        is_mosaic = kind == "mosaic"
        best = numpy.bincount(clusters[is_mosaic]).argmax()
        hits, inside = int((new_clusters == best).sum()), clusters == best
        purity, (low, high) = is_mosaic[inside].mean(), wilson(hits, len(new_clusters))
        false = (kind[inside] == "false").mean()
        rows.append((model, label, clustering, f"{hits}/{len(new_clusters)}", f"{low:.2f}-{high:.2f}", f"{purity:.2f}", f"{purity / is_mosaic.mean():.1f}",
                     f"{false:.2f}", f"{adjusted_mutual_info_score(kind, clusters):.3f}", *told))

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
        depth, mapq = run["obs/depth"], run["obs/mapq"]
        near = numpy.flatnonzero(alike)
        paired = near[pairs(is_mosaic[near], depth[near], mapq[near], 5)] if len(near) else near

        def probes(values):
            return f"{auc(values[told], is_mosaic[told]):.3f}", f"{auc(values[alike], is_mosaic[alike]):.3f}", auc_text(values[paired], is_mosaic[paired])

        for chosen_layers in [[layer] for layer in layers] + [layers]:
            label = chosen_layers[0] if len(chosen_layers) == 1 else "all joined"
            more = ["--layers", ",".join(chosen_layers)]
            told_by = probes(numpy.hstack([run[f"layer/{layer}"] for layer in chosen_layers]))
            maps = {}
            for count in CLUSTERS:
                sh(program, "embed", "map", "-q", out / "map.emb", *more, "--clusters", count, "-o", out / "map.map")
                sh(program, "embed", "map", "-q", out / "placed.emb", "--transform", out / "map.map", "-o", out / "placed.map")
                maps[count] = read(out / "map.map")[0], read(out / "placed.map")[0]
            for clustering, (count, (old, new)) in itertools.product(("kmeans", "hierarchical", "spectral"), maps.items()):
                row(pathlib.Path(model).name, label, f"{clustering} {count}", old[f"obs/{clustering}"], new[f"obs/{clustering}"], kind, told_by)
        if model == models[0]:
            reduce = PCA(50, random_state=SEED).fit(numpy.stack([raw[position] for position in run["obs/pos"]]))
            values = reduce.transform(numpy.stack([raw[position] for position in run["obs/pos"]]))
            new = reduce.transform(numpy.stack(list(raw_placed.values())))
            told_by = probes(values)
            for count in CLUSTERS:
                clustering = KMeans(count, n_init=8, random_state=SEED).fit(values)
                row("(control)", "raw tensor", f"kmeans {count}", clustering.labels_, clustering.predict(new), kind, told_by)
    return ["model\tlayer\tclusters\tfound\tinterval\tpurity\ttimes\tfalse_in_it\tami\tprobe\tprobe_af\tprobe_alike"] + ["\t".join(row) for row in rows]


def paralogues(program, data, out, models):
    name = "NA12878.hg38.chr22_16.6-16.8M"
    bam, reference = data / f"reads/{name}.32x.bam", data / "ref/hg38.chr22.slice.fa.gz"
    contig, start, end = REGION
    taken = {int(one[1]) + step for file in (data / f"calls/{name}.gatk4.6hc_permissive.cnn.vcf.gz", data / "truth/NA12878.hg38.chr22_16.5-16.9M.platinum2016.vcf.gz")
             for one in records(file) for step in range(len(one[3]))}
    fasta = sh("samtools", "faidx", reference, f"{contig}:{start + 1}-{end}", stdout=subprocess.PIPE).stdout
    bases = "".join(fasta.splitlines()[1:]).upper()
    draw = random.Random(SEED + 1)
    slots = list(range(start + 1, end - STRETCH, STRETCH + 400))
    draw.shuffle(slots)
    chosen, keys, copies = [], {}, {}

    def write(position, share, kind, key, number):
        base = bases[position - start - 1]
        if base in "ACGT" and not any(one in taken for one in range(position - 20, position + 21)):
            chosen.append((position, base, draw.choice([one for one in "ACGT" if one != base]), share, kind))
            keys[position], copies[position] = key, number

    for at, slot in enumerate(slots):
        number = 1 + at % 3
        share = number / (number + 1)
        if at < STRETCHES:
            for position in range(slot + 50, slot + STRETCH - 50, 100):
                write(position + draw.randrange(-30, 31), share, "copy", f"stretch {slot}", number)
        else:
            for position in range(slot + 200, slot + STRETCH - 200, 400):
                write(position + draw.randrange(-60, 61), share, "single", None, number)
    singles = [position for position, *_, kind in chosen if kind == "single"]
    keys = {position: key for position, key in keys.items() if key}
    write_reads(bam, chosen, out / "copies.bam", keys)
    calls = [(position, ref, alt, kind) for position, ref, alt, _, kind in chosen]
    lengths = [f"##contig=<ID={line.split()[0]},length={line.split()[1]}>" for line in pathlib.Path(f"{reference}.fai").read_text().splitlines()]
    write_calls(out / "copies.vcf", calls, lengths)
    print(f"calls: {len(chosen) - len(singles)} of copies, {len(singles)} single", flush=True)
    raw = raw_tensors(program, out / "copies.vcf", out / "copies.bam", reference, out)
    kinds = {position: kind for position, _, _, kind in calls}
    rows = []
    for model in models:
        sh(program, "embed", "-q", "-V", out / "copies.vcf", "-I", out / "copies.bam", "-R", reference, "--model", model, "--sample-depth", 32, "-o", out / "copies.emb")
        run, _, layers = read(out / "copies.emb")
        positions = [int(position) for position in run["obs/pos"]]
        is_copy = numpy.array([kinds[position] == "copy" for position in positions])
        groups = numpy.unique([keys.get(position, str(position)) for position in positions], return_inverse=True)[1]
        number = numpy.array([copies[position] for position in positions])
        tables = {layer: run[f"layer/{layer}"] for layer in layers}
        if model == models[0]:
            values = numpy.stack([raw[position] for position in positions])
            tables["raw tensor"] = PCA(50, random_state=SEED).fit_transform(values)
            tables["depth, MAPQ, share of ALT"] = numpy.nan_to_num(numpy.stack([run[f"obs/{name}"] for name in ("depth", "mapq", "af")], 1))
        for layer, values in tables.items():
            found = [auc_text(values[number == one], is_copy[number == one], groups[number == one]) for one in (1, 2, 3)]
            rows.append("\t".join([pathlib.Path(model).name, layer, auc_text(values, is_copy, groups), *found]))
    return ["model\tlayer\tall\t1_copy\t2_copies\t3_copies"] + rows


def dispersed(reference, contig, bed):
    """Stretches of a sequence whose 24-mers mostly stand elsewhere, too, as a BED: counts of a hash of them, both strands as one."""
    lines, inside = [], False
    with gzip.open(reference, "rt") as file:
        for line in file:
            if line.startswith(">"):
                inside = line[1:].split()[0] == contig
            elif inside:
                lines.append(line.strip().upper())
    codes = numpy.full(256, 4, "u1")
    codes[[65, 67, 71, 84]] = range(4)
    bases = codes[numpy.frombuffer("".join(lines).encode(), "u1")]
    known = numpy.concatenate([[0], numpy.cumsum(bases == 4)])
    whole = known[24:] == known[:-24]
    forward = numpy.zeros(len(bases) - 23, "u8")
    back = numpy.zeros(len(bases) - 23, "u8")
    for step in range(24):
        part = bases[step : step + len(forward)].astype("u8") & numpy.uint64(3)
        forward |= part << numpy.uint64(2 * (23 - step))
        back |= (numpy.uint64(3) - part) << numpy.uint64(2 * step)
    key = ((numpy.minimum(forward, back) * numpy.uint64(0x9E3779B97F4A7C15)) >> numpy.uint64(38)).astype("i8")  # 26 bits
    del forward, back
    count = numpy.bincount(key[whole], minlength=1 << 26)
    is_many = numpy.concatenate([[0], numpy.cumsum((count[key] >= FAMILY) & whole)])
    middle = numpy.arange(150, len(key) - 150, 50)
    share = (is_many[middle + 127] - is_many[middle - 150]) / 277
    with open(bed, "w") as out:
        for at in middle[share >= 0.5]:
            out.write(f"{contig}\t{at - 25}\t{at + 25}\n")


def repeats(program, data, out):
    strata = {path.name.split(".")[0]: path for path in sorted((data / "strat").glob("*.b37.chr20.bed.gz"))}
    dispersed(data / "ref/b37.chr20.fa.gz", "20", out / "dispersed.bed")
    strata["dispersed"] = out / "dispersed.bed"
    tracks = [word for name, path in strata.items() for word in ("--track", f"{name}={path}")]
    sh(program, "embed", "-q", "-V", data / "calls/NA12878.b37.chr20.gatk3.8hc.vcf.gz", "-R", data / "ref/b37.chr20.fa.gz", *tracks, "-o", out / "chr20.emb")
    run, levels, layers = read(out / "chr20.emb")
    snps = numpy.flatnonzero(run["obs/type"] == levels["type"].index("SNP"))
    draw = numpy.random.default_rng(SEED)
    rows = []
    is_tandem = run["obs/tandem_repeats"][snps] == levels["tandem_repeats"].index("in")
    for name in strata:
        inside = run[f"obs/{name}"][snps] == levels[name].index("in")
        if name == "dispersed":
            inside &= ~is_tandem
        some = numpy.concatenate([draw.permutation(snps[side])[:4000] for side in (inside, ~inside)])
        is_in = inside[numpy.searchsorted(snps, some)]
        some_of = some[pairs(is_in, run["obs/depth"][some], run["obs/mapq"][some], 2)]
        for which, calls in (("", some), (", alike", some_of)):
            is_in = inside[numpy.searchsorted(snps, calls)]
            found = [auc_text(run[f"layer/{layer}"][calls], is_in) for layer in layers]
            rows.append("\t".join([name + which, str(int(is_in.sum())), *found]))
    return ["\t".join(["stratum", "SNPs inside", *layers])] + rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--part", choices=["mosaics", "repeats", "paralogues"])
    parser.add_argument("--untrained", action="append", type=int, default=[])
    options = parser.parse_args()
    program, data, out = (path.resolve() for path in (options.program, options.data, options.out))
    out.mkdir(parents=True, exist_ok=True)
    models = (options.model or ["cnnfilter_reads"]) + [untrained(out, seed) for seed in options.untrained]
    parts = {"mosaics": lambda: mosaics(program, data, out, models), "repeats": lambda: repeats(program, data, out),
             "paralogues": lambda: paralogues(program, data, out, models)}
    for name in [options.part] if options.part else parts:
        lines = parts[name]()
        (out / f"{name}.tsv").write_text("\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)


main()
