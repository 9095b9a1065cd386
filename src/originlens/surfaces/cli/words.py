"""How numbers and findings read in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from originlens.core.evidence import Match

RELATION_STYLE = {"identical": "bold green", "copy": "green", "related": "yellow", "none": "dim"}
_DIRECTION = {
    "query-from-asset": "made from it",
    "asset-from-query": "it was made from this",
}


def percent(value: float) -> str:
    """A probability in percent that never rounds to certainty."""
    if value >= 0.9995:
        return "> 99.9 %"
    if value < 0.0005:
        return "< 0.1 %"
    return f"{100 * value:.1f} %"


def direction(match: Match) -> str:
    """Which of the two came first, in words; empty if not known."""
    return _DIRECTION.get(match.direction or "", "")


def level(match: Match) -> str:
    """How much of the original is repeated, with its interval; empty where it was not judged."""
    found = match.level
    if found is None:
        return ""
    interval = f"90 % of the time {found.low:.1f} to {found.high:.1f}"
    return f"{found.in_words()} ({found.value:.1f}; {interval})"


def edits(match: Match) -> str:
    """What was changed, as one line."""
    return "; ".join(edit.explanation.rstrip(".") for edit in match.edits)


def credit(meta: Mapping[str, Any]) -> str:
    """Whom the asset's metadata credits."""
    return _first(meta, "credit", "creator", "author", "copyright")


def licence(meta: Mapping[str, Any]) -> str:
    """The licence that the asset's metadata states."""
    return _first(meta, "licence", "license", "rights", "usage_terms")


def _first(meta: Mapping[str, Any], *keys: str) -> str:
    lower = {str(k).lower(): v for k, v in meta.items()}
    return next((str(lower[k]) for k in keys if lower.get(k)), "")
