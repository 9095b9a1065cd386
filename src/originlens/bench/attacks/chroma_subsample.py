"""Colour at a fraction of the resolution of brightness.

Paper: ITU-R BT.601 (colour subsampling). Why it works as a test: colour edges are smeared,
brightness is untouched. Fails when: the picture is grey.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "ITU-R BT.601 (colour subsampling)"


@register(attack_card("chroma-subsample", "coarsen the colour", ms=20, paper=PAPER))
class ChromaSubsample(Edit):
    """Shrink Cb and Cr and enlarge them again."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Colour at 1/2 to 1/16 of the resolution."""
        import cv2

        h, w = pixels.shape[:2]
        factor = 2.0 ** (1 + 3 * strength)
        ycc = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)).reshape(pixels.shape).copy()
        size = (max(1, round(w / factor)), max(1, round(h / factor)))
        small = cv2.resize(ycc[..., 1:], size, interpolation=cv2.INTER_AREA)
        chroma = np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR))
        ycc[..., 1:] = chroma.reshape(h, w, 2)
        out = np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB)).reshape(pixels.shape)
        return same_frame(out, factor=factor)
