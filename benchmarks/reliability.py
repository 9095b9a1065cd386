"""Does a killed ingest lose anything that was acknowledged, and do hostile files stay harmless?

The command line is used as a user would: ``index add`` is killed with SIGKILL at random moments,
then ``index check``, ``index list`` and a second ``index add`` must agree. Every file of the robust
collection is named explicitly and must give exactly one line.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from _corpus import Corpus
from _lines import Line, Section, proportion
from _processes import Finished, measured, originlens, tree
from _queries import Setting

FORMATS = {"JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "HEIC"}
PIXELS = 40_000_000


def run(setting: Setting) -> Section:
    """Kill and robustness lines."""
    kills, kill_details = _kills(setting)
    robust, robust_details = _robust(setting)
    return Section("reliability", [*kills, *robust], {**kill_details, **robust_details})


# -- kill -9 ----------------------------------------------------------------------------------


def _kills(setting: Setting) -> tuple[list[Line], dict[str, Any]]:
    corpus = Corpus(setting.data, setting.split, setting.seed)
    # Below 200 pictures nothing is calibrated, so that every moment lies in the ingest itself.
    rounds, files = setting.few(20, 2), setting.few(190, 60)
    photos = setting.cache / f"kill-photos-{files}"
    photos.mkdir(exist_ok=True)
    for number, path in enumerate(corpus.crowd(files)):
        link = photos / f"{number}{Path(path).suffix}"
        if not link.exists():
            link.symlink_to(path)
    whole = _add(photos, setting.cache / f"kill-whole-{time.time_ns()}")
    rng = np.random.default_rng([setting.seed, 4])
    outcomes = [
        _kill(photos, setting.cache / f"kill-{time.time_ns()}-{n}", moment, files)
        for n, moment in enumerate(rng.uniform(0.05, 1.0, rounds) * whole.wall)
    ]
    names = {
        "clean": "killed ingests after which index check is clean",
        "kept": "killed ingests that lost nothing acknowledged",
        "completed": "killed ingests whose re-run completes",
    }
    lines = [
        proportion(text, sum(o[key] for o in outcomes), rounds, (">=", 1.0))
        for key, text in names.items()
    ]
    orphans = sum(o["orphans"] for o in outcomes)
    lines.append(Line("processes left behind 10 s after a kill", orphans, goal=("<=", 0)))
    return lines, {"kills": outcomes, "whole_ingest_seconds": whole.wall}


def _add(photos: Path, folder: Path) -> Finished:
    command = [*originlens(), "index", "add", str(photos), "--index", str(folder), "--jsonl"]
    return measured(command, timeout=600)


def _kill(photos: Path, folder: Path, moment: float, files: int) -> dict[str, Any]:
    """One ingest, killed ``moment`` seconds after its start; what held afterwards."""
    command = [*originlens(), "index", "add", str(photos), "--index", str(folder), "--jsonl"]
    out = folder.parent / f"{folder.name}.jsonl"
    with out.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        family = tree(process.pid)
        killed = process.poll() is None
        os.kill(process.pid, signal.SIGKILL) if killed else None
        process.wait()
    orphans = _outlive([pid for pid in family if pid != process.pid])
    # A last line cut off by the kill was not acknowledged: only whole lines count.
    acknowledged = [json.loads(line) for line in out.read_bytes().split(b"\n")[:-1]]
    listed: Counter[tuple[str, str]] = Counter()
    clean = True
    # Killed before the index existed: nothing may have been acknowledged, nothing can be checked.
    if any(folder.glob("*")):
        check = measured([*originlens(), "index", "check", "--index", str(folder)])
        clean = check.code == 0
        listed = _listed(folder)
    kept = all((row["path"], row["sha256"]) in listed for row in acknowledged)
    again = _add(photos, folder)
    rows = [json.loads(line) for line in again.out.splitlines()]
    after = _listed(folder)
    completed = again.code == 0 and len(rows) == files and len(after) == files
    completed = completed and max(after.values()) == 1
    final = measured([*originlens(), "index", "check", "--index", str(folder)])
    return {
        "moment": round(moment, 3),
        "killed": killed,
        "acknowledged": len(acknowledged),
        "clean": clean and final.code == 0,
        "kept": kept,
        "completed": completed,
        "orphans": orphans,
    }


def _outlive(pids: list[int]) -> int:
    """How many of the killed command's children still live after ten seconds."""
    for _ in range(100):
        alive = [pid for pid in pids if _lives(pid)]
        if not alive:
            return 0
        time.sleep(0.1)
    return len(alive)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _listed(folder: Path) -> Counter[tuple[str, str]]:
    """(path, sha256) of every listed line, counted."""
    listing = measured([*originlens(), "index", "list", "--index", str(folder), "--jsonl"])
    rows = [json.loads(line) for line in listing.out.splitlines()]
    return Counter((row["path"], row["sha256"]) for row in rows)


# -- hostile files ----------------------------------------------------------------------------


def _robust(setting: Setting) -> tuple[list[Line], dict[str, Any]]:
    files = sorted(str(p) for p in (setting.data / "robust").rglob("*") if p.is_file())
    files = files[:: setting.few(1, 40)]
    decodable = pillow_decodes(files)
    folder = setting.cache / f"robust-{time.time_ns()}"
    added = measured(
        [*originlens(), "index", "add", *files, "--index", str(folder), "--jsonl"], timeout=1800
    )
    searched = measured(
        [*originlens(), "search", *files, "--index", str(folder), "--jsonl"], timeout=3000
    )
    lines: list[Line] = []
    details: dict[str, Any] = {}
    for name, done, key in (("index add", added, "path"), ("search", searched, "query")):
        rows = _rows(done.out)
        count = Counter(row.get(key) for row in rows)
        once = sum(count[path] == 1 for path in files) * (len(rows) == len(files))
        answered = {row[key] for row in rows if "error" not in row}
        wrong = [path for path in files if (path in answered) != decodable[path]]
        crashed = done.code not in (0, 1) or "Traceback" in done.err
        lines += [
            proportion(
                f"{name}: hostile files with exactly one line", once, len(files), (">=", 1.0)
            ),
            proportion(
                f"{name}: result where Pillow decodes fully, else an error",
                len(files) - len(wrong),
                len(files),
                (">=", 1.0),
            ),
            Line(f"{name}: crashes", float(crashed), goal=("<=", 0), note=f"exit code {done.code}"),
            Line(f"{name}: peak memory", done.peak_mb, goal=("<=", 1024), unit="MB"),
        ]
        slowest = max((row.get("ms", 0.0) for row in rows), default=0.0) / 1e3
        if name == "search":
            lines.append(Line("search: slowest hostile file", slowest, goal=("<=", 20), unit="s"))
        else:
            lines.append(
                Line(
                    "index add: all hostile files together", done.wall, unit="s", note="wall clock"
                )
            )
        details[name] = {"differs_from_pillow": wrong, "stderr": done.err[-2000:]}
    return lines, details


def _rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def pillow_decodes(files: list[str]) -> dict[str, bool]:
    """Which files Pillow alone decodes fully, each in a forked process with 2 GB and 20 s."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--decode"],
        input="\0".join(files),
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=True,
    )
    return {path: verdict == "1" for path, verdict in zip(files, done.stdout, strict=True)}


def _decode_each(files: list[str]) -> None:
    """Print 1 or 0 per file, in a process that has imported nothing but Pillow."""
    from PIL import Image as Pillow

    Pillow.init()
    for path in files:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
            signal.alarm(20)
            os._exit(0 if _decodes(path) else 1)
        _, status = os.waitpid(child, 0)
        sys.stdout.write("1" if status == 0 else "0")


def _decodes(path: str) -> bool:
    from PIL import Image as Pillow

    Pillow.MAX_IMAGE_PIXELS = None
    try:
        with Pillow.open(path) as picture:
            if picture.format not in FORMATS or picture.width * picture.height > PIXELS:
                return False
            picture.load()
            picture.convert("RGB")
    except Exception:  # noqa: BLE001  whatever Pillow raises means "not decoded"
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1:2] == ["--decode"]:
        _decode_each(sys.stdin.read().split("\0"))
        sys.exit()
    from main_job import run_alone

    run_alone("reliability")
