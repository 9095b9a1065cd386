"""Metadata and size alone: a decision tree that never looks at a picture.

Paper: Geirhos et al. 2020, Shortcut learning in deep neural networks (arXiv:2004.07780); Grommelt
et al. 2024, Fake or JPEG? (arXiv:2403.17608). Why it works: real and generated pictures of a data
set mostly differ in format, quality and size, and any detector can learn that. When it fails: the
classes were equalised, which is what it is here to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.baselines._fitting import both_classes, fitted
from originlens.bench.protocols._file_features import Column, Features, features_of, learned
from originlens.bench.protocols.shortcut import tree
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


@register(
    Card(
        name="shortcut",
        kind="baseline",
        task="synthesis, edits",
        claims="the class, from format, size, quality and metadata",
        paper="Geirhos et al. 2020 (arXiv:2004.07780); Grommelt et al. 2024 (arXiv:2403.17608)",
        code_licence="Apache-2.0",
        reads=("bytes",),
        cost=Cost(0.2, 80.0, "once fitted; with scikit-learn", per="file"),
        status="stable",
        scope="fitted on each benchmark's own training rows",
        fails_when="the classes do not differ in their files, as they should not",
        extra="bench",
        thresholds={"score": 0.5},
    )
)
class Shortcut:
    """The tree of :mod:`originlens.bench.protocols.shortcut`; the score is its class-balanced
    probability."""

    def __init__(self) -> None:
        self._columns: list[Column] = []
        self._tree: Any = None

    def features(self, image: Image) -> dict[str, float | str]:
        """Format, size, coding and container parts by name."""
        return features_of(image)

    def fit(self, features: Sequence[Features], truth: npt.NDArray[np.bool_]) -> None:
        """Fit the tree; see :class:`originlens.bench.Trainable`."""
        both_classes(truth)
        self._columns = learned(features)
        self._tree = tree(self._matrix(features), truth, balanced=True)

    def judge(self, features: Features) -> Evidence:
        """The share of positives in the leaf; see :class:`originlens.bench.Trainable`."""
        score = fitted(self._tree, "shortcut").predict_proba(self._matrix([features]))[0, 1]
        return Evidence("shortcut", "the class, from the file alone", score=float(score))

    def inspect(self, image: Image) -> Evidence:
        """:meth:`judge` the features of a picture."""
        return self.judge(self.features(image))

    def _matrix(self, files: Sequence[Features]) -> npt.NDArray[np.float32]:
        return np.hstack([column.of(files) for column in self._columns])
