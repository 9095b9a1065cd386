"""What the benchmark scripts share: options, sections that are kept, the table, the JSON file."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _corpus import shared_data
from _lines import Line, Section, table
from _queries import Setting

HERE = Path(__file__).resolve().parent
Measure = Callable[[Setting], Section]


def run(
    name: str,
    summary: str,
    sections: Mapping[str, Measure],
    arguments: Sequence[str] | None,
    *,
    models: bool = False,
) -> int:
    """Run the sections, print the table, write the JSON.

    Args:
        name: of the script; what it kept is found again by it.
        summary: its line in ``--help``.
        sections: what measures each, in order.
        arguments: of the command line.
        models: whether a descriptor of the user's may be given.

    Returns:
        The exit status: 1 if any line fails, 2 without data.
    """
    options = _parser(summary, sections, models).parse_args(arguments)
    data = shared_data()
    if data is None:
        return 2
    cache = HERE / ".cache" / _fingerprint()
    cache.mkdir(parents=True, exist_ok=True)
    setting = Setting(options.split, options.seed, options.quick, options.jobs, data, cache,
                      getattr(options, "model", None) or "")  # fmt: skip
    measured = [
        _section(f"{name}-{section}", sections[section], setting, options.fresh)
        for section in options.only or sections
    ]
    print(table(measured))
    failed = [line.name for s in measured for line in s.lines if line.verdict == "FAIL"]
    print(f"\n{len(failed)} FAIL" + (f": {'; '.join(failed)}" if failed else ""))
    if options.json:
        report = {"run": _circumstances(options), "sections": [_plain(s) for s in measured]}
        Path(options.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 1 if failed else 0


def _parser(summary: str, sections: Mapping[str, Measure], models: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="write lines and details here")
    parser.add_argument(
        "--only", choices=tuple(sections), action="append", help="run just this section"
    )
    parser.add_argument("--quick", action="store_true", help="a few queries of each: does it run?")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes, one CPU each")
    parser.add_argument("--fresh", action="store_true", help="ignore sections already measured")
    if models:
        parser.add_argument(
            "--model",
            default=os.environ.get("ORIGINLENS_SSCD"),
            help="a descriptor to compare with: spec (.toml), ONNX or TorchScript file "
            "[default: $ORIGINLENS_SSCD]",
        )
    return parser


def _section(name: str, measure: Measure, setting: Setting, fresh: bool) -> Section:
    """The section's result, from its file if this code measured it before."""
    model = f"-{Path(setting.model).stem}" if setting.model else ""
    quick = "-quick" if setting.quick else ""
    kept = setting.cache / f"{name}-{setting.split}-{setting.seed}{model}{quick}.json"
    if kept.is_file() and not fresh:
        stored = json.loads(kept.read_text(encoding="utf-8"))
        print(f"{name}: kept from {time.ctime(kept.stat().st_mtime)}", file=sys.stderr)
        lines = [_line(values) for values in stored["lines"]]
        return Section(name, lines, stored["details"])
    started, load = time.perf_counter(), os.getloadavg()[0]
    print(f"{name} ...", file=sys.stderr, flush=True)
    section = measure(setting)
    section.details["seconds"] = round(time.perf_counter() - started, 1)
    section.details["load_before"] = load
    print(f"{name}: {section.details['seconds']} s", file=sys.stderr, flush=True)
    kept.write_text(json.dumps(_plain(section)), encoding="utf-8")
    return section


def _line(values: dict[str, Any]) -> Line:
    values = {k: v for k, v in values.items() if k != "verdict"}
    if values["goal"] is not None:
        values["goal"] = tuple(values["goal"])
    return Line(**values)


def _plain(section: Section) -> dict[str, Any]:
    lines = [line.to_dict() for line in section.lines]
    return {"name": section.name, "lines": lines, "details": section.details}


def _fingerprint() -> str:
    """Changes with the product's code or the benchmark's: kept results hold for one state only."""
    digest = hashlib.sha256()
    for root in (HERE, HERE.parent / "src"):
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".json", ".onnx", ".npz") and ".cache" not in path.parts:
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _circumstances(options: argparse.Namespace) -> dict[str, Any]:
    """When, on what and from which commit the figures come."""
    commit = subprocess.run(
        ["git", "-C", str(HERE), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "options": vars(options),
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cpus": len(os.sched_getaffinity(0)),
    }
