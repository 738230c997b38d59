process CNNFILTER_EVAL {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "biocontainers/cnnfilter:0.1.0--0"

    input:
    tuple val(meta), path(vcf), path(truth), path(truth_tbi), path(confident)
    tuple val(meta2), path(fasta), path(fai)

    output:
    tuple val(meta), path("${prefix}/eval.html"), emit: html
    tuple val(meta), path("${prefix}/eval.tsv"),  emit: tsv
    tuple val(meta), path("${prefix}/eval.json"), emit: json
    tuple val(meta), path("${prefix}/eval.txt"),  emit: txt
    tuple val(meta), path("*_mqc.json"),          emit: multiqc
    tuple val("${task.process}"), val('cnnfilter'), eval("cnnfilter -V | cut -d ' ' -f 2"), topic: versions, emit: versions_cnnfilter

    when:
    task.ext.when == null || task.ext.when

    script:
    def args              = task.ext.args ?: ''
    prefix                = task.ext.prefix ?: "${meta.id}"
    def confident_command = confident ? "--confident ${confident}" : ''
    """
    cnnfilter eval \\
        --variant ${vcf} \\
        --truth ${truth} \\
        ${confident_command} \\
        --reference ${fasta} \\
        --threads ${task.cpus} \\
        --multiqc ${meta.id}.eval_mqc.json \\
        --output ${prefix} \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir -p ${prefix}
    touch ${prefix}/eval.html ${prefix}/eval.tsv ${prefix}/eval.json ${prefix}/eval.txt
    touch ${meta.id}.eval_mqc.json
    """
}
