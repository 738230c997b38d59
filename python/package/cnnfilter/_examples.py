"""Files of examples, as `cnnfilter tensors` writes them."""

from __future__ import annotations

import json
import os
from typing import Any, Iterable, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _cnnfilter
from ._cnnfilter import Batch
from ._types import Example


class Examples:
    """The examples of a file, which is mapped into memory.

    `examples[i]` gives views of the file; nothing is copied. `examples.batch(numbers)` gives arrays of
    several examples, which are copies, as they lie together then.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        self.path = os.fspath(path)
        self._file = _cnnfilter.ExampleFile(self.path)
        self._bytes = np.asarray(np.memmap(self.path, np.uint8, mode="r"))
        self._width = len(self.header["read_features"])
        self._index: Optional[Tuple[npt.NDArray[np.uint8], List[str], npt.NDArray[np.int64]]] = None

    def __reduce__(self) -> Tuple[Any, ...]:
        # Another process maps the file anew.
        return Examples, (self.path,)

    def __repr__(self) -> str:
        return f"<cnnfilter.Examples {self.path}: {len(self)}>"

    @property
    def header(self) -> Any:
        """Where the examples come from, and the names of their numbers."""
        return json.loads(self._file.header())

    def __len__(self) -> int:
        return len(self._file)

    def __getitem__(self, number: int) -> Example:
        number = range(len(self))[number]
        parts, rows = self._file.parts(number)
        contig, ref, alt, annotations, site, haplotypes, cells, reads = (self._bytes[a:b] for a, b in parts)
        labels, _, positions = self._labels()
        return Example(
            contig=contig.tobytes().decode(),
            pos=int(positions[number]),
            ref=ref.tobytes().decode(),
            alt=alt.tobytes().decode(),
            label=int(labels[number]),
            haplotypes=haplotypes.reshape(2, -1),
            cells=cells.reshape(rows, haplotypes.size // 2, 2),
            reads=reads.view("<f4").reshape(rows, self._width),
            site=site.view("<f4"),
            annotations=annotations.view("<f4"),
        )

    def batch(self, numbers: Optional[Iterable[int]] = None) -> Batch:
        """The examples of these numbers as arrays; all without numbers."""
        chosen = range(len(self)) if numbers is None else numbers
        return self._file.batch([range(len(self))[int(number)] for number in chosen])

    def _labels(self) -> Tuple[npt.NDArray[np.uint8], List[str], npt.NDArray[np.int64]]:
        if self._index is None:
            self._index = self._file.index()
        return self._index

    @property
    def labels(self) -> npt.NDArray[np.uint8]:
        """Class of each example: 0 NOT_SNP, 1 NOT_INDEL, 2 SNP, 3 INDEL."""
        return self._labels()[0]

    @property
    def contigs(self) -> List[str]:
        """Contig of each example."""
        return self._labels()[1]

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Position of each example's record, from 1."""
        return self._labels()[2]


class FixedShape:
    """Examples of a file as dictionaries of arrays, all of one shape, so that any loader can stack them.

    Without a network the arrays are those of a `Batch`, with one its floats (`Network.inputs`). What
    has a line a read is padded to `rows`, and `mask` says which rows are reads.
    """

    def __init__(self, examples: Examples, network: Optional[_cnnfilter.Network] = None, rows: int = 64) -> None:
        self.examples, self.network, self.rows = examples, network, rows

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> "dict[str, Any]":
        return {name: array[0] for name, array in self.arrays([number]).items()}

    def arrays(self, numbers: Iterable[int]) -> "dict[str, npt.NDArray[Any]]":
        """The arrays of several examples, `[example][...]`, with their `label`."""
        from ._ragged import mask, pad

        batch = self.examples.batch(numbers)
        offsets = batch.offsets
        per_read = ("cells", "qualities", "reads", "supports", "supports_alt", "supports_ref")
        if self.network is None:
            names = ("haplotypes", "cells", "reads", "supports", "site", "annotations")
            arrays = {name: getattr(batch, name) for name in names}
        else:
            arrays = {name: array for name, array in self.network.inputs(batch).items() if name != "offsets"}
        padded = {
            name: pad(array, offsets, self.rows) if name in per_read else array for name, array in arrays.items()
        }
        padded["mask"] = mask(offsets, self.rows)
        padded["label"] = np.asarray(batch.label, np.int64)
        return padded
