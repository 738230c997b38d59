"""Labels and figures."""

import pytest

import cnnfilter
from conftest import CALLS, CONFIDENT, READS, REFERENCE, TRUTH, records

pandas = pytest.importorskip("pandas")


def test_every_alt_has_a_line():
    frame = cnnfilter.label(CALLS, REFERENCE, truth=TRUTH, confident=CONFIDENT)
    rows = [(row[0], int(row[1]), row[3], alt) for row in records(CALLS) for alt in row[4].split(",")]
    assert list(zip(frame.contig, frame.pos, frame["ref"], frame.alt)) == rows
    assert set(frame.label) <= {"TP", "AM", "FP", "UNK"}
    assert (frame.label == "TP").sum() > 100 and (frame.label == "FP").sum() > 10
    assert frame.reason.notna().equals(frame.label == "UNK")
    everywhere = cnnfilter.label(CALLS, REFERENCE, truth=TRUTH, regions="demo1:1-2000")
    assert 0 < len(everywhere) < len(frame) and everywhere.pos.max() <= 2000


def test_figures_are_those_of_the_program(program, tmp_path):
    scored = tmp_path / "scored.vcf"
    program("score", "-V", CALLS, "-I", READS, "-R", REFERENCE, "-o", scored)
    words = ["-V", scored, "--truth", TRUTH, "--confident", CONFIDENT, "-R", REFERENCE, "--resamples", 50]
    program("eval", *words, "-o", tmp_path / "report")
    frame = cnnfilter.evaluate(scored, truth=TRUTH, confident=CONFIDENT, reference=REFERENCE, resamples=50)
    expected = pandas.read_csv(tmp_path / "report/eval.tsv", sep="\t", na_values=["NA"], keep_default_na=False)
    pandas.testing.assert_frame_equal(frame, expected)
    areas = frame[(frame.figure == "pr_auc") & (frame.stratum == "all")].set_index(["score", "kind"]).value
    assert areas["CNN_2D", "SNP"] > 0.9
    chosen = cnnfilter.evaluate(
        scored, truth=TRUTH, confident=CONFIDENT, reference=REFERENCE, resamples=0,
        score=["CNN_2D"], match="genotype", stratify={"confident": CONFIDENT},
    )
    assert "confident" in set(chosen.stratum) and "genotype" in set(chosen["match"])


def test_what_is_wrong_is_said():
    with pytest.raises(cnnfilter.OptionError, match="--reference"):
        cnnfilter.evaluate(CALLS, truth=TRUTH)
    with pytest.raises(cnnfilter.OptionError, match="--truth"):
        cnnfilter.label(CALLS, REFERENCE)
    with pytest.raises(cnnfilter.FileError, match="no.vcf: cannot open"):
        cnnfilter.label(CALLS, REFERENCE, truth="no.vcf")
    with pytest.raises(cnnfilter.Error, match="nothing"):
        cnnfilter.evaluate(CALLS, score=["nothing"])
