"""Video compression of DeeperForensics-1.0, by a stand-in: the picture as one AV1 key frame.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: prediction and quantisation of a video codec, unlike JPEG's blocks. Fails when: the
picture is flat. The paper uses H.264 at constant rate factors 30 to 40; no H.264 encoder comes with
our libraries, so Pillow's AVIF (AV1 intra) quantises at the same share of its scale.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._deeper import PAPER, RATE, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card(
        "df-video",
        "compress as a video frame (DeeperForensics, AV1 for H.264)",
        ms=120,
        paper=PAPER,
        note="stand-in for H.264",
    )
)
class DeeperVideo(Edit):
    """Encode and decode one frame; the pixels come back, as from a frame grab."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """H.264 rate factor 30, 32, 35, 38 or 40 of 51, as the same share of AV1's 63."""
        import io

        from PIL import Image as Pillow

        level, rate = chosen(RATE, strength)
        quality = round(100 * (1 - rate / 51))
        buffer = io.BytesIO()
        picture = Pillow.fromarray(pixels)
        picture.save(buffer, "AVIF", quality=quality, speed=8, max_threads=1)
        with Pillow.open(buffer) as frame:
            out = np.asarray(frame.convert("RGB"))
        return same_frame(out, level=level, rate_factor=int(rate), avif_quality=quality)
