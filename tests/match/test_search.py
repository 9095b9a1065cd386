"""The main job on real photographs: identical, copies with their transform, unrelated, filters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from originlens.bench.kinds import kind
from originlens.core import geometry
from originlens.core.image import Image
from originlens.match import _closer as closer
from originlens.match._query import DEFAULT
from originlens.match.compare import compare
from originlens.match.index import Index

PICTURES = {
    "astronaut": data.astronaut,
    "coffee": data.coffee,
    "rocket": data.rocket,
    "motel": data.hubble_deep_field,
    "immuno": data.immunohistochemistry,
    "retina": data.retina,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    for name, load in PICTURES.items():
        Pillow.fromarray(load()).save(folder / f"{name}.jpg", quality=92)
    return folder


@pytest.fixture(scope="module")
def index(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "originals"
    with Index(path, "w") as writer:
        events = list(writer.add([folder], meta={"credit": "desk"}, id_from="NAME", workers=1))
    assert [e.error for e in events] == [None] * len(PICTURES)
    with Index(path) as reader:
        yield reader


@pytest.mark.parametrize("name", PICTURES)
def test_indexed_picture_is_identical(index, folder, name):
    result = index.search(folder / f"{name}.jpg")
    assert result.decision == "identical"
    best = result.matches[0]
    assert (best.asset, best.probability, best.meta["credit"]) == (name, 1.0, "desk")
    assert np.allclose(best.transform, np.eye(3))


def test_same_pixels_in_other_bytes_are_identical(index, folder, tmp_path):
    Pillow.open(folder / "coffee.jpg").save(tmp_path / "again.png")
    result = index.search(tmp_path / "again.png")
    assert result.decision == "identical"
    assert result.matches[0].asset == "coffee"


@pytest.mark.parametrize(
    "edit", ["crop-50", "rotate-15", "mirror", "pip-50", "strong-colour", "screenshot"]
)
def test_copies_are_found_with_their_transform(index, folder, edit, rng):
    original = Image.open(folder / "astronaut.jpg")
    others = [Image.from_array(data.chelsea()), Image.from_array(data.colorwheel()[..., :3])]
    made = kind(edit).apply(original, rng, others=others)
    result = index.search(made.image)
    best = result.matches[0]
    assert (best.asset, result.decision) == ("astronaut", "copy")
    corners = np.array([[0, 0], [511, 0], [511, 511], [0, 511], [256, 256]], dtype=float)
    truth = geometry.apply(made.transform, corners)
    size = np.array([made.image.width, made.image.height])
    inside = ((truth >= 0) & (truth < size)).all(1)
    error = np.abs(geometry.apply(best.transform, corners) - truth)[inside]
    assert inside.any()
    assert error.max() < 0.01 * max(size) + 1
    assert best.why


def test_heavily_edited_copy_is_never_missed(index, folder, rng):
    """Crop, mirror, colour, text, paste, resize and JPEG together: a copy, or at least a lead."""
    others = [Image.from_array(data.chelsea())]
    made = kind("heavy").apply(Image.open(folder / "astronaut.jpg"), rng, others=others)
    best = index.search(made.image).matches[0]
    assert best.asset == "astronaut"
    assert best.relation in ("copy", "related")


@pytest.fixture(scope="module")
def versions(folder, tmp_path_factory):
    """An index of originals where one is kept in three versions."""
    kept = tmp_path_factory.mktemp("versions")
    coffee = Pillow.open(folder / "coffee.jpg")
    coffee.resize((300, 200)).save(kept / "small.jpg", quality=80)
    coffee.crop((60, 40, 540, 360)).save(kept / "crop.png")
    with Index(kept / "index", "w") as writer:
        list(writer.add([folder, kept], id_from="NAME", workers=1))
    with Index(kept / "index") as reader:
        yield reader


def test_every_version_of_the_original_is_called_a_copy(versions, folder):
    query = kind("jpeg-q10").apply(Image.open(folder / "coffee.jpg"), np.random.default_rng(3))
    found = {m.asset: m.relation for m in versions.search(query.image).matches}
    assert [found[name] for name in ("coffee", "small", "crop")] == ["copy"] * 3


def test_search_ends_once_the_whole_query_is_explained(versions, folder):
    """What is not looked at any more says so, and is never called a copy."""
    matches = versions.search(folder / "rocket.jpg").matches
    assert matches[0].relation == "identical"
    skipped = [m for m in matches if m.why.startswith("not verified")]
    assert skipped
    assert {m.relation for m in skipped} == {"none"}


def test_all_originals_of_a_collage_are_found(index, folder):
    """A query that one original explains in part only is searched for others."""
    parts = [Pillow.open(folder / f"{n}.jpg").resize((400, 400)) for n in ("coffee", "rocket")]
    collage = np.hstack([np.asarray(p) for p in parts])
    result = index.search(Image.from_array(collage))
    copies = {m.asset for m in result.matches if m.relation == "copy"}
    assert copies == {"coffee", "rocket"}


def test_picture_that_is_not_indexed(index):
    result = index.search(Image.from_array(data.chelsea()))
    assert result.decision == "none"
    assert result.matches  # the best candidates of a miss are listed
    assert "geometry" in result.matches[0].why or "support" in result.matches[0].why


def test_rate_moves_decisions_but_not_the_list(index):
    query = Image.from_array(data.chelsea())
    strict = index.search(query, max_false_positive_rate=0.001)
    loose = index.search(query, max_false_positive_rate=1.0)
    assert [(m.asset, m.score) for m in strict.matches] == [
        (m.asset, m.score) for m in loose.matches
    ]
    assert strict.decision == "none"
    assert loose.decision == "copy"


def test_top_and_where(index, folder):
    query = folder / "coffee.jpg"
    assert len(index.search(query, top=2).matches) == 2
    assert index.search(query, where={"credit": "somebody else"}).matches == ()
    assert index.search(query, where={"credit": "desk"}).decision == "identical"


def test_same_query_same_answer(index, rng, folder):
    edited = kind("heavy").apply(
        Image.open(folder / "rocket.jpg"), rng, others=[Image.from_array(data.chelsea())]
    )
    first, second = index.search(edited.image), index.search(edited.image)
    assert [m.to_dict() for m in first.matches] == [m.to_dict() for m in second.matches]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shape=st.tuples(st.integers(1, 40), st.integers(1, 40)), seed=st.integers(0, 2**16))
def test_any_indexed_picture_is_found_as_identical(tmp_path_factory, shape, seed):
    folder = tmp_path_factory.mktemp("any")
    pixels = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(folder / "it.png")
    with Index(folder / "index", "w") as index:
        assert all(e.error is None for e in index.add([folder / "it.png"], workers=1))
        assert index.search(folder / "it.png").decision == "identical"


def test_empty_index_answers_none(tmp_path):
    with Index(tmp_path / "empty", "w") as index:
        result = index.search(Image.from_array(data.coffee()))
    assert (result.decision, result.matches) == ("none", ())


def test_compare_two_pictures(rng):
    original = Image.from_array(data.coffee())
    made = kind("crop-50").apply(original, rng)
    match = compare(made.image, original)
    assert match.relation == "copy"
    assert match.direction == "query-from-asset"
    assert "crop" in {edit.name for edit in match.edits}
    assert match.change_map.shape == (made.image.height, made.image.width)
    assert compare(original, original).relation == "identical"
    assert compare(Image.from_array(data.chelsea()), original).relation == "none"


def test_the_best_copy_has_its_edits_named(versions, folder):
    """Also where another version of the same original is listed above it."""
    query = kind("crop-50").apply(Image.open(folder / "coffee.jpg"), np.random.default_rng(5))
    matches = versions.search(query.image).matches
    best = next(m for m in matches if m.relation == "copy")
    assert "crop" in {edit.name for edit in best.edits}
    assert sum(bool(m.edits) for m in matches) == 1


def test_a_host_does_not_hide_behind_what_was_pasted_into_it(index, folder):
    """What speaks for the host lies outside the pasted picture and goes on being looked at."""
    host = np.asarray(Pillow.open(folder / "motel.jpg").resize((800, 800))).copy()
    host[150:550, 200:600] = np.asarray(Pillow.open(folder / "coffee.jpg").resize((400, 400)))
    copies = {m.asset for m in index.search(Image.from_array(host)).matches if m.relation == "copy"}
    assert copies == {"coffee", "motel"}


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "retina"])
def test_photographic_negatives_are_found(index, name, mirrored):
    negative = np.ascontiguousarray((255 - PICTURES[name]())[:, :: -1 if mirrored else 1])
    result = index.search(Image.from_array(negative))
    best = result.matches[0]
    assert (best.asset, result.decision) == (name, "copy")
    assert {e.name for e in best.edits} == {"negative", *(["mirror"] if mirrored else [])}


def test_hashes_of_the_negative_are_complements(index):
    picture = PICTURES["coffee"]()
    plain, negative = (
        index.searcher._query(Image.from_array(p), DEFAULT).hashes for p in (picture, 255 - picture)
    )
    different = np.bitwise_count(plain[:8] ^ negative[8:]).sum(1)
    assert different.max() <= 4  # luma is rounded


def test_what_is_pasted_small_is_verified_in_its_own_region(index, rng):
    """Features of a busy host crowd out those of a small picture; its region alone shows them."""
    import cv2

    coarse = rng.integers(0, 256, (75, 100, 3), dtype=np.uint8)
    host = cv2.resize(coarse, (2000, 1500), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(data.astronaut(), (420, 420), interpolation=cv2.INTER_AREA)
    host[300:720, 800:1220] = small
    looked = index.searcher._query(Image.from_array(host), DEFAULT)
    asset = index.searcher.verifier.features(Image.from_array(data.astronaut()))
    box = (790 / 2000, 290 / 1500, 1230 / 2000, 730 / 1500)
    found = closer.look(index.searcher.verifier, looked, box, asset)
    truth = np.array([[1, 0, 800], [0, 1, 300], [0, 0, 1.0]]) @ geometry.scaling(
        (512, 512), (420, 420)
    )
    corners = np.array([[0, 0], [511, 0], [511, 511], [0, 511]], dtype=float)
    error = geometry.apply(found.transform, corners) - geometry.apply(truth, corners)
    assert np.abs(error).max() < 4.0
    assert found.coverage_query == pytest.approx(420 * 420 / (2000 * 1500), rel=0.1)
    whole = index.searcher.verifier.verify(looked.features, asset)
    assert found.inliers > 2 * whole.inliers
