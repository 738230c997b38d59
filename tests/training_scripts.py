#!/usr/bin/env python3
"""Tests of the scripts that make training data: what they write is checked against the sequence it must come from.

    python3 -m unittest tests/training_scripts.py
"""

import importlib
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "training" / "scripts"
sys.path.insert(0, str(SCRIPTS))
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def sequence(length, seed):
    """Random bases with a repeat every hundred or so."""
    draw, parts = random.Random(seed), []
    while sum(map(len, parts)) < length:
        parts.append("".join(draw.choice("ACGT") for _ in range(90)))
        parts.append(draw.choice(["A", "T", "CA", "AAAT"]) * draw.randint(4, 12))
    return "".join(parts)[:length]


def pairs(bases, count, seed):
    """SAM lines of error-free pairs, reverse mates, 100 bases, from all over the sequence."""
    draw, out = random.Random(seed), []
    for number in range(count):
        insert = draw.randint(250, 450)
        first = draw.randrange(len(bases) - insert)
        mate = first + insert - 100
        for flag, at, other in ((99, first, mate), (147, mate, first)):
            out.append(f"pair{number}\t{flag}\tc\t{at + 1}\t60\t100M\t=\t{other + 1}\t0\t{bases[at:at + 100]}\t{'I' * 100}")
    return out


def run(script, *arguments, **options):
    done = subprocess.run([sys.executable, SCRIPTS / script, *map(str, arguments)], capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{script}: {done.stderr}")
    return done.stdout


def fastq(path):
    lines = path.read_text().splitlines()
    return {lines[at][1:]: (lines[at + 1], lines[at + 3]) for at in range(0, len(lines), 4)}


def variants(path):
    """[(0-based place, REF, ALT)] of a VCF."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    return [(int(row[1]) - 1, row[3], row[4]) for row in rows]


class Scripts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.bases = sequence(30_000, 1)
        self.reference = self.folder / "ref.fa"
        self.reference.write_text(f">c\n{self.bases}\n")

    def implant(self, name, lines, *options):
        sam = self.folder / f"{name}.sam"
        sam.write_text("".join(line + "\n" for line in lines))
        out = self.folder / name
        run("implant_alleles.py", "--reference", self.reference, "--region", "c:1001-29000", "--seed", 5, "--spacing", 400, "--out", out,
            "--reads", sam, *options)
        return out

    def test_all_can_be_loaded(self):
        for path in sorted(SCRIPTS.glob("*.py")):
            with self.subTest(path.name):
                importlib.import_module(path.stem)

    def test_implanted_reads_are_pieces_of_the_altered_sequence(self):
        reads = pairs(self.bases, 3000, 2)
        out = self.implant("het", reads)
        truth = variants(out / "truth.vcf")
        self.assertGreater(len(truth), 40)
        changed = mosaic = 0
        for mate in (1, 2):
            for name, (read, qualities) in fastq(out / f"r{mate}.fq").items():
                self.assertEqual((len(read), len(qualities)), (100, 100))
                forward = read if mate == 1 else read.translate(COMPLEMENT)[::-1]
                at = int(reads[2 * int(name[4:]) + mate - 1].split("\t")[3]) - 1
                if forward == self.bases[at:at + 100]:
                    continue
                near = [(place, ref, alt) for place, ref, alt in truth if place < at + 130 and place + len(ref) > at - 30]
                if not near:
                    mosaic += 1
                    continue
                altered = self.bases[:at + 200]
                for place, ref, alt in reversed(near):
                    self.assertEqual(altered[place:place + len(ref)], ref)
                    altered = altered[:place] + alt + altered[place + len(ref):]
                # Of two alleles nearby the fragment may have one only.
                self.assertTrue(forward in altered or len(near) > 1, f"{name} at {at + 1}: {forward}")
                changed += 1
        self.assertGreater(changed, 200)
        self.assertLess(mosaic * 5, changed)

    def test_divergent_haplotypes_are_close_together_and_true(self):
        few, more = self.implant("few", []), self.implant("more", [], "--divergent-per-100kb", 20)
        close = lambda out: sum(b[0] - a[0] < 60 for truth in [variants(out / "truth.vcf")] for a, b in zip(truth, truth[1:]))
        self.assertEqual(close(few), 0)
        self.assertGreater(close(more), 8)

    def test_each_haplotype_has_half_of_the_fragments(self):
        out = self.implant("share", pairs(self.bases, 6000, 3))
        reads = {mate: fastq(out / f"r{mate}.fq") for mate in (1, 2)}
        lines = pairs(self.bases, 6000, 3)
        shown = missing = 0
        for place, ref, alt in variants(out / "truth.vcf"):
            if len(ref) != 1 or len(alt) != 1:
                continue
            for line in lines:
                name, flag, _, pos = line.split("\t")[:4]
                at = int(pos) - 1
                if at + 20 <= place < at + 80:
                    read = reads[1 if flag == "99" else 2][name][0]
                    forward = read if flag == "99" else read.translate(COMPLEMENT)[::-1]
                    around = forward[place - at - 5:place - at + 6]
                    shown += around == self.bases[place - 5:place] + alt + self.bases[place + 1:place + 6]
                    missing += around == self.bases[place - 5:place + 6]
        self.assertGreater(shown + missing, 300)
        self.assertAlmostEqual(shown / (shown + missing), 0.5, delta=0.08)

    def test_order_of_the_pairs_changes_nothing(self):
        lines = pairs(self.bases, 1000, 4)
        turned = [line for number in reversed(range(1000)) for line in lines[2 * number:2 * number + 2]]
        options = ["--base-keep", 0.5, "--copies-per-100kb", 10]
        first, second = self.implant("first", lines, *options), self.implant("second", turned, *options)
        self.assertEqual((first / "truth.vcf").read_text(), (second / "truth.vcf").read_text())
        for mate in (1, 2):
            self.assertEqual(fastq(first / f"r{mate}.fq"), fastq(second / f"r{mate}.fq"))
        self.assertLess(len(fastq(first / "r1.fq")), 800)

    def test_copies_want_fragments_of_their_own(self):
        with self.assertRaisesRegex(AssertionError, "--base-keep 0.8"):
            self.implant("wrong", pairs(self.bases, 10, 4), "--base-keep", 0.8, "--copies-per-100kb", 10)

    def test_edits_are_undone_by_their_truth(self):
        out = self.folder / "edited"
        run("edit_reference.py", "--reference", self.reference, "--region", "c:1001-29000", "--seed", 6, "--spacing", 400, "--out", out)
        edited = "".join((out / "reference.fa").read_text().splitlines()[1:])
        self.assertNotEqual(edited, self.bases)
        for place, ref, alt in reversed(variants(out / "truth.vcf")):
            self.assertEqual(edited[place:place + len(ref)], ref)
            edited = edited[:place] + alt + edited[place + len(ref):]
        self.assertEqual(edited, self.bases)

    def test_doubtful_calls_are_left_out_and_others_stay(self):
        homopolymer = self.bases.index("AAAAAAAAA")
        start = homopolymer - 1
        anchor = self.bases[start]
        table = lambda rows: "".join("\t".join(map(str, row)) + "\n" for row in rows)
        base = lambda at: self.bases[at]
        other = lambda at: "A" if base(at) != "A" else "C"
        calls = [
            ("c", 5001, base(5000), other(5000), "0,20"),  # every read
            ("c", 6001, base(6000), other(6000), "10,12"),  # half of them: a copy may do that
            ("c", 7001, base(7000), other(7000), "0,20"),  # in the truth
            ("c", 8001, base(8000), other(8000), "20,2"),  # found by others
            ("c", start + 1, anchor, anchor + "A", "20,10"),  # a length of a repeat
        ]
        for name, rows in (("truth", [calls[2][:4]]), ("carried", [calls[3][:4]]), ("calls", calls)):
            (self.folder / name).write_text(table(rows))
        out = self.folder / "doubtful.bed"
        run("doubtful_sites.py", "--reference", self.reference, "--contig", "c", "--truth", self.folder / "truth", "--carried",
            self.folder / "carried", "--calls", self.folder / "calls", "--out", out)
        spans = [tuple(map(int, line.split("\t")[1:])) for line in out.read_text().splitlines()]
        inside = lambda at: any(low <= at < high for low, high in spans)
        self.assertEqual([inside(at) for at in (5000, 6000, 7000, 8000, homopolymer)], [True, False, False, True, True])

    def test_slippage_is_counted_at_runs_that_are_spanned(self):
        run_start = self.bases.index("A" * 8, 2000)
        length = len(self.bases[run_start:]) - len(self.bases[run_start:].lstrip("A"))
        at = run_start - 30
        before = run_start - at
        whole = f"x\t0\tc\t{at + 1}\t60\t100M\t*\t0\t0\t*\t*"
        lost = f"y\t0\tc\t{at + 1}\t60\t{before}M1D{99 - before}M\t*\t0\t0\t*\t*"
        short = f"z\t0\tc\t{run_start + 2}\t60\t90M\t*\t0\t0\t*\t*"
        told = run("slippage.py", "--reference", self.reference, "--region", f"c:{run_start - 9}-{run_start + 20}",
                   input="\n".join([whole, whole, lost, short]) + "\n")
        rows = [line.split("\t") for line in told.splitlines()[1:]]
        self.assertEqual([row[:3] for row in rows if int(row[0]) == length], [[str(length), "3", "1"]])


if __name__ == "__main__":
    unittest.main()
