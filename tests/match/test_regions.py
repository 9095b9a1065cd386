"""Regions on the index side: parts of an original are nearer to a small crop than the whole is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data

from originlens.core.registry import DEFAULT_DESCRIPTOR, make
from originlens.match import views
from originlens.match.index import Index

PICTURES = (data.astronaut, data.coffee, data.chelsea, data.rocket)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    for load in PICTURES:
        Pillow.fromarray(load()).save(folder / f"{load.__name__}.png")
    return folder


@pytest.fixture(scope="module")
def nearest(folder, tmp_path_factory):
    """Best similarity of a crop of the coffee picture, per row, without and with regions."""
    pixels = data.coffee()
    crop = pixels[: pixels.shape[0] * 2 // 5, : pixels.shape[1] * 2 // 5]
    asked = make("descriptor", DEFAULT_DESCRIPTOR).describe_batch([crop])
    found = {}
    for regions in (False, True):
        path = tmp_path_factory.mktemp("index") / str(regions)
        with Index(path, "w") as index:
            events = list(index.add([folder], regions=regions, id_from="NAME", workers=1))
            assert [e.error for e in events] == [None] * len(PICTURES)
            rows, similarity = index.store.search_vectors(asked, 64)
            held = rows[0] >= 0
            best = {row: similarity[0][rows[0] == row].max() for row in set(rows[0][held].tolist())}
            names = {r.row: r.asset for r in index.store.rows(list(best))}
            held_vectors = index.store.check().counts["vectors"]
            found[regions] = ({names[row]: s for row, s in best.items()}, held_vectors)
    return found


def test_a_picture_has_ten_vectors_with_regions_and_one_without(nearest):
    assert nearest[False][1] == len(PICTURES)
    assert nearest[True][1] == len(PICTURES) * (1 + len(views.QUARTERS))


def test_a_small_crop_is_nearer_to_a_part_of_its_original_and_still_found_first(nearest):
    (without, _), (with_regions, _) = nearest[False], nearest[True]
    assert max(with_regions, key=with_regions.get) == "coffee"
    assert with_regions["coffee"] > without["coffee"] + 0.05
    assert all(with_regions[name] >= without[name] - 1e-4 for name in without)


def test_the_first_part_is_the_whole_picture():
    descriptor = make("descriptor", DEFAULT_DESCRIPTOR, threads=1)
    pictures = [load() for load in PICTURES]
    parts = descriptor.describe_parts(pictures, [views.WHOLE, *views.QUARTERS])
    assert parts.shape == (len(PICTURES), 10, 256)
    assert np.allclose(np.linalg.norm(parts, axis=2), 1, atol=1e-5)
    assert np.allclose(parts[:, 0], descriptor.describe_batch(pictures), atol=1e-5)
