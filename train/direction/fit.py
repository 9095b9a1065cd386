"""Fit the direction to what ``measure.py`` measured; writes direction.json.

    python train/direction/fit.py --pairs .weights/replication

Logistic loss on the part ``fit``, both ways round, with weights that cannot be negative except of
``FREE`` inputs: every other input speaks for one direction, and a model that may not turn that
round errs less on what it never saw. The bound from which a direction is said is the smallest of
``BOUNDS`` at which at least ``WANTED`` of what is said of the part ``val`` is right; the part
``apart`` holds edits and renderings that neither saw.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from originlens.core.stats import clopper_pearson
from originlens.match import direction

DESTINATION = Path(direction.__file__).with_name("direction.json")
HIDDEN, STEPS, DECAY = 8, 800, 3e-4
BOUNDS = np.arange(0.5, 3.01, 0.25)
WANTED = 0.95
#: Compression takes noise away, and a noisy copy has more of it.
FREE = ("noise",)


def train(inputs: np.ndarray, truth: np.ndarray) -> direction.DirectionModel:
    """The odd network after full-batch Adam."""
    torch.manual_seed(0)
    scale = np.sqrt((inputs**2).mean(0)) + 1e-2
    x = torch.tensor(np.clip(inputs / scale, -4, 4))
    sign = torch.tensor(truth.astype(np.float64))
    direct = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    hidden = (0.3 * torch.randn(x.shape[1], HIDDEN, dtype=torch.float64)).abs().requires_grad_()
    out = (0.3 * torch.randn(HIDDEN, dtype=torch.float64)).abs().requires_grad_()
    least = torch.zeros(x.shape[1], dtype=torch.float64)
    least[[direction.FEATURES.index(name) for name in FREE]] = -torch.inf
    optimiser = torch.optim.Adam([direct, hidden, out], lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        score = x @ direct + torch.tanh(x @ hidden) @ out
        loss = torch.nn.functional.softplus(-sign * score).mean()
        loss = loss + DECAY * sum((p**2).sum() for p in (direct, hidden, out))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            direct.clamp_(min=least)
            hidden.clamp_(min=least[:, None])
            out.clamp_(min=0)
    arrays = [p.detach().numpy() for p in (direct, hidden, out)]
    return direction.DirectionModel(scale, *arrays, bound=0.0)


def shares(score: np.ndarray, truth: np.ndarray, bound: float) -> str:
    """Right, unclear and wrong shares, and the accuracy of what is said, with its interval."""
    said = np.abs(score) >= bound
    right, wrong = int((said & (score * truth > 0)).sum()), int((said & (score * truth < 0)).sum())
    low, high = clopper_pearson(right, max(right + wrong, 1))
    return (
        f"n {len(truth):4}  right {right / len(truth):.3f}  unclear {1 - said.mean():.3f}"
        f"  wrong {wrong / len(truth):.3f}  of what is said right"
        f" {right / max(right + wrong, 1):.3f} [{low:.3f}, {high:.3f}]"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = np.load(arguments.pairs / "direction.npz")
    inputs, truth, part, sort = (found[k] for k in ("features", "truth", "part", "sort"))
    model = train(inputs[part == "fit"], truth[part == "fit"])
    score = model.score(inputs)
    val = part == "val"

    def right_of_said(bound: float) -> float:
        said = val & (np.abs(score) >= bound)
        return float((score[said] * truth[said] > 0).mean()) if said.any() else 1.0

    bound = next((float(b) for b in BOUNDS if right_of_said(b) >= WANTED), float(BOUNDS[-1]))
    print(f"bound {bound:g}")
    for name in ("fit", "val", "apart"):
        for way, words in ((1, "query made from asset"), (-1, "asset made from query")):
            rows = (part == name) & (truth == way)
            print(f"{name:6}{words:24}{shares(score[rows], truth[rows], bound)}")
    for name in ("val", "apart"):
        for kind in dict.fromkeys(sort[part == name]):
            for way in (1, -1):
                rows = (part == name) & (sort == kind) & (truth == way)
                print(f"  {name:6}{kind:20}{way:3}  {shares(score[rows], truth[rows], bound)}")
    arrays = {n: np.round(getattr(model, n), 4).tolist() for n in direction.ARRAYS}
    data = {"features": direction.FEATURES, "bound": bound, **arrays}
    arguments.out.write_text(json.dumps(data, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
