"""Change maps of a search, written as files that its matches then name."""

from __future__ import annotations

from dataclasses import replace

from originlens.core import maps
from originlens.core.evidence import SearchResult
from originlens.core.maps import folder as folder


def write(result: SearchResult, where: str | None) -> SearchResult:
    """Write the change map of every verified match; the result then names the files."""
    if where is None:
        return result
    matches = tuple(
        match
        if match.change_map is None
        else replace(match, diff_map=maps.save(match.change_map, where, result.sha256, match.asset))
        for match in result.matches
    )
    return replace(result, matches=matches)
