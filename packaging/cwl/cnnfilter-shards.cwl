#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
id: cnnfilter-shards
label: Cut a reference into regions of equal work
doc: Writes one BED a shard, from the indexes alone. Each position of the reference lies in one of them.
baseCommand: [cnnfilter, shards]
hints:
  DockerRequirement:
    dockerPull: biocontainers/cnnfilter:0.1.0--0
  SoftwareRequirement:
    packages:
      cnnfilter:
        version: ["0.1.0"]
  ResourceRequirement:
    coresMin: 1
    ramMin: 1000
inputs:
  variants:
    type: File
    secondaryFiles:
      - pattern: .tbi
        required: false
      - pattern: .csi
        required: false
    inputBinding:
      prefix: --variant
  reference:
    type: File
    secondaryFiles: [.fai]
    inputBinding:
      prefix: --reference
  count:
    type: int
    inputBinding:
      prefix: --shards
arguments:
  - prefix: --output
    valueFrom: shards
outputs:
  beds:
    type: File[]
    outputBinding:
      glob: shards/*.bed
