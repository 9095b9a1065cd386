"""The HTML report that ``--html`` asks for, written while the answers come."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from originlens.core.errors import OriginLensError
from originlens.core.evidence import Report, SearchResult
from originlens.core.image import Image
from originlens.surfaces.cli.inputs import Inputs, Item
from originlens.surfaces.cli.streams import say

if TYPE_CHECKING:
    from originlens.match.index import Index


class Page:
    """A report file, or nothing where none was asked for; complete when ``stack`` is left."""

    def __init__(
        self,
        file: str | None,
        kind: Literal["search", "examine"],
        inputs: Inputs,
        index: Index | None,
        stack: ExitStack,
    ) -> None:
        self._page = None
        if file is None:
            return
        from originlens.surfaces.html import ReportPage, originals_of

        stack.callback(say, f"report: {file}")
        page = ReportPage(file, kind=kind, expected=inputs.count(), originals=originals_of(index))
        self._page = stack.enter_context(page)

    def add(self, item: Item, result: SearchResult | Report | OriginLensError) -> None:
        """Append one input."""
        if self._page is None:
            return
        if isinstance(result, OriginLensError):
            self._page.add_error(item.path, result)
        else:
            self._page.add(result, item.picture if isinstance(item.picture, Image) else None)
