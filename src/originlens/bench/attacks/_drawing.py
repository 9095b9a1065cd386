"""Drawn things: words, procedural scenes, alpha layers. Everything here is drawn by this code.

Letters are those of the scalable font embedded in Pillow (Aileron Regular by Sora Sagano, CC0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.attacks._base import Mask
from originlens.core.image import Image, Pixels

#: What captions say: a sentence's worth of common words.
PHRASE = (
    "sale now only today breaking news look what happened never again best day ever free download "
    "follow me share if you agree when monday comes true story wow nobody expected this 100% real "
    "the end is near live from here summer tour vote archive copy draft sample limited offer"
)


def words(count: int, rng: np.random.Generator) -> str:
    """``count`` words drawn from a fixed list, separated by blanks."""
    known = PHRASE.split()
    return " ".join(known[int(i)] for i in rng.integers(0, len(known), count))


def text_alpha(text: str, height: int, *, bold: bool = False) -> npt.NDArray[np.float32]:
    """(h, w) float32 coverage in [0, 1] of one line of text about ``height`` pixels high."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size=max(4, height))
    stroke = max(1, height // 18) if bold else 0
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    size = (max(1, int(np.ceil(right - left))), max(1, int(np.ceil(bottom - top))))
    layer = Pillow.new("L", size, 0)
    ImageDraw.Draw(layer).text((-left, -top), text, fill=255, font=font, stroke_width=stroke)
    return np.asarray(layer, dtype=np.float32) / np.float32(255)


def blend(
    pixels: Pixels, alpha: npt.NDArray[np.floating], colour: npt.ArrayLike, place: tuple[int, int]
) -> None:
    """Lay ``colour`` (a triple or an (h, w, 3) layer) with coverage ``alpha`` at (x, y), in place.

    What falls outside the picture is cut off.
    """
    x, y = place
    h, w = alpha.shape
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(h, pixels.shape[0] - y), min(w, pixels.shape[1] - x)
    if top >= bottom or left >= right:
        return
    layer = np.broadcast_to(np.asarray(colour, dtype=np.float32), (h, w, 3))
    cut = alpha[top:bottom, left:right, None].astype(np.float32)
    target = pixels[y + top : y + bottom, x + left : x + right]
    mixed = target * (1 - cut) + layer[top:bottom, left:right] * cut
    target[...] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def cover(
    mask: Mask, alpha: npt.NDArray[np.floating], place: tuple[int, int], threshold: float = 0.03
) -> None:
    """Mark in ``mask`` where a layer of coverage ``alpha`` lies at (x, y)."""
    x, y = place
    top, left = max(0, -y), max(0, -x)
    part = alpha[top : mask.shape[0] - y, left : mask.shape[1] - x] > threshold
    mask[y + top : y + top + part.shape[0], x + left : x + left + part.shape[1]] |= part


def canvas(size: tuple[int, int]) -> tuple[Any, Any]:
    """A transparent Pillow RGBA layer of (height, width) and the pen that draws on it."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    layer = Pillow.new("RGBA", (size[1], size[0]), (0, 0, 0, 0))
    return layer, ImageDraw.Draw(layer)


def laid(pixels: Pixels, layer: Any) -> tuple[Pixels, Mask]:
    """The picture under a Pillow RGBA layer of its size, and where the layer covers it."""
    rgba = np.asarray(layer)
    out = pixels.copy()
    mask = rgba[..., 3] > 7
    alpha = rgba[mask][:, 3:].astype(np.float32) / np.float32(255)
    out[mask] = np.rint(pixels[mask] * (1 - alpha) + rgba[mask][:, :3] * alpha).astype(np.uint8)
    return out, mask


def fitted_text(text: str, height: int, width: int) -> npt.NDArray[np.float32]:
    """One bold line at most ``height`` high and (as far as 4 px letters go) ``width`` wide."""
    alpha = text_alpha(text, height, bold=True)
    if alpha.shape[1] > width:
        alpha = text_alpha(text, int(height * width / alpha.shape[1]), bold=True)
    return alpha


def scene(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A procedural picture of (height, width): sky-like gradient, blobs, fine texture.

    Stands in for "another picture" where none was given; it is textured so that local features
    find something in it, as they would in a photograph.
    """
    import cv2

    h, w = size
    corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
    canvas: npt.NDArray[np.float32] = np.zeros((h, w, 3), np.float32)
    canvas += np.asarray(cv2.resize(corners, (w, h)), dtype=np.float32).reshape(h, w, 3)
    for octave in (8, 24, 64):
        rows, columns = min(h, octave), min(w, octave)
        noise = rng.normal(0, 160 / np.sqrt(octave), (rows, columns, 3)).astype(np.float32)
        enlarged = cv2.resize(noise, (w, h), interpolation=cv2.INTER_CUBIC)
        canvas += np.asarray(enlarged, dtype=np.float32).reshape(h, w, 3)
    out = np.clip(canvas, 0, 255).astype(np.uint8)
    for _ in range(12):
        centre = (int(rng.integers(0, w)), int(rng.integers(0, h)))
        axes = (1 + int(rng.integers(0, w // 8 + 1)), 1 + int(rng.integers(0, h // 8 + 1)))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        cv2.ellipse(out, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return out


def rounded_rectangle(
    size: tuple[int, int], radius: int, *, supersampling: int = 2
) -> npt.NDArray[np.float32]:
    """(h, w) float32 coverage of a rectangle with round corners that fills (height, width)."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    h, w = size
    layer = Pillow.new("L", (w * supersampling, h * supersampling), 0)
    box = (0, 0, w * supersampling - 1, h * supersampling - 1)
    ImageDraw.Draw(layer).rounded_rectangle(box, radius * supersampling, fill=255)
    return np.asarray(layer.resize((w, h), Pillow.Resampling.BOX), dtype=np.float32) / np.float32(
        255
    )


def other_picture(
    others: Sequence[Image], size: tuple[int, int], rng: np.random.Generator
) -> tuple[Pixels, str]:
    """Pixels of one of ``others`` (a sequence of images) and its name, or a drawn scene."""
    if others:
        chosen = others[int(rng.integers(len(others)))]
        return chosen.pixels, str(chosen.path or "given picture")
    return scene(size, rng), "drawn scene"
