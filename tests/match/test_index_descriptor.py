"""An index goes on with the descriptor that it was made with, whatever the default is by now."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data

from originlens.core.errors import StoreError
from originlens.core.registry import DEFAULT_DESCRIPTOR, FIRST_DESCRIPTOR, make
from originlens.match.index import Index
from originlens.store.sqlite import SqliteStore

PICTURES = (data.astronaut, data.coffee, data.chelsea, data.rocket)


def test_an_older_index_is_filled_and_searched_with_its_own_descriptor(tmp_path):
    for load in PICTURES:
        Pillow.fromarray(load()).save(tmp_path / f"{load.__name__}.png")
    files = [tmp_path / f"{load.__name__}.png" for load in PICTURES]
    SqliteStore(tmp_path / "index", "w", descriptor=FIRST_DESCRIPTOR).close()
    with Index(tmp_path / "index", "w") as index:
        assert all(event.error is None for event in index.add(files, id_from="NAME", workers=1))
        rows = index.store.by_sha256(index.search(files[0]).sha256)
        kept = index.store.vectors([rows[0].row])[0]
        own = make("descriptor", FIRST_DESCRIPTOR, threads=1).describe_batch([PICTURES[0]()])[0]
        other = make("descriptor", DEFAULT_DESCRIPTOR, threads=1).describe_batch([PICTURES[0]()])[0]
        assert kept @ own > 0.98
        assert kept @ other < 0.9
        assert index.info()["descriptor"] == FIRST_DESCRIPTOR
        cropped = tmp_path / "cropped.jpg"
        pixels = np.ascontiguousarray(data.coffee()[40:330, 60:520])
        Pillow.fromarray(pixels).save(cropped, quality=60)
        best = index.search(cropped).matches[0]
        assert (best.asset, best.relation) == ("coffee", "copy")


def test_a_new_index_is_made_with_the_default(tmp_path):
    with Index(tmp_path / "index", "w") as index:
        assert index.info()["descriptor"] == DEFAULT_DESCRIPTOR


def test_an_index_of_an_unknown_descriptor_says_what_to_do(tmp_path):
    SqliteStore(tmp_path / "index", "w", descriptor="copy-v1").close()
    with pytest.raises(StoreError, match=r"copy-v1.*add the pictures to a new index"):
        Index(tmp_path / "index")
    # Nothing stays locked or half open.
    SqliteStore(tmp_path / "index", "w").close()
