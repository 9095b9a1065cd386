"""The manifest: round trips, validation that names file, row and remedy, filters, leaks."""

from __future__ import annotations

import string
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from originlens.bench.protocols.manifest import COLUMNS, Manifest, Row, combined
from originlens.core.errors import MissingExtra, ReadError, UsageError

ROWS = (
    Row("a/1.png", "real", source="raise", group="s1", split="train"),
    Row("a/2.png", "fake", "m/2.png", "raise", "sdxl", "s1", "test", {"note": "comma, here"}),
    Row("b/3.jpg", "fake", generator="adm"),
)

CELLS = st.text(string.ascii_letters + string.digits + " ,\"'äé|;", max_size=8).map(str.strip)


def manifests(root: Path) -> st.SearchStrategy[Manifest]:
    row = st.builds(
        Row,
        path=st.text(string.ascii_letters + " ,äé", min_size=1, max_size=8).map(
            lambda name: f"p/{name}.png"
        ),
        label=CELLS,
        mask=st.sampled_from(["", "m/x.png"]),
        source=CELLS,
        generator=CELLS,
        group=CELLS,
        split=st.sampled_from(["", "train", "val", "test"]),
        extra=st.fixed_dictionaries({"note": CELLS}),
    )
    rows = st.lists(row, max_size=6, unique_by=lambda r: r.path)
    return rows.map(lambda found: Manifest(tuple(found), root))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("human ai ai", r"all labels are positive \(ai 2, human 1\).* pristine, real are negative"),
        ("real Good", r"all labels are negative \(real 1, Good 1\), and both classes are needed"),
        ("a b c d e f g", "e 1 and 2 more"),
        ("", "there are no rows"),
    ],
)
def test_labels_of_one_class_are_named_with_those_that_are_negative(
    tmp_path: Path, labels: str, told: str
) -> None:
    rows = tuple(Row(f"{i}.png", label) for i, label in enumerate(labels.split()))
    with pytest.raises(UsageError, match=told):
        Manifest(rows, tmp_path).require_both_classes()


def test_two_classes_are_let_through(tmp_path: Path) -> None:
    Manifest(ROWS, tmp_path).require_both_classes()
    assert Manifest(ROWS, tmp_path).truth().tolist() == [False, True, True]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"manifest{suffix}"
    Manifest(ROWS, tmp_path).write(path)
    read = Manifest.read(path)
    assert read.columns == (*COLUMNS, "note")
    assert [row.value("note") for row in read] == ["", "comma, here", ""]
    assert [[row.value(name) for name in COLUMNS] for row in read] == [
        [row.value(name) for name in COLUMNS] for row in ROWS
    ]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), suffix=st.sampled_from([".csv", ".parquet"]))
def test_any_manifest_survives_a_round_trip(data: st.DataObject, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        manifest = data.draw(manifests(Path(folder)))
        path = Path(folder) / f"m{suffix}"
        manifest.write(path)
        read = Manifest.read(path)
        assert read.rows == manifest.rows


def test_paths_follow_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "data/p").mkdir(parents=True)
    (tmp_path / "data/p/1.png").write_bytes(b"x")
    (tmp_path / "lists").mkdir()
    Manifest((Row("p/1.png", mask="p/1_m.png"),), tmp_path / "data").write(tmp_path / "lists/m.csv")
    read = Manifest.read(tmp_path / "lists/m.csv")
    assert read.rows[0].path == "../data/p/1.png"
    assert read.missing() == ((1, "../data/p/1_m.png"),)


def test_names_that_are_not_utf8_travel_in_csv_only(tmp_path: Path) -> None:
    manifest = Manifest((Row("caf\udce9.png", "real"),), tmp_path)
    manifest.write(tmp_path / "m.csv")
    assert Manifest.read(tmp_path / "m.csv").rows == manifest.rows
    with pytest.raises(UsageError, match="write CSV instead"):
        manifest.write(tmp_path / "m.parquet")


def test_parquet_without_its_extra_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'originlens\[bench\]'"):
        Manifest(ROWS, tmp_path).write(tmp_path / "m.parquet")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,real\n", r"m\.csv: there is no column 'path' in name, label"),
        ("", r"no column 'path' in an empty header"),
        ("path,label\na\n", r"m\.csv: row 1 has 1 cells, the header 2"),
        ("path,label\na,x\n,y\n", r"m\.csv: row 2 has no path"),
        ("path,label\na,x\na,y\n", r"m\.csv: row 2 repeats a of row 1: remove"),
        ("path,split\na,training\n", r"row 1 has the split 'training': use train, val, test"),
        ("path,path\na,b\n", r"column 'path' appears twice"),
        ('path\n"a\n', r"line 2 is not CSV"),
    ],
)
def test_a_mistake_is_named_with_file_row_and_remedy(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        Manifest.read(tmp_path / "m.csv")


def test_a_missing_or_broken_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"none\.csv: cannot be read"):
        Manifest.read(tmp_path / "none.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(UsageError, match="no Parquet file"):
        Manifest.read(tmp_path / "broken.parquet")


def test_rows_are_selected_by_columns(tmp_path: Path) -> None:
    manifest = Manifest(ROWS, tmp_path)
    assert [row.path for row in manifest.where(generator=["sdxl", "adm"])] == ["a/2.png", "b/3.jpg"]
    assert [row.path for row in manifest.where(label="fake", split="test")] == ["a/2.png"]
    assert [row.path for row in manifest.filter(lambda row: row.is_negative)] == ["a/1.png"]
    assert manifest.values("generator") == ("adm", "sdxl")
    assert list(manifest.truth()) == [False, True, True]
    assert manifest.units()[0] == manifest.units()[1] != manifest.units()[2]
    with pytest.raises(UsageError, match="no column 'colour': there are path, label"):
        manifest.where(colour="red")


def test_zero_and_one_are_classes_too(tmp_path: Path) -> None:
    manifest = Manifest((Row("a", "0"), Row("b", "1"), Row("c", "Real")), tmp_path)
    assert list(manifest.truth()) == [False, True, False]
    with pytest.raises(UsageError, match=r"row 1 \(d\) has no label"):
        Manifest((Row("d"),), tmp_path).truth()


def test_a_group_in_two_splits_is_told(tmp_path: Path) -> None:
    assert Manifest(ROWS, tmp_path).leaks() == ("s1",)
    assert Manifest(ROWS[:1], tmp_path).leaks() == ()


def test_a_mask_is_true_where_white(tmp_path: Path) -> None:
    grey = np.array([[0, 127, 128, 255]], np.uint8)
    Pillow.fromarray(grey).save(tmp_path / "m.png")
    manifest = Manifest((Row("a", mask="m.png"), Row("b")), tmp_path)
    mask = manifest.mask(manifest.rows[0])
    assert mask is not None
    assert mask.tolist() == [[False, False, True, True]]
    assert manifest.mask(manifest.rows[1]) is None


def test_data_sets_are_combined_without_mixing_their_groups(tmp_path: Path) -> None:
    first = Manifest((Row("1.png", "real", group="7"),), tmp_path / "a")
    second = Manifest((Row("1.png", "fake", "m.png", group="7"), Row("2.png")), tmp_path / "b")
    both = combined({"a": first, "b": second}, tmp_path)
    assert [row.path for row in both] == ["a/1.png", "b/1.png", "b/2.png"]
    assert both.rows[1].mask == "b/m.png"
    assert both.column("dataset") == ("a", "b", "b")
    assert both.column("group") == ("a/7", "b/7", "")
    with pytest.raises(UsageError, match="row 2 repeats"):
        combined({"a": first, "again": first}, tmp_path)
