"""Pixels for the page: bounded, encoded as data URIs, brought into the query's frame.

Vector overlays use the full-size pixel frame (centres at integers), so a picture of (H, W) pixels
spans x from -0.5 to W - 0.5 whatever the size at which it was encoded.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from originlens.core import geometry

if TYPE_CHECKING:
    from PIL.Image import Image as Pillow

    from originlens.core.image import Image, Pixels

Matrix = npt.NDArray[np.float64]
Size = tuple[int, int]

#: Colour of the change map: magenta is rare in photographs and told apart in every common form
#: of colour blindness by its lightness against both sky and foliage.
CHANGE = (229, 0, 125)
#: The fixed threshold of change maps (0..255).
CHANGED = 128
#: Beyond this ratio of sides a picture is stretched for display, else it would be a hair line.
EXTREME_RATIO = 8.0
#: Quality steps tried in turn until a photograph fits its share of the page.
QUALITIES = (82, 74, 64, 52, 38)


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture: a data URI and the full-size (height, width) that it stands for."""

    uri: str
    size: Size

    @property
    def ratio(self) -> Size:
        """(width, height) of the box on the page: the picture's own, unless it is a hair line."""
        height, width = self.size
        if width > height * EXTREME_RATIO:
            return int(EXTREME_RATIO), 1
        if height > width * EXTREME_RATIO:
            return 1, int(EXTREME_RATIO)
        return width, height

    @property
    def stretched(self) -> bool:
        """Whether the box has another ratio of sides than the picture."""
        height, width = self.size
        return self.ratio != (width, height)

    @property
    def frame(self) -> str:
        """The SVG viewBox of the full-size frame."""
        height, width = self.size
        return f"-0.5 -0.5 {width} {height}"


def bounded(size: Size, long_side: int) -> Size:
    """(height, width) shrunk so that the longer side is at most ``long_side``, never below 1."""
    scale = min(1.0, long_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(pixels: Pixels, long_side: int) -> Pixels:
    """The picture at most ``long_side`` long, area-averaged; (h, w, 3) or (h, w) uint8."""
    import cv2

    height, width = bounded((pixels.shape[0], pixels.shape[1]), long_side)
    if (height, width) == pixels.shape[:2]:
        return pixels
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def of_image(image: Image, long_side: int) -> Pixels:
    """A picture's pixels for display, from the cheapest sufficient decode."""
    return shrunk(image.reduced(min(long_side, min(image.height, image.width))), long_side)


def photograph(pixels: Pixels, size: Size, long_side: int, *, budget: int | None = None) -> Picture:
    """A JPEG of the picture, at most ``long_side`` long and about ``budget`` bytes.

    Graphics of few colours become a PNG where that is smaller (sharp, and no ringing at letters).
    """
    from PIL import Image as Pillow

    picture = Pillow.fromarray(shrunk(pixels, long_side))
    data = b""
    for quality in QUALITIES:
        data = _saved(picture, "JPEG", quality=quality, optimize=True)
        if budget is None or len(data) <= budget:
            break
    colours = picture.getcolors(256)
    if colours is not None:
        png = _saved(picture.quantize(max(2, len(colours))), "PNG", optimize=True)
        if len(png) < len(data):
            return Picture(_uri("image/png", png), size)
    return Picture(_uri("image/jpeg", data), size)


def thumbnail(picture: Picture, long_side: int) -> Picture:
    """A small JPEG of an already encoded picture."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2]))) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    small = Pillow.fromarray(shrunk(pixels, long_side))
    return Picture(_uri("image/jpeg", _saved(small, "JPEG", quality=72)), picture.size)


def change_overlay(change_map: npt.NDArray[np.uint8], long_side: int) -> Picture:
    """The change map as a colour layer: clear below the map's fixed threshold, then ever denser.

    Values below the threshold mean "explained by the original" whatever their size, so they must
    not tint the picture. A palette PNG of 17 steps: a map of a few regions is some hundred bytes.
    """
    from PIL import Image as Pillow

    shown = shrunk(change_map, long_side).astype(np.float32)
    dense = 6 + 10 * (shown - CHANGED) / (255 - CHANGED)
    levels = np.where(shown >= CHANGED, np.rint(dense), 0).astype(np.uint8)
    picture = Pillow.frombytes("P", (levels.shape[1], levels.shape[0]), levels.tobytes())
    picture.putpalette(list(CHANGE) * 17)
    alpha = bytes(round(step / 16 * 255) for step in range(17))
    data = _saved(picture, "PNG", optimize=True, transparency=alpha)
    return Picture(_uri("image/png", data), (change_map.shape[0], change_map.shape[1]))


def aligned(
    original: Pixels, original_size: Size, transform: Matrix, query_size: Size, long_side: int
) -> Pixels:
    """The original drawn into the query's frame; hatched where the original has nothing.

    Args:
        original: (h, w, 3) uint8 at any size; ``original_size`` is its full (height, width).
        transform: full-size original to full-size query, 3x3.
        query_size: full (height, width) of the query.
    """
    import cv2

    height, width = bounded(query_size, long_side)
    source = original
    into_query = geometry.scaling(query_size, (height, width)) @ transform

    def whole(pixels: Pixels) -> Matrix:
        shape = (pixels.shape[0], pixels.shape[1])
        return np.asarray(into_query @ geometry.scaling(shape, original_size), dtype=np.float64)

    # warpPerspective samples points; without this a strong reduction would alias.
    scale = _local_scale(whole(source), source.shape[:2])
    if 0 < scale < 0.7:
        source = shrunk(source, max(1, round(max(source.shape[:2]) * scale)))
    matrix = whole(source)
    drawn = cv2.warpPerspective(source, matrix, (width, height), flags=cv2.INTER_LINEAR)
    covered = cv2.warpPerspective(
        np.full(source.shape[:2], 255, np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST
    )
    rows, columns = np.indices((height, width))
    hatch = np.where(((rows + columns) // 6) % 2, 118, 138).astype(np.uint8)[..., None]
    return np.where(covered[..., None] > 127, drawn, hatch).astype(np.uint8)


def outline(transform: Matrix, size: Size) -> list[tuple[float, float]] | None:
    """Corners of a (height, width) picture after a transform; ``None`` if one is at infinity."""
    height, width = size
    corners = np.array(
        [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]]
    )
    depth = np.column_stack([corners, np.ones(4)]) @ transform[2]
    if not np.isfinite(transform).all() or (depth <= 1e-9).any():
        return None
    return [(float(x), float(y)) for x, y in geometry.apply(transform, corners)]


def _local_scale(matrix: Matrix, shape: tuple[int, ...]) -> float:
    """Linear magnification of a homography at the middle of a picture."""
    x, y = shape[1] / 2, shape[0] / 2
    around = np.array([[x, y], [x + 1, y], [x, y + 1]])
    with np.errstate(all="ignore"):
        points = geometry.apply(matrix, around)
        area = abs(np.linalg.det(points[1:] - points[0]))
    return float(np.sqrt(area)) if np.isfinite(area) else 0.0


def _saved(picture: Pillow, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _uri(kind: str, data: bytes) -> str:
    """A data URI; marked as safe text, so that templates place it as it is."""
    import markupsafe

    return markupsafe.Markup(f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}")
