"""Conformance checks of kind "index"."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.registry import Method
from originlens.testing._pictures import Checks, make, require

#: Least share of true neighbours that an index which is not exact must return.
_LEAST_RECALL = 0.8


def _index_data(method: Method, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """``count`` entries, some of them equal, numbered with gaps."""
    rng = np.random.default_rng(11)
    if "bits" in method.card.reads:
        vectors: npt.NDArray[Any] = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    else:
        centres = rng.standard_normal((40, 64))
        vectors = centres[rng.integers(0, 40, count)] + 0.5 * rng.standard_normal((count, 64))
        vectors = vectors.astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    if count > 20:
        vectors[5:15] = vectors[4]
    return vectors, np.arange(count, dtype=np.int64) * 3 + 7


def _true_scores(
    method: Method, queries: npt.NDArray[Any], vectors: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """(Q, N) inner products, or Hamming distances of packed bits."""
    if "bits" in method.card.reads:
        different = np.unpackbits(queries[:, None] ^ vectors[None], axis=2)
        return different.sum(axis=2).astype(np.float64)
    return queries.astype(np.float64) @ vectors.astype(np.float64).T


def _is_exact(method: Method) -> bool:
    return "recall" not in method.card.thresholds


def _check_answers(
    method: Method,
    index: Any,
    queries: npt.NDArray[Any],
    vectors: npt.NDArray[Any],
    ids: npt.NDArray[np.int64],
    k: int,
    **options: Any,
) -> None:
    found, scores = index.search(queries, k, **options)
    shape = (len(queries), k)
    require(found.shape == shape and scores.shape == shape, f"answers are not of shape {shape}")
    exact = _is_exact(method)
    sign = 1 if index.larger_is_nearer else -1
    truth = _true_scores(method, queries, vectors)
    position = {int(row): at for at, row in enumerate(ids)}
    recalled = expected = 0
    for row in range(len(queries)):
        real = [int(i) for i in found[row] if i != -1]
        require(len(set(real)) == len(real), "an entry is returned twice")
        require(set(real) <= set(position), "an entry is returned that is not there")
        best = np.sort(truth[row] * sign)[::-1][:k]
        got = np.array([truth[row, position[i]] * sign for i in real])
        stated = scores[row, : len(real)].astype(np.float64) * sign
        require(np.all(np.diff(stated) <= 1e-6), "answers are not sorted")
        tolerance = 1e-4 if exact else 0.05
        require(np.allclose(stated, got, atol=tolerance), "a score is not that of its entry")
        # Ties may come in any order, so that scores and not numbers are compared.
        recalled += int((got >= best[-1] - 1e-4).sum()) if len(best) else 0
        expected += len(best)
        if exact:
            require(len(got) == len(best), f"{len(got)} answers, {len(best)} expected")
            require(np.allclose(got, best, atol=1e-4), "differs from brute force")
    least = expected if exact else _LEAST_RECALL * expected
    require(recalled >= least, f"{recalled} of {expected} true neighbours found")


def _index_brute_force(method: Method) -> None:
    vectors, ids = _index_data(method, 3000)
    index = make(method)
    before = vectors.copy(), ids.copy()
    index.build(vectors, ids)
    queries = vectors[::151]
    _check_answers(method, index, queries, vectors, ids, 10)
    same = np.array_equal(before[0], vectors) and np.array_equal(before[1], ids)
    require(same, "the input was changed")


def _index_small(method: Method) -> None:
    for count in (1, 2, 21):
        vectors, ids = _index_data(method, count)
        index = make(method)
        index.build(vectors, ids)
        found, _ = index.search(vectors[:2], count + 5)
        for row in found:
            missing = int((row == -1).sum())
            require(missing >= 5, f"{count} entries gave {len(row) - missing} answers")
            require((row[len(row) - missing :] == -1).all(), "padding is not at the end")
        if _is_exact(method):
            _check_answers(method, index, vectors[:2], vectors, ids, count + 5)


def _index_empty(method: Method) -> None:
    vectors, ids = _index_data(method, 30)
    index = make(method)
    index.build(vectors[:0], ids[:0])
    found, _ = index.search(vectors[:3], 4)
    require(found.shape == (3, 4) and (found == -1).all(), "an empty index gave answers")
    index.build(vectors, ids)
    found, scores = index.search(vectors[:0], 4)
    require(found.shape == scores.shape == (0, 4), "no query must give no answer")


def _index_filters(method: Method) -> None:
    vectors, ids = _index_data(method, 1000)
    index = make(method)
    index.build(vectors, ids)
    queries, gone = vectors[:8], ids[::2]
    kept = ~np.isin(ids, gone)
    _check_answers(method, index, queries, vectors[kept], ids[kept], 5, exclude=gone)
    _check_answers(method, index, queries, vectors[kept], ids[kept], 5, only=ids[kept])
    found, _ = index.search(queries, 5, only=ids[:0])
    require((found == -1).all(), "a filter that admits nothing gave answers")


def _index_file(method: Method) -> None:
    vectors, ids = _index_data(method, 500)
    index = make(method)
    index.build(vectors, ids)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "index")
        index.save(path)
        loaded = method.cls.load(path)  # type: ignore[attr-defined]
        for a, b in zip(index.search(vectors[:9], 7), loaded.search(vectors[:9], 7), strict=True):
            require(np.array_equal(a, b), "answers differ after saving and loading")
        del loaded  # some systems cannot remove a mapped file


def _index_deterministic(method: Method) -> None:
    vectors, ids = _index_data(method, 1500)
    answers = []
    for _ in range(2):
        index = make(method)
        index.build(vectors, ids)
        answers.append(index.search(vectors[:20], 10))
    for a, b in zip(*answers, strict=True):
        require(np.array_equal(a, b), "a second build gave other answers")


CHECKS: Checks = {
    "equals-brute-force": _index_brute_force,
    "fewer-entries-than-k": _index_small,
    "empty": _index_empty,
    "filters": _index_filters,
    "survives-a-file": _index_file,
    "deterministic": _index_deterministic,
}
