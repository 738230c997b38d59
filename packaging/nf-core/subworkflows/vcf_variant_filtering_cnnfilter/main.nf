//
// Scores calls and fills FILTER. It stands where VCF_VARIANT_FILTERING_GATK does, and takes the reads as well.
//
include { CNNFILTER_SCORE  } from '../../modules/cnnfilter/score/main'
include { CNNFILTER_FILTER } from '../../modules/cnnfilter/filter/main'

workflow VCF_VARIANT_FILTERING_CNNFILTER {
    take:
    calls         // channel: [ val(meta), path(vcf), path(tbi), path(reads), path(reads_index) ]; [] for no reads
    fasta         // value channel: [ val(meta2), path(fasta), path(fai) ]
    intervals     // value: path(bed); [] for everything
    resources     // value: path(vcfs) of known variants; [] for the thresholds of the model
    resources_tbi // value: their indexes

    main:
    ch_calls = calls.map { meta, vcf, tbi, reads, reads_index -> [meta, vcf, tbi, reads, reads_index, intervals] }
    CNNFILTER_SCORE(ch_calls, fasta, [])
    CNNFILTER_FILTER(CNNFILTER_SCORE.out.vcf.join(CNNFILTER_SCORE.out.tbi), resources, resources_tbi)

    emit:
    filtered_vcf = CNNFILTER_FILTER.out.vcf // channel: [ val(meta), path(vcf) ]
    filtered_tbi = CNNFILTER_FILTER.out.tbi // channel: [ val(meta), path(tbi) ]
    multiqc      = CNNFILTER_SCORE.out.multiqc.mix(CNNFILTER_FILTER.out.multiqc) // channel: [ val(meta), path(json) ]
}
