"""Real reads on the reference they were aligned to."""


def link(source, target):
    Path(target).unlink(missing_ok=True)
    Path(target).symlink_to(Path(source).resolve())


REGROUPED = {name for name in REAL if "read_group" in REAL[name]}
COVERED = {name for name in REAL if "covered" in REAL[name]}


rule real_reads:
    input:
        bam=lambda w: shared(SAMPLES[w.set]["reads"]),
        bai=lambda w: shared(SAMPLES[w.set]["reads"] + ".bai"),
    output:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
    wildcard_constraints:
        set=names(s for s in SAMPLES if "reads" in SAMPLES[s] and s not in THINNED and s not in REGROUPED),
    run:
        link(input.bam, output.bam)
        link(input.bai, output.bai)


rule regrouped_reads:
    """HaplotypeCaller refuses reads without a read group."""
    input:
        lambda w: shared(REAL[w.set]["reads"]),
    output:
        "sets/{set}/reads.bam",
    wildcard_constraints:
        set=names(REGROUPED),
    params:
        group=lambda w: REAL[w.set]["read_group"],
    shell:
        "samtools addreplacerg --no-PG -r '{params.group}' -O BAM -o {output} {input}"


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
        set=names(({*SAMPLES} | {*IMPLANTED}) - COVERED),
    params:
        regions=lambda w: sample_of(w.set)["regions"],
    shell:
        "python3 {SCRIPTS}/bed.py regions {output} {params.regions}"


rule covered_regions:
    """Of a capture: where reads lie, and what is near."""
    input:
        bam="sets/{set}/reads.bam",
        bai="sets/{set}/reads.bam.bai",
    output:
        "sets/{set}/regions.bed",
    wildcard_constraints:
        set=names(COVERED),
    params:
        least=lambda w: REAL[w.set]["covered"],
        region=lambda w: REAL[w.set]["regions"][0],
    shell:
        "samtools depth -r {params.region} {input.bam} | awk -v least={params.least} '$3 >= least' | "
        "python3 {SCRIPTS}/bed.py around {output} 100"


RENAMED = {name for name in REAL if "truth_contig" in REAL[name]}
SILVER = {name for name in REAL if "silver" in REAL[name]}


def contig_of(w):
    """The one contig that a sample's regions lie on."""
    return REAL[w.set]["regions"][0].split(":")[0]


rule real_truth:
    input:
        lambda w: shared(REAL[w.set]["truth"]),
    output:
        "sets/{set}/truth.vcf.gz",
    wildcard_constraints:
        set=names(REAL.keys() - RENAMED - SILVER),
    run:
        link(input[0], output[0])


# A truth of the same sequence under another name.
rule renamed_truth:
    input:
        lambda w: shared(REAL[w.set]["truth"]),
    output:
        "sets/{set}/truth.vcf.gz",
    wildcard_constraints:
        set=names(RENAMED),
    params:
        old=lambda w: REAL[w.set]["truth_contig"],
        new=contig_of,
    shell:
        "bcftools annotate --no-version -x INFO --rename-chrs <(echo {params.old} {params.new}) {input} | bcftools view --no-version -Oz "
        "-t {params.new} -o {output} -"


# The genotypes of one of many samples, refined by linkage.
rule silver_truth:
    input:
        lambda w: shared(REAL[w.set]["truth"]),
    output:
        truth="sets/{set}/truth.vcf.gz",
        failed="sets/{set}/failed.bed",
    wildcard_constraints:
        set=names(SILVER),
    params:
        sample=lambda w: REAL[w.set]["silver"],
    shell:
        "python3 {SCRIPTS}/silver_truth.py --table {input} --sample {params.sample} --truth {output.truth}.plain --failed {output.failed} && "
        "bgzip -c {output.truth}.plain > {output.truth} && rm {output.truth}.plain"


rule doubtful_sites:
    """Of a sample whose truth has no confident regions: where the calls say that the truth is incomplete."""
    input:
        calls=lambda w: expand("sets/{set}/calls.{caller}.vcf.gz", set=w.set, caller=set_callers(w.set)),
        truth="sets/{set}/truth.vcf.gz",
        carried=lambda w: [shared(REAL[w.set]["carried"])] if "carried" in REAL[w.set] else [],
        reference="sets/{set}/reference.fa",
    output:
        "sets/{set}/doubtful.bed",
    log:
        "log/doubtful/{set}.log",
    wildcard_constraints:
        set=names(s for s in REAL if REAL[s]["confident"] == "regions" and s not in THINNED),
    params:
        contig=contig_of,
        regions=lambda w: REAL[w.set]["regions"][0],
    shell:
        """
        exec 2> {log}
        one_allele() {{ bcftools norm --no-version -a -f {input.reference} - | bcftools norm --no-version -m -any -f {input.reference} -; }}
        bcftools view --no-version -t {params.regions} {input.truth} | one_allele | bcftools query -f '%CHROM\t%POS\t%REF\t%ALT\n' > {output}.truth
        tables="" carried=""
        for list in {input.carried}; do
          bcftools view --no-version -c 1 -t {params.regions} $list | one_allele | bcftools query -f '%CHROM\t%POS\t%REF\t%ALT\n' > {output}.carried
          carried="--carried {output}.carried"
        done
        for calls in {input.calls}; do
          table={output}.$(basename $calls .vcf.gz); tables="$tables $table"
          bcftools view --no-version $calls | one_allele | bcftools query -f '%CHROM\t%POS\t%REF\t%ALT\t[%AD]\n' > $table
        done
        python3 {SCRIPTS}/doubtful_sites.py --reference {input.reference} --contig {params.contig} --truth {output}.truth $carried \
          --out {output} --calls $tables >&2
        rm -f {output}.truth {output}.carried $tables
        """


rule real_confident:
    input:
        calls=shared(config["labels"]["calls"]),
        labels=shared(config["labels"]["labels"]),
        repeats=shared(config["labels"]["repeats"]),
        regions="sets/{set}/regions.bed",
        doubtful=lambda w: [f"sets/{REAL[w.set].get('of', w.set)}/doubtful.bed"] if REAL[w.set]["confident"] == "regions" else [],
        failed=lambda w: [f"sets/{w.set}/failed.bed"] if w.set in SILVER else [],
    output:
        "sets/{set}/confident.bed",
    wildcard_constraints:
        set=names(REAL),
    params:
        kind=lambda w: REAL[w.set]["confident"],
        contig=contig_of,
        regions=lambda w: REAL[w.set]["regions"],
        exclude=lambda w: REAL[w.set].get("exclude", []),
    shell:
        """
        if [ {params.kind} = labels ]; then
          python3 {SCRIPTS}/confident_from_labels.py --calls {input.calls} --labels {input.labels} --contig {params.contig} \
            --repeats {input.repeats} --out {output} --exclude {params.exclude} -- {params.regions}
        else
          python3 {SCRIPTS}/bed.py regions {output}.exclude {params.exclude}
          python3 {SCRIPTS}/bed.py without {output} {input.regions} {input.doubtful} {input.failed} {output}.exclude
          rm {output}.exclude
        fi
        """


# Calls recorded with the data, with GATK's own CNN scores in them.
rule recorded_calls:
    input:
        lambda w: shared(REAL[w.set]["recorded"][w.caller]),
    output:
        "sets/{set}/calls.{caller}.vcf.gz",
    wildcard_constraints:
        set=names(s for s in REAL if REAL[s]["recorded"]),
        caller=names({caller for s in REAL.values() for caller in s["recorded"]}),
    run:
        link(input[0], output[0])
