"""Fit and calibrate the decision model from what ``collect.py`` measured; writes decision.json.

    python train/decision/fit.py --measured .weights/decision

The score is a logistic model of candidates of the train split. Its probability is Platt-scaled on
the val split. The shipped null holds quantiles of the best score of unrelated queries at four
index sizes.
"""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from originlens.core import stats
from originlens.match import decision

SIZES = (20, 100, 1000, 4000)
DESTINATION = Path(decision.__file__).with_name("decision.json")


def load(folder: Path, pattern: str) -> list[tuple[str, list]]:
    """All queries of the parts whose file names match."""
    found = []
    for path in sorted(folder.glob(pattern)):
        found += pickle.loads(path.read_bytes())  # our own files, made by collect.py
    return found


def table(queries: list[tuple[str, list]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, f), truth (n,) and query number (n,) of every candidate."""
    rows = [
        (decision.features(support), truth, number)
        for number, (_, candidates) in enumerate(queries)
        for truth, _, support in candidates
    ]
    features, truth, number = zip(*rows, strict=True)
    return np.array(features), np.array(truth), np.array(number)


def best_by_chance(candidates: list, model: LogisticRegression) -> float | None:
    """Best score of a query without an original; other views are never called a copy."""
    kept = [features for _, features, s in candidates if not decision.is_other_view(s.geometry)]
    return float(max(model.decision_function(np.array(kept)))) if kept else None


def report(name: str, queries: list[tuple[str, list]], model: LogisticRegression) -> None:
    """Recall per kind at the threshold that 1 % of negative queries exceed, and uAP."""
    features, truth, number = table(queries)
    score = model.decision_function(features)
    negative = [score[number == i].max() for i, q in enumerate(queries) if "null" in q[0]]
    limit = float(np.quantile(negative, 0.99))
    print(f"{name}: {len(negative)} negatives, 1 % threshold {limit:.2f}")
    total = 0
    for kind in dict.fromkeys(q[0] for q in queries if "null" not in q[0]):
        members = [i for i, q in enumerate(queries) if q[0] == kind]
        total += len(members)
        hits = sum(bool((truth & (number == i) & (score > limit)).any()) for i in members)
        low, high = stats.clopper_pearson(hits, len(members))
        print(f"  {kind:22} recall {hits / len(members):.3f} [{low:.3f}, {high:.3f}]")
    order = np.argsort(-score, kind="stable")
    hit = truth[order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    print(f"  uAP {precision[hit].sum() / total:.4f} over {total} queries with an original")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    train, val = load(arguments.measured, "train-*.pkl"), load(arguments.measured, "val-*.pkl")
    nulls = {size: load(arguments.measured, f"null-{size}.pkl") for size in SIZES}
    nulls = {size: queries for size, queries in nulls.items() if queries}
    features, truth, _ = table(train + nulls[1000])
    model = LogisticRegression(C=1.0, max_iter=5000).fit(features, truth)
    for name, value in zip(decision.FEATURES, model.coef_[0], strict=True):
        print(f"{name:20} {value:7.3f}")
    report("train", train + nulls[1000], model)
    report("val", val, model)
    seen, val_truth, _ = table(val)
    platt = LogisticRegression(C=1e6).fit(model.decision_function(seen)[:, None], val_truth)
    for is_copy in (True, False):
        shared = np.array(
            [
                decision.is_other_view(support.geometry)
                for _, candidates in train + val
                for is_true, _, support in candidates
                if is_true == is_copy and support.geometry.inliers >= decision.SHARED_INLIERS
            ]
        )
        name = "copies" if is_copy else "other pictures"
        print(f"{name} that share content: {shared.sum()} of {len(shared)} called another view")
    levels = (np.arange(200) + 0.5) / 200
    null = {}
    for size, queries in nulls.items():
        best = [best_by_chance(candidates, model) for _, candidates in queries]
        # Pictures that the split holds twice are no chance matches.
        best = [b for b in best if b is not None and b < CERTAIN]
        null[str(size)] = [round(float(x), 4) for x in np.quantile(best, levels)]
        print(
            f"null {size}: {len(best)} queries, 90 % {np.quantile(best, 0.9):.2f}, "
            f"99 % {np.quantile(best, 0.99):.2f}, highest {max(best):.2f}"
        )
    data = {
        "features": list(decision.FEATURES),
        "weights": [round(float(w), 5) for w in model.coef_[0]],
        "bias": round(float(model.intercept_[0]), 5),
        "slope": round(float(platt.coef_[0, 0]), 5),
        "intercept": round(float(platt.intercept_[0]), 5),
        "certain_score": CERTAIN,
        "null": null,
        "fitted": {
            "train_queries": len(train) + len(nulls[1000]),
            "val_queries": len(val),
        },
    }
    arguments.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


#: Candidates that score higher are duplicates for certain: they never belong to a null.
CERTAIN = 2.0

if __name__ == "__main__":
    main()
