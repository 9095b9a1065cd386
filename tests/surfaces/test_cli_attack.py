"""The command that edits pictures in a known way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data

from originlens.core.image import Image


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    Pillow.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def test_the_truth_is_told(cli, valid, cat, tmp_path):
    done = cli(
        "attack", "crop:0.5+text:0.3", cat, tmp_path / "out.png",
        "--masks", tmp_path / "masks", "--jsonl",
    )  # fmt: skip
    assert done.code == 0
    (line,) = done.lines
    valid("attack/1", done.lines)
    result, mask = Image.open(line["written"]), np.asarray(Pillow.open(line["mask"]))
    assert (result.height, result.width) == mask.shape
    assert line["masked"] == pytest.approx((mask > 0).mean())
    dx, dy = (round(-line["transform"][axis][2]) for axis in (0, 1))
    original = data.chelsea()[dy : dy + result.height, dx : dx + result.width]
    moved = np.abs(original.astype(int) - result.pixels).max(axis=2)
    assert moved[mask == 0].max() <= 8  # the faint rim of letters
    assert moved[mask > 0].mean() > 20


def test_the_same_seed_gives_the_same_file_and_another_seed_another(cli, cat, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert (
            cli("attack", "noise:0.5", cat, tmp_path / f"{name}.png", "--seed", str(seed)).code == 0
        )
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_jpeg_attack_keeps_its_own_bytes(cli, cat, tmp_path):
    assert cli("attack", "jpeg:0.9", cat, tmp_path / "out.jpg").code == 0
    assert Image.open(tmp_path / "out.jpg").jpeg.quality == pytest.approx(10, abs=1)


def test_a_folder_keeps_its_tree_and_a_broken_file_its_line(cli, valid, cat, tmp_path):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    cat.rename(source / "deep" / "cat.png")
    Pillow.fromarray(data.coffee()).save(source / "cup.jpg")
    (source / "broken.jpg").write_bytes((source / "cup.jpg").read_bytes()[:3000])
    done = cli("attack", "mirror", source, tmp_path / "out", "--jsonl")
    assert done.code == 1
    by_name = {Path(line["path"]).name: line for line in done.lines}
    assert by_name["broken.jpg"]["error"]["type"] == "CorruptImage"
    valid("attack/1", done.lines)
    mirrored = Image.open(tmp_path / "out" / "deep" / "cat.png.png").pixels
    assert np.array_equal(mirrored, data.chelsea()[:, ::-1])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["cup.jpg.png", "deep"]


def test_a_picture_of_a_folder_is_attacked_as_it_is_alone(cli, cat, tmp_path):
    (tmp_path / "in").mkdir()
    for name, picture in (("a", data.coffee()), ("z", data.chelsea())):
        Pillow.fromarray(picture).save(tmp_path / "in" / f"{name}.png")
    cli("attack", "crop:0.5", tmp_path / "in", tmp_path / "out")
    cli("attack", "crop:0.5", tmp_path / "in" / "z.png", tmp_path / "z.png")
    both = [Image.open(p).pixels for p in (tmp_path / "out" / "z.png.png", tmp_path / "z.png")]
    assert np.array_equal(*both)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nothing-such:0.5", "cat.png", "out.png"), "nothing-such"),
        (("crop:1.5", "cat.png", "out.png"), "1.5"),
        (("crop", "cat.png", "out.gif"), "out.gif"),
        (("crop", "cat.png", "cat.png"), "is the source"),
    ],
)
def test_misuse_exits_with_2_and_says_why(process, cat, words, named):
    done = process("attack", *words, cwd=cat.parent)
    assert done.code == 2
    assert named in done.err


def test_a_host_can_be_given(cli, cat, tmp_path):
    Pillow.fromarray(data.coffee()).save(tmp_path / "cup.png")
    done = cli(
        "attack", "paste:0.5", cat, tmp_path / "out.png", "--other", tmp_path / "cup.png", "--jsonl"
    )
    assert done.lines[0]["masked"] > 0.3
    assert "cup.png" in json.dumps(done.lines[0]["parameters"])
