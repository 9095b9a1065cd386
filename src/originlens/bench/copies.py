"""Copy detection as a task: references, questions made of them, and what systems answer.

The protocol is DISC21's (Douze et al. 2021, arXiv:2106.09672) on any folder of pictures: some are
enrolled, edited ones are asked, and so are pictures that are not enrolled (as they are). Every
picture has one role, drawn from its content, so that a file's name or place decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from originlens.bench import Matcher
from originlens.bench.chains import code_of, parse
from originlens.bench.draws import rng_of, shuffled
from originlens.bench.kinds import Kind
from originlens.bench.model_file import Spec
from originlens.bench.runner import Answer, content_of, key_of, version_of
from originlens.core.errors import OriginLensError, ReadError, StoreError
from originlens.core.image import Image
from originlens.core.registry import DEFAULT_DESCRIPTOR, make, method

#: Shares of the pictures that are asked without being enrolled, and that are hosts and donors.
_NEGATIVE, _OTHER = 0.25, 0.15
_OTHERS_EACH = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """A named edit: a chain of attacks, and whether its host is a reference, too.

    ``unseen`` marks one that nothing was fitted on. Edits of one name at several strengths, which
    ``strength`` then tells, are one edit in tables and a curve in charts.
    """

    name: str
    expression: str
    indexed_host: bool = False
    unseen: bool = False
    strength: float | None = None

    @classmethod
    def of(cls, kind: Kind) -> Edit:
        """A named kind as an edit of a task; a held-out one is unseen."""
        return cls(kind.name, str(kind.chain), kind.others == "indexed", kind.split == "held-out")


@dataclass(frozen=True, slots=True)
class Question:
    """A picture to ask about: a reference under an edit, or (``edit`` None) a stranger as it is."""

    picture: str
    edit: Edit | None = None
    others: tuple[str, ...] = ()
    seed: int = 0

    @property
    def key(self) -> str:
        """Names everything that the asked pixels depend on."""
        expression = "" if self.edit is None else self.edit.expression
        others = [content_of(path) for path in self.others]
        made = (expression, code_of(expression))
        return key_of(content_of(self.picture), *made, *others, self.seed)

    def image(self) -> Image:
        """The picture as it is asked, from its bytes."""
        original = Image.open(self.picture)
        if self.edit is None:
            return original
        others = [Image.open(path) for path in self.others]
        rng = np.random.default_rng(self.seed)
        made = parse(self.edit.expression).apply(original, rng, others=others)
        return Image(made.image.data, path=f"{self.edit.name}:{self.picture}")


@dataclass(frozen=True, slots=True)
class Task:
    """References to enrol and questions to ask."""

    references: tuple[str, ...]
    questions: tuple[Question, ...]


def task(
    pictures: Sequence[str],
    edits: Iterable[Edit],
    *,
    each: int,
    negatives: int,
    references: int,
    seed: int,
    distractors: Iterable[str] = (),
) -> Task:
    """Draw a task from pictures.

    Args:
        pictures: files; of those with equal bytes one is kept.
        edits: what is done to references.
        each: questions per edit at most.
        negatives: strangers at most.
        references: pictures enrolled at most, besides the distractors.
        seed: of every draw.
        distractors: files that are enrolled, too, and never asked about; not those with the bytes
            of one of the pictures.

    Raises:
        UsageError: fewer than eight different pictures.
    """
    paths = shuffled(pictures, seed)
    strangers = max(2, int(_NEGATIVE * len(paths)))
    others = max(1, int(_OTHER * len(paths)))
    hosts, asked = paths[:others], paths[others : others + strangers]
    enrolled = paths[others + strangers :][:references]
    questions = [
        _question(edit, path, enrolled if edit.indexed_host else hosts, seed)
        for edit in edits
        for path in _drawn(enrolled, each, f"{edit.name} {edit.strength}", seed)
    ]
    questions += [Question(path) for path in asked[:negatives]]
    known = {content_of(path) for path in paths}
    unique = {content_of(path): path for path in distractors}
    added = [path for content, path in unique.items() if content not in known]
    return Task((*enrolled, *added), tuple(questions))


def _drawn(paths: Sequence[str], count: int, name: str, seed: int) -> list[str]:
    rng = rng_of(seed, name)
    return [paths[i] for i in rng.permutation(len(paths))[:count]]


def _question(edit: Edit, path: str, pool: Sequence[str], seed: int) -> Question:
    rng = rng_of(seed, edit.expression, content_of(path))
    left = [p for p in pool if p != path]
    count = 1 if edit.indexed_host else min(_OTHERS_EACH, len(left))
    others = tuple(left[i] for i in rng.permutation(len(left))[:count])
    return Question(path, edit, others, int(rng.integers(2**31)))


def system(name: str) -> Matcher:
    """The matcher that a system's name stands for.

    That is a registered one, a model's spec (.toml), or ``descriptor/NAME``: a registered
    descriptor's vectors alone.

    Raises:
        UsageError: there is none of that name, or the spec is wrong.
    """
    if name.endswith(".toml"):
        Spec.read(name)  # a wrong one is told before any work
        made: Matcher = make("matcher", "descriptor", spec=name)
        return made
    kind, _, descriptor = name.partition("/")
    if kind == "descriptor" and descriptor:
        method("descriptor", descriptor)  # a wrong one is told before any work
        alone: Matcher = make("matcher", kind, descriptor=descriptor)
        return alone
    found: Matcher = make("matcher", name)
    return found


def version(name: str) -> str:
    """What answers of that system depend on besides the questions."""
    own = method("matcher", "descriptor")
    if name.endswith(".toml"):
        spec = Spec.read(name)
        return key_of(version_of(own), content_of(name), content_of(spec.model))
    kind, _, descriptor = name.partition("/")
    if kind == "descriptor":
        described = method("descriptor", descriptor or DEFAULT_DESCRIPTOR)
        return key_of(version_of(own), version_of(described))
    return version_of(method("matcher", name))


class AskMatchers:
    """Asks several matchers the same question: a :class:`~originlens.bench.runner.Worker`.

    Args:
        folders: what each matcher, by its registered name, made when it was enrolled.
        top: how many candidates are kept of each.
    """

    def __init__(self, folders: Mapping[str, str], *, top: int = 10) -> None:
        self._folders = dict(folders)
        self._top = top
        self._open: dict[str, Matcher] = {}

    def answer(self, question: tuple[str, Question]) -> Answer:
        """``{"matches", "directions", "ms", "error"}`` of (matcher, question).

        ``matches`` are [path, relation, score], ``directions`` what the matcher says of some of
        them, by path: who was made from whom.

        Raises:
            ReadError: what the matcher made when it was enrolled is gone or broken.
        """
        name, asked = question
        # Not within the try: it is no question's fault, and no answer to keep.
        matcher = self._matcher(name)
        try:
            image = asked.image()
            started = time.perf_counter()
            found = matcher.match(image, top=self._top)
        except OriginLensError as error:
            return {"matches": [], "directions": {}, "ms": None, "error": f"{error.type}: {error}"}
        ms = (time.perf_counter() - started) * 1e3
        return {
            "matches": [[m.path, m.relation, float(m.score)] for m in found],
            "directions": {m.path: m.direction for m in found if m.direction is not None},
            "ms": ms,
            "error": None,
        }

    def _matcher(self, name: str) -> Matcher:
        if name not in self._open:
            matcher = system(name)
            folder = self._folders[name]
            try:
                matcher.open(folder)
            except StoreError as error:
                raise ReadError(f"{folder}: {error}; remove this folder and run again") from error
            self._open[name] = matcher
        return self._open[name]


def row(name: str, question: Question, answer: Answer) -> dict[str, Any]:
    """One line of the results table.

    ``rank`` is the place of the picture that was edited (from 1; None: not among the candidates),
    ``found`` whether the matcher itself calls it a copy, ``called`` whether it calls any a copy.
    """
    matches = answer["matches"]
    places = [i for i, (path, *_) in enumerate(matches, start=1) if path == question.picture]
    is_negative = question.edit is None
    rank = places[0] if places and not is_negative else None
    copies = [path for path, relation, _ in matches if relation in ("copy", "identical")]
    return {
        "system": name,
        "edit": "" if question.edit is None else question.edit.name,
        "strength": None if question.edit is None else question.edit.strength,
        "unseen": bool(question.edit and question.edit.unseen),
        "picture": question.picture,
        "sha256": content_of(question.picture),
        "seed": question.seed,
        "negative": is_negative,
        "rank": rank,
        "found": not is_negative and question.picture in copies,
        "called": bool(copies),
        "score": None if rank is None else matches[rank - 1][2],
        "best": matches[0][0] if matches else None,
        "best_score": matches[0][2] if matches else None,
        "ms": answer["ms"],
        "error": answer["error"],
    }
