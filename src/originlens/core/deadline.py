"""Run work for at most so many seconds of wall time, and go on without it where it takes longer.

The work runs in a thread. When its time is up the caller goes on at once; Python code of the work
is stopped at its next instruction, and a native call (which releases the interpreter's lock:
OpenCV, ONNX Runtime, FAISS, Pillow) ends on its own with nobody waiting for it. A killable process
would stop that last call too, but costs every run the start of an interpreter, a second copy of
every model and a copy of every picture.

Two rules follow for callers. Load modules and models before the clock runs: an import that is
stopped half-way may not be repeatable. And call :func:`settle` before closing what the work used;
the end of the program does so too, because tearing native libraries down under a call aborts.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import time
from collections.abc import Callable
from contextlib import suppress

#: Seconds that the end of the program waits for abandoned native calls.
PATIENCE = 3.0

_abandoned: list[threading.Thread] = []


class _Stopped(SystemExit):
    """Ends a thread that nobody waits for any more; threads end silently on a SystemExit."""


def run_within(seconds: float, work: Callable[[], None]) -> bool:
    """Run ``work`` in a thread; True if it ended in time, False if it was abandoned.

    ``work`` hands its results over by itself and must not let exceptions out.
    """

    def body() -> None:
        with suppress(_Stopped):
            work()

    thread = threading.Thread(target=body, daemon=True, name="deadline")
    thread.start()
    try:
        thread.join(max(0.0, seconds))
    finally:  # also on Ctrl-C
        if thread.is_alive():
            _abandon(thread)
    return thread not in _abandoned


def _abandon(thread: threading.Thread) -> None:
    _abandoned.append(thread)
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped)
        )


def settle(seconds: float = PATIENCE) -> bool:
    """Wait until abandoned work has ended; False if some still runs after that many seconds.

    A program that must end although a native call does not return leaves by ``os._exit``.
    """
    deadline = time.monotonic() + seconds
    for thread in tuple(_abandoned):
        thread.join(max(0.0, deadline - time.monotonic()))
        if not thread.is_alive():
            _abandoned.remove(thread)
    return not _abandoned


atexit.register(settle)
