"""The part that is written in Rust."""

import os
import pathlib
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union, final

import numpy as np
import numpy.typing as npt

from ._types import Scores

__all__ = ["__version__", "Batch", "Batches", "ExampleFile", "Model", "Network", "encode", "label", "evaluate"]

__version__: str

@final
class Batch:
    """Several calls, encoded: one example for each ALT and sample.

    `cells`, `reads` and `supports` have a line a read: those of example i are the lines from
    `offsets[i]` to `offsets[i + 1]` (see `cnnfilter.pad`). Each access makes a new array; keep it.
    """

    def __len__(self) -> int: ...
    #: Name of the encoder.
    encoder: str
    #: Names of the columns of `annotations`.
    annotation_names: List[str]
    #: Names of the columns of `site`.
    site_features: List[str]
    #: Names of the columns of `reads`.
    read_features: List[str]
    #: Names of the samples; None for calls without.
    samples: List[Optional[str]]
    #: Contig of each example.
    contig: List[str]
    #: Position of its record, from 1.
    pos: npt.NDArray[np.int64]
    #: ID of its record.
    id: List[str]
    #: REF.
    ref: List[str]
    #: The ALT that it is about; all of the record for GATK's tensors.
    alt: List[str]
    #: Number of its record in the file, from 1; of an example of a file its own number, from 0.
    record: npt.NDArray[np.int64]
    #: Number of the ALT in its record, from 0; -1 where it is about the whole record, and for files of examples.
    alternate: npt.NDArray[np.int64]
    #: Its sample, as an index of `samples`.
    sample: npt.NDArray[np.int64]
    #: Its kind, as an index of `cnnfilter.KINDS`; files of examples tell SNP from INDEL alone.
    kind: npt.NDArray[np.uint8]
    #: Its class, as an index of `cnnfilter.CLASSES`; None for calls that were not labelled.
    label: Optional[npt.NDArray[np.uint8]]
    #: True where the genotype is right, too; None for calls that were not labelled.
    genotype_right: Optional[npt.NDArray[np.bool_]]
    #: Records without an example: number, contig, position from 1, and why.
    skipped: List[Tuple[int, str, int, str]]
    #: `[example][reference, ALT][column]`: symbols.
    haplotypes: npt.NDArray[np.uint8]
    #: `[read][column][symbol, quality]`.
    cells: npt.NDArray[np.uint8]
    #: `[read][number]`.
    reads: npt.NDArray[np.float32]
    #: `[read][supports ALT, supports REF]`.
    supports: npt.NDArray[np.bool_]
    #: First read of each example, and the end.
    offsets: npt.NDArray[np.int64]
    #: `[example][number]`, unscaled.
    site: npt.NDArray[np.float32]
    #: `[example][annotation]`, unscaled; NaN for a missing one.
    annotations: npt.NDArray[np.float32]

@final
class Batches:
    """Batches of encoded calls, one after the other."""

    def __iter__(self) -> Batches: ...
    def __next__(self) -> Batch: ...
    encoder: str
    annotation_names: List[str]
    site_features: List[str]
    read_features: List[str]
    samples: List[Optional[str]]

@final
class ExampleFile:
    def __new__(cls, path: Union[str, "os.PathLike[str]"]) -> ExampleFile: ...
    def __len__(self) -> int: ...
    def header(self) -> str: ...
    def parts(self, at: int) -> Tuple[List[Tuple[int, int]], int]: ...
    def index(self) -> Tuple[npt.NDArray[np.uint8], List[str], npt.NDArray[np.int64]]: ...
    def batch(self, numbers: Sequence[int]) -> Batch: ...

@final
class Network:
    """An architecture without weights, and the floats that it makes of tensors.

    `family` is one that `cnnfilter train` knows ("allele", "attention"); `sizes` are those of its
    layers, as in `[architecture]` of a configuration. The scaling of the numbers is learned from the
    batches, which must be training examples.
    """

    def __new__(cls, family: str, batches: Sequence[Batch], sizes: Mapping[str, Any]) -> Network: ...
    #: Name of the architecture.
    architecture: str
    #: Sizes of the layers, defaults filled in.
    sizes: Mapping[str, Any]
    #: Name and shape of each weight.
    shapes: Mapping[str, Tuple[int, ...]]
    #: Names of the channels of `inputs(batch)["cells"]`.
    cell_channels: List[str]
    #: Names of the channels of `inputs(batch)["haplotypes"]`.
    haplotype_channels: List[str]
    def inputs(self, batch: Batch) -> "dict[str, npt.NDArray[Any]]":
        """The floats that the first layers multiply.

        Of our own networks: haplotypes `[example][column][channel]`, scaled `[example][number]` (numbers
        of the call and annotations, scaled, then a 1 for each that is missing), cells
        `[read][column][channel]`, qualities `[read][column]`, reads `[read][number]`, supports_alt and
        supports_ref `[read]`, offsets as in `Batch`. Of GATK's networks: tensor
        `[example][row][column][channel]` (without reads `[example][column][channel]`) and annotations.
        """
    def model(self, weights: Mapping[str, Any], name: str) -> Model:
        """A model with these weights, arrays of any library by name, in the shapes of `shapes`."""

@final
class Model:
    """A network with its weights and its card."""

    @staticmethod
    def load(model: Union[str, "os.PathLike[str]"], device: str = "auto") -> Model:
        """Loads a model folder, or a model of the program by name: cnnfilter_reads, cnnfilter_reference.

        `device` is auto, cpu, cuda, cuda:N, cuda:N,M or cuda:all.
        """
    #: Name of the model.
    name: str
    #: True where it reads reads.
    uses_reads: bool
    #: Its card, the content of model.json.
    card: "dict[str, Any]"
    #: Its weights by name, as copies.
    weights: "dict[str, npt.NDArray[np.float32]]"
    #: Its network.
    network: Network
    def score(self, batch: Batch) -> Scores:
        """Scores of the examples, in all threads of the machine."""
    def calibrate(self, batch: Batch, measured_on: str) -> Model:
        """The same model with probabilities and thresholds, as `cnnfilter train` makes them.

        The batch is of a file of examples: calls that the network was not trained on, real and false in
        the shares in which they come. `measured_on` says in the card which they were.
        """
    def with_weights(self, weights: Mapping[str, Any], name: str) -> Model:
        """The model of the same network with other weights, without calibration and thresholds."""
    def save(self, folder: Union[str, "os.PathLike[str]"]) -> pathlib.Path:
        """Writes the model folder FOLDER/NAME and returns its path."""

def encode(
    options: Sequence[str],
    model: Optional[Model],
    reads: bool,
    annotations: Optional[Sequence[str]],
    sample: Optional[str],
) -> Batches: ...
def label(options: Sequence[str]) -> "dict[str, List[Any]]": ...
def evaluate(options: Sequence[str]) -> str: ...
