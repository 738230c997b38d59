#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
label: Join the shards of a sample as they are
doc: Blocks are copied, nothing is decoded.
baseCommand: [bcftools, concat, --naive]
hints:
  DockerRequirement:
    dockerPull: biocontainers/bcftools:1.21--h8b25389_0
  SoftwareRequirement:
    packages:
      bcftools:
        version: ["1.21"]
inputs:
  vcfs:
    type: File[]
    inputBinding:
      position: 1
  name:
    type: string
    default: scored
arguments:
  - prefix: --output
    valueFrom: $(inputs.name).vcf.gz
outputs:
  vcf:
    type: File
    outputBinding:
      glob: $(inputs.name).vcf.gz
