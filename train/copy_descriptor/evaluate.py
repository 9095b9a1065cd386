"""Measure copy descriptors alone, one whole-picture vector each: uAP and recall, with intervals.

    python train/copy_descriptor/evaluate.py copy_v2.onnx
    python train/copy_descriptor/evaluate.py first.onnx second.onnx --kinds held-out

Models have the inputs of gem-v0's graph, and the shipped gem-v0 is always measured, too. The
protocol is that of the bench's suite ``copy-full``: of the split's photographs a quarter is never
indexed and asked as it is, 15 % are hosts and donors, the others are references and, edited, the
questions. The photographs of the train split are distractors. Choices are made on val with seen
kinds; held-out kinds and the test split are for reports.

Questions and references are rendered once, at each network's size, and kept in ``--scratch``.
Intervals (95 %) are bootstraps over photographs, differences are paired with the first model.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "global_descriptor"))

import photos

from originlens.bench.comparison import paired_difference
from originlens.bench.copies import Edit, Question, Task, task
from originlens.bench.kinds import kinds
from originlens.bench.results import Pairs, Value
from originlens.bench.runner import content_of, key_of
from originlens.bench.suites._values import grouped_share
from originlens.core.image import Image
from originlens.core.registry import make
from originlens.core.stats import bootstrap
from originlens.match.descriptors._pooled import pooling, squeezed
from originlens.match.descriptors.gem_v0 import GemV0

SHIPPED = photos.REPOSITORY / "src/originlens/match/descriptors/weights/gem_v0.onnx"
TOP, CELL, BATCH = 10, 32, 8
FALSE_ALARMS = 0.01
MEASURES = ("uAP", "recall@1", "recall@10", "recall at 1 % false alarms")


def drawn(split: str, half: str, each: int, distractors: int, seed: int) -> Task:
    """References and questions; the distractors are photographs of the train split."""
    halves = [None] if half == "all" else [half]
    edits = [Edit.of(kind) for part in halves for kind in kinds(part) if kind.group != "local"]
    pictures = [str(path) for path in photos.rows(split, shippable=False)]
    others = [str(path) for path in photos.rows("train", shippable=False)]
    order = np.random.default_rng(seed).permutation(len(others))[:distractors]
    return task(
        pictures, edits, each=each, negatives=len(pictures), references=len(pictures), seed=seed,
        distractors=[others[i] for i in order],
    )  # fmt: skip


def rendered(images: Sequence[Callable[[], Image]], keys: str, side: int, folder: Path) -> Path:
    """File of (N, side, side, 3) uint8, as the network is shown the pictures; made if absent."""
    kept = folder / f"{key_of(keys, side)}.npy"
    if kept.exists():
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part")
    shape = (len(images), side, side, 3)
    array = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
    for i, image in enumerate(images):
        array[i] = squeezed(image().reduced(side), side)
        if (i + 1) % 500 == 0:
            print(f"rendered {i + 1} of {len(images)}", file=sys.stderr, flush=True)
    array.flush()
    part.rename(kept)
    return kept


class Model:
    """An ONNX descriptor on one core, the side of the square it is shown, and what it cost."""

    def __init__(self, path: Path, side: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.path, self.side = path, side
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.seconds, self.pictures = 0.0, 0

    def vectors(self, kept: Path) -> np.ndarray:
        """(N, d) float32 of a file of pictures."""
        pixels = np.load(kept, mmap_mode="r")
        whole = pooling([(0, 0, 1, 1)], pixels.shape[1] // CELL)
        started = time.process_time()
        found = [
            self._session.run(
                None, {"pixels": np.ascontiguousarray(pixels[i : i + BATCH]), "pooling": whole}
            )[0][:, 0]
            for i in range(0, len(pixels), BATCH)
        ]
        self.seconds += time.process_time() - started
        self.pictures += len(pixels)
        return np.concatenate(found)


@dataclass(frozen=True)
class Measured:
    """Similarities (Q, R) of the questions, and the references that each one was made of."""

    asked: Task
    similarity: np.ndarray
    truths: list[set[int]]

    @property
    def groups(self) -> list[str]:
        """A question's photograph: questions made of one fail together."""
        return [question.picture for question in self.asked.questions]

    def pairs(self) -> tuple[Pairs, np.ndarray]:
        """Truth and scores of the ten nearest references of every question."""
        nearest = np.argsort(-self.similarity, axis=1, kind="stable")[:, :TOP]
        correct = [int(i) in self.truths[q] for q, row in enumerate(nearest) for i in row]
        query = np.repeat(np.arange(len(nearest)), nearest.shape[1])
        positives = np.array([len(truth) for truth in self.truths], np.int64)
        scores = np.take_along_axis(self.similarity, nearest, 1).astype(np.float64).ravel()
        return Pairs(np.array(correct, bool), query, positives), scores

    def hits(self) -> np.ndarray:
        """(Q, 3) float64: among the first, among the first ten, above the false-alarm limit.

        Strangers have NaN. The limit is the least similarity that at most 1 % of them exceed.
        """
        found = np.full((len(self.truths), 3), np.nan)
        asked = [question.edit is not None for question in self.asked.questions]
        strangers = np.sort(self.similarity[~np.array(asked)].max(1))[::-1]
        limit = strangers[int(FALSE_ALARMS * len(strangers))]
        for q, truth in enumerate(self.truths):
            if asked[q]:
                best = max(self.similarity[q, i] for i in truth)
                nearer = int((self.similarity[q] > best).sum())
                found[q] = nearer < 1, nearer < TOP, best > limit
        return found

    def values(self, seed: int) -> dict[str, Value]:
        """Every measure with its interval."""
        truth, scores = self.pairs()
        rng = np.random.default_rng(seed)
        values = [make("metric", "uap").value(truth, scores, rng=rng, groups=self.groups)]
        hits, groups = self.hits(), self.groups
        edited = np.flatnonzero(~np.isnan(hits[:, 0]))
        names = [groups[i] for i in edited]
        values += [grouped_share((hits[edited, k] > 0).tolist(), names, seed) for k in range(3)]
        return dict(zip(MEASURES, values, strict=True))


def differences(first: Measured, second: Measured, seed: int) -> dict[str, Value]:
    """Every measure of the first minus the second's, paired over photographs."""
    rng = np.random.default_rng(seed)
    metric = make("metric", "uap")
    uap = paired_difference(metric, first.pairs(), second.pairs(), rng=rng, groups=first.groups)
    gaps = first.hits() - second.hits()
    edited = np.flatnonzero(~np.isnan(gaps[:, 0]))
    groups = [first.groups[i] for i in edited]
    found = [uap]
    for sample in gaps[edited].T:
        low, high = bootstrap(sample, lambda rows: float(rows.mean()), rng, groups=groups)
        found.append(Value("difference", float(sample.mean()), low, high, len(set(groups))))
    return dict(zip(MEASURES, found, strict=True))


def measured(model: Model, asked: Task, scratch: Path) -> Measured:
    """A model's answers to the questions of a task."""
    references = [lambda path=path: Image.open(path) for path in asked.references]
    content = key_of(*(content_of(path) for path in asked.references))
    table = model.vectors(rendered(references, content, model.side, scratch))
    place = {path: i for i, path in enumerate(asked.references)}
    rows, truths = [], []
    for part in grouped(asked.questions):
        keys = key_of(*(question.key for question in part))
        rows.append(model.vectors(rendered([q.image for q in part], keys, model.side, scratch)))
        truths += [_truth(question, place) for question in part]
    return Measured(asked, np.concatenate(rows) @ table.T, truths)


def grouped(questions: Iterable[Question]) -> list[list[Question]]:
    """Questions of one kind together, so that a new kind renders only itself."""
    parts: dict[str, list[Question]] = {}
    for question in questions:
        parts.setdefault(question.edit.name if question.edit else "", []).append(question)
    return list(parts.values())


def _truth(question: Question, place: dict[str, int]) -> set[int]:
    if question.edit is None:
        return set()
    hosts = question.others if question.edit.indexed_host else ()
    return {place[path] for path in (question.picture, *hosts)}


def report(models: list[Model], found: list[Measured], seed: int) -> None:
    """Print the measures, then recall@1 and recall at 1 % false alarms of every kind."""
    for number, (model, one) in enumerate(zip(models, found, strict=True)):
        cost = 1e3 * model.seconds / model.pictures
        size = model.path.stat().st_size / 1e6
        print(f"\n{model.path}: {size:.1f} MB, {cost:.1f} ms CPU per picture")
        for name, value in one.values(seed).items():
            print(f"  {name:28} {value.value:.4f} [{value.low:.4f}, {value.high:.4f}]")
        if number:
            print("  the first minus this one, paired:")
            for name, value in differences(found[0], one, seed).items():
                print(f"  {name:28} {value.value:+.4f} [{value.low:+.4f}, {value.high:+.4f}]")
    print(f"\n{'recall@1, at 1 % false alarms':30}" + "".join(f"{m.path.stem:>16}" for m in models))
    hits = [one.hits() for one in found]
    start = 0
    for part in grouped(found[0].asked.questions):
        rows = slice(start, start := start + len(part))
        if part[0].edit is not None:
            shares = [f"{h[rows, 0].mean():9.2f} {h[rows, 2].mean():6.2f}" for h in hits]
            print(f"{part[0].edit.name:30}" + "".join(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, nargs="*", help="ONNX files")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--kinds", choices=("seen", "held-out", "all"), default="seen")
    parser.add_argument("--each", type=int, default=40, help="questions per kind")
    parser.add_argument("--distractors", type=int, default=5000)
    parser.add_argument("--side", type=int, default=192, help="of the square the models see")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--scratch", type=Path, default=photos.REPOSITORY / ".weights/copy-evaluation"
    )
    arguments = parser.parse_args()
    asked = drawn(
        arguments.split, arguments.kinds, arguments.each, arguments.distractors, arguments.seed
    )
    edited = sum(question.edit is not None for question in asked.questions)
    strangers = len(asked.questions) - edited
    print(f"{len(asked.references)} references, {edited} questions, {strangers} strangers")
    models = [Model(path, arguments.side) for path in arguments.models]
    models.append(Model(SHIPPED, GemV0.input_side))
    found = [measured(model, asked, arguments.scratch) for model in models]
    report(models, found, arguments.seed)


if __name__ == "__main__":
    main()
