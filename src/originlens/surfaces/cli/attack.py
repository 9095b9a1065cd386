"""``originlens attack``: edit pictures in a known way and keep the truth about the edit."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from originlens.core import maps
from originlens.core.errors import OriginLensError, UsageError
from originlens.core.image import Image
from originlens.surfaces.cli.inputs import Inputs, Item
from originlens.surfaces.cli.streams import console, json_line, printable, say_error

SCHEMA = "attack/1"
#: What a target's ending asks for; another picture is coded anew, without loss where that exists.
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_ENDINGS = {"JPEG": ".jpg", "WEBP": ".webp"}
_SAVING: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
}


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written for one picture."""

    file: str
    mask: str | None
    facts: dict[str, Any]


def run(
    expression: str,
    source: str,
    target: str,
    *,
    seed: int,
    others: Sequence[str],
    masks: str | None,
    jsonl: bool,
) -> int:
    """Attack one picture, or every picture of a folder; returns the exit code.

    Raises:
        UsageError: the expression is none, or the target does not go with the source.
    """
    from originlens.bench.chains import parse

    chain = parse(expression)
    many = os.path.isdir(source)
    _check_target(source, target, many=many)
    mask_folder = maps.folder(masks)
    pool = [Image.open(path) for path in others]
    inputs = Inputs([source], leave_out=[target] if many else [])

    def answer(item: Item, picture: Image) -> _Written:
        # From the content, so that a picture's edit depends on no other picture of the folder.
        rng = np.random.default_rng([seed, *bytes.fromhex(picture.sha256[:32])])
        made = chain.apply(picture, rng, others=pool)
        path = _place(item.path, source, target, made.image.format) if many else target
        _write(made.image, path)
        mask = None
        if mask_folder is not None:
            drawn = made.mask.astype(np.uint8) * np.uint8(255)
            mask = maps.save(drawn, mask_folder, picture.sha256, str(chain))
        facts = {
            "sha256": picture.sha256,
            "attack": str(chain),
            "seed": seed,
            "transform": made.transform.tolist(),
            "masked": float(made.mask.mean()),
            "parameters": made.parameters,
        }
        return _Written(path, mask, facts)

    def deliver(item: Item, result: _Written | OriginLensError) -> None:
        if isinstance(result, OriginLensError):
            if jsonl:
                json_line({"schema": SCHEMA, "path": item.path, "error": result.to_dict()})
            else:
                say_error(item.path, result.to_dict())
        elif jsonl:
            json_line(
                {
                    "schema": SCHEMA,
                    "path": item.path,
                    "written": os.path.abspath(result.file),
                    "mask": result.mask,
                    **result.facts,
                    "ms": item.ms,
                }
            )
        else:
            told = f"{result.file}  {_words(result.facts)}"
            console().print(printable(told), soft_wrap=True, markup=False)

    return inputs.each(answer, deliver, doing="attacking", bar=not jsonl and many)


def _check_target(source: str, target: str, *, many: bool) -> None:
    """Refuse a target that would lose something or that nothing could be written to."""
    if many:
        if os.path.realpath(source) == os.path.realpath(target):
            raise UsageError(f"{target}: is the source folder: choose another one")
        maps.folder(target)
    elif os.path.splitext(target)[1].lower() not in _FORMATS:
        raise UsageError(f"{target}: its ending must be one of {', '.join(_FORMATS)}")
    elif os.path.exists(target) and os.path.exists(source) and os.path.samefile(source, target):
        raise UsageError(f"{target}: is the source: choose another name")


def _place(path: str, source: str, target: str, format_: str) -> str:
    """Where the attacked picture of ``path`` goes: the same tree, its whole name and an ending.

    The whole name, since ``a.jpg`` and ``a.png`` may lie side by side.
    """
    inside = os.path.relpath(path, source)
    return os.path.join(target, inside + _ENDINGS.get(format_, ".png"))


def _write(image: Image, path: str) -> None:
    """Write a picture; its own bytes where they have the format of the path's ending."""
    from PIL import Image as Pillow

    wanted = _FORMATS[os.path.splitext(path)[1].lower()]
    data = image.data
    if image.format != wanted:
        buffer = io.BytesIO()
        Pillow.fromarray(image.pixels).save(buffer, wanted, **_SAVING[wanted])
        data = buffer.getvalue()
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(unfinished, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)


def _words(facts: dict[str, Any]) -> str:
    """The drawn parameters, step by step."""
    steps = [
        f"{step['attack']} {step['strength']:.2f} "
        + json.dumps({k: v for k, v in step.items() if k not in ("attack", "strength")})
        for step in facts["parameters"]["steps"]
    ]
    return "; ".join(steps)
