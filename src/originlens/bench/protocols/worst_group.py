"""Figures by group, and the worst group that is large enough to be spoken of.

An average hides the camera, generator or source on which a method fails (Sagawa et al. 2020,
arXiv:1911.08731). The worst of many groups is worst partly by chance, so that its interval is
widened for the number of groups looked at (Bonferroni).

Rows of one unit (frames of a video, copies of an original) are not independent: for yes/no outcomes
the interval is Clopper-Pearson's at the effective sample size of the clusters (Korn and Graubard
1998, Survey Methodology 24(2)), for others a bootstrap over units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core.stats import bootstrap

Floats = npt.NDArray[np.float64]

#: Below this many independent units a group is listed, but never called the worst.
FEWEST_UNITS = 20


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """The mean outcome of a group with its interval; ``units`` are the independent ones.

    The interval is (-inf, inf) for outcomes that are not yes/no and of a single unit.
    """

    group: str
    value: float
    low: float
    high: float
    rows: int
    units: int


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Every group, lowest value first; ``worst`` is None where no group is large enough.

    The intervals of ``groups`` hold for each alone, that of ``worst`` for all groups at once.
    """

    groups: tuple[GroupFigure, ...]
    worst: GroupFigure | None
    too_small: tuple[str, ...]


def group_figures(
    outcomes: npt.ArrayLike,
    groups: Sequence[str],
    *,
    rng: np.random.Generator,
    units: Sequence[str] | None = None,
    at_least: int = FEWEST_UNITS,
    level: float = 0.95,
) -> GroupFigures:
    """Mean outcome by group.

    Args:
        outcomes: (N,) bool or float, larger = better (correct or not, IoU, 1 - error).
        groups: (N,) name of each row's group (a generator, source, camera, content class).
        rng: of the bootstrap, used for outcomes that are not yes/no.
        units: (N,) independent unit of each row (``Manifest.units``); every row by default.
        at_least: fewest units of a group that may be the worst.
        level: of the intervals, in (0, 1).

    Raises:
        ValueError: no rows, lengths that differ, an outcome that is not finite, or a level
            outside (0, 1).
    """
    values = np.asarray(outcomes, dtype=np.float64).ravel()
    labels = np.asarray(list(groups), dtype=object)
    members = np.asarray(list(range(len(values)) if units is None else units), dtype=object)
    if not len(values) or not len(values) == len(labels) == len(members):
        raise ValueError(f"{len(values)} outcomes, {len(labels)} groups, {len(members)} units")
    if not np.isfinite(values).all():
        raise ValueError("an outcome is not finite")
    if not 0 < level < 1:
        raise ValueError(f"a level lies in (0, 1), not {level}")
    rows = {name: labels == name for name in sorted(set(labels))}
    figures = [_figure(name, values[r], members[r], level, rng) for name, r in rows.items()]
    figures.sort(key=lambda figure: (figure.value, figure.group))
    large = [figure for figure in figures if figure.units >= at_least]
    worst = None
    if large:
        name = large[0].group
        together = 1 - (1 - level) / len(large)
        worst = _figure(name, values[rows[name]], members[rows[name]], together, rng)
    small = tuple(figure.group for figure in figures if figure.units < at_least)
    return GroupFigures(tuple(figures), worst, small)


def _figure(
    name: str,
    values: Floats,
    units: npt.NDArray[np.object_],
    level: float,
    rng: np.random.Generator,
) -> GroupFigure:
    index = np.unique(units.astype(str), return_inverse=True)[1]
    count = int(index.max()) + 1
    if np.isin(values, (0.0, 1.0)).all():
        low, high = _clustered_proportion(values, index, count, level)
    elif count == 1:
        # One unit says nothing about how units differ.
        low, high = float("-inf"), float("inf")
    else:
        low, high = bootstrap(
            values, lambda drawn: float(drawn.mean()), rng, groups=list(index), level=level
        )
    return GroupFigure(name, float(values.mean()), low, high, len(values), count)


def _clustered_proportion(
    values: Floats, index: npt.NDArray[np.intp], count: int, level: float
) -> tuple[float, float]:
    from scipy.stats import beta

    share = float(values.mean())
    size = _effective_size(values, index, count)
    tail = (1 - level) / 2
    hits = share * size
    low = 0.0 if share == 0 else float(beta.ppf(tail, hits, size - hits + 1))
    high = 1.0 if share == 1 else float(beta.ppf(1 - tail, hits + 1, size - hits))
    return low, high


def _effective_size(values: Floats, index: npt.NDArray[np.intp], count: int) -> float:
    """Number of independent yes/no outcomes that tell as much: from units up to rows.

    The ratio of the variance under independence to that of the mean over clusters (ratio
    estimator). Where neither can be estimated (all outcomes equal, one unit) the units count.
    """
    rows = len(values)
    share = float(values.mean())
    if count < 2 or share in (0.0, 1.0):
        return float(count)
    residuals = np.bincount(index, weights=values - share, minlength=count)
    variance = count / (count - 1) * float(np.sum(residuals**2)) / rows**2
    if variance == 0:
        return float(rows)
    return float(np.clip(share * (1 - share) / variance, min(count, rows), rows))
