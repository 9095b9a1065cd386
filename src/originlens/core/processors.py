"""How many CPUs this process may use, and how many of them a library takes for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def available_cpus() -> int:
    """CPUs of the process's affinity mask where the system has one, else all of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products within, in any thread of the process, run on their caller's thread only.

    A pool of ours already uses every CPU: BLAS threads that wake for each small product, and spin
    for a while when it is done, take those CPUs away (measured: a fifth of a search's time; more of
    an ingest's).
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
