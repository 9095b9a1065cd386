"""The change map: dark on benign change, lit where a picture was edited, never out of shape."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import skimage.data
from photographs import photographs, reduced
from PIL import Image as Pillow

from originlens.core import geometry
from originlens.match import diff

Pixels = np.ndarray
IDENTITY = np.eye(3)


PICTURES = photographs(400)


@pytest.fixture(params=sorted(PICTURES))
def picture(request: pytest.FixtureRequest) -> Pixels:
    return PICTURES[request.param]


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pillow.open(buffer).convert("RGB"))


def clipped(values: np.ndarray) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def lit(found: np.ndarray) -> float:
    return float((found >= diff.THRESHOLD).mean())


def pixel_f1(found: np.ndarray, truth: np.ndarray) -> float:
    changed = found >= diff.THRESHOLD
    return float(2 * (changed & truth).sum() / (changed.sum() + truth.sum()))


def moved(size: tuple[int, int], pixels: float, rng: np.random.Generator) -> np.ndarray:
    """A homography that moves the corners of a (height, width) picture by about ``pixels``."""
    h, w = size
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    there = corners + rng.normal(0, pixels, (4, 2)).astype(np.float32)
    return geometry.normalised(cv2.getPerspectiveTransform(corners, there))


BENIGN: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "jpeg-10": lambda p, rng: jpeg(p, 10),
    "jpeg-75": lambda p, rng: jpeg(p, 75),
    "brighter": lambda p, rng: clipped(p * 1.3 + 15),
    "gamma": lambda p, rng: clipped(255 * (p / 255) ** 1.8),
    "grey": lambda p, rng: np.dstack([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)] * 3),
    "sepia": lambda p, rng: clipped(
        p @ np.array([[0.39, 0.77, 0.19], [0.35, 0.69, 0.17], [0.27, 0.53, 0.13]]).T
    ),
    "negative": lambda p, rng: 255 - p,
    "blur": lambda p, rng: cv2.GaussianBlur(p, (0, 0), 2.0),
    "noise": lambda p, rng: clipped(p + rng.normal(0, 15, p.shape)),
    "sharpen": lambda p, rng: clipped(2.2 * p - 1.2 * cv2.GaussianBlur(p, (0, 0), 1.5)),
}


@pytest.mark.parametrize("kind", sorted(BENIGN))
def test_benign_change_stays_dark(picture: Pixels, kind: str, rng: np.random.Generator) -> None:
    query = BENIGN[kind](picture, rng)
    transform = moved(picture.shape[:2], 0.7, rng)
    assert lit(diff.change_map(query, picture, transform)) <= 0.01


def pasted(p: Pixels, rng: np.random.Generator) -> tuple[Pixels, np.ndarray]:
    """Another part of another picture, as an ellipse."""
    other = PICTURES["rocket" if p.shape != PICTURES["rocket"].shape else "astronaut"]
    donor = cv2.resize(other[:, ::-1], p.shape[1::-1])
    mask = np.zeros(p.shape[:2], np.uint8)
    centre = (p.shape[1] // 2, p.shape[0] // 2)
    cv2.ellipse(mask, centre, (p.shape[1] // 7, p.shape[0] // 6), 20, 0, 360, 1, -1)
    return np.where(mask[..., None] > 0, donor, p), mask > 0


def written(p: Pixels, rng: np.random.Generator) -> tuple[Pixels, np.ndarray]:
    mask = np.zeros(p.shape[:2], np.uint8)
    cv2.putText(mask, "SALE 50", (20, p.shape[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 1, 6)
    return np.where(mask[..., None] > 0, np.uint8([255, 230, 0]), p), mask > 0


def recoloured(p: Pixels, rng: np.random.Generator) -> tuple[Pixels, np.ndarray]:
    mask = np.zeros(p.shape[:2], np.uint8)
    cv2.circle(mask, (p.shape[1] // 3, p.shape[0] // 2), p.shape[0] // 5, 1, -1)
    tinted = clipped(p * np.array([0.5, 1.0, 0.6]) + np.array([0, 45, 0]))
    return np.where(mask[..., None] > 0, tinted, p), mask > 0


LOCAL = {"pasted": pasted, "written": written, "recoloured": recoloured}


@pytest.mark.parametrize("quality", [None, 40])
@pytest.mark.parametrize("kind", sorted(LOCAL))
def test_local_edits_light_up(
    picture: Pixels, kind: str, quality: int | None, rng: np.random.Generator
) -> None:
    query, truth = LOCAL[kind](picture, rng)
    if quality is not None:
        query = jpeg(query, quality)
    found = diff.change_map(query, picture, moved(picture.shape[:2], 0.7, rng))
    assert pixel_f1(found, truth) >= 0.6


def test_an_untouched_copy_gives_an_all_zero_map(picture: Pixels) -> None:
    found = diff.change_map(picture, picture, IDENTITY)
    assert found.shape == picture.shape[:2]
    assert found.dtype == np.uint8
    assert found.max() < 16
    assert lit(found) == 0


def test_edit_in_a_mirrored_reduced_recoloured_copy(rng: np.random.Generator) -> None:
    original = PICTURES["coffee"]
    edited, truth = pasted(original, rng)
    size = (round(original.shape[1] * 0.7), round(original.shape[0] * 0.7))
    query = cv2.resize(edited, size, interpolation=cv2.INTER_AREA)[:, ::-1]
    query = jpeg(clipped(query * np.array([1.2, 1.0, 0.8])), 50)
    truth = cv2.resize(truth.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)[:, ::-1] > 0
    mirror = np.array([[-1, 0, size[0] - 1], [0, 1, 0], [0, 0, 1.0]])
    transform = mirror @ geometry.scaling(original.shape[:2], size[::-1])
    assert pixel_f1(diff.change_map(query, original, transform), truth) >= 0.6


def test_what_the_original_does_not_reach_is_255() -> None:
    original = PICTURES["chelsea"]
    query = cv2.copyMakeBorder(original, 30, 20, 40, 10, cv2.BORDER_CONSTANT, value=(200, 30, 90))
    transform = np.array([[1, 0, 40], [0, 1, 30], [0, 0, 1.0]])
    found = diff.change_map(query, original, transform)
    inside = np.zeros(query.shape[:2], bool)
    inside[30:-20, 40:-10] = True
    assert (found[cv2.erode((~inside).astype(np.uint8), np.ones((5, 5))) > 0] == 255).all()
    assert (found[inside] >= diff.THRESHOLD).mean() <= 0.01


def test_a_host_around_a_pasted_copy_is_255() -> None:
    original = PICTURES["astronaut"]
    query = cv2.resize(skimage.data.cat(), (800, 600))
    small = reduced(original, 240)
    query[100 : 100 + small.shape[0], 300 : 300 + small.shape[1]] = small
    place = np.array([[1, 0, 300], [0, 1, 100], [0, 0, 1.0]])
    found = diff.change_map(
        query, original, place @ geometry.scaling(original.shape[:2], small.shape[:2])
    )
    inside = np.zeros(query.shape[:2], bool)
    inside[100 : 100 + small.shape[0], 300 : 300 + small.shape[1]] = True
    assert pixel_f1(found, ~inside) > 0.98


def test_a_proxy_of_the_original_is_enough(rng: np.random.Generator) -> None:
    original = skimage.data.astronaut()
    edited, truth = pasted(original, rng)
    query = jpeg(cv2.resize(edited, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC), 80)
    proxy = jpeg(reduced(original, 256), 80)
    transform = geometry.scaling(proxy.shape[:2], query.shape[:2])
    found = diff.change_map(query, proxy, transform)
    assert found.shape == query.shape[:2]
    truth = cv2.resize(truth.astype(np.uint8), query.shape[1::-1]) > 0
    assert pixel_f1(found, truth) >= 0.6
    untouched = jpeg(cv2.resize(original, query.shape[1::-1], interpolation=cv2.INTER_CUBIC), 80)
    assert lit(diff.change_map(untouched, proxy, transform)) <= 0.01


def test_an_edit_stands_where_it_is_in_12_megapixels(rng: np.random.Generator) -> None:
    large = cv2.resize(skimage.data.coffee(), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    query = large.copy()
    query[700:1200, 2900:3600] = cv2.resize(skimage.data.chelsea(), (700, 500))
    # Features are found at a reduced size: their error grows with the picture.
    found = diff.change_map(query, large, moved((3000, 4000), 4.0, rng))
    truth = np.zeros((3000, 4000), bool)
    truth[700:1200, 2900:3600] = True
    assert found.shape == (3000, 4000)
    assert pixel_f1(found, truth) >= 0.9


@pytest.mark.slow
def test_12_megapixels_with_noise_and_compression_stay_dark(rng: np.random.Generator) -> None:
    large = cv2.resize(skimage.data.coffee(), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    query = jpeg(clipped(large + rng.normal(0, 6, (3000, 4000, 1))), 60)
    assert lit(diff.change_map(query, large, moved((3000, 4000), 4.0, rng))) <= 0.01


@pytest.mark.parametrize(
    ("query", "original"),
    [
        ((1, 1), (1, 1)),
        ((1, 1), (64, 64)),
        ((64, 64), (1, 1)),
        ((8, 8), (8, 8)),
        ((5, 2000), (5, 2000)),
    ],
)
def test_odd_sizes_give_a_map_of_the_query_s_shape(
    query: tuple[int, int], original: tuple[int, int], rng: np.random.Generator
) -> None:
    a = rng.integers(0, 256, (*query, 3), dtype=np.uint8)
    b = rng.integers(0, 256, (*original, 3), dtype=np.uint8)
    found = diff.change_map(a, b, geometry.scaling(original, query))
    assert found.shape == query
    assert found.dtype == np.uint8


def test_a_64_pixel_picture_is_enough(rng: np.random.Generator) -> None:
    original = cv2.resize(PICTURES["astronaut"], (64, 64), interpolation=cv2.INTER_AREA)
    query, truth = original.copy(), np.zeros((64, 64), bool)
    query[20:40, 30:50], truth[20:40, 30:50] = (10, 200, 60), True
    assert pixel_f1(diff.change_map(query, original, IDENTITY), truth) >= 0.6
    assert lit(diff.change_map(jpeg(original, 50), original, IDENTITY)) <= 0.01


def test_flat_pictures_differ_nowhere() -> None:
    flat = np.full((100, 150, 3), 90, np.uint8)
    assert diff.change_map(flat, flat, IDENTITY).max() < diff.THRESHOLD


def test_inputs_stay_as_they_are_and_the_map_is_repeatable(rng: np.random.Generator) -> None:
    original = PICTURES["rocket"]
    query, _ = pasted(original, rng)
    kept = query.copy(), original.copy()
    first = diff.change_map(query, original, IDENTITY)
    assert np.array_equal(first, diff.change_map(query, original, IDENTITY))
    assert np.array_equal(query, kept[0])
    assert np.array_equal(original, kept[1])


@pytest.mark.parametrize("bad", [np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_a_transform_that_maps_nothing_is_refused(bad: np.ndarray) -> None:
    picture = PICTURES["rocket"]
    with pytest.raises(ValueError, match="homography"):
        diff.change_map(picture, picture, bad)
