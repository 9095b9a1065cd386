"""Laws of the store, against a dictionary and brute force."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, given, settings

from originlens.core.registry import make, methods
from originlens.store import Content, NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]
PICTURES = 12
PATHS = 8

add = st.tuples(
    st.just("add"),
    st.lists(
        st.tuples(st.integers(0, PATHS - 1), st.integers(0, PICTURES - 1)), min_size=1, max_size=6
    ),
)
remove = st.tuples(st.just("remove"), st.integers(0, PATHS - 1))
care = st.sampled_from([("compact", None), ("check", None), ("reopen", None), ("flush", None)])


def content(item: NewAsset) -> Content:
    assert item.content is not None
    return item.content


def compare(store: SqliteStore, model: dict[int, int], asset: Asset) -> None:
    """Store and model agree on lines, rows and the order of all neighbours."""
    assert {line.path: line.sha256 for line in store.listed()} == {
        f"/p/{path}": asset(number).sha256 for path, number in model.items()
    }
    live = sorted(set(model.values()))
    assert len(store) == len(live)
    rows = {n: store.by_sha256(asset(n).sha256 or "")[0].row for n in live}
    queries = np.concatenate([content(asset(n)).vectors for n in range(PICTURES)])
    found, similarity = store.search_vectors(queries, PICTURES)
    expected = queries @ queries[live].T
    order = np.argsort(-expected, axis=1, kind="stable")
    assert np.allclose(
        similarity[:, : len(live)], np.take_along_axis(expected, order, 1), atol=1e-5
    )
    assert (found[:, len(live) :] == -1).all()
    wanted = [[rows[live[i]] for i in line] for line in order]
    assert found[:, : len(live)].tolist() == wanted
    bits = np.stack(
        [np.frombuffer(content(asset(n)).pdq or b"", np.uint8) for n in range(PICTURES)]
    )
    distances = np.unpackbits(bits[:, None] ^ bits[live][None], axis=2).sum(axis=2)
    nearest = store.search_hashes(bits, PICTURES)[1][:, : len(live)]
    assert np.array_equal(nearest, np.sort(distances, axis=1))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.one_of(add, add, remove, care), max_size=8))
def test_a_store_equals_a_dictionary(asset: Asset, steps: list[tuple[str, object]]) -> None:
    folder = Path(tempfile.mkdtemp())
    model: dict[int, int] = {}
    store = SqliteStore(folder, "w", buffer=4)
    reader = SqliteStore(folder)
    try:
        for name, what in steps:
            if name == "add":
                pairs = what if isinstance(what, list) else []
                results = store.add([asset(n, path=f"/p/{path}") for path, n in pairs])
                for (path, number), result in zip(pairs, results, strict=True):
                    before = model.get(path)
                    expected = "added" if before is None else "updated"
                    assert result.status == ("unchanged" if before == number else expected)
                    model[path] = number
            elif name == "remove":
                (removed,) = store.remove([f"/p/{what}"])
                assert (removed.error is None) == (what in model)
                model.pop(what, None)  # type: ignore[call-overload]
            elif name == "reopen":
                store.close()
                store = SqliteStore(folder, "w", buffer=4)
            elif name == "check":
                assert store.check().repaired == store.check().damage == ()
            else:
                getattr(store, name)()
            compare(reader, model, asset)
        compare(store, model, asset)
        assert store.check().repaired == store.check().damage == ()
    finally:
        reader.close()
        store.close()
        shutil.rmtree(folder)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([method.card.name for method in methods("index")]),
    st.integers(0, 60),
    st.integers(1, 70),
    st.sets(st.integers(0, 180)),
    st.one_of(st.none(), st.sets(st.integers(0, 180))),
    st.booleans(),
)
def test_an_index_equals_brute_force(
    name: str, count: int, k: int, exclude: set[int], only: set[int] | None, reload: bool
) -> None:
    rng = np.random.default_rng(count)
    index = make("index", name)
    ids = np.arange(count, dtype=np.int64) * 3
    if index.larger_is_nearer:
        entries = rng.normal(size=(count, 32)).astype(np.float32)
        queries = rng.normal(size=(3, 32)).astype(np.float32)
        distance = -(queries @ entries.T)
    else:
        entries = rng.integers(0, 256, (count, 8), dtype=np.uint8)
        queries = rng.integers(0, 256, (3, 8), dtype=np.uint8)
        distance = np.unpackbits(queries[:, None] ^ entries[None], axis=2).sum(axis=2).astype(float)
    index.build(entries, ids)
    if reload:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "segment")
            index.save(path)
            index = type(index).load(path, mmap=False)
    found, scores = index.search(
        queries,
        k,
        exclude=np.array(sorted(exclude), np.int64),
        only=None if only is None else np.array(sorted(only), np.int64),
    )
    assert found.shape == scores.shape == (3, k)
    allowed = [i for i in ids.tolist() if i not in exclude and (only is None or i in only)]
    places = [i // 3 for i in allowed]
    size = min(k, len(allowed))
    assert (found[:, size:] == -1).all()
    assert all(
        len(set(line)) == size and set(line) <= set(allowed) for line in found[:, :size].tolist()
    )
    nearest = np.sort(distance[:, places], axis=1)[:, :size]
    got = (-scores if index.larger_is_nearer else scores)[:, :size]
    assert np.allclose(got, nearest, atol=1e-4)


def test_a_trained_index_finds_what_brute_force_finds(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(50, 256))
    vectors = centres[rng.integers(0, 50, 4000)] + rng.normal(size=(4000, 256))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    ids = np.arange(4000, dtype=np.int64) * 2
    index = make("index", "pq-fast-scan")
    index.build(vectors, ids)
    index.save(str(tmp_path / "segment"))
    loaded = type(index).load(str(tmp_path / "segment"))
    noise = rng.normal(size=(50, 256)).astype(np.float32) / 16
    queries = vectors[:50] + noise  # cosine to its own vector about 0.7
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    similarity = queries @ vectors.T
    for exclude, only in (
        (None, None),
        (ids[:40], None),
        (None, ids[::7]),
        (ids[:9], ids[::3]),
        (ids[5:4000], None),
    ):
        allowed = np.ones(4000, dtype=bool) if only is None else np.isin(ids, only)
        if exclude is not None:
            allowed &= ~np.isin(ids, exclude)
        masked = np.where(allowed, similarity, -np.inf)
        best = ids[np.argsort(-masked, axis=1)[:, :10]]
        size = min(10, int(allowed.sum()))
        for tried in (index, loaded):
            found, scores = tried.search(queries, 10, exclude=exclude, only=only)
            hits = [len(set(f[:size]) & set(b[:size])) for f, b in zip(found, best, strict=True)]
            assert np.mean(hits) / size >= index.card.thresholds["recall"]
            assert (found[:, size:] == -1).all()
            exact = np.take_along_axis(similarity, found[:, :size] // 2, 1)
            assert np.allclose(scores[:, :size], exact, atol=0.005)
