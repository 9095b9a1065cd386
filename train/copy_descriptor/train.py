"""Fine-tune the copy descriptor: contrastive with an entropy term, the SSCD recipe at our scale.

    python train/copy_descriptor/train.py --trunk mobilenet_v2-b0353104.pth --minutes 120

Needs the extra ``torch`` and the photographs (``ORIGINLENS_SHARED``, else ``shared`` beside the
checkout). Stopped at any time it goes on from the last checkpoint in ``--scratch``; every line of
the log is one hundred steps.

Paper: Pizzi et al. 2022 (SSCD, arXiv:2202.10261): InfoNCE at temperature 0.05 (equation 1) plus
the Kozachenko-Leonenko estimate of differential entropy (equation 3). Departures, for two cores:
the first three stages stay frozen, batch norms keep their statistics, negatives also come from a
memory of earlier batches (Wang et al. 2020, XBM, arXiv:1912.06798), and one view of a pair is mild,
as references are. ``--start`` goes on from another run's averaged weights with a fresh schedule.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

sys.path[:0] = [
    str(Path(__file__).resolve().parent),
    str(Path(__file__).resolve().parent.parent / "global_descriptor"),
]

import photos  # noqa: E402
from model import Descriptor, frozen_stages, start  # noqa: E402
from views import Views  # noqa: E402

SIDE, BATCH, SOURCE = 160, 64, 400
TEMPERATURE, ENTROPY = 0.05, 10.0
MEMORY, MEMORY_FROM = 4096, 200
RATE, HEAD_RATE, DECAY = 2e-4, 1e-3, 1e-4
STEPS = 2_000
AVERAGE = 0.999
INGREDIENTS = ("entropy", "memory", "hosts", "mixing")
SHIPPED = photos.REPOSITORY / "src/originlens/match/descriptors/weights/gem_v0.onnx"


class Pairs(Dataset):
    """Pairs of views; item i of a run is the same whenever it is drawn.

    An item is the two views, which photograph they show, and which two others may lie in them.
    """

    def __init__(
        self, paths: list[Path], first: int, last: int, seed: int, *, mixing: bool = True
    ) -> None:
        self._paths, self._first, self._last, self._seed = paths, first, last, seed
        self._views = Views(SIDE, mixing=mixing)
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, int))

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, item: int) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
        number = self._first + item
        epoch, place = divmod(number, len(self._paths))
        if self._order[0] != epoch:
            order = np.random.default_rng([self._seed, epoch]).permutation(len(self._paths))
            self._order = (epoch, order)
        index = int(self._order[1][place])
        rng = np.random.default_rng([self._seed, epoch, index, 1])
        hosts = rng.integers(0, len(self._paths), 2)
        others = [small(self._paths[int(i)]) for i in hosts]
        mild, strong = self._views.pair(small(self._paths[index]), others, rng)
        return mild, strong, index, hosts


def small(path: Path) -> np.ndarray:
    """The photograph with at most SOURCE pixels a side; views are made of that."""
    pixels = photos.read(path)
    scale = SOURCE / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


class Frozen:
    """Makes a batch of what the trained layers take: the frozen ones run where views are made."""

    def __init__(self, model: bytes) -> None:
        self._model, self._session = model, None

    def __call__(self, items: list[tuple]) -> tuple[torch.Tensor, ...]:
        import onnxruntime

        cv2.setNumThreads(1)
        if self._session is None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(self._model, options)
        mild, strong, who, hosts = zip(*items, strict=True)
        pixels = np.stack(mild + strong)
        features = np.concatenate(
            [
                self._session.run(None, {"pixels": pixels[i : i + 8]})[0]
                for i in range(0, len(pixels), 8)
            ]
        )
        who, hosts = torch.tensor(who), torch.from_numpy(np.stack(hosts))
        return torch.from_numpy(features), who, hosts


def batches(pairs: Pairs, frozen: bytes) -> Iterator[tuple[torch.Tensor, ...]]:
    """Batches of pairs, made by another process."""
    torch.set_num_threads(1)
    yield from DataLoader(
        pairs, BATCH, collate_fn=Frozen(frozen), num_workers=1, prefetch_factor=4, drop_last=True
    )  # fmt: skip


def loss_of(
    mild: torch.Tensor,
    strong: torch.Tensor,
    who: torch.Tensor,
    hosts: torch.Tensor,
    memory: tuple[torch.Tensor, torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """InfoNCE and minus the entropy estimate of (B, d) views and a memory (M, d) with its ids."""
    vectors = torch.cat([mild, strong])
    ids = torch.cat([who, who])
    others = torch.cat([vectors, memory[0]])
    similarity = vectors @ others.T / TEMPERATURE
    all_ids = torch.cat([ids, memory[1]])
    same = ids[:, None] == all_ids[None]
    count = len(ids)
    # What may have been pasted in is no negative, either: its picture truly lies in the view.
    same[count // 2 :] |= (hosts[:, :, None] == all_ids).any(1)
    partner = (torch.arange(count) + count // 2) % count
    # All that show the same photograph are left out of the negatives, the partner is the target.
    same[torch.arange(count), partner] = False
    contrast = cross_entropy(similarity.masked_fill(same, -1e4), partner)
    distances = torch.cdist(vectors, vectors)
    distances = distances.masked_fill(ids[:, None] == ids[None], math.inf)
    entropy = -distances.min(1).values.clamp_min(1e-6).log().mean()
    return contrast, entropy


class Run:
    """A run's state: weights, their running average, optimiser, memory, step."""

    def __init__(
        self, model: Descriptor, folder: Path, steps: int, without: frozenset[str] = frozenset()
    ) -> None:
        self.model, self.folder, self.steps, self.step = model, folder, steps, 0
        self._without = without
        trunk_weights = [p for p in model.trunk.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": trunk_weights, "lr": RATE, "peak": RATE},
                {"params": model.projection.parameters(), "lr": HEAD_RATE, "peak": HEAD_RATE},
            ],
            weight_decay=DECAY,
        )
        self.average = {k: v.clone() for k, v in model.state_dict().items()}
        width = model.projection.out_features
        self.memory = (torch.zeros(0, width), torch.zeros(0, dtype=torch.long))
        self._path = folder / "checkpoint.pt"
        if self._path.exists():
            kept = torch.load(self._path, weights_only=True)
            model.load_state_dict(kept["model"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.average, self.step = kept["average"], kept["step"]
            self.memory = kept["memory"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        part = self._path.with_suffix(".part")
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
            "memory": self.memory,
        }
        torch.save(state, part)
        part.replace(self._path)

    def advance(
        self, features: torch.Tensor, who: torch.Tensor, hosts: torch.Tensor
    ) -> list[float]:
        """One step; returns the two losses and the share of partners found first in the batch."""
        share = self.step / self.steps
        scale = min(1.0, (self.step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share))
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        both = self.model(features.float().contiguous(memory_format=torch.channels_last))
        first, second = both.chunk(2)
        if "hosts" in self._without:
            hosts = torch.full_like(hosts, -1)
        contrast, entropy = loss_of(first, second, who, hosts, self.memory)
        self.optimiser.zero_grad(set_to_none=True)
        (contrast if "entropy" in self._without else contrast + ENTROPY * entropy).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        with torch.no_grad():
            weight = min(AVERAGE, (1 + self.step) / (10 + self.step))
            for name, value in self.model.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - weight)
            if self.step >= MEMORY_FROM and "memory" not in self._without:
                kept = torch.cat([both.detach(), self.memory[0]])[:MEMORY]
                self.memory = (kept, torch.cat([who, who, self.memory[1]])[:MEMORY])
            right = ((second @ first.T).argmax(1) == torch.arange(len(who))).float().mean()
        return [contrast.item(), entropy.item(), float(right)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trunk", type=Path, required=True, help="ImageNet state-dict file")
    parser.add_argument(
        "--start", type=Path, help="checkpoint whose averaged weights to start from"
    )
    parser.add_argument("--scratch", type=Path, default=photos.REPOSITORY / ".weights/copy-v2")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--without", choices=INGREDIENTS, nargs="*", default=(), help="left out, for the ablation"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="of the whole schedule")
    parser.add_argument("--stop", type=int, help="step to stop at, for the ablation")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    without = frozenset(arguments.without)
    model = start(arguments.trunk, SHIPPED).train()
    if arguments.start is not None:
        model.load_state_dict(torch.load(arguments.start, weights_only=True)["average"])
    run = Run(model, arguments.scratch, arguments.steps, without)
    stop = arguments.stop or arguments.steps
    paths = photos.rows("train", shippable=True)
    until, told = time.monotonic() + 60 * arguments.minutes, []
    began, begun = time.monotonic(), run.step
    frozen = frozen_stages(run.model.trunk)
    first, last = run.step * BATCH, arguments.steps * BATCH
    pairs = Pairs(paths, first, last, arguments.seed, mixing="mixing" not in without)
    for features, who, hosts in batches(pairs, frozen):
        torch.set_num_threads(arguments.threads)
        told.append(run.advance(features, who, hosts))
        if run.step % 100 == 0:
            contrast, entropy, right = np.mean(told, axis=0)
            rate = (run.step - begun) * 2 * BATCH / (time.monotonic() - began)
            line = {
                "step": run.step, "contrast": round(float(contrast), 4),
                "entropy": round(float(entropy), 4), "first": round(float(right), 4),
                "views_per_s": round(rate, 1),
            }  # fmt: skip
            with (arguments.scratch / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
            told.clear()
            run.save()
        if time.monotonic() > until or run.step >= stop:
            break
    run.save()


if __name__ == "__main__":
    main()
