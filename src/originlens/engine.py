"""Chooses the methods that answer the questions about one picture, runs them, writes the Report.

The time budget. Start-up (modules, models, opening an index) comes first and is not counted. Then
everything that touches the picture runs as one piece of work with a deadline (see
:mod:`originlens.core.deadline`): decoding, detectors in the order of their cost, the search. When
the time is up the caller gets its report at once; what had not finished is skipped: "time budget".
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakSet

from originlens.core import maps as map_files
from originlens.core.deadline import run_within
from originlens.core.errors import (
    DecodeTimeout,
    InputError,
    MissingExtra,
    OriginLensError,
    UsageError,
)
from originlens.core.evidence import (
    QUESTIONS,
    Evidence,
    Match,
    Report,
    SearchResult,
    Skipped,
    Verdict,
    strength_in_words,
)
from originlens.core.image import Image
from originlens.core.registry import Card, Method, methods

if TYPE_CHECKING:
    from originlens.match.index import Index

    Originals: TypeAlias = Index | str | os.PathLike[str]

#: Seconds of wall time for one picture, decoding included.
TIME_BUDGET = 12.0
OUT_OF_TIME = "time budget"
NOT_BUILT = "not built in this release"
NO_INDEX = "no index of originals was given"


def examine(
    image: Image | str | os.PathLike[str],
    *,
    index: Originals | None = None,
    only: Iterable[str] | None = None,
    maps: str | os.PathLike[str] | None = None,
    time_budget: float = TIME_BUDGET,
    max_false_positive_rate: float = 0.01,
    name: str | None = None,
) -> Report:
    """Examine one picture.

    Args:
        image: a picture or its path (a path is read within the time budget).
        index: where originals live; without one "origin" is ``not-examinable``.
        only: questions to ask, keys of ``Report.verdicts``; all of them by default.
        maps: a folder for maps, made if absent.
        time_budget: seconds of wall time, decoding included; what does not fit is skipped.
        max_false_positive_rate: share in (0, 1] of unrelated pictures that may be called a copy.
        name: what the report calls the picture (default: its path verbatim).

    Raises:
        UsageError: ``only`` names an unknown question, or the budget is not positive.
        InputError: the picture cannot be read, or its header not within the budget.
        StoreError: the index cannot be used.
    """
    if not time_budget > 0:
        raise UsageError(f"time_budget is {time_budget}: give seconds above 0")
    questions = _asked(only)
    folder = map_files.folder(maps)
    originals, is_own = _opened(index) if "origin" in questions else (None, False)
    warm_up(originals)
    started = time.perf_counter()
    examination = _Examination(image, originals, questions, folder, max_false_positive_rate, is_own)
    run_within(time_budget, examination.run)
    return examination.report(name, started)


def _opened(index: Originals | None) -> tuple[Index | None, bool]:
    """The index, and whether it was opened here from its path."""
    from originlens.match.index import Index

    if index is None or isinstance(index, Index):
        return index, False
    return Index(index), True


_warm: WeakSet[Index] = WeakSet()


def warm_up(index: Index | None = None) -> None:
    """Load what the first examination would load, so that no picture's budget pays for it."""
    methods("detector")
    if index is not None and index not in _warm:
        index.searcher.warm_up()
        _warm.add(index)


def _asked(only: Iterable[str] | None) -> tuple[str, ...]:
    """The questions in the schema's order."""
    if only is None:
        return QUESTIONS
    wanted = [only] if isinstance(only, str) else list(only)
    unknown = [q for q in wanted if q not in QUESTIONS]
    if unknown or not wanted:
        raise UsageError(f"unknown question {unknown}: use some of {', '.join(QUESTIONS)}")
    return tuple(q for q in QUESTIONS if q in wanted)


@dataclass(slots=True)
class _Examination:
    """One picture's work and what it has found so far; only the worker thread writes it."""

    source: Image | str | os.PathLike[str]
    index: Index | None
    questions: tuple[str, ...]
    maps: str | None
    rate: float
    owns_index: bool
    image: Image | None = None
    evidence: list[Evidence] = field(default_factory=list)
    search: SearchResult | None = None
    skipped: list[Skipped] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    error: OriginLensError | None = None

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What is to be done, cheap things first: (method's name, work)."""
        detectors = sorted(
            (m for m in methods("detector") if m.card.task in self.questions),
            key=lambda m: ("pixels" in m.card.reads, m.card.cost.ms_per_mpx, m.card.name),
        )
        steps: list[tuple[str, Callable[[], None]]] = [
            (m.card.name, lambda m=m: self._inspect(m))  # type: ignore[misc]
            for m in detectors
        ]
        seen = sum("pixels" not in m.card.reads for m in detectors)
        steps.insert(seen, ("decode", self._decode))
        if "origin" in self.questions and self.index is not None:
            steps.append(("search", self._search))
        return steps

    def run(self) -> None:
        """Do every step until done or abandoned; the worker thread's body."""
        steps = self.steps()
        self.waiting = [name for name, _ in steps]
        try:
            self._open()
            for name, work in steps:
                work()
                self.waiting.remove(name)
        except OriginLensError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  a fault of ours costs one answer, not the report
            self.skipped.append(Skipped(self.waiting.pop(0), f"failed: {_told(error)}"))
        finally:
            if self.owns_index and self.index is not None:
                self.index.close()

    def _open(self) -> None:
        self.image = self.source if isinstance(self.source, Image) else Image.open(self.source)

    def _picture(self) -> Image:
        assert self.image is not None  # _open ran first
        return self.image

    def _decode(self) -> None:
        # A picture whose pixels are broken is an unreadable input, whatever was asked of it.
        self._picture().reduced(1)

    def _inspect(self, method: Method) -> None:
        begun = time.perf_counter()
        name = method.card.name
        try:
            found: Evidence = method.cls().inspect(self._picture())
        except (InputError, MissingExtra) as error:
            self.skipped.append(Skipped(name, str(error)))
        except Exception as error:  # noqa: BLE001  one method's fault must not cost the others' answers
            self.skipped.append(Skipped(name, f"failed: {_told(error)}"))
        else:
            self.evidence.append(replace(found, ms=(time.perf_counter() - begun) * 1e3))

    def _search(self) -> None:
        assert self.index is not None  # else it is no step
        self.search = self.index.search(
            self._picture(), max_false_positive_rate=self.rate, diff=True
        )

    def report(self, name: str | None, started: float) -> Report:
        """The report of what was found in time.

        Raises:
            OriginLensError: the input or the index could not be used.
        """
        if self.error is not None:
            raise self.error
        # Read before the results: what finishes in between is then in both, and told as found.
        waiting = tuple(self.waiting)
        image = self.image
        if image is None:
            raise DecodeTimeout(
                f"{os.fspath(self.source)!r}: could not be read in time; "  # type: ignore[arg-type]
                "give a larger time budget"
            )
        matches = self._matches()
        evidence = tuple(self.evidence)
        if self.search is not None:
            evidence = (_evidence_of_search(self.search, matches), *evidence)
        done = {e.method for e in evidence}
        late = tuple(name for name in waiting if name not in done)
        verdicts = {q: self._verdict(q, evidence, late) for q in self.questions}
        return Report(
            image={
                "path": name if name is not None else image.path,
                "sha256": image.sha256,
                "width": image.width,
                "height": image.height,
                "format": image.format,
            },
            verdicts=verdicts,
            evidence=evidence,
            skipped=self._all_skipped(late),
            matches=matches,
            versions=_versions(),
            ms=(time.perf_counter() - started) * 1e3,
        )

    def _matches(self) -> tuple[Match, ...]:
        """Candidates of the search; their change maps are files where a folder was given."""
        if self.search is None:
            return ()
        where = self.maps
        if where is None:
            return self.search.matches
        return tuple(
            match
            if match.change_map is None
            else replace(
                match,
                diff_map=map_files.save(
                    match.change_map, where, self._picture().sha256, match.asset
                ),
            )
            for match in self.search.matches
        )

    def _all_skipped(self, late: Sequence[str]) -> tuple[Skipped, ...]:
        """Everything that was asked for and not answered, with the reason."""
        skipped = [*self.skipped, *(Skipped(name, OUT_OF_TIME) for name in late)]
        if "origin" in self.questions and self.index is None:
            skipped.append(Skipped("search", NO_INDEX))
        built = {"origin", *(m.card.task for m in methods("detector"))}
        skipped += [Skipped(q, NOT_BUILT) for q in self.questions if q not in built]
        return tuple(skipped)

    def _verdict(self, question: str, evidence: Sequence[Evidence], late: Sequence[str]) -> Verdict:
        """The answer to one question from its own evidence."""
        if question == "origin":
            return self._origin(evidence)
        cards = {m.card.name: m.card for m in methods("detector") if m.card.task == question}
        found = tuple(e for e in evidence if e.method in cards and e.status != "failed")
        if not found:
            why = "its methods failed" if cards else NOT_BUILT
            return _not_examinable(question, OUT_OF_TIME if set(cards) & set(late) else why)
        return _metadata(found) if question == "metadata" else _strongest(question, found, cards)

    def _origin(self, evidence: Sequence[Evidence]) -> Verdict:
        if self.search is None:
            failed = [s.why for s in self.skipped if s.method == "search"]
            why = NO_INDEX if self.index is None else failed[0] if failed else OUT_OF_TIME
            return _not_examinable("origin", why)
        best = self.search.matches[0] if self.search.matches else None
        return Verdict(
            question="origin",
            label=self.search.decision,
            score=0.0 if best is None else best.probability,
            strength="" if best is None else _in_words(best.probability),
            because=tuple(e for e in evidence if e.method == "search"),
            would_change="An original that is not in this index cannot be found.",
            details={"asset": None if best is None else best.asset},
        )


def _evidence_of_search(result: SearchResult, matches: Sequence[Match]) -> Evidence:
    """The search as evidence: what its best candidate says."""
    best = matches[0] if matches else None
    return Evidence(
        method="search",
        claim="origin",
        score=0.0 if best is None else best.probability,
        explanation="The index holds nothing to compare with." if best is None else best.why,
        details={} if best is None else {"asset": best.asset, "inliers": best.inliers},
        ms=result.ms,
        scope="this index only",
    )


def _not_examinable(question: str, why: str) -> Verdict:
    """No answer, and why; a question with a map says that there is none."""
    details: dict[str, object] = {"why": why}
    if question == "edits":
        details["map"] = None
    strength = strength_in_words(None)
    return Verdict(question=question, label="not-examinable", strength=strength, details=details)


def _metadata(found: tuple[Evidence, ...]) -> Verdict:
    """``inconsistent`` if two statements exclude each other, else whether there is metadata."""
    if any(e.details.get("contradictions") for e in found):
        label = "inconsistent"
    elif any(e.claim == "metadata" and e.status == "ok" for e in found):
        label = "present"
    else:
        label = "absent"
    return Verdict(
        question="metadata",
        label=label,
        strength="statements of the file about itself; anyone can write them",
        because=found,
        would_change="Metadata is removed by most platforms and can be edited without a trace.",
    )


def _strongest(question: str, found: tuple[Evidence, ...], cards: Mapping[str, Card]) -> Verdict:
    """The strongest finding's answer; its card's thresholds name the score that earns a label."""
    weighed = [
        (abs(e.llr or 0.0), e.score, e) for e in found if e.score is not None and e.status == "ok"
    ]
    if not weighed:
        return _not_examinable(question, "; ".join(e.why for e in found if e.why))
    _, score, best = max(weighed, key=lambda w: w[:2])
    earned = [(t, label) for label, t in cards[best.method].thresholds.items() if t <= score]
    return Verdict(
        question=question,
        label=max(earned)[1] if earned else "inconclusive",
        score=score,
        log10_lr=best.llr,
        strength=strength_in_words(best.llr) if best.llr is not None else "",
        because=found,
        details={"map": best.map_path} if question == "edits" else {},
    )


def _in_words(probability: float) -> str:
    """A probability without false certainty at the ends."""
    if 0.0005 <= probability <= 0.9995:
        return f"calibrated probability {probability:.3f}"
    return f"calibrated probability {'above 0.999' if probability > 0.5 else 'below 0.001'}"


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"originlens": version("originlens")}
