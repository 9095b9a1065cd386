"""Chooses the methods that answer the questions about one picture, runs them, writes the Report."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from originlens.core.evidence import Report
from originlens.core.image import Image

if TYPE_CHECKING:
    from originlens.match.index import Index

TIME_BUDGET = 12.0


def examine(
    image: Image | str | os.PathLike[str],
    *,
    index: Index | str | os.PathLike[str] | None = None,
    only: Iterable[str] | None = None,
    maps: str | os.PathLike[str] | None = None,
    time_budget: float = TIME_BUDGET,
    max_false_positive_rate: float = 0.01,
    name: str | None = None,
) -> Report:
    """Examine one picture.

    Args:
        image: a picture or its path (a path is decoded within the time budget).
        index: where originals live; without one "origin" is ``not-examinable``.
        only: questions to ask, keys of ``Report.verdicts``; all of them by default.
        maps: a folder for maps, created if needed.
        time_budget: seconds of wall time, decoding included; what does not fit is skipped.
        max_false_positive_rate: as in search.
        name: what the report calls the picture (default: its path verbatim).

    Raises:
        UsageError: ``only`` names an unknown question, or the budget is not positive.
        InputError: the picture cannot be read.
        StoreError: the index given cannot be used.
    """
    raise NotImplementedError
