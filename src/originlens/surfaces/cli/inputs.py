"""From arguments to pictures: opening them, counting what is none, and never stopping at one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from originlens.core.errors import InternalError, OriginLensError, UnsupportedFormat, UsageError
from originlens.core.files import Found, walk
from originlens.core.image import Image
from originlens.surfaces.cli.streams import progress, say

T = TypeVar("T")


def attempt(work: Callable[[], T]) -> T | OriginLensError:
    """The result of ``work``, or the error that it raised; a fault of ours becomes one too."""
    try:
        return work()
    except OriginLensError as error:
        return error
    except Exception as error:  # noqa: BLE001  one input must never end the batch
        return InternalError(f"{type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class Item:
    """One input: its path as given or met, the picture or why there is none, and when it began."""

    path: str
    picture: Image | OriginLensError
    started: float

    @property
    def ms(self) -> float:
        """Milliseconds of wall time since this input was begun."""
        return (time.perf_counter() - self.started) * 1000


class Inputs:
    """The pictures that arguments stand for, one at a time.

    A file that was named always comes; of those a folder held, only the pictures: the others are
    counted in :attr:`not_pictures`.
    """

    def __init__(self, arguments: Sequence[str], *, leave_out: Sequence[str] = ()) -> None:
        self.arguments = arguments
        self.leave_out = leave_out
        self.not_pictures = 0
        self.pictures = 0

    def __iter__(self) -> Iterator[Item]:
        for found in walk(self.arguments, leave_out=self.leave_out):
            item = self._open(found)
            if item is None:
                self.not_pictures += 1
            else:
                self.pictures += 1
                yield item

    def count(self) -> int:
        """How many files there are to look at (a folder's other files included)."""
        return sum(1 for found in walk(self.arguments, leave_out=self.leave_out) if found.readable)

    def _report_others(self) -> None:
        """Say on stderr what a walk met that is no picture, and if there was none at all."""
        if self.not_pictures:
            noun = "file is" if self.not_pictures == 1 else "files are"
            say(f"{self.not_pictures} {noun} no picture and left out")
        if not self.pictures:
            say(f"no picture found in {', '.join(self.arguments)}")

    def each(
        self,
        answer: Callable[[Item, Image], T],
        deliver: Callable[[Item, T | OriginLensError], None],
        *,
        doing: str,
        bar: bool,
    ) -> int:
        """Answer and deliver every input in turn; returns the exit code.

        Args:
            answer: works on one input; what it raises becomes that input's error.
            deliver: prints an input's answer or its error.
            doing: what the progress bar says is being done.
            bar: whether a bar may be shown (not where answers stream to the same terminal).
        """
        failed = 0
        with progress(doing, wanted=bar) as ticker:
            if ticker.shown:
                ticker.total(self.count())
            for done, item in enumerate(self, start=1):
                result = attempt(partial(self._work, answer, item))
                failed += isinstance(result, OriginLensError)
                deliver(item, result)
                ticker.to(done + self.not_pictures)
        self._report_others()
        return 1 if failed else 0

    @staticmethod
    def _work(answer: Callable[[Item, Image], T], item: Item) -> T:
        if isinstance(item.picture, OriginLensError):
            raise item.picture
        return answer(item, item.picture)

    @staticmethod
    def _open(found: Found) -> Item | None:
        started = time.perf_counter()
        if found.error is not None:
            return Item(found.path, found.error, started)
        if not found.readable:
            return None
        picture = attempt(lambda: Image.open(found.path))
        if isinstance(picture, UnsupportedFormat) and not found.explicit:
            return None
        return Item(found.path, picture, started)


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """``K=V`` words as a mapping.

    Raises:
        UsageError: a word without "=" or with an empty key, or a key given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} {word!r}: give it as KEY=VALUE")
        if key in found:
            raise UsageError(f"{option} {word!r}: {key!r} is given twice")
        found[key] = value
    return found


def rate(value: float) -> float:
    """A false-positive rate.

    Raises:
        UsageError: it is not within (0, 1].
    """
    if not (math.isfinite(value) and 0 < value <= 1):
        raise UsageError(f"--max-false-positive-rate {value}: give a number in 0 < P <= 1")
    return value
