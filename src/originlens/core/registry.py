"""One registry for every method: a decorator, a scan of the kind's folders, one entry-point group.

Built-in and third-party methods enter by the same door. Listing methods imports the method files
(which keep heavy imports inside functions) but no torch, faiss, onnxruntime or cv2.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import threading
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from typing import Any, Literal, TypeVar

from originlens.core.errors import ContractError, UsageError

Status = Literal["stable", "experimental", "toy"]
ENTRY_POINT_GROUP = "originlens.methods"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of method: the verb each class must have and the packages that are scanned for it."""

    name: str
    verb: str
    packages: tuple[str, ...]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("descriptor", "describe", ("originlens.match.descriptors",)),
        Kind("verifier", "verify", ("originlens.match.verifiers",)),
        Kind("index", "search", ("originlens.store.indexes",)),
        Kind("detector", "inspect", ("originlens.forensics.metadata",)),
        Kind("attack", "apply", ("originlens.bench.attacks",)),
        Kind("metric", "measure", ("originlens.bench.metrics",)),
        Kind("matcher", "match", ("originlens.match.matchers", "originlens.bench.peers")),
        Kind("watermark", "embed", ("originlens.bench.peers",)),
        Kind("comparator", "compare", ("originlens.match.comparators", "originlens.bench.peers")),
        Kind("baseline", "inspect", ("originlens.bench.baselines",)),
        Kind("suite", "run", ("originlens.bench.suites",)),
    )
}
DEFAULT_DESCRIPTOR = "copy-v2"
"""The descriptor of a new index; one that is there goes on with the one it was made with."""
FIRST_DESCRIPTOR = "gem-v0"
"""The descriptor of indexes that do not name theirs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A shipped weight file: enough to run it and to judge whether one may."""

    file: str
    sha256: str
    bytes: int
    licence: str
    training_data: str


Per = Literal["megapixel", "picture", "query", "call", "file"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Measured cost on one core: milliseconds for one ``per``, and peak MB.

    Cost grows with the picture (``per="megapixel"``), is the same for every ``picture``, ``query``
    or ``file``, or is that of one ``call`` on the amount of data that ``note`` tells. 0 ms says
    that no such figure holds: a suite's time is that of what it runs.
    """

    ms_per_mpx: float
    mb: float
    note: str = ""
    per: Per = "megapixel"

    def __str__(self) -> str:
        time = f"{self.ms_per_mpx:g} ms per {self.per}, " if self.ms_per_mpx else ""
        return f"{time}{self.mb:g} MB" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True)
class Card:
    """What a method is, whose idea it is, what it costs and where it fails."""

    name: str
    kind: str
    task: str
    claims: str
    paper: str
    code_licence: str
    reads: tuple[str, ...]
    cost: Cost
    status: Status
    scope: str
    fails_when: str
    extra: str | None = None
    weights: tuple[Weights, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON output and the documentation tables."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Method:
    """A registered class with its card."""

    card: Card
    cls: type

    def options(self) -> dict[str, inspect.Parameter]:
        """Keyword-only constructor parameters: the options that surfaces generate."""
        parameters = inspect.signature(self.cls).parameters
        return {k: p for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY}


T = TypeVar("T", bound=type)
_methods: dict[tuple[str, str], Method] = {}
_scanned: set[str] = set()
_scanning = threading.RLock()


def register(card: Card) -> Callable[[T], T]:
    """Class decorator: put a method into the registry.

    Raises:
        ContractError: unknown kind, incomplete card, missing verb or a name already taken.
    """

    def add(cls: T) -> T:
        _check(card, cls)
        key = (card.kind, card.name)
        known = _methods.get(key)
        if known is not None and known.cls.__qualname__ + known.cls.__module__ != (
            cls.__qualname__ + cls.__module__
        ):
            raise ContractError(
                f"{card.kind} {card.name!r} is already registered by {known.cls.__module__}; "
                "choose another name"
            )
        cls.card = card  # type: ignore[attr-defined]
        _methods[key] = Method(card, cls)
        return cls

    return add


def _check(card: Card, cls: type) -> None:
    kind = KINDS.get(card.kind)
    if kind is None:
        raise ContractError(f"unknown kind {card.kind!r}: use one of {', '.join(KINDS)}")
    required = ("name", "task", "claims", "paper", "code_licence", "reads", "scope", "fails_when")
    for name in required:
        if not getattr(card, name):
            raise ContractError(f"{card.kind} {card.name!r}: its card lacks {name!r}")
    if card.name != card.name.lower() or " " in card.name or "_" in card.name:
        raise ContractError(f"method name {card.name!r} is not kebab-case")
    if not callable(getattr(cls, kind.verb, None)):
        raise ContractError(f"{card.kind} {card.name!r} has no method {kind.verb!r}")


def _scan(kind: Kind) -> None:
    # Under a lock: a second thread must not see a list that the first is still filling.
    with _scanning:
        if kind.name in _scanned:
            return
        _scanned.add(kind.name)
        try:
            for package_name in kind.packages:
                package = importlib.import_module(package_name)
                for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
                    if not module.startswith("_"):
                        importlib.import_module(f"{package_name}.{module}")
        except BaseException:
            _scanned.discard(kind.name)
            raise
        _load_plugins()


def _load_plugins() -> None:
    if "plugins" in _scanned:
        return
    _scanned.add("plugins")
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            point.load()
        except Exception as error:  # noqa: BLE001  a broken plugin must never stop the engine
            warnings.warn(
                f"plugin {point.name!r} ({point.value}) was skipped: {error}",
                RuntimeWarning,
                stacklevel=2,
            )


def methods(kind: str | None = None) -> list[Method]:
    """Every registered method (of one kind), sorted by kind and name."""
    for known in KINDS.values():
        if kind in (None, known.name):
            _scan(known)
    return [m for (k, _), m in sorted(_methods.items()) if kind in (None, k)]


def method(kind: str, name: str) -> Method:
    """The method of that kind and name.

    Raises:
        UsageError: no such method; the message lists those that exist.
    """
    found = {m.card.name: m for m in methods(kind)}
    if name not in found:
        raise UsageError(f"no {kind} {name!r}: use one of {', '.join(found) or '(none)'}")
    return found[name]


def make(kind: str, name: str, **options: Any) -> Any:
    """An instance of the method, constructed with ``options``."""
    return method(kind, name).cls(**options)
