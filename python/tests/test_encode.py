"""Calls become tensors, and models score these."""

import numpy as np
import pytest

import cnnfilter
from conftest import CALLS, DEMO, READS, REFERENCE, records


def batches(**options):
    return list(cnnfilter.encode(CALLS, READS, REFERENCE, **options))


def test_arrays_are_named_and_shaped():
    whole = cnnfilter.encode(str(CALLS), [READS], REFERENCE, batch_size=100)
    assert whole.encoder == "cnnfilter_reads" and whole.samples == ["demo"]
    found = list(whole)
    assert len(found) == 3
    for batch in found:
        count, reads = len(batch), batch.offsets[-1]
        assert batch.offsets.shape == (count + 1,) and batch.offsets[0] == 0
        assert batch.haplotypes.shape == (count, 2, 64) and batch.haplotypes.dtype == np.uint8
        assert batch.cells.shape == (reads, 64, 2) and batch.cells.dtype == np.uint8
        assert batch.reads.shape == (reads, len(batch.read_features))
        assert batch.supports.shape == (reads, 2) and batch.supports.dtype == np.bool_
        assert batch.site.shape == (count, len(batch.site_features)) and batch.site.dtype == np.float32
        assert batch.annotations.shape == (count, len(batch.annotation_names))
        assert batch.label is None and batch.genotype_right is None
        assert len(batch.contig) == len(batch.alt) == len(batch.id) == count
        # Two of the numbers of a read say what it supports.
        column = batch.read_features.index("supports_alt")
        assert np.array_equal(batch.supports[:, 0], batch.reads[:, column] > 0.5)


def test_each_alt_of_each_record_is_there():
    expected = [
        (at + 1, row[0], int(row[1]), row[3], alt, number)
        for at, row in enumerate(records(CALLS))
        for number, alt in enumerate(row[4].split(","))
        # It stands for a deletion of another record.
        if alt != "*"
    ]
    found, skipped = [], []
    for batch in batches(batch_size=50):
        columns = (batch.record, batch.contig, batch.pos, batch.ref, batch.alt, batch.alternate)
        found += list(zip(*(list(column) for column in columns)))
        skipped += batch.skipped
    left_out = {number for number, *_ in skipped}
    assert found == [row for row in expected if row[0] not in left_out]


def test_batches_of_any_size_are_the_same():
    one, many = batches(batch_size=100_000, threads=1), batches(batch_size=7)
    assert len(one) == 1 and len(many) > 30
    for name in ("cells", "reads", "site", "haplotypes", "pos"):
        joined = np.concatenate([getattr(batch, name) for batch in many])
        assert np.array_equal(getattr(one[0], name), joined), name


def test_scores_are_those_of_the_program(program, tmp_path):
    scored = tmp_path / "scored.vcf"
    for name, reads in (("cnnfilter_reads", READS), ("cnnfilter_reference", None)):
        words = ["-I", reads] if reads else []
        program("score", "-V", CALLS, *words, "-R", REFERENCE, "-o", scored)
        model = cnnfilter.Model.load(name, device="cpu")
        assert model.uses_reads == bool(reads)
        best = {}
        for batch in cnnfilter.encode(CALLS, reads, REFERENCE, model=model):
            scores = model.score(batch)
            assert scores.logits.shape == (len(batch), 4)
            for record, score, probability in zip(batch.record, scores.score, scores.probability):
                best[record] = max(best.get(record, (-99, -99)), (score, probability))
        for number, row in enumerate(records(scored), 1):
            info = row[7]
            if number in best:
                assert f"{best[number][0]:.3f}".replace("-0.000", "0.000") == info[model.card["info_key"]]
                assert abs(best[number][1] - float(info["CNN_PROB"])) < 1e-6
            else:
                assert "CNN_PROB" not in info


def test_options_are_those_of_the_program():
    some = batches(regions="demo1:1-2000")
    assert 0 < sum(map(len, some)) < 274
    assert all(set(batch.contig) == {"demo1"} and batch.pos.max() <= 2000 for batch in some)
    two = batches(regions=["demo1:1-2000", "demo1:2001-4000"])
    assert sum(map(len, two)) > sum(map(len, some))
    named = batches(annotations=["QUAL", "INFO/QD"])[0]
    assert named.annotation_names == ["QUAL", "INFO/QD"]
    assert named.annotations[0].tolist() == pytest.approx([645.06, 25.36])
    cram = list(cnnfilter.encode(CALLS, DEMO / "reads.cram", REFERENCE))[0]
    assert np.array_equal(cram.cells, batches()[0].cells)
    assert batches(sample="demo")[0].samples == ["demo"]


def test_pad_gives_each_call_as_many_rows():
    batch = batches()[0]
    for rows in (8, 64):
        padded = cnnfilter.pad(batch.cells, batch.offsets, rows)
        mask = cnnfilter.mask(batch.offsets, rows)
        assert padded.shape == (len(batch), rows, 64, 2) and mask.shape == (len(batch), rows)
        for at in (0, 5, len(batch) - 1):
            reads = batch.cells[batch.offsets[at] : batch.offsets[at + 1]][:rows]
            assert np.array_equal(padded[at][mask[at]], reads)
            assert not padded[at][~mask[at]].any()


@pytest.mark.parametrize(
    "options, exception, words",
    [
        (dict(calls="missing.vcf"), cnnfilter.FileError, "missing.vcf: cannot open"),
        (dict(reads=None, model="cnnfilter_reads"), cnnfilter.Error, "reads reads"),
        (dict(min_mapq=300), cnnfilter.OptionError, "300"),
        (dict(sample_depth=-1.0), ValueError, "expected a number of reads above 0"),
        (dict(annotations=["nothing"]), cnnfilter.OptionError, "annotations: "),
        (dict(annotations=["QUAL"], model="cnnfilter_reads"), cnnfilter.OptionError, "give one of the two"),
        (dict(regions="chr99"), OSError, "chr99"),
        (dict(sample="nobody"), cnnfilter.Error, "nobody"),
        (dict(model="nothing"), cnnfilter.FileError, "models inside the program are cnnfilter_reads"),
        (dict(reads=[READS, READS]), cnnfilter.OptionError, "would count twice"),
    ],
)
def test_what_is_wrong_is_said(options, exception, words):
    given = dict(calls=CALLS, reads=READS, reference=REFERENCE)
    given.update(options)
    with pytest.raises(exception, match=words):
        list(cnnfilter.encode(given.pop("calls"), given.pop("reads"), given.pop("reference"), **given))


def test_a_record_that_is_not_the_references_is_named(tmp_path):
    calls = tmp_path / "calls.vcf"
    text = CALLS.read_text()
    calls.write_text(text.replace("demo1\t48\t.\tC\t", "demo1\t48\t.\tG\t"))
    with pytest.raises(cnnfilter.Error, match=r"calls.vcf: record 2 \(demo1:48"):
        list(cnnfilter.encode(calls, READS, REFERENCE))


def test_warnings_go_to_the_logger(caplog, tmp_path):
    pytest.importorskip("pandas")
    nothing = tmp_path / "none.vcf"
    lines = CALLS.read_text().splitlines(keepends=True)
    nothing.write_text("".join(line for line in lines if line.startswith("#")))
    with caplog.at_level("WARNING", logger="cnnfilter"):
        cnnfilter.evaluate(nothing, truth=DEMO / "truth.vcf.gz", reference=REFERENCE, resamples=0)
    assert any("NOTHING IS JUDGED" in record.getMessage() for record in caplog.records)
