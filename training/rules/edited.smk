"""Real reads over an edited copy of their reference."""


def edited_of(w):
    return SAMPLES[EDITED[w.set]["of"]]


def edited_avoid(w):
    sample = EDITED[w.set]["of"]
    files = [shared(path) for path in edited_of(w).get("avoid", []) + EDITED[w.set].get("avoid", [])]
    return files + expand("sets/{s}/calls.{caller}.vcf.gz", s=sample, caller=edited_of(w).get("avoid_callers", []))


def edited_truth(w):
    return [f"sets/{EDITED[w.set]['of']}/truth.vcf.gz"] if "truth" in edited_of(w) else []


def edited_confident(w):
    return [f"sets/{EDITED[w.set]['of']}/confident.bed"] if "truth" in edited_of(w) else []


rule avoid_text:
    """BCF as text, for the script."""
    input:
        edited_avoid,
    output:
        temp("sets/{set}/avoid.vcf"),
    wildcard_constraints:
        set=names(EDITED),
    shell:
        # A site that no sample of its file carries is no reason to keep away.
        "for file in {input}; do bcftools view -H -G -c 1 $file 2>/dev/null || bcftools view -H -G $file; done > {output}"


rule edit_reference:
    input:
        reference=lambda w: f"references/{edited_of(w)['reference']}.fa",
        truth=edited_truth,
        confident=edited_confident,
        avoid="sets/{set}/avoid.vcf",
        zones=lambda w: f"zones/{edited_of(w)['reference']}.bed",
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
        region=lambda w: edited_of(w)["regions"][0],
        seed=lambda w: config["seed"] * 10000 + EDITED[w.set]["seed"],
        options=lambda w, input: " ".join(
            [f"--truth {input.truth}" if input.truth else "--edits-only"]
            + [f"--confident {input.confident}"] * bool(input.confident)
            + ["--edits-only"] * EDITED[w.set].get("edits_only", False)),
    shell:
        "python3 {SCRIPTS}/edit_reference.py --reference {input.reference} --region {params.region} --seed {params.seed} "
        "--spacing {config[edited_spacing]} --avoid {input.avoid} --zones {input.zones} {params.options} --out sets/{wildcards.set} > {log}"


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


# Left-aligned, as callers write them; -c e stops at a REF that is not the edited reference's.
rule edited_truth_normal:
    input:
        vcf="sets/{set}/truth.vcf",
        reference="sets/{set}/reference.fa",
        fai="sets/{set}/reference.fa.fai",
    output:
        "sets/{set}/truth.vcf.gz",
    log:
        "log/truth/{set}.log",
    wildcard_constraints:
        set=names(EDITED),
    shell:
        "bcftools norm --no-version -c e -f {input.reference} {input.vcf} 2> {log} | bcftools sort -Oz -o {output} - 2>> {log}"


rule edited_reads:
    input:
        lambda w: shared(edited_of(w)["reads"]),
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
