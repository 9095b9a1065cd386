"""Makes queries, asks the product through its Python API and compares the answers with the truth.

Work is spread over processes that are each bound to one CPU, so a worker's threads do not disturb
its neighbour; every query's randomness hangs on its own seed, not on who works it off.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from originlens.bench import Attacked
    from originlens.bench.chains import Chain
    from originlens.core.image import Image

THRESHOLD = 128
"""Fixed threshold of change maps: a pixel at or above it counts as lit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one run of the benchmark is about."""

    split: str
    seed: int
    quick: bool
    jobs: int
    data: Path
    cache: Path
    model: str = ""
    """A descriptor of the user's to compare with: its spec or file."""

    def few(self, full: int, quick: int) -> int:
        """How many of something: ``full``, or ``quick`` in a quick run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Query:
    """One question: an original under an edit kind, or a picture as it is (``kind`` None).

    ``asset`` and ``mask`` (a picture file, white = changed) state the truth of pictures that others
    edited; by default the picture itself is the asset. ``expression`` is a chain of attacks in the
    place of a named kind; ``examples`` are pictures under the same edit that a search is told.
    """

    picture: str
    kind: str | None = None
    others: tuple[str, ...] = ()
    seed: int = 0
    rate: float = 0.01
    thorough: bool = False
    diff: bool = False
    peers: bool = False
    asset: str = ""
    mask: str = ""
    expression: str = ""
    examples: tuple[Query, ...] = ()

    @property
    def chain(self) -> Chain | None:
        """What is done to the picture; None: nothing."""
        from originlens.bench.chains import parse
        from originlens.bench.kinds import kind

        if self.kind is not None:
            return kind(self.kind).chain
        return parse(self.expression) if self.expression else None

    @property
    def right(self) -> str:
        """Path of the asset that the query was made from."""
        return self.asset or self.picture


@dataclass(slots=True)
class Answer:
    """What came back; ``matches`` are (path, relation, score) of the product's list."""

    query: Query
    decision: str = "none"
    matches: list[tuple[str, str, float]] = field(default_factory=list)
    ms: float = 0.0
    drift: float | None = None
    f1: float | None = None
    lit: float | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    error: str = ""

    def relation_to(self, path: str) -> str:
        """Relation given to the asset of that path ("none" if it is not in the list)."""
        return next((relation for p, relation, _ in self.matches if p == path), "none")

    def copies(self) -> list[str]:
        """Paths of the assets called a copy or identical."""
        return [path for path, relation, _ in self.matches if relation in ("copy", "identical")]

    @property
    def best(self) -> float:
        """Highest score in the list (-inf if it is empty)."""
        return max((score for _, _, score in self.matches), default=float("-inf"))


def seed_of(*parts: object) -> int:
    """A seed that depends on what a query is, not on when it is asked."""
    return zlib.crc32("|".join(str(part) for part in parts).encode())


def build_index(folder: Path, paths: Sequence[str], workers: int | None = None) -> float:
    """Index ``paths`` through the Python API unless ``folder`` holds them; seconds it took."""
    from originlens.match.index import Index

    done = folder / "complete"
    if done.is_file():
        return 0.0
    started = time.perf_counter()
    with Index(folder, mode="w") as index:
        errors = [event for event in index.add(paths, workers=workers) if event.error is not None]
    if errors:
        raise RuntimeError(f"{len(errors)} pictures were not indexed, first: {errors[0]}")
    done.write_text("ok")
    return time.perf_counter() - started


def ask(index: Path, queries: Iterable[Query], jobs: int) -> Iterator[Answer]:
    """Answers in the order of the questions."""
    context = multiprocessing.get_context("spawn")
    cpus = sorted(os.sched_getaffinity(0))[:jobs]
    free = context.Queue()
    for cpu in cpus:
        free.put(cpu)
    # An executor, not a pool: a worker that crashes is an error here, not a wait without end.
    with ProcessPoolExecutor(len(cpus), context, _start, (str(index), free)) as pool:
        yield from pool.map(_answer, queries, chunksize=4)


_index: Any = None


def _start(folder: str, free: Any) -> None:
    """Bind this worker to one CPU and open the index for reading."""
    global _index
    os.sched_setaffinity(0, {free.get(timeout=60)})
    import cv2

    from originlens.match.index import Index

    cv2.setNumThreads(1)
    _index = Index(folder, mode="r")


def made(query: Query) -> tuple[Image, Attacked | None]:
    """The picture that is asked about, and the truth about how it was made."""
    from originlens.core.image import Image

    image = Image.open(query.picture)
    chain = query.chain
    if chain is None:
        return image, None
    others = [Image.open(path) for path in query.others]
    attacked = chain.apply(image, np.random.default_rng(query.seed), others=others)
    # A picture that came in as bytes: decoding is part of the question.
    name = query.kind or query.expression
    return Image(attacked.image.data, path=f"{name}:{query.picture}"), attacked


@lru_cache(maxsize=2)
def _pairs(examples: tuple[Query, ...]) -> list[tuple[Image, Image]]:
    """(original, replica) of examples."""
    from originlens.core.image import Image

    return [(Image.open(example.picture), made(example)[0]) for example in examples]


def _answer(query: Query) -> Answer:
    from originlens.core.errors import OriginLensError

    answer = Answer(query)
    attacked = None
    try:
        image, attacked = made(query)
        told = {"examples": _pairs(query.examples)} if query.examples else {}
        started = time.perf_counter()
        result = _index.search(
            image,
            top=10,
            max_false_positive_rate=query.rate,
            thorough=query.thorough,
            diff=query.diff,
            **told,
        )
        answer.ms = (time.perf_counter() - started) * 1e3
    except OriginLensError as error:
        answer.error = f"{type(error).__name__}: {error}"
        return answer
    answer.decision = result.decision
    answer.matches = [(match.path, match.relation, match.score) for match in result.matches]
    right = next((match for match in result.matches if match.path == query.right), None)
    if right is not None and right.relation in ("copy", "identical"):
        _judge(answer, right, attacked)
    if query.peers:
        import _peers

        answer.hashes = _peers.hashes(image.pixels)
    return answer


def _judge(answer: Answer, match: Any, attacked: Any) -> None:
    """Compare a right match's transform and change map with the truth, where there is one."""
    from originlens.core.image import Image

    query = answer.query
    mask = None if attacked is None else attacked.mask
    if query.mask:
        mask = Image.open(query.mask).pixels.max(axis=2) >= THRESHOLD
    if attacked is not None and match.transform is not None:
        original = Image.open(query.right)
        size = (original.height, original.width)
        answer.drift = drift(match.transform, attacked.transform, size, attacked.mask)
    if mask is not None and match.change_map is not None:
        answer.f1, answer.lit = judge(match.change_map, mask)


def drift(
    found: npt.NDArray[np.float64],
    true: npt.NDArray[np.float64],
    size: tuple[int, int],
    mask: npt.NDArray[np.bool_],
) -> float | None:
    """Mean distance between where two transforms put the visible pixels, in query diagonals.

    Asked on a grid of 24 x 24 points of the original that land in the query, outside the mask.
    """
    from originlens.core import geometry

    h, w = mask.shape
    y, x = np.meshgrid(
        np.linspace(0, size[0] - 1, 24), np.linspace(0, size[1] - 1, 24), indexing="ij"
    )
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    there = geometry.apply(true, points)
    rounded = np.rint(there).astype(np.int64)
    inside = ((rounded >= 0) & (rounded < [w, h])).all(axis=1)
    visible = np.zeros(len(points), bool)
    visible[inside] = ~mask[rounded[inside, 1], rounded[inside, 0]]
    if not visible.any():
        return None
    offset = geometry.apply(found, points[visible]) - there[visible]
    return float(np.hypot(offset[:, 0], offset[:, 1]).mean() / np.hypot(h, w))


def judge(change_map: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Pixel F1 of a change map at the fixed threshold, and the share of pixels lit."""
    if change_map.shape != mask.shape:
        raise ValueError(f"change map is {change_map.shape}, the query {mask.shape}")
    lit = change_map >= THRESHOLD
    hits = int((lit & mask).sum())
    total = int(lit.sum()) + int(mask.sum())
    return (2 * hits / total if total else 1.0), float(lit.mean())
