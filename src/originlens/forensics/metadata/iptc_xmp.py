"""Whose picture it is and how it was made, as IPTC and XMP metadata and generators' fields state.

Source: IPTC Photo Metadata Standard 2025.1 (digital source type, AI fields; its controlled
vocabulary), XMP parts 1 and 2; GB 45438-2025 (the AIGC label); text fields that generators write.
Why it works: agencies, cameras and generators declare these fields, some by law.
Fails when: the fields were removed, which most platforms do, or are wrong: nothing proves them.
"""

from __future__ import annotations

from typing import Any

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register
from originlens.forensics.metadata._segments import png_texts, walk

_SCOPE = "statements of the file about itself"
_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ "
_XMP = "http://ns.adobe.com/xap/1.0/ "
_SOURCE_TYPE = _EXT + "DigitalSourceType"
#: XMP property -> how the report calls it.
_PROPERTIES = {
    _SOURCE_TYPE: "Digital source type",
    _EXT + "AISystemUsed": "AI system used",
    _EXT + "AISystemVersionUsed": "Version of the AI system",
    _EXT + "AIPromptInformation": "Prompt",
    _EXT + "AIPromptWriterName": "Writer of the prompt",
    _XMP + "CreatorTool": "Creator tool",
    "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC": "AIGC label",
}
_GENERATED = {
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "a composite with parts made by a trained model",
    "compositeSynthetic": "a composite with synthetic parts",
    "algorithmicMedia": "made by an algorithm without training data",
}
#: Code of the IPTC vocabulary -> what it means.
_SOURCES = {
    **_GENERATED,
    "digitalCapture": "captured by a digital camera",
    "computationalCapture": "captured by a camera that merges frames",
    "negativeFilm": "digitised from a negative",
    "positiveFilm": "digitised from a positive",
    "print": "digitised from a print",
    "humanEdits": "a capture edited by a person",
    "minorHumanEdits": "a capture with minor edits by a person",
    "algorithmicallyEnhanced": "a capture enhanced by an algorithm",
    "compositeCapture": "a composite of captures",
    "composite": "a composite of several elements",
    "digitalCreation": "created by a person with digital tools",
    "digitalArt": "created by a person with digital tools",
    "screenCapture": "a screen shot",
    "virtualRecording": "a recording of a virtual scene",
    "dataDrivenMedia": "a rendering of data",
}
#: Keyword of a PNG text chunk -> the kind of program that writes it.
_GENERATOR_TEXTS = {
    "parameters": "as Stable Diffusion web interfaces write them",
    "prompt": "as node-based diffusion interfaces write it",
    "workflow": "as node-based diffusion interfaces write it",
    "invokeai_metadata": "as InvokeAI writes it",
    "sd-metadata": "as InvokeAI writes it",
    "Dream": "as early Stable Diffusion scripts write it",
    "AIGC": "the label of GB 45438-2025",
}
_LONGEST = 300


@register(
    Card(
        name="iptc-xmp",
        kind="detector",
        task="metadata",
        claims="metadata",
        paper="IPTC Photo Metadata Standard 2025.1; ISO 16684-1 (XMP); GB 45438-2025",
        code_licence="Apache-2.0",
        reads=("xmp", "iptc", "text chunks"),
        cost=Cost(ms_per_mpx=1.0, mb=2, per="picture"),
        status="stable",
        scope=_SCOPE,
        fails_when="the fields were removed, or are false: nothing proves them",
    )
)
class IptcXmp:
    """Reads rights, source type and generators' fields."""

    def inspect(self, image: Image) -> Evidence:
        """Statements under ``observed``, ``derived`` and ``contradictions``."""
        rights = image.embedded_metadata
        stated = _stated(image)
        texts = _generator_texts(image.data)
        if not (rights or stated or texts):
            return Evidence(
                "iptc-xmp",
                "metadata",
                status="not-applicable",
                why="the file carries no IPTC, XMP or generator fields",
                scope=_SCOPE,
            )
        observed = [f"{key.capitalize()}: {value}." for key, value in rights.items()]
        observed += [f"{_PROPERTIES[name]}: {value}." for name, value in stated.items()]
        observed += [
            f"Text field “{key}” ({_GENERATOR_TEXTS[key]}): {value}" for key, value in texts.items()
        ]
        derived, contradictions = _derived(stated, texts, image)
        statements = {"observed": observed, "derived": derived, "contradictions": contradictions}
        count = len(rights) + len(stated) + len(texts)
        return Evidence(
            "iptc-xmp",
            "metadata",
            explanation=f"{count} descriptive field{'s' if count != 1 else ''}.",
            details={k: v for k, v in statements.items() if v},
            scope=_SCOPE,
        )


def _stated(image: Image) -> dict[str, str]:
    found = image.xmp(_PROPERTIES)
    return {name: _short("; ".join(found[name])) for name in _PROPERTIES if found.get(name)}


def _generator_texts(data: bytes) -> dict[str, str]:
    texts = png_texts(data, walk(data).parts)
    return {key: _short(texts[key]) for key in _GENERATOR_TEXTS if texts.get(key)}


def _derived(
    stated: dict[str, str], texts: dict[str, str], image: Image
) -> tuple[list[str], list[str]]:
    derived, contradictions = [], []
    source = stated.get(_SOURCE_TYPE, "").rstrip("/").rsplit("/", 1)[-1]
    if source in _SOURCES:
        derived.append(f"The file declares itself {_SOURCES[source]}.")
    if texts:
        derived.append("Its text fields are those of an image generator.")
    exif: dict[str, Any] = image.exif
    camera = str(exif.get("Model") or exif.get("Make") or "").strip()
    is_generated = source in _GENERATED or bool(texts)
    if is_generated and camera and exif.get("ExposureTime"):
        contradictions.append(
            f"It names a camera ({camera}) with an exposure, and declares itself generated."
        )
    if source == "digitalCapture" and texts:
        contradictions.append("It declares a camera capture, and carries a generator's fields.")
    return derived, contradictions


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
