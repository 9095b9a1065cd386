"""Which score an unrelated picture reaches by chance, learned from the user's own index.

``--max-false-positive-rate P`` asks: of queries that have no original here, at most a share P may
be called a copy. The best score of such a query depends on what the index holds (documents look
more alike than holidays) and a little on its size. So pictures of the index are searched with
themselves and their duplicates left out; the distribution of their best remaining score, the
*null*, gives the threshold. Its 95 % point is fixed well by few samples; how far its
tail reaches is learned from those beyond it and from the shipped null, measured on photographs
(``train/decision``). The own null can raise the shipped null's threshold, never lower it: it is
that of pictures somebody chose to keep, while queries also bring other photographs of what is kept
(at the thresholds that such an index asked for, 5 to 15 % of look-alikes were called copies, at the
shipped one 1.5 %). Below ``MIN_ASSETS`` assets the shipped null is used alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.match.decision import DecisionModel

if TYPE_CHECKING:
    from originlens.match.search import Searcher
    from originlens.store import Store

MIN_ASSETS = 200
"""Below this an index is too small to tell its own null; the shipped one is used."""
SAMPLES = 160
"""Pictures of the index that are searched with themselves left out."""
GROWTH = 1.5
"""The null is measured anew when an index has grown or shrunk by this factor."""
AIM = 0.7
"""The rate is a limit and the null an estimate: the threshold aims at this share of the rate."""
DOUBT = 1000
"""The shipped null is that of photographs: it counts as if there were at least so many."""
MIN_SAMPLES = 40
"""Fewer own scores are not used."""
TAIL = 0.05
"""Share of the null that is its upper tail."""
TAIL_PRIOR = 16
"""The shipped tail counts as much as so many own scores of the tail."""
STATE_KEY = "null"

Scores = npt.NDArray[np.float64]


def shipped_scores(model: DecisionModel, assets: int) -> Scores:
    """Best scores of unrelated queries at the shipped sizes, interpolated in log size, sorted."""
    sizes = sorted(int(s) for s in model.null)
    tables = [np.asarray(model.null[str(s)], dtype=np.float64) for s in sizes]
    position = np.interp(np.log(max(assets, 1)), np.log(sizes), np.arange(len(sizes)))
    low = int(position)
    high = min(low + 1, len(sizes) - 1)
    share = float(position - low)
    return np.asarray((1 - share) * tables[low] + share * tables[high])


def threshold(
    model: DecisionModel, rate: float, assets: int, own: Sequence[float] | None = None
) -> float:
    """Score that unrelated queries exceed at most at ``rate`` (0 < rate <= 1).

    Up to the 95 % point of the null its own quantile; beyond it the scores above that point are
    taken as exponential (peaks over threshold, Pickands 1975), their mean excess pulled towards
    the shipped null's where they are few.

    Args:
        model: carries the shipped null.
        rate: highest share of unrelated queries that may be called a copy.
        assets: number of live assets.
        own: best leave-one-out scores measured on this index, if any.

    Raises:
        ValueError: ``rate`` is outside (0, 1].
    """
    if not 0 < rate <= 1:
        raise ValueError(f"a false-positive rate lies in (0, 1], not {rate}")
    if rate >= 1:
        return float(-np.inf)
    # In twenty photographs chance reaches nothing, but the few pictures that somebody indexes first
    # may be drawings or pages: what was not measured on them is given the doubt of a larger index.
    shipped = shipped_scores(model, max(assets, DOUBT))
    least = _exceeded(shipped, AIM * rate, shipped)
    if own is None or assets < MIN_ASSETS or len(own) < MIN_SAMPLES:
        return least
    return max(least, _exceeded(np.asarray(own, dtype=np.float64), AIM * rate, shipped))


def _exceeded(null: Scores, share: float, shipped: Scores) -> float:
    """Score that a ``share`` of a null exceeds; beyond its 95 % point by its exponential tail."""
    if share >= TAIL:
        return float(np.quantile(null, 1 - share))
    start, excess = _tail(null)
    _, usual = _tail(shipped)
    mean = (excess.sum() + TAIL_PRIOR * usual.mean()) / (len(excess) + TAIL_PRIOR)
    return float(start + mean * np.log(TAIL / share))


def _tail(null: Scores) -> tuple[float, Scores]:
    """Where the upper tail of a null begins, and by how much scores exceed that."""
    start = float(np.quantile(null, 1 - TAIL))
    return start, null[null > start] - start


def measured_scores(store: Store, model: DecisionModel) -> list[float] | None:
    """The index's own null, None where none was measured or another model measured it."""
    state = store.state(STATE_KEY)
    return state["scores"] if state and state.get("model") == model.version else None


def due(store: Store, model: DecisionModel) -> bool:
    """Whether the null of an index needs measuring: never done, outgrown, or of another model."""
    state, assets = store.state(STATE_KEY), len(store)
    if assets < MIN_ASSETS:
        return False
    if not state or state.get("model") != model.version:
        return True
    return not state["assets"] / GROWTH <= assets <= state["assets"] * GROWTH


def refresh(
    store: Store,
    searcher: Searcher,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Measure the null of an index by searching its own pictures with themselves left out.

    Takes a seeded sample of live assets with proxies, ``SAMPLES`` of them or a fifth of the index
    where that is fewer, and stores their scores in the index. Returns how many were measured.

    Args:
        store: the index, open for writing.
        searcher: searches it.
        seed: of the sample.
        progress: called with (pictures done, pictures in all).
    """
    from originlens.core.errors import InputError
    from originlens.core.image import Image

    assets = len(store)
    rows = store.sample(min(SAMPLES, assets // 5), np.random.default_rng(seed))
    scores: list[float] = []
    for done, row in enumerate(rows, start=1):
        proxy = store.proxy(row)
        if proxy is not None:
            try:
                score = searcher.best_unrelated(Image(proxy), row)
            except InputError:
                score = None
            if score is not None:
                scores.append(score)
        if progress is not None:
            progress(done, len(rows))
    state = {"assets": assets, "scores": scores, "model": searcher.model.version}
    store.set_state(STATE_KEY, state)
    return len(scores)


def summary(own: Sequence[float] | None, assets: int) -> dict[str, Any]:
    """What ``index info`` says of the calibration."""
    used = own is not None and assets >= MIN_ASSETS and len(own) >= MIN_SAMPLES
    return {
        "source": "own index" if used else "shipped",
        "samples": len(own) if used and own is not None else 0,
        "assets": assets,
    }
