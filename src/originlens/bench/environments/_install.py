"""Making an environment: a venv of this Python, pip, and a note of what it got."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from originlens.bench.environments._recipe import Recipe
from originlens.core.errors import MissingPeer

Progress = Callable[[str], None]
#: Written last: an install that was cut short has none and is made anew.
MARKER = "originlens.json"


def install(recipe: Recipe, folder: Path, progress: Progress) -> None:
    """Make the environment anew in ``folder``.

    Raises:
        MissingPeer: it cannot be made; says which step failed and the step's last words.
    """
    with _locked(recipe, folder):
        _clear(recipe, folder)
        python = str(folder / "bin" / "python")
        # A peer that installs nothing needs no pip, either: tests make such ones quickly.
        pip = [] if recipe.installs else ["--without-pip"]
        progress(f"{recipe.name}: making {folder}")
        _run(recipe, [sys.executable, "-m", "venv", *pip, str(folder)])
        for names, flags in (
            (recipe.requirements, ()),
            (recipe.without_dependencies, ("--no-deps",)),
        ):
            if names:
                progress(f"{recipe.name}: installing {', '.join(names)}")
                _run(recipe, [python, *_PIP, "install", "--quiet", "--no-input", *flags, *names])
        versions: dict[str, str] = {}
        if recipe.installs:
            found = json.loads(_run(recipe, [python, *_PIP, "list", "--format=json"]))
            versions = {each["name"].lower(): each["version"] for each in found}
        text = json.dumps({"recipe": recipe.digest, "versions": versions}, indent=1)
        (folder / MARKER).write_text(text + "\n", encoding="utf-8")


_PIP = ("-m", "pip", "--disable-pip-version-check")


@contextmanager
def _locked(recipe: Recipe, folder: Path) -> Iterator[None]:
    """One install of an environment at a time."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f".{folder.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        why = f"its environment cannot be made in {folder}: {error.strerror}"
        raise MissingPeer(recipe.name, why) from error


def _clear(recipe: Recipe, folder: Path) -> None:
    """Remove what an earlier install left, and nothing else that may lie there."""
    if (folder / "pyvenv.cfg").is_file():
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise MissingPeer(recipe.name, f"{folder} holds something else; it was left alone")


def _run(recipe: Recipe, command: Sequence[str]) -> str:
    """Its output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        errors = [line for line in lines if line.startswith("ERROR: ")] or lines[-1:]
        why = " ".join(line.removeprefix("ERROR: ") for line in errors) or f"code {done.returncode}"
        step = "its venv" if "venv" in command else "its packages"
        raise MissingPeer(recipe.name, f"{step} cannot be installed ({why})")
    return done.stdout
