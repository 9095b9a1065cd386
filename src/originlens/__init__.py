"""OriginLens: ``git blame`` for an image.

``Index`` keeps originals and finds where a picture comes from, ``compare`` looks at two pictures,
``examine`` writes the whole report of one. Names load on first use, so ``import originlens`` is
cheap and has no effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from originlens.core.image import Image
    from originlens.engine import examine
    from originlens.match.index import Index
    from originlens.match.search import compare

__version__ = "0.1.0.dev0"

__all__ = ["Image", "Index", "compare", "examine", "__version__"]

_HOMES = {
    "Image": "originlens.core.image",
    "Index": "originlens.match.index",
    "compare": "originlens.match.search",
    "examine": "originlens.engine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
