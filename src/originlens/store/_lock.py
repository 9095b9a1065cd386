"""The writer's lock: an operating-system lock, so a killed writer leaves none behind."""

from __future__ import annotations

import os
import sys
from typing import IO

from originlens.core.errors import IndexLocked, StoreError


class WriterLock:
    """An exclusive lock on one file, held from construction until :meth:`release`.

    ``flock`` (not ``lockf``): it belongs to the open file, so a second writer in the *same* process
    is refused too, and closing some other handle of the file does not drop it.

    Raises:
        IndexLocked: another writer holds it.
        StoreError: the folder cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._file: IO[bytes] | None = None
        try:
            file = open(path, "a+b")  # noqa: SIM115  held for the life of the writer
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            holder = file.read(64).decode("ascii", "replace").strip()
            file.close()
            raise IndexLocked(
                f"{os.path.dirname(path)}: another process is writing to this index"
                + (f" (process {holder})" if holder else "")
                + "; wait until it has finished, or stop it. Searching works meanwhile."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let the next writer in."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    #: Windows locks bytes against reading too: lock one far behind the holder's number.
    _LOCKED_BYTE = 1 << 20

    def _lock(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
