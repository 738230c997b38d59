process CNNFILTER_FILTER {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "biocontainers/cnnfilter:0.1.0--0"

    input:
    tuple val(meta), path(vcf), path(tbi)
    path resources
    path resources_tbi

    output:
    tuple val(meta), path("*.vcf.gz"),     emit: vcf
    tuple val(meta), path("*.vcf.gz.tbi"), emit: tbi
    tuple val(meta), path("*_mqc.json"),   emit: multiqc
    tuple val("${task.process}"), val('cnnfilter'), eval("cnnfilter -V | cut -d ' ' -f 2"), topic: versions, emit: versions_cnnfilter

    when:
    task.ext.when == null || task.ext.when

    script:
    def args             = task.ext.args ?: ''
    def prefix           = task.ext.prefix ?: "${meta.id}"
    def resource_command = resources ? [resources].flatten().collect { file -> "--resource ${file}" }.join(' ') : ''
    if ("${vcf}" == "${prefix}.vcf.gz") error "Input and output names are the same, set prefix in module configuration to disambiguate!"
    """
    cnnfilter filter \\
        --variant ${vcf} \\
        ${resource_command} \\
        --threads ${task.cpus} \\
        --multiqc ${meta.id}.filter_mqc.json \\
        --output ${prefix}.vcf.gz \\
        ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    if ("${vcf}" == "${prefix}.vcf.gz") error "Input and output names are the same, set prefix in module configuration to disambiguate!"
    """
    echo | gzip > ${prefix}.vcf.gz
    touch ${prefix}.vcf.gz.tbi
    touch ${meta.id}.filter_mqc.json
    """
}
