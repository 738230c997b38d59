process CNNFILTER_SCORE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container "biocontainers/cnnfilter:0.1.0--0"

    input:
    tuple val(meta), path(vcf), path(tbi), path(reads), path(reads_index), path(regions)
    tuple val(meta2), path(fasta), path(fai)
    path model

    output:
    tuple val(meta), path("*.vcf.gz"),     emit: vcf
    tuple val(meta), path("*.vcf.gz.tbi"), emit: tbi
    tuple val(meta), path("*_mqc.json"),   emit: multiqc
    tuple val("${task.process}"), val('cnnfilter'), eval("cnnfilter -V | cut -d ' ' -f 2"), topic: versions, emit: versions_cnnfilter

    when:
    task.ext.when == null || task.ext.when

    script:
    def args           = task.ext.args ?: ''
    def prefix         = task.ext.prefix ?: "${meta.id}"
    def reads_command  = reads ? [reads].flatten().collect { file -> "--input ${file}" }.join(' ') : ''
    def region_command = regions ? "--regions ${regions}" : ''
    def model_command  = model ? "--model ${model}" : ''
    if ("${vcf}" == "${prefix}.vcf.gz") error "Input and output names are the same, set prefix in module configuration to disambiguate!"
    """
    cnnfilter score \\
        --variant ${vcf} \\
        --reference ${fasta} \\
        ${reads_command} \\
        ${region_command} \\
        ${model_command} \\
        --threads ${task.cpus} \\
        --multiqc ${meta.id}.score_mqc.json \\
        --output ${prefix}.vcf.gz \\
        ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    if ("${vcf}" == "${prefix}.vcf.gz") error "Input and output names are the same, set prefix in module configuration to disambiguate!"
    """
    echo | gzip > ${prefix}.vcf.gz
    touch ${prefix}.vcf.gz.tbi
    touch ${meta.id}.score_mqc.json
    """
}
