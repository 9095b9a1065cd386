"""How much of an original a picture repeats: a replication level from 0 to 5, with an interval.

After PDF-Embedding (Wang et al. 2024, arXiv:2409.19952, "Image Copy Detection for Diffusion
Models"): instead of copy or no copy, six ordered levels from unrelated (0) to the same picture (5),
learned from soft targets, a probability density around the true level, with a KL loss. Theirs reads
the level off one vector for each level; here a small network reads it off what a search has
measured anyway: similarity of descriptors as a whole and by region, hash distance, the geometry and
how the warped pixels agree, and the layout of tones, forms, orientations and colours of two
miniatures, laid over each other by the found transform and as they are.

The grades that it learned are measured, not human: see ``docs/models/replication.md``. Fitted by
``train/replication``; coefficients ship as ``replication.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from originlens.core import geometry as plane
from originlens.core.evidence import ReplicationLevel
from originlens.core.image import Pixels
from originlens.match import MINIATURE, Geometry, Homography, LocalFeatures, _coefficients
from originlens.match._query import NEGATIVE_VIEW

Floats = npt.NDArray[np.float32]

#: The level of a picture that is the asset, byte for byte or pixel for pixel.
IDENTICAL = ReplicationLevel(5, 5.0, 5.0, 5.0)
LEVELS = 6
_WHOLE = NEGATIVE_VIEW + 1  # the first vectors of a query: of the whole, turned, its negative
_PDQ_RANGE = 128.0
_AROUND = 4.0  # pixels of a miniature within which forms are seen
_LEAST = 64  # pixels of a miniature that a transform must lay over the other
_LAYOUT = ("tone", "forms", "edges", "orientations", "colour")
FEATURES = (
    "whole", "best", "median", "pdq_closeness",
    "log_inliers", "match_share", "agreement", "correlation", "fine_correlation", "texture",
    "residual", "coverage_query", "coverage_asset", "share", "agreed_share", "found_by_features",
    *(f"laid_{name}" for name in _LAYOUT),
    *(f"as_is_{name}" for name in _LAYOUT),
    "palette",
)  # fmt: skip
#: Keys of ``replication.json`` that are arrays of :class:`LevelModel`.
ARRAYS = ("mean", "scale", "hidden", "hidden_bias", "out", "out_bias")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a search or a comparison knows of one pair.

    ``similarities`` are cosines in [-1, 1] between the query's views and the asset: the largest of
    the whole query, its quarter turns and its negative; the largest of all views; the median of
    the regions. The miniatures are (64, 64, 3) uint8, the sizes (height, width) those of the
    full-size pictures.
    """

    similarities: tuple[float, float, float]
    pdq_distance: int | None
    geometry: Geometry
    query: Pixels
    asset: Pixels
    query_size: tuple[int, int]
    asset_size: tuple[int, int]


def measure(
    views: npt.NDArray[np.float32],
    asset_vector: npt.NDArray[np.float32],
    pdq_distance: int | None,
    geometry: Geometry,
    query: LocalFeatures,
    asset: LocalFeatures,
) -> Measured:
    """Put together what was measured on a pair.

    Args:
        views: (N >= 5, 256), of the whole query, its quarter turns, its negative, its regions.
        asset_vector: (256,), of the whole asset.
        pdq_distance: smallest distance in bits over the query's symmetries, None if not compared.
        geometry: how the asset lies in the query.
        query, asset: local features, with miniatures.
    """
    cosine = views @ asset_vector
    of_regions = cosine[_WHOLE:] if len(cosine) > _WHOLE else cosine
    return Measured(
        similarities=(
            float(cosine[:_WHOLE].max()),
            float(cosine.max()),
            float(np.median(of_regions)),
        ),
        pdq_distance=pdq_distance,
        geometry=geometry,
        query=query.miniature,
        asset=asset.miniature,
        query_size=query.full_size,
        asset_size=asset.full_size,
    )


def features(m: Measured) -> npt.NDArray[np.float64]:
    """The model's inputs, in the order of ``FEATURES``, finite, most of them within [-1, 1]."""
    g = m.geometry
    details = g.details
    pdq = 256 if m.pdq_distance is None else m.pdq_distance
    share = float(np.sqrt(max(g.coverage_query * g.coverage_asset, 0.0)))
    values = [
        *m.similarities,
        max(0.0, (_PDQ_RANGE - pdq) / _PDQ_RANGE),
        min(float(np.log1p(g.inliers)), 5.0) / 5.0,
        g.match_share,
        g.agreement,
        g.correlation,
        float(details.get("fine_correlation", 0.0)),
        float(details.get("texture", 0.0)),
        min(float(details.get("residual", 0.0)), 4.0) / 4.0,
        g.coverage_query,
        g.coverage_asset,
        share,
        share * g.agreement,
        float(details.get("found_by") == "features"),
        *_layouts(m),
        _palette(m.query, m.asset),
    ]
    return np.asarray(values, dtype=np.float64)


def _layouts(m: Measured) -> list[float]:
    """Likeness of the miniatures as ``_LAYOUT`` names it: laid over each other, then as they are.

    Laid over each other by the transform, all 0 without one; as they are or mirrored, whichever
    tones agree more, for pictures that keep a layout and no local detail.
    """
    query, asset = _lab(m.query), _lab(m.asset)
    everywhere = np.ones((MINIATURE, MINIATURE), np.float32)
    laid = [0.0] * len(_LAYOUT)
    if m.geometry.transform is not None:
        warped, inside, sigma = _laid(m, m.geometry.transform, asset)
        if inside.sum() >= _LEAST:
            laid = _likeness(_blurred(query, sigma), warped, inside)
    as_is, mirrored = (_likeness(query, a, everywhere) for a in (asset, asset[:, ::-1]))
    return [*laid, *max(as_is, mirrored, key=lambda found: found[0])]


def _laid(m: Measured, transform: Homography, asset: Floats) -> tuple[Floats, Floats, float]:
    """The asset's miniature in the query's frame, where it lies (0 or 1), and the blur in pixels
    that brings the query to its resolution."""
    import cv2

    frame = (MINIATURE, MINIATURE)
    there = plane.scaling(m.query_size, frame) @ transform
    there = there @ plane.scaling(frame, m.asset_size)
    scale = float(np.sqrt(abs(np.linalg.det(there[:2, :2]))))
    source = _blurred(asset, 0.4 / scale if scale < 0.7 else 0.0)
    warped = cv2.warpPerspective(source, there, frame, flags=cv2.INTER_LINEAR)
    ones = np.ones(frame, np.float32)
    inside = cv2.warpPerspective(ones, there, frame, flags=cv2.INTER_NEAREST)
    return np.asarray(warped), np.asarray(inside), min(0.5 * scale, 8.0) if scale > 1.2 else 0.0


def _lab(small: Pixels) -> Floats:
    """(64, 64, 3) float32 CIE Lab of 8 bits."""
    import cv2

    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma)) if sigma > 0 else values


def _likeness(query: Floats, asset: Floats, inside: Floats) -> list[float]:
    """How alike two Lab miniatures are where ``inside`` is 1, as ``_LAYOUT`` names it.

    Tone, forms (tone less its surroundings) and edges (strength of the gradient) are correlations;
    orientations correlate doubled angles of the gradient, which no tone curve or negative turns;
    colour is 1 where chroma is equal and falls with its distance.
    """
    q, a = query[..., 0], asset[..., 0]
    gq, ga = _gradient(q), _gradient(a)
    distance = np.hypot(*(np.moveaxis(query - asset, -1, 0)[1:]))
    weight = float(inside.sum())
    return [
        _correlation(q, a, inside),
        _correlation(q - _blurred(q, _AROUND), a - _blurred(a, _AROUND), inside),
        _correlation(_blurred(np.abs(gq), 1.0), _blurred(np.abs(ga), 1.0), inside),
        _correlation_of_angles(gq, ga, inside),
        float((np.exp(-distance / 20.0) * inside).sum()) / weight,
    ]


def _gradient(luma: Floats) -> npt.NDArray[np.complex64]:
    """x + iy of Sobel's gradient of (h, w)."""
    import cv2

    across, along = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
    return np.asarray(across + 1j * along, np.complex64)


def _correlation(q: Floats, a: Floats, inside: Floats) -> float:
    weight = float(inside.sum())
    q, a = ((v - float((v * inside).sum()) / weight) * inside for v in (q, a))
    return float((q * a).sum() / (np.sqrt(float((q * q).sum()) * float((a * a).sum())) + weight))


def _correlation_of_angles(
    q: npt.NDArray[np.complex64], a: npt.NDArray[np.complex64], inside: Floats
) -> float:
    q, a = (v * v / (np.abs(v) + 1.0) * inside for v in (q, a))
    product = float((q * np.conj(a)).real.sum())
    return product / (float(np.linalg.norm(q)) * float(np.linalg.norm(a)) + float(inside.sum()))


def _palette(query: Pixels, asset: Pixels) -> float:
    """Intersection in [0, 1] of two histograms of 6 x 6 x 6 colours."""
    counts = []
    for small in (query, asset):
        cells = (small.reshape(-1, 3) // 43).astype(np.int64) @ np.array([36, 6, 1])
        counts.append(np.bincount(cells, minlength=216) / len(cells))
    return float(np.minimum(counts[0], counts[1]).sum())


@dataclass(frozen=True, slots=True)
class LevelModel:
    """A network of one hidden layer from :func:`features` to a distribution over the six levels.

    ``width`` is the half-width of the interval in standard deviations of that distribution, such
    that 90 % of the validation pairs' levels lie within (split conformal prediction with a
    normalised residual: Papadopoulos et al. 2002; Lei et al. 2018).
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    hidden: npt.NDArray[np.float64]
    hidden_bias: npt.NDArray[np.float64]
    out: npt.NDArray[np.float64]
    out_bias: npt.NDArray[np.float64]
    width: float

    def distribution(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probabilities (..., 6) of the levels for inputs (..., F)."""
        normed = np.clip((inputs - self.mean) / self.scale, -6, 6)
        logits = np.tanh(normed @ self.hidden + self.hidden_bias) @ self.out + self.out_bias
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

    def level(self, measured: Measured) -> ReplicationLevel:
        """The most probable and the expected level, with a 90 % interval."""
        probabilities = self.distribution(features(measured))
        expected, deviation = moments(probabilities)
        low, high = expected - self.width * deviation, expected + self.width * deviation
        return ReplicationLevel(
            int(probabilities.argmax()),
            round(float(expected), 1),
            max(0.0, np.floor(10 * float(low)) / 10),
            min(5.0, np.ceil(10 * float(high)) / 10),
        )


def moments(
    probabilities: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation of distributions (..., 6) over the levels."""
    levels = np.arange(LEVELS, dtype=np.float64)
    mean = probabilities @ levels
    variance = probabilities @ levels**2 - mean**2
    return np.asarray(mean), np.sqrt(np.maximum(variance, 1e-6))


@lru_cache(maxsize=1)
def shipped() -> LevelModel:
    """The model in the package."""
    data, _ = _coefficients.read("replication.json", "replication", FEATURES)
    arrays = {name: np.asarray(data[name], np.float64) for name in ARRAYS}
    return LevelModel(**arrays, width=float(data["width"]))
