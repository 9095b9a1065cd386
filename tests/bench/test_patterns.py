"""The tamper patterns' truth, measured on pixels, and the patterns held back as unseen."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from originlens.bench import Attacked
from originlens.bench.attacks._unseen import UNSEEN
from originlens.bench.attacks.mixed import FAMILIES
from originlens.bench.kinds import kinds
from originlens.core.image import Image
from originlens.core.registry import method, methods

ROOT = Path(__file__).resolve().parent.parent.parent

#: Non-plane warps: the mask is where pixels moved by more than 1.5 pixels.
BENT = ["swirl", "wave", "ripple", "barrel", "panorama-stretch", "elastic", "kaleidoscope"]
#: Parts exchanged or mirrored.
REARRANGED = ["tile-shuffle", "fold", "glitch"]
#: Drawn over the picture: pixels outside the mask are the original's, bit for bit.
DRAWN = [
    "grid", "tiled-watermark", "scribble", "rain", "snow", "confetti", "censor-bar",
    "speech-bubble", "annotation", "subtitle", "lower-third", "barcode", "date-stamp",
    "video-player", "scratches", "torn-edge", "circle-mask", "magnifier", "waves-erasing",
    "df-blockwise", "tile-shuffle", "fold", "glitch",
]  # fmt: skip
#: Local effects without an outline: outside the mask nothing visible (8 levels) changed.
SHADED = ["lens-flare", "cast-shadow", "crease", "pixel-sort"]
#: Put unscaled into a larger frame.
FRAMED = ["letterbox", "phone-frame", "post", "reflection", "film-strip", "drop-shadow",
          "postage-stamp"]  # fmt: skip
#: Resampled into a new frame.
PLACED = ["polaroid", "billboard", "tiled-repeat", "nearest-upscale", "waves-rotation",
          "waves-resizedcrop"]  # fmt: skip
#: Tone of the whole picture: nothing moves, nothing is local, structure stays.
TONE = [
    "sepia", "duotone", "solarise", "channel-swap", "gamma", "haze", "gradient-overlay",
    "light-leak", "low-light", "false-colour", "local-contrast", "equalise", "df-saturation",
    "df-contrast",
]  # fmt: skip
#: Texture of the whole picture.
TEXTURE = [
    "film-grain", "scanlines", "chromatic-aberration", "pencil-sketch", "median", "cartoon",
    "dither", "motion-blur", "zoom-blur", "defocus", "tilt-shift", "chroma-subsample", "moire",
    "emboss", "frosted-glass", "fax", "df-noise", "df-blur", "df-pixelation", "df-video",
]  # fmt: skip


@pytest.fixture(scope="module")
def photo() -> Image:
    """A photograph, 300 x 451."""
    return Image.from_array(np.ascontiguousarray(data.chelsea()))


@pytest.fixture(scope="module")
def map_sheet() -> Image:
    """A picture, 200 x 250, whose red tells its column and whose green tells its row."""
    y, x = np.mgrid[:200, :250]
    return Image.from_array(np.stack([x, y, np.full_like(x, 128)], axis=2).astype(np.uint8))


def attack(name: str, image: Image, strength: float, seed: int = 5) -> Attacked:
    result: Attacked = (
        method("attack", name).cls().apply(image, strength, np.random.default_rng(seed))
    )
    return result


def misplacement(result: Attacked) -> np.ndarray:
    """How far (in attacked pixels) the transform puts each pixel from where it is."""
    height, width = result.mask.shape
    y, x = np.mgrid[:height, :width]
    pixels = result.image.pixels.astype(np.float64)
    source = np.stack([pixels[..., 0], pixels[..., 1], np.ones_like(x)], axis=-1)
    mapped = source @ result.transform.T
    mapped = mapped[..., :2] / mapped[..., 2:]
    return np.asarray(np.hypot(mapped[..., 0] - x, mapped[..., 1] - y))


@pytest.mark.parametrize("name", BENT + REARRANGED + PLACED)
@pytest.mark.parametrize("strength", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_pixels_outside_the_mask_lie_where_the_transform_says(
    name: str, strength: float, seed: int, map_sheet: Image
) -> None:
    result = attack(name, map_sheet, strength, seed)
    outside = misplacement(result)[~result.mask]
    assert outside.size
    scale = max(1.0, float(np.abs(result.transform[:2, :2]).max()))
    # 1.5 pixels may be off by definition; a level of rounding in both coordinates adds 0.7.
    assert np.quantile(outside, 0.99) <= 2.3 * scale
    assert np.median(outside) <= 1.5 * scale


@pytest.mark.parametrize("name", BENT)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_warps_mask_holds_only_pixels_that_moved(name: str, seed: int, map_sheet: Image) -> None:
    result = attack(name, map_sheet, 0.7, seed)
    inside = misplacement(result)[result.mask]
    assert 0.02 < result.mask.mean() < 0.99
    # Frame edges mirror: a few pixels see their own column or row again.
    assert (inside > 0.8).mean() > 0.97


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_drawn_leaves_the_rest_alone(name: str, seed: int, photo: Image) -> None:
    result = attack(name, photo, 0.6, seed)
    assert np.array_equal(result.transform, np.eye(3))
    assert 0.001 < result.mask.mean() < 0.95
    rest = ~result.mask
    if name == "tiled-watermark":  # coverage below 3 % is invisible and counts as untouched
        change = np.abs(result.image.pixels[rest].astype(int) - photo.pixels[rest])
        assert change.max() <= 8
    else:
        near = np.abs(result.image.pixels[rest].astype(int) - photo.pixels[rest])
        assert np.quantile(near, 0.999) == 0
        assert near.max() <= 8  # soft rims of letters
    moved = np.abs(result.image.pixels.astype(int) - photo.pixels).max(axis=2) > 8
    assert moved[result.mask].mean() > 0.4


@pytest.mark.parametrize("name", SHADED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_soft_effects_mark_all_that_shows(name: str, seed: int, photo: Image) -> None:
    result = attack(name, photo, 0.6, seed)
    assert np.array_equal(result.transform, np.eye(3))
    change = np.abs(result.image.pixels.astype(int) - photo.pixels).max(axis=2)
    assert change[~result.mask].max() <= 8
    assert 0.005 < result.mask.mean() < 0.95
    assert (change[result.mask] > 8).mean() > 0.5


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize("strength", [0.1, 0.6, 1.0])
def test_a_framed_picture_is_unchanged_inside_the_frame(
    name: str, strength: float, photo: Image
) -> None:
    result = attack(name, photo, strength)
    left, top = (round(float(v)) for v in result.transform[:2, 2])
    assert np.array_equal(result.transform[:2, :2], np.eye(2))
    frame = (slice(top, top + photo.height), slice(left, left + photo.width))
    seen = ~result.mask[frame]
    change = np.abs(result.image.pixels[frame].astype(int) - photo.pixels)[seen]
    assert change.max() <= (8 if name in ("phone-frame", "postage-stamp") else 0)
    assert seen.mean() > 0.9
    outside = np.ones(result.mask.shape, bool)
    outside[frame] = False
    assert result.mask[outside].all()
    assert outside.any()


@pytest.mark.parametrize("name", TONE + TEXTURE)
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_effects_on_the_whole_picture_have_no_mask(
    name: str, strength: float, photo: Image
) -> None:
    result = attack(name, photo, strength)
    assert np.array_equal(result.transform, np.eye(3))
    assert not result.mask.any()
    assert (result.image.pixels != photo.pixels).any(axis=2).mean() > 0.3


@pytest.mark.parametrize("name", TONE + TEXTURE)
def test_effects_on_the_whole_picture_grow_with_strength(name: str, photo: Image) -> None:
    errors = [
        float(np.abs(attack(name, photo, s).image.pixels.astype(int) - photo.pixels).mean())
        for s in (0.1, 0.5, 1.0)
    ]
    assert errors[0] < errors[1] < errors[2]


# A relief is a derivative, whose correlation peak lies beside the place by nature.
@pytest.mark.parametrize("name", [*sorted({*TEXTURE} - {"emboss"}), "haze", "low-light"])
def test_effects_on_the_whole_picture_move_nothing(name: str, photo: Image) -> None:
    result = attack(name, photo, 0.5)
    a, b = (
        cv2.GaussianBlur(p, (0, 0), 4).astype(np.float32).mean(axis=2)
        for p in (photo.pixels, result.image.pixels)
    )
    detail_a, detail_b = (p - cv2.GaussianBlur(p, (0, 0), 20) for p in (a, b))
    window = cv2.createHanningWindow(detail_a.shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(detail_a, detail_b, window)
    assert np.hypot(dx, dy) < 1.0


def test_newspaper_print_is_grey_and_in_place(photo: Image) -> None:
    result = attack("newspaper", photo, 1.0)
    left, top = (round(float(v)) for v in result.transform[:2, 2])
    frame = (slice(top, top + photo.height), slice(left, left + photo.width))
    shown = result.image.pixels[frame]
    assert (shown == shown[..., :1]).all()
    assert np.array_equal(~result.mask[frame], np.ones(shown.shape[:2], bool))
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    assert np.corrcoef(grey.ravel(), shown[..., 0].ravel())[0, 1] > 0.999


def test_there_are_more_than_ninety_attacks_and_every_pattern_is_tested() -> None:
    known = {found.card.name for found in methods("attack")}
    tested = {*BENT, *REARRANGED, *DRAWN, *SHADED, *FRAMED, *PLACED, *TONE, *TEXTURE, "newspaper"}
    assert tested <= known
    patterns = {f.card.name for f in methods("attack") if "AnyPattern" in f.card.paper}
    assert patterns <= tested
    assert len(patterns) >= 40
    assert len(known) > 90


def test_unseen_patterns_exist_and_are_varied() -> None:
    known = {found.card.name for found in methods("attack")}
    assert len(UNSEEN) == len(set(UNSEEN)) >= 12
    assert set(UNSEEN) <= known
    for group in (BENT + REARRANGED, TONE + TEXTURE, DRAWN, PLACED):
        assert len(set(UNSEEN) & set(group)) >= 2


def _spellings(name: str) -> str:
    """A pattern for the name as a word: in kebab-case, snake_case or as a class."""
    words = name.split("-")
    camel = "".join(word.capitalize() for word in words)
    return rf"(?<![\w-])(?:{'[-_]'.join(words)}|{camel})(?![\w-])"


FITTING = sorted(
    path
    for folder in ("train", "src/originlens/match")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".json", ".yaml", ".txt", ".csv", ".sh"}
)


def test_nothing_that_fits_names_an_unseen_pattern() -> None:
    assert len(FITTING) > 10
    for path in FITTING:
        text = path.read_text(encoding="utf-8", errors="ignore")
        named = [name for name in UNSEEN if re.search(_spellings(name), text)]
        assert not named, f"{path.relative_to(ROOT)} names {named}"
        # Taking every registered attack would take the unseen ones too.
        assert not re.search(r"methods\(\s*(kind\s*=\s*)?[\"']attack", text), path
        assert "bench.attacks" not in text or "_unseen" not in text, path


def test_no_seen_kind_and_no_mixture_contains_an_unseen_pattern() -> None:
    seen = {step.name for kind in kinds("seen") for step in kind.chain.steps}
    assert len(seen) > 10
    assert not seen & set(UNSEEN)
    assert not {name for family in FAMILIES for name in family} & set(UNSEEN)
