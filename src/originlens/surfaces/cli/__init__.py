"""The command line ``originlens``: one entry, one place where errors become exit codes.

Exit codes: 0 all fine, 1 some input failed, 2 usage (a missing index included), 130 interrupted,
141 the reader of our output went away. Nothing heavy is imported here or in ``app``: the help must
start at once, so each command imports its body when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

PROGRAM = "originlens"
INTERRUPTED = 130
READER_GONE = 141
_KEPT = f"{PROGRAM}: interrupted; everything reported so far is kept"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises, never prints a traceback.

    Args:
        arguments: words after the program's name (default: those of the process).
    """
    from originlens.surfaces.cli.streams import ReaderGone

    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except (ReaderGone, BrokenPipeError):
        return _reader_gone()
    except KeyboardInterrupt:
        return _interrupted()
    return code


def _run(arguments: list[str]) -> int:
    from originlens.surfaces.cli.streams import prepare, say

    prepare()
    try:
        from originlens.surfaces.cli.app import command

        code = int(command()(args=arguments, prog_name=PROGRAM, standalone_mode=False) or 0)
    except BrokenPipeError:
        raise
    except Exception as error:  # the one place where any error becomes a line
        if os.environ.get("ORIGINLENS_DEBUG"):
            raise
        code, message = _explain(error)
        say(message)
        return code
    # Typer turns Ctrl-C inside a command into this code.
    return _interrupted() if code == INTERRUPTED else code


def _explain(error: Exception) -> tuple[int, str]:
    """Exit code and the line (or help page) to print for an error that ended a command."""
    from originlens.core.errors import IndexMissing, OriginLensError, UsageError

    if isinstance(error, (UsageError, IndexMissing)):
        return 2, f"{PROGRAM}: {error}"
    if isinstance(error, OriginLensError):
        return 1, f"{PROGRAM}: {error}"
    if type(error).__name__ == "Abort":
        return INTERRUPTED, _KEPT
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return _explain_usage(error)
    if isinstance(error, OSError):
        return 1, f"{PROGRAM}: {error}"
    return 1, (
        f"{PROGRAM}: internal error: {type(error).__name__}: {error} "
        "(please report it; ORIGINLENS_DEBUG=1 shows where)"
    )


def _explain_usage(error: Exception) -> tuple[int, str]:
    """A usage error of Typer: one line that names the command and where its help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        return 2, error.format_message().rstrip()  # type: ignore[attr-defined]
    return 2, f"{path}: {message} (see '{path} --help')"


def _interrupted() -> int:
    from originlens.surfaces.cli.streams import say

    say(_KEPT)
    return INTERRUPTED


def _reader_gone() -> int:
    """End quietly when the reader of a pipe has closed it (``| head``)."""
    # The interpreter flushes stdout once more at exit; give it somewhere to write to.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    return READER_GONE
