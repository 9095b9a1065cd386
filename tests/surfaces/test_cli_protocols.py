"""Layouts, manifests, the shortcut audit, equalisation, grids and peers from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_sets import jpeg, png, texture

from originlens.bench.protocols.grids import GRIDS
from originlens.bench.protocols.layouts import names
from originlens.bench.protocols.manifest import Manifest
from originlens.core.image import Image

LAYOUT = """
title = "Toy set"
pages = ["tests"]
tree = "real/00.jpg, fake/00.png, splits.csv"

[[rows]]
files = '(?P<kind>real|fake)/(?P<number>[0-9]+)<image>'
label = "{kind}"
generator = "{kind|generator}"
group = "{number}"
split = "{splits.split}"

[[joins]]
name = "splits"
file = 'splits[.]csv'
key = "{number}"
match = "{number}"

[maps.generator]
real = ""
fake = "toy"
"""
COUNT = 12


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    """A folder ``set`` of JPEGs and PNGs in pairs, its layout, and its manifest ``toy.csv``."""
    place = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(1)
    for kind in ("real", "fake"):
        (place / "set" / kind).mkdir(parents=True)
    for number in range(COUNT):
        picture = texture(rng, 80, 80)
        jpeg(picture, place / "set" / "real" / f"{number:02d}", quality=80)
        png(picture, place / "set" / "fake" / f"{number:02d}")
    splits = [f"{n:02d},{'test' if n % 3 == 0 else 'train'}" for n in range(COUNT + 1)]
    (place / "set" / "splits.csv").write_text("number,split\n" + "\n".join(splits) + "\n")
    (place / "set" / "notes.txt").write_text("not a picture")
    (place / "toy.toml").write_text(LAYOUT)
    return place


@pytest.fixture
def written(toy, cli) -> Path:
    """The manifest of the folder."""
    if not (toy / "toy.csv").exists():
        assert cli("bench", "manifest", toy / "set", toy / "toy.csv", "--layout",
                   toy / "toy.toml").code == 0  # fmt: skip
    return toy / "toy.csv"


@pytest.fixture
def refused(cli, monkeypatch):
    """Runs the command line, whose errors are lines and no tracebacks."""
    monkeypatch.delenv("ORIGINLENS_DEBUG")
    return cli


def test_every_layout_is_listed_with_its_source_and_its_doubts(cli, valid):
    lines = cli("bench", "layouts", "--jsonl").lines
    valid("bench-layout/1", lines)
    assert [line["name"] for line in lines] == list(names())
    assert all(line["pages"] for line in lines)
    shown = cli("bench", "layouts", "cifake").out
    assert "arXiv:2303.14126" in shown
    assert "train/REAL/0000.jpg" in shown
    assert "casia" not in shown


def test_a_manifest_says_what_it_holds_and_what_it_left_out(cli, valid, toy, tmp_path):
    out = tmp_path / "deep" / "toy.parquet"
    words = ("bench", "manifest", toy / "set", out, "--layout", toy / "toy.toml")
    done = cli(*words, "--jsonl")
    assert done.code == 0
    valid("bench-manifest/1", done.lines)
    (line,) = done.lines
    assert line["labels"] == {"fake": COUNT, "real": COUNT}
    assert line["generators"] == {"toy": COUNT, "": COUNT}
    assert line["splits"] == {"test": 8, "train": 16}
    assert (line["groups"], line["masks"]) == (COUNT, 0)
    assert line["ignored"] == ["notes.txt"]
    assert line["unmatched"] == {"splits": 1}
    rows = Manifest.read(out)
    assert len(rows) == 2 * COUNT
    assert rows.missing() == ()
    told = cli(*words).out
    assert "fake 12, real 12" in told
    assert "1 file: notes.txt" in told


def test_the_audit_finds_the_leak_and_equalising_stops_it(cli, valid, written, tmp_path):
    found = cli("bench", "audit", written)
    assert found.code == 0
    assert "this benchmark leaks" in found.out
    assert cli("bench", "audit", written, "--strict").code == 1
    words = ("bench", "equalise", written, tmp_path / "equal", "--side", "32", "--jobs", "1")
    made = cli(*words, "--jsonl")
    assert made.code == 0, made.err
    valid("bench-equalise/1", made.lines)
    assert made.lines[0]["rows"] == 2 * COUNT
    silent = cli("bench", "audit", made.lines[0]["manifest"], "--strict", "--jsonl")
    assert silent.code == 0
    assert silent.lines[0]["warning"] == ""
    before = sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "equal" / "pictures").iterdir())
    assert "24 pictures (fake 12, real 12)" in cli(*words).out
    after = sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "equal" / "pictures").iterdir())
    assert before == after


def test_pictures_that_cannot_be_equalised_are_named(cli, valid, tmp_path):
    rng = np.random.default_rng(2)
    png(texture(rng, 80, 80), tmp_path / "good")
    png(texture(rng, 20, 20), tmp_path / "small")
    (tmp_path / "broken.png").write_bytes((tmp_path / "good.png").read_bytes()[:200])
    (tmp_path / "m.csv").write_text(
        "path,label\ngood.png,real\nsmall.png,real\nbroken.png,fake\ngone.png,fake\n"
    )
    words = ("bench", "equalise", tmp_path / "m.csv", tmp_path / "out", "--side", "32")
    done = cli(*words, "--jsonl")
    assert done.code == 1
    valid("bench-equalise/1", done.lines)
    errors = {line["path"]: line["error"]["type"] for line in done.lines[:-1]}
    assert errors == {"small.png": "InputError", "broken.png": "CorruptImage",
                      "gone.png": "ReadError"}  # fmt: skip
    assert (done.lines[-1]["rows"], done.lines[-1]["left_out"]) == (1, 3)
    again = cli(*words)
    assert "20 x 20 pixels are fewer than the recipe's 64" in again.err
    assert "3 left out" in again.out
    assert len(Manifest.read(tmp_path / "out" / "failed.csv")) == 3


def test_an_unreadable_row_is_an_error_of_the_audit(cli, valid, written, tmp_path):
    lines = written.read_text().splitlines()
    (written.parent / "gone.csv").write_text("\n".join([*lines, "gone.png,fake,,,,,test"]))
    done = cli("bench", "audit", written.parent / "gone.csv", "--jsonl")
    assert done.code == 1
    valid("bench-audit/1", done.lines)
    assert done.lines[0]["path"] == "gone.png"
    assert done.lines[1]["failed"] == 1
    assert done.lines[1]["leaks"]
    assert done.lines[1]["features"][0]["auc"] == 1


def test_a_file_under_two_labels_is_a_leak_of_the_audit(cli, valid, tmp_path):
    rng = np.random.default_rng(5)
    for number in range(12):
        jpeg(texture(rng), tmp_path / f"r{number}")
        jpeg(texture(rng), tmp_path / f"f{number}")
    (tmp_path / "f3.jpg").write_bytes((tmp_path / "r3.jpg").read_bytes())
    rows = [f"{kind[0]}{n}.jpg,{kind},{n}" for n in range(12) for kind in ("real", "fake")]
    (tmp_path / "m.csv").write_text("\n".join(["path,label,group", *rows]))
    done = cli("bench", "audit", tmp_path / "m.csv", "--strict", "--jsonl")
    assert done.code == 1
    valid("bench-audit/1", done.lines)
    (line,) = done.lines
    assert line["duplicates"] == [
        {"paths": ["r3.jpg", "f3.jpg"], "labels": ["real", "fake"], "groups": ["3", "3"]}
    ]
    told = cli("bench", "audit", tmp_path / "m.csv").out
    assert "1 picture is there twice with different labels, first: r3.jpg and f3.jpg" in told
    assert "equal bytes: r3.jpg (real, group 3) and f3.jpg (fake, group 3)" in told


def test_a_set_whose_files_are_all_gone_is_not_copied(refused, tmp_path):
    (tmp_path / "m.csv").write_text("path,label\na.png,real\nb.png,fake\n")
    done = refused("bench", "equalise", tmp_path / "m.csv", tmp_path / "out")
    assert done.code == 1
    assert "none of the 2 pictures is there" in done.err
    assert not (tmp_path / "out").exists()


def test_a_grid_is_listed_without_a_run(cli, valid, written):
    done = cli("bench", "grid", written, "leave-one-generator-out", "--jsonl")
    assert done.code == 0
    valid("bench-grid/1", done.lines)
    (cell,) = done.lines
    assert cell["cell"] == "without toy"
    assert cell["train"] == {"negative": 8, "positive": 0}
    assert cell["test"] == {"negative": 4, "positive": 4}
    assert cell["problem"] == "no positive rows to train on"
    attacked = cli("bench", "grid", written, "degradation:jpeg,blur", "--jsonl").lines
    valid("bench-grid/1", attacked)
    assert len(attacked) == 11
    assert attacked[1]["attack"] == "jpeg:0.2"
    assert attacked[1]["train"] is None
    assert "toy -> toy" in cli("bench", "grid", written, "cross").out


def test_the_help_of_grid_names_every_grid(cli):
    told = "".join(cli("bench", "grid", "--help").out.split())
    assert [name for name in GRIDS if name not in told] == []


def test_peers_are_listed_also_where_none_is_installed(cli, valid, tmp_path, monkeypatch):
    monkeypatch.setenv("ORIGINLENS_PEERS", str(tmp_path / "none"))
    done = cli("bench", "peers", "--jsonl")
    assert done.code == 0
    valid("bench-peer/1", done.lines)
    assert "pdqhash" in {line["name"] for line in done.lines}
    assert not any(line["installed"] for line in done.lines)
    assert all(line["why"] for line in done.lines)
    assert not (tmp_path / "none").exists()
    listed = cli("bench", "peers")
    assert "is not installed" in listed.out
    assert "--install" in listed.err


def test_a_peer_that_cannot_be_installed_is_an_error_line(cli, valid, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ORIGINLENS_PEERS", str(tmp_path / "file" / "peers"))
    done = cli("bench", "peers", "pdqhash", "--install", "--jsonl")
    assert done.code == 1
    valid("bench-peer/1", done.lines)
    assert done.lines[0]["error"]["type"] == "MissingPeer"


def test_a_suite_of_pictures_takes_those_of_a_manifest(cli, valid, written, tmp_path):
    words = ("bench", "run", "copy-quick", "--systems", "pdq", "--each", "1", "--jobs", "1")
    done = cli(*words, "--data", written, "--out", tmp_path / "a", "--jsonl")
    assert done.code == 0, done.err
    valid("bench/1", done.lines)
    facts = done.lines[0]["facts"]
    laid = cli(
        *words, "--data", written.parent / "set", "--layout", written.parent / "toy.toml",
        "--out", tmp_path / "b", "--jsonl",
    )  # fmt: skip
    assert laid.lines[0]["facts"] == {**facts, "data": str(written.parent / "set")}
    assert facts["references"] + facts["strangers"] > COUNT


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("path,label\na.png,real\na.png,fake\n", "repeats a.png of row 1"),
        ("path,label,split\na.png,real,training\n", "use train, val, test or leave it empty"),
        ("path,label\na.png,real\nb.png,\n", "row 2 (b.png) has no label"),
        ("picture,label\na.png,real\n", "there is no column 'path'"),
        ("", "empty header"),
        ("path,label\na.png,real\nb.png\n", "row 2 has 1 cells"),
    ],
)
def test_a_broken_manifest_is_refused_by_file_and_row(refused, tmp_path, text, named):
    (tmp_path / "m.csv").write_text(text)
    for words in (("audit", tmp_path / "m.csv"), ("grid", tmp_path / "m.csv", "cross")):
        done = refused("bench", *words)
        assert done.code == 2
        assert "m.csv" in done.err
        assert named in done.err
        assert done.out == ""


def test_a_set_of_one_class_cannot_be_audited(refused, written):
    rows = written.read_text().splitlines()
    one = written.parent / "one.csv"
    one.write_text("\n".join([rows[0], *(row for row in rows[1:] if ",real," in row)]))
    done = refused("bench", "audit", one)
    assert done.code == 2
    assert "one.csv: all labels are negative (real 12)" in done.err
    (one.parent / "words.csv").write_text(one.read_text().replace(",real,", ",human,"))
    for words in (("audit",), ("run", "synthesis", "--data"), ("grid",)):
        tail = ("cross",) if words == ("grid",) else ()
        done = refused("bench", *words, one.parent / "words.csv", *tail)
        assert done.code == 2
        assert "all labels are positive (human 12)" in done.err
        assert "0, authentic, good, pristine, real are negative" in done.err


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("manifest", "set", "x.csv", "--layout", "cifake"), 2, "no file fits the layout cifake"),
        (("manifest", "set", "x.csv", "--layout", "nosuch"), 2, "or a .toml file"),
        (("manifest", "set", "x.txt", "--layout", "toy.toml"), 2, ".parquet"),
        (("manifest", "nowhere", "x.csv", "--layout", "toy.toml"), 1, "nowhere: no such folder"),
        (("manifest", "set", "toy.toml/x.csv", "--layout", "toy.toml"), 2, "toy.toml: cannot"),
        (("layouts", "nosuch"), 2, "nosuch"),
        (("audit", "nowhere.csv"), 1, "nowhere.csv: cannot be read"),
        (("equalise", "toy.csv", "toy.toml"), 2, "toy.toml: nothing can be written there"),
        (("equalise", "toy.csv", "set"), 2, "set: is not empty"),
        (("equalise", "toy.csv", "x", "--quality", "90..70"), 2, "(90, 70)"),
        (("equalise", "toy.csv", "x", "--shrink", "big"), 2, "--shrink big"),
        (("equalise", "toy.csv", "x", "--codec", "gif"), 2, "gif"),
        (("grid", "toy.csv", "nosuch"), 2, "leave-one-generator-out"),
        (("grid", "toy.csv", "cross-forgery"), 2, "toy.csv: the column 'source' is empty"),
        (("grid", "toy.csv", "one-vs-all:x"), 2, "takes nothing behind a colon"),
        (("grid", "toy.csv", "degradation"), 2, "degradation:jpeg,blur"),
        (("peers", "nosuch"), 2, "pdqhash"),
        (("run", "copy-quick", "--data", "toy.csv", "--data", "set"), 2, "stands alone"),
        (("run", "copy-quick", "--layout", "toy.toml"), 2, "--layout reads one folder"),
        (("run", "copy-quick", "--data", "toy.csv", "--grid", "cross"), 2, "no --grid"),
        (
            ("run", "copy-quick", "--data", "set", "--out", "toy.csv/x"),
            2,
            "toy.csv/x: nothing can be",
        ),
    ],
)
def test_misuse_says_why(refused, written, monkeypatch, words, code, named):
    monkeypatch.chdir(written.parent)
    done = refused("bench", *words)
    assert done.code == code
    assert named in done.err


def test_a_suite_that_needs_labels_runs_over_a_grid(refused, valid, written, tmp_path):
    rows = written.read_text().splitlines()
    part = written.parent / "labelled.csv"
    part.write_text("\n".join([*rows, "set/gone.png,fake,,,toy,,test"]))
    words = ("bench", "run", "synthesis", "--systems", "shortcut", "--jobs", "1", "--jsonl")
    made = refused(*words, "--data", part, "--grid", "cross", "--out", tmp_path / "a")
    assert made.code == 1
    assert "set/gone.png: row 25 of the manifest names it, and it is not there" in made.err
    valid("bench/1", made.lines)
    systems = made.lines[0]["tables"][0]
    assert systems["rows"][0][:2] == ["shortcut", "1 of 1"]
    assert systems["rows"][0][2]["value"] == 1  # the toy set leaks, and this is what says so
    bare = refused(*words, "--data", written.parent / "set", "--out", tmp_path / "c")
    assert bare.code == 2
    assert "synthesis needs labels: give a manifest" in bare.err
    strange = refused(*words, "--data", written, "--grid", "nosuch", "--out", tmp_path / "d")
    assert strange.code == 2
    assert "leave-one-generator-out" in strange.err


def test_rows_whose_file_is_gone_are_named_and_the_rest_is_run(refused, written, tmp_path):
    rows = written.read_text().splitlines()
    (written.parent / "part.csv").write_text("\n".join([*rows, "set/gone.png,fake,,,,,test"]))
    done = refused(
        "bench", "run", "copy-quick", "--systems", "pdq", "--each", "1", "--jobs", "1",
        "--data", written.parent / "part.csv", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 1
    assert "gone.png: cannot be read" in done.err
    assert "uAP" in done.out


def test_the_picture_of_an_equalised_copy_has_the_side_asked_for(cli, written, tmp_path):
    done = cli(
        "bench", "equalise", written, tmp_path / "out", "--side", "40", "--shrink", "1..2",
        "--codec", "png", "--seed", "3", "--jobs", "2", "--jsonl",
    )  # fmt: skip
    assert done.code == 0, done.err
    pictures = list((tmp_path / "out" / "pictures").iterdir())
    assert len(pictures) == 2 * COUNT
    sizes = {(image.width, image.height) for image in map(Image.open, pictures)}
    assert sizes == {(40, 40)}
