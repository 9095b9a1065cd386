"""One BLAS thread within, what was set before afterwards."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from originlens.core.processors import available_cpus, one_blas_thread

pytestmark = pytest.mark.skipif(available_cpus() < 2, reason="one CPU: BLAS has one thread anyway")


def blas_threads() -> set[int]:
    """Threads of each BLAS but FAISS's, which counts by OpenMP, for each thread of its own."""
    np.ones((2, 2)) @ np.ones((2, 2))
    found = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    return {lib["num_threads"] for lib in found if lib.get("threading_layer") != "openmp"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_the_limit_holds_within_and_returns():
    assert blas_threads() == {2}
    with one_blas_thread():
        assert blas_threads() == {1}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_it_returns_after_an_error():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == {2}


def test_it_holds_in_other_threads():
    seen = []
    with one_blas_thread():
        thread = threading.Thread(target=lambda: seen.append(blas_threads()))
        thread.start()
        thread.join()
    assert seen == [{1}]
