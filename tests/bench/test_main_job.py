"""The benchmark's own arithmetic: drift, F1, verdicts, profiles."""

from __future__ import annotations

import importlib
import io
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from originlens.bench.model_file import Spec

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


lines = load("_lines")
queries = load("_queries")


def test_verdicts_follow_the_goal() -> None:
    assert lines.Line("a", 0.95, goal=(">=", 0.95)).verdict == "PASS"
    assert lines.Line("a", 0.9499, goal=(">=", 0.95)).verdict == "FAIL"
    assert lines.Line("a", float("nan"), goal=("<=", 1)).verdict == "FAIL"
    assert lines.Line("a", 1.0).verdict == ""
    assert lines.Line("a", 0.2, goal=("<=", 0.1), passed=True).verdict == "PASS"
    text = lines.table([lines.Section("s", [lines.proportion("share", 1, 4, (">=", 0.5))])])
    assert "0.2500" in text
    assert "FAIL" in text


def test_drift_is_the_mean_distance_in_diagonals() -> None:
    true = np.array([[0.5, 0, 10], [0, 0.5, 20], [0, 0, 1]])
    found = true + np.array([[0, 0, 3], [0, 0, 4], [0, 0, 0]])
    mask = np.zeros((300, 400), bool)
    assert queries.drift(true, true, (400, 600), mask) == 0.0
    assert queries.drift(found, true, (400, 600), mask) == pytest.approx(5 / 500)
    assert queries.drift(found, true, (400, 600), ~mask) is None


def test_a_map_is_judged_at_its_fixed_threshold() -> None:
    mask = np.zeros((10, 10), bool)
    mask[:5] = True
    lit = np.where(mask, 128, 127).astype(np.uint8)
    assert queries.judge(lit, mask) == (1.0, 0.5)
    assert queries.judge(np.full((10, 10), 255, np.uint8), mask) == pytest.approx((2 / 3, 1.0))
    with pytest.raises(ValueError, match="change map"):
        queries.judge(lit[:5], mask)


def test_the_drawn_profile_is_wider_than_srgb() -> None:
    data = load("speed").wide_profile()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    red = Pillow.new("RGB", (1, 1), (0, 255, 0))
    shown = ImageCms.profileToProfile(red, profile, ImageCms.createProfile("sRGB"))
    assert shown is not None
    # P3 green lies outside sRGB: it clips to full green, mid values shift.
    grey = ImageCms.profileToProfile(
        Pillow.new("RGB", (1, 1), (128, 60, 60)), profile, ImageCms.createProfile("sRGB")
    )
    assert grey is not None
    assert grey.getpixel((0, 0))[0] > 132


def test_grouped_intervals_count_groups_not_questions() -> None:
    values = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0] * 5
    alone = lines.mean("a", values, 3)
    together = lines.grouped("a", values, [str(i // 3) for i in range(30)], 3, (">=", 0.5))
    assert (alone.value, together.value, together.verdict) == (0.5, 0.5, "PASS")
    assert together.high - together.low > alone.high - alone.low
    agreeing = lines.grouped("a", [1.0] * 30, [str(i // 3) for i in range(30)], 3)
    exact = lines.proportion("a", 10, 10)
    assert (agreeing.low, agreeing.high) == (exact.low, exact.high)
    assert lines.grouped("a", [], [], 3, (">=", 0.5)).verdict == "FAIL"


def test_a_copy_is_decided_right_by_its_first_candidate() -> None:
    right = load("whole_matcher").is_right
    asked = queries.Query("a.jpg", "crop-50")
    own, other = ("a.jpg", "copy", 5.0), ("b.jpg", "copy", 6.0)
    assert right(queries.Answer(asked, matches=[own, other]))
    assert not right(queries.Answer(asked, matches=[other, own]))
    assert not right(queries.Answer(asked, matches=[("a.jpg", "related", 5.0)]))
    assert not right(queries.Answer(asked))
    pasted = queries.Query("a.jpg", "pip-50-indexed", ("b.jpg",))
    assert right(queries.Answer(pasted, matches=[other, own]))


def test_every_kind_has_a_goal_in_the_copy_benchmark() -> None:
    matcher, kinds = load("whole_matcher"), load("quality").KINDS
    answers = [
        queries.Answer(queries.Query("a.jpg", kind.name), matches=[("a.jpg", "copy", 5.0)])
        for kind in kinds
    ]
    found = {line.name: line for line in matcher.recalls(answers, answers)}
    assert len(found) == len(kinds)
    goals = {line.goal for line in found.values()}
    assert goals == {(">=", 0.97), (">=", 0.9)}
    assert found["recall crop-12 (seen)"].goal == found["recall pip-10 (held-out)"].goal


@pytest.mark.parametrize("name", load("_drawn").DRAWERS)
def test_drawn_negatives_are_pictures(name: str) -> None:
    draw = load("_drawn").DRAWERS[name]
    first, again, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.shape[2] == 3
    assert np.array_equal(first, again)
    assert first.shape != other.shape
    spread = np.ptp(first.reshape(-1, 3), axis=0).max()
    assert spread <= 25 if name == "blank" else spread > 25


def test_a_model_file_alone_is_shown_what_sscd_wants(tmp_path: Path) -> None:
    alone = load("descriptor_alone")
    setting = queries.Setting("val", 7, True, 1, tmp_path, tmp_path)
    assert alone.given(setting) == []
    model = tmp_path / "sscd.onnx"
    model.write_bytes(b"")
    (spec,) = alone.given(replace(setting, model=str(model)))
    read = Spec.read(spec)
    assert (read.model, read.side, read.resize) == (str(model), 320, "squeeze")
    assert alone.given(replace(setting, model=spec)) == [spec]
