"""Measure pairs of an original and its replica both ways round: what the direction is read off.

    python train/direction/measure.py --pairs .weights/replication

Takes the pairs that ``train/replication/pairs.py`` made, of every edit and rendering at most
``--each`` (``--checked`` of the parts that nothing is fitted on), and writes ``direction.npz``
beside them: features, truth (1: the query was made from the asset, -1: the reverse), part and sort.
The asset is a proxy, the transform the one that verification finds, as in a search; pairs without
one are left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

#: No one can tell which of these came first, or they are no replicas at all.
UNDIRECTED = ("unrelated", "near", "mirror", "palette-only")


def measured(verifier: Any, query_path: str, asset_path: str) -> np.ndarray | None:
    """Features of one pair, None where no transform was found."""
    from originlens.core.image import Image
    from originlens.match import direction
    from originlens.match._query import WORKING_SIDE
    from originlens.match._seen import Seen
    from originlens.match.describe import make_proxy

    query, asset = Image.open(query_path), Image.open(asset_path)
    size = (asset.height, asset.width)
    proxy = Image(make_proxy(asset.reduced(WORKING_SIDE))).reduced(WORKING_SIDE)
    laid = verifier.verify(verifier.features(query), verifier.features(proxy, full_size=size))
    if laid.transform is None or laid.agreement < 0.3:
        return None
    return direction.features(Seen(query, proxy, size, laid.transform))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--each", type=int, default=18)
    parser.add_argument("--checked", type=int, default=9)
    arguments = parser.parse_args()
    import cv2

    from originlens.core.registry import make

    cv2.setNumThreads(1)
    verifier = make("verifier", "sift-magsac")
    pairs = json.loads((arguments.pairs / "pairs.json").read_text())
    taken: dict[tuple[str, str], int] = {}
    rows, truth, part, sort = [], [], [], []
    for pair in pairs:
        key = (pair["part"], pair["sort"])
        taken[key] = taken.get(key, 0) + 1
        most = arguments.each if pair["part"] == "fit" else arguments.checked
        if pair["sort"] in UNDIRECTED or taken[key] > most:
            continue
        original, replica = pair["original"], pair["replica"]
        for query, asset, value in ((replica, original, 1), (original, replica, -1)):
            found = measured(verifier, query, asset)
            if found is None:
                continue
            rows.append(found)
            truth.append(value)
            part.append(pair["part"])
            sort.append(pair["sort"])
        if len(rows) % 200 < 2:
            print(f"{len(rows)} measured", flush=True)
    np.savez(arguments.pairs / "direction.npz", features=rows, truth=truth, part=part, sort=sort)


if __name__ == "__main__":
    main()
