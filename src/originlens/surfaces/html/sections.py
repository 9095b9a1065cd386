"""What a section of the page shows, made from results and pictures; the templates only place it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from originlens.core.evidence import Evidence, Match, Report, SearchResult, Verdict
from originlens.core.image import Image
from originlens.surfaces.html import words
from originlens.surfaces.html.views import Originals, Scale, Section, match_view, query_of


def search_section(
    key: str,
    result: SearchResult,
    image: Image | None,
    originals: Originals,
    scale: Scale,
    *,
    alone: bool,
) -> Section:
    """The section of one search: the best match in full, others folded."""
    query = query_of(key, image, scale)
    section = Section(key, "search.html", result.query, query, "h1" if alone else "h2")
    section.back, section.expanded = not alone, alone
    section.kind = "Query"
    section.relation, section.chip = result.decision, words.RELATIONS[result.decision]
    best = result.matches[0] if result.matches else None
    section.lead, section.tail = words.headline(result.decision, best)
    _place_matches(section, result.matches, originals, scale)
    section.files = [("Query", _query_facts(image, result))]
    if section.best is not None:
        kind = "Nearest candidate" if result.decision == "none" else "Original"
        section.files.append((kind, section.best.facts))
    section.missing = _missing_of_search(section, result)
    if not result.matches:
        section.sentence = "The index holds nothing that could be compared with it."
    return section


def _place_matches(
    section: Section, matches: Sequence[Match], originals: Originals, scale: Scale
) -> None:
    """Best match first and in full; more matches in full as far as the page allows."""
    for place, match in enumerate(matches):
        key = f"{section.id}-m{place + 1}"
        full = place == 0 or (place < scale.full and match.relation != "none")
        view = match_view(key, match, section.query, originals, scale, small=not full)
        if place == 0:
            section.best = view
        else:
            (section.more if full else section.others).append(view)


def _query_facts(image: Image | None, result: SearchResult) -> list[tuple[str, str]]:
    facts = [("file", result.query)]
    if image is not None:
        facts.append(("size", f"{image.width} × {image.height} pixels, {image.format}"))
        facts.extend(("note", note) for note in image.notes)
    facts.append(("SHA-256", result.sha256))
    if result.ms:
        facts.append(("time", f"{result.ms:.0f} ms"))
    return facts


def _missing_of_search(section: Section, result: SearchResult) -> list[tuple[str, str]]:
    missing = []
    if section.query.pic is None:
        missing.append(("Query picture.", "It could not be read again when the page was written."))
    best = section.best
    if best is not None:
        if best.original is None:
            why = "Its file is not at hand and the index keeps no picture of it."
            missing.append((f"Picture of {best.name}.", why))
        if best.match.transform is None and best.match.relation != "identical":
            why = "No geometry was verified between the two, so nothing could be laid over."
            missing.append(("Alignment and change map.", why))
        elif best.overlay is None and best.match.relation in ("copy", "related"):
            missing.append(("Change map.", "None was made for this match."))
    unverified = sum(m.transform is None and m.relation == "none" for m in result.matches[1:])
    if unverified:
        why = "They came up in the lookup, but shared no geometry with the query."
        missing.append((f"{unverified} weaker candidate{'s' if unverified > 1 else ''}.", why))
    return missing


def examine_section(
    key: str,
    report: Report,
    image: Image | None,
    originals: Originals,
    scale: Scale,
    *,
    alone: bool,
) -> Section:
    """The section of one examination: a verdict per question, then what supports each."""
    query = query_of(key, image, scale)
    path = str(report.image.get("path", ""))
    section = Section(key, "examine.html", path, query, "h1" if alone else "h2")
    section.back = not alone
    section.title = words.base_name(path)
    asked, answered = len(report.verdicts), _answered(report)
    section.sentence = f"{answered} of {asked} question{'s' if asked != 1 else ''} answered."
    asked_first = sorted(report.verdicts.values(), key=lambda v: v.label == "not-examinable")
    section.verdicts = [_verdict_view(v) for v in asked_first]
    section.chip, section.relation = f"{answered} of {asked} answered", "none"
    if "origin" in report.verdicts and report.verdicts["origin"].label in words.RELATIONS:
        label = report.verdicts["origin"].label
        section.relation, section.chip = label, words.RELATIONS[label]
    _place_matches(section, report.matches, originals, scale)
    if section.best is not None:
        section.lead, section.tail = words.headline(section.best.match.relation, section.best.match)
        if section.best.match.relation == "none":
            section.lead, section.tail = "nearest candidate", ", not a match"
        else:
            section.lead = section.lead[0].lower() + section.lead[1:]
    # The search has its own block above; what does not apply stands in the table only.
    told = [e for e in report.evidence if e.status == "ok" and e.method != "search"]
    section.evidence = [_evidence_view(e) for e in told]
    section.rows = [_evidence_row(e) for e in report.evidence]
    section.files = [("Picture", _report_facts(report))]
    section.missing = [(words.QUESTIONS.get(s.method, s.method), s.why) for s in report.skipped]
    if not section.missing:
        section.missing = [("Nothing", "Every method that was asked for ran.")]
    return section


def _answered(report: Report) -> int:
    return sum(v.label != "not-examinable" for v in report.verdicts.values())


def _verdict_view(verdict: Verdict) -> dict[str, str]:
    view = {"question": words.QUESTIONS.get(verdict.question, verdict.question)}
    label = words.LABELS.get(verdict.label, verdict.label)
    if verdict.label == "not-examinable":
        why = str(verdict.details.get("why", ""))
        return {**view, "label": label, "strength": why, "note": "", "tone": "unanswered"}
    strength = verdict.strength or words.strength(verdict.score, verdict.log10_lr)
    note = verdict.would_change
    return {**view, "label": label, "strength": strength, "note": note, "tone": "answered"}


def _evidence_view(evidence: Evidence) -> dict[str, Any]:
    return {
        "method": evidence.method,
        "explanation": words.sentence(evidence.explanation or evidence.why),
        "statements": words.statements(evidence.details),
        "raw": words.values(evidence.details),
    }


def _evidence_row(evidence: Evidence) -> words.Row:
    if evidence.status == "ok":
        says = words.sentence(evidence.explanation or evidence.claim)
        strength = words.strength(evidence.score, evidence.llr, evidence.p_value)
    else:
        says, strength = words.sentence(f"{evidence.status}: {evidence.why}"), "none"
    return words.Row(evidence.method, says, strength or "a statement, not weighed", evidence.scope)


def _report_facts(report: Report) -> list[tuple[str, str]]:
    image = report.image
    facts = [
        ("file", str(image.get("path", ""))),
        ("size", f"{image.get('width')} × {image.get('height')} pixels, {image.get('format')}"),
        ("SHA-256", str(image.get("sha256", ""))),
        ("time", f"{report.ms:.0f} ms"),
    ]
    return [*facts, ("versions", ", ".join(f"{k} {v}" for k, v in report.versions.items()))]
