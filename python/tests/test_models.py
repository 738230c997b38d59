"""Models are loaded, changed and saved; networks are made for new weights."""

import json
import pathlib

import numpy as np
import pytest

import cnnfilter
from conftest import CALLS, READS, REFERENCE, ROOT, records


@pytest.fixture(scope="module")
def batch():
    (whole,) = cnnfilter.encode(CALLS, READS, REFERENCE)
    return whole


def test_a_model_is_its_folder(tmp_path):
    folder = ROOT / "models/cnnfilter_reads"
    model = cnnfilter.Model.load(folder)
    assert model.card == json.loads((folder / "model.json").read_text())
    saved = pathlib.Path(model.save(tmp_path))
    assert saved == tmp_path / "cnnfilter_reads"
    assert json.loads((saved / "model.json").read_text()) == model.card
    weights = "model.safetensors"
    assert (saved / weights).read_bytes() == (folder / weights).read_bytes()


def test_other_weights_come_back_as_a_model(program, tmp_path):
    """What an optimiser changed scores in the program as in Python."""
    model = cnnfilter.Model.load("cnnfilter_reads")
    random = np.random.default_rng(1)
    changed = {name: weight * random.uniform(0.9, 1.1, weight.shape) for name, weight in model.weights.items()}
    other = model.with_weights(changed, "changed")
    assert "calibration" not in other.card and other.card["weights_sha256"] != model.card["weights_sha256"]
    folder = other.save(tmp_path)
    scored = tmp_path / "scored.vcf"
    program("score", "-V", CALLS, "-I", READS, "-R", REFERENCE, "--model", folder, "-o", scored)
    (batch,) = cnnfilter.encode(CALLS, READS, REFERENCE, model=other)
    scores = other.score(batch)
    assert np.isnan(scores.probability).all()
    rows = records(scored)
    written = [rows[record - 1][7]["CNN_AS"].split(",")[at] for record, at in zip(batch.record, batch.alternate)]
    assert np.abs(scores.score - np.array(written, float)).max() < 5.1e-4
    assert np.abs(scores.score - model.score(batch).score).max() > 0.01


def test_a_calibrated_model_fills_filter(program, example_file, tmp_path, batch):
    """Labelled calls give weights their probabilities and thresholds, which the program takes."""
    model = cnnfilter.Model.load("cnnfilter_reads")
    plain = model.with_weights(model.weights, "plain")
    examples = cnnfilter.Examples(example_file).batch()
    calibrated = plain.calibrate(examples, "the demo")
    assert "measured_on" not in plain.card and "the demo" in json.dumps(calibrated.card)
    scored = tmp_path / "scored.vcf"
    folder = calibrated.save(tmp_path)
    program("score", "-V", CALLS, "-I", READS, "-R", REFERENCE, "--model", folder, "--filter", "-o", scored)
    rows = records(scored)
    assert {"PASS"} < {row[6] for row in rows}
    (batch,) = cnnfilter.encode(CALLS, READS, REFERENCE, model=calibrated)
    scores = calibrated.score(batch)
    for record, alt, probability in zip(batch.record, batch.alternate, scores.probability):
        if "," not in rows[record - 1][4]:
            assert abs(float(rows[record - 1][7]["CNN_PROB"]) - probability) < 1e-6
    with pytest.raises(cnnfilter.OptionError, match="not labelled"):
        plain.calibrate(batch, "nothing")


@pytest.mark.parametrize("family, sizes", [("allele", {"kernel": 3, "quality_gate": True}), ("attention", {"heads": 3})])
def test_a_new_network(batch, tmp_path, family, sizes):
    network = cnnfilter.Network(family, [batch], sizes)
    for name, size in sizes.items():
        assert network.sizes[name] == size
    random = np.random.default_rng(2)
    weights = {name: random.normal(0, 0.1, shape) for name, shape in network.shapes.items()}
    model = network.model(weights, "new")
    loaded = cnnfilter.Model.load(model.save(tmp_path))
    assert np.array_equal(loaded.score(batch).logits, model.score(batch).logits)
    for name, weight in loaded.weights.items():
        assert np.array_equal(weight, weights[name].astype("f4"))


def test_inputs_are_those_of_the_network(batch):
    """The first layer over the haplotypes, computed here, is what a dense network sees."""
    network = cnnfilter.Model.load("cnnfilter_reads").network
    inputs = network.inputs(batch)
    reads = batch.offsets[-1]
    assert inputs["cells"].shape == (reads, 64, len(network.cell_channels))
    assert inputs["haplotypes"].shape == (len(batch), 64, len(network.haplotype_channels))
    assert inputs["qualities"].shape == (reads, 64) and inputs["reads"].shape[0] == reads
    # One of the channels says where ALT differs from the reference.
    differs = batch.haplotypes[:, 0] != batch.haplotypes[:, 1]
    channel = network.haplotype_channels.index("differs")
    assert np.array_equal(inputs["haplotypes"][:, :, channel] == 1, differs)
    # Another that a base is an A, as surely as its quality says.
    cells, channel = batch.cells, network.cell_channels.index("A")
    is_a = cells[:, :, 0] == 1
    expected = np.maximum(1 - 0.1 ** (cells[:, :, 1][is_a] / 10), 0.25)
    assert np.abs(inputs["cells"][:, :, channel][is_a] - expected).max() < 1e-6
    missing = inputs["scaled"][:, inputs["scaled"].shape[1] // 2 :]
    assert set(np.unique(missing)) <= {0.0, 1.0}


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda weights: weights.pop("out.bias"), "out.bias"),
        (lambda weights: weights.update(more=np.zeros(3)), "more"),
        (lambda weights: weights.update({"out.bias": np.zeros(5)}), "out.bias"),
        (lambda weights: weights.update({"out.bias": np.full(4, np.nan)}), "out.bias"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, words):
    model = cnnfilter.Model.load("cnnfilter_reads")
    weights = model.weights
    change(weights)
    with pytest.raises(cnnfilter.Error, match=words):
        model.with_weights(weights, "wrong")


def test_networks_that_cannot_be_are_refused(batch):
    for family, batches, sizes, words in [
        ("nothing", [batch], {}, "allele"),
        ("allele", [], {}, "there is none"),
        ("allele", [batch], {"kernel": 4}, "kernel"),
        ("allele", [batch], {"colour": 1}, "colour"),
    ]:
        with pytest.raises(cnnfilter.Error, match=words):
            cnnfilter.Network(family, batches, sizes)


def test_a_batch_of_another_network_is_refused(batch):
    with pytest.raises(cnnfilter.Error, match="as many numbers and annotations|another"):
        (other,) = cnnfilter.encode(CALLS, None, REFERENCE, annotations=["QUAL"])
        cnnfilter.Model.load("cnnfilter_reads").score(other)
