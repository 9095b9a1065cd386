"""Search at 100 000 assets: latency with verification, cold and warm, and the lookup alone.

The index holds the real photos and random crops of them, each described from its own JPEG file and
kept with its own proxy. Building it takes most of this benchmark's time; it is kept under
``benchmarks/.cache`` and used again while the code that describes and stores is the same.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from _corpus import Corpus
from _lines import Line, Section, median, proportion
from _queries import Setting, seed_of

from originlens.bench.kinds import KINDS

ASSETS = 100_000
BATCH = 2000
#: The code and weights that decide what an index holds.
HELD_BY = (
    "store", "core/registry.py", "match/descriptors", "match/local", "match/weights",
    "match/describe.py", "match/ingest.py", "match/views.py",
)  # fmt: skip


def run(setting: Setting, most: float = 350, *, thorough: bool = False) -> Section:
    """Latency lines; a search may take ``most`` milliseconds (median).

    With ``thorough`` every fourth question is asked in that mode, too.
    """
    from originlens.match.index import Index

    corpus = Corpus(setting.data, setting.split, setting.seed)
    count = setting.few(ASSETS, 3000)
    folder = setting.cache.parent / f"scale-{setting.split}-{count}-{_describing_code()}"
    seconds = _build(folder, corpus, count, setting)
    started = time.perf_counter()
    with Index(folder, mode="w") as index:
        index.calibrate()
    calibrating = time.perf_counter() - started
    lines = _latency(folder, corpus, count, setting, most)
    if thorough:
        lines.append(_thorough(folder, corpus, count, setting))
    return Section("scale", lines, {"build_seconds": seconds, "calibrating_seconds": calibrating})


def _build(folder: Path, corpus: Corpus, count: int, setting: Setting) -> float:
    """Index originals, photos and crops until there are ``count``; goes on where it was stopped."""
    from originlens.match.index import Index

    started = time.perf_counter()
    done = folder / "complete"
    if done.is_file():
        return 0.0
    sources = [*corpus.originals, *corpus.crowd(6000)]
    crops = folder.parent / f"{folder.name}-crops"
    with Index(folder, mode="w") as index:
        list(index.add(sources[:count], workers=setting.jobs, calibrate=False))
        have = int(index.info()["assets"])
        while have < count:
            crops.mkdir(parents=True, exist_ok=True)
            batch = [
                _crop(sources, number, crops, setting.seed)
                for number in range(have, min(have + BATCH, count))
            ]
            list(index.add(batch, workers=setting.jobs, calibrate=False))
            shutil.rmtree(crops)
            have = max(have + 1, int(index.info()["assets"]))
    done.write_text("ok")
    return time.perf_counter() - started


def _crop(sources: list[str], number: int, folder: Path, seed: int) -> str:
    """Crop ``number``: 30-90 % of a picture's area, as a JPEG file of its own."""
    from PIL import Image as Pillow

    rng = np.random.default_rng([seed, 3, number])
    with Pillow.open(sources[number % len(sources)]) as picture:
        rgb = picture.convert("RGB")
    side = np.sqrt(rng.uniform(0.3, 0.9))
    w, h = max(1, round(rgb.width * side)), max(1, round(rgb.height * side))
    x, y = int(rng.integers(0, rgb.width - w + 1)), int(rng.integers(0, rgb.height - h + 1))
    path = folder / f"{number}.jpg"
    rgb.crop((x, y, x + w, y + h)).save(path, "JPEG", quality=85)
    return str(path)


def _latency(folder: Path, corpus: Corpus, count: int, setting: Setting, most: float) -> list[Line]:
    """Wall time of searches in one process with all CPUs: first cold features, then warm ones."""
    from originlens.core.image import Image
    from originlens.match.index import Index

    cold: list[float] = []
    warm: list[float] = []
    busy: list[float] = []
    hits = 0
    questions = _questions(corpus, setting)
    origins = [*corpus.originals, *corpus.crowd(6000)]
    index = Index(folder, mode="r")
    # Loads weights and opens segments, as a service does once: not part of a query.
    index.search(Image.open(corpus.negatives[0]))
    for path, data in questions:
        for times in (cold, warm):
            started, cpu = time.perf_counter(), time.process_time()
            result = index.search(Image(data))
            times.append((time.perf_counter() - started) * 1e3)
            busy.append((time.process_time() - cpu) * 1e3)
        hits += path in {
            _photograph(m.path, origins)
            for m in result.matches
            if m.relation in ("copy", "identical")
        }
    lookups = _lookups(index)
    tails = [
        f"n={len(wall)}, p95 {np.percentile(wall, 95):.0f} ms, CPU p50 {np.median(cpus):.0f} ms"
        for wall, cpus in ((cold, busy[::2]), (warm, busy[1::2]))
    ]
    return [
        median(
            f"search with verification, {count} assets, cold features, p50", cold, most, tails[0]
        ),
        median(
            f"search with verification, {count} assets, warm features, p50", warm, most, tails[1]
        ),
        median(f"descriptor lookup, {count} assets, one vector, p50", lookups[1], 5),
        median(f"... 24 vectors in one call, {count} assets, p50", lookups[24], None),
        proportion(
            f"... answered with the photograph or a crop of it, {count} assets",
            hits,
            len(questions),
        ),
    ]


def _thorough(folder: Path, corpus: Corpus, count: int, setting: Setting) -> Line:
    """Wall time of searches with ``thorough``, features warm."""
    from originlens.core.image import Image
    from originlens.match.index import Index

    index = Index(folder, mode="r")
    times = []
    for _, data in _questions(corpus, setting)[::4]:
        for _ in range(2):
            started = time.perf_counter()
            index.search(Image(data), thorough=True)
            elapsed = (time.perf_counter() - started) * 1e3
        times.append(elapsed)
    name = f"search with verification, {count} assets, thorough, warm features, p50"
    return median(name, times, None, f"n={len(times)}")


def _photograph(path: str, sources: list[str]) -> str:
    """The photograph that an asset of this index is, or that it was cut from."""
    name = Path(path).stem
    return path if path in sources else sources[int(name) % len(sources)]


def _questions(corpus: Corpus, setting: Setting) -> list[tuple[str, bytes]]:
    """(original, bytes of its edit): the promised kinds in turn."""
    from originlens.core.image import Image

    promised = [kind for kind in KINDS if kind.goal is not None]
    found = []
    for number, path in enumerate(corpus.originals[: setting.few(96, 16)]):
        kind = promised[number % len(promised)]
        pool = corpus.originals if kind.others == "indexed" else corpus.hosts
        others = [Image.open(pool[-1 - number])]
        rng = np.random.default_rng(seed_of(setting.seed, "scale", kind.name, path))
        found.append((path, kind.apply(Image.open(path), rng, others=others).image.data))
    return found


def _lookups(index: Any) -> dict[int, list[float]]:
    """Milliseconds of nearest-neighbour lookups for 1 and 24 vectors per call."""
    rng = np.random.default_rng(0)
    vectors = index.store.vectors(index.store.sample(480, rng))
    # Slightly moved, so that no lookup is for a stored vector itself.
    vectors = vectors + rng.normal(0, 0.02, vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    times: dict[int, list[float]] = {}
    for size in (1, 24):
        times[size] = []
        for start in range(0, min(len(vectors), 100 * size) - size + 1, size):
            started = time.perf_counter()
            index.store.search_vectors(vectors[start : start + size], 24, None)
            times[size].append((time.perf_counter() - started) * 1e3)
    return times


def _describing_code() -> str:
    """Fingerprint of what :data:`HELD_BY` names."""
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent / "src" / "originlens"
    for part in HELD_BY:
        root = package / part
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in files:
            if path.suffix in (".py", ".onnx", ".npz", ".json"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("scale")
