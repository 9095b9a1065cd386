"""SIFT matches, a robust plane transform, and a check of the warped pixels.

Papers: Lowe, IJCV 2004 (SIFT, ratio test); Arandjelovic & Zisserman, CVPR 2012 (RootSIFT); Barath
et al., CVPR 2020 (MAGSAC++); Hartley & Zisserman 2004, 11.6 (guided matching); local verification
follows D2LV (Wang et al. 2021, arXiv:2111.07090), the order retrieve-verify-localise SImProv (Black
et al. 2022, arXiv:2206.14245).
Why it works: a copy shows the same pixels under one plane transform, so many local features agree
on it and, once warped, local contrast agrees nearly everywhere. Another photograph of the same
thing has parallax and other light: some features agree, the pixels mostly do not.
When it fails: pictures without texture (whole-picture correlation stands in), extreme reduction,
non-plane warps, and flat prints photographed twice, which are plane copies of each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.image import Image, Pixels
from originlens.core.registry import Card, Cost, register
from originlens.match import Geometry, LocalFeatures
from originlens.match.verifiers import _geometry, _guided, _photometry

#: SIFT descriptor order under a mirror: 4x4 cells of 8 orientations in the keypoint's own frame;
#: a mirror keeps the keypoint's axis, so cells flip across it and orientations change sign.
_MIRROR = np.arange(128).reshape(4, 4, 8)[::-1][:, :, [0, 7, 6, 5, 4, 3, 2, 1]].ravel()

#: ... and of the negative: gradients turn round and the keypoint's axis with them, so cells are
#: counted from the other end, and orientations, which are relative to the axis, stay.
_NEGATIVE = np.arange(128).reshape(4, 4, 8)[::-1, ::-1].ravel()

_SMOOTHING = 1.5  # pixels of the working picture
_PLAIN = 40  # points on one transform: nothing more is tried

CARD = Card(
    name="sift-magsac",
    kind="verifier",
    task="geometric verification of copy candidates",
    claims="query and asset show the same pixels under a plane transform",
    paper="Lowe 2004 (IJCV 60); Barath et al. 2020 (CVPR); Wang et al. 2021 (arXiv:2111.07090)",
    code_licence="Apache-2.0",
    reads=("pair",),
    cost=Cost(ms_per_mpx=200, mb=60, note="features; 2-4 ms per pair after that"),
    status="stable",
    scope="pictures with texture and their negatives; plane transforms, mirror, crop, paste",
    fails_when="flat pictures, non-plane warps, reduction below ~60 px, photographs of one print",
)


@register(CARD)
class SiftMagsac:
    """Verify copies by SIFT + one-point similarity + MAGSAC and by local correlation."""

    card = CARD

    def __init__(
        self,
        *,
        long_side: int = 416,
        max_features: int = 600,
        ratio: float = 0.85,
        tolerance: float = 4.0,
    ) -> None:
        self.long_side = long_side
        self.max_features = max_features
        self.ratio = ratio
        self.tolerance = tolerance

    def features(
        self,
        image: Image | Pixels,
        *,
        full_size: tuple[int, int] | None = None,
        smoothed: bool = False,
    ) -> LocalFeatures:
        """RootSIFT features of a picture or of its (h, w, 3) pixels at the working size.

        Args:
            image: an Image, or pixels of a reduced version of it.
            full_size: (height, width) of the full-size picture where ``image`` is pixels.
            smoothed: add features of the smoothed picture, half as many. The strongest features of
                a noisy, dotted or lined query are of its noise. For queries only: an asset's would
                be each other's near doubles, which the ratio test takes for ambiguous.
        """
        if isinstance(image, Image):
            pixels = image.reduced(self.long_side)
            full_size = (image.height, image.width)
        else:
            pixels = image
            full_size = full_size or (image.shape[0], image.shape[1])
        grey = _photometry.working_grey(pixels, self.long_side)
        points, roots = _detected(grey, self.max_features)
        if smoothed:
            more = _detected(_photometry.smoothed(grey, _SMOOTHING), self.max_features // 2)
            points, roots = np.vstack([points, more[0]]), np.vstack([roots, more[1]])
        thumbnail = _photometry.thumbnail(grey)
        small = _photometry.miniature(pixels)
        return LocalFeatures(points, roots, grey.shape[:2], full_size, grey, thumbnail, small)

    def verify(
        self, query: LocalFeatures, asset: LocalFeatures, *, negative: bool = True
    ) -> Geometry:
        """The transform asset -> query with its support, or a Geometry without transform.

        Tries the query as it is and mirrored (by permuting descriptors, no second detection), and
        whole-picture alignment under the eight symmetries for pictures that lack features.

        Args:
            query, asset: what :meth:`features` returned.
            negative: also try the query's photographic negative, by permuting descriptors too. It
                doubles the time, so a search asks for it only where the negative was retrieved.
        """
        best: Geometry | None = None
        for inverted in (False, True) if negative else (False,):
            found = self._best(query, asset, inverted)
            if found is not None and (best is None or _support(found) > _support(best)):
                best = found
            if best is not None and best.inliers >= _PLAIN:
                break
        return best or Geometry(transform=None)

    def _best(self, query: LocalFeatures, asset: LocalFeatures, inverted: bool) -> Geometry | None:
        """The best geometry of the query, or of its negative: as it is, mirrored or as a whole."""
        best: Geometry | None = None
        for mirrored in (False, True):
            found = self._from_features(query, asset, mirrored, inverted)
            if found is not None and (best is None or _support(found) > _support(best)):
                best = found
            if best is not None and best.inliers >= _PLAIN:
                break
        if best is None or best.agreement < 0.8:
            whole = self._from_whole(query, asset, inverted)
            if whole is not None and (best is None or whole.agreement > best.agreement + 0.05):
                best = whole
        return best

    def _from_features(
        self, query: LocalFeatures, asset: LocalFeatures, mirrored: bool, inverted: bool
    ) -> Geometry | None:
        q_points = query.points.astype(np.float64)
        descriptors = query.descriptors
        if mirrored:
            descriptors = descriptors[:, _MIRROR]
            q_points[:, 0] = query.size[1] - 1 - q_points[:, 0]
            q_points[:, 3] = 180.0 - q_points[:, 3]
        if inverted:
            descriptors = descriptors[:, _NEGATIVE]
            q_points[:, 3] += 180.0
        similarity = _similarity(descriptors, asset.descriptors)
        qi, ai = _matches(similarity, self.ratio)
        if len(qi) < 3:
            return None
        a_points = asset.points.astype(np.float64)
        matrix, inliers = _geometry.estimate(q_points[qi], a_points[ai], tolerance=self.tolerance)
        if matrix is None:
            return None
        found = _guided.Guided(matrix, qi[inliers], ai[inliers])
        count = _distinct(q_points[found.query], a_points[found.asset])
        if count < 4 or not _geometry.is_plausible(matrix, asset.size):
            return None
        share = count / len(qi)
        if count < _PLAIN:
            more = _guided.rematched(q_points, a_points, similarity, found, self.tolerance)
            if _geometry.is_plausible(more.matrix, asset.size):
                found = more
        on_query, on_asset = q_points[found.query], a_points[found.asset]
        residual = _geometry.median_residual(found.matrix, on_query, on_asset)
        count, matrix = _distinct(on_query, on_asset), found.matrix
        if mirrored:
            matrix = np.array([[-1.0, 0, query.size[1] - 1], [0, 1, 0], [0, 0, 1]]) @ matrix
        return _measured(query, asset, matrix, (count, share), "features", inverted, residual)

    def _from_whole(
        self, query: LocalFeatures, asset: LocalFeatures, inverted: bool
    ) -> Geometry | None:
        matrix = _photometry.whole_alignment(query, asset, inverted)
        if matrix is None:
            return None
        return _measured(query, asset, matrix, (0, 0.0), "whole", inverted)


def _measured(
    query: LocalFeatures,
    asset: LocalFeatures,
    matrix: npt.NDArray[np.float64],
    counts: tuple[int, float],
    found_by: str,
    inverted: bool,
    residual: float = 0.0,
) -> Geometry:
    """Photometric support of a working-frame transform, expressed in full-size frames.

    ``counts`` are the inliers and ``match_share``, ``residual`` the inliers' in working pixels. Of
    an ``inverted`` query the negative is compared.
    """
    grey = 255 - query.grey if inverted else query.grey
    pixels = _photometry.compare(grey, asset.grey, matrix)
    to_full = geometry.scaling(query.size, query.full_size)
    to_work = geometry.scaling(asset.full_size, asset.size)
    return Geometry(
        transform=geometry.normalised(to_full @ matrix @ to_work),
        inliers=counts[0],
        match_share=counts[1],
        coverage_query=pixels.coverage_query,
        coverage_asset=pixels.coverage_asset,
        agreement=pixels.agreement,
        correlation=pixels.correlation,
        details={
            "found_by": found_by,
            "negative": inverted,
            "texture": pixels.texture,
            "agreed_query": pixels.agreed_query,
            "fine_correlation": pixels.fine_correlation,
            "structure": pixels.structure,
            "median_structure": pixels.median_structure,
            "residual": residual,
        },
    )


def _support(geometry_: Geometry) -> float:
    return geometry_.inliers * (0.25 + geometry_.agreement)


def _detected(
    grey: npt.NDArray[np.uint8], count: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """At most ``count`` features of a (h, w) picture: points (N, 4) and RootSIFT (N, 128)."""
    import cv2

    detector = cv2.SIFT.create(nfeatures=count * 5 // 4, contrastThreshold=0.02)
    # OpenCV's SIFT needs some room for its pyramid; a border of edge pixels gives it.
    pad = 8 if min(grey.shape) < 32 else 0
    padded = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_REPLICATE) if pad else grey
    keypoints, descriptors = detector.detectAndCompute(padded, None)
    if descriptors is None or not len(keypoints):
        return np.zeros((0, 4), np.float32), np.zeros((0, 128), np.float32)
    points = np.array(
        [(k.pt[0] - pad, k.pt[1] - pad, k.size, k.angle) for k in keypoints], np.float32
    )
    response = np.array([k.response for k in keypoints], np.float32)
    chosen = _spread(points, response, grey.shape, count)
    roots = np.asarray(descriptors[chosen], np.float32)
    roots = np.sqrt(roots / np.maximum(roots.sum(1, keepdims=True), 1e-6))
    return points[chosen], roots


def _spread(
    points: npt.NDArray[np.float32],
    response: npt.NDArray[np.float32],
    size: tuple[int, ...],
    count: int,
) -> npt.NDArray[np.intp]:
    """Indices of the strongest features, taken in turns from an 8x8 grid so that none starves."""
    order = np.argsort(-response, kind="stable")
    if len(order) <= count:
        return order
    cell = np.minimum((points[order, 1] * 8 / size[0]).astype(int), 7).clip(0) * 8
    cell += np.minimum((points[order, 0] * 8 / size[1]).astype(int), 7).clip(0)
    by_cell = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[by_cell], cell[by_cell], side="left")
    rank = np.empty(len(order), dtype=np.intp)
    rank[by_cell] = np.arange(len(order)) - starts
    return order[np.argsort(rank, kind="stable")[:count]]


def _similarity(
    query: npt.NDArray[np.float32], asset: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """(N, M) cosines of descriptors of unit length."""
    import cv2

    if not len(query) or not len(asset):
        return np.zeros((len(query), len(asset)), np.float32)
    # Not NumPy's product: its BLAS wakes threads of its own for it, which then get in the way of
    # the pool's (measured: 7 to 16 ms instead of 1 on a busy machine).
    return np.asarray(cv2.gemm(query, asset, 1.0, None, 0.0, flags=cv2.GEMM_2_T), np.float32)


def _matches(
    similarity: npt.NDArray[np.float32], ratio: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Mutual nearest neighbours that pass Lowe's ratio test: indices into query and asset."""
    if min(similarity.shape) < 3:
        empty = np.zeros(0, np.intp)
        return empty, empty
    rows = np.arange(len(similarity))
    nearest = similarity.argmax(1)
    first = similarity[rows, nearest]
    similarity[rows, nearest] = -1.0
    second = similarity.max(1)
    similarity[rows, nearest] = first
    passed = np.flatnonzero((2 - 2 * first) < ratio**2 * (2 - 2 * second))
    mutual = similarity[:, nearest[passed]].argmax(0) == passed
    rows = passed[mutual]
    return rows, nearest[rows]


def _distinct(query: npt.NDArray[np.float64], asset: npt.NDArray[np.float64]) -> int:
    """Inliers at distinct places: several orientations of one keypoint are one witness."""
    both = np.round(np.column_stack([query[:, :2], asset[:, :2]]) / 2).astype(np.int64)
    # As one number each: working frames are far below 2^15 pixels wide.
    return len(np.unique(both @ (1 << np.arange(0, 64, 16))))
