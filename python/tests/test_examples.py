"""Files of examples are read without copying, and given to loaders."""

import pickle

import numpy as np
import pytest

import cnnfilter
from conftest import CALLS, READS, REFERENCE


def test_examples_are_views_of_the_file(example_file):
    examples = cnnfilter.Examples(example_file)
    assert len(examples) == sum(examples.header["classes"]) > 200
    mapped = examples._bytes
    for number in (0, 7, -1):
        example, batch = examples[number], examples.batch([number])
        assert (example.contig, example.pos, example.ref, example.alt) == (
            batch.contig[0], batch.pos[0], batch.ref[0], batch.alt[0],
        )
        assert example.label == batch.label[0] == examples.labels[number]
        for name in ("haplotypes", "cells", "reads", "site", "annotations"):
            array = getattr(example, name)
            assert np.shares_memory(array, mapped) or array.size == 0, name
            assert not array.flags.writeable and not array.flags.owndata
            expected = getattr(batch, name)
            expected = expected if name in ("cells", "reads") else expected[0]
            assert np.array_equal(array, expected, equal_nan=array.dtype.kind == "f"), name
    with pytest.raises(IndexError):
        examples[len(examples)]


def test_examples_are_what_encode_gives(example_file):
    examples = cnnfilter.Examples(example_file)
    of_file = {(c, p, a): n for n, (c, p, a) in enumerate(zip(*(lambda b: (b.contig, b.pos, b.alt))(examples.batch())))}
    (batch,) = cnnfilter.encode(CALLS, READS, REFERENCE)
    assert batch.site_features == examples.header["site_features"]
    assert batch.annotation_names == examples.header["annotations"]
    cells, offsets, site = batch.cells, batch.offsets, batch.site
    seen = 0
    for at, key in enumerate(zip(batch.contig, batch.pos, batch.alt)):
        if key in of_file:
            example = examples[of_file[key]]
            assert np.array_equal(example.cells, cells[offsets[at] : offsets[at + 1]])
            assert np.array_equal(example.site, site[at], equal_nan=True)
            seen += 1
    assert seen == len(examples)


def test_a_file_goes_to_other_processes(example_file):
    examples = pickle.loads(pickle.dumps(cnnfilter.Examples(example_file)))
    assert len(examples) > 200


def test_damage_is_said(example_file, tmp_path):
    cut = tmp_path / "cut.examples"
    cut.write_bytes(example_file.read_bytes()[:-100])
    with pytest.raises(cnnfilter.FileError, match="cut.examples: .* make it again"):
        cnnfilter.Examples(cut)
    with pytest.raises(cnnfilter.FileError, match="it does not begin with `CNNFEX01`"):
        cnnfilter.Examples(CALLS)


def test_labels_are_those_of_label(example_file):
    pytest.importorskip("pandas")
    from conftest import CONFIDENT, TRUTH

    frame = cnnfilter.label(CALLS, REFERENCE, truth=TRUTH, confident=CONFIDENT)
    verdicts = {(row.contig, row.pos, row.alt): row.label for row in frame.itertuples()}
    batch = cnnfilter.Examples(example_file).batch()
    for contig, position, alt, label, right in zip(
        batch.contig, batch.pos, batch.alt, batch.label, batch.genotype_right
    ):
        verdict = verdicts[contig, position, alt]
        assert verdict == ("FP" if label < 2 else "TP" if right else "AM")


def items_are_right(items, examples):
    """Each item of a loader is the example of its number, in one shape."""
    assert len(items) == len(examples)
    for number in (0, len(examples) - 1):
        item, example = items[number], examples[number]
        mask = np.asarray(item["mask"])
        assert mask.shape == (64,) and mask.sum() == len(example.cells)
        assert np.array_equal(np.asarray(item["cells"])[mask], example.cells)
        assert int(item["label"]) == example.label


def test_fixed_shapes(example_file):
    examples = cnnfilter.Examples(example_file)
    items_are_right(cnnfilter.FixedShape(examples), examples)
    network = cnnfilter.Network("allele", [examples.batch()], {})
    item = cnnfilter.FixedShape(examples, network, rows=32)[3]
    assert item["cells"].shape == (32, 64, len(network.cell_channels))


def test_torch(example_file):
    torch = pytest.importorskip("torch")
    from cnnfilter.torch import Dataset

    examples = cnnfilter.Examples(example_file)
    dataset = Dataset(examples)
    items_are_right(dataset, examples)
    assert isinstance(dataset, torch.utils.data.Dataset)
    for workers in (0, 2):
        loader = torch.utils.data.DataLoader(dataset, batch_size=16, num_workers=workers)
        found = torch.cat([batch["label"] for batch in loader])
        assert found.tolist() == examples.labels.tolist()


def test_grain(example_file):
    grain = pytest.importorskip("grain")
    from cnnfilter.grain import dataset

    examples = cnnfilter.Examples(example_file)
    items_are_right(dataset(examples), examples)
    batches = dataset(examples).shuffle(seed=1).batch(16)
    first = batches[0]
    assert first["cells"].shape == (16, 64, 64, 2)
    sampler = grain.samplers.IndexSampler(num_records=len(examples), num_epochs=1, shuffle=False)
    loader = grain.DataLoader(data_source=cnnfilter.FixedShape(examples), sampler=sampler, worker_count=0)
    assert [int(item["label"]) for item in loader] == examples.labels.tolist()
