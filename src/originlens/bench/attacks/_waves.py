"""The absolute ranges of the WAVES distortions and the way from a relative strength to them."""

from __future__ import annotations

PAPER = "An et al. 2024, WAVES, ICML, arXiv:2401.08573 (parameter range); own code"

#: Absolute parameter at relative strength 0 and at 1, as in Appendix and code of WAVES.
RANGES: dict[str, tuple[float, float]] = {
    "rotation": (0.0, 45.0),  # degrees
    "resizedcrop": (1.0, 0.5),  # share of the area that is kept
    "erasing": (0.0, 0.25),  # share of the area that is erased
    "brightness": (1.0, 2.0),  # factor
    "contrast": (1.0, 2.0),  # factor
    "blurring": (0.0, 20.0),  # radius in pixels, whole numbers
    "noise": (0.0, 0.1),  # sigma, pixels in [0, 1]
    "compression": (90.0, 10.0),  # JPEG quality, whole numbers
}


def absolute(distortion: str, strength: float) -> float:
    """The parameter of a distortion at relative strength (0, 1]: linear between its two ends."""
    low, high = RANGES[distortion]
    return low + strength * (high - low)


def whole(value: float) -> int:
    """A parameter cut to a whole number, unharmed by the last bits of a float (0.35 x 20 = 7)."""
    return int(value + 1e-6)
