"""Examples of a trick: what is learned, what it changes, and that nothing changes without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from originlens.bench.chains import parse
from originlens.core.errors import UsageError
from originlens.core.image import Image, Pixels
from originlens.match import Geometry, decision
from originlens.match.in_context import _restoration, examples
from originlens.match.in_context._adaptation import Null, adapted
from originlens.match.index import Index

INDEXED = ("astronaut", "coffee", "rocket", "cat", "hubble_deep_field", "immunohistochemistry")
SHOWN = ("retina", "brick", "gravel", "grass")  # not indexed: examples are made of them
TRICK = "wave:0.8+jpeg:0.2"


def _picture(name: str) -> Pixels:
    pixels = getattr(data, name)()
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    scale = 400 / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tricked(image: Image, seed: int) -> Image:
    return parse(TRICK).apply(image, np.random.default_rng(seed)).image


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    for name in INDEXED:
        (folder / f"{name}.png").write_bytes(Image.from_array(_picture(name)).data)
    path = tmp_path_factory.mktemp("index") / "originals"
    with Index(path, "w") as writer:
        events = list(writer.add([folder], id_from="NAME", workers=1))
    assert not any(e.error for e in events)
    with Index(path) as reader:
        yield reader


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Image, Image]]:
    originals = [Image.from_array(_picture(name)) for name in SHOWN]
    return [(image, _tricked(image, seed)) for seed, image in enumerate(originals)]


def test_examples_raise_copies_that_undergo_the_trick(index, pairs):
    for name in ("coffee", "cat"):
        query = _tricked(Image.from_array(_picture(name)), 30)
        before = index.search(query).matches
        after = index.search(query, examples=pairs).matches
        # By how much the original leads the best other picture, which is what ranks pairs.
        assert _lead(after, name) > _lead(before, name) + 1


def _lead(matches, name):
    own = next(m.score for m in matches if m.asset == name)
    return own - max(m.score for m in matches if m.asset != name)


def test_strangers_are_no_copies_with_examples(index, pairs):
    for number, (original, replica) in enumerate(pairs[:2]):
        # Examples that hold the stranger itself would be a hint: the others are given.
        others = pairs[:number] + pairs[number + 1 :]
        for image in (original, replica):
            assert index.search(image, examples=others).decision == "none"


def test_a_search_without_examples_is_not_moved_by_one_with_them(index, pairs):
    query = _tricked(Image.from_array(_picture("cat")), 31)
    first = replace(index.search(query), ms=0.0).to_dict()
    index.search(query, examples=pairs)
    assert replace(index.search(query), ms=0.0).to_dict() == first


def test_equal_examples_are_learned_once_and_say_the_same_again(index, pairs):
    assert index.learn(pairs) is index.learn(list(pairs))
    query = _tricked(Image.from_array(_picture("coffee")), 32)
    scores = [[m.score for m in index.search(query, examples=pairs).matches]]
    index.learn(pairs[:1])
    scores.append([m.score for m in index.search(query, examples=pairs).matches])
    assert scores[0] == scores[1]


def test_no_more_than_twenty_examples(index, pairs):
    with pytest.raises(UsageError, match="give 1 to 20"):
        index.search(pairs[0][0], examples=pairs * 6)


def test_a_restoration_undoes_a_false_colour_on_pictures_it_has_not_seen():
    def trick(pixels: Pixels) -> Pixels:
        turned = (255 - pixels[..., ::-1].astype(np.float64) * [0.5, 0.8, 0.3]).astype(np.uint8)
        return np.ascontiguousarray(turned)

    rng = np.random.default_rng(0)
    learned = []
    for name in ("coffee", "astronaut"):
        pair = _restoration.aligned(trick(_picture(name)), _picture(name), None)
        assert pair is not None
        moments = _restoration.moments(pair, rng)
        assert moments is not None
        learned.append(moments)
    new = _picture("cat")
    wanted = _restoration.reduced(new).astype(np.float64)
    restored = _restoration.solved(learned)(trick(new))
    before = np.abs(_restoration.reduced(trick(new)) - wanted).mean()
    assert np.abs(restored - wanted).mean() < 0.15 * before


def test_pictures_of_other_shapes_without_a_transform_are_not_aligned():
    tall, wide = np.zeros((90, 60, 3), np.uint8), np.zeros((60, 90, 3), np.uint8)
    assert _restoration.aligned(tall, wide, None) is None
    assert _restoration.aligned(tall, tall[:, :59], None) is not None


def test_a_transform_aligns_what_was_shifted():
    pixels = _picture("coffee")
    moved = np.zeros_like(pixels)
    moved[20:, 30:] = pixels[:-20, :-30]
    pair = _restoration.aligned(moved, pixels, np.array([[1, 0, 30], [0, 1, 20], [0, 0, 1.0]]))
    assert pair is not None
    assert 0.8 < pair.covered.mean() < 0.95
    away = np.abs(pair.replica.astype(int) - pair.original)[pair.covered]
    assert away.mean() < 2


def _copies() -> list[decision.Support]:
    """Bent copies: found by the descriptor, called another view by their points."""
    details = {
        "found_by": "features", "structure": (0.3, 0.4), "median_structure": (0.3, 0.4),
        "residual": 1.3,
    }  # fmt: skip
    geometry = Geometry(
        np.eye(3), inliers=14, match_share=0.35, coverage_query=0.9, coverage_asset=0.9,
        agreement=0.15, correlation=0.2, details=details,
    )  # fmt: skip
    return [decision.Support(0.7 + 0.01 * i, 0.5, None, geometry) for i in range(10)]


def test_the_adapted_model_calls_such_copies_copies():
    shipped = decision.shipped()
    moved = adapted(shipped, _copies(), [])
    assert shipped.is_other_view(_copies()[0].geometry)
    assert not moved.is_other_view(_copies()[0].geometry)
    assert moved.score(_copies()[0]) > shipped.score(_copies()[0]) + 1


def test_a_single_example_moves_the_model_less_than_ten():
    shipped = decision.shipped()
    one, ten = (adapted(shipped, _copies()[:k], []) for k in (1, 10))
    assert shipped.view_bias > one.view_bias > ten.view_bias


def test_chance_reaches_the_threshold_no_more_often_under_the_adapted_model():
    shipped, null = decision.shipped(), Null.shipped()
    moved = adapted(shipped, _copies(), [])
    lead = null.reached(shipped, 0.007) - null.reached(moved, 0.007)
    assert 0.5 < lead < 1.1  # the caution of ten examples


def test_pairs_are_read_from_two_folders_and_from_a_table(pairs, tmp_path: Path):
    for side in (0, 1):
        folder = tmp_path / examples.FOLDERS[side]
        folder.mkdir()
        for name, pair in zip("ba", pairs, strict=False):
            (folder / f"{name}.{('png', 'jpg')[side]}").write_bytes(pair[side].data)
    (tmp_path / "originals" / ".hidden").write_text("no picture")
    (tmp_path / "pairs.csv").write_text(
        "replica,original\nreplicas/a.jpg,originals/a.png\nreplicas/b.jpg,originals/b.png\n"
    )
    wanted = [(a.sha256, b.sha256) for a, b in (pairs[1], pairs[0])]
    for place in (tmp_path, tmp_path / "pairs.csv"):
        found = examples.read(place)
        assert [(original.sha256, replica.sha256) for original, replica in found] == wanted


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "originals: is no folder"),
        ({"originals/a.png": b"", "replicas/b.png": b""}, "a.png: has no partner named 'a'"),
        ({"originals/a.png": b""}, "replicas: is no folder"),
        (
            {"originals/a.png": b"", "originals/a.jpg": b"", "replicas/a.jpg": b""},
            "has the same name: rename",
        ),
        ({"originals/a.png": b"x", "replicas/a.png": b"x"}, "replace or remove this example pair"),
        ({"originals/.a": b"", "replicas/.a": b""}, "holds 0 pairs: give 1 to 20"),
    ],
)
def test_what_is_wrong_with_a_folder_of_pairs_is_told(tmp_path: Path, files, told):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=told):
        examples.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("original,replica\na.png,\n", "line 2: fill the columns original and replica"),
        ("first,second\na.png,b.png\n", "line 2: fill the columns"),
        ("original,replica\n", "holds 0 pairs"),
        ("original,replica\nnone.png,none.jpg\n", "none.png: .*replace or remove"),
    ],
)
def test_what_is_wrong_with_a_table_of_pairs_is_told(tmp_path: Path, text, told):
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(UsageError, match=told):
        examples.read(tmp_path / "pairs.csv")


def test_a_table_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match="No such file"):
        examples.read(tmp_path / "none.csv")
