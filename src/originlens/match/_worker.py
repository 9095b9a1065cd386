"""The worker process of an ingest: reads batches of files from standard input, answers on output.

Started as its own program rather than through ``multiprocessing``: nothing of the caller's main
module is imported again, so scripts need no ``__name__`` guard. It ends when its input does, so a
killed parent leaves no workers behind.
"""

from __future__ import annotations

import os
import pickle  # both ends are this program; nothing from a file or the network is unpickled
import struct
import sys
from typing import IO, Any

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message.

    Raises:
        EOFError: the other end is gone.
    """
    return pickle.loads(_exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main() -> None:
    """Serve until the input ends."""
    source = sys.stdin.buffer
    # Native libraries that print must not get between the messages.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import cv2

    from originlens.match._describing import describe_files

    cv2.setNumThreads(1)
    settings = receive(source)
    send(sink, None)  # ready: from here on the time limit counts
    while True:
        try:
            batch = receive(source)
        except EOFError:
            return
        try:
            send(sink, describe_files(batch, settings))
        except BrokenPipeError:
            os._exit(0)


if __name__ == "__main__":
    main()
