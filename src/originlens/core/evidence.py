"""What methods find and what the engine concludes: Evidence, Match, Verdict, Report.

All types are frozen and slotted, know none of their producers, and go to JSON and back without
loss (heat maps travel as files, so ``to_dict`` carries only their path where one was written).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Relation = Literal["identical", "copy", "related", "none"]
Direction = Literal["query-from-asset", "asset-from-query"]
EvidenceStatus = Literal["ok", "not-applicable", "failed"]
FloatMap = npt.NDArray[np.float32]

SEARCH_SCHEMA = "search/1"
REPORT_SCHEMA = "report/1"
#: Keys of ``Report.verdicts`` in the order of the published schema.
QUESTIONS = (
    "origin",
    "synthesis",
    "edits",
    "credentials",
    "watermark",
    "metadata",
    "input_safety",
)


def finite(value: float | None) -> float | None:
    """``value`` as a JSON-safe float: ``None`` stays, NaN and infinities raise ``ValueError``."""
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written as JSON")
    return float(value)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One method's finding about one claim.

    ``llr`` is a log10 likelihood ratio, capped by the size of its calibration set; ``p_value`` is
    given where an exact one exists. ``heatmap`` and ``reliability`` are (H, W) float32 in [0, 1].
    """

    method: str
    claim: str
    score: float | None = None
    llr: float | None = None
    p_value: float | None = None
    status: EvidenceStatus = "ok"
    why: str = ""
    explanation: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    ms: float = 0.0
    calibration: str | None = None
    scope: str = "own weights"
    heatmap: FloatMap | None = None
    reliability: FloatMap | None = None
    map_path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; maps are named by ``map`` (a path) where one was written."""
        return {
            "method": self.method,
            "claim": self.claim,
            "score": finite(self.score),
            "llr": finite(self.llr),
            "p_value": finite(self.p_value),
            "status": self.status,
            "why": self.why,
            "explanation": self.explanation,
            "details": self.details,
            "ms": finite(self.ms),
            "calibration": self.calibration,
            "scope": self.scope,
            "map": self.map_path,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Evidence:
        """The inverse of :meth:`to_dict` (without pixels of maps)."""
        values = dict(data)
        values["map_path"] = values.pop("map", None)
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and self.to_dict() == other.to_dict()


@dataclass(frozen=True, slots=True)
class Edit:
    """A named difference between an original and its copy, with numbers and a sentence.

    ``name`` is one of crop, rotate, mirror, scale, stretch, perspective, border, embed, overlay,
    text, recolour, negative, greyscale, blur, sharpen, noise, recompress, region-replaced. ``box``
    is (left, top, right, bottom) in pixels of the EXIF-oriented picture that ``frame`` names.
    """

    name: str
    explanation: str
    value: float | None = None
    box: tuple[float, float, float, float] | None = None
    frame: Literal["query", "asset"] = "query"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "name": self.name,
            "explanation": self.explanation,
            "value": finite(self.value),
            "box": None if self.box is None else [float(v) for v in self.box],
            "frame": self.frame,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Edit:
        """The inverse of :meth:`to_dict`."""
        values = dict(data)
        if values.get("box") is not None:
            values["box"] = tuple(values["box"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class ReplicationLevel:
    """How much of an asset a query repeats, from 0 (unrelated) to 5 (the same picture).

    ``level`` is the most probable one, ``value`` the expected one, ``low`` to ``high`` a 90 %
    interval, all within [0, 5]; the last three are rounded to a tenth.
    """

    level: int
    value: float
    low: float
    high: float

    def in_words(self) -> str:
        """For people: ``level 4 of 5: most content replicated``."""
        return f"level {self.level} of 5: {_LEVELS[self.level]}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "level": self.level,
            "value": finite(self.value),
            "low": finite(self.low),
            "high": finite(self.high),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ReplicationLevel:
        """The inverse of :meth:`to_dict`."""
        return cls(data["level"], data["value"], data["low"], data["high"])


_LEVELS = (
    "nothing replicated",
    "a layout, a palette or the subject is alike",
    "little content replicated",
    "part of the content replicated",
    "most content replicated",
    "the same picture",
)


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """One asset of the index compared with a query.

    ``transform`` is a 3x3 float64 homography with ``H[2, 2] = 1`` that maps pixels of the full-size
    EXIF-oriented asset to pixels of the full-size EXIF-oriented query (x right, y down, centres at
    integers); ``None`` if unverified. ``coverage`` is the share of the query's area in [0, 1] that
    the asset explains. ``level`` is how much of the asset the query repeats, ``None`` where it was
    not judged: hash-only assets, and what a search calls ``none``. ``why`` says in words what
    decided, or what a non-match lacked. ``change_map`` is (H, W) uint8 of the query's size, 255 =
    changed or unexplained.
    """

    asset: str
    path: str
    relation: Relation
    score: float
    probability: float
    meta: dict[str, Any] = field(default_factory=dict)
    direction: Direction | None = None
    pdq_distance: int | None = None
    pdq_quality: int | None = None
    transform: npt.NDArray[np.float64] | None = None
    inliers: int = 0
    coverage: float = 0.0
    level: ReplicationLevel | None = None
    edits: tuple[Edit, ...] = ()
    why: str = ""
    diff_map: str | None = None
    change_map: npt.NDArray[np.uint8] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form of one element of ``search/1.matches``."""
        return {
            "asset": self.asset,
            "path": self.path,
            "meta": self.meta,
            "relation": self.relation,
            "direction": self.direction,
            "probability": finite(self.probability),
            "score": finite(self.score),
            "pdq_distance": self.pdq_distance,
            "pdq_quality": self.pdq_quality,
            "transform": None if self.transform is None else self.transform.tolist(),
            "inliers": self.inliers,
            "coverage": finite(self.coverage),
            "level": None if self.level is None else self.level.to_dict(),
            "edits": [edit.to_dict() for edit in self.edits],
            "why": self.why,
            "diff_map": self.diff_map,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Match:
        """The inverse of :meth:`to_dict` (without the pixels of the change map)."""
        values = dict(data)
        if values.get("transform") is not None:
            values["transform"] = np.asarray(values["transform"], dtype=np.float64)
        if values.get("level") is not None:
            values["level"] = ReplicationLevel.from_dict(values["level"])
        values["edits"] = tuple(Edit.from_dict(e) for e in values.get("edits", ()))
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and self.to_dict() == other.to_dict()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question, in words that do not promise more than the evidence.

    ``strength`` is a verbal step of an ENFSI-style scale (see :func:`strength_in_words`).
    ``details`` carries the keys that the question's contract adds (``decision``, ``map`` ...).
    """

    question: str
    label: str
    score: float | None = None
    log10_lr: float | None = None
    strength: str = ""
    because: tuple[Evidence, ...] = ()
    would_change: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``because`` names the evidence, whose bodies stand in ``report.evidence``."""
        return {
            "label": self.label,
            "score": finite(self.score),
            "log10_lr": finite(self.log10_lr),
            "strength": self.strength,
            "because": [e.to_dict() for e in self.because],
            "would_change": self.would_change,
            **self.details,
        }

    @classmethod
    def from_dict(cls, question: str, data: dict[str, Any]) -> Verdict:
        """The inverse of :meth:`to_dict`."""
        values = dict(data)
        keys = ("label", "score", "log10_lr", "strength")
        known = {key: values.pop(key) for key in keys if key in values}
        because = tuple(Evidence.from_dict(e) for e in values.pop("because", ()))
        would_change = values.pop("would_change", "")
        return cls(
            question=question, because=because, would_change=would_change, details=values, **known
        )


def strength_in_words(log10_lr: float | None) -> str:
    """Verbal step for a log10 likelihood ratio, after the ENFSI guideline (2015), table 1."""
    if log10_lr is None:
        return "not examinable"
    steps = (
        (0.3, "no support either way"),
        (1.0, "weak support"),
        (2.0, "moderate support"),
        (3.0, "moderately strong support"),
        (4.0, "strong support"),
        (6.0, "very strong support"),
    )
    magnitude = abs(log10_lr)
    word = next((w for limit, w in steps if magnitude < limit), "extremely strong support")
    return word if log10_lr >= 0 or magnitude < 0.3 else f"{word} for the opposite"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A method that did not run, and why."""

    method: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """JSON form."""
        return {"method": self.method, "why": self.why}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one picture's examination found (schema ``report/1``).

    ``image`` has path, sha256, width, height, format; ``verdicts`` holds the questions that ran.
    """

    image: dict[str, Any]
    verdicts: dict[str, Verdict]
    evidence: tuple[Evidence, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    matches: tuple[Match, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    ms: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``report/1``."""
        return {
            "schema": REPORT_SCHEMA,
            "image": self.image,
            "verdicts": {k: v.to_dict() for k, v in self.verdicts.items()},
            "evidence": [e.to_dict() for e in self.evidence],
            "skipped": [s.to_dict() for s in self.skipped],
            "matches": [m.to_dict() for m in self.matches],
            "versions": self.versions,
            "ms": finite(self.ms),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: the schema is not ``report/1``.
        """
        if data.get("schema") != REPORT_SCHEMA:
            raise ValueError(f"schema is {data.get('schema')!r}, expected {REPORT_SCHEMA!r}")
        return cls(
            image=data["image"],
            verdicts={k: Verdict.from_dict(k, v) for k, v in data["verdicts"].items()},
            evidence=tuple(Evidence.from_dict(e) for e in data["evidence"]),
            skipped=tuple(Skipped(**s) for s in data["skipped"]),
            matches=tuple(Match.from_dict(m) for m in data.get("matches", ())),
            versions=data.get("versions", {}),
            ms=data["ms"],
        )


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query (schema ``search/1``); ``decision`` is the best match's relation."""

    query: str
    sha256: str
    decision: Relation
    matches: tuple[Match, ...]
    ms: float

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``search/1``."""
        return {
            "schema": SEARCH_SCHEMA,
            "query": self.query,
            "sha256": self.sha256,
            "decision": self.decision,
            "matches": [m.to_dict() for m in self.matches],
            "ms": finite(self.ms),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SearchResult:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: the schema is not ``search/1``.
        """
        if data.get("schema") != SEARCH_SCHEMA:
            raise ValueError(f"schema is {data.get('schema')!r}, expected {SEARCH_SCHEMA!r}")
        return cls(
            query=data["query"],
            sha256=data["sha256"],
            decision=data["decision"],
            matches=tuple(Match.from_dict(m) for m in data["matches"]),
            ms=data["ms"],
        )
