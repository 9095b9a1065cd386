"""Resized crop of WAVES: a random square of 1 - strength / 2 of the area, resized to the old frame.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: scale and place change, the size
does not tell. Fails when: never. WAVES's pictures are square; where the square does not fit into a
longish picture the largest middle square is taken, and its aspect ratio changes with the frame's.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import translation
from originlens.bench.attacks._waves import PAPER, absolute
from originlens.core.geometry import scaling
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-resizedcrop", "crop and resize back (WAVES)", ms=8.6, paper=PAPER))
class WavesResizedCrop(Edit):
    """Cut out a square, enlarge it bilinearly to the picture's size."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Area scale 1 to 0.5, linear in strength."""
        from PIL import Image as Pillow

        h, w = pixels.shape[:2]
        scale = absolute("resizedcrop", strength)
        side = max(1, round(float(np.sqrt(h * w * scale))))
        if side <= min(h, w):
            x, y = int(rng.integers(0, w - side + 1)), int(rng.integers(0, h - side + 1))
        else:
            side = min(h, w)
            x, y = (w - side) // 2, (h - side) // 2
        square = Pillow.fromarray(pixels[y : y + side, x : x + side])
        out = np.asarray(square.resize((w, h), Pillow.Resampling.BILINEAR))
        transform = scaling((side, side), (h, w)) @ translation(-x, -y)
        return mapped(out, transform, None, scale=scale, box=[x, y, x + side, y + side])
