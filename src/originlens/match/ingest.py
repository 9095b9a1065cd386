"""From files to assets of a store: skip what is known, describe the rest, report what is durable.

An event is yielded only when its asset is committed, so a crash loses nothing that was reported,
and a second run goes on where the first one stopped: a file whose size and time of change are those
of its last visit is not read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from originlens.core.errors import OriginLensError, UnsupportedFormat
from originlens.core.files import Found, walk
from originlens.match._describing import Described, Same, Settings, Task, describe_files
from originlens.match._workers import Workers
from originlens.match.describe import Description
from originlens.store import AddResult, AddStatus, Content, KnownPath, NewAsset, Store

ADD_SCHEMA = "index-add/1"
#: A commit holds at most this many files and waits at most this many seconds.
COMMIT_FILES = 32
COMMIT_SECONDS = 0.5
#: Up to so many files are described without worker processes.
FEW = 16
#: Files that are looked up in the catalog together.
_LOOKED_UP = 64


@dataclass(frozen=True, slots=True)
class AddEvent:
    """What became of one file (or one hash of a list); ``error`` is set where it failed."""

    path: str | None
    asset: str | None = None
    status: AddStatus | None = None
    sha256: str | None = None
    error: OriginLensError | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``index-add/1``."""
        line: dict[str, Any] = {"schema": ADD_SCHEMA, "path": self.path}
        if self.error is not None:
            return {**line, "error": self.error.to_dict()}
        return {**line, "asset": self.asset, "status": self.status, "sha256": self.sha256}

    @classmethod
    def of(cls, result: AddResult) -> AddEvent:
        """The event of a store's answer."""
        return cls(result.path, result.asset, result.status, result.sha256, result.error)


#: Called with the number of files done and the number of files in all.
Progress = Callable[[int, int], None]


class Ingest:
    """One run over files and folders.

    Args:
        store: an open store that may be written.
        leave_out: folders that a walk does not enter (the index's own).
        meta: metadata of every picture; it wins over what the file states.
        id_from: ``NAME`` for the file's name without its ending, or an EXIF field; None for ids
            made from the content.
        proxies: whether to keep small JPEGs.
        regions: whether to describe parts of every picture, too.
        workers: processes; 1 describes in this process.
        progress: told how far it is.
    """

    def __init__(
        self,
        store: Store,
        *,
        leave_out: Sequence[str] = (),
        meta: Mapping[str, str] | None = None,
        id_from: str | None = None,
        proxies: bool = True,
        regions: bool = False,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> None:
        self.store, self.leave_out = store, leave_out
        self.meta = dict(meta or {})
        self.by_name = id_from is not None and id_from.upper() == "NAME"
        field = None if self.by_name else id_from
        self.settings = Settings(proxies, regions, field, store.descriptor)
        self.workers = workers
        self.progress = progress
        self.not_pictures = 0
        self.done = 0
        self._settled: list[AddEvent | NewAsset] = []

    def run(self, paths: Iterable[str | os.PathLike[str]]) -> Iterator[AddEvent]:
        """An event per file, in order of completion, each only once it is durable."""
        given = list(paths)
        if self.progress is not None:
            total = sum(1 for _ in walk(given, leave_out=self.leave_out))
        pending: list[NewAsset] = []
        since = time.monotonic()
        for step in self._steps(walk(given, leave_out=self.leave_out)):
            for item in step:
                if isinstance(item, AddEvent):
                    self.done += 1
                    yield item
                    continue
                if not pending:
                    since = time.monotonic()
                pending.append(item)
                if len(pending) >= COMMIT_FILES or time.monotonic() - since >= COMMIT_SECONDS:
                    yield from self._commit(pending)
            if pending and time.monotonic() - since >= COMMIT_SECONDS:
                yield from self._commit(pending)
            if self.progress is not None:
                self.progress(self.done + self.not_pictures, total)
        yield from self._commit(pending)

    def _commit(self, pending: list[NewAsset]) -> Iterator[AddEvent]:
        batch = pending[:]
        pending.clear()
        if not batch:
            return
        for result in self.store.add(batch):
            self.done += 1
            yield AddEvent.of(result)

    def _steps(self, found: Iterator[Found]) -> Iterator[list[AddEvent | NewAsset]]:
        """Small groups of what is settled: events at once, assets to be committed."""
        for batch in self._described(self._unknown(found)):
            yield [*self._take_settled(), *self._outcomes(batch)]
        yield self._take_settled()

    def _described(self, tasks: Iterator[Task | None]) -> Iterator[list[Described]]:
        """Few files are described here: starting a process costs as much as fifty of them."""
        first: list[Task] = []
        for task in tasks:
            if task is None:
                yield []
            elif self.workers == 1:
                yield describe_files([task], self.settings)
            else:
                first.append(task)
                if len(first) > FEW:
                    break
        if len(first) <= FEW:
            for task in first:
                yield describe_files([task], self.settings)
            return
        with Workers(self.workers, self.settings) as workers:
            yield from workers.describe(chain(first, tasks))

    def _take_settled(self) -> list[AddEvent | NewAsset]:
        settled, self._settled = self._settled, []
        return settled

    def _unknown(self, found: Iterator[Found]) -> Iterator[Task | None]:
        """Files that must be read; None where what was settled without reading should be taken."""
        chunk: list[Found] = []
        for file in found:
            if file.error is not None:
                self._settled.append(AddEvent(file.path, error=file.error))
            elif not file.readable:
                self.not_pictures += 1
            else:
                chunk.append(file)
            if len(chunk) == _LOOKED_UP:
                yield from self._look_up(chunk)
                chunk = []
        yield from self._look_up(chunk)

    def _look_up(self, chunk: list[Found]) -> Iterator[Task | None]:
        for file, known in zip(chunk, self.store.known([f.path for f in chunk]), strict=True):
            if known is None:
                yield Task(file.path, file.explicit)
            elif self._is_unchanged(file.path, known):
                self._settle(file.path, known)
            else:
                yield Task(file.path, file.explicit, known.sha256)
        if self._settled:
            yield None

    def _is_unchanged(self, path: str, known: KnownPath) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return False
        if (status.st_size, status.st_mtime_ns) != (known.size, known.mtime_ns):
            return False
        return known.own_id or self.settings.exif_field is None

    def _settle(self, path: str, known: KnownPath) -> None:
        """A file that need not be read: nothing to do, or only its metadata or id to change."""
        has_meta = all(known.meta.get(k, "") == v for k, v in self.meta.items())
        if has_meta and (known.own_id or not self.by_name):
            self._settled.append(AddEvent(path, known.asset, "unchanged", known.sha256))
        else:
            asset = self._name_of(path) if self.by_name and not known.own_id else None
            self._settled.append(
                NewAsset(
                    known.sha256,
                    None,
                    path,
                    known.size,
                    known.mtime_ns,
                    asset=asset,
                    meta=self.meta,
                )
            )

    def _outcomes(self, batch: list[Described]) -> Iterator[AddEvent | NewAsset]:
        for item in batch:
            if isinstance(item.result, Description):
                yield self._asset(item, item.result.sha256, _content(item.result))
            elif isinstance(item.result, Same):
                yield self._asset(item, item.result.sha256, None)
            elif isinstance(item.result, UnsupportedFormat) and not item.task.explicit:
                self.not_pictures += 1
            else:
                yield AddEvent(item.task.path, error=item.result)

    def _asset(self, item: Described, sha256: str, content: Content | None) -> NewAsset:
        own_id = self._name_of(item.task.path) if self.by_name else item.own_id
        return NewAsset(
            sha256,
            content,
            item.task.path,
            item.size,
            item.mtime_ns,
            asset=own_id,
            meta=self.meta,
        )

    @staticmethod
    def _name_of(path: str) -> str:
        return os.path.splitext(os.path.basename(path))[0]


def _content(looks: Description) -> Content:
    return Content(
        vectors=looks.vectors,
        pdq=looks.pdq,
        pdq_quality=looks.pdq_quality,
        width=looks.width,
        height=looks.height,
        format=looks.format,
        orientation=looks.orientation,
        pixel_hash=looks.pixel_hash,
        proxy=looks.proxy,
        meta=looks.meta,
        local=looks.local,
    )
