"""References, indices, and the parts every kind of set shares."""


rule reference:
    input:
        lambda w: shared(REFERENCES[w.reference]),
    output:
        fa="references/{reference}.fa",
        fai="references/{reference}.fa.fai",
        dict="references/{reference}.dict",
    wildcard_constraints:
        reference=names(REFERENCES),
    # UR would hold an absolute path.
    shell:
        "gzip -dc {input} > {output.fa} && samtools faidx {output.fa} && "
        "samtools dict {output.fa} | sed 's/\\tUR:[^\\t]*//' > {output.dict}"


rule padded_reference:
    input:
        lambda w: f"references/{PADDED[w.reference]['of']}.fa",
    output:
        fa="references/{reference}.fa",
        fai="references/{reference}.fa.fai",
        dict="references/{reference}.dict",
    wildcard_constraints:
        reference=names(PADDED),
    params:
        contig=lambda w: PADDED[w.reference]["contig"],
        length=lambda w: PADDED[w.reference]["length"],
    shell:
        "python3 {SCRIPTS}/pad_contig.py {input} {params.contig} {params.length} {output.fa} && samtools faidx {output.fa} && "
        "samtools dict {output.fa} | sed 's/\\tUR:[^\\t]*//' > {output.dict}"


rule bwa_index:
    input:
        "{prefix}.fa",
    output:
        multiext("{prefix}.fa", ".amb", ".ann", ".bwt", ".pac", ".sa"),
    log:
        "log/bwa_index/{prefix}.log",
    shell:
        "bwa index {input} 2> {log}"


# Sets on an unchanged reference point to it.
rule set_reference:
    input:
        lambda w: multiext(f"references/{set_reference(w.set)}", ".fa", ".fa.fai", ".dict"),
    output:
        multiext("sets/{set}/reference", ".fa", ".fa.fai", ".dict"),
    wildcard_constraints:
        set=names([*SAMPLES, *IMPLANTED, *SIMULATED]),
    run:
        for source, target in zip(input, output):
            Path(target).unlink(missing_ok=True)
            Path(target).symlink_to(os.path.relpath(source, Path(target).parent))


rule zones:
    output:
        "zones/{reference}.bed",
    wildcard_constraints:
        reference=names([*REFERENCES, *PADDED]),
    run:
        with open(output[0], "w") as bed:
            for split, regions in config["zones"].get(wildcards.reference, {}).items():
                for region in regions:
                    contig, span = region.split(":")
                    first, last = span.split("-")
                    bed.write(f"{contig}\t{int(first) - 1}\t{last}\t{split}\n")


def zones_of(w):
    return f"sets/{w.set}/zones.bed" if w.set in EDITED else f"zones/{set_reference(w.set)}.bed"


rule confident_split:
    input:
        confident="sets/{set}/confident.bed",
        zones=zones_of,
    output:
        "sets/{set}/confident.{split}.bed",
    wildcard_constraints:
        split="train|validation|test",
    shell:
        "awk '$4 == \"{wildcards.split}\"' {input.zones} > {output}.zone && "
        "python3 {SCRIPTS}/bed.py intersect {output} {input.confident} {output}.zone && rm {output}.zone"


rule tabix:
    input:
        "{prefix}.vcf.gz",
    output:
        "{prefix}.vcf.gz.tbi",
    shell:
        "tabix -f -p vcf {input}"
