"""Equalisation: after it no file differs from another in anything but its content."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from toy_sets import jpeg, png, texture, toy

from originlens.bench.protocols.equalise import Recipe, equalise
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.core.errors import CorruptImage, ReadError, UsageError
from originlens.core.image import Image

RECIPE = Recipe(side=32, shrink=(1.25, 2.0), quality=(70, 89))


@pytest.fixture
def mixed(tmp_path: Path, rng: np.random.Generator) -> Manifest:
    """Real JPEGs of one size with EXIF, generated PNGs of another with text; 40 of each."""
    folder = tmp_path / "mixed"
    real = toy(folder, rng, {"real": jpeg}, count=40, size=(90, 70))
    fake = toy(folder, rng, {"fake": png}, count=40, size=(64, 64))
    return Manifest((*real.rows, *fake.rows), folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_file_is_coded_alike(mixed: Manifest, tmp_path: Path) -> None:
    result = equalise(mixed, tmp_path / "out", RECIPE)
    assert result.failed == ()
    assert len(result.manifest) == 80
    for row in result.manifest:
        image = Image.open(result.manifest.file(row))
        assert (image.format, image.width, image.height) == ("JPEG", 32, 32)
        assert image.jpeg is not None
        assert image.jpeg.is_standard
        assert not image.jpeg.progressive
        assert image.jpeg.subsampling == "4:2:0"
        assert image.exif == {}


def test_both_classes_have_the_same_qualities(mixed: Manifest, tmp_path: Path) -> None:
    result = equalise(mixed, tmp_path / "out", RECIPE)
    found: dict[str, Counter[int]] = {"real": Counter(), "fake": Counter()}
    for row in result.manifest:
        info = Image.open(result.manifest.file(row)).jpeg
        assert info is not None
        found[row.label][info.quality] += 1
    # 40 pictures, 20 qualities: exactly two of each, in both classes.
    assert found["real"] == found["fake"] == Counter(dict.fromkeys(range(70, 90), 2))


def test_names_tell_nothing_and_rows_keep_what_is_known(mixed: Manifest, tmp_path: Path) -> None:
    result = equalise(mixed, tmp_path / "out", RECIPE)
    assert not any("real" in row.path or "fake" in row.path for row in result.manifest)
    assert [row.extra["original"] for row in result.manifest] == [row.path for row in mixed]
    assert [row.label for row in result.manifest] == [row.label for row in mixed]
    assert Manifest.read(tmp_path / "out/manifest.csv").rows == result.manifest.rows
    assert result.manifest.missing() == ()


def test_the_seed_decides_everything(mixed: Manifest, tmp_path: Path) -> None:
    some = mixed.take([0, 1, 40, 41])
    equalise(some, tmp_path / "a", RECIPE, seed=1)
    equalise(some, tmp_path / "b", RECIPE, seed=1)
    equalise(some, tmp_path / "c", RECIPE, seed=2)
    first, second, third = (contents(tmp_path / name) for name in "abc")
    assert first == second
    assert first.keys() == third.keys()
    assert first != third


def test_a_stopped_run_is_continued(mixed: Manifest, tmp_path: Path) -> None:
    some = mixed.take([0, 1, 40, 41])
    whole = tmp_path / "whole"
    equalise(some, whole, RECIPE)
    complete = contents(whole)
    pictures = sorted((whole / "pictures").iterdir())
    pictures[0].unlink()
    (whole / "manifest.csv").unlink()
    (whole / "pictures" / ".x.jpg.partial").write_bytes(b"half")
    stamp = pictures[1].stat().st_mtime_ns
    equalise(some, whole, RECIPE)
    (whole / "pictures" / ".x.jpg.partial").unlink()
    assert contents(whole) == complete
    assert pictures[1].stat().st_mtime_ns == stamp


def test_another_run_does_not_mix_into_a_copy(mixed: Manifest, tmp_path: Path) -> None:
    some = mixed.take([0, 40])
    equalise(some, tmp_path / "out", RECIPE)
    for manifest, recipe, seed in (
        (some, Recipe(side=24), 0),
        (some, RECIPE, 1),
        (mixed.take([1, 40]), RECIPE, 0),
    ):
        with pytest.raises(UsageError, match="another manifest, recipe or seed: name an empty"):
            equalise(manifest, tmp_path / "out", recipe, seed=seed)
    with pytest.raises(UsageError, match="is not empty"):
        equalise(some, mixed.root, RECIPE)


def test_bad_files_are_rows_with_an_error(tmp_path: Path, rng: np.random.Generator) -> None:
    good = png(texture(rng), tmp_path / "good")
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:300])
    (tmp_path / "notes.png").write_text("no picture")
    png(texture(rng, 40, 40), tmp_path / "small")
    names = ("good.png", "broken.png", "notes.png", "none.png", "small.png")
    manifest = Manifest(tuple(Row(name, "real") for name in names), tmp_path)
    result = equalise(manifest, tmp_path / "out", RECIPE)
    assert [row.extra["original"] for row in result.manifest] == ["good.png"]
    assert [row.path for row, _ in result.failed] == list(names[1:])
    kinds = [type(error) for _, error in result.failed]
    assert kinds[0] is CorruptImage
    assert kinds[2] is ReadError
    told = Manifest.read(tmp_path / "out/failed.csv")
    assert told.missing() == ((3, "../none.png"),)
    assert "40 x 40 pixels are fewer than the recipe's 64" in told.rows[3].extra["error"]


def test_what_can_only_give_an_empty_copy_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    gone = Manifest((Row("a.png", "real"), Row("b.png", "fake")), tmp_path)
    with pytest.raises(ReadError, match=r"none of the 2 pictures is there, first: .*a\.png"):
        equalise(gone, tmp_path / "out", RECIPE)
    with pytest.raises(UsageError, match="has no rows"):
        equalise(Manifest((), tmp_path), tmp_path / "out", RECIPE)
    assert not (tmp_path / "out").exists()


def test_a_folder_for_masks_is_made_only_where_there_are_some(
    mixed: Manifest, tmp_path: Path
) -> None:
    equalise(mixed.take([0, 40]), tmp_path / "out", RECIPE)
    assert not (tmp_path / "out" / "masks").exists()


def test_the_mask_is_cut_and_scaled_with_its_picture(tmp_path: Path) -> None:
    flags = np.zeros((80, 100), bool)
    flags[20:60, 30:80] = True
    pixels = np.where(flags[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2)
    Pillow.fromarray(pixels).save(tmp_path / "p.png")
    Pillow.fromarray(flags.astype(np.uint8) * 255).save(tmp_path / "m.png")
    manifest = Manifest((Row("p.png", "fake", "m.png"),), tmp_path)
    recipe = Recipe(side=32, shrink=(1.25, 2.0), codec="png")
    for seed in range(5):
        result = equalise(manifest, tmp_path / f"out{seed}", recipe, seed=seed).manifest
        mask = result.mask(result.rows[0])
        bright = Image.open(result.file(result.rows[0])).pixels[..., 0] > 127
        assert mask is not None
        assert 0 < mask.sum() < mask.size
        # They may differ along the border, where one kernel rings and the other does not.
        assert (mask == bright).mean() > 0.95
    Pillow.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "m.png")
    assert len(equalise(manifest, tmp_path / "wrong", recipe).failed) == 1


@pytest.mark.parametrize(("codec", "kind"), [("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_any_codec_serves(mixed: Manifest, tmp_path: Path, codec: str, kind: str) -> None:
    recipe = Recipe(side=32, codec=codec)  # type: ignore[arg-type]
    result = equalise(mixed.take([0, 40]), tmp_path / "out", recipe).manifest
    assert {Image.open(result.file(row)).format for row in result} == {kind}


def test_a_recipe_outside_its_ranges_is_refused() -> None:
    for wrong in (
        {"side": 4}, {"shrink": (0.5, 1.0)}, {"shrink": (2.0, 1.5)}, {"quality": (0, 90)},
        {"codec": "gif"}, {"subsampling": "4:1:1"},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            Recipe(**wrong)  # type: ignore[arg-type]


def test_several_processes_give_the_same_copy(mixed: Manifest, tmp_path: Path) -> None:
    some = mixed.take([0, 1, 40, 41])
    equalise(some, tmp_path / "one", RECIPE)
    seen: list[tuple[int, int]] = []
    equalise(some, tmp_path / "two", RECIPE, jobs=2, progress=lambda *at: seen.append(at))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert seen == [(done, 4) for done in range(5)]
