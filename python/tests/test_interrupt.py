"""While Rust works Python is free: other threads run, and Ctrl-C ends it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import cnnfilter
from conftest import READS, REFERENCE, ROOT


@pytest.fixture(scope="module")
def many_calls(tmp_path_factory):
    """Calls that take some seconds to encode."""
    path = tmp_path_factory.mktemp("many") / "many.vcf"
    script = ROOT / "tests/many_calls.py"
    made = subprocess.run([sys.executable, script, REFERENCE, "8000"], check=True, capture_output=True)
    # Each of them several times, for there are no more places.
    lines = made.stdout.splitlines(keepends=True)
    calls = [line for line in lines if not line.startswith(b"#")]
    head = [line for line in lines if line.startswith(b"#")]
    path.write_bytes(b"".join(head + [call for call in calls for _ in range(20)]))
    return path


def test_ctrl_c_stops_the_work(many_calls):
    # What runs in the background of a shell ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    batches = cnnfilter.encode(many_calls, READS, REFERENCE, batch_size=1_000_000, threads=1)
    pressed = []

    def press():
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    # That this thread runs at all shows that the other one waits without holding Python.
    timer = threading.Timer(0.5, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(batches)
    assert time.monotonic() - pressed[0] < 10
    # The thread behind it has ended, or does so with its shard: nothing is begun any more.
    with pytest.raises(cnnfilter.Error, match="stopped"):
        next(batches)
