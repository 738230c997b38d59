"""Real reads on their own reference, with alleles written into a part of them."""


# The script wants the two reads of a pair next to each other.
rule implant_alleles:
    input:
        reads=lambda w: shared(sample_of(w.set)["reads"]),
        reference=lambda w: f"references/{set_reference(w.set)}.fa",
        truth=altered_truth,
        confident=altered_confident,
        avoid="sets/{set}/avoid.vcf",
    output:
        r1=temp("sets/{set}/r1.fq"),
        r2=temp("sets/{set}/r2.fq"),
        truth="sets/{set}/truth.vcf",
        confident="sets/{set}/confident.bed",
    log:
        "log/implant_alleles/{set}.log",
    benchmark:
        "benchmarks/implant_alleles/{set}.tsv"
    wildcard_constraints:
        set=names(IMPLANTED),
    params:
        region=lambda w: sample_of(w.set)["regions"][0],
        seed=lambda w: config["seed"] * 10000 + IMPLANTED[w.set]["seed"],
        keep=lambda w: IMPLANTED[w.set].get("base_keep", 1),
        copies=lambda w: config["implanted_copies"] if IMPLANTED[w.set].get("copies") else 0,
        divergent=config["implanted_divergent"],
        options=altered_options,
    shell:
        "samtools view -u -F 0x900 {input.reads} | samtools collate -u -O - {output.r1}.collate 2> {log} | samtools view -h - | "
        "python3 {SCRIPTS}/implant_alleles.py --reference {input.reference} --region {params.region} --seed {params.seed} "
        "--spacing {config[implanted_spacing]} --base-keep {params.keep} --copies-per-100kb {params.copies} "
        "--divergent-per-100kb {params.divergent} --avoid {input.avoid} "
        "{params.options} --out sets/{wildcards.set} >> {log}"
