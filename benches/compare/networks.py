"""The measurements of networks.sh, which says what they are and what they need."""

import argparse
import json
import math
import os
import platform
import re
import resource
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pysam
import torch
from safetensors.numpy import load_file
from torch.nn import functional

TOLERANCE = 1e-3  # of a score, which is written with three decimals
BATCH = 64
SETS = {
    "chr22 32x": ("NA12878.hg38.chr22_16.6-16.8M", "32x", "hg38.chr22.slice"),
    "chr20 52x": ("NA12878.hg19.chr20_10.0-10.1M", "52x", "hg19.chr20"),
}
ANNOTATIONS = ["MQ", "DP", "SOR", "FS", "QD", "MQRankSum", "ReadPosRankSum"]
# How often each call stands in what is timed, times --scale, so that stages last seconds: (peers, cnnfilter).
REPEATS = {"gatk-small-2d": (4, 16), "gatk-1d": (1, 3), "cnnfilter_reads": (2, 4)}


# --- the networks in PyTorch -------------------------------------------------------------------------------------------


class Gatk(torch.nn.Module):
    """GATK's small_2d and 1D, as crates/core/src/networks/gatk/network.rs has them: input [n][rows][128][channels], annotations [n][7]."""

    def __init__(self, weights, pools, shortcut):
        super().__init__()
        self.weights = torch.nn.ParameterDict({name.replace(".", "_"): torch.from_numpy(w) for name, w in weights.items()})
        self.pools, self.shortcut = pools, shortcut

    def forward(self, sites, annotations):
        w = self.weights
        x = sites.permute(0, 3, 1, 2)
        for at, pool in enumerate(self.pools, 1):
            x = functional.relu(functional.conv2d(x, w[f"conv{at}_weight"], w[f"conv{at}_bias"]))
            if pool > 1:
                x = functional.max_pool2d(x, (pool, 1))
        trunk = x.permute(0, 2, 3, 1).flatten(1)
        scale = w["annotation_norm_weight"] / torch.sqrt(w["annotation_norm_running_var"] + 1e-3)
        normal = (annotations - w["annotation_norm_running_mean"]) * scale + w["annotation_norm_bias"]
        units = functional.relu(functional.linear(normal, w["annotation_dense_weight"], w["annotation_dense_bias"]))
        joined = functional.relu(functional.linear(torch.cat([trunk, units], 1), w["dense_weight"], w["dense_bias"]))
        if self.shortcut:
            joined = torch.cat([joined, normal], 1)
        return functional.linear(joined, w["output_weight"], w["output_bias"])


class Reads(torch.nn.Module):
    """cnnfilter_reads, as crates/core/src/networks/allele/graph.rs has it, with the reads padded to the batch's most: cells
    [n][reads][64][8], reads [n][reads][22], is_read, alt, ref [n][reads], haplotype [n][64][11], scaled [n][numbers]."""

    KEPT, EVENT = 8, 28

    def __init__(self, weights, spec):
        super().__init__()
        # Convolutions get an axis for reads.
        self.weights = torch.nn.ParameterDict(
            {n.replace(".", "_"): torch.from_numpy(w[:, :, None] if w.ndim == 3 else w) for n, w in weights.items()}
        )
        self.first_kept = self.EVENT - 4 * (spec["kernel"] - 1) // 2 - self.KEPT // 2

    def forward(self, cells, reads, is_read, alt, ref, haplotype, scaled):
        w = self.weights
        relu, conv, linear = functional.relu, functional.conv2d, functional.linear

        def mean(x, mask, axis):
            return (x * mask).sum(axis) / mask.sum(axis).clamp(min=1)

        of_haplotype = conv(haplotype.permute(0, 2, 1).unsqueeze(2), w["haplotype_weight"], w["haplotype_bias"])
        first = conv(cells.permute(0, 3, 1, 2), w["bases_weight"])
        flags = linear(reads, w["flags_weight"]).permute(0, 2, 1).unsqueeze(3)
        second = relu(conv(relu(first + of_haplotype + flags), w["read_weight"], w["read_bias"]))
        every, carriers = is_read[:, None, :, None], alt[:, None, :, None]
        # Behind a ReLU a masked read's 0 changes no maximum.
        pools = [
            (second * every).amax(2),
            mean(second, every, 2),
            (second * carriers).amax(2),
            mean(second, carriers, 2),
        ]
        site = torch.cat(pools, 1).unsqueeze(2)
        site = relu(conv(site, w["site1_weight"], w["site1_bias"]))
        site = relu(conv(site, w["site2_weight"], w["site2_bias"])).squeeze(2)
        kept = site[:, :, self.first_kept : self.first_kept + self.KEPT].permute(0, 2, 1).flatten(1)
        own = relu(linear(reads, w["read_dense1_weight"], w["read_dense1_bias"]))
        own = relu(linear(own, w["read_dense2_weight"], w["read_dense2_bias"]))
        every, carriers, others = is_read[:, :, None], alt[:, :, None], ref[:, :, None]
        joined = [
            *(kept, site.amax(2), site.mean(2)),
            *((own * every).amax(1), mean(own, every, 1), (own * carriers).amax(1), mean(own, carriers, 1)),
            *(mean(own, others, 1), scaled),
        ]
        wide = relu(linear(torch.cat(joined, 1), w["join1_weight"], w["join1_bias"]))
        narrow = relu(linear(wide, w["join2_weight"], w["join2_bias"]))
        return linear(narrow, w["out_weight"], w["out_bias"]) + linear(scaled, w["shortcut_weight"])


def score(logits, is_indel):
    """crates/core/src/score/log_odds.rs."""
    exponents = np.exp(np.float64(logits) - logits.max())
    not_snp, not_indel, snp, indel = exponents / exponents.sum()
    real, false = (indel, not_indel) if is_indel else (snp, not_snp)
    return math.log(1e-7 + real / (false + 1e-7))


# --- their inputs ------------------------------------------------------------------------------------------------------


def golden(path):
    """GATK's own tensors of some calls: keys, inputs, GATK's outputs."""
    z = np.load(path)
    keys = [(c, int(p), r, a.replace(" ", "")) for c, p, r, a in zip(z["chrom"], z["pos"], z["ref"], z["alt"])]
    return keys, [z["read_tensor"], z["best_practices"]], z["logits_2d"]


def reference_tensors(calls, fasta):
    """The 1D tensor of each record (crates/core/src/encode/gatk/reference_tensor.rs); for calls away from a contig's ends."""
    keys, sites, annotations = [], [], []
    bases = {base: row for base, row in zip("ACGT", np.eye(4, dtype=np.float32))}
    with pysam.FastaFile(str(fasta)) as reference, pysam.VariantFile(str(calls)) as records:
        for record in records:
            if len({len(record.ref) == len(alt) for alt in record.alts}) > 1 or "*" in record.alts:
                continue
            window = reference.fetch(record.chrom, record.pos - 65, record.pos + 63).upper()
            sites.append([[bases.get(base, np.full(4, 0.25, np.float32)) for base in window]])
            annotations.append([float(record.info.get(name, 0.0)) for name in ANNOTATIONS])
            keys.append((record.chrom, record.pos, record.ref, ",".join(record.alts)))
    return keys, [np.array(sites, np.float32), np.array(annotations, np.float32)]


def examples(path, card):
    """The examples that `cnnfilter tensors` wrote (crates/core/src/encode/store.rs), as crates/core/src/networks/allele/inputs.rs makes floats of
    them: for each a key and the inputs of `Reads` without padding."""
    raw = Path(path).read_bytes()
    assert raw[:8] == b"CNNFEX01", "another generation of examples"
    (count,) = struct.unpack_from("<Q", raw, len(raw) - 8)
    offsets = struct.unpack_from(f"<{count}Q", raw, len(raw) - 8 - 8 * count)
    features, width = card["scaling"]["features"], card["tensor"]["window"]
    width_read = len(card["tensor"]["channels"])
    confidence = np.maximum(1 - 10 ** (-np.arange(256) / 10), 0.25).astype(np.float32)
    transforms = {
        "identity": lambda x: x,
        "signed_sqrt": lambda x: np.copysign(np.sqrt(np.abs(x)), x),
        "log1p": lambda x: np.copysign(np.log1p(np.abs(x)), x),
    }

    def scale(values):
        out, missing = [], []
        for value, f in zip(values, features):
            known = np.isfinite(value) and f["present"] > 0
            x = (transforms[f["transform"]](np.float64(value)) - f["mean"]) / f["sd"] if known else 0.0
            out.append(np.clip(x, -6, 6))
            missing.append(float(not known))
        return np.array(out + missing, np.float32)

    found = []
    for at in offsets:
        is_indel = raw[at]
        (start,) = struct.unpack_from("<Q", raw, at + 4)
        at += 12
        text = []
        for _ in range(3):
            (length,) = struct.unpack_from("<I", raw, at)
            text.append(raw[at + 4 : at + 4 + length].decode())
            at += 4 + length
        annotations, numbers, rows = struct.unpack_from("<III", raw, at)
        at += 12
        values = np.frombuffer(raw, "<f4", annotations + numbers, at)
        at += 4 * (annotations + numbers)
        reference, alternate = np.frombuffer(raw, "u1", 2 * width, at).reshape(2, width)
        at += 2 * width
        symbols = np.frombuffer(raw, "u1", rows * width * 2, at).reshape(rows, width, 2)
        at += rows * width * 2
        reads = np.frombuffer(raw, "<f4", rows * width_read, at).reshape(rows, width_read)

        haplotype = np.zeros((width, 11), np.float32)
        for base in range(1, 5):
            haplotype[:, base - 1] = reference == base
            haplotype[:, 4 + base] = alternate == base
        haplotype[:, 4], haplotype[:, 9], haplotype[:, 10] = reference == 7, alternate == 6, reference != alternate

        symbol, quality = symbols[..., 0] & 7, confidence[symbols[..., 1]]
        cells = np.zeros((rows, width, 8), np.float32)
        is_base = (symbol >= 1) & (symbol <= 4)
        for base in range(1, 5):
            cells[..., base - 1] = np.where(symbol == base, quality, np.where(is_base, (1 - quality) / 3, 0))
        cells[symbol == 5, :4] = 0.25
        cells[..., 4], cells[..., 5] = symbol == 6, (symbols[..., 0] & 8) != 0
        agrees = symbol == reference
        cells[..., 6] = np.where(is_base & agrees, quality, 0) + ((symbol == 7) & (reference == 7))
        cells[..., 7] = np.where(is_base & ~agrees, quality, 0)
        inputs = {
            "cells": cells,
            "reads": reads,
            "is_read": np.ones(rows, np.float32),
            "alt": np.float32(reads[:, 2] > 0.5),
            "ref": np.float32(reads[:, 3] > 0.5),
            "haplotype": haplotype,
            # The call's numbers come first in the model, second in the file.
            "scaled": scale(np.concatenate([values[annotations:], values[:annotations]])),
        }
        found.append(((text[0], start + 1, text[1], text[2]), bool(is_indel), inputs))
    return found


def padded(some):
    """A batch: every list of reads as long as the longest, which has at least one."""
    most = max(1, *(len(example["is_read"]) for example in some))

    def stack(name):
        arrays = [example[name] for example in some]
        if name not in ("haplotype", "scaled"):
            arrays = [np.pad(a, [(0, most - len(a))] + [(0, 0)] * (a.ndim - 1)) for a in arrays]
        return np.stack(arrays)

    return [stack(name) for name in some[0]]


# --- engines -----------------------------------------------------------------------------------------------------------


class Torch:
    """Eager PyTorch, in the faster one of its two memory layouts."""

    def __init__(self, network, batches):
        self.network = network
        self.batches = [[torch.from_numpy(array) for array in batch] for batch in batches]
        times = {}
        for layout in (torch.contiguous_format, torch.channels_last, torch.contiguous_format, torch.channels_last):
            self.lay_out(layout)
            self.run(self.batches[:1])
            begun = time.process_time()
            self.run(self.batches[:2])
            times[layout] = min(times.get(layout, math.inf), time.process_time() - begun)
        self.layout = min(times, key=times.get)
        self.lay_out(self.layout)

    def lay_out(self, layout):
        for weight in self.network.weights.values():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=layout)
        # A batch is [n][rows][columns][channels], which permuted is channels-last already.
        self.permuted = layout == torch.contiguous_format

    def run(self, batches=None):
        with torch.inference_mode():
            return np.concatenate([self.network(*self.order(batch)).numpy() for batch in batches or self.batches])

    def order(self, batch):
        if not self.permuted:
            return batch
        first = batch[0].permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
        return [first, *batch[1:]]


class Onnx:
    """ONNX Runtime with all its optimisations, on the CPU."""

    def __init__(self, network, batches, path, names, padded_axes, threads):
        if not path.exists():
            sites = torch.export.Dim("sites", min=2)
            reads = torch.export.Dim("reads", min=2)
            shapes = tuple({0: sites, 1: reads} if name in padded_axes else {0: sites} for name in names)
            batch = tuple(torch.from_numpy(array) for array in batches[len(batches) // 2])
            torch.onnx.export(network, batch, str(path), input_names=names, dynamic_shapes=shapes, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that spin while they wait would count as work where others want the CPU.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.batches = [dict(zip(names, batch)) for batch in batches]

    def run(self):
        return np.concatenate([self.session.run(None, batch)[0] for batch in self.batches])


class Program:
    """`cnnfilter score --timings`, whose own clock says how long its threads spent on each stage."""

    def __init__(self, options):
        self.options = options

    def command(self, calls, reads, reference, model, output):
        command = [self.options.ours, "score", "-V", calls, "-R", reference, "-o", output, "--timings", "--no-index"]
        command += ["--threads", self.options.threads, "--device", "cpu", *(["-I", reads] if reads else [])]
        return [str(word) for word in command + (["--model", model] if model else [])]

    def run(self, *arguments):
        """Seconds of the network where all threads do nothing else, and about how many of a CPU: the process's, shared
        out by stages."""
        said, _, cpu = measured(self.command(*arguments))
        line = r"(?m)^cnnfilter: (?:main thread: |\d+ threads: )?([a-z ]+)\b[^\n]*? +(\d+\.\d{3}) s\b"
        stages = {what: float(seconds) for what, seconds in re.findall(line, said)}
        del stages["whole run"]
        return stages["network"] / self.options.threads, cpu * stages["network"] / sum(stages.values())


def measured(command, environment=None, folder=None):
    """Runs a command: standard error, seconds by the clock, seconds of CPU (descendants included)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stderr, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rounds_of(tasks, rounds):
    """Every task once a round, each round beginning with another: name -> [(wall, cpu)]."""
    times = {name: [] for name in tasks}
    names = list(tasks)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            times[name].append(tasks[name]())
            wall, cpu = times[name][-1]
            print(f"    round {number + 1}, {name}: {wall:.2f} s, {cpu:.2f} s of CPU", file=sys.stderr, flush=True)
    return times


def spread(values, digits=0):
    values = sorted(values)
    return f"{statistics.median(values):,.{digits}f} ({values[0]:,.{digits}f} to {values[-1]:,.{digits}f})"


def table(times, sites, ours, peers):
    """Lines of sites a second, and what cnnfilter is against each peer, round by round."""
    for name, measurements in times.items():
        line = f"  {name:<34} {spread([sites[name] / wall for wall, _ in measurements]):>32} sites/s"
        line += f"  {spread([1e3 * cpu / sites[name] for _, cpu in measurements], 2):>26} CPU ms/site"
        if name in peers:
            own = list(zip(times[name], times[ours(name)]))
            scale = sites[ours(name)] / sites[name]
            line += f"  cnnfilter is {spread([t[0] * scale / o[0] for t, o in own], 2)} times as fast"
            line += f", {spread([t[1] * scale / o[1] for t, o in own], 2)} by CPU"
        print(line, flush=True)


# --- comparisons -------------------------------------------------------------------------------------------------------


def scores_of(path, key):
    with pysam.VariantFile(str(path)) as records:
        found = {}
        for r in records:
            found[(r.chrom, r.pos, r.ref, ",".join(r.alts))] = r.info.get(key)
        return found


def agree(what, differences):
    largest = max(differences)
    verdict = "agree" if largest <= TOLERANCE else "VOID: they differ"
    print(f"  {what}: {verdict}, by {largest:.2g} at most over {len(differences)}", flush=True)
    if largest > TOLERANCE:
        sys.exit(1)


def repeated(calls, output, keys, times):
    """The records of `calls` that have these keys, each so many times."""
    keys, written = set(keys), 0
    text = subprocess.run(["bcftools", "view", str(calls)], capture_output=True, text=True, check=True).stdout
    with open(output, "w") as out:
        for line in text.splitlines(keepends=True):
            fields = line.split("\t", 5)
            if line.startswith("#") or (fields[0], int(fields[1]), fields[3], fields[4]) in keys:
                count = 1 if line.startswith("#") else times
                out.write(line * count)
                written += 0 if line.startswith("#") else times
    return written


def networks(options, inputs):
    program = Program(options)
    for name in REPEATS:
        for title, (calls, reads, fasta, base) in inputs.items():
            print(f"{name}, {title}: the network alone", flush=True)
            model = options.models / name if name == "cnnfilter_reads" else options.work / name
            card, weights = json.loads((model / "model.json").read_text()), load_file(model / "model.safetensors")
            peer_times, own_times = (times * options.scale for times in REPEATS[name])
            stem = options.work / f"{name}.{base}"
            padded_axes, expected = (), None
            if name == "cnnfilter_reads":
                labels = f"{stem}.labels.tsv"
                with open(labels, "w") as out, pysam.VariantFile(str(calls)) as records:
                    out.write("chrom\tpos\tref\talt\tlabel\n")
                    for r in records:
                        out.writelines(f"{r.chrom}\t{r.pos}\t{r.ref}\t{alt}\tTP\n" for alt in r.alts if alt != "*")
                command = [options.ours, "tensors", "-V", calls, "-I", reads, "-R", fasta, "--labels", labels]
                measured([str(word) for word in [*command, "-q", "-o", f"{stem}.examples"]])
                network = Reads(weights, card["network"])
                found = [e for e in examples(f"{stem}.examples", card) if "," not in e[0][3]]
                single = {key for key in scores_of(calls, "DP") if "," not in key[3]}
                found = [e for e in found if e[0] in single]
                # By number of reads, so that the peers pad as little as can be.
                found.sort(key=lambda example: len(example[2]["is_read"]))
                keys, is_indel = [e[0] for e in found], [e[1] for e in found]
                every = [e[2] for e in found for _ in range(peer_times)]
                batches = [padded(every[at : at + BATCH]) for at in range(0, len(every), BATCH)]
                names = list(every[0])
                padded_axes = names[:5]
            else:
                names = ["sites", "annotations"]
                if name == "gatk-small-2d":
                    keys, arrays, expected = golden(options.data / "golden" / f"{base}.nvscore_2d.npz")
                    network = Gatk(weights, (1, 1, 3, 3), False)
                else:
                    keys, arrays = reference_tensors(calls, fasta)
                    network = Gatk(weights, (1, 1, 1), True)
                is_indel = [len(ref) != len(alt.split(",")[0]) for _, _, ref, alt in keys]
                arrays = [np.repeat(array, peer_times, axis=0) for array in arrays]
                count = len(arrays[0])
                batches = [[array[at : at + BATCH] for array in arrays] for at in range(0, count, BATCH)]
            network.eval().requires_grad_(False)
            timed = Path(f"{stem}.repeated.vcf")
            written = repeated(calls, timed, keys, own_times)
            assert written == own_times * len(keys), "each call once"
            torches = Torch(network, batches)
            onnx = Onnx(network, batches, options.work / f"{name}.onnx", names, padded_axes, options.threads)

            output = Path(f"{stem}.scored.vcf")
            arguments = (timed, None if name == "gatk-1d" else reads, fasta, model, output)
            program.run(*arguments)
            own = scores_of(output, card["info_key"])
            for what, engine in (("PyTorch", torches), ("ONNX Runtime", onnx)):
                logits = engine.run()[::peer_times]
                if expected is not None:
                    agree(f"{what} and GATK's outputs", list(np.abs(logits - expected).max(1)))
                differences = [abs(score(l, i) - own[key]) for l, i, key in zip(logits, is_indel, keys)]
                agree(f"{what} and cnnfilter's scores", differences)

            def clocked(engine):
                begun, cpu = time.perf_counter(), time.process_time()
                engine.run()
                return time.perf_counter() - begun, time.process_time() - cpu

            tasks = {
                "PyTorch": lambda e=torches: clocked(e),
                "ONNX Runtime": lambda e=onnx: clocked(e),
                "cnnfilter": lambda a=arguments: program.run(*a),
            }
            if name == "cnnfilter_reads":
                counts = [len(e[2]["is_read"]) for e in found]
                print(f"  {len(keys)} ALTs with {statistics.mean(counts):.1f} reads each, {max(counts)} at most")
            sites = dict.fromkeys(("PyTorch", "ONNX Runtime"), len(keys) * peer_times) | {"cnnfilter": written}
            table(rounds_of(tasks, options.rounds), sites, lambda _: "cnnfilter", ("PyTorch", "ONNX Runtime"))


def runs(options, inputs):
    program = Program(options)
    for title, (calls, reads, fasta, base) in inputs.items():
        print(f"{title}: whole runs, from files to a scored VCF", flush=True)
        count = len(scores_of(calls, "DP"))
        output = {}

        def ours(name, model, with_reads):
            output[name] = options.work / f"{base}.{name.replace(' ', '_')}.vcf"
            command = program.command(calls, reads if with_reads else None, fasta, model, output[name])
            return lambda: measured(command)[1:]

        tasks = {
            "cnnfilter gatk-small-2d": ours("cnnfilter gatk-small-2d", options.work / "gatk-small-2d", True),
            "cnnfilter gatk-1d": ours("cnnfilter gatk-1d", options.work / "gatk-1d", False),
            "cnnfilter cnnfilter_reads": ours("cnnfilter cnnfilter_reads", None, True),
            "cnnfilter cnnfilter_reference": ours("cnnfilter cnnfilter_reference", None, False),
        }
        peers = {}
        if options.scorevariants:
            environment = dict(os.environ, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1", OMP_NUM_THREADS=str(options.threads))
            environment["PYTHONPATH"] = str(options.scorevariants)
            environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

            def theirs(name, kind, more):
                output[name] = options.work / f"{base}.{kind}.nvscore.vcf"
                command = [options.gatk, "NVScoreVariants", "-V", calls, "-R", fasta, "-O", output[name]]
                command += ["--tensor-type", kind, "--accelerator", "cpu", *more]
                command = [str(word) for word in command]
                return lambda: measured(command, environment, options.work)[1:]

            peers = {"NVScoreVariants 2D": "cnnfilter gatk-small-2d", "NVScoreVariants 1D": "cnnfilter gatk-1d"}
            tasks["NVScoreVariants 2D"] = theirs("NVScoreVariants 2D", "read_tensor", ["-I", reads])
            tasks["NVScoreVariants 1D"] = theirs("NVScoreVariants 1D", "reference", [])
        times = rounds_of(tasks, options.rounds)
        for name, own in peers.items():
            key = "CNN_2D" if "2D" in name else "CNN_1D"
            found, expected = scores_of(output[own], key), scores_of(output[name], key)
            assert found.keys() == expected.keys(), "the same records"
            # Both are rounded to three decimals.
            agree(f"{name} and {own}", [max(0, abs(found[k] - expected[k]) - 1e-3) for k in found])
        table(times, dict.fromkeys(tasks, count), peers.get, peers)
    if not options.scorevariants:
        print("NVScoreVariants is left out: SCOREVARIANTS names no folder with GATK's Python package")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "ours", "models", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("rounds", "threads", "scale"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--gatk", type=Path)
    parser.add_argument("--scorevariants", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} CPUs, load {load}; {options.threads} threads each, "
          f"{options.rounds} rounds; PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}")
    inputs = {}
    for title, (base, depth, reference) in SETS.items():
        fasta, calls = options.work / f"{reference}.fa", options.work / f"{base}.vcf"
        # GATK reads plain FASTA with a dictionary only, and adds no score where one stands.
        if not fasta.with_suffix(".dict").exists():
            with open(fasta, "wb") as out:
                subprocess.run(["bgzip", "-dc", str(options.data / "ref" / f"{reference}.fa.gz")], stdout=out, check=True)
            pysam.faidx(str(fasta))
            subprocess.run(["samtools", "dict", str(fasta), "-o", str(fasta.with_suffix(".dict"))], check=True)
        remove = ["bcftools", "annotate", "--no-version", "-x", "INFO/CNN_1D,INFO/CNN_2D", "-o", str(calls)]
        subprocess.run([*remove, str(options.data / "calls" / f"{base}.gatk4.6hc.cnn.vcf.gz")], check=True)
        inputs[title] = (calls, options.data / "reads" / f"{base}.{depth}.bam", fasta, base)
    if options.only != "runs":
        networks(options, inputs)
    if options.only != "networks":
        runs(options, inputs)
    print(f"load at the end: {' '.join(f'{value:.1f}' for value in os.getloadavg())}")


if __name__ == "__main__":
    main()
