"""Recompression as lossy WebP: quality 100 (1 - strength).

Paper: RFC 9649 (2024). Why it works as a test: block prediction smears fine texture. Fails when:
the picture is flat, then nothing is lost.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card
from originlens.core.image import Image, Pixels
from originlens.core.registry import register


@register(attack_card("webp", "recompress as lossy WebP", ms=72, paper="RFC 9649 (2024)"))
class Webp(Edit):
    """Recompress as lossy WebP; the result keeps the WebP's bytes."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Quality 100 (1 - strength)."""
        import io

        from PIL import Image as Pillow

        quality = round(100 * (1 - strength))
        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=3)
        mask = np.zeros(pixels.shape[:2], bool)
        return Attacked(Image(buffer.getvalue()), np.eye(3), mask, {"quality": quality})
