"""The HTML report that ``--html`` asks for, written while the answers come."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from originlens.core.errors import OriginLensError, UsageError
from originlens.core.evidence import Report, SearchResult
from originlens.core.image import Image
from originlens.surfaces.cli.inputs import Inputs, Item
from originlens.surfaces.cli.streams import say

if TYPE_CHECKING:
    from originlens.match.index import Index


def check_report_file(file: str) -> None:
    """Find out before any work whether the report can be written.

    Raises:
        UsageError: the place is a folder, or its folder cannot be made or written.
    """
    parent = os.path.dirname(os.path.abspath(file))
    try:
        os.makedirs(parent, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--html {file}: {error.strerror}") from error
    if os.path.isdir(file) or not os.access(parent, os.W_OK):
        raise UsageError(f"--html {file}: no file can be written there; name another one")


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
        self._page, self._file = None, file
        if file is None:
            return
        check_report_file(file)
        from originlens.surfaces.html import ReportPage, originals_of

        page = ReportPage(file, kind=kind, expected=inputs.count(), originals=originals_of(index))
        self._page = stack.enter_context(page)

    def announce(self) -> None:
        """Say where the finished report is."""
        if self._file is not None:
            say(f"report: {self._file}")

    def add(self, item: Item, result: SearchResult | Report | OriginLensError) -> None:
        """Append one input."""
        if self._page is None:
            return
        if isinstance(result, OriginLensError):
            self._page.add_error(item.path, result)
        else:
            self._page.add(result, item.picture if isinstance(item.picture, Image) else None)
