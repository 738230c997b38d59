#!/usr/bin/env python3
"""Takes the genotypes of one sample out of a table of many samples' genotypes, as a VCF that other programs read.

usage: silver_truth.py --table VCF[.gz] --sample NAME --truth VCF --failed BED

The truth gets the alleles that the sample has at sites that pass; the BED the sites that fail, where nobody knows. bcftools refuses
such tables: values that their header does not allow.
"""

import argparse

from intervals import merged, opened, write_bed

HEADER = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
COLUMNS = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("table", "sample", "truth", "failed"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    failed, truth, column = {}, [], None
    with opened(args.table) as table:
        for line in table:
            fields = line.rstrip("\n").split("\t")
            if line.startswith("#CHROM"):
                column = fields.index(args.sample)
            elif not line.startswith("#"):
                contig, position, _, ref, alt, _, passed = fields[:7]
                genotype = fields[column].split(":")[fields[8].split(":").index("GT")]
                if passed != "PASS":
                    failed.setdefault(contig, []).append((int(position) - 1, int(position) - 1 + len(ref)))
                elif any(allele.isdigit() and allele != "0" for allele in genotype.replace("|", "/").split("/")):
                    truth.append([contig, position, ".", ref, alt, ".", "PASS", ".", "GT", genotype])
    with open(args.truth, "w") as out:
        out.write(HEADER)
        out.writelines(f"##contig=<ID={contig}>\n" for contig in dict.fromkeys(record[0] for record in truth))
        out.writelines("\t".join(record) + "\n" for record in [[*COLUMNS, args.sample], *truth])
    write_bed(args.failed, {contig: merged(spans) for contig, spans in failed.items()})


if __name__ == "__main__":
    main()
