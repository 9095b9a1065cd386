"""The machinery of environments, for real: a venv without packages and a script of the test's."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from originlens.bench.environments import Environment, environment, environments
from originlens.core.errors import InputError, MissingExtra, MissingPeer, PeerFailed, UsageError

RECIPE = """
name = "toy"
title = "a peer for tests"
what = "Answers."
home = "https://example.org"
licence = "MIT"
check = "json"
requirements = []
"""
SCRIPT = """
import ctypes
import os
import subprocess
import sys
import time

ASKED = []


def invert(header, data):
    return {"shape": header["shape"], "added": header["number"] + 1}, bytes(255 - b for b in data)


def fail(header, data):
    raise ValueError("too small:\\n8 pixels")


def crash(header, data):
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)


def segfault(header, data):
    ctypes.string_at(0)


def hang(header, data):
    # Its own child holds the pipes open, too.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)


def chatter(header, data):
    print("noise" * 10000)
    os.write(1, b"noise past Python")
    os.system("echo noise of a child")
    return {"read": sys.stdin.read()}, b""


def state(header, data):
    ASKED.append(1)
    return {"asked": len(ASKED), "pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}, b""


def used(header, data):
    import left_out

    return {"made": left_out.Network()}, b""


OPERATIONS = {f.__name__: f for f in (invert, fail, crash, segfault, hang, chatter, state, used)}
"""


def write(folder: Path, recipe: str = RECIPE, script: str = SCRIPT) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "toy.py").write_text(script)
    (folder / "toy.toml").write_text(recipe)
    return folder / "toy.toml"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment")
    path = write(folder, RECIPE + 'stand_ins = ["left_out"]\n')
    made = Environment.read(path, folder / "toy")
    made.install()
    yield made
    made.close()


def test_a_question_is_answered(installed, rng):
    pixels = rng.integers(0, 256, (3, 5, 3), np.uint8)
    reply, data = installed.call("invert", {"number": 41}, pixels[:, ::-1])
    assert reply == {"added": 42}
    assert np.array_equal(data, 255 - pixels[:, ::-1])


def test_one_child_answers_all_questions_with_one_thread(installed):
    first, nothing = installed.call("state")
    second, _ = installed.call("state")
    assert nothing is None
    assert second["asked"] == first["asked"] + 1
    assert second["pid"] == first["pid"] != os.getpid()
    assert second["threads"] == "1"


def test_an_error_of_the_peer_is_one_of_the_input_and_ends_nothing(installed):
    before, _ = installed.call("state")
    with pytest.raises(PeerFailed, match=r"^toy: fail: ValueError: too small: 8 pixels$") as caught:
        installed.call("fail")
    assert isinstance(caught.value, InputError)
    with pytest.raises(PeerFailed, match="no-such"):
        installed.call("no-such")
    assert installed.call("state")[0]["pid"] == before["pid"]


@pytest.mark.parametrize(
    ("op", "named"),
    [
        ("crash", "toy: crash: its process ended with code 3: last words"),
        ("segfault", "toy: segfault: its process ended by signal 11"),
    ],
)
def test_a_dead_child_is_named_and_started_anew(installed, op, named):
    before, _ = installed.call("state")
    with pytest.raises(PeerFailed, match=named):
        installed.call(op)
    after, _ = installed.call("state")
    assert after["asked"] == 1
    assert after["pid"] != before["pid"]


def test_a_child_that_hangs_is_ended_with_what_it_started(installed):
    started = time.monotonic()
    with pytest.raises(PeerFailed, match=r"toy: hang: no reply in 0\.5 s"):
        installed.call("hang", timeout=0.5)
    assert time.monotonic() - started < 10
    assert installed.call("state")[0]["asked"] == 1


def test_what_a_peer_prints_does_not_reach_the_replies(installed):
    reply, _ = installed.call("chatter")
    assert reply == {"read": ""}
    assert installed.call("state")[0]["asked"] >= 1


def test_a_stand_in_can_be_imported_and_not_used(installed):
    with pytest.raises(PeerFailed, match=r"left_out\.Network is left out of this environment"):
        installed.call("used")


def test_threads_share_the_child(installed):
    replies = []

    def ask() -> None:
        pixels = np.full((100, 100), threading.get_ident() % 251, np.uint8)
        _, data = installed.call("invert", {"number": 1}, pixels)
        replies.append(np.array_equal(data, 255 - pixels))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [True] * 8


def ask_in_a_fork(made: Environment, replies: multiprocessing.Queue) -> None:
    replies.put(made.call("state")[0])
    made.close()


def test_a_fork_starts_a_child_of_its_own(installed):
    context = multiprocessing.get_context("fork")
    before, _ = installed.call("state")
    replies = context.SimpleQueue()
    fork = context.Process(target=ask_in_a_fork, args=(installed, replies))
    fork.start()
    there = replies.get()
    fork.join()
    after, _ = installed.call("state")
    assert there["asked"] == 1
    assert there["pid"] != before["pid"] == after["pid"]
    assert after["asked"] == before["asked"] + 1


def test_closing_ends_the_process(installed):
    reply, _ = installed.call("state")
    installed.close()
    assert not Path(f"/proc/{reply['pid']}").exists()


def test_an_environment_that_is_not_there_names_the_remedy(tmp_path):
    made = Environment.read(write(tmp_path), tmp_path / "toy")
    assert not made.installed
    assert made.versions == {}
    with pytest.raises(
        MissingPeer, match="toy: its environment is not installed: run `originlens bench peers"
    ) as caught:
        made.call("state")
    assert isinstance(caught.value, MissingExtra)
    assert "--install toy" in str(caught.value)
    assert caught.value.to_dict()["type"] == "MissingPeer"
    assert not (tmp_path / "toy").exists()


def test_installing_what_cannot_be_had_says_so(tmp_path, monkeypatch):
    # An empty folder is the only index, so that no network is asked.
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    text = RECIPE.replace("requirements = []", 'requirements = ["no-such-package-anywhere==1.0"]')
    made = Environment.read(write(tmp_path, text), tmp_path / "toy")
    steps: list[str] = []
    with pytest.raises(MissingPeer, match=r"packages cannot be installed .*no-such-package"):
        made.install(steps.append)
    assert not made.installed
    assert any("no-such-package-anywhere==1.0" in step for step in steps)


def test_an_environment_whose_import_fails_does_not_count_as_installed(tmp_path):
    text = RECIPE.replace('check = "json"', 'check = "no_such_module"')
    made = Environment.read(write(tmp_path, text), tmp_path / "toy")
    with pytest.raises(MissingPeer, match=r"does not start: ModuleNotFoundError.*no_such_module"):
        made.install()
    assert not made.installed


def test_other_requirements_make_it_anew(tmp_path):
    made = Environment.read(write(tmp_path), tmp_path / "toy")
    made.install()
    marker = made.folder / "originlens.json"
    written = marker.stat().st_mtime_ns
    made.install()
    assert marker.stat().st_mtime_ns == written
    made.close()
    marker.write_text(json.dumps({"recipe": "other", "versions": {}}))
    with pytest.raises(MissingPeer, match="installed from other requirements"):
        made.call("state")
    made.install()
    assert made.installed
    made.close()


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "thesis.txt").write_text("years")
    made = Environment.read(write(tmp_path), tmp_path / "toy")
    with pytest.raises(MissingPeer, match="left alone"):
        made.install()
    assert (tmp_path / "toy" / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("requirements = []", 'requirements = ["numpy>=1"]'), "numpy>=1 must be pinned"),
        (("requirements = []", 'requirements = "numpy==1"'), "requirements is to be texts"),
        (('licence = "MIT"', ""), "licence"),
        (('licence = "MIT"', 'license = "MIT"'), "unknown license"),
        (("requirements = []", "requirements = ["), "cannot be read"),
    ],
)
def test_a_wrong_recipe_says_why(tmp_path, change, named):
    with pytest.raises(UsageError, match=named):
        Environment.read(write(tmp_path, RECIPE.replace(*change)))


def test_the_folder_is_the_chosen_one(tmp_path, monkeypatch):
    made = Environment.read(write(tmp_path))
    monkeypatch.setenv("ORIGINLENS_PEERS", str(tmp_path / "here"))
    assert made.folder == tmp_path / "here" / "toy"
    monkeypatch.delenv("ORIGINLENS_PEERS")
    monkeypatch.setattr("sys.prefix", "/usr")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert made.folder == tmp_path / "cache" / "originlens" / "peers" / "toy"


def test_every_environment_is_described_and_has_its_script():
    names = [each.name for each in environments()]
    assert names == sorted(names)
    assert environment("pdqhash") in environments()
    for each in environments():
        recipe = each.recipe
        assert all((recipe.title, recipe.what, recipe.home, recipe.licence, recipe.requirements))
        assert Path(recipe.script).is_file()
        assert not recipe.stand_ins or "empty" in recipe.note, "a stand-in is stated"
    with pytest.raises(UsageError, match=r"no peer 'nosuch'.*pdqhash"):
        environment("nosuch")
