"""CIGAR strings."""

import re

OPERATION = re.compile(r"(\d+)([MIDNSHP=X])")


def operations(text):
    """[(length, kind)] of a CIGAR string."""
    return [(int(length), kind) for length, kind in OPERATION.findall(text)]


def consumes_reference(kind):
    return kind in "MDN=X"
