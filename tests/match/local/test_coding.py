"""Words and signatures: what the shipped coder makes, and that its file is the one it names."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.match.local import coding
from originlens.store import LOCAL_FEATURE
from originlens.testing import awkward_images, textured_image

CODER = coding.shipped()


def components(count: int = 40) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(0, 3, (count, coding.BITS)).astype(np.float32)


def test_words_are_the_nearest_pairs_of_centres() -> None:
    given = components()
    halves = [given[:, half : coding.WORD_COMPONENTS : 2] for half in range(2)]
    first, second = (
        ((part[:, None] - centres[None]) ** 2).sum(2)
        for part, centres in zip(halves, CODER.codebooks, strict=True)
    )
    sums = (first[:, :, None] + second[:, None, :]).reshape(len(given), -1)
    expected = np.argsort(sums, axis=1)[:, :4]
    assert CODER.words(given, 4).tolist() == expected.tolist()


def test_stopped_words_are_not_looked_up() -> None:
    given = components(500)
    words, looked_up = CODER.words(given, 3), CODER.looked_up(given, 3)
    assert (looked_up == np.where(CODER.stopped[words], -1, words)).all()
    assert CODER.stopped.any()


def test_signatures_are_signs() -> None:
    given = components()
    expected = [sum(1 << i for i, value in enumerate(line) if value > 0) for line in given]
    assert CODER.bits(given).tolist() == expected


def test_an_originals_features() -> None:
    image = textured_image(2, 300, 400)
    features = coding.describe(image.pixels)
    assert features.dtype == LOCAL_FEATURE
    assert 100 < len(features) <= coding.ASSET_POINTS
    assert (coding.describe(image.pixels) == features).all()
    assert features["y"].max() <= 256 * 300 / 400
    assert len(set(features["bits"].tolist())) > 0.95 * len(features)


@pytest.mark.parametrize("name", awkward_images())
def test_awkward_pictures(name: str) -> None:
    features = coding.describe(awkward_images()[name].pixels)
    assert len(features) <= coding.ASSET_POINTS
