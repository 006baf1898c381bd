"""From a report's material to its blocks.

The material is JSON that came out of a confined process and holds a stranger's texts: everything is checked for its
kind, cut to a length and stripped of control and direction characters here, once, for both writers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from templates.report.blocks import (
    Answer,
    Banner,
    Block,
    CheckRow,
    Checks,
    FindingBlock,
    Heading,
    Note,
    Origin,
    Pair,
    Rows,
    clean,
    tone_of,
)
from templates.report.pixels import picture_from
from templates.report.words import word

MAX_FINDINGS = 60
MAX_ROWS = 40
MAX_SIGNATURES = 20
MAX_CERTIFICATES = 16
MAX_PICTURES = 4
MAX_BOXES = 12
_ORDER = {"FATAL": 0, "DOUBT": 1, "NOTE": 2}


def report_blocks(material: Mapping[str, Any], origin: Origin, lang: str) -> list[Block]:
    """The report in ``zh`` or ``en``."""
    report = _object(material.get(lang))
    facts = _object(report.get("facts"))
    return [
        *_head(report, facts, origin, lang),
        *_license(report, lang),
        *_findings(report, lang),
        *_pictures(material, lang),
        *_checks(report, lang),
        *_signatures(report, facts, lang),
        *_certificates(facts, lang),
        *_judged_by(facts, lang),
    ]


def _head(report: Mapping[str, Any], facts: Mapping[str, Any], origin: Origin, lang: str) -> list[Block]:
    summary, file = _object(report.get("summary")), _object(facts.get("file"))
    tone = summary.get("tone")
    rows = [
        (word("name", lang), clean(origin.name, 120)),
        (word("sha256", lang), clean(file.get("sha256"), 64)),
        (
            word("size", lang),
            word("bytes", lang, f"{file.get('bytes'):,}" if isinstance(file.get("bytes"), int) else "?"),
        ),
        (word("kind", lang), word(f"kind_{clean(report.get('kind'), 10)}", lang)),
        (word("judged_at", lang), clean(report.get("at"), 30)),
        (word("made", lang), clean(origin.made_at, 30)),
        (word("by", lang), clean(origin.made_by, 120)),
    ]
    answers = _object(report.get("answers"))
    shown = [
        _answer(name, _object(answers.get(name)), lang)
        for name in ("integrity", "conclusion", "standing", "recognition")
        if isinstance(answers.get(name), Mapping)
    ]
    return [
        Banner(
            tone if isinstance(tone, str) and tone in ("good", "lapsed", "open", "bad") else "open",
            clean(summary.get("title"), 120),
            clean(summary.get("advice")),
        ),
        Heading(word("file", lang)),
        Rows(tuple(rows)),
        Heading(word("answers", lang)),
        *shown,
    ]


def _answer(name: str, answer: Mapping[str, Any], lang: str) -> Answer:
    value = clean(answer.get("value"), 20)
    return Answer(tone_of(value), word(f"answer_{name}", lang), word(value, lang), value, clean(answer.get("reason")))


def _license(report: Mapping[str, Any], lang: str) -> list[Block]:
    known = report.get("license")
    if not isinstance(known, Mapping):
        return []
    holders = "、".join(clean(_object(h).get("name"), 60) for h in _list(known.get("holders"))[:10])
    rows = [(word(k, lang), clean(known.get(k), 160)) for k in ("identifier", "type", "number", "issuer")]
    return [Heading(word("license", lang)), Rows((*rows[:3], (word("holders", lang), holders), rows[3]))]


def _findings(report: Mapping[str, Any], lang: str) -> list[Block]:
    found = sorted(map(_object, _list(report.get("findings"))), key=lambda f: _ORDER.get(str(f.get("severity")), 3))
    made: list[Block] = [Heading(word("findings", lang))]
    if not found:
        made.append(Note(word("no_findings", lang)))
    for one in found[:MAX_FINDINGS]:
        severity = clean(one.get("severity"), 10)
        details = [clean(one.get("code"), 60), place_words(one, lang), clean(one.get("clause"), 120)]
        made.append(
            FindingBlock(
                tone_of(severity),
                word(severity, lang),
                clean(one.get("message")),
                " · ".join(d for d in details if d),
                clean(one.get("why")),
                clean(one.get("action")),
            )
        )
    if len(found) > MAX_FINDINGS:
        made.append(Note(word("more", lang, len(found) - MAX_FINDINGS)))
    return made


def place_words(found: Mapping[str, Any], lang: str) -> str:
    """Where it was seen, in words of the language."""
    place = found.get("place")
    if not isinstance(place, Mapping):
        return _where_words(clean(found.get("where"), 120), lang)
    parts = [word(f"place_{key}", lang, clean(place[key], 80)) for key in ("field", "page", "object") if place.get(key)]
    span, box = place.get("bytes"), place.get("box")
    if isinstance(box, list) and len(box) == 4:
        parts.append(word("place_box", lang, " ".join(clean(edge, 10) for edge in box)))
    if isinstance(span, list) and len(span) == 2:
        parts.append(word("place_bytes", lang, clean(span[0], 12), clean(span[1], 12)))
    if place.get("path"):
        parts.append(clean(place["path"], 120))
    return ("，" if lang == "zh" else ", ").join(parts)


def _where_words(where: str, lang: str) -> str:
    kind, _, rest = where.partition(" ")
    return word(f"place_{kind}", lang, rest) if kind in ("page", "object", "byte") and rest.isdigit() else where


def _pictures(material: Mapping[str, Any], lang: str) -> list[Block]:
    made: list[Block] = []
    for one in map(_object, _list(material.get("pictures"))[:MAX_PICTURES]):
        shown, signed = picture_from(one.get("shown")), picture_from(one.get("signed"))
        if shown is None:
            continue
        boxes = [box for box in map(_box, _list(one.get("boxes"))[:MAX_BOXES]) if box is not None]
        caption = word("place_page", lang, clean(one.get("page"), 6))
        made.append(
            Pair(caption, word("as_signed", lang), word("as_shown", lang), signed, shown, tuple(boxes), signed is None)
        )
    if not made:
        return []
    compared = any(isinstance(b, Pair) and not b.alone for b in made)
    note = Note(word("pictures_note" if compared else "pictures_shown", lang))
    return [Heading(word("pictures", lang)), note, *made]


def _box(value: object) -> tuple[float, float, float, float] | None:
    edges = [float(e) for e in _list(value) if isinstance(e, (int, float)) and 0 <= e <= 1]
    if len(edges) != 4 or edges[0] >= edges[2] or edges[1] >= edges[3]:
        return None
    return edges[0], edges[1], edges[2], edges[3]


def _checks(report: Mapping[str, Any], lang: str) -> list[Block]:
    rows = []
    for one in map(_object, _list(report.get("checks"))[:MAX_ROWS]):
        outcome = clean(one.get("outcome"), 10)
        shown = word("DOUBT_OUTCOME" if outcome == "DOUBT" else outcome, lang)
        rows.append(CheckRow(tone_of(outcome), clean(one.get("title"), 80), clean(one.get("clause"), 60), shown))
    return [Heading(word("checks", lang)), Checks(tuple(rows))] if rows else []


def _signatures(report: Mapping[str, Any], facts: Mapping[str, Any], lang: str) -> list[Block]:
    shown = [_object(s) for s in _list(report.get("signatures"))]
    read = [_object(s) for s in _list(facts.get("signatures"))]
    if not shown:
        return []
    made: list[Block] = [Heading(word("signatures", lang))]
    for index, one in enumerate(shown[:MAX_SIGNATURES]):
        made.append(Rows(tuple(_signature_rows(one, read[index] if index < len(read) else {}, lang))))
    return made


def _signature_rows(one: Mapping[str, Any], read: Mapping[str, Any], lang: str) -> list[tuple[str, str]]:
    signer = _object(read.get("signer"))
    sub = clean(one.get("sub_indication"), 60)
    proven = word("time_timestamp" if one.get("time_source") == "timestamp" else "time_claimed", lang)
    key = f"{clean(signer.get('key'), 20)} {clean(signer.get('key_bits'), 6)}".strip()
    algorithms = [clean(read.get("signature_algorithm"), 40), clean(read.get("digest_algorithm"), 20), key]
    rows = [
        (word("signer", lang), clean(one.get("signer"), 120)),
        (word("field", lang), clean(one.get("field"), 80)),
        (word("format", lang), clean(one.get("format"), 40)),
        (word("indication", lang), clean(one.get("indication"), 30) + (f" ({sub})" if sub else "")),
        (word("signed_at", lang), f"{clean(one.get('signed_at'), 30)} {proven}" if one.get("signed_at") else ""),
        (word("algorithm", lang), " · ".join(a for a in algorithms if a)),
        (word("revision_end", lang), clean(read.get("revision_end"), 12)),
    ]
    for stamp in map(_object, _list(read.get("timestamps"))[:4]):
        who = clean(_object(stamp.get("authority")).get("subject"), 120)
        rows.append((word("timestamp", lang), f"{clean(stamp.get('time'), 30)} · {who}"))
    return [row for row in rows if row[1]]


def _certificates(facts: Mapping[str, Any], lang: str) -> list[Block]:
    found = [_object(c) for c in _list(facts.get("certificates"))]
    if not found:
        return []
    made: list[Block] = [Heading(word("certificates", lang))]
    for one in found[:MAX_CERTIFICATES]:
        rows = (
            (word("subject", lang), clean(one.get("subject"), 200)),
            (word("authority", lang), clean(one.get("issuer"), 200)),
            (word("serial", lang), clean(one.get("serial"), 60)),
            (word("validity", lang), f"{clean(one.get('not_before'), 30)} – {clean(one.get('not_after'), 30)}"),
            (word("sha256", lang), clean(one.get("sha256"), 64)),
        )
        made.append(Rows(rows))
    if len(found) > MAX_CERTIFICATES:
        made.append(Note(word("more", lang, len(found) - MAX_CERTIFICATES)))
    return made


def _judged_by(facts: Mapping[str, Any], lang: str) -> list[Block]:
    judged, software = _object(facts.get("judged_by")), _object(facts.get("software"))
    spent = _object(facts.get("spent")).get("milliseconds")
    rows = [
        (word("anchors", lang), f"{clean(a.get('subject'), 160)} · {clean(a.get('sha256'), 64)}")
        for a in map(_object, _list(judged.get("anchors"))[:8])
    ] or [(word("anchors", lang), word("no_anchors", lang))]
    rows += [
        (
            word("checks_demanded", lang),
            ", ".join(clean(c, 30) for c in _list(judged.get("checks_demanded"))[:MAX_ROWS]),
        ),
        (word("software", lang), f"{clean(software.get('name'), 30)} {clean(software.get('version'), 30)}"),
        (word("spent", lang), word("milliseconds", lang, clean(spent, 12))),
    ]
    return [Heading(word("judged_by", lang)), Rows(tuple(rows))]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
