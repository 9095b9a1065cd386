"""Keep what chance looks like, for the decision model's adaptation to examples; writes null.npz.

    python train/in_context/null.py --measured .weights/decision

Reads what ``train/decision/collect.py`` measured of unrelated photographs of the train split
(``null-1000.pkl``, ``null-4000.pkl``): no edit, seen or unseen, is in it. Of every query the
candidates are kept that may be its best one under some weights: the highest in each feature.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np

from originlens.match import decision, in_context

SIZES = (1000, 4000)
DESTINATION = Path(in_context.__file__).with_name("null.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    model = decision.shipped()
    queries = []
    for size in SIZES:
        queries += pickle.loads((arguments.measured / f"null-{size}.pkl").read_bytes())
    values, judged, query = [], [], []
    for number, (_, candidates) in enumerate(queries):
        supports = [s for _, _, s in candidates if model.score(s) < model.certain_score]
        if not supports:
            continue
        features = np.array([decision.features(s) for s in supports])
        scores = [model.score(s) for s in supports]
        for i in sorted({*features.argmax(axis=0).tolist(), int(np.argmax(scores))}):
            geometry = supports[i].geometry
            values.append([*features[i], *decision.sameness(geometry)])
            judged.append(geometry.inliers >= decision.JUDGED_INLIERS)
            query.append(number)
    np.savez_compressed(
        arguments.out,
        names=np.array([*decision.FEATURES, *decision.SAMENESS]),
        values=np.array(values, np.float16),
        judged=np.array(judged, bool),
        query=np.unique(query, return_inverse=True)[1].astype(np.int32),
    )
    print(f"{len(values)} candidates of {len(set(query))} queries")


if __name__ == "__main__":
    main()
