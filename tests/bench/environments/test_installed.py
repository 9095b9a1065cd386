"""The peers themselves, where they are installed: known answers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.bench.environments import environment, environments
from originlens.core.errors import InputError
from originlens.core.image import Image
from originlens.core.registry import make
from originlens.testing import textured_image

WATERMARKS = {
    "dwt-dct": "invisible-watermark",
    "dwt-dct-svd": "invisible-watermark",
    "rivagan": "rivagan",
    "blind-watermark": "blind-watermark",
}


@pytest.fixture
def peer():
    """Skips where the named peer is not installed; ends its process."""
    asked = []

    def needed(name: str) -> None:
        asked.append(environment(name))
        if why := asked[-1].why_missing:
            pytest.skip(f"{name}: {why}")

    yield needed
    for each in asked:
        each.close()


def photograph() -> Image:
    from skimage.data import astronaut

    return Image.from_array(astronaut())


@pytest.mark.parametrize("name", [each.name for each in environments()])
def test_what_is_installed_is_pinned(peer, name):
    peer(name)
    made = environment(name)
    pinned = {text.split("==")[0].lower().replace("_", "-") for text in made.recipe.installs}
    found = {found.replace("_", "-") for found in made.versions} - {"pip", "setuptools"}
    assert found == pinned - {"setuptools"}


def test_pdqhash_gives_the_hashes_of_our_own_pdq(peer):
    peer("pdqhash")
    image = photograph()
    theirs = make("matcher", "pdqhash").ask(image)
    ours = make("descriptor", "pdq").variants(image)
    assert theirs.shape == (8, 32)
    distances = np.bitwise_count(theirs[:, None] ^ ours[None]).sum(axis=2)
    assert distances[0, 0] <= 2
    # Theirs are derived from one transform, ours from four; two of the eight are swapped.
    assert distances.argmin(axis=1).tolist() == [0, 1, 2, 3, 5, 4, 6, 7]
    assert distances.min(axis=1).max() <= 30
    flat = Image.from_array(np.full((200, 200, 3), 90, np.uint8))
    assert len(make("matcher", "pdqhash").describe(flat)) == 0


def thumbnail(image: Image, width: int, height: int) -> np.ndarray:
    picture = Pillow.fromarray(image.pixels).resize((width, height), Pillow.Resampling.LANCZOS)
    return np.asarray(picture.convert("L"), np.float64)


def test_imagededup_gives_the_hashes_that_their_papers_describe(peer):
    peer("imagededup")
    image = photograph()
    small = thumbnail(image, 9, 8)
    expected = np.packbits(small[:, 1:] > small[:, :-1])
    assert np.array_equal(make("matcher", "imagededup-dhash").describe(image)[0], expected)
    small = thumbnail(image, 8, 8)
    expected = np.packbits(small >= small.mean())
    assert np.array_equal(make("matcher", "imagededup-ahash").describe(image)[0], expected)
    from scipy.fft import dctn

    low = dctn(thumbnail(image, 32, 32))[:8, :8]
    median = np.median(low.ravel()[1:])
    expected = np.packbits(low >= median)
    assert np.array_equal(make("matcher", "imagededup-phash").describe(image)[0], expected)
    wavelet = make("matcher", "imagededup-whash").describe(image)
    assert np.bitwise_count(wavelet).sum() == pytest.approx(32, abs=8)


SLOW = pytest.param("rivagan", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [SLOW, *(name for name in WATERMARKS if name != "rivagan")])
def test_a_payload_is_read_back_and_hardly_seen(peer, name):
    peer(WATERMARKS[name])
    made = make("watermark", name)
    image = textured_image(7, 512, 512)
    sent = bytes.fromhex("3ac5a00f")
    marked = made.embed(image, sent)
    reading = made.read(Image.from_array(marked))
    assert reading.payload == sent
    assert np.packbits(reading.bits).tobytes() == sent
    error = np.square(marked.astype(float) - image.pixels).mean()
    assert 30 < 10 * np.log10(255**2 / error) < 60


def recompressed(pixels: np.ndarray, quality: int) -> Image:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return Image(buffer.getvalue())


def test_watermarks_survive_jpeg_as_far_as_measured(peer):
    peer("invisible-watermark")
    peer("blind-watermark")
    image = photograph()
    sent = bytes.fromhex("3ac5a00f")
    right = {}
    for name in ("dwt-dct", "blind-watermark"):
        made = make("watermark", name)
        read = made.read(recompressed(made.embed(image, sent), 75)).bits
        right[name] = int((read == np.unpackbits(np.frombuffer(sent, np.uint8))).sum())
    assert right["blind-watermark"] == 32
    assert right["dwt-dct"] < 28


@pytest.mark.parametrize("name", ["dwt-dct", "dwt-dct-svd", "rivagan"])
def test_a_picture_that_is_too_small_is_refused_by_name(peer, name):
    peer(WATERMARKS[name])
    with pytest.raises(InputError, match="too small"):
        make("watermark", name).embed(textured_image(1, 200, 200), b"abcd")


def test_a_longer_payload_is_an_option(peer):
    peer("invisible-watermark")
    made = make("watermark", "dwt-dct-svd", length=8)
    assert made.payload_bytes == (8,)
    marked = made.embed(photograph(), b"originle")
    assert made.read(Image.from_array(marked)).bits.shape == (64,)
