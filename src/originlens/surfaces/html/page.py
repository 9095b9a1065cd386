"""The page itself: sections are written as they come, the hit list is put in front at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from originlens.core.errors import OriginLensError
from originlens.core.evidence import Match, Report, SearchResult
from originlens.core.image import Image, Pixels

if TYPE_CHECKING:
    from originlens.match.index import Index

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Original:
    """An asset's picture as far as it is at hand.

    ``pixels`` (h, w, 3) uint8 sRGB at any size, EXIF-oriented; ``size`` is the asset's full-size
    (height, width), which transforms and boxes refer to; ``note`` says where the pixels come from.
    """

    pixels: Pixels
    size: tuple[int, int]
    note: str = ""


#: Finds the picture of a match's asset; ``None`` where it is not at hand.
Originals = Callable[[Match], Original | None]


def originals_of(index: Index | None) -> Originals:
    """Pictures of assets: the indexed file where it still is, else the index's proxy."""
    raise NotImplementedError


class ReportPage:
    """Writes one report file; a context manager, so that sections can be added as results come.

    Memory stays flat in the number of inputs: each section is rendered and spooled at once. The
    file appears under its name only when the page is complete (an exception leaves nothing).

    Args:
        out: the HTML file to write; parent folders are created.
        kind: which question the page answers; chooses its title and wording.
        expected: how many inputs will be added: one gives a full page with large pictures, more
            a hit list with thumbnails that link to sections with smaller pictures.
        originals: finds the pictures of matched assets (default: opens ``match.path``).
    """

    def __init__(
        self,
        out: PathLike,
        *,
        kind: Literal["search", "compare", "examine"] = "search",
        expected: int = 1,
        originals: Originals | None = None,
    ) -> None:
        raise NotImplementedError

    def add(self, result: SearchResult | Report, image: Image | None = None) -> None:
        """Append a section; ``image`` is the query (default: opened from the result's path)."""
        raise NotImplementedError

    def add_error(self, name: str, error: OriginLensError) -> None:
        """Append an input that could not be read."""
        raise NotImplementedError

    def __enter__(self) -> ReportPage:
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raise NotImplementedError


def search_report(
    results: Iterable[SearchResult], out: PathLike, *, originals: Originals | None = None
) -> Path:
    """Write the page of one or many searches; queries are opened from ``result.query``."""
    raise NotImplementedError


def examine_report(
    reports: Report | Iterable[Report],
    out: PathLike,
    *,
    image: Image | None = None,
    originals: Originals | None = None,
) -> Path:
    """Write the page of one or many examinations (``image``: the picture of a single one)."""
    raise NotImplementedError


def compare_report(match: Match, query: Image, original: Image, out: PathLike) -> Path:
    """Write the page of a pairwise comparison, with the query's and the original's picture."""
    raise NotImplementedError
