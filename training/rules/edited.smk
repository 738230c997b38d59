"""Real reads over an edited copy of their reference."""


def altered_avoid(w):
    sample = ALTERED[w.set]["of"]
    files = [shared(path) for path in SAMPLES[sample].get("avoid", []) + ALTERED[w.set].get("avoid", [])]
    return files + expand("sets/{s}/calls.{caller}.vcf.gz", s=sample, caller=SAMPLES[sample].get("avoid_callers", []))


def altered_truth(w):
    return [f"sets/{ALTERED[w.set]['of']}/truth.vcf.gz"] if "truth" in sample_of(w.set) else []


def altered_confident(w):
    return [f"sets/{ALTERED[w.set]['of']}/confident.bed"] if "truth" in sample_of(w.set) else []


def altered_options(w, input):
    """Options that edit_reference.py and implant_alleles.py share."""
    return " ".join(
        ([f"--truth {input.truth} --confident {input.confident}"] if input.truth else [])
        + ["--edits-only"] * (not input.truth or ALTERED[w.set].get("edits_only", False)))


rule avoid_text:
    """BCF as text, for the script."""
    input:
        altered_avoid,
    output:
        temp("sets/{set}/avoid.vcf"),
    wildcard_constraints:
        set=names(ALTERED),
    shell:
        # A site that no sample of its file carries is no reason to keep away.
        "for file in {input}; do bcftools view -H -G -c 1 $file 2>/dev/null || bcftools view -H -G $file; done > {output}"


rule edit_reference:
    input:
        reference=lambda w: f"references/{sample_of(w.set)['reference']}.fa",
        truth=altered_truth,
        confident=altered_confident,
        avoid="sets/{set}/avoid.vcf",
        zones=lambda w: f"zones/{sample_of(w.set)['reference']}.bed",
    output:
        reference="sets/{set}/reference.fa",
        truth="sets/{set}/truth.vcf",
        confident="sets/{set}/confident.bed",
        regions="sets/{set}/regions.bed",
        zones="sets/{set}/zones.bed",
    log:
        "log/edit_reference/{set}.log",
    wildcard_constraints:
        set=names(EDITED),
    params:
        region=lambda w: sample_of(w.set)["regions"][0],
        seed=lambda w: config["seed"] * 10000 + EDITED[w.set]["seed"],
        options=altered_options,
        long=config["edited_long_share"],
    shell:
        "python3 {SCRIPTS}/edit_reference.py --reference {input.reference} --region {params.region} --seed {params.seed} "
        "--spacing {config[edited_spacing]} --avoid {input.avoid} --zones {input.zones} --long-share {params.long} {params.options} --out sets/{wildcards.set} > {log}"


rule edited_index:
    input:
        "sets/{set}/reference.fa",
    output:
        fai="sets/{set}/reference.fa.fai",
        dict="sets/{set}/reference.dict",
    wildcard_constraints:
        set=names(EDITED),
    shell:
        "samtools faidx {input} && samtools dict {input} | sed 's/\\tUR:[^\\t]*//' > {output.dict}"


# Left-aligned, as callers write them; -c e stops at a REF that is not the set's reference's.
rule altered_truth_normal:
    input:
        vcf="sets/{set}/truth.vcf",
        reference="sets/{set}/reference.fa",
        fai="sets/{set}/reference.fa.fai",
    output:
        "sets/{set}/truth.vcf.gz",
    log:
        "log/truth/{set}.log",
    wildcard_constraints:
        set=names(ALTERED),
    shell:
        "bcftools norm --no-version -c e -f {input.reference} {input.vcf} 2> {log} | bcftools sort -Oz -o {output} - 2>> {log}"


rule edited_reads:
    input:
        lambda w: shared(sample_of(w.set)["reads"]),
    output:
        r1=temp("sets/{set}/r1.fq"),
        r2=temp("sets/{set}/r2.fq"),
    log:
        "log/edited_reads/{set}.log",
    wildcard_constraints:
        set=names(EDITED),
    params:
        # samtools takes the seed before the point and the share behind it.
        keep=lambda w: f"-s {EDITED[w.set]['seed'] + EDITED[w.set]['keep']}" if "keep" in EDITED[w.set] else "",
    shell:
        "samtools view -u -F 0x900 {params.keep} {input} | samtools collate -u -O - {output.r1}.collate 2> {log} | "
        "samtools fastq -n -1 {output.r1} -2 {output.r2} -s /dev/null -0 /dev/null - 2>> {log}"
