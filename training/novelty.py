#!/usr/bin/env python3
"""Does `score --novelty` tell calls that are unlike the training calls? Calls of another kind beside ordinary, held-out ones.

    novelty.py PROGRAM DATA OUT [--model NAME|DIR]

DATA is the folder of real data that README.md names. Needs samtools, bcftools, minimap2 and freebayes. Writes OUT/novelty.tsv
and prints it: of each set of calls how many there are, the median of CNN_NOVEL, the shares above 0.95 and 0.999, and the
ROC-AUC against the ordinary set that it was made of (0.5: nothing is told, 1: all are).

All calls lie in the zones that no training set touches (`zones` in config.yaml). Ordinary are HaplotypeCaller's calls, plain and
permissive, on the reads of NA12878 at 52x (HiSeq, 2x101), 7x (the same) and 32x (NovaSeq, 2x150, near a centromere). The others:

annotations missing   the same calls without QUAL, INFO and FORMAT
flat qualities        all bases of the reads get quality 20, as of a platform that says no more
depth x 20            each read stands there 20 times
depth / 10            a tenth of the read pairs
contaminated          freebayes on a mix of NA12878 (70 %) and HG002 (30 %), beside freebayes on NA12878 alone
long noisy reads      made-up reads of 1 to 8 kb with 5 % errors over both haplotypes of the truth, minimap2
plain made-up reads   2x150 bases from the same haplotypes, with the qualities of real reads (a control: it is the making)
AT-rich genome        the same over a made-up genome of 20 % GC, with freebayes, beside the same with 41 % GC
"""

import argparse
import math
import pathlib
import random
import subprocess

SEED = 21
CHR22 = ("chr22", 16_700_000, 16_800_000)
CHR20 = ("chr20", 10_060_000, 10_100_000)


def sh(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, **options)


def out_of(*words):
    return sh(*words, stdout=subprocess.PIPE).stdout


def pipe(line):
    sh("bash", "-c", "set -euo pipefail; " + line, stderr=subprocess.DEVNULL)


def span(region):
    return f"{region[0]}:{region[1] + 1}-{region[2]}"


def sort_reads(sam_lines, bam):
    sh("samtools", "sort", "-o", bam, "-", input="\n".join(sam_lines) + "\n", stderr=subprocess.DEVNULL)
    sh("samtools", "index", bam)


def changed_reads(source, bam, change):
    """The reads with each line of an alignment changed into some others."""
    lines = []
    for line in out_of("samtools", "view", "-h", source).splitlines():
        lines += [line] if line.startswith("@") else ["\t".join(fields) for fields in change(line.split("\t"))]
    sort_reads(lines, bam)


def flat(fields):
    fields[10] = "5" * len(fields[10])  # quality 20
    return [fields]


def copies(fields):
    return [[f"{fields[0]}.{copy}", *fields[1:]] for copy in range(20)]


def haplotypes(reference, truth, region, out):
    """Both haplotypes of the truth over a region, as sequences."""
    found = []
    for number in (1, 2):
        text = out_of("bash", "-c", f"samtools faidx {reference} {span(region)} | bcftools consensus -H {number}pIu {truth} 2> /dev/null")
        found.append("".join(text.splitlines()[1:]).upper())
    return found


def real_qualities(bam, count=2000):
    """Quality strings as the instrument gave them."""
    found = []
    for line in out_of("samtools", "view", "-F", "0x900", "-s", "1.2", bam).splitlines():
        fields = line.split("\t")
        found.append(fields[10][::-1] if int(fields[1]) & 16 else fields[10])
    return [one for one in found if len(one) >= 140][:count]


def complement(bases):
    return bases[::-1].translate(str.maketrans("ACGTN", "TGCAN"))


def with_errors(bases, qualities, draw):
    """A read as it is read: each base is wrong as often as its quality says."""
    wrong = (draw.random() < 10 ** (-(ord(quality) - 33) / 10) for quality in qualities)
    return "".join(draw.choice("ACGT") if is_wrong else base for base, is_wrong in zip(bases, wrong))


def short_reads(sequences, qualities, depth, prefix, draw):
    """Pairs of 2x150 bases, evenly over the sequences."""
    with open(f"{prefix}_1.fq", "w") as first, open(f"{prefix}_2.fq", "w") as second:
        for which, sequence in enumerate(sequences):
            for number in range(int(depth * len(sequence) / 300 / len(sequences))):
                insert = max(160, int(draw.gauss(420, 80)))
                start = draw.randrange(max(1, len(sequence) - insert))
                fragment = sequence[start : start + insert]
                if len(fragment) < 160 or "N" in fragment:
                    continue
                if draw.random() < 0.5:
                    fragment = complement(fragment)
                for file, end in ((first, fragment), (second, complement(fragment))):
                    quality = draw.choice(qualities)[:150]
                    file.write(f"@r{which}.{number}\n{with_errors(end[: len(quality)], quality, draw)}\n+\n{quality}\n")


def long_reads(sequences, depth, path, draw):
    """Reads of 1 to 8 kb with 5 % errors: a third each of wrong, missing and additional bases."""
    with open(path, "w") as file:
        for which, sequence in enumerate(sequences):
            left, number = depth * len(sequence) / len(sequences), 0
            while left > 0:
                length = draw.randrange(1000, 8000)
                start = draw.randrange(max(1, len(sequence) - length))
                read = sequence[start : start + length]
                left, number = left - len(read), number + 1
                if "N" in read:
                    continue
                if draw.random() < 0.5:
                    read = complement(read)
                made = []
                for base in read:
                    fate = draw.random()
                    if fate < 0.0167:
                        made.append(draw.choice("ACGT"))
                    elif fate < 0.0333:
                        made += [base, draw.choice("ACGT")]
                    elif fate > 0.0500:
                        made.append(base)
                quality = "".join(chr(33 + min(30, max(3, int(draw.gauss(13, 5))))) for _ in made)
                file.write(f"@l{which}.{number}\n{''.join(made)}\n+\n{quality}\n")


def made_up_genome(length, gc, draw):
    """A sequence of so much GC, and two haplotypes with SNPs and short indels, one in 1,000 bases."""
    weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    sequence = "".join(draw.choices("ACGT", weights, k=length))
    first, second = list(sequence), list(sequence)
    for at in range(500, length - 500, 1000):
        at += draw.randrange(-200, 200)
        fate = draw.random()
        if fate < 0.85:
            change = draw.choice([base for base in "ACGT" if base != sequence[at]])
        elif fate < 0.93:
            change = sequence[at] + "".join(draw.choices("ACGT", weights, k=draw.randrange(1, 6)))
        else:
            change = ""
        for haplotype in [(first,), (second,), (first, second)][draw.randrange(3)]:
            haplotype[at] = change
    return sequence, ["".join(first), "".join(second)]


GROUP = "@RG\\tID:{0}\\tSM:{0}\\tPL:ILLUMINA"


def align(preset, reference, reads, bam, sample):
    pipe(f"minimap2 -ax {preset} -R '{GROUP.format(sample)}' {reference} {reads} | samtools sort -o {bam} - && samtools index {bam}")


def freebayes(reference, bam, region, calls):
    """freebayes may write a record past a region's end before the next region's first."""
    where = f"-r {region[0]}:{region[1]}-{region[2]}" if region else ""
    pipe(f"freebayes -f {reference} {where} {bam} | bcftools sort -Oz -o {calls} - && bcftools index -t {calls}")


def novelties(program, model, calls, bam, reference, region, more=()):
    words = [program, "score", "-q", "--novelty", "-V", calls, "-R", reference, *more]
    words += (["-I", bam] if bam else []) + (["-L", span(region)] if region else []) + (["--model", model] if model else [])
    found = []
    for line in out_of(*words).splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and fields[7]:
            found += [float(entry[10:]) for entry in fields[7].split(";") if entry.startswith("CNN_NOVEL=")]
    return found


def auc(values, others):
    """The chance that one of `values` is larger than one of `others`; ties count half."""
    ranked = sorted([(value, 1) for value in values] + [(value, 0) for value in others])
    wins = below = at = 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        ones = sum(which for _, which in ranked[at:end])
        zeros = end - at - ones
        wins += ones * (below + zeros / 2)
        below += zeros
        at = end
    return wins / (len(values) * len(others))


def cases(data, out):
    """Name, name of the ordinary set beside it, calls, reads, reference, region, and further arguments."""
    draw = random.Random(SEED)
    reads, calls, ref = data / "reads", data / "calls", data / "ref"
    names = {"52x": ("NA12878.hg19.chr20_10.0-10.1M", "52x", ref / "hg19.chr20.fa.gz", CHR20),
             "7x": ("NA12878.b37.chr20_10.0-10.27M", "7x", ref / "b37.chr20.fa.gz", ("20", 10_060_000, 10_270_000)),
             "32x": ("NA12878.hg38.chr22_16.6-16.8M", "32x", ref / "hg38.chr22.slice.fa.gz", CHR22)}
    for key, (name, depth, reference, region) in names.items():
        for caller in ("hc", "hc_permissive"):
            yield f"{key} {caller}", None, calls / f"{name}.gatk4.6{caller}.cnn.vcf.gz", reads / f"{name}.{depth}.bam", reference, region, ()
    changed = {"flat qualities": flat, "depth x 20": copies}
    for key in ("52x", "32x"):
        name, depth, reference, region = names[key]
        bam, own = reads / f"{name}.{depth}.bam", calls / f"{name}.gatk4.6hc.cnn.vcf.gz"
        bare = out / f"{key}.bare.vcf.gz"
        pipe(f"bcftools annotate -x QUAL,INFO,FORMAT {own} -Oz -o {bare} && bcftools index -t {bare}")
        yield f"{key} annotations missing", f"{key} hc", bare, bam, reference, region, ()
        for what, change in changed.items():
            target = out / f"{key}.{what.split()[0]}.bam"
            changed_reads(bam, target, change)
            yield f"{key} {what}", f"{key} hc", own, target, reference, region, ()
        target = out / f"{key}.tenth.bam"
        sh("samtools", "view", "-b", "-s", f"{SEED}.1", "-o", target, bam)
        sh("samtools", "index", target)
        yield f"{key} depth / 10", f"{key} hc", own, target, reference, region, ()
    # A second sample on the same sequence, whose contig has another name.
    name, depth, _, region = names["52x"]
    plain = out / "hg19.fa"
    pipe(f"gzip -dc {ref / 'hg19.chr20.fa.gz'} > {plain} && samtools faidx {plain}")
    mixed = out / "mixed.bam"
    other = reads / "HG002.b37.chr20_10.0-10.1M.30x.bam"
    pipe(f"(samtools view -h -s {SEED}.7 {reads / f'{name}.{depth}.bam'}; samtools view -s {SEED}.52 {other} | "
         f"awk 'BEGIN {{FS = OFS = \"\\t\"}} {{$3 = \"chr20\"; if ($7 != \"=\" && $7 != \"*\") $7 = \"chr20\"; NF = 11; print}}') | "
         f"samtools addreplacerg -r ID:mix -r SM:NA12878 -m overwrite_all -u - | samtools sort -o {mixed} - && samtools index {mixed}")
    freebayes(plain, reads / f"{name}.{depth}.bam", region, out / "alone.vcf.gz")
    freebayes(plain, mixed, region, out / "mixed.vcf.gz")
    yield "52x freebayes", None, out / "alone.vcf.gz", reads / f"{name}.{depth}.bam", plain, region, ()
    yield "52x contaminated", "52x freebayes", out / "mixed.vcf.gz", mixed, plain, region, ()
    # Made-up reads over the haplotypes of the truth.
    name, depth, _, region = names["32x"]
    own, bam = calls / f"{name}.gatk4.6hc.cnn.vcf.gz", reads / f"{name}.{depth}.bam"
    slice22 = out / "chr22.fa"
    pipe(f"gzip -dc {ref / 'hg38.chr22.slice.fa.gz'} > {slice22} && samtools faidx {slice22}")
    wide = (region[0], region[1] - 5000, region[2])
    both = haplotypes(slice22, data / "truth/NA12878.hg38.chr22_16.5-16.9M.platinum2016.vcf.gz", wide, out)
    qualities = real_qualities(bam)
    short_reads(both, qualities, 32, out / "plain", draw)
    align("sr", slice22, f"{out / 'plain_1.fq'} {out / 'plain_2.fq'}", out / "plain.bam", "NA12878")
    yield "32x plain made-up reads", "32x hc", own, out / "plain.bam", slice22, region, ("--sample-depth", 32)
    long_reads(both, 32, out / "long.fq", draw)
    align("map-ont", slice22, out / "long.fq", out / "long.bam", "NA12878")
    yield "32x long noisy reads", "32x hc", own, out / "long.bam", slice22, region, ("--sample-depth", 32)
    for key, gc, beside in (("41 % GC", 0.41, None), ("20 % GC", 0.2, "genome of 41 % GC")):
        stem = out / f"gc{round(100 * gc)}"
        sequence, both = made_up_genome(300_000, gc, draw)
        fasta = pathlib.Path(f"{stem}.fa")
        fasta.write_text(">made\n" + "\n".join(sequence[at : at + 60] for at in range(0, len(sequence), 60)) + "\n")
        sh("samtools", "faidx", fasta)
        short_reads(both, qualities, 32, stem, draw)
        align("sr", fasta, f"{stem}_1.fq {stem}_2.fq", f"{stem}.bam", "made")
        freebayes(fasta, f"{stem}.bam", None, f"{stem}.vcf.gz")
        yield f"genome of {key}", beside, f"{stem}.vcf.gz", f"{stem}.bam", fasta, None, ()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--model")
    options = parser.parse_args()
    program, data, out = (path.resolve() for path in (options.program, options.data, options.out))
    out.mkdir(parents=True, exist_ok=True)
    lines, known = ["calls\tbeside\tcount\tmedian\tabove_0.95\tabove_0.999\tauc"], {}
    for name, beside, calls, bam, reference, region, more in cases(data, out):
        values = known[name] = sorted(novelties(program, options.model, calls, bam, reference, region, more))
        above = [sum(value > limit for value in values) / len(values) for limit in (0.95, 0.999)]
        told = auc(values, known[beside]) if beside else math.nan
        lines.append(f"{name}\t{beside or ''}\t{len(values)}\t{values[len(values) // 2]:.4f}\t{above[0]:.3f}\t{above[1]:.3f}\t{told:.3f}")
        print(lines[-1], flush=True)
    (out / "novelty.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
