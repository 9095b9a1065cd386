"""The parent's end: a process of a peer's environment that is asked over pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, Any

from originlens.bench.environments import _serve
from originlens.core.errors import OriginLensError

#: One thread per process, as everywhere in the bench: processes are what use the CPUs.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_GRACE = 1.0  # seconds in which a process that closed its pipes has ended
_LAST_WORDS = 400  # bytes of stderr that an error quotes


class ChildDied(OriginLensError):
    """The process ended, hung or was never there; it answers no more."""


class Child:
    """A started process.

    Args:
        python: the environment's interpreter.
        script: the peer's file, see :mod:`originlens.bench.environments._serve`.
        check: the module whose import shows that the peer is there.
        stand_ins: modules that are replaced by empty ones.
        timeout: seconds until it must have started.

    Raises:
        ChildDied: it did not start; says why.
    """

    def __init__(
        self, python: str, script: str, check: str, stand_ins: Sequence[str], *, timeout: float
    ) -> None:
        settings = {"script": script, "check": check, "stand_ins": list(stand_ins)}
        command = [python, "-I", _serve.__file__, json.dumps(settings)]
        self._stderr: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115  closed by close()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env={**os.environ, **_THREADS},
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except OSError as error:
            self._stderr.close()
            raise ChildDied(f"cannot be started: {error.strerror}") from error
        self._owner = os.getpid()
        self._end = weakref.finalize(self, _end, self._process, self._stderr, self._owner)
        ready, _ = self._exchange(None, b"", timeout)
        if "error" in ready:
            self.close()
            raise ChildDied(f"does not start: {ready['error']}")

    @property
    def is_own(self) -> bool:
        """Whether this process started it: a fork inherits the pipes and must not use them."""
        return self._owner == os.getpid()

    def ask(
        self, header: Mapping[str, Any], data: bytes | memoryview, *, timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        """The reply to a question.

        Raises:
            ChildDied: no reply came in ``timeout`` seconds, or the process ended.
        """
        os.ftruncate(self._stderr.fileno(), 0)  # last words are about this question
        return self._exchange(header, data, timeout)

    def close(self) -> None:
        """End the process and everything it started."""
        self._end()

    def _exchange(
        self, header: Mapping[str, Any] | None, data: bytes | memoryview, timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send (unless None) and receive; a clock ends the process, which ends either."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            _kill(self._process)

        clock = threading.Timer(timeout, stop)
        clock.daemon = True
        clock.start()
        pipes: Any = self._process
        try:
            if header is not None:
                _serve.write_message(pipes.stdin, dict(header), data)
            return _serve.read_message(pipes.stdout)
        except (OSError, EOFError, ValueError) as error:
            reason = f"no reply in {timeout:g} s" if late.is_set() else self._last_words()
            self.close()
            raise ChildDied(reason) from error
        finally:
            clock.cancel()

    def _last_words(self) -> str:
        """How it ended, and the last line that it wrote."""
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "its reply cannot be read"
        size = os.fstat(self._stderr.fileno()).st_size
        tail = os.pread(self._stderr.fileno(), _LAST_WORDS, max(0, size - _LAST_WORDS))
        lines = tail.decode("utf-8", "replace").strip().splitlines()
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"its process {how}" + (f": {lines[-1]}" if lines else "")


def _kill(process: subprocess.Popen[bytes]) -> None:
    # Not yet reaped (returncode None), so that its id still is its own. The whole group: what the
    # peer started may hold the pipes open.
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], stderr: IO[bytes], owner: int) -> None:
    """End the process and close the pipes; in a fork of the owner close the pipes only."""
    if os.getpid() == owner:
        _kill(process)
        process.wait()
    for stream in (process.stdin, process.stdout, stderr):
        try:
            if stream is not None:
                stream.close()
        except BrokenPipeError:
            continue
