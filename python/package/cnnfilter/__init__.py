"""cnnfilter for Python: calls of variant callers as tensors, their labels, and networks that score them.

    import cnnfilter

    model = cnnfilter.Model.load("cnnfilter_reads")
    for batch in cnnfilter.encode("calls.vcf.gz", "reads.bam", "ref.fa", model=model):
        scores = model.score(batch)

Other threads of Python run while cnnfilter works, and Ctrl-C stops it. Warnings go to the logger
"cnnfilter".
"""

from ._cnnfilter import Batch, Batches, Model, Network, __version__
from ._errors import Error, FileError, OptionError
from ._examples import Examples, FixedShape
from ._functions import encode, evaluate, label
from ._ragged import mask, pad
from ._types import Example, Scores

#: Classes, in the order of a network's outputs and of labels.
CLASSES = ("NOT_SNP", "NOT_INDEL", "SNP", "INDEL")

#: Kinds of alleles, in the order of `Batch.kind`.
KINDS = ("SNP", "INDEL", "OTHER")

__all__ = [
    "CLASSES",
    "KINDS",
    "Batch",
    "Batches",
    "Error",
    "Example",
    "Examples",
    "FileError",
    "FixedShape",
    "Model",
    "Network",
    "OptionError",
    "Scores",
    "__version__",
    "encode",
    "evaluate",
    "label",
    "mask",
    "pad",
]
