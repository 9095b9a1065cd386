"""The parts of a section: pictures at hand, a candidate drawn over the query, marks and boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from originlens.core.errors import InputError
from originlens.core.evidence import Edit, Match
from originlens.core.image import Image, Pixels
from originlens.surfaces.html import pictures, words
from originlens.surfaces.html.pictures import Picture, Size


@dataclass(frozen=True, slots=True)
class Original:
    """An asset's picture as far as it is at hand.

    ``pixels`` (h, w, 3) uint8 sRGB at any size, EXIF-oriented; ``size`` is the asset's full-size
    (height, width), which transforms and boxes refer to; ``note`` says where the pixels come from.
    """

    pixels: Pixels
    size: Size
    note: str = ""


#: Finds the picture of a match's asset; ``None`` where it is not at hand.
Originals = Callable[[Match], Original | None]


@dataclass(frozen=True, slots=True)
class Scale:
    """How large pictures may be on this page: longest side in pixels, bytes of one photograph."""

    long_side: int
    bytes: int
    full: int

    @classmethod
    def of(cls, inputs: int) -> Scale:
        """Pictures shrink as the page grows, so that 200 queries stay below some 40 MB."""
        if inputs <= 1:
            return cls(1024, 320_000, 3)
        if inputs <= 12:
            return cls(800, 150_000, 2)
        return cls(560, 45_000, 1)


@dataclass(frozen=True, slots=True)
class Query:
    """The picture asked about: its id on the page, and its encoded picture if it can be shown."""

    id: str
    pic: Picture | None
    size: Size | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture that the page defines once and draws by its id."""

    id: str
    pic: Picture


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or a numbered box over a picture, in the picture's full-size frame."""

    kind: str
    points: str = ""
    number: int | None = None
    x: float = 0.0
    y: float = 0.0
    r: float = 0.0

    @property
    def font(self) -> float:
        """Size of the number's letters."""
        return round(self.r * 1.3, 2)


@dataclass(frozen=True, slots=True)
class MatchView:
    """A candidate as the page shows it."""

    id: str
    match: Match
    name: str
    chip: str
    why: str
    probability: str
    rows: list[words.Row]
    credits: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    edits: tuple[Edit, ...]
    caption: str = ""
    original: Picture | None = None
    aligned: Picture | None = None
    overlay: Picture | None = None
    query_marks: tuple[Mark, ...] = ()
    asset_marks: tuple[Mark, ...] = ()

    @property
    def stored(self) -> list[Stored]:
        """The pictures to define before they are drawn."""
        named = ((self.id, self.original), (f"{self.id}-aligned", self.aligned))
        every = (*named, (f"{self.id}-map", self.overlay))
        return [Stored(key, pic) for key, pic in every if pic is not None]


@dataclass(slots=True)
class Section:
    """One input's part of the page (search, compare or examine)."""

    id: str
    template: str
    name: str
    query: Query
    heading: str = "h1"
    kind: str = ""
    title: str = ""
    lead: str = ""
    tail: str = ""
    sentence: str = ""
    relation: str = "none"
    chip: str = ""
    back: bool = False
    expanded: bool = False
    best: MatchView | None = None
    more: list[MatchView] = field(default_factory=list)
    others: list[MatchView] = field(default_factory=list)
    files: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    verdicts: list[dict[str, str]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    rows: list[words.Row] = field(default_factory=list)


def query_of(key: str, image: Image | None, scale: Scale) -> Query:
    """The query's picture, encoded; nothing where it cannot be decoded."""
    if image is None:
        return Query(f"{key}-q", None, None)
    size = (image.height, image.width)
    try:
        pixels = pictures.of_image(image, scale.long_side)
    except InputError:
        return Query(f"{key}-q", None, None)
    shown = pictures.photograph(pixels, size, scale.long_side, budget=scale.bytes)
    return Query(f"{key}-q", shown, size)


def match_view(
    key: str, match: Match, query: Query, originals: Originals, scale: Scale, *, small: bool = False
) -> MatchView:
    """A candidate with its pictures; ``small`` ones get a thumbnail only."""
    original = originals(match)
    view: dict[str, Any] = {
        "id": key,
        "match": match,
        "name": words.name_of(match),
        "chip": words.RELATIONS[match.relation],
        "why": words.sentence(match.why) or "No reason was recorded.",
        "probability": words.probability(match.probability),
        "rows": words.rows_of_match(match),
        "credits": words.credits_of(match.meta),
        "facts": _facts_of(match, original),
        "edits": tuple(replace(e, explanation=words.sentence(e.explanation)) for e in match.edits),
    }
    if original is not None:
        long_side = 160 if small else scale.long_side
        view["original"] = pictures.photograph(
            original.pixels, original.size, long_side, budget=scale.bytes
        )
        kind = "Candidate" if match.relation == "none" else "Original"
        view["caption"] = f"{kind}, {original.note}" if original.note else kind
    if not small:
        view |= _over_the_query(match, query, original, scale)
    return MatchView(**view)


def _over_the_query(
    match: Match, query: Query, original: Original | None, scale: Scale
) -> dict[str, Any]:
    """Everything drawn in a common frame: aligned original, change map, boxes and outlines."""
    import numpy as np

    found: dict[str, Any] = {}
    if match.change_map is not None:
        found["overlay"] = pictures.change_overlay(match.change_map, scale.long_side)
    if query.size is None:
        return found
    query_marks = _boxes(match.edits, "query", query.size)
    if match.transform is not None and original is not None:
        drawn = pictures.aligned(
            original.pixels, original.size, match.transform, query.size, scale.long_side
        )
        found["aligned"] = pictures.photograph(
            drawn, query.size, scale.long_side, budget=scale.bytes
        )
        query_marks = (*_outline(match.transform, original.size, query.size), *query_marks)
        try:
            backwards = np.asarray(np.linalg.inv(match.transform), dtype=np.float64)
        except np.linalg.LinAlgError:
            backwards = None
        asset_marks = _boxes(match.edits, "asset", original.size)
        if backwards is not None:
            asset_marks = (*_outline(backwards, query.size, original.size), *asset_marks)
        found["asset_marks"] = asset_marks
    found["query_marks"] = query_marks
    return found


def _boxes(edits: Sequence[Edit], frame: str, size: Size) -> tuple[Mark, ...]:
    """Numbered boxes of the edits that have one in this frame; numbers are those of the list."""
    radius = max(size) / 42
    height, width = size
    marks = []
    for number, edit in enumerate(edits, start=1):
        if edit.box is None or edit.frame != frame:
            continue
        left, top, right, bottom = edit.box
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        x = min(max(left, radius), max(radius, width - radius))
        y = min(max(top, radius), max(radius, height - radius))
        marks.append(
            Mark("box", _points(corners), number, round(x, 1), round(y, 1), round(radius, 1))
        )
    return tuple(marks)


def _outline(transform: pictures.Matrix, size: Size, frame: Size) -> tuple[Mark, ...]:
    """The other picture's outline in this frame, unless it is (nearly) the frame itself."""
    corners = pictures.outline(transform, size)
    if corners is None:
        return ()
    height, width = frame
    slack = 0.01 * max(frame)
    own = ((-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5))
    near = all(any(abs(x - u) <= slack and abs(y - v) <= slack for u, v in own) for x, y in corners)
    inside = any(-slack < x < width + slack and -slack < y < height + slack for x, y in corners)
    if near or not inside:
        return ()
    return (Mark("outline", _points(corners)),)


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _facts_of(match: Match, original: Original | None) -> list[tuple[str, str]]:
    facts = [("file", match.path or "none: known by its hash only")]
    if match.asset not in (match.path, ""):
        facts.append(("asset", match.asset))
    if original is not None:
        facts.append(("size", f"{original.size[1]} × {original.size[0]} pixels"))
    return facts
