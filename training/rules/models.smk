"""The built-in models: examples of every set, caller and split, encoded once, and the fit."""

MODELS = config["models"]


def without_reads(name):
    return name in REAL and "reads" not in REAL[name]


def confident(w):
    return f"sets/{w.set}/confident.bed" if len(set_splits(w.set)) == 1 else f"sets/{w.set}/confident.{w.split}.bed"


rule depth:
    """The median depth where the reads of a set were made or taken. Where most of a contig has a few strays only, the depth that the
    program finds on the contig is theirs."""
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        regions=calling_regions,
    output:
        "sets/{set}/depth.txt",
    log:
        "log/depth/{set}.log",
    wildcard_constraints:
        set=names(SETS),
    shell:
        "samtools depth -a -b {input.regions} {input.bam} 2> {log} | cut -f 3 | sort -n | "
        "awk '{{ depth[NR] = $1 }} END {{ print depth[int((NR + 1) / 2)] }}' > {output}"


rule examples:
    input:
        calls="sets/{set}/calls.{caller}.vcf.gz",
        index="sets/{set}/calls.{caller}.vcf.gz.tbi",
        reads=lambda w: [] if w.model == "cnnfilter_reference" else f"sets/{w.set}/reads.bam",
        bai=lambda w: [] if w.model == "cnnfilter_reference" else f"sets/{w.set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai"),
        truth="sets/{set}/truth.vcf.gz",
        confident=confident,
        depth=lambda w: [] if w.model == "cnnfilter_reference" else f"sets/{w.set}/depth.txt",
    output:
        examples="examples/{model}/{set}.{caller}.{split}.examples",
        table="examples/{model}/{set}.{caller}.{split}.tsv",
    log:
        "log/examples/{model}.{set}.{caller}.{split}.log",
    wildcard_constraints:
        model=names(MODELS),
        set=names(SETS),
        split="train|validation|test",
    params:
        # A silver truth has SNPs alone.
        calls=lambda w, input: f"<(bcftools view --no-version -V indels,mnps,other {input.calls})" if w.set in SILVER else input.calls,
        reads=lambda w, input: f"-I {input.reads} --sample-depth $(cat {input.depth})" if input.reads else "",
    shell:
        "{CNNFILTER} tensors -q -V {params.calls} {params.reads} -R {input.reference[0]} --truth {input.truth} --confident {input.confident} "
        "--set {wildcards.set}.{wildcards.caller}.{wildcards.split} -o {output.examples} --table {output.table} > {log} 2>&1"


def of_split(model, split):
    """Names SET.CALLER of a split that a model takes."""
    found = []
    for name in SETS:
        if split not in set_splits(name) or (model == "cnnfilter_reads" and without_reads(name)):
            continue
        if split == "train" and name in MODELS[model].get("tested_only", []):
            continue
        wanted = MODELS[model][callers_key(name)]
        found += [f"{name}.{caller}" for caller in set_callers(name) if caller in wanted]
    return found


rule model:
    input:
        train=lambda w: [f"examples/{w.model}/{one}.train.examples" for one in of_split(w.model, "train")],
        validation=lambda w: [f"examples/{w.model}/{one}.validation.examples" for one in MODELS[w.model]["validation"]],
        settings=lambda w: str(ROOT / MODELS[w.model]["settings"]),
    output:
        "models/{model}/{model}/model.json",
        "models/{model}/{model}/model.safetensors",
        "models/{model}/history.tsv",
    log:
        "log/model/{model}.log",
    benchmark:
        "benchmarks/model/{model}.tsv"
    wildcard_constraints:
        model=names(MODELS),
    # A fit that was stopped goes on from its checkpoint: the folder must not be cleaned in between.
    shell:
        "resume=$(test -e {wildcards.model}.fit/checkpoint/checkpoint.json && echo --resume || true); "
        "{CNNFILTER} train $resume --config {input.settings} --name {wildcards.model} -e {input.train} --validation {input.validation} "
        "-o {wildcards.model}.fit 2> {log} && mkdir -p models/{wildcards.model} && "
        "cp -r {wildcards.model}.fit/{wildcards.model} {wildcards.model}.fit/history.tsv models/{wildcards.model}/"


rule models:
    input:
        expand("models/{model}/{model}/model.json", model=MODELS),


rule measured:
    """The shipped models with what their thresholds are worth on test sets in their cards."""
    input:
        real=lambda w: [f"examples/{w.model}/{one}.test.examples" for one in MODELS[w.model]["tested"]["real"]],
        simulated=lambda w: [f"examples/{w.model}/{one}.test.examples" for one in MODELS[w.model]["tested"]["simulated"]],
    output:
        "measured/{model}/model.json",
    log:
        "log/measured/{model}.log",
    wildcard_constraints:
        model=names(MODELS),
    params:
        folder=lambda w: str(ROOT / "models" / w.model),
        # Examples of samples that other programs simulated, made by hand.
        more=lambda w: config.get("more_simulated", {}).get(w.model, []),
    shell:
        "{CNNFILTER} measure --model {params.folder} --real {input.real} --simulated {input.simulated} {params.more} -o measured 2> {log}"


rule test_examples:
    """Examples of the test splits, for baselines.py."""
    input:
        [f"examples/{model}/{one}.{split}.examples" for model in MODELS for split in ("train", "test") for one in of_split(model, split)],
