"""What has one picture to do with another?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from originlens.core.evidence import Match, Relation
from originlens.core.image import Image
from originlens.core.registry import DEFAULT_DESCRIPTOR, make
from originlens.match import calibration, decision, replication
from originlens.match._candidate import Candidate, why
from originlens.match._query import THOROUGH, WORKING_SIDE, Query


def compare(query: Image, original: Image, *, max_false_positive_rate: float = 0.01) -> Match:
    """What one picture has to do with another: relation, transform, edits, change map.

    Args:
        query: the picture in question.
        original: the picture it may have been made from.
        max_false_positive_rate: as for a search in an index of one asset.

    Raises:
        InputError: one of the two cannot be decoded.
    """
    from originlens.match import diff, edits
    from originlens.match.descriptors import pdq

    model = decision.shipped()
    embedder = make("descriptor", DEFAULT_DESCRIPTOR)
    verifier = make("verifier", "sift-magsac")
    looked = Query(query, embedder, THOROUGH, verifier)
    target = embedder.describe(original)
    similarity = float((looked.vectors @ target).max())
    stored = original.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
    digest, quality = pdq.hash_with_quality(stored)
    distance = None
    if quality and looked.hashes is not None:
        distance = min(pdq.distance(h, digest) for h in looked.hashes)
    features = verifier.features(original)
    geometry_ = verifier.verify(looked.features, features)
    support = decision.Support(similarity, max(0.0, similarity), distance, geometry_)
    score = model.score(support)
    same = query.sha256 == original.sha256 or (
        (query.width, query.height) == (original.width, original.height)
        and query.pixel_hash == original.pixel_hash
    )
    limit = calibration.threshold(model, max_false_positive_rate, 1)
    relation: Relation = "identical" if same else model.relation(score, limit, support)
    candidate = Candidate(
        0, similarity, pdq_distance=distance, identical=same, geometry=geometry_, verified=True
    )
    match = Match(
        asset=original.sha256[:16],
        path=original.path or "",
        relation=relation,
        score=40.0 if same else score,
        probability=1.0 if same else model.probability(score),
        pdq_distance=distance,
        pdq_quality=quality,
        transform=np.eye(3) if same else geometry_.transform,
        inliers=geometry_.inliers,
        coverage=1.0 if same else geometry_.coverage_query,
        level=replication.IDENTICAL if same else None,
    )
    if not same:
        parts = (looked.vectors, target, distance, geometry_, looked.features, features)
        match = replace(match, level=replication.shipped().level(replication.measure(*parts)))
    match = replace(match, why=why(match, candidate))
    if match.transform is None:
        return match
    changed = diff.change_map(query.pixels, original.pixels, match.transform)
    if match.relation not in ("copy", "identical"):
        return replace(match, change_map=changed)
    named = edits.explain(
        query, original.reduced(WORKING_SIDE), (original.height, original.width), match.transform
    )
    return replace(match, edits=named.edits, direction=named.direction, change_map=changed)
