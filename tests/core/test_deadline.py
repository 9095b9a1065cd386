"""Work with a deadline: in time, late Python code, late native code, and the program's end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from originlens.core.deadline import run_within, settle


def test_work_that_ends_in_time() -> None:
    done: list[int] = []
    assert run_within(5, lambda: done.append(1))
    assert done == [1]


def test_late_python_code_is_stopped() -> None:
    ticks: list[int] = []

    def work() -> None:
        while True:
            ticks.append(1)
            time.sleep(0.01)

    begun = time.monotonic()
    assert not run_within(0.2, work)
    assert time.monotonic() - begun < 1
    assert settle(5), "it was not stopped"
    count = len(ticks)
    time.sleep(0.05)
    assert len(ticks) == count


def test_a_late_native_call_is_not_waited_for() -> None:
    release = threading.Event()
    begun = time.monotonic()
    assert not run_within(0.1, lambda: release.wait(30) and None)
    assert time.monotonic() - begun < 1
    assert not settle(0.05)
    release.set()
    assert settle(5)


def test_the_program_ends_cleanly_with_native_work_abandoned() -> None:
    script = """
import numpy as np, cv2
from originlens.core.deadline import run_within
cv2.setNumThreads(1)
noise = np.random.default_rng(0).integers(0, 255, (1500, 1500), dtype=np.uint8)
def work():
    while True:
        cv2.SIFT_create().detectAndCompute(noise, None)
print(run_within(0.2, work))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
