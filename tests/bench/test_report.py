"""Charts as SVG."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from originlens.bench.outcome import Chart, Outcome, Series, read_rows
from originlens.bench.report import svg
from originlens.core.errors import ReadError

COLUMNS = ("called negative", "called positive", "not examinable")


def matrix() -> Chart:
    rows = (Series("camera (4)", COLUMNS, (0.75, 0.25, 0.0)), Series("gan (2)", COLUMNS, (0, 1, 0)))
    return Chart("Confusion", "matrix", "", "", rows)


def test_a_matrix_has_every_number_and_name() -> None:
    drawn = svg(matrix())
    words = re.findall(r"<text [^>]*>([^<]+)</text>", drawn)
    assert [w for w in words if w.endswith("%")] == ["75 %", "25 %", "0 %", "0 %", "100 %", "0 %"]
    assert {*COLUMNS, "camera (4)", "gan (2)"} <= set(words)


@pytest.mark.parametrize("keep", [0, 40, -9])
def test_broken_rows_are_told_by_file_and_remedy(tmp_path: Path, keep: int) -> None:
    rows = tuple({"system": "pdq", "rank": n, "found": True} for n in range(50))
    Outcome("copy-quick", {}, (), rows=rows).write(tmp_path)
    assert read_rows(tmp_path) == list(rows)
    path = tmp_path / "rows.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReadError, match=r"rows\.parquet: cannot be read .*do the run again"):
        read_rows(tmp_path)


def test_broken_rows_of_csv_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("system,rank\npdq,first\n")
    with pytest.raises(ReadError, match=r"rows\.csv: cannot be read .*do the run again"):
        read_rows(tmp_path)


def test_a_matrix_is_readable_on_any_page() -> None:
    drawn = svg(matrix())
    # Every word follows the page's colour, and no shade is opaque enough to hide it.
    assert all('fill="currentColor"' in word for word in re.findall(r"<text [^>]*>", drawn))
    shades = [float(v) for v in re.findall(r"opacity: ([\d.]+)", drawn)]
    assert max(shades) == 0.75
    assert svg(matrix()) == drawn
