#!/usr/bin/env python3
"""Runs ART once for each FASTA file of a simulated sample, and joins the pairs.

usage: art.py --mixture TSV --depth X --length L --mean INSERT --sd SD --seed N --out1 R1.fq --out2 R2.fq -- PROFILE OPTIONS

The mixture (columns: file, share) lies beside its FASTA files; each is sequenced at depth x share. Pairs are named by the file and
by their number, so that two haplotypes of one name do not collide.
"""

import argparse
import os
import subprocess
import tempfile


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mixture", required=True)
    parser.add_argument("--depth", type=float, required=True)
    parser.add_argument("--length", type=int, required=True)
    parser.add_argument("--mean", type=int, required=True)
    parser.add_argument("--sd", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out1", required=True)
    parser.add_argument("--out2", required=True)
    parser.add_argument("profile", nargs="+")
    args = parser.parse_args()

    folder = os.path.dirname(os.path.abspath(args.mixture))
    with open(args.mixture) as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#")]
    rows = [row[:2] for row in rows if row[0] != "file"]
    outputs = [open(args.out1, "w"), open(args.out2, "w")]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(args.out1))) as scratch:
        prefix = os.path.join(scratch, "art")
        for number, (name, share) in enumerate(rows):
            fasta = os.path.join(folder, name)
            fold = args.depth * float(share)
            if fold <= 0 or os.path.getsize(fasta) == 0:
                continue
            for mate in "12":
                open(f"{prefix}{mate}.fq", "w").close()
            # -nf 0: sequence with single N is kept; -na: no alignment file.
            command = ["art_illumina", *args.profile, "-p", "-l", str(args.length), "-m", str(args.mean), "-s", str(args.sd),
                       "-f", f"{fold:.6g}", "-na", "-q", "-nf", "0", "-rs", str(args.seed * 1000 + number), "-i", fasta, "-o", prefix]
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if run.returncode != 0:
                raise SystemExit(f"{' '.join(command)}\n{run.stdout}")
            count = 0
            for mate, out in zip("12", outputs):
                with open(f"{prefix}{mate}.fq") as lines:
                    for count, _ in enumerate(lines, 1):
                        out.write(f"@{number}.{count}/{mate}\n" + next(lines) + next(lines) + next(lines))
            print(f"{name}\tfold {fold:.6g}\t{count} pairs")
    for out in outputs:
        out.close()


if __name__ == "__main__":
    main()
