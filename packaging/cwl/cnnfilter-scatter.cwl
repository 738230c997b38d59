#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: Workflow
label: Score the calls of a sample, scattered over regions of equal work
requirements:
  ScatterFeatureRequirement: {}
inputs:
  variants:
    type: File
    secondaryFiles:
      - pattern: .tbi
        required: false
      - pattern: .csi
        required: false
  reference:
    type: File
    secondaryFiles:
      - .fai
      - pattern: .gzi
        required: false
  reads:
    type: File[]?
    secondaryFiles:
      - pattern: .bai
        required: false
      - pattern: .crai
        required: false
      - pattern: .csi
        required: false
  shards: int
  filter: boolean?
steps:
  cut:
    run: cnnfilter-shards.cwl
    in:
      variants: variants
      reference: reference
      count: shards
    out: [beds]
  score:
    run: cnnfilter-score.cwl
    scatter: regions
    in:
      variants: variants
      reference: reference
      reads: reads
      regions: cut/beds
      filter: filter
    out: [scored]
  gather:
    run: gather.cwl
    in:
      vcfs: score/scored
    out: [vcf]
outputs:
  scored:
    type: File
    outputSource: gather/vcf
