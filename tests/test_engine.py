"""examine(): questions, honesty about what was not examined, and the time budget."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import originlens
from originlens.core import registry
from originlens.core.errors import (
    CorruptImage,
    IndexMissing,
    MissingExtra,
    ReadError,
    UsageError,
)
from originlens.core.evidence import QUESTIONS, Evidence, Report
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


def picture(seed: int = 0) -> Image:
    """A textured picture that every method can look at."""
    rng = np.random.default_rng(seed)
    small = Pillow.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    small.resize((480, 320), Pillow.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    return Image(buffer.getvalue(), path="picture.jpg")


@pytest.fixture
def plugin() -> Iterator[type]:
    """A detector for "synthesis" whose behaviour a test sets; gone again afterwards."""
    registry.methods("detector")

    class Plugin:
        outcome: Evidence | Exception = Evidence("plugin", "synthetic", score=0.9, llr=1.5)
        seconds = 0.0
        started = threading.Event()
        stopped = threading.Event()

        def inspect(self, image: Image) -> Evidence:
            try:
                end = time.monotonic() + self.seconds
                self.started.set()
                while time.monotonic() < end:
                    time.sleep(0.02)
            finally:
                self.stopped.set()
            if isinstance(self.outcome, Exception):
                raise self.outcome
            return self.outcome

    card = Card(
        name="plugin",
        kind="detector",
        task="synthesis",
        claims="synthetic",
        paper="none: a test",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(1, 1),
        status="toy",
        scope="toy",
        fails_when="always",
        thresholds={"camera": 0.0, "synthetic": 0.8},
    )
    yield register(card)(Plugin)
    del registry._methods["detector", "plugin"]


def test_every_question_is_answered_or_said_to_be_open() -> None:
    report = originlens.examine(picture())
    assert tuple(report.verdicts) == QUESTIONS
    assert report.verdicts["metadata"].label == "absent"
    why = {s.method: s.why for s in report.skipped}
    for question in ("synthesis", "edits", "credentials", "watermark", "input_safety"):
        verdict = report.verdicts[question]
        assert verdict.label == "not-examinable"
        assert verdict.score is None and verdict.log10_lr is None
        assert why[question] == "not built in this release"
    assert report.verdicts["origin"].label == "not-examinable"
    assert "no index" in why["search"]
    assert report.image["width"] == 480 and report.image["path"] == "picture.jpg"
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert again.to_dict() == report.to_dict()


def test_only_limits_what_runs_and_what_appears(plugin: type) -> None:
    report = originlens.examine(picture(), only=["metadata"])
    assert list(report.verdicts) == ["metadata"]
    assert report.skipped == ()
    assert not plugin.started.is_set()
    assert list(originlens.examine(picture(), only="watermark").verdicts) == ["watermark"]


@pytest.mark.parametrize("only", [["metadta"], ["origin", "x"], []])
def test_unknown_questions_are_refused(only: list[str]) -> None:
    with pytest.raises(UsageError):
        originlens.examine(picture(), only=only)


@pytest.mark.parametrize("budget", [0, -1, float("nan")])
def test_budget_must_be_positive(budget: float) -> None:
    with pytest.raises(UsageError):
        originlens.examine(picture(), time_budget=budget)


def test_a_detector_that_is_too_slow_is_skipped_and_stopped(plugin: type) -> None:
    plugin.seconds = 30.0
    plugin.started.clear(), plugin.stopped.clear()
    begun = time.monotonic()
    report = originlens.examine(picture(), time_budget=1.0)
    assert time.monotonic() - begun < 2.0
    assert {"method": "plugin", "why": "time budget"} in [s.to_dict() for s in report.skipped]
    assert report.verdicts["synthesis"].label == "not-examinable"
    assert report.verdicts["synthesis"].details["why"] == "time budget"
    assert report.verdicts["metadata"].label == "absent", "cheap methods come first"
    assert plugin.stopped.wait(5), "it goes on working for nobody"
    assert not any(t.name == "deadline" and t.is_alive() for t in _settled())


def _settled() -> list[threading.Thread]:
    time.sleep(0.2)
    return threading.enumerate()


def test_slow_decoding_counts(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    # Few bytes, many pixels: reading is quick, decoding takes about a second.
    Pillow.new("RGB", (8000, 4900), (9, 99, 199)).save(path, compress_level=1)
    begun = time.monotonic()
    report = originlens.examine(path, only=["metadata"], time_budget=0.25)
    assert time.monotonic() - begun < 1.0
    assert {"method": "decode", "why": "time budget"} in [s.to_dict() for s in report.skipped]


def test_a_failing_detector_costs_only_its_own_answer(plugin: type) -> None:
    for outcome, told in (
        (ZeroDivisionError("by zero"), "failed: ZeroDivisionError: by zero"),
        (MissingExtra("torch", "torch"), "torch is not installed"),
    ):
        plugin.outcome = outcome
        report = originlens.examine(picture(), only=["synthesis", "metadata"])
        assert told in next(s.why for s in report.skipped if s.method == "plugin")
        assert report.verdicts["synthesis"].label == "not-examinable"
        assert report.verdicts["metadata"].label == "absent"


@pytest.mark.parametrize(("score", "label"), [(0.9, "synthetic"), (0.5, "camera")])
def test_a_detector_answers_by_the_thresholds_of_its_card(
    plugin: type, score: float, label: str
) -> None:
    plugin.outcome = Evidence("plugin", "synthetic", score=score, llr=1.5)
    verdict = originlens.examine(picture(), only=["synthesis"]).verdicts["synthesis"]
    assert (verdict.label, verdict.score, verdict.log10_lr) == (label, score, 1.5)
    assert verdict.strength == "moderate support"
    assert verdict.because[0].method == "plugin"


def test_unreadable_pictures_are_errors_whatever_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        originlens.examine(tmp_path / "absent.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(picture().data[:6000])
    with pytest.raises(CorruptImage):
        originlens.examine(cut, only=["metadata"])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of three pictures."""
    folder = tmp_path_factory.mktemp("originals")
    for seed in range(3):
        (folder / f"p{seed}.jpg").write_bytes(picture(seed).data)
    path = tmp_path_factory.mktemp("index") / "index"
    with originlens.Index(path, mode="w") as opened:
        assert all(event.error is None for event in opened.add([folder], workers=1))
    return path


def test_origin_comes_from_the_index(index: Path, tmp_path: Path) -> None:
    cropped = Image.from_array(picture(1).pixels[40:300, 30:400].copy(), path="cropped.png")
    with originlens.Index(index) as opened:
        report = originlens.examine(cropped, index=opened, maps=tmp_path / "maps")
    verdict = report.verdicts["origin"]
    assert verdict.label == "copy" and verdict.score == report.matches[0].probability
    assert report.matches[0].path.endswith("p1.jpg")
    assert next(e for e in report.evidence if e.method == "search").scope == "this index only"
    written = report.matches[0].diff_map
    assert written is not None and cropped.sha256 in written
    with Pillow.open(written) as change:
        assert change.size == (cropped.width, cropped.height) and change.mode == "L"


def test_origin_by_path_and_of_a_stranger(index: Path) -> None:
    report = originlens.examine(picture(9), index=index, only=["origin"])
    assert report.verdicts["origin"].label == "none"
    assert report.skipped == ()
    assert originlens.examine(picture(2), index=index).verdicts["origin"].label == "identical"


def test_a_missing_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        originlens.examine(picture(), index=tmp_path / "absent")
