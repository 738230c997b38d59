"""Files of examples for PyTorch."""

from __future__ import annotations

from typing import Any, List, Optional

import torch

from ._cnnfilter import Network
from ._examples import Examples, FixedShape


class Dataset(torch.utils.data.Dataset):  # type: ignore[misc, type-arg, unused-ignore]
    """Examples as dictionaries of tensors of one shape (`cnnfilter.FixedShape`), for a `DataLoader`.

    The file is mapped, so processes that load share its memory. With a network they must be forked,
    as it cannot be pickled.
    """

    def __init__(self, examples: Examples, network: Optional[Network] = None, rows: int = 64) -> None:
        self._items = FixedShape(examples, network, rows)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> "dict[str, Any]":
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: List[int]) -> "list[dict[str, Any]]":
        arrays = self._items.arrays(numbers)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return [{name: tensor[at] for name, tensor in tensors.items()} for at in range(len(numbers))]
