version 1.0

# The tasks stand where a pipeline has CNNScoreVariants and FilterVariantTranches: their inputs and outputs have the names
# of WARP's task, so that a call changes its name and no more. The workflow scatters one sample over regions of equal work.

workflow CnnfilterSample {
  input {
    File input_vcf
    File input_vcf_index
    File? bam
    File? bam_index
    File ref_fasta
    File ref_fasta_index
    String vcf_basename
    Int shards = 30
    String aim = "f1"
  }

  call CutShards {
    input:
      input_vcf = input_vcf,
      input_vcf_index = input_vcf_index,
      ref_fasta = ref_fasta,
      ref_fasta_index = ref_fasta_index,
      shards = shards
  }

  scatter (shard in CutShards.beds) {
    call CNNScoreVariants {
      input:
        input_vcf = input_vcf,
        input_vcf_index = input_vcf_index,
        bam = bam,
        bam_index = bam_index,
        ref_fasta = ref_fasta,
        ref_fasta_index = ref_fasta_index,
        intervals = shard,
        vcf_basename = vcf_basename
    }
  }

  call GatherVcfs {
    input:
      vcfs = CNNScoreVariants.scored_vcf,
      vcf_basename = vcf_basename
  }

  call FilterCalls {
    input:
      input_vcf = GatherVcfs.vcf,
      vcf_basename = vcf_basename,
      aim = aim
  }

  output {
    File filtered_vcf = FilterCalls.filtered_vcf
    File filtered_vcf_index = FilterCalls.filtered_vcf_index
    File multiqc = FilterCalls.multiqc
  }

  meta {
    description: "Scores and filters the calls of one sample, scattered over regions of equal work"
  }
}

task CutShards {
  input {
    File input_vcf
    File input_vcf_index
    File ref_fasta
    File ref_fasta_index
    Int shards
    String cnnfilter_docker = "biocontainers/cnnfilter:0.1.0--0"
  }

  # An index is looked for beside its file, and an engine may lay the two apart.
  command <<<
    set -e
    ln -s "~{input_vcf}" calls.vcf.gz
    ln -s "~{input_vcf_index}" "calls.vcf.gz.~{sub(input_vcf_index, ".*\\.", "")}"
    ln -s "~{ref_fasta}" "~{basename(ref_fasta)}"
    ln -s "~{ref_fasta_index}" "~{basename(ref_fasta)}.fai"
    cnnfilter shards --reference "~{basename(ref_fasta)}" --variant calls.vcf.gz --shards ~{shards} --output shards
  >>>

  output {
    Array[File] beds = glob("shards/*.bed")
  }

  runtime {
    docker: cnnfilter_docker
    cpu: 1
    memory: "1 GB"
    disks: "local-disk " + (ceil(size(input_vcf, "GB") + size(ref_fasta, "GB")) + 10) + " HDD"
    preemptible: 3
  }
}

task CNNScoreVariants {
  input {
    File input_vcf
    File input_vcf_index
    File? bam
    File? bam_index
    File ref_fasta
    File ref_fasta_index
    File? intervals
    String vcf_basename
    Int cpu = 4
    Int preemptible_tries = 3
    String cnnfilter_docker = "biocontainers/cnnfilter:0.1.0--0"
  }

  Int disk_size = ceil(size(input_vcf, "GB") * 2 + size(ref_fasta, "GB") + size(bam, "GB")) + 20
  String reads = if defined(bam) then basename(select_first([bam])) else ""

  command <<<
    set -e
    ln -s "~{input_vcf}" calls.vcf.gz
    ln -s "~{input_vcf_index}" "calls.vcf.gz.~{sub(input_vcf_index, ".*\\.", "")}"
    ln -s "~{ref_fasta}" "~{basename(ref_fasta)}"
    ln -s "~{ref_fasta_index}" "~{basename(ref_fasta)}.fai"
    if [ -n "~{reads}" ]; then
      ln -s "~{bam}" "~{reads}"
      index="~{bam_index}"
      ln -s "$index" "~{reads}.${index##*.}"
    fi
    cnnfilter score \
      --variant calls.vcf.gz \
      --reference "~{basename(ref_fasta)}" \
      ~{if defined(bam) then "--input '" + reads + "'" else ""} \
      ~{"--regions '" + intervals + "'"} \
      --threads ~{cpu} \
      --output "~{vcf_basename}.scored.vcf.gz"
  >>>

  output {
    File scored_vcf = "~{vcf_basename}.scored.vcf.gz"
    File scored_vcf_index = "~{vcf_basename}.scored.vcf.gz.tbi"
  }

  runtime {
    docker: cnnfilter_docker
    cpu: cpu
    memory: "4 GB"
    disks: "local-disk " + disk_size + " HDD"
    preemptible: preemptible_tries
  }
}

task GatherVcfs {
  input {
    Array[File] vcfs
    String vcf_basename
    String bcftools_docker = "biocontainers/bcftools:1.21--h8b25389_0"
  }

  # Blocks are copied, nothing is decoded.
  command <<<
    set -e
    bcftools concat --naive -o "~{vcf_basename}.vcf.gz" ~{sep=" " vcfs}
    bcftools index --tbi "~{vcf_basename}.vcf.gz"
  >>>

  output {
    File vcf = "~{vcf_basename}.vcf.gz"
    File vcf_index = "~{vcf_basename}.vcf.gz.tbi"
  }

  runtime {
    docker: bcftools_docker
    cpu: 1
    memory: "1 GB"
    disks: "local-disk " + (ceil(size(vcfs, "GB") * 2) + 10) + " HDD"
    preemptible: 3
  }
}

task FilterCalls {
  input {
    File input_vcf
    String vcf_basename
    String aim = "f1"
    String cnnfilter_docker = "biocontainers/cnnfilter:0.1.0--0"
  }

  command <<<
    set -e
    cnnfilter filter \
      --variant "~{input_vcf}" \
      --aim "~{aim}" \
      --multiqc "~{vcf_basename}.filter_mqc.json" \
      --output "~{vcf_basename}.filtered.vcf.gz"
  >>>

  output {
    File filtered_vcf = "~{vcf_basename}.filtered.vcf.gz"
    File filtered_vcf_index = "~{vcf_basename}.filtered.vcf.gz.tbi"
    File multiqc = "~{vcf_basename}.filter_mqc.json"
  }

  runtime {
    docker: cnnfilter_docker
    cpu: 1
    memory: "1 GB"
    disks: "local-disk " + (ceil(size(input_vcf, "GB") * 2) + 10) + " HDD"
    preemptible: 3
  }
}
