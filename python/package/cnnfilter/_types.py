"""What functions return."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Scores(NamedTuple):
    """Scores of the examples of a batch, in their order."""

    #: The network's outputs before softmax, `[example][NOT_SNP, NOT_INDEL, SNP, INDEL]`.
    logits: npt.NDArray[np.float32]
    #: Natural-log odds that the allele is real; what `cnnfilter score` writes, before it rounds.
    score: npt.NDArray[np.float64]
    #: Probability that it is real; NaN where the model is not calibrated.
    probability: npt.NDArray[np.float64]


class Example(NamedTuple):
    """One example of a file. The arrays are views of the mapped file: read-only, not copied, not aligned."""

    contig: str
    #: Position of the record, from 1.
    pos: int
    ref: str
    alt: str
    #: 0 NOT_SNP, 1 NOT_INDEL, 2 SNP, 3 INDEL.
    label: int
    #: `[reference, ALT][column]`: symbols.
    haplotypes: npt.NDArray[np.uint8]
    #: `[read][column][symbol, quality]`.
    cells: npt.NDArray[np.uint8]
    #: `[read][number]`.
    reads: npt.NDArray[np.float32]
    #: Numbers of the call, unscaled.
    site: npt.NDArray[np.float32]
    #: Annotations of the caller, unscaled; NaN for a missing one.
    annotations: npt.NDArray[np.float32]
