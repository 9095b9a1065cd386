"""The shortcut audit: flags what leaks, stays silent otherwise, and names the feature."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from toy_sets import jpeg, png, texture, toy

from originlens.bench.protocols._container import container
from originlens.bench.protocols._file_features import file_features
from originlens.bench.protocols.equalise import Recipe, equalise
from originlens.bench.protocols.manifest import Manifest
from originlens.bench.protocols.shortcut import LEAK_P, ShortcutAudit
from originlens.bench.protocols.shortcut import audit as full_audit
from originlens.core.errors import UsageError
from originlens.core.stats import binomial_test


def audit(manifest: Manifest, rng: np.random.Generator, **options: Any) -> ShortcutAudit:
    """An audit with the fewest permutations that can fall below the level."""
    return full_audit(manifest, rng, **({"permutations": round(1 / LEAK_P)} | options))


def with_text(picture: Any, stem: Path) -> Path:
    info = PngInfo()
    info.add_text("parameters", "steps: 30")
    picture.save(stem.with_suffix(".png"), pnginfo=info)
    return stem.with_suffix(".png")


def quality_70(picture: Any, stem: Path) -> Path:
    return jpeg(picture, stem, 70)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_png_against_jpeg_is_flagged(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = audit(toy(tmp_path / "toy", rng, {"real": jpeg, "fake": png}), rng)
    assert found.leaks
    assert found.auc == 1.0
    assert found.p_value < LEAK_P
    best = {feature.name: feature for feature in found.features if feature.auc == 1.0}
    assert (best["format"].negative, best["format"].positive) == ("JPEG 100 %", "PNG 100 %")
    assert "this benchmark leaks: metadata and size alone" in found.warning


@pytest.mark.parametrize(
    ("fake", "feature"), [(with_text, "part tEXt"), (quality_70, "JPEG quality")]
)
def test_the_feature_that_gives_the_class_away_is_named(
    tmp_path: Path, rng: np.random.Generator, fake: Any, feature: str
) -> None:
    real = png if fake is with_text else jpeg
    found = audit(toy(tmp_path, rng, {"real": real, "fake": fake}, count=30), rng)
    assert found.leaks
    assert feature in {f.name for f in found.features if f.auc == 1.0}


def test_sizes_leak_too(tmp_path: Path, rng: np.random.Generator) -> None:
    real = toy(tmp_path, rng, {"real": png}, count=30, size=(72, 64))
    fake = toy(tmp_path, rng, {"fake": png}, count=30, size=(64, 64))
    found = audit(Manifest((*real.rows, *fake.rows), tmp_path), rng)
    assert found.leaks
    assert {"width", "size", "aspect"} <= {f.name for f in found.features if f.auc == 1.0}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_equalised_copy_is_silent(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    leaky = toy(tmp_path / "toy", rng, {"real": jpeg, "fake": png}, count=60, size=(80, 80))
    recipe = Recipe(side=32, shrink=(1.25, 2.0))
    found = audit(equalise(leaky, tmp_path / "out", recipe, seed=seed).manifest, rng)
    assert not found.leaks
    assert found.warning == ""
    assert found.low < 0.6


def alarms(folder: Path, audits: int) -> tuple[int, list[float]]:
    """False alarms and p-values on mixed formats whose labels are drawn anew each time."""
    rng = np.random.default_rng(11)
    manifest = toy(folder, rng, {"real": jpeg, "fake": png}, count=30)
    count, p_values = 0, []
    for _ in range(audits):
        labels = rng.permutation([row.label for row in manifest])
        rows = (replace(row, label=str(x)) for row, x in zip(manifest, labels, strict=True))
        found = full_audit(Manifest(tuple(rows), folder), rng)
        count += found.leaks
        p_values.append(found.p_value)
    return count, p_values


def test_labels_without_meaning_raise_no_alarm(tmp_path: Path) -> None:
    assert alarms(tmp_path, 6)[0] == 0


@pytest.mark.slow
def test_p_values_are_valid_and_alarms_rare(tmp_path: Path) -> None:
    count, p_values = alarms(tmp_path, 200)
    # At most one in a hundred may be alarmed: 7 of 200 or more would be a 1 in 200 event.
    assert count <= 6
    for level in (0.05, 0.1, 0.2, 0.5):
        hits = sum(p <= level for p in p_values)
        assert binomial_test(hits, len(p_values), level) > 0.001


def test_units_count_once(tmp_path: Path, rng: np.random.Generator) -> None:
    """Formats follow groups of one class each: few groups are no evidence, rows are many."""
    manifest = toy(tmp_path, rng, {"real": jpeg, "fake": png}, count=40)
    groups = [f"{row.label}{i % 3}" for i, row in enumerate(manifest)]
    rows = (replace(row, group=g) for row, g in zip(manifest, groups, strict=True))
    with pytest.raises(UsageError, match="3 independent readable units are negative"):
        audit(Manifest(tuple(rows), tmp_path), rng)


def test_pairs_are_permuted_within(tmp_path: Path, rng: np.random.Generator) -> None:
    """Every group holds a real JPEG and its generated PNG: the leak is found all the same."""
    manifest = toy(tmp_path, rng, {"real": jpeg, "fake": png}, count=20)
    rows = (replace(row, group=f"scene{i % 20}") for i, row in enumerate(manifest))
    found = audit(Manifest(tuple(rows), tmp_path), rng)
    assert (found.units, found.leaks) == (20, True)


def test_files_of_equal_bytes_are_told_where_labels_or_groups_differ(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    plain = toy(tmp_path, rng, {"real": jpeg, "fake": jpeg}, count=12)
    rows = [replace(row, group=f"g{i}") for i, row in enumerate(plain)]
    rows[1] = replace(rows[1], group="g0")
    manifest = Manifest(tuple(rows), tmp_path)

    def copied(source: int, *targets: int) -> None:
        for target in targets:
            manifest.file(rows[target]).write_bytes(manifest.file(rows[source]).read_bytes())

    copied(0, 1, 2)  # of one label: the first two in one group
    same_label = audit(manifest, rng, permutations=20)
    assert same_label.duplicates == ((rows[0], rows[2]),)
    assert not same_label.leaks
    assert "1 picture is there twice with different groups" in same_label.warning
    wrong = replace(rows[1], label="fake")
    relabelled = Manifest((rows[0], wrong, *rows[2:]), tmp_path)
    found = audit(relabelled, rng, permutations=20)
    assert found.duplicates == ((rows[0], wrong), (rows[0], rows[2]))
    assert found.leaks
    assert not found.files_tell
    assert f"different labels, first: {rows[0].path} and {rows[1].path}" in found.warning


def test_unreadable_files_are_told_and_left_out(tmp_path: Path, rng: np.random.Generator) -> None:
    manifest = toy(tmp_path, rng, {"real": jpeg, "fake": jpeg}, count=12)
    manifest.file(manifest.rows[0]).write_bytes(b"\xff\xd8\xff\xe0 broken")
    found = audit(manifest, rng, permutations=20)
    assert [row.path for row, _ in found.failed] == [manifest.rows[0].path]
    assert found.rows == 23


def test_of_large_sets_a_sample_of_units_is_audited(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    manifest = toy(tmp_path, rng, {"real": jpeg, "fake": png}, count=40)
    found = audit(manifest, rng, at_most=60, permutations=20)
    assert found.rows == 60
    assert found.auc == 1.0


def test_an_audit_is_repeatable(tmp_path: Path, rng: np.random.Generator) -> None:
    manifest = toy(tmp_path, rng, {"real": jpeg, "fake": jpeg}, count=20)
    first, second = (audit(manifest, np.random.default_rng(4), permutations=20) for _ in "ab")
    assert first == second


def test_features_of_a_file(tmp_path: Path, rng: np.random.Generator) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "Maker"
    texture(rng, 48, 40).save(tmp_path / "a.jpg", quality=90, exif=exif, subsampling=0)
    features = file_features(tmp_path / "a.jpg")
    assert features["size"] == "48x40"
    assert features["JPEG quality"] == 90.0
    assert features["JPEG subsampling"] == "4:4:4"
    assert features["EXIF tags"] == 1.0
    assert features["part APP1 Exif"] == 1.0
    assert (features["bit depth"], features["colour mode"]) == (8.0, "colour")
    size = (tmp_path / "a.jpg").stat().st_size
    assert features["bytes per pixel"] == pytest.approx(size / (48 * 40))


def test_containers_of_each_kind(rng: np.random.Generator) -> None:
    def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
        out = io.BytesIO()
        texture(rng).convert(mode).save(out, kind, **options)
        return out.getvalue()

    found = container(saved("PNG", "RGBA", dpi=(72, 72)), "PNG")
    assert (found.parts, found.bits, found.colour) == (("pHYs",), 8, "colour+alpha")
    assert container(saved("PNG", "P"), "PNG").colour == "palette"
    assert container(saved("JPEG", "L"), "JPEG").colour == "grey"
    assert "APP2 ICC_PROFILE" in container(saved("JPEG", icc_profile=b"x" * 200), "JPEG").parts
    assert "VP8" in container(saved("WEBP"), "WEBP").parts
    assert container(saved("BMP"), "BMP").parts == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_containers_end_the_scan(kind: str, rng: np.random.Generator) -> None:
    out = io.BytesIO()
    texture(rng).save(out, kind)
    data = out.getvalue()
    for _ in range(300):
        spoilt = bytearray(data[: rng.integers(1, len(data))])
        for place in rng.integers(0, len(spoilt), 5):
            spoilt[place] = rng.integers(256)
        assert len(container(bytes(spoilt), kind).parts) <= 4096
