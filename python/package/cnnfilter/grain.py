"""Files of examples for Grain, the loader of JAX."""

from __future__ import annotations

from typing import Any, Optional

import grain

from ._cnnfilter import Network
from ._examples import Examples, FixedShape


def dataset(examples: Examples, network: Optional[Network] = None, rows: int = 64) -> Any:
    """A `grain.MapDataset` of dictionaries of arrays of one shape (`cnnfilter.FixedShape`).

    `FixedShape` itself is a source of random access, as `grain.DataLoader` wants one.
    """
    return grain.MapDataset.source(FixedShape(examples, network, rows))
