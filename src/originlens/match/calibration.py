"""Which score an unrelated picture reaches by chance, learned from the user's own index.

``--max-false-positive-rate P`` asks: of queries that have no original here, at most a share P may
be called a copy. The best score of such a query depends on what the index holds (documents look
more alike than holidays) and a little on its size. So pictures of the index are searched with
themselves and their duplicates left out; the distribution of their best remaining score, the
*null*, gives the threshold. Few own samples fix its place and spread, while the shape of its tail
comes from the shipped null, measured on photographs (``train/decision``); own tail samples take
over as they become many. Below ``MIN_ASSETS`` assets the shipped null is used alone.
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
EVEN_ODDS = 0.0
"""Log-odds that suffice at rates of 1 % and more: of 638 unrelated queries 3 scored higher."""
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

    Args:
        model: carries the shipped null.
        rate: highest share of unrelated queries that may be called a copy.
        assets: number of live assets.
        own: best leave-one-out scores measured on this index, if any.
    """
    if not 0 < rate <= 1:
        raise ValueError(f"a false-positive rate lies in (0, 1], not {rate}")
    base = shipped_scores(model, assets)
    if rate >= 1:
        return float(-np.inf)
    highest = EVEN_ODDS if rate >= 0.01 else np.inf
    rate *= AIM
    shipped = _quantile(base, 1 - rate)
    if own is None or assets < MIN_ASSETS or len(own) < 40:
        return min(shipped, highest)
    mine = np.sort(np.asarray(own, dtype=np.float64))
    # Place and spread from the body, which few samples fix well; tail shape from the shipped null.
    centre, spread = _body(mine)
    base_centre, base_spread = _body(base)
    carried = centre + (shipped - base_centre) * spread / base_spread
    # The own quantile counts by the samples beyond it; 5 make it as good as the carried one.
    beyond = rate * len(mine)
    weight = beyond / (beyond + 5.0)
    return float(min(weight * _quantile(mine, 1 - rate) + (1 - weight) * carried, highest))


def _quantile(values: Scores, level: float) -> float:
    """Quantile with an exponential tail beyond the largest samples.

    Between samples it interpolates; above the 95 % point of few samples the mean excess
    extrapolates, so that a rate below 1/n is still answered (and is then an extrapolation).
    """
    n = len(values)
    if (1 - level) * n >= 3:
        return float(np.quantile(values, level, method="median_unbiased"))
    cut = float(np.quantile(values, 0.95))
    excess = values[values > cut] - cut
    mean = float(excess.mean()) if len(excess) else 0.5
    return cut + mean * float(np.log(0.05 / max(1 - level, 1e-9)))


def _body(values: Scores) -> tuple[float, float]:
    """Median and the distance from it to the 90 % point: robust place and upper spread."""
    middle, upper = np.quantile(values, [0.5, 0.9])
    return float(middle), max(float(upper - middle), 1e-3)


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
    used = own is not None and assets >= MIN_ASSETS and len(own) >= 40
    return {
        "source": "own index" if used else "shipped",
        "samples": len(own) if used and own is not None else 0,
        "assets": assets,
    }
