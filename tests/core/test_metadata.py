"""What a file says: EXIF, XMP, IPTC and JPEG tables, from honest and from hostile files."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFile
from PIL.TiffImagePlugin import IFDRational

from originlens.core.image import Image
from originlens.testing import textured_image


def encode(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(textured_image(3, 48, 64).pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def xmp(body: str, attributes: str = "", head: str = "") -> bytes:
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{head}
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" {attributes}>{body}
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


PACKET = xmp(
    "<dc:creator><rdf:Seq><rdf:li>Ann Example</rdf:li><rdf:li>Bo Müller</rdf:li></rdf:Seq>"
    "</dc:creator><dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>© Ann</rdf:li></rdf:Alt>"
    "</dc:rights><dc:title><rdf:Alt><rdf:li>A  title\n</rdf:li></rdf:Alt></dc:title>"
    "<xmpRights:WebStatement>https://example.org/licence</xmpRights:WebStatement>",
    "photoshop:Credit='Agency'",
)
STATED = {
    "credit": "Agency",
    "creator": "Ann Example; Bo Müller",
    "copyright": "© Ann",
    "licence": "https://example.org/licence",
    "title": "A title",
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_xmp_is_read_from_every_container(kind: str) -> None:
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        data = encode(kind, pnginfo=info)
    elif kind == "TIFF":
        data = encode(kind, tiffinfo={700: PACKET})
    else:
        data = encode(kind, xmp=PACKET)
    assert Image(data).embedded_metadata == STATED


def iim(*sets: tuple[int, int, bytes]) -> bytes:
    body = b"".join(
        bytes([0x1C, record, number]) + len(value).to_bytes(2, "big") + value
        for record, number, value in sets
    )
    body += b"\0" * (len(body) % 2)
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + len(body).to_bytes(4, "big") + body
    return b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block


def test_iptc_iim_is_read_and_xmp_comes_first() -> None:
    segment = iim((2, 80, b"J\xf6rg"), (2, 110, b"Wire"), (2, 116, "© Jörg".encode()))
    plain = encode("JPEG")
    found = Image(plain[:2] + segment + plain[2:]).embedded_metadata
    assert found == {"credit": "Wire", "creator": "Jörg", "copyright": "© Jörg"}
    both = encode("JPEG", xmp=PACKET)
    assert Image(both[:2] + segment + both[2:]).embedded_metadata == STATED


def test_exif_artist_and_copyright_come_last() -> None:
    exif = Pillow.Exif()
    exif[0x013B], exif[0x8298], exif[0x010E] = "An Artist", "C", "OLYMPUS DIGITAL CAMERA"
    found = Image(encode("JPEG", exif=exif)).embedded_metadata
    assert found == {"creator": "An Artist", "copyright": "C"}


def test_entities_are_refused_and_broken_xml_gives_what_it_has() -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]>"
    assert (
        Image(encode("JPEG", xmp=xmp("<dc:title>&b;</dc:title>", head=bomb))).embedded_metadata
        == {}
    )
    cut = PACKET[: PACKET.index(b"</dc:creator>") + 13]
    found = Image(encode("JPEG", xmp=cut)).embedded_metadata
    assert found == {"credit": "Agency", "creator": "Ann Example; Bo Müller"}
    deep = xmp("<dc:title>" + "<rdf:li>" * 1000 + "x" + "</rdf:li>" * 1000 + "</dc:title>")
    assert Image(encode("JPEG", xmp=deep)).embedded_metadata == {}


def test_texts_are_short_and_printable() -> None:
    long = xmp(f"<dc:title>{'x' * 20_000}</dc:title>", "photoshop:Credit='a&#9;b&#x202E;c'")
    found = Image(encode("JPEG", xmp=long)).embedded_metadata
    assert found == {"credit": "a b c", "title": "x" * 1000}


def test_exif_values_are_json_safe() -> None:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0112] = "Maker\0\0", 1
    exif.get_ifd(0x8769).update({0x829A: IFDRational(1, 50), 0x9000: b"0232", 0x927C: b"\0\1\2"})
    exif.get_ifd(0x8825).update({1: "N", 2: (IFDRational(52), IFDRational(0), IFDRational(1, 0))})
    found = Image(encode("JPEG", exif=exif)).exif
    json.dumps(found, allow_nan=False)
    assert found["Make"] == "Maker"
    assert found["ExposureTime"] == 0.02
    assert found["ExifVersion"] == "0232"
    assert found["MakerNote"] == "<3 bytes>"
    assert found["GPSInfo"]["GPSLatitudeRef"] == "N"
    assert found["GPSInfo"]["GPSLatitude"] == [52.0, 0.0, None]


def test_absent_and_broken_exif_are_empty() -> None:
    assert Image(encode("JPEG")).exif == {}
    assert Image(encode("PNG", exif=b"Exif\0\0nonsense")).exif == {}
    assert Image(encode("PNG", exif=b"Exif\0\0nonsense")).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 90, 100])
def test_jpeg_tables_and_quality(quality: int) -> None:
    info = Image(encode("JPEG", quality=quality, subsampling="4:2:2", progressive=True)).jpeg
    assert info is not None
    assert (info.subsampling, info.progressive) == ("4:2:2", True)
    assert [table.shape for table in info.tables] == [(8, 8), (8, 8)]
    assert info.is_standard
    # At the lowest settings every entry saturates, and several settings have the same tables.
    assert info.quality == quality or (quality == 1 and info.quality <= 2)
    # Row-major: the standard luma table rises faster along the top row than down the left column.
    if quality == 50:
        assert info.tables[0][0, :3].tolist() == [16, 11, 10]
        assert info.tables[0][:3, 0].tolist() == [16, 12, 14]


def test_tables_that_are_not_standard_are_said() -> None:
    table = (np.arange(64) % 7 + 3).tolist()
    info = Image(encode("JPEG", qtables=[table, table])).jpeg
    assert info is not None
    assert not info.is_standard
    assert Image(encode("PNG")).jpeg is None


def test_grey_jpeg_and_mpo_have_tables() -> None:
    buffer = io.BytesIO()
    Pillow.new("L", (9, 9)).save(buffer, "JPEG")
    info = Image(buffer.getvalue()).jpeg
    assert info is not None
    assert info.subsampling == "grey"
    frames = [Pillow.new("RGB", (16, 16)), Pillow.new("RGB", (16, 16))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    assert Image(buffer.getvalue()).jpeg is not None
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
