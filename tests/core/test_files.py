"""Which files a list of paths stands for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from originlens.core.files import walk


def _paths(*arguments: object, **options: object) -> list[str]:
    return [found.path for found in walk([os.fspath(a) for a in arguments], **options)]  # type: ignore[arg-type,call-overload]


def _touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_is_walked_in_the_order_of_path_bytes(tmp_path: Path) -> None:
    names = ["a/x", "a-b/x", "a.txt", "B/y/z", "b", "é/x", "a/sub/deep/x", "a/sub.x"]
    _touch(tmp_path, *names)
    expected = sorted((os.fspath(tmp_path / n) for n in names), key=os.fsencode)
    assert _paths(tmp_path) == expected


def test_a_named_file_stands_for_itself_even_if_it_is_missing(tmp_path: Path) -> None:
    _touch(tmp_path, ".hidden/x", "y")
    found = list(walk([tmp_path / "missing", tmp_path / ".hidden" / "x", tmp_path / "y"]))
    assert [f.path for f in found] == [
        os.fspath(tmp_path / n) for n in ("missing", ".hidden/x", "y")
    ]
    assert all(f.explicit and f.readable for f in found)


def test_hidden_folders_and_the_index_are_left_out_of_a_walk(tmp_path: Path) -> None:
    _touch(tmp_path, ".git/x", "index/x", "keep/x", ".dotfile")
    expected = [os.fspath(tmp_path / n) for n in (".dotfile", "keep/x")]
    assert _paths(tmp_path, leave_out=[tmp_path / "index"]) == expected


def test_a_hidden_folder_that_is_named_is_walked(tmp_path: Path) -> None:
    _touch(tmp_path, ".photos/x")
    assert _paths(tmp_path / ".photos") == [os.fspath(tmp_path / ".photos/x")]


def test_links_are_followed_out_of_the_tree_but_never_into_a_loop(tmp_path: Path) -> None:
    _touch(tmp_path, "root/a/x", "outside/y")
    root = tmp_path / "root"
    (root / "0-inside").symlink_to(root / "a")
    (root / "up").symlink_to(tmp_path)
    (root / "self").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out-again").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "back").symlink_to(tmp_path / "outside")
    # "out-again" sorts before "out/" and both lead to one folder, which is met once.
    assert _paths(root) == [os.fspath(root / n) for n in ("a/x", "out-again/y")]


def test_what_cannot_be_a_picture_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = list(walk([tmp_path]))
    assert [(Path(f.path).name, f.readable) for f in found] == [
        ("dangling", False),
        ("pipe", False),
    ]


@pytest.mark.skipif(
    sys.platform == "darwin" or os.name == "nt", reason="file names are Unicode on this system"
)
def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    with open(raw, "wb"):
        pass
    assert os.fsencode(_paths(tmp_path)[0]) == raw


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    (found,) = walk([tmp_path])
    assert found.error is not None
    assert "closed" in str(found.error)
