"""The documentation says what the code says."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from originlens.core import errors
from originlens.core.registry import methods
from originlens.surfaces.cli.app import command

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.joinpath("docs").rglob("*.md")]
    if "node_modules" not in path.parts
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _page(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    stale = [
        _page(path)
        for path, text in _generator().pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, f"run `make docs`: {stale}"


def _commands(words: tuple[str, ...], node: Any) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, child in node.commands.items():
        if hasattr(child, "commands"):
            found |= _commands((*words, name), child)
        else:
            found[(*words, name)] = child
    return found


COMMANDS = _commands((), command())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_documented(words: tuple[str, ...]) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"## originlens {' '.join(words)}\n")
    assert section, f"docs/cli.md has no section for {' '.join(words)}"
    section = section.partition("\n## ")[0]
    for parameter in COMMANDS[words].params:
        if parameter.name == "help":
            continue
        assert parameter.help, f"{' '.join(words)}: {parameter.name} has no help text"
        if parameter.param_type_name == "option":
            assert all(f"`{flag}`" in section for flag in parameter.opts)


def test_every_method_and_error_is_documented() -> None:
    table = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert not [m.card.name for m in methods() if f"`{m.card.name}`" not in table]
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    tree = [e for e in vars(errors).values() if isinstance(e, type)]
    assert not [e.__name__ for e in tree if f"`{e.__name__}`" not in page]
    assert not [e.__name__ for e in tree if e.__name__ not in (errors.__doc__ or "")[5:]]


@pytest.mark.parametrize("path", PAGES, ids=_page)
def test_links_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        assert (path.parent / target.partition("#")[0]).exists(), f"{_page(path)}: {target}"


def _shown_command_lines() -> list[tuple[str, list[str]]]:
    lines = []
    for path in PAGES:
        for language, block in _FENCE.findall(path.read_text(encoding="utf-8")):
            if language not in ("", "sh", "bash", "console"):
                continue
            for line in block.replace("\\\n", " ").splitlines():
                line = line.removeprefix("$ ")
                if line.startswith("originlens "):
                    lines.append((_page(path), shlex.split(line, comments=True)[1:]))
    return lines


@pytest.mark.parametrize(("page", "words"), _shown_command_lines())
def test_command_lines_in_the_documentation_exist(page: str, words: list[str]) -> None:
    plain = [w for w in words if not w.startswith("-")]
    if not plain:
        assert set(words) <= {"--help", "--version"}
        return
    key = tuple(plain[:2]) if tuple(plain[:2]) in COMMANDS else (plain[0],)
    assert key in COMMANDS, f"{page}: no command {' '.join(key)}"
    known = {flag for p in COMMANDS[key].params for flag in (*p.opts, *p.secondary_opts)}
    used = {w.partition("=")[0] for w in words if w.startswith("--")}
    assert used <= known | {"--help"}, f"{page}: {sorted(used - known)}"


def _blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [block for found, block in _FENCE.findall(text) if found == language]


def _python_blocks(name: str) -> list[str]:
    return _blocks(name, "python")


def _run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_method_of_the_guide_registers_and_works(tmp_path: Path) -> None:
    (block,) = _python_blocks("CONTRIBUTING.md")
    use = """
from originlens.core.registry import make
print(make("descriptor", "darkness").describe(Image.from_array(np.zeros((8, 8, 3), np.uint8))))
"""
    assert _run(block + use, tmp_path).strip() == "[1.]"


def test_the_code_of_the_metrics_page_runs(tmp_path: Path) -> None:
    (block,) = _python_blocks("docs/metrics.md")
    assert "the sample cannot claim 0.01" in _run(block, tmp_path)


def test_the_code_of_the_readme_runs(tmp_path: Path) -> None:
    import skimage.data
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for name in ("astronaut", "coffee"):
        picture = Image.fromarray(getattr(skimage.data, name)())
        picture.thumbnail((320, 320))
        picture.save(tmp_path / "photos" / f"{name}.png")
    with Image.open(tmp_path / "photos" / "coffee.png") as picture:
        picture.crop((30, 20, 300, 200)).save(tmp_path / "found.jpg")
    for block in _python_blocks("README.md"):
        printed = _run(block, tmp_path)
        assert "added" in printed
        assert "copy" in printed


def test_the_plugin_of_the_benchmark_page_works(tmp_path: Path) -> None:
    """As an install would leave it: a module and the metadata that names its entry point."""
    from originlens.testing import textured_image

    page = "docs/how-to/benchmark.md"
    plugin, conformance = _python_blocks(page)
    project = tomllib.loads(_blocks(page, "toml")[0])
    (group,) = project["project"]["entry-points"].items()
    place = tmp_path / "installed"
    information = place / "my_methods-0.1.dist-info"
    information.mkdir(parents=True)
    (place / "my_methods.py").write_text(plugin)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-methods\nVersion: 0.1\n")
    (information / "RECORD").write_text("my_methods.py,,\n")
    points = "\n".join(f"{name} = {value}" for name, value in group[1].items())
    (information / "entry_points.txt").write_text(f"[{group[0]}]\n{points}\n")
    (tmp_path / "photos").mkdir()
    for number in range(10):
        (tmp_path / "photos" / f"{number}.png").write_bytes(textured_image(number).data)
    use = f"""
import sys
sys.path.insert(0, {str(place)!r})
{conformance}
from originlens.surfaces.cli import main
assert main(["attack", "venetian:0.5", "photos/0.png", "blinds.png"]) == 0
words = "bench run copy-quick --data photos --systems colour-histogram,pdq --each 1 --jobs 1"
assert main([*words.split(), "--out", "mine"]) == 0
assert main(["bench", "compare", "mine:pdq", "mine:colour-histogram"]) == 0
"""
    printed = _run(use, tmp_path)
    assert "venetian 0.50" in printed
    assert "Paired comparison" in printed
    assert "my-methods 0.1" in (tmp_path / "mine" / "report.md").read_text(encoding="utf-8")


def test_the_benchmark_page_names_what_nothing_was_fitted_on() -> None:
    from originlens.bench.attacks._unseen import UNSEEN

    text = (ROOT / "docs" / "how-to" / "benchmark.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"`([a-z-]+)`", text.rpartition("both halves:")[2])) == sorted(UNSEEN)


def test_the_benchmark_page_explains_every_grid_and_column() -> None:
    from originlens.bench.protocols.grids import GRIDS
    from originlens.bench.protocols.manifest import COLUMNS, NEGATIVE_LABELS

    text = (ROOT / "docs" / "how-to" / "benchmark.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)", text, re.MULTILINE)
    assert set(explained) == {*GRIDS, *COLUMNS}
    (labels,) = re.findall(r"^\| `label` .*", text, re.MULTILINE)
    assert set(NEGATIVE_LABELS) <= set(re.findall(r"`(\w+)`", labels))


def test_the_layout_of_the_benchmark_page_fits_what_its_commands_write(tmp_path: Path) -> None:
    from originlens.bench.protocols.layouts import load

    (tmp_path / "spliced.toml").write_text(_blocks("docs/how-to/benchmark.md", "toml")[1])
    for name in ("real/coffee.png.jpg", "fake/coffee.png.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True)
        (tmp_path / "set" / name).touch()
    rows = load(tmp_path / "spliced.toml").apply(tmp_path / "set").manifest
    assert [(row.label, row.group) for row in rows] == [("fake", "coffee"), ("real", "coffee")]


def test_the_code_of_the_page_on_examples_runs(tmp_path: Path) -> None:
    import skimage.data
    from PIL import Image

    names = {"photos/coffee": "coffee", "photos/astronaut": "astronaut", "shown-1": "cat"}
    names |= {"shown-2": "rocket", "shown-3": "retina"}
    (tmp_path / "photos").mkdir()
    for name, source in names.items():
        picture = Image.fromarray(getattr(skimage.data, source)())
        picture.thumbnail((320, 320))
        picture.save(tmp_path / f"{name}.png")
    (block,) = _python_blocks("docs/how-to/search-with-examples.md")
    last = _run(block, tmp_path).splitlines()[-1]
    assert last.startswith("3 examples: ")
    assert "coffee.png" in last.split()[3]
