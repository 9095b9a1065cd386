"""Two photographs of one thing are told from an edited copy by what the points and pixels say."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from originlens.bench.chains import parse
from originlens.bench.kinds import kind
from originlens.core import geometry
from originlens.core.image import Image
from originlens.match import Geometry, decision
from originlens.match.verifiers._geometry import median_residual
from originlens.match.verifiers.sift_magsac import SiftMagsac


@pytest.fixture(scope="module")
def verifier():
    return SiftMagsac()


def verified(verifier: SiftMagsac, query: Image, asset: Image) -> Geometry:
    return verifier.verify(verifier.features(query), verifier.features(asset))


def test_stereo_pair_is_another_view(verifier):
    left, right, _ = data.stereo_motorcycle()
    found = verified(verifier, Image.from_array(left), Image.from_array(right))
    assert found.inliers >= decision.SHARED_INLIERS
    assert found.details["residual"] > 0.6
    assert decision.shipped().is_other_view(found)


@pytest.mark.parametrize(
    "edit",
    [
        *("jpeg-q10", "crop-50", "meme", "rotate-15", "stretch", "mirror", "pip-50", "splice"),
        *("blur", "noise"),
    ],
)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_edited_copy_is_no_other_view(verifier, name, edit):
    original = Image.from_array(getattr(data, name)())
    others = [Image.from_array(data.chelsea())]
    query = kind(edit).apply(original, np.random.default_rng(5), others=others).image
    found = verified(verifier, query, original)
    assert found.inliers >= decision.JUDGED_INLIERS
    assert not decision.shipped().is_other_view(found)


@pytest.mark.parametrize("warp", ["barrel", "ripple", "wave", "elastic"])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_bent_copy_is_no_other_view(verifier, name, warp):
    original = Image.from_array(getattr(data, name)())
    query = parse(f"{warp}:0.3").apply(original, np.random.default_rng(5)).image
    found = verified(verifier, query, original)
    assert found.inliers >= decision.SHARED_INLIERS
    assert not decision.shipped().is_other_view(found)


def degraded(pixels: np.ndarray, how: str, rng: np.random.Generator) -> Image:
    """A picture that lost its fine detail, or has it drowned."""
    import cv2

    h, w = pixels.shape[:2]
    if how == "blur":
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.007 * min(h, w))
    elif how == "noise":
        pixels = np.clip(pixels + rng.normal(0, 25, pixels.shape), 0, 255).astype(np.uint8)
    else:
        small = cv2.resize(pixels, (w // 3, h // 3), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    return Image.from_array(pixels)


def layers(shift: int) -> np.ndarray:
    """Textured hills and textured boxes before them, seen from a place to the side: what is nearer
    moves farther, up to some ``shift`` pixels, and no plane transform undoes that."""
    import cv2

    ground = cv2.resize(data.grass(), (760, 480), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[:480, :640].astype(np.float32)
    view = cv2.remap(ground, x + 60 + shift * np.sin(y / 60) * np.cos(x / 90), y, cv2.INTER_LINEAR)
    for number, name in enumerate(("brick", "gravel", "grass", "gravel", "brick", "camera")):
        near = cv2.resize(getattr(data, name)(), (150, 190), interpolation=cv2.INTER_AREA)
        row, column = divmod(number, 3)
        left, top = 50 + 200 * column - shift * (2 + number) // 4, 30 + 225 * row
        view[top : top + 190, left : left + 150] = near
    return np.dstack([view] * 3)


@pytest.mark.parametrize("how", ["blur", "noise", "reduction"])
@pytest.mark.parametrize("scene", ["motorcycle", "layers"])
def test_degraded_copy_is_told_from_a_degraded_other_view(verifier, scene, how, rng):
    """Detail that the query lacks says nothing; detail that it has in other places does."""
    if scene == "motorcycle":
        left, right, _ = data.stereo_motorcycle()
    else:
        left, right = layers(0), layers(12)
    original = Image.from_array(left)
    copy = verified(verifier, degraded(left, how, rng), original)
    view = verified(verifier, degraded(right, how, rng), original)
    model = decision.shipped()
    assert copy.inliers >= decision.SHARED_INLIERS
    assert not model.is_other_view(copy)
    assert view.inliers < decision.JUDGED_INLIERS or model.is_other_view(view)
    assert view.details["structure"][1] < 0.75 < 0.9 < copy.details["structure"][1]


def test_few_points_are_not_judged():
    few = Geometry(transform=np.eye(3), inliers=decision.JUDGED_INLIERS - 1, match_share=0.1)
    assert not decision.shipped().is_other_view(few)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_residual_is_in_pixels_of_the_coarser_picture(rng, scale):
    asset = rng.uniform(0, 400, (101, 2))
    matrix = np.diag([scale, scale, 1.0])
    query = geometry.apply(matrix, asset) + np.array([1.5, 0.0])
    assert median_residual(matrix, query, asset) == pytest.approx(1.5 / max(1.0, scale))
