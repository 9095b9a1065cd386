"""Registration below a pixel: a smooth correction of a transform that is nearly right.

Dense flow (DIS: Kroeger et al., ECCV 2016) measures what is left between two warped pictures, and a
cubic polynomial fitted to it robustly gives the correction, lens distortion included. A local warp,
which no low-degree polynomial follows, stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.match import _photometric as photometric

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]

_DEGREE = 3
_POWERS = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
#: A correction beyond this many pixels is no correction.
_LIMIT = 6.0
#: Up to this size the flow is refined to every pixel, above to every second.
_FINE_AREA = 40_000


def _unit(positions: npt.NDArray[np.integer], length: int) -> Matrix:
    """Pixel positions as -1..1 across a side: the same place at every size of the picture."""
    return np.asarray(2.0 * (positions + 0.5) / length - 1.0, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """A polynomial displacement field: ``coefficients`` (4, 4, 2) of powers of y and x.

    In pixels of a frame of ``shape`` (height, width).
    """

    coefficients: Matrix
    shape: tuple[int, int]

    @classmethod
    def none(cls, shape: tuple[int, int]) -> Shift:
        """No displacement."""
        return cls(np.zeros((_DEGREE + 1, _DEGREE + 1, 2)), shape)

    def plus(self, other: Shift) -> Shift:
        """The sum of two small displacements of one frame."""
        return Shift(self.coefficients + other.coefficients, self.shape)

    def field(self, shape: tuple[int, int]) -> Floats:
        """(h, w, 2) float32 displacement (x, y) in pixels of the same picture at (h, w)."""
        degrees = np.arange(_DEGREE + 1)
        rows = _unit(np.arange(shape[0]), shape[0])[:, None] ** degrees
        columns = _unit(np.arange(shape[1]), shape[1])[:, None] ** degrees
        scale = (shape[1] / self.shape[1], shape[0] / self.shape[0])
        planes = [rows @ self.coefficients[..., k] @ columns.T for k in (0, 1)]
        limited = [np.clip(p, -_LIMIT, _LIMIT) * s for p, s in zip(planes, scale, strict=True)]
        return np.stack(limited, axis=-1).astype(np.float32)

    def largest(self) -> float:
        """The largest displacement, in pixels of the frame."""
        return float(np.abs(self.field((9, 9)) * [self.shape[1] / 9, self.shape[0] / 9]).max())


def residual_shift(query: Floats, original: Floats, explained: Mask) -> Shift:
    """The smooth displacement d for which original(x + d) shows what query(x) shows.

    Args:
        query, original: (h, w, 3) float32 in 0..255, in one frame and of like colours.
        explained: (h, w) bool, the pixels that ``original`` covers.
    """
    flow, weight = _flow(query, original, explained)
    height, width = weight.shape
    step = max(2, int(np.sqrt(height * width / 3000)))
    y, x = np.meshgrid(
        np.arange(step // 2, height, step), np.arange(step // 2, width, step), indexing="ij"
    )
    w = weight[y, x].ravel().astype(np.float64)
    keep = w > 0
    none = Shift.none((height, width))
    if int(keep.sum()) < 12:
        return none
    u, v = _unit(x.ravel()[keep], width), _unit(y.ravel()[keep], height)
    solution = _polynomial(u, v, flow[y, x].reshape(-1, 2)[keep].astype(np.float64), w[keep])
    coefficients = none.coefficients.copy()
    for row, (i, j) in enumerate(_POWERS):
        coefficients[j, i] = solution[row]
    return Shift(coefficients, (height, width))


def _polynomial(u: Matrix, v: Matrix, flow: Matrix, weight: Matrix) -> Matrix:
    """Robust fit of (N, 2) flow at (u, v): (10, 2) coefficients of ``_POWERS``.

    Redescending weights (Geman and McClure): edited places, whose flow is wild, do not count.
    """
    basis = np.stack([u**i * v**j for i, j in _POWERS], axis=-1)
    # Where few places are known the higher terms stay near zero instead of running away.
    bend = 2e-3 if len(u) >= 60 else 1e3
    ridge = np.diag([1e-6 if i + j <= 1 else bend for i, j in _POWERS])
    robust = np.ones_like(weight)
    solution = np.zeros((len(_POWERS), 2))
    for _ in range(8):
        w = weight * robust
        gram = (basis * w[:, None]).T @ basis + ridge * w.sum() + 1e-9 * np.eye(len(ridge))
        solution = np.linalg.solve(gram, (basis * w[:, None]).T @ flow)
        miss = np.hypot(*(flow - basis @ solution).T)
        scale = max(0.15, 2.0 * float(np.median(miss)))
        robust = 1.0 / (1.0 + (miss / scale) ** 2) ** 2
    return np.asarray(solution)


def _flow(query: Floats, original: Floats, explained: Mask) -> tuple[Floats, Floats]:
    """Dense displacement (h, w, 2) in pixels, and its weight (h, w) >= 0."""
    import cv2

    first, second = (np.clip(photometric.luma(p), 0, 255) for p in (query, original))
    # What the original does not cover would otherwise drag the flow beside it.
    a, b = np.where(explained, first, second).astype(np.uint8), second.astype(np.uint8)
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    method.setFinestScale(0 if a.size < _FINE_AREA else 1)
    flow = np.asarray(method.calc(a, b, None), dtype=np.float32)
    smooth = cv2.GaussianBlur(first, (0, 0), 1.0)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.blur(p, (9, 9)) for p in (gx * gx, gy * gy, gx * gy))
    # Smaller eigenvalue of the structure tensor: where both components of the flow are known.
    corner = 0.5 * (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy * xy))
    core = cv2.erode(explained.astype(np.uint8), np.ones((9, 9), np.uint8))
    return flow, np.where(core > 0, corner / (corner + 100.0), 0.0).astype(np.float32)
