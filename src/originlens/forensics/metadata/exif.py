"""What the camera's own record says: make, model, time, software, orientation, thumbnail, place.

Source: CIPA DC-008 (EXIF 2.32) for the tags; the statements follow the practice of Kee, Johnson and
Farid, "Digital image authentication from JPEG headers", IEEE TIFS 6(3), 2011.
Why it works: cameras write a consistent record; editing software rarely keeps all of it consistent.
Fails when: the record was removed (most platforms do), or written by hand, which leaves no trace.
"""

from __future__ import annotations

import io
from typing import Any

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_SCOPE = "statements of the file about itself"
# Sizes in the record are those as stored: a quarter turn swaps them, and no camera rounds by more.
_SIZE_SLACK = 16
_TURNS = {
    2: "mirrored",
    3: "turned by 180°",
    4: "mirrored top to bottom",
    5: "mirrored and turned",
    6: "turned by 90° clockwise",
    7: "mirrored and turned",
    8: "turned by 90° anticlockwise",
}
#: Programs that change pixels, told by a word of the Software tag in lower case.
_EDITORS = (
    "photoshop", "lightroom", "gimp", "affinity", "capture one", "darktable", "paint.net",
    "snapseed", "picasa", "pixelmator", "luminar", "facetune", "canva", "rawtherapee",
)  # fmt: skip


@register(
    Card(
        name="exif",
        kind="detector",
        task="metadata",
        claims="metadata",
        paper="CIPA DC-008 (EXIF 2.32), 2019; Kee, Johnson, Farid, IEEE TIFS 6(3), 2011",
        code_licence="Apache-2.0",
        reads=("exif",),
        cost=Cost(ms_per_mpx=0.5, mb=1, per="picture"),
        status="stable",
        scope=_SCOPE,
        fails_when="the record was removed, or written by hand",
    )
)
class Exif:
    """Reads the EXIF record; states what it says and where it contradicts itself."""

    def inspect(self, image: Image) -> Evidence:
        """Statements under ``observed``, ``derived``, ``contradictions`` and ``privacy``."""
        tags = image.exif
        if not tags:
            return Evidence(
                "exif",
                "metadata",
                status="not-applicable",
                why="the file carries no EXIF record",
                scope=_SCOPE,
            )
        statements = {
            "observed": _observed(tags, image),
            "derived": _derived(tags),
            "contradictions": _contradictions(tags, image),
            "privacy": _privacy(tags),
        }
        camera = _camera(tags)
        told = f"The record names the camera {camera}." if camera else "It names no camera."
        return Evidence(
            "exif",
            "metadata",
            explanation=f"An EXIF record of {len(tags)} entries. {told}",
            details={**{k: v for k, v in statements.items() if v}, "tags": _plain(tags)},
            scope=_SCOPE,
        )


def _camera(tags: dict[str, Any]) -> str:
    make, model = str(tags.get("Make") or "").strip(), str(tags.get("Model") or "").strip()
    # Many makers repeat their name in the model.
    return (
        model
        if make and model.lower().startswith(make.lower().split()[0])
        else f"{make} {model}".strip()
    )


def _observed(tags: dict[str, Any], image: Image) -> list[str]:
    told = []
    if camera := _camera(tags):
        told.append(f"Camera: {camera}.")
    for tag, words in (
        ("LensModel", "Lens"),
        ("DateTimeOriginal", "Time of exposure"),
        ("DateTime", "Time of the last change"),
        ("Software", "Software"),
        ("Artist", "Artist"),
        ("Copyright", "Copyright"),
        ("ImageDescription", "Description"),
    ):
        if tags.get(tag):
            told.append(f"{words}: {tags[tag]}.")
    if image.orientation in _TURNS:
        told.append(f"Orientation {image.orientation}: shown {_TURNS[image.orientation]}.")
    size = _thumbnail_size(image.data)
    if size is not None:
        told.append(f"It holds a thumbnail of {size[0]} × {size[1]} pixels.")
    return told


def _derived(tags: dict[str, Any]) -> list[str]:
    software = str(tags.get("Software") or "").lower()
    editor = next((name for name in _EDITORS if name in software), None)
    if editor is None:
        return []
    return ["The file was saved by software that edits pictures; what it did is not recorded here."]


def _contradictions(tags: dict[str, Any], image: Image) -> list[str]:
    told = []
    recorded = tags.get("ExifImageWidth"), tags.get("ExifImageHeight")
    if all(isinstance(v, int) and v > 0 for v in recorded):
        sides = sorted(int(v) for v in recorded if v is not None)
        actual = sorted((image.width, image.height))
        if any(abs(a - b) > _SIZE_SLACK for a, b in zip(sides, actual, strict=True)):
            told.append(
                f"The record says {recorded[0]} × {recorded[1]} pixels, the picture has "
                f"{image.width} × {image.height}: it was cropped or scaled after the record."
            )
    taken, changed = tags.get("DateTimeOriginal"), tags.get("DateTime")
    # "YYYY:MM:DD HH:MM:SS" sorts as time does; both are local time of one clock.
    if _is_time(taken) and _is_time(changed) and str(changed) < str(taken):
        told.append(f"It was last changed ({changed}) before it was taken ({taken}).")
    return told


def _is_time(value: object) -> bool:
    return (
        isinstance(value, str) and len(value) == 19 and value[:4].isdigit() and value[:4] > "0000"
    )


def _privacy(tags: dict[str, Any]) -> list[str]:
    told = []
    if place := _place(tags.get("GPSInfo")):
        told.append(
            f"It tells where the picture was taken: {place}. Remove this before publishing."
        )
    for tag, words in (
        ("BodySerialNumber", "the camera's serial number"),
        ("LensSerialNumber", "the lens's serial number"),
        ("CameraOwnerName", "the camera owner's name"),
    ):
        if tags.get(tag):
            told.append(f"It tells {words}: {tags[tag]}.")
    return told


def _place(gps: object) -> str | None:
    """Latitude and longitude in decimal degrees, or None where they are absent or broken."""
    if not isinstance(gps, dict):
        return None
    degrees = []
    for name, limit in (("GPSLatitude", 90), ("GPSLongitude", 180)):
        value, side = gps.get(name), gps.get(f"{name}Ref")
        numbers = value if isinstance(value, list) else []
        if len(numbers) != 3 or not all(isinstance(n, int | float) for n in numbers):
            return None
        angle = numbers[0] + numbers[1] / 60 + numbers[2] / 3600
        if not 0 <= angle <= limit:
            return None
        degrees.append(-angle if side in ("S", "W") else angle)
    return f"latitude {degrees[0]:.5f}, longitude {degrees[1]:.5f}"


def _thumbnail_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of the embedded thumbnail, read from its own header."""
    from PIL import ExifTags
    from PIL import Image as Pillow

    from originlens.forensics.metadata._segments import walk

    for part in walk(data).parts:
        block = data[part.start : part.start + part.length]
        if part.name != "APP1" or not block.startswith(b"Exif\0\0"):
            continue
        try:
            exif = Pillow.Exif()
            exif.load(block)
            where = exif.get_ifd(ExifTags.IFD.IFD1)
            start, length = int(where[0x0201]), int(where[0x0202])
            with Pillow.open(io.BytesIO(block[6 + start : 6 + start + length])) as small:
                return small.size
        except Exception:  # noqa: BLE001  hostile: a broken thumbnail is no thumbnail
            return None
    return None


def _plain(tags: dict[str, Any]) -> dict[str, Any]:
    """Tags for the report: binary blocks, which Image gives as ``<n bytes>``, are left out."""
    return {k: v for k, v in tags.items() if not (isinstance(v, str) and v.endswith(" bytes>"))}
