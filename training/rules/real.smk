"""Real reads on the reference they were aligned to."""


def link(source, target):
    Path(target).unlink(missing_ok=True)
    Path(target).symlink_to(Path(source).resolve())


rule real_reads:
    input:
        bam=lambda w: shared(SAMPLES[w.set]["reads"]),
        bai=lambda w: shared(SAMPLES[w.set]["reads"] + ".bai"),
    output:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
    wildcard_constraints:
        set=names(s for s in SAMPLES if "reads" in SAMPLES[s] and s not in THINNED),
    run:
        link(input.bam, output.bam)
        link(input.bai, output.bai)


rule thinned_reads:
    input:
        lambda w: shared(THINNED[w.set]["reads"]),
    output:
        "sets/{set}/reads.bam",
    wildcard_constraints:
        set=names(THINNED),
    params:
        # samtools takes the seed before the point and the share behind it.
        keep=lambda w: THINNED[w.set]["seed"] + THINNED[w.set]["keep"],
    shell:
        "samtools view --no-PG -b -s {params.keep} -o {output} {input}"


rule real_regions:
    output:
        "sets/{set}/regions.bed",
    wildcard_constraints:
        set=names(SAMPLES),
    params:
        regions=lambda w: SAMPLES[w.set]["regions"],
    shell:
        "python3 {SCRIPTS}/bed.py regions {output} {params.regions}"


rule real_truth:
    input:
        lambda w: shared(REAL[w.set]["truth"]),
    output:
        "sets/{set}/truth.vcf.gz",
    wildcard_constraints:
        set=names(REAL),
    run:
        link(input[0], output[0])


rule real_confident:
    input:
        calls=shared(config["labels"]["calls"]),
        labels=shared(config["labels"]["labels"]),
        repeats=shared(config["labels"]["repeats"]),
        regions="sets/{set}/regions.bed",
    output:
        "sets/{set}/confident.bed",
    wildcard_constraints:
        set=names(REAL),
    params:
        kind=lambda w: REAL[w.set]["confident"],
        contig=lambda w: REAL[w.set]["regions"][0].split(":")[0],
        regions=lambda w: REAL[w.set]["regions"],
        exclude=lambda w: REAL[w.set].get("exclude", []),
    shell:
        """
        if [ {params.kind} = labels ]; then
          python3 {SCRIPTS}/confident_from_labels.py --calls {input.calls} --labels {input.labels} --contig {params.contig} \
            --repeats {input.repeats} --out {output} --exclude {params.exclude} -- {params.regions}
        else
          cp {input.regions} {output}
        fi
        """


# Calls recorded with the data, with GATK's own CNN scores in them.
rule recorded_calls:
    input:
        lambda w: shared(REAL[w.set]["recorded"][w.caller]),
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    wildcard_constraints:
        set=names(s for s in REAL if s not in THINNED),
        caller=names({caller for s in REAL.values() for caller in s["recorded"]}),
    run:
        link(input[0], output[0])
