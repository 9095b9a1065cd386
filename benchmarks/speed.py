"""How fast is ingest, and does it stay right and small on large pictures?

"Per core" is per CPU second of the ingesting process tree, bound to one CPU: this stays true on a
busy machine, where the wall clock (given in the notes) does not. The peer imagehash.phash runs on
the same files in the same run.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _corpus import Corpus
from _lines import Line, Section, mean
from _processes import cpu_seconds, measured, originlens
from _queries import Query, Setting, ask, build_index, seed_of

LARGE = (3000, 4000)
VARIANTS = ("baseline", "ICC profile", "orientation 6", "progressive")
LARGE_KINDS = ("crop-50", "rotate-15", "mirror", "perspective", "pip-50", "splice", "text-replaced")


def run(setting: Setting) -> Section:
    """Ingest at 0.2 and 12 megapixels, truth at 12 megapixels, start-up time, memory."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    lines = [*small(corpus, setting), *_large(corpus, setting), _help(), _memory(corpus, setting)]
    return Section("speed", lines)


def ingest_rate(paths: list[str], folder: Path) -> tuple[float, float]:
    """Photos per CPU second and per wall second of one process bound to one CPU, warmed up."""
    listing = folder.parent / f"{folder.name}.json"
    listing.write_text(json.dumps({"index": str(folder), "paths": paths}))
    command = [sys.executable, str(Path(__file__).resolve()), "--ingest", str(listing)]
    cpu = min(os.sched_getaffinity(0))
    bound = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )
    seconds = json.loads(bound.stdout.splitlines()[-1])
    return seconds["count"] / seconds["cpu"], seconds["count"] / seconds["wall"]


def _ingest(listing: Path) -> None:
    """In the measured process: index a few pictures to warm up, then time the rest."""
    from originlens.match.index import Index

    given = json.loads(listing.read_text())
    paths, warm = given["paths"], min(16, len(given["paths"]) // 4)
    with Index(given["index"], mode="w") as index:
        list(index.add(paths[:warm], workers=1, calibrate=False))
        cpu, wall = cpu_seconds(os.getpid()), time.perf_counter()
        events = list(index.add(paths[warm:], workers=1, calibrate=False))
        cpu, wall = cpu_seconds(os.getpid()) - cpu, time.perf_counter() - wall
    if any(event.error is not None for event in events):
        raise RuntimeError(f"not indexed: {next(e for e in events if e.error is not None)}")
    print(json.dumps({"count": len(events), "cpu": cpu, "wall": wall}))


def small(corpus: Corpus, setting: Setting, least: float = 50) -> list[Line]:
    """Ingest of photos of 0.2 MP, which must reach ``least`` per second of a core."""
    paths = _photos_of_a_fifth_megapixel(corpus, setting)
    rate, wall = ingest_rate(paths, _new(setting, "small"))
    lines = [
        Line(
            "ingest of 0.2 MP photos per core",
            rate,
            goal=(">=", least),
            unit="/s",
            note=f"n={len(paths)}, {wall:.1f}/s by the wall clock",
        )
    ]
    try:
        import imagehash
    except ImportError:
        return [*lines, Line("peer imagehash.phash", float("nan"), note="pip install imagehash")]
    from PIL import Image as Pillow

    started = time.process_time()
    for path in paths:
        with Pillow.open(path) as picture:
            imagehash.phash(picture)
    peer = len(paths) / (time.process_time() - started)
    lines.append(Line("peer imagehash.phash, same photos, per core", peer, unit="/s"))
    lines.append(Line("ingest (4 signatures and a proxy) relative to phash alone", rate / peer))
    return lines


def _photos_of_a_fifth_megapixel(corpus: Corpus, setting: Setting) -> list[str]:
    """JPEG photos of about 0.2 MP: the split's own, scaled to that area and saved at quality 88."""
    from PIL import Image as Pillow

    folder = setting.cache / f"small-{setting.split}"
    folder.mkdir(exist_ok=True)
    paths = []
    for number, source in enumerate(corpus.originals[: setting.few(300, 40)]):
        target = folder / f"{number}.jpg"
        if not target.is_file():
            with Pillow.open(source) as picture:
                rgb = picture.convert("RGB")
            factor = np.sqrt(0.2e6 / (rgb.width * rgb.height))
            size = (round(rgb.width * factor), round(rgb.height * factor))
            rgb.resize(size, Pillow.Resampling.BICUBIC).save(target, "JPEG", quality=88)
        paths.append(str(target))
    return paths


def _large(corpus: Corpus, setting: Setting) -> list[Line]:
    """12 MP JPEGs: rates by variant, then transforms and maps against the attacks' truth."""
    count = setting.few(12, 4)
    files = {
        variant: [
            _large_file(source, variant, setting)
            for source in corpus.originals[i * count : (i + 1) * count]
        ]
        for i, variant in enumerate(VARIANTS)
    }
    lines, seconds = [], 0.0
    for variant, paths in files.items():
        rate, wall = ingest_rate(paths, _new(setting, f"large-{variant.split()[0]}"))
        seconds += len(paths) / rate
        note = f"n={len(paths)}, {wall:.1f}/s by the wall clock"
        lines.append(Line(f"  12 MP {variant} per core", rate, unit="/s", note=note))
    total = sum(len(paths) for paths in files.values())
    overall = Line(
        "ingest of 12 MP JPEGs per core, the four variants in equal parts",
        total / seconds,
        goal=(">=", 15),
        unit="/s",
        note=f"n={total}",
    )
    everything = [path for paths in files.values() for path in paths]
    return [overall, *lines, *_large_truth(everything, corpus, setting)]


def _large_truth(paths: list[str], corpus: Corpus, setting: Setting) -> list[Line]:
    folder = setting.cache / f"large-truth-{setting.split}-{setting.seed}"
    build_index(folder, [*paths, *corpus.distractors[:300]], setting.jobs)
    queries = []
    for number, path in enumerate(paths):
        for turn in range(setting.few(2, 1)):
            name = LARGE_KINDS[(2 * number + turn) % len(LARGE_KINDS)]
            others = tuple(corpus.hosts[:2])
            seed = seed_of(setting.seed, "large", name, number)
            queries.append(Query(path, name, others, seed, diff=True))
    answers = list(ask(folder, queries, setting.jobs))
    found = [a.drift for a in answers if a.drift is not None]
    # Queries without a right match or transform count as wrong, not as absent.
    right = [d <= 0.0025 for d in found] + [False] * (len(answers) - len(found))
    local = [a.f1 or 0.0 for a in answers if a.query.kind in ("splice", "text-replaced")]
    return [
        mean(
            "12 MP: transforms within 0.25 % of the diagonal (12 px)",
            right,
            setting.seed,
            (">=", 0.95),
        ),
        mean("12 MP: pixel F1 of change maps, local edits", local, setting.seed, (">=", 0.6)),
    ]


def _large_file(source: str, variant: str, setting: Setting) -> str:
    """The picture up-scaled to 12 MP, re-noised and saved at quality 90 in that variant."""
    import cv2
    from PIL import Image as Pillow

    folder = setting.cache / f"large-{setting.split}"
    folder.mkdir(exist_ok=True)
    target = folder / f"{variant.split()[0]}-{Path(source).stem}.jpg"
    if target.is_file():
        return str(target)
    rng = np.random.default_rng(seed_of(source, variant))
    with Pillow.open(source) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    size = LARGE if pixels.shape[0] <= pixels.shape[1] else LARGE[::-1]
    up = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    up += rng.normal(0, 4, (*size, 1)).astype(np.float32)
    out = np.clip(up, 0, 255).astype(np.uint8)
    options: dict[str, object] = {}
    if variant == "ICC profile":
        options["icc_profile"] = wide_profile()
    elif variant == "orientation 6":
        exif = Pillow.Exif()
        exif[274] = 6
        options["exif"] = exif
        out = np.rot90(out)  # stored turned, so that it looks upright again
    elif variant == "progressive":
        options["progressive"] = True
    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(out)).save(buffer, "JPEG", quality=90, **options)
    target.write_bytes(buffer.getvalue())
    return str(target)


def wide_profile() -> bytes:
    """A matrix/TRC display profile with P3 primaries (D50-adapted) and gamma 2.2: ICC.1:2001-04."""

    def fixed(value: float) -> bytes:
        return round(value * 65536).to_bytes(4, "big", signed=True)

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ " + bytes(4) + b"".join(fixed(v) for v in values)

    text = b"desc" + bytes(4) + (5).to_bytes(4, "big") + b"wide\0" + bytes(78)
    curve = (
        b"curv" + bytes(4) + (1).to_bytes(4, "big") + round(2.2 * 256).to_bytes(2, "big") + b"\0\0"
    )
    tags = {
        b"desc": text + bytes(-len(text) % 4),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        b"rXYZ": xyz((0.5151, 0.2412, -0.0011)),
        b"gXYZ": xyz((0.2920, 0.6922, 0.0419)),
        b"bXYZ": xyz((0.1571, 0.0666, 0.7841)),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, body = len(tags).to_bytes(4, "big"), b""
    for name, value in tags.items():
        table += name + (offset + len(body)).to_bytes(4, "big") + len(value).to_bytes(4, "big")
        body += value
    size = offset + len(body)
    header = size.to_bytes(4, "big") + bytes(4) + bytes.fromhex("02100000") + b"mntrRGB XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(fixed(v) for v in (0.9642, 1.0, 0.8249))
    return header + bytes(128 - len(header)) + table + body


def _help() -> Line:
    """Median wall time of ``originlens --help``."""
    measured([*originlens(), "--help"])
    runs = [measured([*originlens(), "--help"]) for _ in range(11)]
    if any(run.code for run in runs):
        return Line("originlens --help", float("nan"), note=runs[0].err[-200:], passed=False)
    cpu = float(np.median([run.cpu for run in runs]))
    wall = [run.wall for run in runs]
    return Line(
        "originlens --help",
        float(np.median(wall)),
        min(wall),
        max(wall),
        ("<", 0.3),
        unit="s",
        note=f"median, fastest and slowest of {len(runs)}; {cpu:.2f} s CPU",
    )


def _memory(corpus: Corpus, setting: Setting) -> Line:
    """Peak memory of the command's process tree for four times as many files."""
    few = setting.few(500, 50)
    photos = corpus.crowd(4 * few)
    peaks = []
    for count in (few, 4 * few):
        folder = _new(setting, f"memory-{count}")
        links = folder.parent / f"{folder.name}-photos"
        links.mkdir()
        for number, path in enumerate(photos[:count]):
            (links / f"{number}{Path(path).suffix}").symlink_to(path)
        command = [*originlens(), "index", "add", str(links), "--index", str(folder), "--jsonl"]
        peaks.append(measured(command).peak_mb)
    return Line(
        f"peak memory, {4 * few} files relative to {few}",
        peaks[1] / peaks[0],
        goal=("<=", 1.15),
        note=f"{peaks[0]:.0f} MB and {peaks[1]:.0f} MB, whole process tree",
    )


def _new(setting: Setting, name: str) -> Path:
    """A folder name that no earlier run has used."""
    return setting.cache / f"speed-{name}-{time.time_ns()}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ingest"]:
        _ingest(Path(sys.argv[2]))
    else:
        from main_job import run_alone

        run_alone("speed")
