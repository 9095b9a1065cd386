"""The public index: keep originals, and ask where a picture comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from threading import Lock
from types import TracebackType
from typing import Any, Literal

import numpy as np

from originlens.core.errors import StoreError, UsageError
from originlens.core.evidence import SearchResult
from originlens.core.image import Image
from originlens.core.processors import available_cpus
from originlens.core.registry import methods
from originlens.match import _hash_lists, calibration, decision
from originlens.match.in_context import Example
from originlens.match.ingest import COMMIT_FILES, AddEvent, Ingest, Progress
from originlens.match.search import Searcher
from originlens.store import DIMENSION, CheckReport, Content, Listed, NewAsset, Removed
from originlens.store.sqlite import SqliteStore

PathLike = str | os.PathLike[str]
_CALIBRATION_CACHE = 128  # originals, about 0.5 MB each


class Index:
    """Originals in a folder, for searching and, with ``mode="w"``, for changing.

    Any number of processes may search while one writes. A context manager: leaving it closes the
    files and releases the writer's lock.

    Args:
        path: the folder. ``mode="r"`` needs an existing index and changes nothing; ``"w"`` makes
            what is missing.

    Raises:
        IndexMissing: there is no index to read.
        IndexLocked: another process is writing.
        StoreError: the folder cannot be used.
    """

    def __init__(self, path: PathLike, mode: Literal["r", "w"] = "r") -> None:
        if mode not in ("r", "w"):
            raise UsageError(f"mode is {mode!r}: use 'r' or 'w'")
        self.path = os.fspath(path)
        self.store = SqliteStore(path, mode)
        made_with = self.store.descriptor
        if made_with not in [m.card.name for m in methods("descriptor")]:
            self.store.close()
            raise StoreError(
                f"{self.path}: its vectors are of {made_with!r}, which this version "
                "does not have: add the pictures to a new index"
            )
        self.not_pictures = 0
        self._learning = Lock()
        self._learned: tuple[object, Searcher] | None = None

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release files and locks."""
        self.store.close()

    @cached_property
    def searcher(self) -> Searcher:
        """The searcher over this index; keeps features of originals in memory between searches."""
        return Searcher(self.store)

    def search(
        self,
        image: Image | PathLike,
        *,
        top: int = 10,
        max_false_positive_rate: float = 0.01,
        where: Mapping[str, str] | None = None,
        thorough: bool = False,
        diff: bool = False,
        examples: Sequence[Example] = (),
    ) -> SearchResult:
        """The originals that a picture may be made from, best first.

        Args:
            image: the picture or its path.
            top: how many candidates are listed at most.
            max_false_positive_rate: share in (0, 1] of unrelated queries that may be called a
                copy, against the whole index; moves decisions, never the list or its scores.
            where: metadata that an asset must carry.
            thorough: try more views of the query and verify more candidates.
            diff: attach a change map to every verified match.
            examples: up to 20 (original, replica) pairs of a trick to condition on, see
                :mod:`originlens.match.in_context`; what they teach is kept until others are given.

        Raises:
            UsageError: the rate is outside (0, 1], ``top`` below 1, or there are too many examples.
            InputError: the picture cannot be read.
            StoreError: the index cannot be read.
        """
        if not 0 < max_false_positive_rate <= 1:
            raise UsageError(
                f"max_false_positive_rate is {max_false_positive_rate}: use 0 < P <= 1"
            )
        if top < 1:
            raise UsageError(f"top is {top}: ask for at least 1")
        picture = image if isinstance(image, Image) else Image.open(image)
        searcher = self.learn(examples) if examples else self.searcher
        return searcher.search(
            picture,
            top=top,
            max_false_positive_rate=max_false_positive_rate,
            where=where,
            thorough=thorough,
            diff=diff,
        )

    def learn(self, examples: Sequence[Example]) -> Searcher:
        """The searcher under the pattern that examples show; learned once for the same pairs.

        :meth:`search` does it by itself; this takes the second or two before the first query.

        Raises:
            UsageError: there are no examples, or more than 20.
            InputError: a picture of them cannot be decoded.
        """
        from originlens.match.in_context.learning import learn
        from originlens.match.in_context.searching import ConditionedSearcher

        key = tuple((original.sha256, replica.sha256) for original, replica in examples)
        with self._learning:
            if self._learned is None or self._learned[0] != key:
                pattern = learn(examples, self.searcher)
                self._learned = key, ConditionedSearcher(self.searcher, pattern)
            return self._learned[1]

    def add(
        self,
        paths: Iterable[PathLike],
        *,
        meta: Mapping[str, str] | None = None,
        id_from: str | None = None,
        proxies: bool = True,
        regions: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
        calibrate: bool = True,
    ) -> Iterator[AddEvent]:
        """Add files and folders; an event per file, each only once it is durable.

        The work is done while the events are taken. Files that are in the index and unchanged are
        not read again. Of a folder's files, those that are no pictures have no event; afterwards
        :attr:`not_pictures` says how many there were.

        Args:
            paths: files, and folders that are walked recursively.
            meta: metadata of every picture; wins over what the file states.
            id_from: ``NAME`` (the file's name without its ending) or an EXIF field; by default ids
                are made from the content.
            proxies: keep small JPEGs, which verification and reports use.
            regions: describe nine overlapping quarters of every new picture, too: small crops of it
                are found more often, its vectors take ten times the room.
            workers: processes; by default as many as this process may use CPUs.
            progress: called with (files done, files in all).
            calibrate: call :meth:`calibrate` afterwards.
        """
        ingest = Ingest(
            self.store,
            leave_out=[self.path],
            meta=meta,
            id_from=id_from,
            proxies=proxies,
            regions=regions,
            workers=workers or available_cpus(),
            progress=progress,
        )
        for event in ingest.run(paths):
            self.not_pictures = ingest.not_pictures
            yield event
        self.not_pictures = ingest.not_pictures
        self.store.flush()
        if calibrate:
            self.calibrate()

    def calibrate(self, *, progress: Progress | None = None) -> int:
        """Measure how alike unrelated pictures of this index look, if it changed much since.

        ``max_false_positive_rate`` rests on it; :meth:`add` and :meth:`import_` do it by
        themselves. Searches up to 160 pictures of the index: up to a minute on two cores.

        Args:
            progress: called with (pictures done, pictures in all).

        Returns:
            How many pictures were measured, 0 where nothing was due.
        """
        if not calibration.due(self.store, decision.shipped()):
            return 0
        # Its own searcher: what it reads of the originals must not stay in memory.
        searcher = Searcher(self.store, cached_features=_CALIBRATION_CACHE)
        return calibration.refresh(self.store, searcher, progress=progress)

    def import_pdq(self, file: PathLike) -> Iterator[AddEvent]:
        """Add hash-only assets from a list of PDQ hashes; an event per line of it.

        Raises:
            ReadError: the file cannot be read.
        """
        batch: list[NewAsset] = []
        for line in _hash_lists.read(os.fspath(file)):
            if line.error is not None:
                yield AddEvent(None, error=line.error)
                continue
            vectors = np.empty((0, DIMENSION), np.float32)
            content = Content(vectors, pdq=line.pdq, pdq_quality=line.quality)
            batch.append(NewAsset(None, content, asset=line.asset, meta=line.meta))
            if len(batch) == COMMIT_FILES:
                yield from map(AddEvent.of, self.store.add(batch))
                batch = []
        if batch:
            yield from map(AddEvent.of, self.store.add(batch))
        self.store.flush()

    def list(self) -> Iterator[Listed]:
        """A line per ingested path and per hash-only asset, in order of ingestion."""
        return self.store.listed()

    def remove(self, targets: Sequence[str]) -> Sequence[Removed]:
        """Remove assets by id or sha256, or paths by file or folder; durable on return."""
        return self.store.remove(targets)

    def info(self) -> dict[str, Any]:
        """Counts, sizes, versions and the state of the calibration."""
        found = self.store.info()
        found.pop("state", None)
        own = calibration.measured_scores(self.store, decision.shipped())
        found["calibration"] = calibration.summary(own, len(self.store))
        return found

    def check(self) -> CheckReport:
        """Verify every checksum and count; repairs what can be rebuilt if opened for writing."""
        return self.store.check()

    def compact(self) -> dict[str, Any]:
        """Give the bytes of removed assets back; says what it did."""
        return self.store.compact()

    def export(self, path: PathLike, *, proxies: bool = True) -> int:
        """Write everything to one file of JSON lines; the number of assets."""
        return self.store.export(os.fspath(path), proxies=proxies)

    def import_(self, path: PathLike, *, calibrate: bool = True) -> Iterator[AddEvent]:
        """Add what :meth:`export` wrote; known assets stay as they are.

        Args:
            path: the file.
            calibrate: call :meth:`calibrate` afterwards.
        """
        yield from map(AddEvent.of, self.store.import_(os.fspath(path)))
        if calibrate:
            self.calibrate()
