"""Train the change map's network on pairs made by ``pairs.py`` and export it to ONNX.

    python train/change_map/train.py pairs-train.npz --val pairs-val.npz --out change_map.onnx
    (several files of pairs may be given)

A small convolutional network: unfolded full-size features beside half-size ones, four layers with
growing reach at a quarter, back to full size. Binary cross-entropy plus soft Dice (Milletari et
al., 3DV 2016), mirrored and turned examples.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from originlens.match._deviation import COARSE, FINE


class ChangeNet(nn.Module):
    """(N, 7, 2h, 2w) fine and (N, 10, h, w) coarse features to (N, 1, 2h, 2w) logits."""

    def __init__(self, width: int = 16, deep: int = 24) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * FINE + COARSE, width, 1)
        self.near = nn.Conv2d(width, width, 3, padding=1)
        self.down = nn.Conv2d(width, deep, 3, padding=1)
        self.far = nn.ModuleList(nn.Conv2d(deep, deep, 3, padding=d, dilation=d) for d in (1, 2, 4))
        self.up = nn.Conv2d(deep, width, 1)
        self.join = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, 4, 1)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Logits of "changed" per pixel."""
        x = F.relu(self.enter(torch.cat([F.pixel_unshuffle(fine, 2), coarse], dim=1)))
        x = F.relu(self.near(x))
        y = F.relu(self.down(F.avg_pool2d(x, 2)))
        for layer in self.far:
            y = y + F.relu(layer(y))
        y = F.interpolate(self.up(y), scale_factor=2.0, mode="bilinear", align_corners=False)
        x = F.relu(self.join(F.relu(x + y)))
        return F.pixel_shuffle(self.leave(x), 2)


def loss_of(logits: torch.Tensor, target: torch.Tensor, care: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over cared-for pixels plus soft Dice over each changed example."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * care
    entropy = entropy.sum() / care.sum()
    p = torch.sigmoid(logits) * care
    overlap = (p * target).sum(dim=(1, 2, 3))
    total = (p + target * care).sum(dim=(1, 2, 3))
    has = (target * care).sum(dim=(1, 2, 3)) > 20
    dice = 1 - (2 * overlap + 1) / (total + 1)
    return entropy + 0.3 * (dice * has).sum() / has.sum().clamp(min=1)


def batches(data: dict[str, np.ndarray], size: int, rng: np.random.Generator):
    """Shuffled, mirrored and turned batches for one epoch."""
    order = rng.permutation(len(data["fine"]))
    for start in range(0, len(order) - size + 1, size):
        pick = np.sort(order[start : start + size])
        fine, coarse = (
            torch.from_numpy(data[k][pick].astype(np.float32)).permute(0, 3, 1, 2)
            for k in ("fine", "coarse")
        )
        target = torch.from_numpy(data["target"][pick].astype(np.float32) / 255)[:, None]
        care = torch.from_numpy(data["care"][pick].astype(np.float32))[:, None]
        turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
        out = []
        for plane in (fine, coarse, target, care):
            plane = torch.rot90(plane, turn, (2, 3))
            out.append(plane.flip(3) if mirror else plane)
        yield out


def evaluate(net: ChangeNet, data: dict[str, np.ndarray], bias: float = 0.0) -> tuple[float, float]:
    """Mean F1 of changed examples, and mean share of lit pixels of unchanged ones."""
    f1, lit = [], []
    with torch.no_grad():
        for i in range(len(data["fine"])):
            fine, coarse = (
                torch.from_numpy(data[k][i : i + 1].astype(np.float32)).permute(0, 3, 1, 2)
                for k in ("fine", "coarse")
            )
            care = data["care"][i]
            found = (net(fine, coarse)[0, 0].numpy() + bias > 0) & care
            truth = (data["target"][i] > 127) & care
            if truth.sum() > 20:
                f1.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
            elif truth.sum() == 0:
                lit.append(found.sum() / care.size)
    return float(np.mean(f1)), float(np.mean(lit))


def read(paths: list[str]) -> dict[str, np.ndarray]:
    """The columns of files made by ``pairs.py``, one after the other."""
    files = [np.load(path) for path in paths]
    return {k: np.concatenate([f[k] for f in files]) for k in ("fine", "coarse", "target", "care")}


def main() -> None:
    """Train, report on the validation pairs, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--val", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(options.seed)
    data, held = read(options.pairs), read([options.val])
    net = ChangeNet()
    steps = options.epochs * (len(data["fine"]) // 16)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for epoch in range(options.epochs):
        total = 0.0
        for fine, coarse, target, care in batches(data, 16, rng):
            loss = loss_of(net(fine, coarse), target, care)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        f1, lit = evaluate(net, held)
        print(
            f"epoch {epoch + 1}: loss {total / (steps / options.epochs):.4f} "
            f"val F1 {f1:.3f} lit {lit:.4f}",
            flush=True,
        )
    for bias in (-2.0, -1.0, -0.5, 0.0, 0.5):
        f1, lit = evaluate(net, held, bias)[:2]
        print(f"bias {bias}: F1 {f1:.3f} lit {lit:.4f}")
    export(net, options.out)


def export(net: ChangeNet, path: str) -> None:
    """Write the ONNX graph with free height and width."""
    net.eval()
    example = (torch.zeros(1, FINE, 32, 48), torch.zeros(1, COARSE, 16, 24))
    axes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        net,
        example,
        path,
        input_names=["fine", "coarse"],
        output_names=["logits"],
        dynamic_axes={"fine": axes, "coarse": {2: "half_height", 3: "half_width"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
