"""Conformance checks of kind "matcher"."""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from originlens.core.image import Image
from originlens.core.registry import Method
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_images,
    make,
    require,
    textured_image,
)


@contextmanager
def _enrolled(method: Method, count: int, *, broken: bool = False) -> Iterator[tuple[Any, Any]]:
    """A matcher with ``count`` references open, and their paths (and a broken file's)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = []
        for number in range(count):
            path = folder / f"{number}.png"
            path.write_bytes(textured_image(number).data)
            paths.append(str(path))
        if broken:
            paths.append(str(folder / "broken.png"))
            Path(paths[-1]).write_bytes(textured_image(0).data[:500])
        state = str(folder / "state")
        failed = make(method).enrol(paths, state)
        require(failed == paths[count:], f"could not be used: {failed}, should be {paths[count:]}")
        matcher = make(method)
        matcher.open(state)
        yield matcher, paths


def _matcher_finds(method: Method) -> None:
    from PIL import Image as Pillow

    with _enrolled(method, 6, broken=True) as (matcher, paths):
        for number in (0, 3, 5):
            buffer = io.BytesIO()
            Pillow.fromarray(textured_image(number).pixels).save(buffer, "JPEG", quality=75)
            found = matcher.match(Image(buffer.getvalue()))
            require(bool(found), f"nothing was found for picture {number} recompressed")
            require(found[0].path == paths[number], f"{found[0].path} is not {paths[number]}")
            require(found[0].relation in ("copy", "identical"), f"called {found[0].relation}")


def _matcher_ranks(method: Method) -> None:
    with _enrolled(method, 6) as (matcher, paths):
        found = matcher.match(textured_image(2), top=3)
        require(len(found) <= 3, f"{len(found)} candidates where 3 were asked for")
        scores = [match.score for match in found]
        require(all(math.isfinite(s) for s in scores), f"scores are not finite: {scores}")
        require(scores == sorted(scores, reverse=True), f"not best first: {scores}")
        require({m.path for m in found} <= set(paths), "a candidate is no reference")
        require(len({m.path for m in found}) == len(found), "a reference comes twice")
        again = [(m.path, m.score) for m in matcher.match(textured_image(2), top=3)]
        require(again == [(m.path, m.score) for m in found], "a second answer differs")


def _matcher_refuses(method: Method) -> None:
    with _enrolled(method, 6) as (matcher, _):
        # Not another texture: to a descriptor without verification those look alike.
        found = matcher.match(awkward_images()["noise"])
        called = [m.relation for m in found if m.relation in ("copy", "identical")]
        require(not called, "an unrelated picture is called a copy")


def _matcher_awkward(method: Method) -> None:
    images = awkward_images()
    with Untouched(images), _enrolled(method, 2) as (matcher, _):
        for name, image in images.items():
            found = matcher.match(image)
            require(all(math.isfinite(m.score) for m in found), f"{name}: a score is not finite")


def _matcher_empty(method: Method) -> None:
    with _enrolled(method, 0) as (matcher, _):
        require(not matcher.match(textured_image(1)), "an empty reference set has candidates")


CHECKS: Checks = {
    "finds-a-recompressed-reference": _matcher_finds,
    "ranks-best-first": _matcher_ranks,
    "refuses-an-unrelated-picture": _matcher_refuses,
    "awkward-inputs": _matcher_awkward,
    "empty-reference-set": _matcher_empty,
}
