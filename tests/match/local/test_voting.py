"""Votes find a small part of a picture among others, and unrelated pictures get none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from originlens.core.image import Pixels
from originlens.match.local import coding, voting
from originlens.store import Content, NewAsset
from originlens.store.sqlite import SqliteStore
from originlens.testing import textured_image

COUNT = 60


def picture(number: int) -> Pixels:
    return textured_image(number, 360, 480).pixels


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    folder: Path = tmp_path_factory.mktemp("index")
    with SqliteStore(folder, "w", buffer=64) as opened:
        opened.add([_asset(number) for number in range(COUNT)])
        yield opened


def _asset(number: int) -> NewAsset:
    content = Content(
        np.zeros((0, 256), np.float32),
        local=coding.describe(picture(number)),
        meta={"half": str(number % 2)},
    )
    return NewAsset(f"{number:064x}", content, path=f"/nowhere/{number}.jpg")


def pasted(share: float, number: int = 5) -> Pixels:
    """The picture on that share of the area of one that is not indexed."""
    host = cv2.resize(picture(1000), (900, 675))
    side = np.sqrt(share * host.shape[0] * host.shape[1] / (360 * 480))
    small = cv2.resize(picture(number), None, fx=side, fy=side, interpolation=cv2.INTER_AREA)
    host[90 : 90 + small.shape[0], 300 : 300 + small.shape[1]] = small
    return host


def chain(number: int) -> Pixels:
    """Cropped, mirrored, turned, recoloured, pasted on half of a host, saved as a poor JPEG."""
    part = picture(number)[40:320, 50:430][:, ::-1]
    turn = cv2.getRotationMatrix2D((190, 140), 8, 1)
    part = cv2.warpAffine(part, turn, (380, 280), borderMode=cv2.BORDER_CONSTANT)
    part = np.clip(part * np.array([1.2, 0.9, 0.7]) + 12, 0, 255).astype(np.uint8)
    host = cv2.resize(picture(1001), (500, 420))
    host[60:340, 60:440] = part
    _, data = cv2.imencode(".jpg", host, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


QUERIES = {
    "tenth of the area": pasted(0.1),
    "fifth of the area": pasted(0.2),
    "crop of 12 percent": picture(5)[100:225, 120:287],
    "mirrored": picture(5)[:, ::-1],
    "turned by 30 degrees": cv2.warpAffine(
        picture(5), cv2.getRotationMatrix2D((240, 180), 30, 0.8), (480, 360)
    ),
    "chain": chain(5),
}


@pytest.mark.parametrize("name", QUERIES)
def test_the_original_has_most_votes(store: SqliteStore, name: str) -> None:
    found = voting.votes(voting.features(QUERIES[name]), store)
    assert found.rows[0] == 6
    assert found.votes[0] > 3 * voting.CHANCE
    assert (found.votes[1:] < found.votes[0] / 2).all()
    assert (np.diff(found.votes) <= 0).all()
    assert len(set(found.rows.tolist())) == len(found.rows) == len(found.boxes)


@pytest.mark.parametrize("mirrored", [False, True])
def test_where_the_original_lies(store: SqliteStore, mirrored: bool) -> None:
    query = pasted(0.1)[:, ::-1] if mirrored else pasted(0.1)
    found = voting.votes(voting.features(np.ascontiguousarray(query)), store)
    height, width = 0.1**0.5, 0.1**0.5  # the host's shape is the original's
    left = 1 - 300 / 900 - width if mirrored else 300 / 900
    expected = [left, 90 / 675, left + width, 90 / 675 + height * 4 / 3]
    assert np.allclose(found.boxes[0], expected, atol=0.05)


def test_unrelated_pictures_get_few_votes(store: SqliteStore) -> None:
    for number in range(100, 106):
        votes = voting.votes(voting.features(picture(number)), store).votes
        assert max(votes, default=0) < 3 * voting.CHANCE  # of so few, features match rarely


def test_filters_and_repetition(store: SqliteStore) -> None:
    looked = voting.features(QUERIES["fifth of the area"])
    found = voting.votes(looked, store, {"half": "0"})
    assert 6 not in found.rows
    assert (found.rows % 2 == 1).all()
    again = voting.votes(looked, store, {"half": "0"})
    assert found.rows.tolist() == again.rows.tolist()
    assert found.votes.tolist() == again.votes.tolist()


def test_a_flat_query_votes_for_nothing(store: SqliteStore) -> None:
    found = voting.votes(voting.features(np.full((50, 60, 3), 99, np.uint8)), store)
    assert found.rows.tolist() == []
