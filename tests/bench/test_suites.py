"""Suites on sets with known answers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

from originlens.bench.outcome import Setting
from originlens.bench.results import Value
from originlens.bench.suites.robust_inputs import Decode
from originlens.core.errors import UsageError
from originlens.core.registry import make
from originlens.testing import textured_image


def recompressed(number: int, quality: int) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(textured_image(number).pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_hard_negatives_counts_views_called_copies(tmp_path):
    """Three subjects of different pictures, one whose views are one picture saved twice."""
    for subject in range(3):
        for view in range(3):
            folder = tmp_path / f"subject-{subject}"
            folder.mkdir(exist_ok=True)
            (folder / f"{view}.png").write_bytes(textured_image(10 * subject + view).data)
    (tmp_path / "copies").mkdir()
    for quality in (70, 90):
        (tmp_path / "copies" / f"{quality}.jpg").write_bytes(recompressed(50, quality))
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "distractor.png").write_bytes(textured_image(99).data)
    pictures = tuple(str(p) for p in tmp_path.rglob("*.*g"))
    outcome = make("suite", "hard-negatives").run(
        Setting(pictures, str(tmp_path / "work"), systems=("pdq",))
    )
    system, called, _, views, subjects = outcome.tables[0].rows[0]
    assert isinstance(called, Value)
    assert (system, views, subjects) == ("pdq", 7, 4)
    assert called.value == pytest.approx(1 / 7)
    wrong = [row for row in outcome.rows if row["negative"] and row["called"]]
    assert [Path(row["picture"]).parent.name for row in wrong] == ["copies"]
    assert outcome.facts["references"] == 5


def test_hard_negatives_needs_a_subject_with_two_views(tmp_path):
    (tmp_path / "a.png").write_bytes(textured_image(1).data)
    with pytest.raises(UsageError, match="folder per subject"):
        make("suite", "hard-negatives").run(
            Setting((str(tmp_path / "a.png"),), str(tmp_path / "work"), systems=("pdq",))
        )


def test_robust_inputs_tells_what_became_of_each_file(tmp_path):
    whole = recompressed(3, 80)
    (tmp_path / "good.jpg").write_bytes(whole)
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "words.jpg").write_bytes(b"these are words")
    (tmp_path / "empty.png").write_bytes(b"")
    files = (*(str(p) for p in tmp_path.glob("*.*g")), str(tmp_path / "missing.png"))
    outcome = make("suite", "robust-inputs").run(Setting(files, str(tmp_path / "work")))
    harm, outcomes = outcome.tables
    assert [row[1] for row in harm.rows] == [0, 0, 0, 0]
    assert dict(row[:2] for row in outcomes.rows) == {
        "decoded": 1, "CorruptImage": 1, "UnsupportedFormat": 2, "ReadError": 1,
    }  # fmt: skip
    by_name = {Path(row["file"]).name: row for row in outcome.rows}
    assert "cut.jpg" in by_name["cut.jpg"]["message"]
    assert by_name["good.jpg"]["mb"] > 10


def test_a_process_that_dies_is_a_crash(tmp_path, monkeypatch):
    """Signal 11, as a fault in native code would send."""
    monkeypatch.setattr(
        "originlens.bench.suites.robust_inputs._DECODE",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    )
    told = Decode().answer(str(tmp_path / "any"))
    assert told["outcome"] == "crash"
    assert "-11" in told["message"]


def test_hard_negatives_ranks_copies_among_look_alikes(tmp_path):
    """Look-alikes that are all but copies lower the ranking of copies; edits alone are above."""
    for subject in range(3):
        folder = tmp_path / f"subject-{subject}"
        folder.mkdir()
        (folder / "a.png").write_bytes(textured_image(subject).data)
        (folder / "b.jpg").write_bytes(recompressed(subject, 95))
    pictures = tuple(str(p) for p in tmp_path.rglob("*.*g"))
    outcome = make("suite", "hard-negatives").run(
        Setting(pictures, str(tmp_path / "work"), systems=("originlens", "pdq"), seed=2)
    )
    table, told = outcome.tables[1:]
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        assert (cells["copies"], cells["look-alikes"]) == (12, 3)
        assert cells["uAP"].value < cells["uAP without look-alikes"].value
        assert cells["R@P90"].value <= cells["R@P90 without look-alikes"].value
    assert [row[0] for row in told.rows] == ["originlens"]
    _, right, wrong, pairs = told.rows[0]
    assert pairs == 3
    assert right.value >= 0.5
    assert wrong.value == 0
