"""Recompression as JPEG: quality 100 (1 - strength), at least 3; colour subsampled 4:2:0 below 90.

Paper: ITU-T T.81 (1992). Why it works as a test: quantisation removes fine contrast and adds a
block grid. Fails when: the picture is flat, then nothing is lost.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card
from originlens.core.image import Image, Pixels
from originlens.core.registry import register


@register(attack_card("jpeg", "recompress as JPEG", ms=3, paper="ITU-T T.81 (1992)"))
class Jpeg(Edit):
    """Recompress as JPEG; the result keeps the JPEG's bytes."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Quality 100 (1 - strength), at least 3."""
        import io

        from PIL import Image as Pillow

        quality = max(3, round(100 * (1 - strength)))
        buffer = io.BytesIO()
        subsampling = 0 if quality >= 90 else 2
        picture = Pillow.fromarray(pixels)
        picture.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
        mask = np.zeros(pixels.shape[:2], bool)
        return Attacked(Image(buffer.getvalue()), np.eye(3), mask, {"quality": quality})
