"""Fit the replication level to the measured pairs; writes replication.json.

    python train/replication/fit.py --pairs .weights/replication

Targets are soft: a Gaussian density around the pair's level over the six levels, and the loss is
the KL divergence of the predicted distribution from it (PDF-Embedding, Wang et al. 2024,
arXiv:2409.19952, section 4). Fitted on the part ``fit``; the interval's width is the 90 % quantile
of the normalised residual on one half of the val photographs; every figure is of the other half and
of the part ``apart``, whose edits and renderings are not in ``fit``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import zlib
from pathlib import Path

import numpy as np
import torch

from originlens.core.stats import bootstrap, clopper_pearson
from originlens.match import replication

DESTINATION = Path(replication.__file__).with_name("replication.json")
HIDDEN = 24
SPREAD = 0.5  # standard deviation of the target density, in levels
STEPS = 1500
DECAY = 3e-3
COVERAGE = 0.9
UNRELATED = 3.0


def load(folder: Path) -> tuple[list[dict], np.ndarray]:
    """The pairs, and their features (N, F)."""
    pairs = json.loads((folder / "pairs.json").read_text())
    measured = pickle.loads((folder / "measured.pkl").read_bytes())  # our own file
    return pairs, np.array([replication.features(m) for m in measured])


def soft_targets(levels: np.ndarray) -> np.ndarray:
    """(N, 6) densities around (N,) levels."""
    distance = levels[:, None] - np.arange(replication.LEVELS)
    density = np.exp(-0.5 * (distance / SPREAD) ** 2)
    return density / density.sum(1, keepdims=True)


def train(inputs: np.ndarray, levels: np.ndarray, weight: np.ndarray) -> replication.LevelModel:
    """The network after full-batch Adam on the weighted KL divergence."""
    torch.manual_seed(0)
    mean, scale = inputs.mean(0), inputs.std(0) + 1e-3
    x = torch.tensor(np.clip((inputs - mean) / scale, -6, 6), dtype=torch.float64)
    target = torch.tensor(soft_targets(levels))
    w = torch.tensor(weight / weight.mean())
    shapes = (
        (inputs.shape[1], HIDDEN),
        (HIDDEN,),
        (HIDDEN, replication.LEVELS),
        (replication.LEVELS,),
    )
    parts = [
        (torch.randn(s, dtype=torch.float64) / max(s[0], 1) ** 0.5 * (len(s) > 1)).requires_grad_()
        for s in shapes
    ]
    optimiser = torch.optim.Adam(parts, lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        logits = torch.tanh(x @ parts[0] + parts[1]) @ parts[2] + parts[3]
        loss = -(w * (target * torch.log_softmax(logits, 1)).sum(1)).mean()
        loss = loss + DECAY * ((parts[0] ** 2).mean() + (parts[2] ** 2).mean()) * HIDDEN
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    arrays = [p.detach().numpy() for p in parts]
    return replication.LevelModel(mean, scale, *arrays, width=1.0)


def balanced(levels: np.ndarray) -> np.ndarray:
    """(N,) weights: every level counts alike, rare ones at most four times.

    Pairs of which nothing is repeated count ``UNRELATED`` times: of what people compare, most.
    """
    nearest = np.rint(levels).astype(int)
    count = np.bincount(nearest, minlength=replication.LEVELS)
    weight = np.minimum(len(levels) / replication.LEVELS / np.maximum(count, 1), 4.0)[nearest]
    return weight * np.where(levels == 0, UNRELATED, 1.0)


def pcc(found: np.ndarray, levels: np.ndarray) -> float:
    """Pearson's correlation of predicted and true levels."""
    return float(np.corrcoef(found, levels)[0, 1])


def relative_deviation(found: np.ndarray, levels: np.ndarray) -> float:
    """Mean of |found - true| over the largest deviation that the true level allows (D-Rep)."""
    largest = np.maximum(levels, replication.LEVELS - 1 - levels)
    return float((np.abs(found - levels) / largest).mean())


def report(name: str, found: dict[str, np.ndarray], levels: np.ndarray) -> None:
    """Correlation and relative deviation of the level and of baselines, with 95 % intervals."""
    print(f"{name}: {len(levels)} pairs")
    for method, values in found.items():
        line = f"  {method:24}"
        for measure in (pcc, relative_deviation):
            both = np.column_stack([values, levels])
            low, high = bootstrap(
                both, lambda drawn, m=measure: m(drawn[:, 0], drawn[:, 1]), np.random.default_rng(0)
            )
            line += f"  {measure.__name__} {measure(values, levels):.3f} [{low:.3f}, {high:.3f}]"
        print(line)


def baselines(inputs: np.ndarray, fitted: np.ndarray, levels: np.ndarray) -> dict[str, np.ndarray]:
    """Levels of single measurements: cosine x 5, and monotone fits of cosine and inliers."""
    from sklearn.isotonic import IsotonicRegression

    column = {name: inputs[:, i] for i, name in enumerate(replication.FEATURES)}
    found = {"cosine x 5": 5 * np.clip(column["whole"], 0, 1)}
    for name in ("whole", "best", "log_inliers"):
        index = replication.FEATURES.index(name)
        curve = IsotonicRegression(out_of_bounds="clip").fit(fitted[:, index], levels)
        found[f"{name}, monotone fit"] = curve.predict(inputs[:, index])
    return found


def covered(model: replication.LevelModel, inputs: np.ndarray, levels: np.ndarray) -> str:
    """Share of levels inside the interval, and its mean width."""
    expected, deviation = replication.moments(model.distribution(inputs))
    low, high = expected - model.width * deviation, expected + model.width * deviation
    hits = int(((levels >= low) & (levels <= high)).sum())
    ends = clopper_pearson(hits, len(levels))
    width = float((high.clip(max=5) - low.clip(min=0)).mean())
    return f"{hits / len(levels):.3f} [{ends[0]:.3f}, {ends[1]:.3f}], mean width {width:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pairs, inputs = load(arguments.pairs)
    levels = np.array([p["level"] for p in pairs])
    part = np.array([p["part"] for p in pairs])
    sort = np.array([p["sort"] for p in pairs])
    # Halves by original, so that no photograph is in both.
    half = np.array([zlib.crc32(Path(p["original"]).name.encode()) % 2 for p in pairs])
    fit, tuned = part == "fit", (part == "val") & (half == 0)
    checked, apart = (part == "val") & (half == 1), part == "apart"
    model = train(inputs[fit], levels[fit], balanced(levels[fit]))
    expected, deviation = replication.moments(model.distribution(inputs))
    residual = (np.abs(expected - levels) / deviation)[tuned]
    rank = min(1.0, np.ceil(COVERAGE * (len(residual) + 1)) / len(residual))
    width = float(np.quantile(residual, rank, method="higher"))
    values = {name: getattr(model, name) for name in replication.ARRAYS}
    model = replication.LevelModel(**values, width=width)
    for name, rows in (("val", checked), ("apart", apart)):
        found = {"level": expected[rows], **baselines(inputs[rows], inputs[fit], levels[fit])}
        report(name, found, levels[rows])
        print(f"  90 % interval covers {covered(model, inputs[rows], levels[rows])}")
        for kind in dict.fromkeys(sort[rows]):
            these = rows & (sort == kind)
            error = np.abs(expected - levels)[these].mean()
            print(
                f"    {kind:20} n {these.sum():3}  true {levels[these].mean():.2f}"
                f"  found {expected[these].mean():.2f}  mean error {error:.2f}"
            )
    rounded = {name: np.round(value, 5).tolist() for name, value in values.items()}
    data = {"features": replication.FEATURES, "width": round(width, 4), **rounded}
    arguments.out.write_text(json.dumps(data, separators=(",", ":")) + "\n")
    print(f"{arguments.out.name}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
