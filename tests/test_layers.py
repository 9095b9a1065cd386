"""The architecture, checked from the source text: who may import whom, and what stays small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from originlens.core.registry import KINDS

SOURCE = Path(__file__).resolve().parent.parent / "src" / "originlens"
FILES = sorted(SOURCE.rglob("*.py"))

#: What each part of the package may import: surfaces -> engine -> pillars -> store -> core.
ALLOWED = {
    "core": {"core"},
    "store": {"core", "store"},
    "match": {"core", "store", "match"},
    "forensics": {"core", "store", "forensics"},
    "bench": {"core", "bench"},
    "engine": {"core", "store", "match", "forensics", "engine"},
    "surfaces": {"core", "store", "match", "forensics", "bench", "engine", "surfaces"},
    "testing": {"core", "store", "match", "forensics", "bench", "testing"},
    "__init__": {"core", "match", "engine"},
    "__main__": {"surfaces"},
}
#: Imported inside functions only: listing methods and printing help must not pay for them.
HEAVY = {
    "cv2", "faiss", "fastapi", "imagehash", "jinja2", "onnx", "onnxruntime", "pandas", "PIL",
    "pi_heif", "pyarrow", "ray", "scipy", "skimage", "sklearn", "torch", "torchmetrics",
}  # fmt: skip
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}
GUIDE = {"module": 400, "function": 60}
LAW = {"module": 800, "function": 120}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(node: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported anywhere below ``node``."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"relative import at line {child.lineno}: use the full name"
            yield child.module or ""
            yield from (f"{child.module}.{alias.name}" for alias in child.names)


def _module_level(tree: ast.Module) -> Iterator[str]:
    """Names imported when the module is imported: not in functions, not for type checking only."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            stack.extend(node.orelse)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imports(node)
        stack.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_downwards_only(path: Path) -> None:
    allowed = ALLOWED[_part(path)]
    parts = {name.split(".")[1] for name in _imports(_tree(path)) if name.startswith("originlens.")}
    known = {part for part in parts if part in ALLOWED}
    assert known <= allowed, f"{_name(path)} imports {sorted(known - allowed)}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_heavy_packages_are_imported_inside_functions(path: Path) -> None:
    heavy = {name.split(".")[0] for name in _module_level(_tree(path))} & HEAVY
    assert not heavy, f"{_name(path)} imports {sorted(heavy)} at module level"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_names_say_what_is_inside(path: Path) -> None:
    words = {part.removesuffix(".py").strip("_") for part in path.relative_to(SOURCE).parts}
    assert not words & FORBIDDEN_NAMES
    assert not any(word.endswith("2") for word in words), "no version suffixes in names"
    assert len(path.relative_to(SOURCE).parts) <= 3, "folders are at most two deep"


def _method_files() -> list[Path]:
    folders = [
        SOURCE.joinpath(*package.split(".")[1:]) for k in KINDS.values() for package in k.packages
    ]
    return [p for folder in folders for p in folder.glob("*.py") if not p.name.startswith("_")]


@pytest.mark.parametrize("path", _method_files(), ids=_name)
def test_a_method_file_is_one_method_that_knows_no_other(path: Path) -> None:
    tree = _tree(path)
    registered = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any("register" in ast.dump(decorator) for decorator in node.decorator_list)
    ]
    assert len(registered) == 1, f"{_name(path)} registers {registered}"
    package = ".".join(("originlens", *path.relative_to(SOURCE).parts[:-1]))
    others = {
        name.removeprefix(f"{package}.").split(".")[0]
        for name in _imports(tree)
        if name.startswith(f"{package}.")
    }
    siblings = {p.stem for p in path.parent.glob("*.py") if not p.name.startswith("_")}
    assert not others & siblings, f"{_name(path)} imports another method"


@pytest.mark.parametrize("path", _method_files(), ids=_name)
def test_a_method_file_tells_its_paper_and_its_failures(path: Path) -> None:
    text = " ".join((ast.get_docstring(_tree(path)) or "").lower().split())
    assert re.search(r"paper|arxiv|doi|\b(19|20)\d\d\b", text), f"{_name(path)} names no paper"
    assert "why " in text, f"{_name(path)}: its docstring does not say why it works"
    assert "fail" in text, f"{_name(path)}: its docstring does not say when it fails"


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1


def test_modules_and_functions_stay_small(capsys: pytest.CaptureFixture[str]) -> None:
    """The guide is reported, only twice the guide fails."""
    sizes = {_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in FILES}
    functions = {f"{_name(p)}:{name}": lines for p in FILES for name, lines in _functions(p)}
    with capsys.disabled():
        for kind, found in (("module", sizes), ("function", functions)):
            over = sorted(
                ((lines, name) for name, lines in found.items() if lines > GUIDE[kind]),
                reverse=True,
            )
            if over:
                shown = ", ".join(f"{name} {lines}" for lines, name in over)
                print(f"\n{kind} over the guide of {GUIDE[kind]} lines: {shown}")
    assert not [name for name, lines in sizes.items() if lines > LAW["module"]]
    assert not [name for name, lines in functions.items() if lines > LAW["function"]]
