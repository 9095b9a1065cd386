"""Compression of WAVES: JPEG of quality 90 - 80 x strength.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: quantisation removes fine contrast.
Fails when: the picture is flat. WAVES's own zero is quality 90; here, as for every attack, strength
0 is the identity, and quality 90 is its limit from above.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card
from originlens.bench.attacks._waves import PAPER, absolute, whole
from originlens.core.image import Image, Pixels
from originlens.core.registry import register


@register(attack_card("waves-compression", "recompress as JPEG (WAVES)", ms=3, paper=PAPER))
class WavesCompression(Edit):
    """Pillow's JPEG with its default colour subsampling (4:2:0); the result keeps the bytes."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Quality 90 to 10, linear in strength, fractions cut off."""
        import io

        from PIL import Image as Pillow

        quality = whole(absolute("compression", strength))
        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        mask = np.zeros(pixels.shape[:2], bool)
        return Attacked(Image(buffer.getvalue()), np.eye(3), mask, {"quality": quality})
