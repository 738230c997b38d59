"""Arrays of reads, which each call has another number of, in one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def mask(offsets: npt.ArrayLike, rows: int) -> npt.NDArray[np.bool_]:
    """True where `pad` puts a read: `[call][row]`."""
    counts = np.minimum(np.diff(np.asarray(offsets)), rows)
    return np.arange(rows) < counts[:, None]


def pad(values: npt.ArrayLike, offsets: npt.ArrayLike, rows: int) -> npt.NDArray[Any]:
    """Values of reads, `[read][...]`, as `[call][row][...]`; rows without a read are 0.

    The reads of call i are those from `offsets[i]` to `offsets[i + 1]`. The first `rows` of them are
    taken. cnnfilter's own tensors have at most 64.
    """
    values, offsets = np.asarray(values), np.asarray(offsets)
    is_read = mask(offsets, rows)
    padded = np.zeros(is_read.shape + values.shape[1:], values.dtype)
    padded[is_read] = values[(offsets[:-1, None] + np.arange(rows))[is_read]]
    return padded
