"""Forgeries and their counterparts, and comparators on edits with known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from originlens.bench.chains import parse
from originlens.bench.detection import Asked
from originlens.bench.metrics.pixel_f1 import PixelF1
from originlens.bench.outcome import Outcome, Setting
from originlens.bench.results import Value
from originlens.bench.suites._forgeries import forgeries
from originlens.core.image import Image
from originlens.core.registry import make
from originlens.testing import textured_image
from tests.support.photographs import photographs


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(10):
        (folder / f"{number}.png").write_bytes(textured_image(number, 150, 200).data)
    return sorted(str(path) for path in folder.glob("*.png"))


def test_a_counterpart_differs_in_nothing_but_the_edit(pictures: list[str]) -> None:
    made = [f for f in forgeries(pictures, 2, 5) if f.role != "benign"]
    pairs = list(zip(made[::2], made[1::2], strict=True))
    assert {f.is_reframed for f, _ in pairs} == {True, False}
    for forged, untouched in pairs:
        assert (forged.role, untouched.role) == ("forged", "untouched")
        assert forged.asked.afterwards == untouched.asked.afterwards
        first, second = forged.asked.shown(), untouched.asked.shown()
        size = (first.image.width, first.image.height)
        assert size == (second.image.width, second.image.height)
        assert first.image.jpeg is not None
        assert second.image.jpeg is not None
        assert first.image.jpeg.quality == second.image.jpeg.quality
        assert first.ignored is not None
        assert second.ignored is not None
        assert np.array_equal(first.ignored, second.ignored)
        assert first.mask is not None
        assert first.mask.any()
        assert second.mask is None


def test_forgeries_depend_on_contents_and_seed_alone(pictures: list[str]) -> None:
    keys = [f.asked.key for f in forgeries(pictures, 2, 5)]
    assert keys == [f.asked.key for f in forgeries(pictures, 2, 5)]
    assert keys != [f.asked.key for f in forgeries(pictures, 2, 6)]


def f1(comparator: str, asked: Asked) -> float:
    shown = asked.shown()
    evidence = make("comparator", comparator).compare(shown.image, Image.open(asked.picture))
    assert evidence.status == "ok"
    assert shown.mask is not None
    counted = np.ones(shown.mask.shape, bool) if shown.ignored is None else ~shown.ignored
    return PixelF1().measure(shown.mask[counted][None], evidence.heatmap[counted][None])


def test_after_a_turn_by_five_degrees_only_alignment_shows_the_edit(tmp_path: Path) -> None:
    path = tmp_path / "original.png"
    path.write_bytes(Image.from_array(photographs(480)["astronaut"]).data)
    turned = Asked(str(path), "text-replaced:0.5", "rotate:0.0278+jpeg:0.1", seed=4)
    in_place = Asked(str(path), "text-replaced:0.5", "jpeg:0.1", seed=4)
    assert f1("originlens", turned) > max(0.7, f1("absolute-difference", turned) + 0.25)
    assert f1("absolute-difference", in_place) > 0.6
    assert f1("ssim-map", in_place) > 0.6


def test_corners_of_a_turned_picture_are_no_edit() -> None:
    original = Image.from_array(photographs(480)["coffee"])
    turn = parse("rotate:0.0278")
    # A turn cuts the corners off or leaves them empty, as its draw has it.
    seed = next(k for k in range(20) if turn.apply(original, np.random.default_rng(k)).mask.any())
    edited = parse("text-replaced:0.5").apply(original, np.random.default_rng(1)).image
    turned, forged_ = (
        turn.apply(image, np.random.default_rng(seed)).image for image in (original, edited)
    )
    comparator = make("comparator", "originlens")
    plain, forged = (comparator.compare(Image(i.data), original) for i in (turned, forged_))
    assert plain.heatmap.mean() > 0.02  # the corners are lit: nothing of the original is there
    assert plain.score < comparator.card.thresholds["score"] < forged.score


@pytest.fixture(scope="module")
def measured(pictures: list[str], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    setting = Setting(
        tuple(pictures),
        str(tmp_path_factory.mktemp("work")),
        systems=("absolute-difference", "ela", "shortcut"),
        each=4,
        seed=1,
    )
    outcome: Outcome = make("suite", "edits").run(setting)
    return outcome


def test_the_two_tracks_stand_apart(measured: Outcome) -> None:
    systems = {t.title: [row[0] for row in t.rows] for t in measured.tables}
    assert systems["Systems, with the original"] == ["absolute-difference"]
    assert systems["Systems, blind"] == ["ela", "shortcut"]
    assert systems["Localisation, blind"] == ["ela"]
    assert measured.tables[0].title == "Systems, with the original"


def test_a_file_tells_nothing_of_the_forgery(measured: Outcome) -> None:
    blind = next(t for t in measured.tables if t.title == "Systems, blind")
    value = {row[0]: row[1] for row in blind.rows}["shortcut"]
    assert isinstance(value, Value)
    assert abs(value.value - 0.5) < 0.15


def test_trained_ones_are_asked_about_pictures_they_did_not_learn_from(measured: Outcome) -> None:
    asked = {
        name: {row["sha256"] for row in measured.rows if row["system"] == name}
        for name in ("ela", "shortcut")
    }
    assert asked["shortcut"] < asked["ela"]
    assert len(asked["shortcut"]) == 5


def test_rows_of_forgeries_have_pixel_metrics_and_counterparts_have_none(measured: Outcome) -> None:
    for row in measured.rows:
        if row["system"] == "ela":
            assert (row["f1"] is not None) == (row["role"] == "forged")
            assert 0 <= row["lit"] <= 1
