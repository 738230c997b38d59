"""The functions. Arguments become words of the command line, so they mean the same and are checked alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Union

from . import _cnnfilter
from ._cnnfilter import Batches, Model
from ._errors import OptionError

if TYPE_CHECKING:
    import pandas

Path = Union[str, "os.PathLike[str]"]
Paths = Union[Path, Iterable[Path]]


def _several(given: Optional[Paths]) -> List[str]:
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        given = [given]
    return [os.fspath(path) for path in given]


def _words(options: Mapping[str, Any]) -> List[str]:
    """`{"-L": ["a", "b"], "--seed": 1, "--sample": None}` as words: `-L a -L b --seed 1`."""
    words = []
    for option, value in options.items():
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            for one in value if isinstance(value, list) else [value]:
                words += [option, str(one)] if option.count("-") == 1 else [f"{option}={one}"]
    return words


def _path(given: Optional[Path]) -> Optional[str]:
    return None if given is None else os.fspath(given)


def load(model: Union[Model, Path]) -> Model:
    """The model itself, or the one of that name or folder."""
    return model if isinstance(model, Model) else Model.load(model)


def encode(
    calls: Path,
    reads: Optional[Paths],
    reference: Path,
    *,
    model: Optional[Union[Model, Path]] = None,
    annotations: Optional[Iterable[str]] = None,
    sample: Optional[str] = None,
    sample_map: Optional[Path] = None,
    sample_depth: Optional[float] = None,
    regions: Optional[Paths] = None,
    min_mapq: int = 0,
    require_flags: Optional[str] = None,
    exclude_flags: Optional[str] = None,
    batch_size: int = 1024,
    threads: int = 0,
) -> Batches:
    """Encodes calls: an iterator of batches, in the order of the file.

    `calls` is a VCF or BCF; `reads` BAM or CRAM files, or None; `reference` a FASTA with its index.

    With a model the tensors are those that it reads, else those that `cnnfilter tensors` makes for
    training, with these annotations of the caller. The other options are those of `cnnfilter score`.
    `batch_size` counts records and samples; a record gives an example for each of its
    ALTs that are spelled in bases. Records without are in `Batch.skipped`.
    """
    if model is not None and annotations is not None:
        raise OptionError("annotations: a model says itself which it takes; give one of the two")
    of_reads = _several(reads)
    options = {
        "-V": os.fspath(calls),
        "-I": of_reads,
        "-R": os.fspath(reference),
        "-L": _several(regions),
        "--sample-map": _path(sample_map),
        "--sample-depth": sample_depth,
        "--min-mapq": min_mapq,
        "--require-flags": require_flags,
        "--exclude-flags": exclude_flags,
        "--batch-size": batch_size,
        "--threads": threads,
    }
    return _cnnfilter.encode(
        _words(options),
        None if model is None else load(model),
        bool(of_reads),
        None if annotations is None else list(annotations),
        sample,
    )


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("a frame needs pandas; install it (pip install pandas)") from error
    return pandas


def label(
    calls: Path,
    reference: Path,
    *,
    truth: Optional[Path] = None,
    confident: Optional[Path] = None,
    truth_sample: Optional[str] = None,
    labels: Optional[Path] = None,
    sample: Optional[str] = None,
    regions: Optional[Paths] = None,
) -> "pandas.DataFrame":
    """Says of each ALT whether it is real, as `cnnfilter tensors` does: a frame with a line an ALT.

    `truth` is a truth set and `confident` where it is complete; or `labels` are "happy", "vcfeval" or a
    table of labels. The columns are contig, pos (from 1), ref, alt, alternate (number of the ALT, from
    0), label and reason. A label is TP (real, genotype right), AM (real, genotype wrong or not judged),
    FP or UNK, for which `reason` says why.
    """
    options = {
        "-V": os.fspath(calls),
        "-R": os.fspath(reference),
        "-L": _several(regions),
        "--truth": _path(truth),
        "--confident": _path(confident),
        "--truth-sample": truth_sample,
        "--labels": _path(labels),
        "--sample": sample,
    }
    return _pandas().DataFrame(_cnnfilter.label(_words(options)))


def evaluate(
    calls: Paths,
    *,
    reference: Optional[Path] = None,
    truth: Optional[Path] = None,
    confident: Optional[Path] = None,
    truth_sample: Optional[str] = None,
    labels: Optional[Path] = None,
    match: Optional[str] = None,
    score: Optional[Iterable[str]] = None,
    baseline: Optional[str] = None,
    probability: Optional[Iterable[str]] = None,
    sample: Optional[str] = None,
    regions: Optional[Paths] = None,
    stratify: Optional[Mapping[str, Path]] = None,
    resamples: int = 1000,
    seed: int = 42,
    fail_on_empty: bool = False,
    threads: int = 0,
) -> "pandas.DataFrame":
    """Evaluates scores of calls, as `cnnfilter eval` does: a frame with a line a figure.

    The frame is that of `eval.tsv`, the options those of `cnnfilter eval`. Several files of calls have
    further scores of the same calls. Without `truth` and `labels` there are Ti/Tv and het/hom alone.
    """
    options = {
        "-V": _several(calls),
        "-R": _path(reference),
        "-L": _several(regions),
        "--truth": _path(truth),
        "--confident": _path(confident),
        "--truth-sample": truth_sample,
        "--labels": _path(labels),
        "--no-truth": truth is None and labels is None,
        "--match": match,
        "--score": _several(score),
        "--baseline": baseline,
        "--probability": _several(probability),
        "--sample": sample,
        "--stratify": [f"{name}={os.fspath(path)}" for name, path in (stratify or {}).items()],
        "--resamples": resamples,
        "--seed": seed,
        "--fail-on-empty": fail_on_empty,
        "--threads": threads,
    }
    import io

    pandas = _pandas()
    table = _cnnfilter.evaluate(_words(options))
    return pandas.read_csv(io.StringIO(table), sep="\t", na_values=["NA"], keep_default_na=False)
