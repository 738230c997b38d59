"""Simulated samples: genome, reads with errors, quality profiles learned from real reads."""


rule simulated_regions:
    input:
        lambda w: f"references/{set_reference(w.set)}.fa",
    output:
        "sets/{set}/regions.bed",
    wildcard_constraints:
        set=names(SIMULATED),
    params:
        region=lambda w: SIMULATED[w.set]["region"],
    shell:
        "python3 {SCRIPTS}/bed.py sequence {output} {input} {params.region}"


rule genome:
    input:
        reference=lambda w: f"references/{set_reference(w.set)}.fa",
        regions="sets/{set}/regions.bed",
        variants=lambda w: [shared(SIMULATED[w.set]["variants"])] if "variants" in SIMULATED[w.set] else [],
    output:
        directory("sets/{set}/genome"),
    log:
        "log/genome/{set}.log",
    benchmark:
        "benchmarks/genome/{set}.tsv"
    wildcard_constraints:
        set=names(SIMULATED),
    params:
        variants=lambda w, input: f"--variants {input.variants}" if input.variants else "",
        seed=lambda w: config["seed"] * 10000 + SIMULATED[w.set]["seed"],
        options=lambda w: SIMULATED[w.set].get("genome_options", ""),
    shell:
        "{SIMULATE} genome -R {input.reference} -L {input.regions} {params.variants} --seed {params.seed} -o {output} {params.options} "
        "> {log} 2>&1"


rule simulated_truth:
    input:
        "sets/{set}/genome",
    output:
        truth="sets/{set}/truth.vcf.gz",
        confident="sets/{set}/confident.bed",
    wildcard_constraints:
        set=names(SIMULATED),
    shell:
        "bgzip -c {input}/truth.vcf > {output.truth} && cp {input}/confident.bed {output.confident}"


rule profile:
    input:
        lambda w: shared(config["profiles"][w.profile]),
    output:
        r1="profiles/{profile}R1.txt",
        r2="profiles/{profile}R2.txt",
    log:
        "log/profile/{profile}.log",
    wildcard_constraints:
        profile=names(config["profiles"]),
    # The reads as they came off the instrument, reverse strand turned back.
    shell:
        """
        rm -rf profiles/{wildcards.profile}.fastq && mkdir -p profiles/{wildcards.profile}.fastq
        samtools view -u -F 0x900 {input} | samtools collate -u -O - profiles/{wildcards.profile}.collate 2> {log} \
          | samtools fastq -n -1 profiles/{wildcards.profile}.fastq/reads_1.fq -2 profiles/{wildcards.profile}.fastq/reads_2.fq \
            -s /dev/null -0 /dev/null - 2>> {log}
        art_profiler_illumina profiles/{wildcards.profile} profiles/{wildcards.profile}.fastq fq 1 >> {log} 2>&1
        rm -rf profiles/{wildcards.profile}.fastq
        """


def art_profile(w):
    profile = SIMULATED[w.set]["profile"]
    return multiext(f"profiles/{profile}", "R1.txt", "R2.txt") if profile in config["profiles"] else []


rule art:
    input:
        genome="sets/{set}/genome",
        profile=art_profile,
    output:
        r1=temp("sets/{set}/art1.fq"),
        r2=temp("sets/{set}/art2.fq"),
    log:
        "log/art/{set}.log",
    benchmark:
        "benchmarks/art/{set}.tsv"
    wildcard_constraints:
        set=names(SIMULATED),
    params:
        s=lambda w: SIMULATED[w.set],
        seed=lambda w: config["seed"] * 10000 + SIMULATED[w.set]["seed"],
        profile=lambda w, input: f"-1 {input.profile[0]} -2 {input.profile[1]}" if input.profile else f"-ss {SIMULATED[w.set]['profile']}",
    shell:
        "python3 {SCRIPTS}/art.py --mixture {input.genome}/mixture.tsv --depth {params.s[depth]} --length {params.s[length]} "
        "--mean {params.s[insert][0]} --sd {params.s[insert][1]} --seed {params.seed} --out1 {output.r1} --out2 {output.r2} "
        "-- {params.profile} > {log} 2>&1"


rule simulated_reads:
    input:
        r1="sets/{set}/art1.fq",
        r2="sets/{set}/art2.fq",
    output:
        r1=temp("sets/{set}/r1.fq"),
        r2=temp("sets/{set}/r2.fq"),
    log:
        "log/simulated_reads/{set}.log",
    benchmark:
        "benchmarks/simulated_reads/{set}.tsv"
    wildcard_constraints:
        set=names(SIMULATED),
    params:
        seed=lambda w: config["seed"] * 10000 + SIMULATED[w.set]["seed"],
        options=lambda w: SIMULATED[w.set].get("reads_options", ""),
    shell:
        "{SIMULATE} reads --in {input.r1} --in {input.r2} --out {output.r1} --out {output.r2} --seed {params.seed} {params.options} "
        "> {log} 2>&1"
