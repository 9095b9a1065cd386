"""How the file is put together: format, JPEG coding, segments, data after the picture's end.

Source: ITU-T T.81; IJG's scaling of the annex K tables (for the quality estimate); C2PA 2.2 section
11 (where a manifest store lies). The use of coding parameters as evidence follows Kornblum, "Using
JPEG quantization tables to identify imagery processed by software", Digital Investigation 5, 2008.
Why it works: tables, sampling and segments are chosen by the program that wrote the file last.
Fails when: a program imitates another's choices; it says nothing about any save before the last.
"""

from __future__ import annotations

from typing import Any

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register
from originlens.forensics.metadata._segments import Walk, walk


@register(
    Card(
        name="container",
        kind="detector",
        task="metadata",
        claims="container",
        paper="ITU-T T.81; Kornblum, Digital Investigation 5, 2008",
        code_licence="Apache-2.0",
        reads=("bytes", "jpeg tables"),
        cost=Cost(ms_per_mpx=2.0, mb=1, note="a scan of the file's bytes"),
        status="stable",
        scope="the last save of the file",
        fails_when="a program imitates another's coding; earlier saves are not seen",
    )
)
class Container:
    """Reads how the file was written."""

    def inspect(self, image: Image) -> Evidence:
        """Statements under ``observed`` and ``derived``; coding parameters as values."""
        walked = walk(image.data)
        observed = [
            f"{image.format}, {image.width} × {image.height} pixels, {len(image.data)} bytes."
        ]
        observed += [f"{note[:1].upper()}{note[1:]}." for note in image.notes]
        details: dict[str, Any] = {"format": image.format, "bytes": len(image.data)}
        derived: list[str] = []
        _describe_jpeg(image, observed, derived, details)
        _describe_parts(image.data, walked, observed, details)
        _describe_end(image, walked, observed, derived, details)
        details |= {k: v for k, v in (("observed", observed), ("derived", derived)) if v}
        return Evidence(
            "container",
            "container",
            explanation=f"A {image.format} file"
            + (f" of about quality {details['quality']}." if "quality" in details else "."),
            details=details,
            scope="the last save of the file",
        )


def _describe_jpeg(
    image: Image, observed: list[str], derived: list[str], details: dict[str, Any]
) -> None:
    info = image.jpeg
    if info is None:
        return
    kind = "progressive" if info.progressive else "baseline"
    observed.append(f"Coded as {kind} JPEG, chroma {info.subsampling}.")
    details |= {
        "quality": info.quality,
        "standard_tables": info.is_standard,
        "subsampling": info.subsampling,
        "progressive": info.progressive,
    }
    if info.is_standard:
        derived.append(
            f"The luma table is the standard one at quality {info.quality}: "
            "written by the common library or a program that uses it."
        )
    else:
        derived.append(
            f"The luma table is no standard one (nearest: quality {info.quality}): "
            "cameras and some editors use their own."
        )


def _describe_parts(
    data: bytes, walked: Walk, observed: list[str], details: dict[str, Any]
) -> None:
    if not walked.parts:
        return
    names = list(dict.fromkeys(part.name for part in walked.parts))
    details["parts"] = names[:40]
    if _has_manifest(data, walked):
        observed.append(
            "It holds a C2PA manifest store. It was not verified: credentials are not examined yet."
        )


def _has_manifest(data: bytes, walked: Walk) -> bool:
    """Whether a JUMBF box of C2PA is where the specification puts it (APP11, caBX, C2PA)."""
    for part in walked.parts:
        if part.name in ("caBX", "C2PA"):
            return True
        if part.name == "APP11" and b"jumb" in data[part.start : part.start + 64]:
            return b"c2pa" in data[part.start : part.start + min(part.length, 4096)]
    return False


def _describe_end(
    image: Image, walked: Walk, observed: list[str], derived: list[str], details: dict[str, Any]
) -> None:
    if walked.end is None:
        observed.append("The file has no proper end.")
        return
    extra = len(image.data) - walked.end
    details["trailing_bytes"] = extra
    if extra <= 0 or not image.data[walked.end :].strip(b"\0\xff \r\n"):
        return
    tail = image.data[walked.end : walked.end + 16]
    if image.format == "MPO" or tail[:2] == b"\xff\xd8":
        what = "further pictures, as cameras append them"
    elif tail[4:8] == b"ftyp":
        what = "a video, as phones append it"
    elif tail[:2] == b"PK":
        what = "a ZIP archive"
    else:
        what = "data of an unknown kind"
    observed.append(f"{extra} bytes follow the end of the picture: {what}.")
    if what.startswith(("a ZIP", "data")):
        derived.append("Something other than the picture travels in this file.")
