"""Two photographs of one thing are told from an edited copy by what the points and pixels say."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

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
    ["jpeg-q10", "crop-50", "meme", "rotate-15", "stretch", "mirror", "pip-50", "splice"],
)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_edited_copy_is_no_other_view(verifier, name, edit):
    original = Image.from_array(getattr(data, name)())
    others = [Image.from_array(data.chelsea())]
    query = kind(edit).apply(original, np.random.default_rng(5), others=others).image
    found = verified(verifier, query, original)
    assert found.inliers >= decision.JUDGED_INLIERS
    assert not decision.shipped().is_other_view(found)


def test_few_points_are_not_judged():
    few = Geometry(transform=np.eye(3), inliers=decision.JUDGED_INLIERS - 1, matches=60)
    assert not decision.shipped().is_other_view(few)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_residual_is_in_pixels_of_the_coarser_picture(rng, scale):
    asset = rng.uniform(0, 400, (101, 2))
    matrix = np.diag([scale, scale, 1.0])
    query = geometry.apply(matrix, asset) + np.array([1.5, 0.0])
    assert median_residual(matrix, query, asset) == pytest.approx(1.5 / max(1.0, scale))
