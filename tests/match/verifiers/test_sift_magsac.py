"""The verifier finds the true transform of a copy and finds none between unrelated pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from originlens.core import geometry
from originlens.core.image import Image
from originlens.match.verifiers import _photometry
from originlens.match.verifiers.sift_magsac import _MIRROR, _NEGATIVE, SiftMagsac

PICTURES = {
    "astronaut": data.astronaut,
    "coffee": data.coffee,
    "chelsea": data.chelsea,
    "rocket": data.rocket,
}


@pytest.fixture(scope="module")
def verifier() -> SiftMagsac:
    return SiftMagsac()


@pytest.fixture(scope="module")
def features(verifier):
    return {name: verifier.features(load()) for name, load in PICTURES.items()}


def corner_error(found: np.ndarray, truth: np.ndarray, size: tuple[int, int]) -> float:
    h, w = size
    grid = np.array([(x, y) for x in np.linspace(0, w - 1, 9) for y in np.linspace(0, h - 1, 9)])
    return float(np.abs(geometry.apply(found, grid) - geometry.apply(truth, grid)).max())


@pytest.mark.parametrize("exif", range(1, 9))
def test_every_symmetry_is_found(verifier, features, exif):
    picture = data.coffee()
    truth = geometry.orientation(exif, picture.shape[:2])
    turned = picture.transpose(1, 0, 2) if exif > 4 else picture
    vertical = -1 if exif in (3, 4, 7, 8) else 1
    horizontal = -1 if exif in (2, 3, 6, 7) else 1
    turned = np.ascontiguousarray(turned[::vertical, ::horizontal])
    found = verifier.verify(verifier.features(turned), features["coffee"])
    assert found.transform is not None
    assert corner_error(found.transform, truth, picture.shape[:2]) < 3.0
    assert found.agreement > 0.9


def test_crop_and_enlargement_map_to_full_size_frames(verifier, features):
    import cv2

    picture = data.astronaut()
    crop = np.ascontiguousarray(picture[60:360, 120:420])
    large = cv2.resize(crop, (900, 900), interpolation=cv2.INTER_CUBIC)
    truth = geometry.scaling((300, 300), (900, 900)) @ np.array(
        [[1, 0, -120], [0, 1, -60], [0, 0, 1.0]]
    )
    found = verifier.verify(verifier.features(large), features["astronaut"])
    inside = np.array([(130, 70), (400, 70), (400, 340), (130, 340), (270, 210)], dtype=float)
    error = np.abs(geometry.apply(found.transform, inside) - geometry.apply(truth, inside)).max()
    assert error < 4.0  # a pixel and a third of the original, three times enlarged
    assert found.coverage_query > 0.98
    assert found.coverage_asset == pytest.approx(300 * 300 / 512**2, abs=0.03)


def test_pasted_small_into_a_host(verifier, features):
    import cv2

    host = cv2.resize(data.coffee(), (800, 600))
    host[100:340, 420:660] = cv2.resize(data.astronaut(), (240, 240), interpolation=cv2.INTER_AREA)
    found = verifier.verify(verifier.features(host), features["astronaut"])
    truth = np.array([[1, 0, 420], [0, 1, 100], [0, 0, 1.0]]) @ geometry.scaling(
        (512, 512), (240, 240)
    )
    assert corner_error(found.transform, truth, (512, 512)) < 2.0
    assert found.coverage_query == pytest.approx(240 * 240 / (800 * 600), abs=0.02)
    assert found.coverage_asset > 0.97
    assert found.agreement > 0.8


def test_unrelated_pictures_share_no_geometry(verifier, features):
    for a in features:
        for b in features:
            if a != b:
                found = verifier.verify(features[a], features[b])
                assert found.inliers < 8, (a, b)
                assert found.agreement < 0.3, (a, b)


def test_strong_blur_is_still_aligned(verifier, features):
    import cv2

    blurred = cv2.GaussianBlur(data.chelsea(), (0, 0), 6)
    found = verifier.verify(verifier.features(blurred), features["chelsea"])
    assert found.transform is not None
    assert corner_error(found.transform, np.eye(3), data.chelsea().shape[:2]) < 6.0


@pytest.mark.parametrize("shape", [(1, 1), (2, 600), (600, 2), (8, 8), (31, 33)])
def test_tiny_and_thin_pictures_do_not_crash(verifier, features, shape, rng):
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = verifier.verify(verifier.features(noise), features["rocket"])
    assert 0.0 <= found.agreement <= 1.0
    assert found.inliers < 6


def test_flat_picture_has_no_transform(verifier, features):
    flat = np.full((300, 400, 3), 127, np.uint8)
    assert verifier.verify(verifier.features(flat), features["coffee"]).transform is None


def test_frames_are_full_size_whatever_was_decoded(verifier):
    """A proxy's features speak in the frame of the picture that it stands for."""
    import cv2

    picture = data.coffee()
    proxy = cv2.resize(picture, (300, 200), interpolation=cv2.INTER_AREA)
    small = verifier.features(proxy, full_size=picture.shape[:2])
    found = verifier.verify(verifier.features(Image.from_array(picture)), small)
    assert corner_error(found.transform, np.eye(3), picture.shape[:2]) < 2.0


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_negative_is_aligned_and_agrees(verifier, features, name, mirrored):
    picture = PICTURES[name]()
    h, w = picture.shape[:2]
    truth = geometry.orientation(2, (h, w)) if mirrored else np.eye(3)
    negative = np.ascontiguousarray((255 - picture)[:, :: -1 if mirrored else 1])
    query = verifier.features(negative)
    found = verifier.verify(query, features[name])
    assert found.details["negative"]
    assert corner_error(found.transform, truth, (h, w)) < 2.0
    assert found.agreement > 0.9
    assert min(found.details["structure"]) > 0.9
    assert verifier.verify(query, features[name], negative=False).inliers < 12


def test_copy_is_no_negative(verifier, features):
    for name in features:
        assert not verifier.verify(features[name], features[name]).details["negative"]


def test_flat_negative_is_aligned_as_a_whole(verifier):
    """Without local features the thumbnail is compared, with its sign."""
    y, x = np.mgrid[:240, :320] / 40.0
    smooth = 127 + 60 * np.sin(x) * np.cos(0.7 * y + 0.4) + 20 * x - 80
    picture = np.dstack([np.clip(smooth, 0, 255).astype(np.uint8)] * 3)
    query, asset = verifier.features(255 - picture), verifier.features(picture)
    found = verifier._from_whole(query, asset, True)
    assert np.allclose(found.transform, np.eye(3))
    assert found.agreement > 0.9


def test_permutations_of_a_descriptor_are_symmetries():
    """Negative and mirror are their own inverses and do not disturb each other."""
    places = np.arange(128)
    assert (_NEGATIVE[_NEGATIVE] == places).all()
    assert (_MIRROR[_MIRROR] == places).all()
    assert (_MIRROR[_NEGATIVE] == _NEGATIVE[_MIRROR]).all()


def test_features_of_a_negative_are_permuted_features_of_the_picture():
    import cv2

    picture = cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY)
    detector = cv2.SIFT.create(nfeatures=200)
    points, _ = detector.detectAndCompute(picture, None)
    _, plain = detector.compute(picture, points)
    for point in points:
        point.angle = (point.angle + 180.0) % 360.0
    _, negative = detector.compute(255 - picture, points)
    near = np.abs(negative[:, _NEGATIVE] - plain).mean(1)
    far = np.abs(negative - plain).mean(1)
    assert np.median(near) < 2.0 < 10.0 < np.median(far)


@settings(max_examples=8, deadline=None)
@given(sigma=st.floats(0.5, 3.0), noise=st.floats(0.0, 20.0), seed=st.integers(0, 99))
def test_structure_survives_blur_and_noise_at_some_octave(sigma, noise, seed):
    """The coarser octaves of a degraded copy agree where fine detail is gone or drowned."""
    import cv2

    grey = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:360, :400]
    rough = np.random.default_rng(seed).normal(0, noise, grey.shape)
    query = np.clip(cv2.GaussianBlur(grey, (0, 0), sigma) + rough, 0, 255).astype(np.uint8)
    found = _photometry.compare(query, np.ascontiguousarray(grey), np.eye(3))
    assert max(found.structure) > 0.8
    assert all(-1.0 <= value <= 1.0 for value in found.structure)


def test_structure_that_lies_elsewhere_does_not_count():
    """Another photograph has detail of its own at every octave."""
    grey = np.ascontiguousarray(data.grass()[:400, :400])
    moved = np.ascontiguousarray(np.roll(grey, (53, 37), axis=(0, 1)))
    assert max(_photometry.compare(moved, grey, np.eye(3)).structure) < 0.3


def test_what_covers_less_than_half_of_a_copy_leaves_the_median_structure():
    import cv2

    grey = np.ascontiguousarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:360, :400])
    query = grey.copy()
    query[:, 130:260] = np.random.default_rng(0).integers(0, 256, (360, 130), np.uint8)
    found = _photometry.compare(query, grey, np.eye(3))
    assert min(found.median_structure) > 0.9 > 0.75 > max(found.structure)
    moved = np.ascontiguousarray(np.roll(grey, (53, 37), axis=(0, 1)))
    assert max(_photometry.compare(moved, grey, np.eye(3)).median_structure) < 0.3


@pytest.mark.parametrize(("name", "quality"), [("coffee", 10), ("chelsea", 6)])
def test_guided_matching_adds_points_of_a_poor_copy(verifier, features, monkeypatch, name, quality):
    """A small, saved-to-death copy keeps few matches of the ratio test, more along a transform."""
    import cv2

    from originlens.match.verifiers import _guided

    original = PICTURES[name]()
    height, width = original.shape[:2]
    size = (110, 110 * height // width)
    small = cv2.resize(original, size, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    query = verifier.features(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    guided = verifier.verify(query, features[name])
    monkeypatch.setattr(_guided, "rematched", lambda *given: given[3])
    plain = verifier.verify(query, features[name])
    assert 0 < 1.4 * plain.inliers < guided.inliers
    truth = geometry.scaling((height, width), (size[1], size[0]))
    assert corner_error(guided.transform, truth, (height, width)) < 1.5
    # The share of first matches does not grow with what was found along the transform.
    assert guided.match_share == plain.match_share <= 1.0


def test_guided_matching_takes_each_feature_once_and_never_less_than_it_was_given():
    from originlens.match.verifiers import _guided

    rng = np.random.default_rng(3)
    asset = np.column_stack([rng.uniform(0, 300, (60, 2)), np.full(60, 8.0), np.zeros(60)])
    query = asset.copy()
    query[:, :2] += rng.normal(0, 0.5, (60, 2))
    similarity = np.full((60, 60), 0.9, np.float32)  # all alike: only the place tells them apart
    first = _guided.Guided(np.eye(3), np.arange(5), np.arange(5))
    found = _guided.rematched(query, asset, similarity, first, 4.0)
    assert len(found.query) == len(set(found.query)) >= 50
    assert len(found.asset) == len(set(found.asset))
    assert (found.query == found.asset).mean() > 0.9
