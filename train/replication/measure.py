"""Measure the pairs that ``pairs.py`` made as a search would: what the level is read off.

    python train/replication/measure.py --pairs .weights/replication

Writes ``measured.pkl`` beside ``pairs.json``: of every pair what
:class:`originlens.match.replication.Measured` holds. The query is the replica, the asset the
original's proxy, as in an index.
"""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path
from typing import Any


def measured(embedder: Any, verifier: Any, replica: str, original: str) -> Any:
    """What a search measures on one pair."""
    from originlens.core.image import Image
    from originlens.match import replication
    from originlens.match._query import DEFAULT, WORKING_SIDE, Query
    from originlens.match.describe import make_proxy
    from originlens.match.descriptors import pdq

    source = Image.open(original)
    looked = Query(Image.open(replica), embedder, DEFAULT, verifier)
    proxy = Image(make_proxy(source.reduced(WORKING_SIDE))).reduced(WORKING_SIDE)
    asset = verifier.features(proxy, full_size=(source.height, source.width))
    digest, quality = pdq.hash_with_quality(source.pixels)
    distance = None
    if quality and looked.hashes is not None:
        distance = min(pdq.distance(h, digest) for h in looked.hashes)
    laid = verifier.verify(looked.features, asset)
    target = embedder.describe(source)
    return replication.measure(looked.vectors, target, distance, laid, looked.features, asset)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    arguments = parser.parse_args()
    import cv2

    from originlens.core.registry import DEFAULT_DESCRIPTOR, make

    cv2.setNumThreads(1)
    embedder = make("descriptor", DEFAULT_DESCRIPTOR, threads=1)
    verifier = make("verifier", "sift-magsac")
    pairs = json.loads((arguments.pairs / "pairs.json").read_text())
    found = []
    for number, pair in enumerate(pairs, start=1):
        found.append(measured(embedder, verifier, pair["replica"], pair["original"]))
        if number % 250 == 0:
            print(f"{number} of {len(pairs)}", flush=True)
    (arguments.pairs / "measured.pkl").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main()
