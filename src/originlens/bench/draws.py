"""Draws that depend on contents and a seed only: a file's name or place decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from originlens.bench.runner import content_of, key_of
from originlens.core.errors import UsageError

_FEWEST = 8


def shuffled(pictures: Sequence[str], seed: int, *, fewest: int = _FEWEST) -> list[str]:
    """The files, one of those with equal bytes, in an order that contents and seed fix.

    Raises:
        UsageError: fewer than ``fewest`` different pictures.
    """
    unique = {content_of(path): path for path in sorted(pictures, reverse=True)}
    if len(unique) < fewest:
        raise UsageError(
            f"{len(unique)} different pictures are too few for a benchmark: give {fewest}"
        )
    drawn = sorted(unique, key=lambda sha: hashlib.sha256(f"{seed}:{sha}".encode()).digest())
    return [unique[sha] for sha in drawn]


def rng_of(*parts: object) -> np.random.Generator:
    """A generator of its own for whatever the texts of the parts name."""
    return np.random.default_rng(int(key_of(*parts), 16) % 2**63)
