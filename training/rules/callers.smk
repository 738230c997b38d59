"""Alignment and variant callers, the same for thinned, edited, implanted and simulated sets."""

ALIGNED = [*ALTERED, *SIMULATED]
MADE = [*THINNED, *ALIGNED]
# Sets whose calls of HaplotypeCaller are not recorded with the data.
NOT_RECORDED = [*(s for s in REAL if not REAL[s]["recorded"]), *ALIGNED]
CALLED = [*SAMPLES, *ALTERED, *SIMULATED]
HC_OPTIONS = {
    "hc": "",
    "hc_permissive": "--stand-call-conf 0 --min-pruning 1 --min-base-quality-score 6 --recover-all-dangling-branches "
    "--min-dangling-branch-length 1 --pcr-indel-model NONE",
}
FREEBAYES_OPTIONS = {"freebayes": "", "freebayes_permissive": "-F 0.03 -C 2 -m 0"}
# freebayes' own defaults are -F 0.05 -C 2 -m 1. mpileup: -B leaves BAQ out, -m and -F say how few reads may open an indel; call: -P is
# the prior of a variant (default 0.0011).
MPILEUP_OPTIONS = {"bcftools": "", "bcftools_permissive": "-B -Q 0 -m 1 -F 0.01"}
CALL_OPTIONS = {"bcftools": "", "bcftools_permissive": "-P 0.5"}


def reference_of(w):
    return f"sets/{w.set}/reference.fa" if w.set in EDITED else f"references/{set_reference(w.set)}.fa"


def aligner(w):
    """The aligner of a set's reads."""
    return (ALTERED | SIMULATED)[w.set].get("aligner", "bwa")


def aligner_index(w):
    endings = {"bwa": [".amb", ".ann", ".bwt", ".pac", ".sa"], "minimap2": [".sr.mmi"], "bowtie2": [".1.bt2"]}
    return multiext(reference_of(w), *endings[aligner(w)])


def align_command(w, input, threads):
    """A command that writes SAM. -K and --reorder: the same bytes whatever the threads."""
    group = {tag: w.set for tag in ("ID", "SM", "LB")} | {"PL": "ILLUMINA"}
    line = "@RG" + "".join(f"\\t{tag}:{value}" for tag, value in group.items())
    if aligner(w) == "bwa":
        return f"bwa mem -t {threads} -K 10000000 -R '{line}' {input.reference} {input.r1} {input.r2}"
    if aligner(w) == "minimap2":
        return f"minimap2 -ax sr -t {threads} -R '{line}' {input.index} {input.r1} {input.r2}"
    tags = " ".join(f"--rg {tag}:{value}" for tag, value in group.items() if tag != "ID")
    return f"bowtie2 -p {threads} --reorder -X 1200 --rg-id {w.set} {tags} -x {input.reference} -1 {input.r1} -2 {input.r2}"


def is_captured(w):
    return (ALTERED | SIMULATED)[w.set].get("captured", False)


def targets(w):
    return f"sets/{w.set}/targets.bed" if w.set in ALIGNED and is_captured(w) else []


def calling_regions(w):
    return targets(w) or f"sets/{w.set}/regions.bed"


rule targets:
    input:
        "sets/{set}/regions.bed",
    output:
        "sets/{set}/targets.bed",
    wildcard_constraints:
        set=names(SIMULATED),
    params:
        seed=lambda w: config["seed"] * 10000 + SIMULATED[w.set]["seed"],
    shell:
        "python3 {SCRIPTS}/capture.py targets --regions {input} --seed {params.seed} --out {output}"


rule minimap2_index:
    input:
        "{prefix}.fa",
    output:
        "{prefix}.fa.sr.mmi",
    log:
        "log/minimap2_index/{prefix}.log",
    shell:
        "minimap2 -x sr -d {output} {input} 2> {log}"


rule bowtie2_index:
    input:
        "{prefix}.fa",
    output:
        multiext("{prefix}.fa", ".1.bt2", ".2.bt2", ".3.bt2", ".4.bt2", ".rev.1.bt2", ".rev.2.bt2"),
    log:
        "log/bowtie2_index/{prefix}.log",
    shell:
        "bowtie2-build --seed 1 {input} {input} > {log} 2>&1"


rule align:
    input:
        r1="sets/{set}/r1.fq",
        r2="sets/{set}/r2.fq",
        reference=reference_of,
        index=aligner_index,
        targets=targets,
    output:
        bam="sets/{set}/reads.bam",
    log:
        "log/align/{set}.log",
    benchmark:
        "benchmarks/align/{set}.tsv"
    wildcard_constraints:
        set=names(ALIGNED),
    threads: config["threads"]
    params:
        command=align_command,
        capture=lambda w, input: f"| python3 {SCRIPTS}/capture.py reads --targets {input.targets} --seed {config['seed']}" if input.targets else "",
    shell:
        "{params.command} 2> {log} {params.capture} | samtools fixmate --no-PG -u -m - - | "
        "samtools sort --no-PG -u -m 512M -T {output}.sort - 2>> {log} | samtools markdup --no-PG -T {output}.markdup - {output} 2>> {log}"


rule bam_index:
    input:
        "sets/{set}/reads.bam",
    output:
        "sets/{set}/reads.bam.bai",
    wildcard_constraints:
        set=names([*MADE, *REGROUPED]),
    shell:
        "samtools index {input}"


rule haplotypecaller:
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai", ".dict"),
        regions=calling_regions,
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    log:
        "log/{caller}/{set}.log",
    benchmark:
        "benchmarks/{caller}/{set}.tsv"
    wildcard_constraints:
        set=names(NOT_RECORDED),
        caller=names(HC_OPTIONS),
    params:
        options=lambda w: HC_OPTIONS[w.caller],
    shell:
        "GATK_JAVA_OPTS='-Xmx3g -XX:+UseSerialGC' {GATK} HaplotypeCaller -R {input.reference[0]} -I {input.bam} -L {input.regions} "
        "-O {output} --native-pair-hmm-threads 1 --create-output-variant-index false {params.options} > {log} 2>&1"


rule freebayes:
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai"),
        regions=calling_regions,
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    log:
        "log/{caller}/{set}.log",
    benchmark:
        "benchmarks/{caller}/{set}.tsv"
    wildcard_constraints:
        set=names(CALLED),
        caller=names(FREEBAYES_OPTIONS),
    params:
        options=lambda w: FREEBAYES_OPTIONS[w.caller],
    # freebayes may write a record past a region's end before the next region's first.
    shell:
        "freebayes -f {input.reference[0]} -t {input.regions} {params.options} {input.bam} 2> {log} | "
        "bcftools sort -Oz -o {output} - 2>> {log}"


rule bcftools:
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai"),
        regions=calling_regions,
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    log:
        "log/{caller}/{set}.log",
    benchmark:
        "benchmarks/{caller}/{set}.tsv"
    wildcard_constraints:
        set=names(CALLED),
        caller=names(MPILEUP_OPTIONS),
    params:
        mpileup=lambda w: MPILEUP_OPTIONS[w.caller],
        call=lambda w: CALL_OPTIONS[w.caller],
    shell:
        "bcftools mpileup -Ou -a AD,DP -d 1000 -f {input.reference[0]} -R {input.regions} {params.mpileup} {input.bam} 2> {log} | "
        "bcftools call --ploidy 2 -mv -a GQ {params.call} -Oz -o {output} - 2>> {log}"


rule candidates:
    """Every allele that enough reads show, as `cnnfilter call` finds them."""
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai"),
        regions=calling_regions,
    output:
        "sets/{set}/calls.candidates.vcf.gz",
    log:
        "log/candidates/{set}.log",
    wildcard_constraints:
        set=names(CALLED),
    shell:
        "{CNNFILTER} call --candidates -q --no-index -I {input.bam} -R {input.reference[0]} -L {input.regions} -o {output} 2> {log}"


def set_depth(w):
    """The nominal depth of a set's reads."""
    if w.set in SIMULATED:
        return SIMULATED[w.set]["depth"]
    keep = (ALTERED | config["thinned"]).get(w.set, {})
    return sample_of(w.set)["depth"] * keep.get("keep", keep.get("base_keep", 1))


rule long_calls:
    """Alleles of more than 30 bases, real and made up, as no caller writes them."""
    input:
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai"),
        regions="sets/{set}/regions.bed",
        truth="sets/{set}/truth.vcf.gz",
    output:
        "sets/{set}/calls.long.vcf.gz",
    log:
        "log/long/{set}.log",
    wildcard_constraints:
        set=names(SETS),
    params:
        seed=lambda w: sum(map(ord, w.set)) + config["seed"] * 10000,
        depth=set_depth,
    shell:
        "python3 {SCRIPTS}/long_calls.py --reference {input.reference[0]} --regions {input.regions} --truth {input.truth} --depth {params.depth} "
        "--seed {params.seed} --false-per-mb {config[long_false_per_mb]} --out {output}.text 2> {log} && "
        "bcftools sort -Oz -o {output} {output}.text 2>> {log} && rm {output}.text"
