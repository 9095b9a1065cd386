"""What was changed between an original and its copy, as a map over the copy's pixels.

After SImProv (Black et al., arXiv 2206.14245): align, then show manipulations and ignore benign
change. The benign part is modelled, not learned: geometry, global colour, slow gain and sharpness
are fitted and taken out, and what is left is measured against the deviation that the same picture
shows elsewhere at the same local contrast (compression and noise raise both). A small network
trained on seen edits turns these deviations into a map.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels
from originlens.match._alignment import Aligned, Homography, align
from originlens.match._change_net import change_logits
from originlens.match._deviation import deviation

Floats = npt.NDArray[np.float32]
Map = npt.NDArray[np.uint8]

#: From this value on a pixel counts as changed.
THRESHOLD = 128
#: Added to the logits: chosen on validation photographs for dark maps of benign edits.
_BIAS = -1.0
#: A changed spot must somewhere be as sure as this.
_SURE = 0.8
#: Smallest changed spot in working pixels, and as a share of the working picture.
_SPOT, _SPOT_SHARE = 8, 1e-4


def change_map(query: Pixels, original: Pixels, transform: Homography) -> Map:
    """Where ``query`` shows something else than ``original``: (H, W) uint8 at the query's size.

    Args:
        query: (H, W, 3) uint8 sRGB.
        original: (H', W', 3) uint8 sRGB at any size (a proxy will do).
        transform: (3, 3) homography from pixels of ``original`` to pixels of ``query``.

    Returns:
        0 = as in the original, up to change that is the same all over the picture (compression,
        size, colour, blur, noise); >= ``THRESHOLD`` = locally changed; 255 also where ``original``
        does not reach.

    Raises:
        ValueError: ``transform`` is singular or not finite.
        WeightsError: the network's weights are absent or damaged.
    """
    return map_of(align(query, original, transform))


def map_of(aligned: Aligned) -> Map:
    """The change map of an aligned pair, at the query's full size."""
    import cv2

    values = changed(aligned) * np.float32(255.0)
    height, width = aligned.size
    if values.shape != (height, width):
        large = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        values = np.asarray(large, dtype=np.float32)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def changed(aligned: Aligned) -> Floats:
    """Probability of a local change, (h, w) float32 in [0, 1], 1 where nothing is explained."""
    import cv2

    logits = change_logits(deviation(aligned)) + _BIAS
    score = (1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))).astype(np.float32)
    lit = ((score >= 0.5) | ~aligned.explained).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lit, connectivity=8)
    doubtful = stats[:, cv2.CC_STAT_AREA] < max(_SPOT, _SPOT_SHARE * lit.size)
    sure = np.zeros(count, dtype=bool)
    sure[np.unique(labels[(score >= _SURE) | ~aligned.explained])] = True
    doubtful |= ~sure
    score = np.where(doubtful[labels] & (lit > 0), np.minimum(score, np.float32(0.49)), score)
    score[~aligned.explained] = 1.0
    return score
