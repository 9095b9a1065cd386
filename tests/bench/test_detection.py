"""Detection on sets with known answers: what solves them, what must not, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from originlens.bench.detection import Asked, Trial, available, examined, system
from originlens.bench.findings import Shown, finding
from originlens.bench.outcome import Outcome, Setting
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.bench.results import Value
from originlens.core.errors import MissingExtra, UsageError
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import make
from originlens.testing import textured_image
from tests.support.toy_sets import bmp, bright_corner, jpeg, png, toy

KINDS = ("comparator", "detector", "baseline")


def run(manifest: Manifest, work: Path, **options: object) -> Outcome:
    setting = Setting((), str(work), manifest=manifest, seed=3, **options)  # type: ignore[arg-type]
    outcome: Outcome = make("suite", "synthesis").run(setting)
    return outcome


def column(outcome: Outcome, name: str, table: int = 0) -> dict[str, object]:
    found = outcome.tables[table]
    at = found.columns.index(name)
    return {str(row[0]): row[at] for row in found.rows}


def auc(outcome: Outcome, name: str) -> float:
    value = column(outcome, "AUC, mean of cells")[name]
    assert isinstance(value, Value)
    return value.value


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Two generators that leave a bright corner; the same format everywhere."""
    folder = tmp_path_factory.mktemp("corner")
    made = toy(folder, np.random.default_rng(1), {"real": bmp, "fake": bright_corner})
    rows = [
        replace(row, generator=("a", "b")[number % 2] if row.label == "fake" else "")
        for number, row in enumerate(made.rows)
    ]
    return Manifest(tuple(rows), folder)


@pytest.fixture(scope="module")
def solved(corner: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(corner, tmp_path_factory.mktemp("work"), systems=("probe",))


def test_a_probe_solves_a_bright_corner_and_the_file_does_not(solved: Outcome) -> None:
    assert auc(solved, "probe") == pytest.approx(1.0, abs=0.01)
    assert auc(solved, "shortcut") == 0.5
    assert "warning" not in solved.facts
    assert solved.facts["grid"] == "leave-one-generator-out"


def test_every_cell_is_a_row_and_every_origin_a_line_of_the_confusion(solved: Outcome) -> None:
    assert list(column(solved, "cell", 1)) == ["without a", "without b"]
    matrix = next(c for c in solved.charts if c.kind == "matrix" and c.title.endswith("probe"))
    assert [s.name.rpartition(" (")[0] for s in matrix.series] == ["fake: a", "fake: b", "real"]
    for series in matrix.series:
        assert sum(series.y) == pytest.approx(1)
    called = {s.name[0]: s.y[1] for s in matrix.series}
    assert called["f"] > 0.8 > 0.2 > called["r"]


def test_test_rows_of_a_cell_are_of_the_generator_left_out(solved: Outcome) -> None:
    assert {(r["edit"], r["generator"]) for r in solved.rows if not r["negative"]} == {
        ("without a", "a"),
        ("without b", "b"),
    }


def test_a_leaky_set_is_solved_by_its_files_and_the_report_warns(tmp_path: Path) -> None:
    leaky = toy(tmp_path / "set", np.random.default_rng(2), {"real": jpeg, "fake": png})
    outcome = run(leaky, tmp_path / "work", systems=("shortcut",), grid="none")
    assert auc(outcome, "shortcut") == 1.0
    assert "leaks" in outcome.facts["warning"]
    audit = next(t for t in outcome.tables if t.title == "Shortcut audit")
    assert "leaks" in audit.note
    page = outcome.write(tmp_path / "out").read_text("utf-8")
    assert "this benchmark leaks" in page


def test_a_cell_with_a_problem_is_named_and_not_dropped(tmp_path: Path, corner: Manifest) -> None:
    rows = [
        replace(row, split="test" if row.generator == "a" or number % 2 else "train")
        for number, row in enumerate(corner.rows)
    ]
    # Nothing made by "a" can be trained on, so nothing is left to train on without "b".
    some = Manifest(tuple(r for r in rows if r.generator != "b" or r.split == "test"), corner.root)
    outcome = run(some, tmp_path, systems=("shortcut", "ela"))
    assert column(outcome, "problem", 1) == {
        "without a": "no positive rows to train on",
        "without b": "no positive rows to train on",
    }
    assert set(column(outcome, "shortcut", 1).values()) == {None}
    # What needs no training is judged all the same.
    assert all(isinstance(v, Value) for v in column(outcome, "ela", 1).values())
    assert column(outcome, "cells") == {"shortcut": "0 of 2", "ela": "2 of 2"}


def test_a_degradation_trains_on_untouched_pictures(tmp_path: Path, corner: Manifest) -> None:
    outcome = run(corner, tmp_path, systems=("probe",), grid="degradation:blur", each=12)
    assert len(outcome.tables[1].rows) == 6
    assert outcome.tables[1].rows[0][0] == "untouched"
    curve = next(c for c in outcome.charts if c.title == "AUC under blur")
    assert curve.series[0].x == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_a_second_run_and_one_that_was_cut_give_the_same(tmp_path: Path, corner: Manifest) -> None:
    few = run(corner, tmp_path / "whole", systems=("probe",), each=10)
    text = json.dumps(few.to_dict(), allow_nan=False)
    journal = (tmp_path / "whole" / "answers.jsonl").read_bytes()
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "answers.jsonl").write_bytes(journal[: len(journal) // 2])
    again = run(corner, tmp_path / "cut", systems=("probe",), each=10)
    # Times are measured anew.
    ms = few.tables[0].columns.index("ms p50")
    for first, second in zip(few.tables[0].rows, again.tables[0].rows, strict=True):
        assert first[:ms] == second[:ms]
    assert few.tables[1:] == again.tables[1:]
    assert (
        json.dumps(run(corner, tmp_path / "whole", systems=("probe",), each=10).to_dict()) == text
    )


def test_without_labels_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--data MANIFEST\.csv"):
        make("suite", "synthesis").run(Setting(("a.png",), str(tmp_path)))


def test_an_unknown_system_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="ssim-map"):
        system("no-such-thing", KINDS)


def test_a_system_that_lacks_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise MissingExtra("scikit-learn", "bench")

    monkeypatch.setattr("originlens.bench.baselines.shortcut.tree", absent)
    ready, missing = available([system("shortcut", KINDS), system("ela", KINDS)])
    assert [s.name for s in ready] == ["ela"]
    assert "scikit-learn" in missing["shortcut"]


def test_a_broken_picture_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "whole.png").write_bytes(textured_image(1).data)
    (tmp_path / "broken.png").write_bytes(textured_image(2).data[:400])
    asked = tuple(Asked(str(tmp_path / f"{name}.png")) for name in ("whole", "broken"))
    told = examined([system("ela", KINDS)], [Trial((), asked)], Setting((), str(tmp_path / "w")))
    whole, broken = told["ela"][0] or []
    assert whole["error"] is None
    assert broken["error"].startswith("CorruptImage")
    assert broken["called"] is None


def test_a_finding_counts_neither_corners_nor_the_changed_part_as_false_light() -> None:
    heat = np.zeros((10, 10), np.float32)
    heat[:2] = 1  # changed
    heat[9] = 1  # a corner that shows nothing
    heat[5, :6] = 1  # false
    mask, corner = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    mask[:2] = True
    corner[9] = True
    shown = Shown(Image.from_array(np.zeros((10, 10, 3), np.uint8)), mask, corner)
    told = finding(Evidence("m", "edits", score=0.4, heatmap=heat), 0.5, shown)
    assert told["lit"] == pytest.approx(6 / 70)
    assert told["f1"] == pytest.approx(2 * 20 / (2 * 20 + 6))
    assert told["called"] is False


@pytest.mark.parametrize(
    ("evidence", "called"),
    [
        (Evidence("m", "c", score=0.5), True),
        (Evidence("m", "c", score=0.9, llr=-1.0), False),
        (Evidence("m", "c", llr=0.2), True),
        (Evidence("m", "c"), None),
        (Evidence("m", "c", score=1.0, status="not-applicable", why="too small"), None),
    ],
)
def test_a_ratio_decides_before_a_score_and_what_is_not_examined_decides_nothing(
    evidence: Evidence, called: bool | None
) -> None:
    assert finding(evidence, 0.5)["called"] is called


def test_a_mask_of_another_size_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(textured_image(1, 60, 80).data)
    (tmp_path / "m.png").write_bytes(textured_image(1, 60, 60).data)
    manifest = Manifest(
        (Row("a.png", "fake", "m.png"), *(Row(f"{n}.png", "real") for n in range(9))), tmp_path
    )
    for n in range(9):
        (tmp_path / f"{n}.png").write_bytes(textured_image(n + 5, 60, 80).data)
    asked = Asked(str(manifest.file(manifest.rows[0])), mask=str(tmp_path / "m.png"))
    told = examined([system("ela", KINDS)], [Trial((), (asked,))], Setting((), str(tmp_path / "w")))
    assert "mask has not the size" in (told["ela"][0] or [])[0]["error"]
