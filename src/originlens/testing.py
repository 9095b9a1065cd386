"""Conformance checks of every kind of method, for this package and for plugins.

    import pytest
    from originlens.core import registry
    from originlens.testing import checks

    METHOD = registry.method("detector", "my-detector")

    @pytest.mark.parametrize("check", checks(METHOD), ids=str)
    def test_conformance(check):
        check()

A check raises AssertionError that says what was broken and with which input; a method whose extra
is not installed raises MissingExtra. Method classes are made with their default options. An index
whose card states a threshold "recall" may miss neighbours; any other one equals brute force.
"""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import UsageError
from originlens.core.image import Image, Pixels
from originlens.core.registry import Method

#: Statuses an ``Evidence`` may have.
_STATUSES = ("ok", "not-applicable", "failed")
#: Least share of true neighbours that an index which is not exact must return.
_LEAST_RECALL = 0.8

_Checks = dict[str, Callable[[Method], None]]


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of one method; calling it runs it."""

    method: str
    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Run the check.

        Raises:
            AssertionError: the method does not conform; the message says how.
            MissingExtra: the method's extra is not installed.
        """
        self.run()

    def __str__(self) -> str:
        return f"{self.method}-{self.name}"


def checks(method: Method) -> Iterator[Check]:
    """Every check of the method's kind.

    Raises:
        UsageError: no checks exist for that kind.
    """
    kinds = {
        "descriptor": _DESCRIPTOR,
        "verifier": _VERIFIER,
        "index": _INDEX,
        "detector": _DETECTOR,
        "attack": _ATTACK,
    }
    if method.card.kind not in kinds:
        raise UsageError(f"no conformance checks for kind {method.card.kind!r}")
    for name, run in kinds[method.card.kind].items():
        yield Check(method.card.name, name, partial(run, method))


def awkward_images() -> dict[str, Image]:
    """Pictures that methods tend to trip over, by name; made anew by each call."""
    return {name: Image(data) for name, data in _awkward_files().items()}


def textured_image(seed: int = 0, height: int = 240, width: int = 320) -> Image:
    """A picture with structure at every scale, unlike that of any other seed."""
    return Image.from_array(_texture(seed, height, width))


@lru_cache(maxsize=1)
def _awkward_files() -> dict[str, bytes]:
    from PIL import Image as Pillow

    rng = np.random.default_rng(7)
    texture = _texture(1, 96, 128)
    alpha = np.dstack([texture, rng.integers(0, 256, (96, 128), dtype=np.uint8)])
    deep = rng.integers(0, 65536, (64, 48), dtype=np.uint16)
    arrays: dict[str, npt.NDArray[Any]] = {
        "1x1": rng.integers(0, 256, (1, 1, 3), dtype=np.uint8),
        "2x2": rng.integers(0, 256, (2, 2, 3), dtype=np.uint8),
        "8x8": rng.integers(0, 256, (8, 8, 3), dtype=np.uint8),
        "wide": rng.integers(0, 256, (2, 3000, 3), dtype=np.uint8),
        "tall": rng.integers(0, 256, (3000, 2, 3), dtype=np.uint8),
        "black": np.zeros((70, 90, 3), np.uint8),
        "white": np.full((65, 33, 3), 255, np.uint8),
        "noise": rng.integers(0, 256, (97, 101, 3), dtype=np.uint8),
        "grey": texture[..., 0],
        "rgba": alpha,
        "16-bit": deep,
        "texture": texture,
    }
    files = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        Pillow.fromarray(array).save(buffer, "PNG")
        files[name] = buffer.getvalue()
    buffer = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(texture).save(buffer, "JPEG", quality=85, exif=exif)
    files["turned-jpeg"] = buffer.getvalue()
    return files


def _texture(seed: int, height: int, width: int) -> Pixels:
    """Noise summed over octaves, which local features and frequency methods both can use."""
    import cv2

    rng = np.random.default_rng([20240229, seed])
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(1, 7):
        cells = (max(1, height >> octave), max(1, width >> octave))
        layer = rng.standard_normal((*cells, 3)).astype(np.float32)
        total += cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR) * 2**octave
    low, high = np.quantile(total, [0.01, 0.99])
    return np.clip((total - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def _require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _make(method: Method) -> Any:
    return method.cls()


class _Untouched:
    """Context that checks that the pictures' pixels and bytes are the same afterwards."""

    def __init__(self, images: dict[str, Image]) -> None:
        self._images = images

    def __enter__(self) -> None:
        self._before = {n: (i.pixels.copy(), i.data) for n, i in self._images.items()}

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            return
        for name, image in self._images.items():
            pixels, data = self._before[name]
            same = np.array_equal(pixels, image.pixels) and data == image.data
            _require(same, f"the input {name} was changed")


# Descriptors ---------------------------------------------------------------------------------


def _descriptor_awkward(method: Method) -> None:
    descriptor = _make(method)
    images = awkward_images()
    with _Untouched(images):
        for name, image in images.items():
            _check_vector(descriptor, descriptor.describe(image), name)


def _check_vector(descriptor: Any, vector: Any, name: str) -> None:
    _require(isinstance(vector, np.ndarray) and vector.ndim == 1, f"{name}: not a 1-d array")
    # Bits may come packed, eight to a byte.
    lengths = {len(vector), 8 * len(vector)} if vector.dtype == np.uint8 else {len(vector)}
    _require(
        descriptor.dimension in lengths,
        f"{name}: length {len(vector)} does not fit dimension {descriptor.dimension}",
    )
    _require(np.isfinite(vector.astype(np.float64)).all(), f"{name}: not finite")


def _descriptor_deterministic(method: Method) -> None:
    first, second = _make(method), _make(method)
    for name, data in _awkward_files().items():
        a, b, c = (
            first.describe(Image(data)),
            first.describe(Image(data)),
            second.describe(Image(data)),
        )
        _require(np.array_equal(a, b), f"{name}: a second call gave another descriptor")
        _require(np.array_equal(a, c), f"{name}: a second instance gave another descriptor")


def _descriptor_container(method: Method) -> None:
    descriptor = _make(method)
    image = textured_image(3)
    again = Image(image.data)  # the same pixels out of a PNG
    a, b = descriptor.describe(image), descriptor.describe(again)
    _require(np.array_equal(a, b), "the same pixels in another container gave another descriptor")


def _descriptor_distinct(method: Method) -> None:
    descriptor = _make(method)
    vectors = [descriptor.describe(textured_image(seed)) for seed in range(4)]
    distinct = len({vector.tobytes() for vector in vectors})
    _require(distinct == len(vectors), "unrelated pictures share a descriptor")


_DESCRIPTOR: _Checks = {
    "awkward-inputs": _descriptor_awkward,
    "deterministic": _descriptor_deterministic,
    "same-in-any-container": _descriptor_container,
    "distinct": _descriptor_distinct,
}


# Verifiers -----------------------------------------------------------------------------------


def _verifier_awkward(method: Method) -> None:
    verifier = _make(method)
    images = awkward_images()
    with _Untouched(images):
        features = {name: verifier.features(image) for name, image in images.items()}
    for name, found in features.items():
        full = (images[name].height, images[name].width)
        _require(found.full_size == full, f"{name}: full_size is {found.full_size}, not {full}")
    other = verifier.features(textured_image(5))
    for name, found in features.items():
        for label, pair in (("itself", (found, found)), ("another", (other, found))):
            _check_geometry(verifier.verify(*pair), f"{name} against {label}")


def _check_geometry(geometry: Any, name: str) -> None:
    if geometry.transform is not None:
        matrix = np.asarray(geometry.transform)
        _require(matrix.shape == (3, 3), f"{name}: transform of shape {matrix.shape}")
        _require(np.isfinite(matrix).all(), f"{name}: transform is not finite")
        _require(abs(matrix[2, 2] - 1) < 1e-9, f"{name}: H[2][2] is {matrix[2, 2]}, not 1")
    for field in ("coverage_query", "coverage_asset", "agreement"):
        value = getattr(geometry, field)
        _require(-1e-9 <= value <= 1 + 1e-9, f"{name}: {field} is {value}, outside [0, 1]")
    _require(math.isfinite(geometry.correlation), f"{name}: correlation is not finite")
    _require(geometry.inliers >= 0, f"{name}: {geometry.inliers} inliers")


def _verifier_self(method: Method) -> None:
    verifier = _make(method)
    image = textured_image(6, 300, 400)
    found = verifier.features(image)
    geometry = verifier.verify(found, found)
    _require(geometry.transform is not None, "a picture does not match itself")
    off = np.abs(np.asarray(geometry.transform) - np.eye(3))
    _require(off[:2, 2].max() < 2 and off[:2, :2].max() < 0.02, f"not the identity: {off}")
    _require(geometry.coverage_query > 0.8, f"coverage of itself is {geometry.coverage_query}")


def _verifier_direction(method: Method) -> None:
    verifier = _make(method)
    image = textured_image(7, 300, 400)
    crop = Image.from_array(image.pixels[40:260, 60:360])
    geometry = verifier.verify(verifier.features(crop), verifier.features(image))
    _require(geometry.transform is not None, "a crop does not match its original")
    # Original (100, 90) lies at (40, 50) of the crop: the transform maps asset to query.
    x, y, w = np.asarray(geometry.transform) @ [100, 90, 1]
    error = math.hypot(x / w - 40, y / w - 50)
    _require(error < 3, f"the transform is {error:.1f} pixels off (asset to query, full size)")


def _verifier_deterministic(method: Method) -> None:
    results = []
    for _ in range(2):
        verifier = _make(method)
        image = textured_image(8)
        turned = Image.from_array(np.ascontiguousarray(np.rot90(image.pixels)))
        geometry = verifier.verify(verifier.features(turned), verifier.features(image))
        matrix = None if geometry.transform is None else np.asarray(geometry.transform).tolist()
        results.append((matrix, geometry.inliers, geometry.coverage_query))
    _require(results[0] == results[1], "a second run gave another geometry")


_VERIFIER: _Checks = {
    "awkward-inputs": _verifier_awkward,
    "matches-itself": _verifier_self,
    "maps-asset-to-query": _verifier_direction,
    "deterministic": _verifier_deterministic,
}


# Indexes -------------------------------------------------------------------------------------


def _index_data(method: Method, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """``count`` entries, some of them equal, numbered with gaps."""
    rng = np.random.default_rng(11)
    if "bits" in method.card.reads:
        vectors: npt.NDArray[Any] = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    else:
        centres = rng.standard_normal((40, 64))
        vectors = centres[rng.integers(0, 40, count)] + 0.5 * rng.standard_normal((count, 64))
        vectors = vectors.astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    if count > 20:
        vectors[5:15] = vectors[4]
    return vectors, np.arange(count, dtype=np.int64) * 3 + 7


def _true_scores(
    method: Method, queries: npt.NDArray[Any], vectors: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """(Q, N) inner products, or Hamming distances of packed bits."""
    if "bits" in method.card.reads:
        different = np.unpackbits(queries[:, None] ^ vectors[None], axis=2)
        return different.sum(axis=2).astype(np.float64)
    return queries.astype(np.float64) @ vectors.astype(np.float64).T


def _is_exact(method: Method) -> bool:
    return "recall" not in method.card.thresholds


def _check_answers(
    method: Method,
    index: Any,
    queries: npt.NDArray[Any],
    vectors: npt.NDArray[Any],
    ids: npt.NDArray[np.int64],
    k: int,
    **options: Any,
) -> None:
    found, scores = index.search(queries, k, **options)
    shape = (len(queries), k)
    _require(found.shape == shape and scores.shape == shape, f"answers are not of shape {shape}")
    exact = _is_exact(method)
    sign = 1 if index.larger_is_nearer else -1
    truth = _true_scores(method, queries, vectors)
    position = {int(row): at for at, row in enumerate(ids)}
    recalled = expected = 0
    for row in range(len(queries)):
        real = [int(i) for i in found[row] if i != -1]
        _require(len(set(real)) == len(real), "an entry is returned twice")
        _require(set(real) <= set(position), "an entry is returned that is not there")
        best = np.sort(truth[row] * sign)[::-1][:k]
        got = np.array([truth[row, position[i]] * sign for i in real])
        stated = scores[row, : len(real)].astype(np.float64) * sign
        _require(np.all(np.diff(stated) <= 1e-6), "answers are not sorted")
        tolerance = 1e-4 if exact else 0.05
        _require(np.allclose(stated, got, atol=tolerance), "a score is not that of its entry")
        # Ties may come in any order, so that scores and not numbers are compared.
        recalled += int((got >= best[-1] - 1e-4).sum()) if len(best) else 0
        expected += len(best)
        if exact:
            _require(len(got) == len(best), f"{len(got)} answers, {len(best)} expected")
            _require(np.allclose(got, best, atol=1e-4), "differs from brute force")
    least = expected if exact else _LEAST_RECALL * expected
    _require(recalled >= least, f"{recalled} of {expected} true neighbours found")


def _index_brute_force(method: Method) -> None:
    vectors, ids = _index_data(method, 3000)
    index = _make(method)
    before = vectors.copy(), ids.copy()
    index.build(vectors, ids)
    queries = vectors[::151]
    _check_answers(method, index, queries, vectors, ids, 10)
    same = np.array_equal(before[0], vectors) and np.array_equal(before[1], ids)
    _require(same, "the input was changed")


def _index_small(method: Method) -> None:
    for count in (1, 2, 21):
        vectors, ids = _index_data(method, count)
        index = _make(method)
        index.build(vectors, ids)
        found, _ = index.search(vectors[:2], count + 5)
        for row in found:
            missing = int((row == -1).sum())
            _require(missing >= 5, f"{count} entries gave {len(row) - missing} answers")
            _require((row[len(row) - missing :] == -1).all(), "padding is not at the end")
        if _is_exact(method):
            _check_answers(method, index, vectors[:2], vectors, ids, count + 5)


def _index_empty(method: Method) -> None:
    vectors, ids = _index_data(method, 30)
    index = _make(method)
    index.build(vectors[:0], ids[:0])
    found, _ = index.search(vectors[:3], 4)
    _require(found.shape == (3, 4) and (found == -1).all(), "an empty index gave answers")
    index.build(vectors, ids)
    found, scores = index.search(vectors[:0], 4)
    _require(found.shape == scores.shape == (0, 4), "no query must give no answer")


def _index_filters(method: Method) -> None:
    vectors, ids = _index_data(method, 1000)
    index = _make(method)
    index.build(vectors, ids)
    queries, gone = vectors[:8], ids[::2]
    kept = ~np.isin(ids, gone)
    _check_answers(method, index, queries, vectors[kept], ids[kept], 5, exclude=gone)
    _check_answers(method, index, queries, vectors[kept], ids[kept], 5, only=ids[kept])
    found, _ = index.search(queries, 5, only=ids[:0])
    _require((found == -1).all(), "a filter that admits nothing gave answers")


def _index_file(method: Method) -> None:
    vectors, ids = _index_data(method, 500)
    index = _make(method)
    index.build(vectors, ids)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "index")
        index.save(path)
        loaded = method.cls.load(path)  # type: ignore[attr-defined]
        for a, b in zip(index.search(vectors[:9], 7), loaded.search(vectors[:9], 7), strict=True):
            _require(np.array_equal(a, b), "answers differ after saving and loading")
        del loaded  # some systems cannot remove a mapped file


def _index_deterministic(method: Method) -> None:
    vectors, ids = _index_data(method, 1500)
    answers = []
    for _ in range(2):
        index = _make(method)
        index.build(vectors, ids)
        answers.append(index.search(vectors[:20], 10))
    for a, b in zip(*answers, strict=True):
        _require(np.array_equal(a, b), "a second build gave other answers")


_INDEX: _Checks = {
    "equals-brute-force": _index_brute_force,
    "fewer-entries-than-k": _index_small,
    "empty": _index_empty,
    "filters": _index_filters,
    "survives-a-file": _index_file,
    "deterministic": _index_deterministic,
}


# Detectors -----------------------------------------------------------------------------------


def _detector_awkward(method: Method) -> None:
    detector = _make(method)
    images = awkward_images()
    with _Untouched(images):
        for name, image in images.items():
            _check_evidence(method, detector.inspect(image), image, name)


def _check_evidence(method: Method, evidence: Any, image: Image, name: str) -> None:
    _require(evidence.method == method.card.name, f"{name}: method is {evidence.method!r}")
    _require(evidence.status in _STATUSES, f"{name}: status is {evidence.status!r}")
    if evidence.status != "ok":
        _require(evidence.why, f"{name}: {evidence.status} without a reason")
    try:
        json.dumps(evidence.to_dict(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{name}: not JSON: {error}") from error
    for label, heat in (("heatmap", evidence.heatmap), ("reliability", evidence.reliability)):
        if heat is None:
            continue
        _require(heat.shape == (image.height, image.width), f"{name}: {label} is {heat.shape}")
        _require(heat.dtype == np.float32, f"{name}: {label} is {heat.dtype}")
        inside = np.isfinite(heat).all() and heat.min() >= 0 and heat.max() <= 1
        _require(inside, f"{name}: {label} leaves [0, 1]")


def _detector_deterministic(method: Method) -> None:
    first, second = _make(method), _make(method)
    for name, data in _awkward_files().items():
        found = [d.inspect(Image(data)) for d in (first, first, second)]
        texts = {json.dumps({**e.to_dict(), "ms": 0}, sort_keys=True) for e in found}
        _require(len(texts) == 1, f"{name}: another call gave another answer")
        maps = {b"" if e.heatmap is None else e.heatmap.tobytes() for e in found}
        _require(len(maps) == 1, f"{name}: another call gave another map")


_DETECTOR: _Checks = {"awkward-inputs": _detector_awkward, "deterministic": _detector_deterministic}


# Attacks -------------------------------------------------------------------------------------


def _attack_awkward(method: Method) -> None:
    attack = _make(method)
    images = awkward_images()
    with _Untouched(images):
        for name, image in images.items():
            for strength in (0.2, 1.0):
                where = f"{name} at {strength}"
                result = attack.apply(image, strength, np.random.default_rng(3))
                _check_attacked(result, where)


def _check_attacked(result: Any, where: str) -> None:
    pixels = result.image.pixels
    _require(pixels.dtype == np.uint8 and pixels.ndim == 3, f"{where}: pixels are not RGB")
    _require(min(pixels.shape[:2]) >= 1, f"{where}: no pixels are left")
    mask = np.asarray(result.mask)
    _require(mask.dtype == bool, f"{where}: mask is {mask.dtype}")
    _require(mask.shape == pixels.shape[:2], f"{where}: mask {mask.shape}, picture {pixels.shape}")
    if result.transform is not None:
        matrix = np.asarray(result.transform)
        _require(matrix.shape == (3, 3), f"{where}: transform of shape {matrix.shape}")
        _require(np.isfinite(matrix).all(), f"{where}: transform is not finite")
        _require(abs(matrix[2, 2] - 1) < 1e-9, f"{where}: H[2][2] is not 1")
    try:
        json.dumps(result.parameters, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{where}: parameters are not JSON: {error}") from error


def _attack_identity(method: Method) -> None:
    attack = _make(method)
    for name, image in awkward_images().items():
        result = attack.apply(image, 0.0, np.random.default_rng(0))
        same = np.array_equal(result.image.pixels, image.pixels)
        _require(same, f"{name}: strength 0 changes pixels")
        _require(not np.asarray(result.mask).any(), f"{name}: strength 0 has a mask")
        _require(np.allclose(result.transform, np.eye(3)), f"{name}: strength 0 moves pixels")


def _attack_seeded(method: Method) -> None:
    image = textured_image(9)
    for strength in (0.3, 1.0):
        results = [
            _make(method).apply(image, strength, np.random.default_rng(seed)) for seed in (5, 5)
        ]
        a, b = results
        same = np.array_equal(a.image.pixels, b.image.pixels) and np.array_equal(a.mask, b.mask)
        _require(same, f"strength {strength}: the same seed gave another picture")
        changed = (
            a.image.pixels.shape != image.pixels.shape or (a.image.pixels != image.pixels).any()
        )
        _require(changed, f"strength {strength} does nothing to a textured picture")


def _attack_range(method: Method) -> None:
    image = textured_image(9, 40, 50)
    for strength in (-0.1, 1.1, math.nan):
        try:
            _make(method).apply(image, strength, np.random.default_rng(0))
        except UsageError:
            continue
        raise AssertionError(f"strength {strength} is not refused by UsageError")


_ATTACK: _Checks = {
    "awkward-inputs": _attack_awkward,
    "strength-0-is-identity": _attack_identity,
    "same-seed-same-picture": _attack_seeded,
    "strength-is-checked": _attack_range,
}
