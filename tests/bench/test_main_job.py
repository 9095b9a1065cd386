"""The benchmark's own arithmetic: drift, F1, verdicts, profiles."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

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
