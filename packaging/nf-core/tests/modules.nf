#!/usr/bin/env nextflow
//
// Runs the modules and the subworkflow on one sample: what nf-test would do, for where there is none. Prints the
// versions that the modules report.
//
nextflow.preview.topic = true

include { VCF_VARIANT_FILTERING_CNNFILTER } from '../subworkflows/vcf_variant_filtering_cnnfilter/main'
include { CNNFILTER_EVAL                  } from '../modules/cnnfilter/eval/main'

workflow {
    data      = file(params.data)
    reference = [[id: 'demo'], file("${data}/ref.fa"), file("${data}/ref.fa.fai")]
    calls     = Channel.of([[id: 'demo'], file("${data}/calls.vcf"), [], file("${data}/reads.bam"), file("${data}/reads.bam.bai")])

    VCF_VARIANT_FILTERING_CNNFILTER(calls, reference, [], [], [])
    VCF_VARIANT_FILTERING_CNNFILTER.out.filtered_vcf
        .map { meta, vcf -> [meta, vcf, file("${data}/truth.vcf.gz"), file("${data}/truth.vcf.gz.tbi"), file("${data}/confident.bed")] }
        .set { filtered }
    CNNFILTER_EVAL(filtered, reference)

    channel.topic('versions')
        .unique()
        .view { process, tool, version -> "version of ${process}: ${tool} ${version}" }
}
