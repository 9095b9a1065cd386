"""What peers in environments cost: ``python benchmarks/peers.py [NAME...]``.

Times are medians of five calls on a picture of 1024 x 1024 pixels, of this process (the pipe
included), after a first call that starts the child; memory is the child's peak. The last lines are
the cost of the pipe itself: a question that the child refuses, with and without pixels.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from originlens.bench.environments import environment, environments
from originlens.core import registry
from originlens.core.errors import MissingPeer, PeerFailed
from originlens.core.image import Image
from originlens.testing import textured_image

SIDE, ROUNDS = 1024, 5
PEERS = {
    "matcher": (
        "pdqhash", "imagededup-phash", "imagededup-dhash", "imagededup-ahash", "imagededup-whash",
    ),
    "watermark": ("dwt-dct", "dwt-dct-svd", "rivagan", "blind-watermark"),
}  # fmt: skip


def median_ms(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def measured(kind: str, name: str) -> str:
    """One line of the table; run in a process of its own, whose only child is the peer's."""
    image = textured_image(1, SIDE, SIDE)
    made = registry.make(kind, name)
    if kind == "matcher":
        cells = f"{median_ms(lambda: made.describe(image)):9.1f} {'':>9}"
    else:
        sent = bytes(range(65, 65 + made.payload_bytes[0]))
        marked = Image.from_array(made.embed(image, sent))
        read = median_ms(lambda: made.read(marked))
        cells = f"{read:9.1f} {median_ms(lambda: made.embed(image, sent)):9.1f}"
    for each in environments():
        each.close()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{name:18} {cells} {peak:7.0f}"


def pipe() -> str:
    pixels = {mpx: textured_image(1, 1000, mpx * 1000).pixels for mpx in (1, 12)}
    peer = environment("pdqhash")

    def ask(array: object) -> None:
        with suppress(PeerFailed):
            peer.call("no-such-operation", array=array)  # type: ignore[arg-type]

    costs = {"nothing": median_ms(lambda: ask(None))}
    costs |= {f"{mpx} Mpx": median_ms(lambda a=a: ask(a)) for mpx, a in pixels.items()}
    return "the pipe alone: " + ", ".join(f"{ms:.2f} ms with {what}" for what, ms in costs.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="peers' methods (default: all)")
    names = parser.parse_args().names
    known = [(kind, name) for kind, found in PEERS.items() for name in found]
    if len(names) == 1:
        print(measured(*next(each for each in known if each[1] == names[0])))
        return
    print(f"{'peer':18} {'ms':>9} {'embed ms':>9} {'peak MB':>7}   ({SIDE} x {SIDE} pixels)")
    for _, name in known:
        if not names or name in names:
            subprocess.run([sys.executable, __file__, name], check=False)
    with suppress(MissingPeer):
        print(pipe())


if __name__ == "__main__":
    main()
