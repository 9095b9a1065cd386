"""Two views of a photograph for contrastive training, made with the bench's attacks.

Every step of a view is an attack that some *seen* edit kind uses, or one that no kind of the
benchmark uses and that is not reserved as unseen: what reports hold out is never met here. WAVES'
and DeeperForensics' attacks are left out, too: some are held-out ones under other names. Colour
jitter, turns and mixed pictures are those of SSCD's training (Pizzi et al. 2022, arXiv:2202.10261,
section 4.1), made here: they cover what some held-out kinds do (strong-colour, tint, rotate-90,
rotate-any, flip, overlay), so to the descriptor those kinds are not unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from originlens.bench.chains import parse
from originlens.core.image import Image

Pixels = np.ndarray
_SAVED = "jpeg:0.1..0.8"
#: Shares of strong views that are coloured anew, lose all colour, are turned by a quarter or by any
#: angle, and are mixed with another photograph.
JITTERED, GREY, QUARTER, TURNED, MIXED = 0.5, 0.12, 0.15, 0.12, 0.1
#: What a strong view meets besides geometry, pasting and saving; none costs over 80 ms a megapixel.
EFFECTS = (
    "annotation", "barcode", "barrel", "blur", "border", "cast-shadow", "censor-bar",
    "channel-swap", "chroma-subsample", "chromatic-aberration", "circle-mask", "confetti", "crease",
    "date-stamp", "defocus", "duotone", "elastic", "emboss", "equalise", "false-colour", "fax",
    "film-grain", "film-strip", "fold", "frosted-glass", "gamma", "glitch", "gradient-overlay",
    "greyscale", "grid", "haze", "letterbox", "light-leak", "local-contrast", "low-light",
    "lower-third", "meme", "moire", "motion-blur", "nearest-upscale", "newspaper", "noise",
    "one-pixel", "phone-frame", "post", "postage-stamp", "print-scan", "reflection", "ripple",
    "scanlines", "scratches", "sepia", "snow", "subtitle", "text", "tilt-shift", "torn-edge",
    "video-player", "vignette", "wave", "zoom-blur",
)  # fmt: skip


class Views:
    """Draws views of photographs.

    Args:
        side: of the square that the network is shown, in pixels.
        mixing: some strong views are mixed with another photograph (mixup, cutmix).
    """

    def __init__(self, side: int, *, mixing: bool = True) -> None:
        self._side, self._mixed = side, MIXED if mixing else 0.0

    def pair(
        self, pixels: Pixels, others: Sequence[Pixels], rng: np.random.Generator
    ) -> tuple[Pixels, Pixels]:
        """A mild view (as a reference is) and a strong one (as a query is), (S, S, 3) uint8."""
        mild = self._made(pixels, self._mild(rng), others, rng)
        strong = coloured(pixels, rng)
        if rng.random() < self._mixed:
            strong = mixed(strong, others[0], rng)
        strong = self._made(turned(strong, rng), self._strong(rng), others, rng)
        return self.square(mild), self.square(strong)

    def square(self, pixels: Pixels) -> Pixels:
        """The whole picture squeezed into the square."""
        shrinks = min(pixels.shape[:2]) >= self._side
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(pixels, (self._side, self._side), interpolation=method)

    def _mild(self, rng: np.random.Generator) -> list[str]:
        """Half of the time the picture as it is."""
        steps = []
        if rng.random() < 0.3:
            steps.append("crop:0..0.3")
        if rng.random() < 0.3:
            steps.append(_SAVED)
        return steps

    def _strong(self, rng: np.random.Generator) -> list[str]:
        """Cropped, moved, edited, pasted and saved, in the order in which people do it."""
        steps = []
        if rng.random() < 0.65:
            steps.append("crop:0.1..0.88")
        if rng.random() < 0.3:
            steps.append("mirror")
        geometry = rng.random()
        if geometry < 0.25:
            steps.append("rotate:0..0.2")
        elif geometry < 0.4:
            steps.append(str(rng.choice(["shear:0.2..0.8", "stretch:0.2..0.8"])))
        for _ in range(int(rng.integers(0, 4))):
            steps.append(f"{rng.choice(EFFECTS)}:0.1..0.8")
        if rng.random() < 0.45:
            steps.append("paste:0.25..0.75")
        if rng.random() < 0.3:
            steps.append("resize:0.2..0.7")
        if rng.random() < 0.6:
            steps.append(_SAVED)
        return steps

    def _made(
        self, pixels: Pixels, steps: list[str], others: Sequence[Pixels], rng: np.random.Generator
    ) -> Pixels:
        if not steps:
            return pixels
        images = [Image.from_array(other) for other in others]
        made = parse("+".join(steps)).apply(Image.from_array(pixels), rng, others=images)
        return made.image.pixels


def coloured(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another brightness, contrast, saturation and hue, or no colour at all; often unchanged."""
    if rng.random() < GREY:
        return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() >= JITTERED:
        return pixels
    x = pixels.astype(np.float32)
    contrast, saturation = rng.uniform(0.4, 1.6), rng.uniform(0.2, 1.8)
    x = (x - x.mean()) * contrast + x.mean() * rng.uniform(0.4, 1.6)
    grey = x.mean(2, keepdims=True)
    # Hue: a turn about the grey axis (Rodrigues).
    angle = np.pi * rng.uniform(-0.3, 0.3)
    a, b = np.cos(angle), np.sin(angle) / np.sqrt(3)
    c = (1 - a) / 3
    turn = np.array([[a + c, c - b, c + b], [c + b, a + c, c - b], [c - b, c + b, a + c]])
    x = grey + saturation * ((x - grey) @ turn.T.astype(np.float32))
    return np.asarray(x.clip(0, 255), np.uint8)


def turned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by quarters, or by any angle with its corners kept on an even ground; often not."""
    drawn = rng.random()
    if drawn < QUARTER:
        return np.ascontiguousarray(np.rot90(pixels, rng.integers(1, 4)))
    if drawn >= QUARTER + TURNED:
        return pixels
    height, width = pixels.shape[:2]
    angle = rng.uniform(-180, 180)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    across, down = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * across + height * down), round(width * down + height * across)
    matrix[:, 2] += (np.array(size) - (width, height)) / 2
    ground = tuple(int(v) for v in rng.integers(0, 256, 3))
    return cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderValue=ground)


def mixed(pixels: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Blended with another photograph (mixup), or a part of it replaced by the other's (cutmix)."""
    height, width = pixels.shape[:2]
    other = cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA)
    share = rng.beta(2, 2)
    if rng.random() < 0.5:
        return cv2.addWeighted(pixels, 1 - share / 2, other, share / 2, 0)
    out = pixels.copy()
    h, w = round(height * np.sqrt(share)), round(width * np.sqrt(share))
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    out[y : y + h, x : x + w] = other[y : y + h, x : x + w]
    return out
