#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
id: cnnfilter-score
label: Score variant calls with a convolutional network
doc: |
  Scores calls from the calls, the reads and the reference, and fills FILTER where `filter` is set. With regions, such as
  a shard of `cnnfilter shards`, only their calls are scored and written.
baseCommand: [cnnfilter, score]
requirements:
  InlineJavascriptRequirement: {}
hints:
  DockerRequirement:
    dockerPull: biocontainers/cnnfilter:0.1.0--0
  SoftwareRequirement:
    packages:
      cnnfilter:
        version: ["0.1.0"]
  ResourceRequirement:
    coresMin: 2
    ramMin: 2000
inputs:
  variants:
    type: File
    doc: Sorted calls; VCF.gz or BCF with its index where regions are given
    secondaryFiles:
      - pattern: .tbi
        required: false
      - pattern: .csi
        required: false
    inputBinding:
      prefix: --variant
  reference:
    type: File
    doc: The reference, FASTA with its index
    secondaryFiles:
      - .fai
      - pattern: .gzi
        required: false
    inputBinding:
      prefix: --reference
  reads:
    type:
      - "null"
      - type: array
        items: File
        inputBinding:
          prefix: --input
    doc: Reads of the sample, BAM or CRAM; without them the network without reads scores
    secondaryFiles:
      - pattern: .bai
        required: false
      - pattern: .crai
        required: false
      - pattern: .csi
        required: false
  regions:
    type: File?
    doc: Regions whose calls are scored
    inputBinding:
      prefix: --regions
  model:
    type: Directory?
    doc: Folder of a model; a model inside the program without
    inputBinding:
      prefix: --model
  filter:
    type: boolean?
    doc: Fill FILTER by the thresholds of the model
    inputBinding:
      prefix: --filter
  aim:
    type: string?
    doc: The aim of the thresholds; f1, precision=P or sensitivity=S
    inputBinding:
      prefix: --aim
  name:
    type: string
    default: scored
    doc: Name of the sample, and of the outputs in front of their suffixes
arguments:
  - prefix: --threads
    valueFrom: $(runtime.cores)
  - prefix: --multiqc
    valueFrom: $(inputs.name).score_mqc.json
  - prefix: --output
    valueFrom: $(inputs.name).vcf.gz
outputs:
  scored:
    type: File
    secondaryFiles: [.tbi]
    outputBinding:
      glob: $(inputs.name).vcf.gz
  multiqc:
    type: File
    outputBinding:
      glob: $(inputs.name).score_mqc.json
