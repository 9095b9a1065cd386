"""Photographs, an index of them, and ways to run the real command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


@dataclass(frozen=True)
class Ran:
    """What a run of the command line returned and printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def process() -> Run:
    """Runs the command line as a process of its own; names may be bytes."""

    def run(*words: str | os.PathLike[str], cwd: Path | None = None, **env: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "originlens", *words],
            cwd=cwd,
            env={**_environment(), **env},
            capture_output=True,
            timeout=240,
            check=False,
        )
        out, err = (s.decode("utf-8", "surrogateescape") for s in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return Ran(done.returncode, out, err)

    return run


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, which is quicker."""
    monkeypatch.delenv("ORIGINLENS_INDEX", raising=False)
    monkeypatch.setenv("ORIGINLENS_DEBUG", "1")
    from originlens.surfaces.cli import main

    def run(*words: str | os.PathLike[str]) -> Ran:
        capsys.readouterr()
        code = main([os.fspath(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ORIGINLENS_")}


NAMES = ("astronaut", "coffee", "chelsea", "rocket", "camera", "coins")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six photographs of scikit-image, at most 320 pixels a side, as PNG."""
    import skimage.data
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        picture = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        picture.thumbnail((320, 320))
        picture.save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def edited(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cropped JPEG of one photograph and a picture that is none of them."""
    import skimage.data
    from PIL import Image

    folder = tmp_path_factory.mktemp("edited")
    with Image.open(photos / "astronaut.png") as picture:
        width, height = picture.size
        box = (width // 10, height // 10, width, height)
        picture.crop(box).save(folder / "a-copy.jpg", quality=70)
    Image.fromarray(skimage.data.immunohistochemistry()[:256, :256]).save(folder / "b-other.png")
    return folder


@pytest.fixture(scope="session")
def index(photos: Path, process: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the photographs; read only (a test that writes makes its own)."""
    folder = tmp_path_factory.mktemp("index") / "shared"
    ran = process("index", "add", photos, "--index", folder, "--meta", "credit=NASA & others")
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture(scope="session")
def valid() -> Callable[[str, Sequence[dict[str, Any]]], None]:
    """Checks JSON lines against a published schema, such as ``search/1``."""
    import jsonschema

    def check(schema: str, lines: Sequence[dict[str, Any]]) -> None:
        file = SCHEMAS / f"{schema.replace('/', '-')}.json"
        document = json.loads(file.read_text(encoding="utf-8"))
        validator = jsonschema.validators.validator_for(document)(document)
        assert lines
        for line in lines:
            assert line["schema"] == schema
            validator.validate(line)

    return check
