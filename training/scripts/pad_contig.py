#!/usr/bin/env python3
"""Takes one contig of a FASTA file and fills it up with N to a length.

usage: pad_contig.py IN.fa CONTIG LENGTH OUT.fa
"""

import sys

from intervals import read_contig, write_contig


def main():
    source, contig, length, target = sys.argv[1:]
    write_contig(target, contig, read_contig(source, contig).ljust(int(length), "N"))


if __name__ == "__main__":
    main()
