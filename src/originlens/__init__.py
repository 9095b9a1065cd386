"""OriginLens: ``git blame`` for an image.

Which original was this picture made from, and what was changed? Everything public is named here
and imported on first use, so that ``import originlens`` costs next to nothing.

>>> index = originlens.Index("archive", mode="w")              # doctest: +SKIP
>>> for event in index.add(["photos/"]): ...                   # doctest: +SKIP
>>> index.search("found.jpg").decision                         # doctest: +SKIP
'copy'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from originlens.core import errors
    from originlens.core.evidence import Edit, Evidence, Match, Report, SearchResult, Verdict
    from originlens.core.image import Image
    from originlens.engine import examine
    from originlens.match.compare import compare
    from originlens.match.index import Index

_HOMES = {
    "Edit": "originlens.core.evidence",
    "Evidence": "originlens.core.evidence",
    "Image": "originlens.core.image",
    "Index": "originlens.match.index",
    "Match": "originlens.core.evidence",
    "Report": "originlens.core.evidence",
    "SearchResult": "originlens.core.evidence",
    "Verdict": "originlens.core.evidence",
    "compare": "originlens.match.compare",
    "examine": "originlens.engine",
}

__all__ = [
    "Edit",
    "Evidence",
    "Image",
    "Index",
    "Match",
    "Report",
    "SearchResult",
    "Verdict",
    "__version__",
    "compare",
    "errors",
    "examine",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("originlens.core.errors")
    if name == "__version__":
        from importlib.metadata import version

        return version("originlens")
    if name not in _HOMES:
        raise AttributeError(f"module 'originlens' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
