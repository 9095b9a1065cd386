"""Exchanging the two pictures exchanges the direction; what tells nothing says nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photographs import photographs

from originlens.bench.chains import parse
from originlens.core.image import Image
from originlens.match import direction, edits

PICTURES = {k: v for k, v in photographs(400).items() if k in ("coffee", "chelsea")}
OPPOSITE = {
    "query-from-asset": "asset-from-query",
    "asset-from-query": "query-from-asset",
    None: None,
}


def both_ways(name: str, expression: str) -> tuple[edits.Explanation, edits.Explanation]:
    """What is said of (copy, original) and of (original, copy) under the true transform."""
    original = Image.from_array(PICTURES[name])
    others = [Image.from_array(PICTURES[n]) for n in PICTURES if n != name]
    done = parse(expression).apply(original, np.random.default_rng(1), others=others)
    copy, transform = done.image, done.transform
    sizes = [(image.height, image.width) for image in (original, copy)]
    return (
        edits.explain(copy, original.pixels, sizes[0], transform),
        edits.explain(original, copy.pixels, sizes[1], np.linalg.inv(transform)),
    )


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize(
    "expression",
    [
        "crop:0.4+resize:0.3+jpeg:0.2",
        "border:0.5+jpeg:0.2",
        "paste:0.6+jpeg:0.2",
        "resize:0.5+jpeg:0.2",
        "greyscale:1+resize:0.3+jpeg:0.2",
    ],
)
def test_exchanging_the_pictures_exchanges_the_direction(name: str, expression: str) -> None:
    there, back = both_ways(name, expression)
    assert there.direction == "query-from-asset"
    assert back.direction == "asset-from-query"


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize("expression", ["mirror+jpeg:0.05", "jpeg:0.1"])
def test_where_nothing_tells_nothing_is_said(name: str, expression: str) -> None:
    assert [found.direction for found in both_ways(name, expression)] == [None, None]


def test_a_frame_around_the_indexed_picture_is_no_crop() -> None:
    h, w = 360, 480
    name = sorted(PICTURES)[0]
    picture = cv2.resize(PICTURES[name], (w, h), interpolation=cv2.INTER_AREA)
    asset = cv2.copyMakeBorder(picture, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(250, 250, 250))
    transform = np.array([[1, 0, -60], [0, 1, -60], [0, 0, 1.0]])
    found = edits.explain(Image.from_array(picture), asset, asset.shape[:2], transform)
    assert found.direction == "asset-from-query"
    border = next(edit for edit in found.edits if edit.name == "border")
    assert border.frame == "asset"
    assert border.box == pytest.approx((60, 60, 540, 420), abs=2)
    assert "crop" not in {edit.name for edit in found.edits}


@given(st.lists(st.floats(-3, 3), min_size=13, max_size=13))
def test_the_score_is_odd(values: list[float]) -> None:
    assert len(values) == len(direction.FEATURES)
    model = direction.shipped()
    inputs = np.array(values)
    score, opposite = float(model.score(inputs)), float(model.score(-inputs))
    assert score == pytest.approx(-opposite, abs=1e-9)
    assert model.direction(opposite) == OPPOSITE[model.direction(score)]
