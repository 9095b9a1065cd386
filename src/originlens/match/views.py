"""Which parts of a query are described on their own, so that a picture inside a picture is found.

A global descriptor answers for the whole frame: a picture pasted into another disappears in its
host (D2LV, Wang et al. 2021, arXiv:2111.07090; ISC2021 results, arXiv:2202.04007). So regions of
the query are described too: rectangles whose outline is visible, then a fixed pyramid of tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in shares of a picture's sides."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

QUARTERS: tuple[Box, ...] = tuple(
    (x, y, x + 0.5, y + 0.5) for y in (0.0, 0.25, 0.5) for x in (0.0, 0.25, 0.5)
)
"""Parts of an original that an index with regions describes: nine overlapping quarters."""

_SIDE = 320  # working size of the rectangle finder
_MAX_LINES = 7
_OUTLINE = 0.45  # least score of a rectangle's outline


@dataclass(frozen=True, slots=True)
class Region:
    """A box of the query, and where it comes from."""

    name: str
    box: Box

    @property
    def area(self) -> float:
        """Share of the query's area."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def tiles(thorough: bool = False) -> list[Region]:
    """Overlapping tiles at sides 0.7, 0.5 and 0.35 (also 0.25 when thorough) of the query."""
    found: list[Region] = []
    plan = [(0.7, 3), (0.5, 3), (0.35, 4)]
    if thorough:
        plan += [(0.6, 3), (0.25, 6)]
    for side, steps in plan:
        for y in np.linspace(0, 1 - side, steps):
            for x in np.linspace(0, 1 - side, steps):
                box = (float(x), float(y), float(x + side), float(y + side))
                found.append(Region(f"tile-{side:g}", box))
    return found


def rectangles(pixels: Pixels, limit: int = 4) -> list[Region]:
    """Boxes with a visible straight outline: pasted pictures, frames, screenshots, letterboxes.

    Straight horizontal and vertical edges become candidate lines; every rectangle of two of each
    is scored by the share of its outline that lies on an edge, sides on the picture's own border
    counting half. Returns at most ``limit`` boxes, best first, mutually different.
    """
    import cv2

    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    size = (max(8, round(pixels.shape[1] * scale)), max(8, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    w, h = size
    vertical = _edge_lines(np.abs(np.diff(small, axis=1)).max(2))
    horizontal = _edge_lines(np.abs(np.diff(small, axis=0)).max(2).T)
    pairs_x = _pairs(_candidates(vertical, w), w)
    pairs_y = _pairs(_candidates(horizontal, h), h)
    across = {x: _side(vertical, x, w) for x in {x for pair in pairs_x for x in pair}}
    along = {y: _side(horizontal, y, h) for y in {y for pair in pairs_y for y in pair}}
    scored: list[tuple[float, Box]] = []
    for x0, x1 in pairs_x:
        for y0, y1 in pairs_y:
            if not 0.03 <= (x1 - x0) * (y1 - y0) / (w * h) <= 0.97:
                continue
            runs = [float(across[x][y1] - across[x][y0]) / (y1 - y0) for x in (x0, x1)]
            runs += [float(along[y][x1] - along[y][x0]) / (x1 - x0) for y in (y0, y1)]
            support = 0.5 * sum(runs) / 4 + 0.5 * min(runs)
            if support > _OUTLINE:
                scored.append((support, (x0 / w, y0 / h, x1 / w, y1 / h)))
    scored.sort(key=lambda s: -s[0])
    chosen: list[Region] = []
    for _, box in scored:
        if all(_overlap(box, other.box) < 0.8 for other in chosen):
            chosen.append(Region("rectangle", box))
            if len(chosen) == limit:
                break
    return chosen


def _edge_lines(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Cumulated edge mask along each column boundary: (h + 1, w - 1), row k = edges above row k.

    A pixel is on a vertical line where its step is a maximum across the line and stands out from
    the steps around it, which texture does not do over long runs.
    """
    import cv2

    around = cv2.blur(difference, (15, 1))
    widest = cv2.dilate(difference, np.ones((1, 3), np.uint8))
    mask = (difference >= widest) & (difference > 8) & (difference > 1.6 * around)
    run = cv2.erode(
        cv2.dilate(mask.astype(np.uint8), np.ones((5, 1), np.uint8)), np.ones((9, 1), np.uint8)
    )
    run = cv2.dilate(run, np.ones((5, 1), np.uint8)).astype(np.float32)
    return np.vstack([np.zeros((1, run.shape[1]), np.float32), np.cumsum(run, 0, dtype=np.float32)])


def _candidates(lines: npt.NDArray[np.float32], size: int) -> list[int]:
    """Positions of the strongest lines plus both borders; a line spans >= 12 % of the picture."""
    total = lines[-1]
    length = lines.shape[0] - 1
    chosen: list[int] = []
    for position in np.argsort(-total, kind="stable"):
        if total[position] < 0.12 * length or len(chosen) == _MAX_LINES:
            break
        if all(abs(int(position) + 1 - c) > 0.02 * size + 1 for c in chosen):
            chosen.append(int(position) + 1)
    return sorted({0, size, *chosen})


def _pairs(positions: list[int], size: int) -> list[tuple[int, int]]:
    """Pairs of lines at least 12 % of the picture apart."""
    return [
        (low, high)
        for i, low in enumerate(positions)
        for high in positions[i + 1 :]
        if high - low >= 0.12 * size
    ]


def _side(lines: npt.NDArray[np.float32], position: int, size: int) -> npt.NDArray[np.float32]:
    """Cumulated length of edge along the line at ``position``, from 0 to each point of it.

    The picture's own border counts half: it may be a pasted picture's side or mere chance. A line
    may wander by a pixel, so the neighbouring columns count too, each pixel once.
    """
    if position in (0, size):
        return np.arange(lines.shape[0], dtype=np.float32) * 0.5
    steps = np.diff(lines[:, max(position - 2, 0) : position + 1].T, axis=1, prepend=0)
    return np.asarray(np.maximum.reduce(steps, axis=0).cumsum(), np.float32)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union
