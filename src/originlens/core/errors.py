"""The error tree. Every message names the input and says what to do next.

OriginLensError
|-- InputError            one input cannot be used; the rest of the batch goes on
|   |-- ReadError         the file is missing, a directory, or not readable
|   |-- UnsupportedFormat the bytes are no picture in a listed format
|   |-- CorruptImage      a picture format, but broken or truncated
|   |-- ImageTooLarge     more pixels, bytes or frames than the limits allow
|   |-- DecodeTimeout     decoding ran past its time limit
|   |-- WorkerDied        native code crashed while it read the file
|   |-- PeerFailed        a competitor's program refused the input, died or hung
|   |-- AssetIdTaken      the id asked for names another picture already
|   `-- AssetUnknown      nothing in the index has that id, path or hash
|-- StoreError            the index as a whole cannot be used
|   |-- IndexMissing      there is no index in that folder
|   |   `-- IndexUnfinished   making it was cut short before it held anything
|   |-- IndexLocked       another process is writing to it
|   |-- IndexCorrupt      a checksum, count or row is wrong and could not be rebuilt
|   `-- IndexVersion      written by a newer release
|-- UsageError            a wrong option or argument (exit code 2)
|-- MissingExtra          an optional dependency is absent; names the pip command
|   `-- MissingPeer       a competitor has no environment here; names the reason
|-- WeightsError          a weight file is absent or its checksum is wrong
|-- ContractError         a method breaks the registry's contract
`-- InternalError         a fault of OriginLens itself, met while it worked on one input
"""

from __future__ import annotations


class OriginLensError(Exception):
    """Base of every error that OriginLens raises on purpose."""

    @property
    def type(self) -> str:
        """Name used in the ``error.type`` field of JSON output."""
        return type(self).__name__

    def to_dict(self) -> dict[str, str]:
        """``{"type", "message"}`` as JSON output carries it."""
        return {"type": self.type, "message": str(self)}


class InputError(OriginLensError):
    """One input cannot be used; the rest of the batch goes on."""


class ReadError(InputError):
    """The file is missing, is a directory or cannot be read."""


class UnsupportedFormat(InputError):
    """The bytes are not a picture in a format that OriginLens reads."""


class CorruptImage(InputError):
    """The bytes start like a picture but cannot be decoded in full."""


class ImageTooLarge(InputError):
    """The picture exceeds a limit on pixels, bytes or frames."""


class DecodeTimeout(InputError):
    """Decoding ran past its time limit."""


class WorkerDied(InputError):
    """The process that read the file crashed or was killed; the file may be hostile."""


class PeerFailed(InputError):
    """A competitor's program refused the input, died of it or ran past its time."""


class AssetIdTaken(InputError):
    """The id asked for already names another picture."""


class AssetUnknown(InputError):
    """Nothing in the index has that id, path or hash."""


class StoreError(OriginLensError):
    """The index as a whole cannot be used."""


class IndexMissing(StoreError):
    """There is no index in the folder given."""


class IndexUnfinished(IndexMissing):
    """Making the index was cut short before it held anything: a writer finishes it."""


class IndexLocked(StoreError):
    """Another process holds the writer's lock."""


class IndexCorrupt(StoreError):
    """Stored data fails its checksum or count and could not be rebuilt."""


class IndexVersion(StoreError):
    """The index was written by a newer, incompatible release."""


class UsageError(OriginLensError):
    """A wrong option or argument; the command line exits with 2."""


class MissingExtra(OriginLensError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'originlens[{extra}]'")
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """Made again from its arguments, not from its message: it travels between processes."""
        return type(self), (self.package, self.extra)


class MissingPeer(MissingExtra):
    """A competitor's environment is not installed, or does not start."""

    def __init__(self, peer: str, reason: str) -> None:
        # Not the parent's message: what is missing is an environment, no extra of this package.
        OriginLensError.__init__(
            self, f"{peer}: {reason}: run `originlens bench peers --install {peer}`"
        )
        self.package = self.extra = peer
        self.reason = reason

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """As the parent's, with the reason."""
        return type(self), (self.package, self.reason)


class WeightsError(OriginLensError):
    """A weight file is absent or its checksum is wrong."""


class ContractError(OriginLensError):
    """A method breaks the registry's contract (duplicate name, missing verb, incomplete card)."""


class InternalError(OriginLensError):
    """A fault of OriginLens itself while it worked on one input; the rest of the batch goes on."""
