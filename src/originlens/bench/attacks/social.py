"""Posted and reposted: each hop scales the picture down a little and recompresses it.

Paper: after Giudice et al. 2017, arXiv:1610.06347 (what platforms do to an upload: a new size and
new quantisation tables). Why it works as a test: losses of several codecs and grids add up. Fails
when: the picture is flat. A hop's scale of down to 0.5 stands for the step between the long edges
that platforms are known to serve (4096, 2048, 1920, 1080, 960 pixels); qualities of 50 to 92 span
what they write. The sizes are relative so that small benchmark pictures are treated like large
ones; the quality range is our choice.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card
from originlens.bench.attacks._warp import resized
from originlens.core.geometry import normalised
from originlens.core.image import Image, Pixels
from originlens.core.registry import register

PAPER = "after Giudice et al. 2017, arXiv:1610.06347 (image ballistics of social data); own code"


@register(attack_card("social", "post on social networks, in a chain", ms=81, paper=PAPER))
class Social(Edit):
    """One to three hops of resize and JPEG or WebP; the result keeps the last file's bytes."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Per hop scale 1 - 0.5 x strength to 1 and quality 92 - 42 x strength to 92."""
        import io

        from PIL import Image as Pillow

        transform = np.eye(3)
        hops = []
        data = b""
        for _ in range(1 + int(rng.integers(0, 1 + round(2 * strength)))):
            h, w = pixels.shape[:2]
            scale = float(rng.uniform(1 - 0.5 * strength, 1))
            size = (max(1, round(h * scale)), max(1, round(w * scale)))
            small, step = resized(pixels, size)
            transform = step @ transform
            codec = "WEBP" if rng.random() < 0.3 else "JPEG"
            quality = round(float(rng.uniform(92 - 42 * strength, 92)))
            buffer = io.BytesIO()
            Pillow.fromarray(small).save(buffer, codec, quality=quality)
            data = buffer.getvalue()
            pixels = Image(data).pixels
            hops.append({"size": list(size), "codec": codec, "quality": quality})
        mask = np.zeros(pixels.shape[:2], bool)
        return Attacked(Image(data), normalised(transform), mask, {"hops": hops})
