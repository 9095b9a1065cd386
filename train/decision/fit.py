"""Fit and calibrate the decision model from what ``collect.py`` measured; writes decision.json.

    python train/decision/fit.py --measured .weights/decision

The score is a logistic model of candidates of the train split; a second one tells other photographs
of the same thing from copies. The probability is Platt-scaled on the val split and those other
photographs. The shipped null holds quantiles of the best score of unrelated queries at four index
sizes.
"""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

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


def best_by_chance(candidates: list, model: decision.DecisionModel) -> float | None:
    """Best score of a query without an original; other views are never called a copy."""
    kept = [model.score(s) for _, _, s in candidates if not model.is_other_view(s.geometry)]
    return max(kept, default=None)


def scores(queries: list[tuple[str, list]], model: decision.DecisionModel) -> np.ndarray:
    """Score of every candidate, in the order of :func:`table`."""
    return np.array([model.score(s) for _, candidates in queries for _, _, s in candidates])


def report(name: str, queries: list[tuple[str, list]], model: decision.DecisionModel) -> None:
    """Recall per kind at the threshold that 1 % of negative queries exceed, and uAP."""
    _, truth, number = table(queries)
    score = scores(queries, model)
    negative = [score[number == i].max() for i, q in enumerate(queries) if q[0] == "null"]
    limit = float(np.quantile(negative, 0.99))
    print(f"{name}: {len(negative)} negatives, 1 % threshold {limit:.2f}")
    total = 0
    for kind in dict.fromkeys(q[0] for q in queries if q[0] != "null"):
        members = [i for i, q in enumerate(queries) if q[0] == kind]
        total += len(members)
        hits = sum(bool((truth & (number == i) & (score > limit)).any()) for i in members)
        low, high = stats.clopper_pearson(hits, len(members))
        print(f"  {kind:22} recall {hits / len(members):.3f} [{low:.3f}, {high:.3f}]")
    order = np.argsort(-score, kind="stable")
    hit = truth[order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    print(f"  uAP {precision[hit].sum() / total:.4f} over {total} queries with an original")


def other_view(
    train: list[tuple[str, list]], views: list[tuple[str, list]], val: list[tuple[str, list]]
) -> tuple[np.ndarray, float]:
    """Weights and bias of the model that calls a candidate another photograph of the same thing.

    Its bound is where ``LOST`` of the train split's copies are called so. Prints what that means
    for views (five folds by query) and for the val split's copies.
    """

    def judged(queries: list[tuple[str, list]], wanted: bool) -> tuple[np.ndarray, np.ndarray]:
        rows = [
            (decision.sameness(support.geometry), number)
            for number, (_, candidates) in enumerate(queries)
            for truth, _, support in candidates
            if truth == wanted and support.geometry.inliers >= decision.JUDGED_INLIERS
        ]
        return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])

    copies, _ = judged(train, True)
    others, number = judged(views, False)
    inputs = np.vstack([copies, others])
    is_view = np.repeat([0, 1], [len(copies), len(others)])
    groups = np.concatenate([-1 - np.arange(len(copies)), number])
    model = LogisticRegression(C=10.0, max_iter=5000, class_weight="balanced")
    folded = cross_val_predict(
        model, inputs, is_view, groups=groups, cv=GroupKFold(5), method="decision_function"
    )
    bound = float(np.quantile(folded[is_view == 0], 1 - LOST))
    model.fit(inputs, is_view)
    weights, bias = model.coef_[0], float(model.intercept_[0]) - bound
    caught = int((folded[is_view == 1] > bound).sum())
    low, high = stats.clopper_pearson(caught, len(others))
    print(f"other views: {caught} of {len(others)} so called (5 folds) [{low:.3f}, {high:.3f}]")
    fresh, _ = judged(val, True)
    lost = int((fresh @ weights + bias > 0).sum())
    low, high = stats.clopper_pearson(lost, len(fresh))
    print(f"copies of val: {lost} of {len(fresh)} so called [{low:.4f}, {high:.4f}]")
    return weights, bias


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    train, val = load(arguments.measured, "train-*.pkl"), load(arguments.measured, "val-*.pkl")
    nulls = {size: load(arguments.measured, f"null-{size}.pkl") for size in SIZES}
    nulls = {size: queries for size, queries in nulls.items() if queries}
    features, truth, _ = table(train + nulls[1000])
    chance = LogisticRegression(C=1.0, max_iter=5000).fit(features, truth)
    for name, value in zip(decision.FEATURES, chance.coef_[0], strict=True):
        print(f"{name:20} {value:7.3f}")
    views = load(arguments.measured, "views.pkl")
    weights, bias = other_view(train, views, val)
    model = decision.DecisionModel(
        weights=chance.coef_[0],
        bias=float(chance.intercept_[0]),
        slope=1.0,
        intercept=0.0,
        certain_score=CERTAIN,
        null={},
        view_weights=weights,
        view_bias=bias,
    )
    report("train", train + nulls[1000], model)
    report("val", val, model)
    # Other views are what people meet beside chance: the probability is of a copy, not of content.
    _, is_copy, _ = table(val + views)
    platt = LogisticRegression(C=1e6).fit(scores(val + views, model)[:, None], is_copy)
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
        "weights": [round(float(w), 5) for w in model.weights],
        "bias": round(model.bias, 5),
        "slope": round(float(platt.coef_[0, 0]), 5),
        "intercept": round(float(platt.intercept_[0]), 5),
        "certain_score": CERTAIN,
        "other_view": {
            "features": list(decision.SAMENESS),
            "weights": [round(float(w), 5) for w in weights],
            "bias": round(float(bias), 5),
        },
        "null": null,
        "fitted": {
            "train_queries": len(train) + len(nulls[1000]),
            "val_queries": len(val),
        },
    }
    arguments.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


#: Candidates that score higher are duplicates for certain: they never belong to a null.
CERTAIN = 2.0
#: Share of true copies that may be called another view.
LOST = 0.02

if __name__ == "__main__":
    main()
