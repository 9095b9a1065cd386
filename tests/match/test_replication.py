"""The replication level falls as less is repeated, keeps its bounds and survives JSON."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from originlens.bench.chains import parse
from originlens.core.evidence import Match, ReplicationLevel
from originlens.core.image import Image
from originlens.match import Geometry, replication
from originlens.match.compare import compare
from originlens.match.index import Index

PICTURES = {"astronaut": data.astronaut, "coffee": data.coffee, "retina": data.retina}


def picture(name: str) -> Image:
    return Image.from_array(cv2.resize(PICTURES[name](), (480, 360), interpolation=cv2.INTER_AREA))


def after(expression: str, name: str) -> Match:
    original = picture(name)
    others = [picture(n) for n in PICTURES if n != name]
    rng = np.random.default_rng(3)
    return compare(parse(expression).apply(original, rng, others=others).image, original)


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_the_level_falls_as_less_is_repeated(name: str) -> None:
    order = ["jpeg:0.2", "crop:0.5+jpeg:0.2", "crop:0.5+paste:0.6+jpeg:0.2"]
    values = [after(expression, name).level for expression in order]
    found = [level.value for level in values if level is not None]
    assert found[0] > found[1] > found[2] > 1.0
    assert values[0] is not None and values[0].level == 5


def test_unrelated_pictures_repeat_nothing() -> None:
    level = compare(picture("astronaut"), picture("coffee")).level
    assert level is not None
    assert level.level == 0


def test_the_same_picture_is_level_five_for_certain() -> None:
    assert compare(picture("retina"), picture("retina")).level == replication.IDENTICAL


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 400)])
@pytest.mark.parametrize("value", [0, 255])
def test_flat_and_tiny_pictures_have_a_level(size: tuple[int, int], value: int) -> None:
    flat = Image.from_array(np.full((*size, 3), value, np.uint8))
    for query, original in ((flat, picture("coffee")), (picture("coffee"), flat)):
        level = compare(query, original).level
        assert level is not None
        assert level.low <= level.value <= level.high


def measured(transform: np.ndarray | None, query: np.ndarray, asset: np.ndarray) -> np.ndarray:
    pair = replication.Measured(
        (0.5, 0.6, 0.2), None, Geometry(transform), query, asset, (300, 400), (600, 500)
    )
    return replication.features(pair)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3), st.booleans())
def test_features_are_finite_and_the_distribution_sums_to_one(
    seed: int, spread: float, laid: bool
) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    transform = np.eye(3) + 10.0**spread * rng.normal(size=(3, 3)) * [[1], [1], [1e-4]]
    inputs = measured(transform if laid else None, *small)
    assert inputs.shape == (len(replication.FEATURES),)
    assert np.isfinite(inputs).all()
    probabilities = replication.shipped().distribution(inputs)
    assert probabilities.shape == (replication.LEVELS,)
    assert probabilities.sum() == pytest.approx(1.0)
    mean, deviation = replication.moments(probabilities)
    assert 0 <= mean <= 5 and 0 < deviation <= 2.5


def test_layout_is_compared_where_the_transform_lays_it() -> None:
    asset = cv2.resize(data.coffee(), (64, 64), interpolation=cv2.INTER_AREA)
    # The query shows the left half of the asset.
    query = cv2.resize(asset[:, :32], (64, 64), interpolation=cv2.INTER_LINEAR)
    half = np.diag([400 / 250, 300 / 600, 1.0])
    at = {name: i for i, name in enumerate(replication.FEATURES)}
    with_it, without = (measured(t, query, asset) for t in (half, None))
    assert with_it[at["laid_tone"]] > 0.9 > without[at["as_is_tone"]]
    assert without[at["laid_tone"]] == 0.0
    assert with_it[at["laid_colour"]] > 0.8


def test_a_level_survives_json_and_reads_as_words() -> None:
    level = ReplicationLevel(4, 3.6, 2.9, 4.4)
    assert ReplicationLevel.from_dict(level.to_dict()) == level
    assert level.to_dict()["level"] == level.level == 4
    assert level.in_words() == "level 4 of 5: most content replicated"
    match = Match("a", "a.jpg", "copy", 3.0, 0.9, level=level)
    assert Match.from_dict(match.to_dict()) == match
    assert Match.from_dict(Match("a", "a.jpg", "none", -3.0, 0.0).to_dict()).level is None


def test_a_search_grades_what_it_verified_and_nothing_else(tmp_path) -> None:
    for name in ("astronaut", "coffee"):
        Pillow.fromarray(picture(name).pixels).save(tmp_path / f"{name}.png")
    folder = tmp_path / "index"
    with Index(folder, "w") as writer:
        assert [
            e.error for e in writer.add([tmp_path / "astronaut.png", tmp_path / "coffee.png"])
        ] == [None, None]
    rng = np.random.default_rng(0)
    copy = parse("crop:0.3+jpeg:0.3").apply(picture("coffee"), rng).image
    with Index(folder) as index:
        identical = index.search(tmp_path / "coffee.png").matches[0]
        matches = index.search(copy).matches
        unrelated = index.search(picture("retina")).matches
    assert identical.level == replication.IDENTICAL
    assert matches[0].relation == "copy" and matches[0].level is not None
    assert 3 <= matches[0].level.level <= 5
    assert [m.level for m in (*matches[1:], *unrelated) if m.relation == "none"]
    assert all(m.level is None for m in (*matches, *unrelated) if m.relation == "none")
