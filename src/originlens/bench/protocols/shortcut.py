"""The shortcut audit: can the classes be told from the files without looking at a picture?

A small baseline (a decision tree of depth 4) is given nothing but metadata and size: format, width
and height, bytes per pixel, JPEG tables, quality and subsampling, container parts such as EXIF, ICC
or PNG text, bit depth, colour mode. What it reaches, any detector can reach by the same shortcut,
and a benchmark on which it does well measures the file format (Geirhos et al. 2020,
arXiv:2004.07780; Grommelt et al. 2024, arXiv:2403.17608).

AUC is that of cross-validation whose folds keep units whole, compared within folds. Its interval is
a bootstrap over units; its p-value comes from repeating the whole cross-validation with permuted
labels (units' labels where every unit has one class, else labels within units), so that it is valid
whatever the features. A benchmark leaks when the interval's lower end exceeds :data:`LEAK_AUC` and
the p-value is below :data:`LEAK_P`: with labels that mean nothing that happens to less than one in
a hundred. An AUC below 0.5 is no information either: where classes are balanced exactly in some
feature (as equalisation does), what is rarer in the folds trained on is commoner in the one held
out.

Files of equal bytes are reported too: with opposite labels one of them is wrong, which is a leak
whatever the features; in different groups they can be on both sides of a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.protocols._file_features import Features, columns, file_features, typical
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.bench.runner import content_of
from originlens.core.errors import InputError, MissingExtra, UsageError
from originlens.core.stats import bootstrap

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

#: A benchmark leaks when the lower end of the AUC's interval exceeds this ...
LEAK_AUC = 0.6
#: ... and the permutation p-value is below this.
LEAK_P = 0.01
#: Independent units that each class needs.
FEWEST_UNITS = 10

_FOLDS = 5
_DEPTH = 4
_ROUNDS = 500
#: Permutations as good as the truth after which no more are drawn.
_ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature alone: its cross-validated AUC, and what is typical of each class."""

    name: str
    auc: float
    negative: str
    positive: str


@dataclass(frozen=True, slots=True)
class ShortcutAudit:
    """What files alone tell about the class.

    ``auc`` in [0, 1] with its interval [``low``, ``high``] and ``p_value``; ``features`` by falling
    AUC (of equal ones the plainer first); ``failed`` are the rows that could not be read;
    ``duplicates`` are pairs of rows whose files have equal bytes, but whose labels or units differ.
    """

    auc: float
    low: float
    high: float
    p_value: float
    rows: int
    units: int
    features: tuple[Feature, ...]
    failed: tuple[tuple[Row, InputError], ...]
    duplicates: tuple[tuple[Row, Row], ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether files tell the classes, or a file stands there as both."""
        return self.files_tell or any(a.is_negative != b.is_negative for a, b in self.duplicates)

    @property
    def files_tell(self) -> bool:
        """Whether metadata and size alone tell the classes."""
        return self.low > LEAK_AUC and self.p_value < LEAK_P

    @property
    def warning(self) -> str:
        """The warnings in a sentence; empty where nothing leaks and no picture is there twice."""
        relabelled = [(a, b) for a, b in self.duplicates if a.label != b.label]
        regrouped = [(a, b) for a, b in self.duplicates if a.label == b.label]
        told = (
            self._of_files() if self.files_tell else "",
            _twice(relabelled, "labels", "correct or remove them"),
            _twice(regrouped, "groups", "give both one group"),
        )
        return "; ".join(filter(None, told))

    def _of_files(self) -> str:
        told = "; ".join(
            f"{feature.name} (AUC {feature.auc:.3f}; negative: {feature.negative}, "
            f"positive: {feature.positive})"
            for feature in self.features[:3]
            if feature.auc > LEAK_AUC
        )
        return (
            f"this benchmark leaks: metadata and size alone tell the classes with AUC "
            f"{self.auc:.3f} [{self.low:.3f}, {self.high:.3f}], p = {self.p_value:.3g}"
            + (f", by {told}" if told else "")
            + "; equalise it before you believe a detector"
        )


def _twice(pairs: Sequence[tuple[Row, Row]], what: str, remedy: str) -> str:
    if not pairs:
        return ""
    count = "1 picture is" if len(pairs) == 1 else f"{len(pairs)} pictures are"
    first, second = pairs[0]
    return (
        f"{count} there twice with different {what}, first: {first.path} and {second.path}: "
        f"{remedy}"
    )


def audit(
    manifest: Manifest,
    rng: np.random.Generator,
    *,
    at_most: int = 4000,
    permutations: int = 200,
) -> ShortcutAudit:
    """Audit a manifest of two classes.

    Args:
        manifest: rows with labels; positive and negative as ``Manifest.truth`` has them.
        rng: of the sample, folds, bootstrap and permutations.
        at_most: rows looked at; of more, whole units are sampled.
        permutations: of the labels; the smallest p-value is 1 / (permutations + 1).

    Raises:
        UsageError: a row without a label, labels of one class, or a class of fewer than
            :data:`FEWEST_UNITS` readable units.
        MissingExtra: scikit-learn is not installed.
    """
    # Refuses before the files are read, and names the row as it is counted there.
    manifest.require_both_classes()
    readable, files, failed = _looked_at(_sampled(manifest, rng, at_most))
    truth = readable.truth()
    units = np.unique(np.array(readable.units(), dtype=object).astype(str), return_inverse=True)[1]
    _check(truth, units, failed)
    matrices = columns(files)
    # One seed for every cross-validation: permuted labels shall differ in nothing else.
    seed = int(rng.integers(2**32))
    everything = _stacked(list(matrices.values()), len(files))
    scores, folds = _cross_validated(everything, truth, units, seed)
    auc = _auc(scores, truth, folds)
    low, high = bootstrap(
        np.column_stack([scores, truth, folds]),
        lambda drawn: _auc(drawn[:, 0], drawn[:, 1] > 0.5, drawn[:, 2]),
        rng,
        groups=list(units),
        rounds=_ROUNDS,
    )
    p_value = _p_value(everything, truth, units, seed, auc, permutations, rng)
    features = [
        _alone(name, matrix, files, truth, units, seed) for name, matrix in matrices.items()
    ]
    features.sort(key=lambda feature: -feature.auc)
    return ShortcutAudit(
        auc=auc,
        low=low,
        high=high,
        p_value=p_value,
        rows=len(files),
        units=len(set(units)),
        features=tuple(features),
        failed=failed,
        duplicates=_duplicates(readable),
    )


def _looked_at(
    manifest: Manifest,
) -> tuple[Manifest, list[Features], tuple[tuple[Row, InputError], ...]]:
    """The rows that can be read with their features, and the others with the reason of each."""
    kept: list[int] = []
    files: list[Features] = []
    failed = []
    for number, row in enumerate(manifest.rows):
        try:
            files.append(file_features(manifest.file(row)))
            kept.append(number)
        except InputError as error:
            failed.append((row, error))
    return manifest.take(kept), files, tuple(failed)


def _duplicates(manifest: Manifest) -> tuple[tuple[Row, Row], ...]:
    """Rows of equal bytes and another label or unit, each with the first row of these bytes."""
    known: dict[str, Row] = {}
    found = []
    for row in manifest.rows:
        first = known.setdefault(content_of(str(manifest.file(row))), row)
        if (row.label, row.unit) != (first.label, first.unit):
            found.append((first, row))
    return tuple(found)


def _p_value(
    matrix: npt.NDArray[np.float32],
    truth: Flags,
    units: Index,
    seed: int,
    auc: float,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Share of permutations that reach the AUC; ended early where that share is plainly large.

    The sequential test of Besag and Clifford (1991, Biometrika 78(2)): valid at every level.
    """
    reached = 0
    for done in range(1, permutations + 1):
        shuffled = _permuted(truth, units, rng)
        reached += _auc(*_with(matrix, shuffled, units, seed)) >= auc
        if reached == _ENOUGH:
            return reached / done
    return (1 + reached) / (1 + permutations)


def _sampled(manifest: Manifest, rng: np.random.Generator, at_most: int) -> Manifest:
    if len(manifest) <= at_most:
        return manifest
    units: dict[str, list[int]] = {}
    for number, unit in enumerate(manifest.units()):
        units.setdefault(unit, []).append(number)
    blocks = [units[name] for name in sorted(units)]
    taken: list[int] = []
    for position in rng.permutation(len(blocks)):
        if len(taken) + len(blocks[position]) <= at_most:
            taken += blocks[position]
    return manifest.take(sorted(taken))


def _check(truth: Flags, units: Index, failed: Sequence[tuple[Row, InputError]]) -> None:
    for name, rows in (("negative", ~truth), ("positive", truth)):
        count = len(set(units[rows]))
        if count < FEWEST_UNITS:
            lost = f"; {len(failed)} rows cannot be read, first: {failed[0][1]}" if failed else ""
            raise UsageError(
                f"{count} independent readable units are {name}: an audit needs {FEWEST_UNITS} "
                f"of each class{lost}"
            )


def _stacked(matrices: Sequence[npt.NDArray[np.float32]], rows: int) -> npt.NDArray[np.float32]:
    # Files without any difference still give one (constant) feature to learn nothing from.
    return np.hstack([np.zeros((rows, 1), np.float32), *matrices])


def _folds(truth: Flags, units: Index, seed: int) -> Index:
    """(N,) fold of each row: units kept whole, classes spread evenly."""
    count = int(units.max()) + 1
    share = np.bincount(units, weights=truth, minlength=count) / np.bincount(units)
    order = np.lexsort((np.random.default_rng(seed).random(count), share))
    fold = np.empty(count, dtype=np.intp)
    fold[order] = np.arange(count) % _FOLDS
    return fold[units]


def tree(matrix: npt.NDArray[np.float32], truth: Flags, *, balanced: bool = False) -> Any:
    """The audit's decision tree, fitted to (N, K) features and (N,) labels.

    ``balanced`` weighs the classes alike, which moves scores but hardly their order.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise MissingExtra("scikit-learn", "bench") from error
    made = DecisionTreeClassifier(
        max_depth=_DEPTH,
        min_samples_leaf=max(2, len(truth) // 50),
        class_weight="balanced" if balanced else None,
        random_state=0,
    )
    return made.fit(matrix, truth)


def _cross_validated(
    matrix: npt.NDArray[np.float32], truth: Flags, units: Index, seed: int
) -> tuple[Floats, Index]:
    """Out-of-fold scores and folds of the (N,) rows."""
    folds = _folds(truth, units, seed)
    scores = np.zeros(len(truth))
    for fold in range(_FOLDS):
        held = folds == fold
        seen = ~held
        if not held.any() or truth[seen].all() or not truth[seen].any():
            continue
        scores[held] = tree(matrix[seen], truth[seen]).predict_proba(matrix[held])[:, 1]
    return scores, folds


def _with(
    matrix: npt.NDArray[np.float32], truth: Flags, units: Index, seed: int
) -> tuple[Floats, Flags, Index]:
    scores, folds = _cross_validated(matrix, truth, units, seed)
    return scores, truth, folds


def _auc(scores: Floats, truth: Flags, folds: npt.NDArray[np.generic]) -> float:
    """Share of (positive, negative) pairs of a common fold in the right order, ties half.

    Scores of different folds come from different trees and are not compared.
    """
    from scipy.stats import rankdata

    right = pairs = 0.0
    for fold in np.unique(folds):
        here = folds == fold
        positives = int(truth[here].sum())
        negatives = int(here.sum()) - positives
        ranks = float(rankdata(scores[here])[truth[here]].sum())
        right += ranks - positives * (positives + 1) / 2
        pairs += positives * negatives
    return right / pairs if pairs else float("nan")


def _permuted(truth: Flags, units: Index, rng: np.random.Generator) -> Flags:
    """Labels exchanged as independence allows: between units of one class, else within units."""
    count = int(units.max()) + 1
    positives = np.bincount(units, weights=truth, minlength=count)
    sizes = np.bincount(units, minlength=count)
    pure = (positives == 0) | (positives == sizes)
    labels = positives > 0
    labels[pure] = rng.permutation(labels[pure])
    shuffled = labels[units]
    for unit in np.flatnonzero(~pure):
        rows = np.flatnonzero(units == unit)
        shuffled[rows] = rng.permutation(truth[rows])
    return shuffled


def _alone(
    name: str,
    matrix: npt.NDArray[np.float32],
    files: Sequence[Features],
    truth: Flags,
    units: Index,
    seed: int,
) -> Feature:
    auc = _auc(*_with(matrix, truth, units, seed))
    values = [features.get(name) for features in files]
    negative = [value for value, positive in zip(values, truth, strict=True) if not positive]
    positive = [value for value, positive in zip(values, truth, strict=True) if positive]
    return Feature(name, auc, typical(negative), typical(positive))
