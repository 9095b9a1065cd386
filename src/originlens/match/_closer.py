"""A second look at one region of a query, at a scale of its own.

A picture pasted small into another one has few of the features that are kept of the whole, and few
pixels at the working size. Where a region of the query speaks for a candidate that the whole does
not confirm, features are taken of that region alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from originlens.core import geometry
from originlens.match import Geometry, LocalFeatures
from originlens.match._query import Query
from originlens.match.views import Box


def look(verifier: Any, query: Query, box: Box, asset: LocalFeatures) -> Geometry:
    """The geometry between an asset and the part of the query inside ``box``.

    Like ``verifier.verify``: the transform leads to the whole query's full-size frame, and the
    shares of the query are those of the whole. ``box`` is in shares of the query's sides.
    """
    found: Geometry = verifier.verify(query.features_of(box), asset, negative=False)
    if found.transform is None:
        return found
    left, top, right, bottom = query.cut(box)
    to_whole = np.array([[1.0, 0, left], [0, 1.0, top], [0, 0, 1.0]])
    size = (query.pixels.shape[0], query.pixels.shape[1])
    to_full = geometry.scaling(size, (query.image.height, query.image.width))
    share = (right - left) * (bottom - top) / (size[0] * size[1])
    return replace(
        found,
        transform=geometry.normalised(to_full @ to_whole @ found.transform),
        coverage_query=found.coverage_query * share,
        details={**found.details, "agreed_query": found.details["agreed_query"] * share},
    )
