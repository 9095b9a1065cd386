"""Chains of edits as text: parsing, composed transforms, carried masks; the named kinds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from originlens.bench.chains import DEFAULT_STRENGTH, code_of, parse
from originlens.bench.kinds import CODECS, KINDS, kind, kinds
from originlens.core.errors import UsageError
from originlens.core.geometry import apply
from originlens.core.image import Image


@pytest.fixture(scope="module")
def photo() -> Image:
    return Image.from_array(np.ascontiguousarray(data.coffee()))


def test_an_expression_parses_and_prints() -> None:
    chain = parse("jpeg:0.6+crop:0.2..0.4 + meme")
    assert [step.name for step in chain.steps] == ["jpeg", "crop", "meme"]
    assert (chain.steps[1].low, chain.steps[1].high) == (0.2, 0.4)
    assert chain.steps[2].low == chain.steps[2].high == DEFAULT_STRENGTH
    assert parse(str(chain)) == chain


@pytest.mark.parametrize(
    "text", ["", "nonsense", "jpeg:", "jpeg:x", "jpeg:2", "jpeg:0.5..0.2", "jpeg:nan", "crop++jpeg"]
)
def test_a_wrong_expression_says_so(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_chain_composes_transforms_and_carries_masks(photo: Image) -> None:
    marked = photo.pixels.copy()
    # A single bright blob whose place after the chain tells the transform independently of it.
    cv2.circle(marked, (300, 200), 6, (0, 255, 0), -1)
    chain = parse("crop:0.2+mirror+rotate:0.05+border:0.3+resize:0.3")
    result = chain.apply(Image.from_array(marked), np.random.default_rng(4))
    plain = chain.apply(photo, np.random.default_rng(4))
    moved = np.abs(result.image.pixels.astype(int) - plain.image.pixels).max(axis=2) > 60
    rows, columns = np.nonzero(moved)
    expected = apply(result.transform, np.array([[300.0, 200.0]]))[0]
    assert expected == pytest.approx([columns.mean(), rows.mean()], abs=0.7)
    assert [told["attack"] for told in result.parameters["steps"]] == [s.name for s in chain.steps]


def test_a_local_mask_follows_its_pixels(photo: Image) -> None:
    rng = np.random.default_rng
    result = parse("splice:0.3+crop:0.2+rotate90+resize:0.4").apply(photo, rng(8))
    clean = parse("splice:0+crop:0.2+rotate90+resize:0.4")
    # Without the splice the generator stands elsewhere: undo the geometry by warping instead.
    assert clean.steps[0].high == 0
    warped = cv2.warpPerspective(
        cv2.GaussianBlur(photo.pixels, (0, 0), 1.2), result.transform, result.mask.shape[::-1]
    )
    difference = np.abs(warped.astype(int) - result.image.pixels).max(axis=2)
    inside = cv2.erode(result.mask.astype(np.uint8), np.ones((5, 5))).astype(bool)
    outside = ~cv2.dilate(result.mask.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert np.median(difference[inside]) > 4 * np.median(difference[outside])


def test_kinds_are_many_named_once_and_halved() -> None:
    names = [known.name for known in KINDS]
    assert len(names) == len(set(names)) >= 28
    seen, held_out = kinds("seen"), kinds("held-out")
    assert set(seen).isdisjoint(held_out)
    assert len(seen) + len(held_out) == len(KINDS)
    assert len(held_out) >= len(KINDS) / 2
    promised = [known for known in KINDS if known.goal is not None]
    assert len(promised) == 16
    assert sum(known.split == "held-out" for known in promised) == 8
    assert kind("heavy").goal == 0.95
    with pytest.raises(UsageError, match="heavy"):
        kind("no-such-kind")


@pytest.mark.parametrize("known", KINDS, ids=[known.name for known in KINDS])
def test_every_kind_runs_and_is_saved(known: object, photo: Image) -> None:
    assert isinstance(known, type(KINDS[0]))
    others = [Image.from_array(data.rocket())]
    result = known.apply(photo, np.random.default_rng(1), others=others)
    assert result.image.format in {codec.upper() for codec in CODECS}
    assert result.mask.shape == (result.image.height, result.image.width)
    if known.benign:
        assert not result.mask.any()
    if known.group == "local":
        assert 0.005 < result.mask.mean() < 0.6


def test_the_code_of_a_chain_is_that_of_its_attacks():
    assert code_of("") == ""
    assert code_of("jpeg:0.5") == code_of("jpeg:0.9") != ""
    assert code_of("jpeg") != code_of("jpeg+crop")
    with pytest.raises(UsageError, match="nosuch"):
        code_of("nosuch")
