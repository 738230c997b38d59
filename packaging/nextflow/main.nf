#!/usr/bin/env nextflow
//
// Scores and filters a cohort: samples x regions of equal work, joined by sample, with a report by MultiQC.
//
//   nextflow run main.nf --input samples.csv --fasta ref.fa --outdir results [--shards 30] [-profile slurm]
//
// samples.csv has the columns sample,vcf,tbi,reads,reads_index; empty reads ask for the network without reads.
//
nextflow.preview.topic = true

include { CNNFILTER_SCORE  } from '../nf-core/modules/cnnfilter/score/main'
include { CNNFILTER_FILTER } from '../nf-core/modules/cnnfilter/filter/main'

// Regions of equal work, by the index of one sample: calls of samples lie alike, and so each region costs the
// same in every sample, near enough.
process SHARDS {
    tag "${meta.id}"
    label 'process_single'
    conda "${moduleDir}/../nf-core/modules/cnnfilter/score/environment.yml"
    container "biocontainers/cnnfilter:0.1.0--0"

    input:
    tuple val(meta), path(vcf), path(tbi)
    tuple val(meta2), path(fasta), path(fai)
    val count

    output:
    path "shards/*.bed"

    script:
    """
    cnnfilter shards --reference ${fasta} --variant ${vcf} --shards ${count} --output shards
    """

    stub:
    """
    mkdir shards
    touch shards/shard_{1..${count}}.bed
    """
}

// Joins the shards of a sample as they are: blocks are copied, nothing is decoded.
process GATHER {
    tag "${meta.id}"
    label 'process_single'
    conda "bioconda::bcftools=1.21"
    container "biocontainers/bcftools:1.21--h8b25389_0"

    input:
    tuple val(meta), path(vcfs)

    output:
    tuple val(meta), path("${meta.id}.scored.vcf.gz"), path("${meta.id}.scored.vcf.gz.tbi")

    script:
    """
    bcftools concat --naive -o ${meta.id}.scored.vcf.gz ${vcfs}
    bcftools index --tbi ${meta.id}.scored.vcf.gz
    """

    stub:
    """
    touch ${meta.id}.scored.vcf.gz ${meta.id}.scored.vcf.gz.tbi
    """
}

process MULTIQC {
    label 'process_single'
    conda "bioconda::multiqc=1.35"
    container "biocontainers/multiqc:1.35--pyhdfd78af_1"
    publishDir params.outdir, mode: params.publish_mode

    input:
    path sections

    output:
    path "multiqc_report.html"
    path "multiqc_report_data"

    script:
    """
    multiqc --force --no-version-check --filename multiqc_report.html .
    """

    stub:
    """
    touch multiqc_report.html
    mkdir multiqc_report_data
    """
}

def known(row, column) {
    row[column] ? file(row[column], checkIfExists: true) : []
}

workflow {
    if (!params.input || !params.fasta) {
        error("--input samples.csv and --fasta ref.fa are needed")
    }
    fasta = file(params.fasta, checkIfExists: true)
    indexes = [file("${params.fasta}.fai", checkIfExists: true)]
    if ("${params.fasta}".endsWith('.gz')) {
        indexes << file("${params.fasta}.gzi", checkIfExists: true)
    }
    reference = [[id: fasta.baseName], fasta, indexes]
    model = params.model ? file(params.model, checkIfExists: true) : []

    samples = Channel.fromPath(params.input, checkIfExists: true)
        .splitCsv(header: true)
        .map { row -> [[id: row.sample], known(row, 'vcf'), known(row, 'tbi'), known(row, 'reads'), known(row, 'reads_index')] }

    SHARDS(samples.first().map { meta, vcf, tbi, reads, index -> [meta, vcf, tbi] }, reference, params.shards)

    // A group is complete when all of its shards are there, so that a sample does not wait for the others.
    regions = SHARDS.out.flatMap { beds -> [beds].flatten().collect { bed -> [bed, [beds].flatten().size()] } }
    scattered = samples
        .combine(regions)
        .map { meta, vcf, tbi, reads, index, bed, count ->
            [meta + [shard: bed.baseName, shards: count], vcf, tbi, reads, index, bed]
        }
    CNNFILTER_SCORE(scattered, reference, model)

    // Names of shards sort as the genome does.
    gathered = CNNFILTER_SCORE.out.vcf
        .map { meta, vcf -> [groupKey([id: meta.id], meta.shards), vcf] }
        .groupTuple()
        .map { key, vcfs -> [[id: key.id], vcfs.sort { vcf -> vcf.name }] }
    GATHER(gathered)

    CNNFILTER_FILTER(GATHER.out, [], [])
    MULTIQC(CNNFILTER_FILTER.out.multiqc.map { meta, json -> json }.collect(sort: { json -> json.name }))
}
