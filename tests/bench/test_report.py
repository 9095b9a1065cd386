"""Charts as SVG."""

from __future__ import annotations

import re

from originlens.bench.outcome import Chart, Series
from originlens.bench.report import svg

COLUMNS = ("called negative", "called positive", "not examinable")


def matrix() -> Chart:
    rows = (Series("camera (4)", COLUMNS, (0.75, 0.25, 0.0)), Series("gan (2)", COLUMNS, (0, 1, 0)))
    return Chart("Confusion", "matrix", "", "", rows)


def test_a_matrix_has_every_number_and_name() -> None:
    drawn = svg(matrix())
    words = re.findall(r"<text [^>]*>([^<]+)</text>", drawn)
    assert [w for w in words if w.endswith("%")] == ["75 %", "25 %", "0 %", "0 %", "100 %", "0 %"]
    assert {*COLUMNS, "camera (4)", "gan (2)"} <= set(words)


def test_a_matrix_is_readable_on_any_page() -> None:
    drawn = svg(matrix())
    # Every word follows the page's colour, and no shade is opaque enough to hide it.
    assert all('fill="currentColor"' in word for word in re.findall(r"<text [^>]*>", drawn))
    shades = [float(v) for v in re.findall(r"opacity: ([\d.]+)", drawn)]
    assert max(shades) == 0.75
    assert svg(matrix()) == drawn
