"""What the page says: plain sentences made from results, and text made safe to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from originlens.core.evidence import Match, Relation, ReplicationLevel, strength_in_words

#: Longest text shown for one value; metadata may hold megabytes.
LONGEST = 600

RELATIONS: dict[str, str] = {
    "identical": "Identical",
    "copy": "Copy",
    "related": "Related",
    "none": "No match",
}

QUESTIONS: dict[str, str] = {
    "origin": "Where does it come from?",
    "synthesis": "Was it generated?",
    "edits": "Was it edited?",
    "credentials": "Does it carry credentials?",
    "watermark": "Does it carry a watermark?",
    "metadata": "What does its metadata say?",
    "input_safety": "Is it safe to feed to a model?",
}

LABELS: dict[str, str] = {
    **RELATIONS,
    "not-examinable": "Not examinable",
    "no-evidence": "No evidence of editing",
    "present": "It carries metadata",
    "absent": "It carries none",
    "inconsistent": "It contradicts itself",
}

#: Metadata keys that say whose picture it is, in the order shown.
CREDITS = ("title", "creator", "credit", "copyright", "licence", "license", "source")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the evidence table."""

    method: str
    says: str
    strength: str
    scope: str


def visible(value: object) -> str:
    """Text in which nothing can hide: control, surrogate and direction characters are spelled out.

    A name such as ``photo<U+202E>gpj.exe`` would otherwise be drawn reversed, and bytes of a file
    name that are no UTF-8 (``surrogateescape``) could not be written at all.
    """
    text = str(value)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … ({len(text)} characters)"
    return "".join(_spelled(c) if _is_hidden(c) else c for c in text)


def _is_hidden(character: str) -> bool:
    if character in "\n\u200c\u200d":  # the joiners are ordinary letters' business
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # one undecodable byte, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def sentence(text: str) -> str:
    """The text as a sentence: a capital in front, a full stop behind."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def base_name(path: str) -> str:
    """The last part of a path of either kind of system."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or path


def name_of(match: Match) -> str:
    """How an asset is called in sentences: its title, own id, or file name."""
    title = match.meta.get("title")
    if isinstance(title, str) and title.strip():
        return title.strip()
    own = match.asset and match.asset != match.path and not _is_digest(match.asset)
    return match.asset if own else base_name(match.path) or match.asset


def _is_digest(text: str) -> bool:
    return len(text) >= 16 and all(c in "0123456789abcdef" for c in text.lower())


def probability(value: float) -> str:
    """A probability without false certainty at the ends: ``probability > 0.999``."""
    if value > 0.9995:
        return "probability > 0.999"
    return "probability < 0.001" if value < 0.0005 else f"probability {value:.3f}"


def headline(relation: Relation, match: Match | None) -> tuple[str, str]:
    """(lead, tail) around the asset's name: ``("Made from", "")``."""
    if match is None:
        return "No original found", ""
    if relation == "identical":
        return "The same picture as", ""
    if relation == "related":
        return "Related to", ", but not a copy of it"
    if relation == "none":
        return "No original found", ""
    if match.direction == "query-from-asset":
        return "Made from", ""
    if match.direction == "asset-from-query":
        return "The source of", ""
    return "A copy of", ""


def rows_of_match(match: Match) -> list[Row]:
    """What each step of the search found about a candidate."""
    rows = []
    if match.relation == "identical":
        says = "The same bytes, or the same pixels after decoding."
        rows.append(Row("Exact comparison", says, "certain", "bytes and decoded pixels"))
    if match.pdq_distance is not None:
        rows.append(_pdq_row(match.pdq_distance, match.pdq_quality))
    if match.relation != "identical" or match.inliers:
        rows.append(_geometry_row(match))
    if match.level is not None:
        rows.append(_level_row(match.level))
    rows.append(
        Row(
            "Decision",
            sentence(match.why) or "No reason was recorded.",
            probability(match.probability),
            "calibrated; copy or not at the chosen false-positive rate",
        )
    )
    return rows


def _level_row(found: ReplicationLevel) -> Row:
    says = f"{sentence(found.in_words())} Expected {found.value:.1f} on the scale from 0 to 5."
    strength = f"90 % of the time {found.low:.1f} to {found.high:.1f}"
    return Row("Replication level", says, strength, "graded by measured share and fidelity")


def _pdq_row(distance: int, quality: int | None) -> Row:
    words = f"{distance} of 256 bits differ."
    if quality is not None:
        words += f" Quality {quality} of 100."
    if quality is not None and quality < 50:
        strength = "too plain a picture for this hash"
    elif distance <= 31:
        strength = "a match by the exchanges' rule (31 or less)"
    else:
        strength = "no match by this hash"
    return Row("Perceptual hash (PDQ)", words, strength, "whole picture, mirrored and rotated")


def _geometry_row(match: Match) -> Row:
    if match.transform is None:
        says = "No common geometry was found, or none was looked for."
        return Row("Local features, verified", says, "none", "SIFT and a robust homography")
    says = (
        f"{match.inliers} points of detail lie alike in both; the original explains "
        f"{share(match.coverage)} of the query's area."
    )
    strength = "strong" if match.inliers >= 50 else "moderate" if match.inliers >= 15 else "weak"
    return Row("Local features, verified", says, strength, "SIFT and a robust homography")


#: What a search or comparison leaves open, whatever it found.
NOT_SEARCHED = [
    (
        "Generation, local edits without an original, credentials, watermark.",
        "A search asks one question only: whether the index holds the original. "
        "The command “examine” asks the others.",
    ),
    (
        "Pictures outside the index.",
        "No match means: not in this index, not that no original exists.",
    ),
]
NOT_COMPARED = [
    (
        "Generation, edits common to both, credentials, watermark.",
        "A comparison says only how the two differ. The command “examine” asks the others.",
    )
]


def share(value: float) -> str:
    """A share in [0, 1] as a percentage that never rounds to a false 0 or 100."""
    percent = 100 * value
    if 0 < percent < 1:
        return "under 1%"
    if 99 < percent < 100:
        return "over 99%"
    return f"{percent:.0f}%"


def credits_of(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Metadata of an asset for display: whose it is first, then the user's own keys."""
    known = [k for k in CREDITS if k in meta]
    others = sorted(k for k in meta if k not in CREDITS)
    return [(key, _text(meta[key])) for key in (*known, *others) if _text(meta[key])]


#: Lists of sentences that detectors put into an Evidence's details, in the order shown.
_STATEMENTS = ("contradictions", "observed", "derived", "privacy")


def statements(details: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parts of an Evidence's details that are lists of sentences."""
    told = {key: details.get(key) for key in _STATEMENTS}
    return {k: [str(v) for v in told_by] for k, told_by in told.items() if told_by}


def values(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rest of an Evidence's details as (key, text), nested tables opened."""
    pairs: list[tuple[str, Any]] = []
    for key, value in details.items():
        if key not in _STATEMENTS:
            pairs += value.items() if isinstance(value, Mapping) else [(key, value)]
    return [(key, _text(value)) for key, value in sorted(pairs, key=lambda p: p[0]) if _text(value)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_text(v)}" for k, v in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(_text(v) for v in value)
    return str(value)


def strength(score: float | None, log10_lr: float | None, p_value: float | None = None) -> str:
    """How strong a finding is, in words where a likelihood ratio exists."""
    if log10_lr is not None:
        return f"{strength_in_words(log10_lr)} (log10 LR {log10_lr:+.1f})"
    if p_value is not None:
        return f"p = {p_value:.2g}"
    return "" if score is None else f"score {score:.3f}"
