"""Which of two pictures was made from the other? An asymmetric score, or "unclear".

After ASL (Wang et al. 2023, arXiv:2205.12358): being a copy has a direction, a crop is a copy of
the whole and not the reverse, so the score of a pair must change its sign when its two pictures are
exchanged. There the ratio of two norms carries it; here every input is the difference of what one
and the other picture show (a frame or a host around the common part, a natural continuation of it,
detail, grey, noise, ink, size), and a network without biases of odd functions reads it, so that
the law holds by construction for exchanged inputs.

Fitted by ``train/direction``, both ways round; coefficients ship as ``direction.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Direction
from originlens.match import _coefficients
from originlens.match import _traits as traits
from originlens.match._seen import Seen

FEATURES = (
    "framed", "hard_edge", "cut_out", "natural_edge", "smaller", "enlarged", "greyscale",
    "less_fine", "less_coarse", "noise", "ink", "darker_rim", "turned",
)  # fmt: skip
#: Keys of ``direction.json`` that are arrays of :class:`DirectionModel`.
ARRAYS = ("scale", "direct", "hidden", "out")
_NOTHING = 0.02  # share of a picture that an inexact transform leaves uncovered
_AROUND = 0.1  # share of a picture from which its surroundings count in full


def features(seen: Seen) -> npt.NDArray[np.float64]:
    """The model's inputs, in the order of ``FEATURES``: positive speaks for a query that was made
    from the asset, and exchanging the pictures changes the signs."""
    return np.array([*_around(seen), *_detail(seen)], dtype=np.float64)


def _around(seen: Seen) -> list[float]:
    """What each side shows beside the common part: frames and hosts, or what a crop left out."""
    q, a = seen.around_query, seen.around_asset
    goes_on_q, goes_on_a = (min(side.continues, 1.2) for side in (q, a))
    counts_q, counts_a = (min(side.share / _AROUND, 1.0) for side in (q, a))
    return [
        q.share * max(0.0, 1 - goes_on_q) - a.share * max(0.0, 1 - goes_on_a),
        counts_q * (goes_on_q < 0.5) - counts_a * (goes_on_a < 0.5),
        a.share * goes_on_a - q.share * goes_on_q,
        counts_a * (goes_on_a > 0.7) - counts_q * (goes_on_q > 0.7),
    ]


def _detail(seen: Seen) -> list[float]:
    """Size, sharpness, noise, ink and the like of one side against the other's.

    Left out for what they did to other data than they were fitted on: ratios of chroma and contrast
    (a recolouring goes either way) and of block edges (the asset is a proxy, which of a large
    original has none).
    """
    c, rotation = seen.colour, seen.plane.rotation
    off_quarter = min(abs(abs(rotation) - k) for k in (0, 90, 180))
    around = seen.around_query.share - seen.around_asset.share
    corners = np.array([seen.aligned.gain[y, x] for y in (0, -1) for x in (0, -1)])
    height, width = seen.aligned.gain.shape
    middle = float(seen.aligned.gain[height // 2, width // 2])
    return [
        -float(np.clip(np.log(max(seen.plane.scale, 1e-6)), -1.5, 1.5)),
        _enlarged(seen.finer_query) - _enlarged(seen.finer_asset),
        0.0 if c is None else _is_grey(c.chroma_query, c.chroma_asset),
        _log_ratio(1.0, seen.fine, 0.05),
        _log_ratio(1.0, seen.coarse, 0.05),
        _log_ratio(seen.noise_query, seen.noise_asset, 1.0),
        float(np.clip(sum(laid_over(r) for r in seen.regions), -1.5, 1.5)),
        _log_ratio(middle, float(corners.mean()), 0.05),
        around if off_quarter > 1 else 0.0,
    ]


def _log_ratio(a: float, b: float, floor: float) -> float:
    return float(np.clip(np.log((max(a, 0.0) + floor) / (max(b, 0.0) + floor)), -2, 2))


def _enlarged(finer: float | None) -> float:
    """In [-1, 1]: 1 = the larger picture holds no more detail than the smaller one, so that it was
    enlarged (measured: enlarged ones stay below 0.9, real ones are mostly above 1.1)."""
    return 0.0 if finer is None else float(np.clip(3 * (0.93 - finer), -1, 1))


def _is_grey(chroma_query: float, chroma_asset: float) -> float:
    query = chroma_query < 1.5 and chroma_asset > 4.0
    asset = chroma_asset < 1.5 and chroma_query > 4.0
    return float(query) - float(asset)


def laid_over(r: traits.Region) -> float:
    """On which side a region looks like ink or a flat graphic: > 0 query, < 0 asset, 0 unclear."""
    if r.letters >= 3 and r.stroke < 0.4 and r.correlation < 0.6:
        lean = r.ink_query - r.ink_asset
    else:
        lean = r.flat_query - r.flat_asset
    # Flat sky painted over is flat on the asset's side too: only a clear difference counts.
    return float(np.clip(2.0 * lean, -0.5, 1.0)) if abs(lean) > 0.25 else 0.0


@dataclass(frozen=True, slots=True)
class DirectionModel:
    """An odd network: ``direct`` (F,) weights plus a hidden layer of tanh, no biases, and no
    negative weights but of noise, so that each input speaks for one direction.

    ``scale`` (F,) divides the inputs; ``bound`` is the score from which a direction is said.
    """

    scale: npt.NDArray[np.float64]
    direct: npt.NDArray[np.float64]
    hidden: npt.NDArray[np.float64]
    out: npt.NDArray[np.float64]
    bound: float

    def score(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Log-odds (...,) that the query was made from the asset, for inputs (..., F)."""
        normed = np.clip(inputs / self.scale, -4, 4)
        return np.asarray(normed @ self.direct + np.tanh(normed @ self.hidden) @ self.out)

    def direction(self, score: float) -> Direction | None:
        """The direction that a score tells; None where it is unclear."""
        if abs(score) < self.bound:
            return None
        return "query-from-asset" if score > 0 else "asset-from-query"


def judge(seen: Seen) -> Direction | None:
    """Which of the two pictures was made from the other; None where nothing tells."""
    model = shipped()
    said = model.direction(float(model.score(features(seen))))
    return said if said is not None else _contained(seen)


def _contained(seen: Seen) -> Direction | None:
    """Where nothing else tells: the picture that lies wholly within the other was cut from it,
    unless the other has a hard edge there, as frames and hosts have."""
    q, a = seen.around_query, seen.around_asset
    if q.share < _NOTHING and a.share > 2 * _NOTHING and a.continues >= 0.5:
        return "query-from-asset"
    if a.share < _NOTHING and q.share > 2 * _NOTHING and q.continues >= 0.5:
        return "asset-from-query"
    return None


@lru_cache(maxsize=1)
def shipped() -> DirectionModel:
    """The model in the package."""
    data, _ = _coefficients.read("direction.json", "direction", FEATURES)
    arrays = {name: np.asarray(data[name], np.float64) for name in ARRAYS}
    return DirectionModel(**arrays, bound=float(data["bound"]))
