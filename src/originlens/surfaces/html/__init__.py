"""Self-contained HTML reports of searches, comparisons and examinations.

One file, no external request, nothing executed but one inline script whose hash the page's own
Content-Security-Policy names. File names and metadata are hostile and always escaped.
"""

from __future__ import annotations

from originlens.surfaces.html.page import (
    ReportPage,
    compare_report,
    examine_report,
    originals_of,
    search_report,
)
from originlens.surfaces.html.views import Original, Originals

__all__ = [
    "Original",
    "Originals",
    "ReportPage",
    "compare_report",
    "examine_report",
    "originals_of",
    "search_report",
]
