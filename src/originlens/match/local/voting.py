"""Which assets share local features with a query, and agree on how they lie in it.

Source: the matches of a list vote for their asset (Jegou, Douze, Schmid, ECCV 2008), a feature that
matches many assets counts less (burstiness and inverse document frequency in one: Jegou, Douze,
Schmid, "On the burstiness of visual elements", CVPR 2009), and the best assets are ranked again by
the largest set of matches that agree on one similarity transform. Each match proposes one, since a
feature has a place, a size and a direction (Lowe, IJCV 60, 2004, section 7.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels
from originlens.match.local import coding, patches
from originlens.match.local.keypoints import Floats
from originlens.store import LocalHits, LocalQuery, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from originlens.store import Store

WORDS = 3  # looked up per feature
RADIUS = 14  # bits
_SIGNS = np.array([-1, 1, -1, 1], np.float32)  # of a box's sides under a mirror
_CORNERS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
#: Votes that chance reaches: in half of the queries, the best of 100 000 unrelated pictures does.
CHANCE = 0.4
_SHORTLIST = 80  # assets that are ranked by agreement
_MATCHES = 32  # of each, those that count most
_UNIT_OCTAVES = np.log2(coding.UNITS)
_TURN, _OCTAVES, _OFF = np.radians(18), 0.5, 0.12


@dataclass(frozen=True, slots=True)
class Features:
    """A query's features in two readings: as it is, and mirrored.

    ``xy`` (Q, 2), ``sigma`` (Q,) in shares of the long side and ``angle`` (Q,) in radians, in the
    frame of the feature's ``reading`` (Q,); ``query`` is what the store looks up, ``extent`` the
    query's (width, height) in the same unit.
    """

    xy: Floats
    sigma: Floats
    angle: Floats
    reading: npt.NDArray[np.intp]
    query: LocalQuery
    extent: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Votes:
    """What local features say: ``rows`` (N,) of assets, ``votes`` (N,) of each, best first.

    ``boxes`` (N, 4) float32 is where each asset lies in the query, roughly: left, top, right and
    bottom in shares of its sides.
    """

    rows: Rows
    votes: Floats
    boxes: Floats


def features(pixels: Pixels) -> Features:
    """The features of a query's (H, W, 3) uint8 pixels."""
    found = coding.points(pixels, coding.QUERY_SIDE, coding.QUERY_POINTS)
    coder = coding.shipped()
    histograms = found.histograms
    readings = [histograms, histograms[:, patches.MIRROR]]
    components = coder.components(np.concatenate(readings))
    long_side = max(found.size)
    mirrored = found.xy.copy()
    mirrored[:, 0] = found.size[1] - 1 - mirrored[:, 0]
    query = LocalQuery(coder.looked_up(components, WORDS), coder.bits(components), RADIUS)
    return Features(
        np.asarray(np.concatenate([found.xy, mirrored]) / long_side, np.float32),
        np.asarray(np.tile(found.sigma, 2) / long_side, np.float32),
        np.concatenate([found.angle, (np.pi - found.angle).astype(np.float32)]),
        np.repeat(np.arange(2), len(found.sigma)),
        query,
        (found.size[1] / long_side, found.size[0] / long_side),
    )


def votes(looked: Features, store: Store, where: Mapping[str, str] | None = None) -> Votes:
    """The assets that share local features with the query; few votes are chance."""
    hits = store.search_local(looked.query, where)
    weight = _weights(hits)
    group = hits.rows * 2 + looked.reading[hits.features]
    chosen = _shortlisted(group, weight)
    hits, weight, group = hits.where(chosen), weight[chosen], group[chosen]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    if not len(starts):
        return Votes(np.empty(0, np.int64), np.empty(0, np.float32), np.empty((0, 4), np.float32))
    agreed, boxes = _agreement(looked, hits, weight, starts)
    rows, mirrored = group[starts] // 2, group[starts] % 2 == 1
    boxes[mirrored] = boxes[mirrored][:, [2, 1, 0, 3]] * _SIGNS + (_SIGNS < 0)
    # Of an asset found in both readings, the better one.
    order = np.lexsort((rows, -agreed))
    order = order[np.sort(np.unique(rows[order], return_index=True)[1])]
    return Votes(rows[order], agreed[order], np.clip(boxes[order], 0, 1))


def _weights(hits: LocalHits) -> Floats:
    """What each match counts: near signatures more, features that match many assets less."""
    number = np.bincount(hits.features)[hits.features]
    nearness = np.exp(-((hits.distances.astype(np.float32) / 10.0) ** 2))
    return np.asarray(nearness / np.sqrt(number), np.float32)


def _shortlisted(group: Rows, weight: Floats) -> npt.NDArray[np.intp]:
    """Indices of the matches of the best groups, by group, those that count most first."""
    groups, of = np.unique(group, return_inverse=True)
    sums = np.bincount(of, weight)
    several = np.bincount(of) > 1
    kept = np.argsort(np.where(several, -sums, 0), kind="stable")[:_SHORTLIST]
    is_kept = np.zeros(len(groups), bool)
    is_kept[kept] = several[kept]
    order = np.lexsort((-weight, group))
    order = order[is_kept[of[order]]]
    starts = np.searchsorted(group[order], group[order])
    return order[np.arange(len(order)) - starts < _MATCHES]


def _agreement(
    looked: Features, hits: LocalHits, weight: Floats, starts: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """The weight (G,) of the largest set of matches in each group that agree on one transform.

    And the boxes (G, 4) to which these transforms take the unit square, which holds the asset.
    """
    sizes = np.diff(np.append(starts, len(weight)))
    padded = np.minimum(np.arange(_MATCHES), sizes[:, None] - 1) + starts[:, None]
    is_real = np.arange(_MATCHES) < sizes[:, None]
    feature = hits.features[padded]
    places = hits.places[padded]
    asset = np.stack([places["x"], places["y"]], axis=2).astype(np.float32) / coding.UNITS
    size = places["sigma"].astype(np.float32) / coding.SIGMA_STEPS - np.float32(_UNIT_OCTAVES)
    octave = np.log2(looked.sigma[feature]) - size
    turn = looked.angle[feature] - places["angle"] * np.float32(2 * np.pi / coding.UNITS)
    place = looked.xy[feature]
    # Match i's transform takes match j's asset point near match j's query point.
    scale = np.exp2(octave)
    cos, sin = (scale * np.cos(turn))[:, :, None], (scale * np.sin(turn))[:, :, None]
    step = asset[:, None] - asset[:, :, None]
    x = cos * step[..., 0] - sin * step[..., 1] - (place[:, None, :, 0] - place[:, :, None, 0])
    y = sin * step[..., 0] + cos * step[..., 1] - (place[:, None, :, 1] - place[:, :, None, 1])
    apart = np.hypot(step[..., 0], step[..., 1]) * scale[:, :, None]
    agrees = np.hypot(x, y) < _OFF * apart + 0.01
    agrees &= np.abs(octave[:, None] - octave[:, :, None]) < _OCTAVES
    turned = np.abs((turn[:, None] - turn[:, :, None] + np.pi) % (2 * np.pi) - np.pi)
    agrees &= turned < _TURN
    agrees &= is_real[:, None]
    counted = np.where(is_real, weight[padded] * _is_first(feature), np.float32(0))
    # Equal up to the order of summation, which einsum keeps whatever the number of groups.
    supported = np.einsum("gij,gj->gi", agrees.astype(np.float32), counted)
    best = np.arange(len(starts)), supported.argmax(1)
    corner = _CORNERS - asset[best][:, None]
    cos, sin = (scale * np.cos(turn))[best][:, None], (scale * np.sin(turn))[best][:, None]
    there = np.stack(
        [
            cos * corner[..., 0] - sin * corner[..., 1],
            sin * corner[..., 0] + cos * corner[..., 1],
        ],
        axis=2,
    )
    there = (there + place[best][:, None]) / np.array(looked.extent, np.float32)
    return supported[best], np.concatenate([there.min(1), there.max(1)], axis=1)


def _is_first(feature: Rows) -> npt.NDArray[Any]:
    """Whether a match is the best of its query feature within its group: each counts once."""
    order = np.argsort(feature, axis=1, kind="stable")
    ordered = np.take_along_axis(feature, order, axis=1)
    first = np.ones_like(ordered, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    result = np.empty_like(first)
    np.put_along_axis(result, order, first, axis=1)
    return result
