"""The demo's files, and the program to compare with: $CNNFILTER, else the one that was built here."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "tests/data/demo"
CALLS, READS, REFERENCE = DEMO / "calls.vcf", DEMO / "reads.bam", DEMO / "ref.fa"
TRUTH, CONFIDENT = DEMO / "truth.vcf.gz", DEMO / "confident.bed"


@pytest.fixture(scope="session")
def program():
    """Runs the program with some words."""
    path = os.environ.get("CNNFILTER", ROOT / "target/release/cnnfilter")

    def run(*words):
        return subprocess.run([path, *map(str, words)], check=True, capture_output=True, text=True)

    return run


@pytest.fixture(scope="session")
def example_file(program, tmp_path_factory):
    """A file of examples of the demo."""
    path = tmp_path_factory.mktemp("examples") / "demo.examples"
    program("tensors", "-V", CALLS, "-I", READS, "-R", REFERENCE, "--truth", TRUTH, "--confident", CONFIDENT, "-o", path)
    return path


def records(path):
    """The columns of each record of a VCF, INFO as a dictionary."""
    found = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            columns = line.split("\t")
            columns[7] = dict(entry.partition("=")[::2] for entry in columns[7].split(";"))
            found.append(columns)
    return found
