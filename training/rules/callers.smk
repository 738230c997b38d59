"""Alignment and variant callers, the same for thinned, edited, implanted and simulated sets."""

ALIGNED = [*ALTERED, *SIMULATED]
MADE = [*THINNED, *ALIGNED]
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


rule align:
    input:
        r1="sets/{set}/r1.fq",
        r2="sets/{set}/r2.fq",
        reference=reference_of,
        index=lambda w: multiext(reference_of(w), ".amb", ".ann", ".bwt", ".pac", ".sa"),
    output:
        bam="sets/{set}/reads.bam",
    log:
        "log/align/{set}.log",
    benchmark:
        "benchmarks/align/{set}.tsv"
    wildcard_constraints:
        set=names(ALIGNED),
    threads: config["threads"]
    # -K: the same insert-size estimates whatever the threads.
    shell:
        "bwa mem -t {threads} -K 10000000 -R '@RG\\tID:{wildcards.set}\\tSM:{wildcards.set}\\tLB:{wildcards.set}\\tPL:ILLUMINA' "
        "{input.reference} {input.r1} {input.r2} 2> {log} | samtools fixmate --no-PG -u -m - - | "
        "samtools sort --no-PG -u -m 512M -T {output}.sort - 2>> {log} | samtools markdup --no-PG -T {output}.markdup - {output} 2>> {log}"


rule bam_index:
    input:
        "sets/{set}/reads.bam",
    output:
        "sets/{set}/reads.bam.bai",
    wildcard_constraints:
        set=names(MADE),
    shell:
        "samtools index {input}"


rule haplotypecaller:
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
        reference=multiext("sets/{set}/reference", ".fa", ".fa.fai", ".dict"),
        regions="sets/{set}/regions.bed",
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    log:
        "log/{caller}/{set}.log",
    benchmark:
        "benchmarks/{caller}/{set}.tsv"
    wildcard_constraints:
        set=names(MADE),
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
        regions="sets/{set}/regions.bed",
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
        regions="sets/{set}/regions.bed",
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
