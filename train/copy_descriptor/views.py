"""Two views of a photograph for contrastive training, made with the bench's attacks.

Every step of a view is an attack that some *seen* edit kind uses, or one that no kind of the
benchmark uses and that is not reserved as unseen: what reports hold out is never met here. WAVES'
and DeeperForensics' attacks are left out, too: some are held-out ones under other names.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from originlens.bench.chains import parse
from originlens.core.image import Image

Pixels = np.ndarray
_SAVED = "jpeg:0.1..0.8"
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
    """

    def __init__(self, side: int) -> None:
        self._side = side

    def pair(
        self, pixels: Pixels, others: Sequence[Pixels], rng: np.random.Generator
    ) -> tuple[Pixels, Pixels]:
        """A mild view (as a reference is) and a strong one (as a query is), (S, S, 3) uint8."""
        mild = self._made(pixels, self._mild(rng), others, rng)
        return self.square(mild), self.square(self._made(pixels, self._strong(rng), others, rng))

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
            steps.append("crop:0.1..0.8")
        if rng.random() < 0.3:
            steps.append("mirror")
        geometry = rng.random()
        if geometry < 0.25:
            steps.append("rotate:0..0.2")
        elif geometry < 0.4:
            steps.append(str(rng.choice(["shear:0.2..0.8", "stretch:0.2..0.8"])))
        for _ in range(int(rng.integers(0, 4))):
            steps.append(f"{rng.choice(EFFECTS)}:0.1..0.8")
        if rng.random() < 0.35:
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
