"""Hash lists as exchanges publish them become hash-only assets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from originlens.core.errors import InputError, ReadError
from originlens.match import _hash_lists
from originlens.match.index import Index

HASHES = ["00" * 32, "ff" * 32, "0f" * 32]


@pytest.mark.parametrize(
    "text",
    [
        f"{HASHES[0]}\n{HASHES[1]}\n",
        f"hash,quality,id,list\n{HASHES[0]},80,a,X\n{HASHES[1].upper()},,b,\n",
        f"id;pdq\na;{HASHES[0]}\nb;{HASHES[1]}\n",
        f'{{"pdq": "{HASHES[0]}", "id": "a", "quality": 80}}\n'
        f'{{"pdq": "{HASHES[1]}", "id": "b"}}\n',
        f"# a comment\n\n{HASHES[0]}\t80\ta\r\n{HASHES[1]}\t90\tb\r\n",
    ],
)
def test_common_forms_are_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.txt"
    file.write_text(text)
    lines = list(_hash_lists.read(str(file)))
    assert [line.pdq.hex() for line in lines] == HASHES[:2]
    assert [line.asset for line in lines] in ([None, None], ["a", "b"])
    assert lines[0].quality in (None, 80)
    if "list" in text:
        assert [line.meta for line in lines] == [{"list": "X"}, {}]


def test_a_bad_line_is_an_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HASHES[0]},80,a\nnothing here\n{HASHES[1]},80,a\n{HASHES[2]},70,c\n")
    with Index(tmp_path / "index", "w") as index:
        events = list(index.import_pdq(file))
        errors = [event.error for event in events if event.error is not None]
        assert [event.asset for event in events if event.error is None] == ["a", "c"]
        assert all(isinstance(error, InputError) for error in errors)
        assert any("list.csv:2" in str(error) for error in errors)
        assert any("'a'" in str(error) for error in errors), "an id names one hash"
        rows, distance = index.store.search_hashes(np.zeros((1, 32), np.uint8), 2)
        assert distance.tolist() == [[0, 128]]
        assert index.store.rows(rows[0].tolist())[0].pdq_quality == 80
        again = [event.status for event in index.import_pdq(file) if event.error is None]
        assert again == ["unchanged", "unchanged"]


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        list(_hash_lists.read(str(tmp_path / "absent")))


def test_a_file_that_is_no_list_is_an_error_from_its_first_line_on(tmp_path: Path) -> None:
    """Only a line that names a column is a header."""
    file = tmp_path / "list.txt"
    file.write_text("hello\n")
    (line,) = _hash_lists.read(str(file))
    assert "list.txt:1" in str(line.error)
