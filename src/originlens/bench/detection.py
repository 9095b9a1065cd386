"""Detection as a task: pictures, their truth, and what detectors, baselines and comparators answer.

A detector is asked about pictures one by one. A trained baseline is fitted in each cell of a grid
anew: its features of every picture are answers of their own, kept once, and a cell is then one more
question. What a system says itself ("called") and what a threshold makes of its score are kept
apart.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from originlens.bench.attacks._warp import carried
from originlens.bench.chains import code_of, parse
from originlens.bench.findings import Mask, Shown, failed, finding
from originlens.bench.model_file import ModelDetector, Spec
from originlens.bench.outcome import Setting
from originlens.bench.runner import Answer, Journal, answers, content_of, key_of, version_of
from originlens.core.errors import InputError, MissingExtra, OriginLensError, UsageError
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import make, method, methods


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture to ask about: a file as it is, or under chains of attacks.

    ``expression`` is what is to be detected, ``afterwards`` what was done to the whole picture
    then; each draws from a generator of its own, so that the latter is the same without the former.
    ``others`` are files that ``expression`` may draw from, ``seed`` is of the draws; ``mask`` is a
    file that shows what was changed in the file as it is ("" for none).
    """

    picture: str
    expression: str = ""
    afterwards: str = ""
    others: tuple[str, ...] = ()
    seed: int = 0
    mask: str = ""

    @property
    def key(self) -> str:
        """Names everything that the shown pixels and the truth about them depend on."""
        files = [content_of(path) for path in (self.picture, *self.others)]
        mask = content_of(self.mask) if self.mask else ""
        code = (code_of(self.expression), code_of(self.afterwards))
        return key_of("asked", self.expression, self.afterwards, *code, self.seed, mask, *files)

    def shown(self) -> Shown:
        """The picture, from its bytes, with the truth.

        Raises:
            InputError: a file cannot be read, or the mask has another size.
        """
        image = Image.open(self.picture)
        mask = self._mask(image)
        if self.expression:
            others = [Image.open(path) for path in self.others]
            rng = np.random.default_rng([self.seed, 0])
            made = parse(self.expression).apply(image, rng, others=others)
            image, mask = made.image, made.mask
        if not self.afterwards:
            return Shown(_from_bytes(image, self), mask)
        rng = np.random.default_rng([self.seed, 1])
        made = parse(self.afterwards).apply(image, rng)
        size = (made.image.height, made.image.width)
        mask = None if mask is None else carried(mask, made.transform, size)
        return Shown(_from_bytes(made.image, self), mask, made.mask)

    def _mask(self, image: Image) -> Mask | None:
        if not self.mask:
            return None
        mask = np.asarray(Image.open(self.mask).pixels.max(axis=2) > 127)
        if mask.shape != (image.height, image.width):
            raise InputError(f"{self.mask}: the mask has not the size of {self.picture}")
        return mask


def _from_bytes(image: Image, asked: Asked) -> Image:
    """The same picture as a file would give it."""
    steps = "+".join(filter(None, (asked.expression, asked.afterwards)))
    return Image(image.data, path=f"{steps}:{asked.picture}" if steps else asked.picture)


@dataclass(frozen=True, slots=True)
class System:
    """A system by name, ready to be made in any process.

    ``kind`` is "comparator", "detector" or "baseline"; ``threshold`` is the score from which on it
    calls a picture positive (a likelihood ratio decides at 1 instead, where it gives one);
    ``version`` names what its answers depend on.
    """

    name: str
    kind: str
    threshold: float
    version: str
    is_trained: bool

    def made(self) -> Any:
        """An instance."""
        if not self.name.endswith(".toml"):
            return make(self.kind, self.name)
        if self.kind == "baseline":
            return make("baseline", "probe", spec=self.name)
        return ModelDetector(self.name)


def system(name: str, kinds: Sequence[str]) -> System:
    """The system that a name stands for: a registered method of one of the kinds, or a spec.

    A spec (.toml) of a detector is that detector, one of a descriptor a linear probe on it.

    Raises:
        UsageError: there is none of that name, or the spec is wrong.
    """
    if name.endswith(".toml"):
        spec = Spec.read(name)
        own = version_of(method("baseline", "probe"))
        version = key_of(own, content_of(name), content_of(spec.model))
        if spec.task == "descriptor":
            return System(name, "baseline", 0.5, version, True)
        return System(name, "detector", spec.threshold, version, False)
    for kind in kinds:
        for found in methods(kind):
            if found.card.name == name:
                threshold = found.card.thresholds.get("score", 0.5)
                is_trained = hasattr(found.cls, "fit")
                return System(name, kind, threshold, version_of(found), is_trained)
    known = [m.card.name for kind in kinds for m in methods(kind)]
    raise UsageError(
        f"no system {name!r}: use one of {', '.join(known)}, or a model's spec (.toml)"
    )


def available(systems: Iterable[System]) -> tuple[list[System], dict[str, str]]:
    """Those that can work here, tried on a small picture, and why others cannot.

    Raises:
        UsageError: a model that cannot take what its spec says.
    """
    ready, missing = [], {}
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    image = Image.from_array(np.dstack([ramp, ramp.T, ramp[::-1]]))
    for found in systems:
        try:
            made = found.made()
            if found.is_trained:
                made.fit([made.features(image)] * 4, np.array([True, False, True, False]))
            else:
                _evidence(found.kind, made, image, image)
        except MissingExtra as error:
            missing[found.name] = str(error)
            continue
        ready.append(found)
    return ready, missing


def _evidence(kind: str, made: Any, image: Image, original: Image) -> Evidence:
    found: Evidence = made.compare(image, original) if kind == "comparator" else made.inspect(image)
    return found


class Examine:
    """Asks systems about pictures: a :class:`~originlens.bench.runner.Worker`.

    A question is a system and an :class:`Asked`; a trained one answers with its features. A
    comparator sees the file as the original.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def answer(self, question: tuple[System, Asked]) -> Answer:
        """:func:`finding` with ``ms``, or ``{"features", "ms", "error"}`` of a trained one."""
        found, asked = question
        try:
            shown = _shown(asked)
            image = shown.image
            image.pixels  # noqa: B018  decoding is no system's cost
            original = Image.open(asked.picture) if found.kind == "comparator" else image
            if found.name not in self._made:
                self._made[found.name] = found.made()
            made = self._made[found.name]
            started = time.perf_counter()
            if found.is_trained:
                features = made.features(image)
                ms = (time.perf_counter() - started) * 1e3
                return {"features": features, "ms": ms, "error": None}
            evidence = _evidence(found.kind, made, image, original)
            ms = (time.perf_counter() - started) * 1e3
            return {**finding(evidence, found.threshold, shown), "ms": ms}
        except MissingExtra:
            raise
        except OriginLensError as error:
            return {**failed(f"{error.type}: {error}"), "features": None, "ms": None}


@lru_cache(maxsize=4)
def _shown(asked: Asked) -> Shown:
    """Systems are asked about one picture one after the other: it is made once."""
    return asked.shown()


@dataclass(frozen=True, slots=True)
class Fit:
    """A trained system in one cell: keys of pictures with their truth, and of those to judge."""

    system: System
    train: tuple[tuple[str, bool], ...]
    test: tuple[str, ...]


class FitCells:
    """Fits and judges: a :class:`~originlens.bench.runner.Worker`.

    Args:
        features: by (system, key of a picture); those that failed are absent.
    """

    def __init__(self, features: Mapping[tuple[str, str], Any]) -> None:
        self._features = dict(features)

    def answer(self, question: Fit) -> Answer:
        """``{"answers": [...], "error"}``, an answer per picture to judge."""
        name = question.system.name
        known = [(key, t) for key, t in question.train if (name, key) in self._features]
        made = question.system.made()
        try:
            made.fit(
                [self._features[name, key] for key, _ in known],
                np.array([truth for _, truth in known], bool),
            )
        except UsageError as error:
            return {"answers": None, "error": str(error)}
        judged = [
            finding(made.judge(self._features[name, key]), question.system.threshold)
            if (name, key) in self._features
            else failed("its features could not be had")
            for key in question.test
        ]
        return {"answers": judged, "error": None}


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation: pictures to learn from, with their truth, and pictures to judge."""

    train: tuple[tuple[Asked, bool], ...]
    test: tuple[Asked, ...]


def examined(
    systems: Sequence[System], trials: Sequence[Trial], setting: Setting
) -> dict[str, list[list[Answer] | None]]:
    """The answers of every system to the test pictures of every trial, in their order.

    None where a trained system could not learn from the trial. Everything is kept in
    ``answers.jsonl`` of the setting's folder: a second run asks nothing.
    """
    questions = _questions(systems, trials)
    with Journal(Path(setting.folder) / "answers.jsonl") as journal:
        told = answers(
            Examine(), questions, journal, jobs=setting.jobs, progress=_told(setting, "examining")
        )
        by_name = {
            (found.name, asked.key): answer
            for (found, asked), answer in zip(questions.values(), told, strict=True)
        }
        features = {
            pair: answer["features"]
            for pair, answer in by_name.items()
            if answer.get("features") is not None
        }
        trained = [found for found in systems if found.is_trained]
        fits = {_fit_key(fit): fit for found in trained for fit in (_fit(found, t) for t in trials)}
        fitted = dict(
            zip(
                fits,
                answers(
                    FitCells(features),
                    fits,
                    journal,
                    jobs=setting.jobs,
                    progress=_told(setting, "fitting"),
                ),
                strict=True,
            )
        )
    result: dict[str, list[list[Answer] | None]] = {}
    for found in systems:
        if found.is_trained:
            per_trial = [_of_fit(found, trial, fitted, by_name) for trial in trials]
        else:
            per_trial = [[by_name[found.name, a.key] for a in trial.test] for trial in trials]
        result[found.name] = per_trial
    return result


def _questions(
    systems: Sequence[System], trials: Sequence[Trial]
) -> dict[str, tuple[System, Asked]]:
    tested = {asked.key: asked for trial in trials for asked in trial.test}
    learnt = {asked.key: asked for trial in trials for asked, _ in trial.train}
    questions = {}
    # Picture by picture, so that what one process has made serves all systems.
    for key, asked in (tested | learnt).items():
        for found in systems:
            if found.is_trained or key in tested:
                questions[key_of("examine", found.name, found.version, key)] = (found, asked)
    return questions


def _fit(found: System, trial: Trial) -> Fit:
    train = tuple((asked.key, truth) for asked, truth in trial.train)
    return Fit(found, train, tuple(asked.key for asked in trial.test))


def _fit_key(fit: Fit) -> str:
    return key_of("fit", fit.system.name, fit.system.version, fit.train, fit.test)


def _of_fit(
    found: System,
    trial: Trial,
    fitted: Mapping[str, Answer],
    by_name: Mapping[tuple[str, str], Answer],
) -> list[Answer] | None:
    """The cell's answers with the time that the picture's features took."""
    judged = fitted[_fit_key(_fit(found, trial))]["answers"]
    if judged is None:
        return None
    merged = []
    for asked, answer in zip(trial.test, judged, strict=True):
        seen = by_name[found.name, asked.key]
        merged.append({**answer, "ms": seen["ms"], "error": seen["error"] or answer["error"]})
    return merged


def _told(setting: Setting, what: str) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if setting.progress is not None:
            setting.progress(what, done, total)

    return progress


def label_of(name: str) -> str:
    """A system's name in tables: a spec's file without folder and suffix."""
    return os.path.basename(name).removesuffix(".toml")
