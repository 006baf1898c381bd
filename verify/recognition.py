"""Does a license of another region count here? A part of the verdict, with every reason at once.

The region of a license is that to whose root its way leads. Its trust list says who may issue there, our agreement with
it what counts here and as which type. The license's data, translated into our schema, come out only when the verdict is
VALID and nothing stands against recognition.

The steps: 1 region, and what is known of it; 2 the conclusion; 3 the issuer in the list; 4 the agreement and its
conditions; 5 the standing; 6 the fields. Recognition of licenses of our own region is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from verify.checks.standing import age_text
from verify.findings import About, Finding, Severity, finding
from verify.formats.agreement import Agreement
from verify.formats.members import moment_text
from verify.formats.refusal import Text
from verify.inquiry import Inquiry
from verify.mapping import Mapped, map_fields, source_of
from verify.trust.regions import KnownAgreement, KnownRegion, Regions
from verify.verdict import Conclusion, LicenseView, Outcome, Recognition, Standing, standings_of

_OUTSIDE = frozenset({"REMIT_EXCEEDED", "ISSUER_OTHER_REGION"})
_SHOWN = 12
"""So many names of fields are told one by one."""
OLD_STRUCTURES = frozenset({1})
"""Versions of seal structures that are no longer made (GM/T 0031-2014)."""


def recognize(inquiry: Inquiry, regions: Regions, conclusion: Conclusion, standing: Standing) -> Recognition | None:
    """The outcome, its reasons among the findings of ``inquiry``; None for a license of the home region."""
    # 1
    anchor = inquiry.origin.anchor
    known = inquiry.trust.region_of(anchor) if anchor is not None else None
    if anchor is not None and known is None:
        return None
    # 2
    found = list(_of_conclusion(inquiry, conclusion))
    if known is None:
        found.append(finding("REGION_UNKNOWN"))
        return _concluded(inquiry, found, Recognition(Outcome.UNKNOWN))
    found += _of_list(inquiry, known, example=regions.example)
    # 3
    found += _of_issuer(inquiry, known)
    basis: dict[str, Any] = {"list": _list_basis(known)}
    if inquiry.origin.status_made is not None:
        made = moment_text(inquiry.origin.status_made)
        basis["status_list"] = {"uri": inquiry.origin.status_uri, "issued": made}
    view = inquiry.license if conclusion is Conclusion.VALID else None
    if view is None:
        return _concluded(inquiry, found, Recognition(Outcome.UNKNOWN, known.region, basis=basis))
    # 4 - 6
    case = _Case(inquiry, regions, known, view, standing)
    trial = _best(case)
    if trial.agreement is None:
        return _concluded(inquiry, [*found, *trial.findings], Recognition(Outcome.UNKNOWN, known.region, basis=basis))
    agreement = trial.agreement
    basis["agreement"] = {"id": agreement.id, "version": agreement.version}
    told = Recognition(Outcome.RECOGNIZED, known.region, agreement.ours, dict(trial.license), basis)
    return _concluded(inquiry, [*found, *trial.findings], told)


def outcome_of(findings: list[Finding]) -> Outcome:
    """The house rule: FATAL makes it negative, DOUBT leaves it open, NOTE changes nothing."""
    severities = {f.severity for f in findings if f.about is About.RECOGNITION}
    if Severity.FATAL in severities:
        return Outcome.NOT_RECOGNIZED
    return Outcome.UNKNOWN if Severity.DOUBT in severities else Outcome.RECOGNIZED


def _concluded(inquiry: Inquiry, findings: list[Finding], told: Recognition) -> Recognition:
    """Type and data are told of what is recognized alone."""
    inquiry.findings += [f for f in findings if f not in inquiry.findings]
    outcome = outcome_of(findings)
    if outcome is Outcome.RECOGNIZED and told.outcome is Outcome.RECOGNIZED:
        return told
    outcome = Outcome.UNKNOWN if outcome is Outcome.RECOGNIZED else outcome
    return Recognition(outcome, told.region, basis=told.basis)


def _of_conclusion(inquiry: Inquiry, conclusion: Conclusion) -> Iterator[Finding]:
    if conclusion is Conclusion.INVALID:
        yield finding("RECOGNITION_NOT_VALID", reason="it is not genuine")
    elif conclusion is Conclusion.INDETERMINATE:
        reason = "that it is genuine is not shown"
        yield finding("RECOGNITION_NOT_VALID", severity=Severity.DOUBT, reason=reason)


def _of_list(inquiry: Inquiry, known: KnownRegion, *, example: bool) -> Iterator[Finding]:
    listed, at, origin = known.list, inquiry.at, inquiry.origin
    none = Text("未使用", "none was used")
    age = none if origin.status_made is None else Text(*(age_text(max(at - origin.status_made, timedelta())),) * 2)
    yield finding(
        "RECOGNITION_KNOWLEDGE",
        region=known.region,
        number=listed.sequence,
        issued=moment_text(listed.issued),
        confirmed=age_text(at - known.confirmed),
        reason=age,
    )
    kit = inquiry.trust.kit
    if kit is not None and at >= kit.until:
        yield finding("KIT_STALE", until=moment_text(kit.until), age=age_text(at - kit.until))
    if known.is_stale(at):
        until, late = moment_text(listed.next_update), age_text(at - listed.next_update)
        yield finding("TRUST_LIST_STALE", region=known.region, number=listed.sequence, until=until, age=late)
    for fault in known.faults:
        yield finding(fault, sequence=listed.sequence, held=listed.sequence, offered="?")
    if listed.example and not example:
        yield finding("RECOGNITION_NOT_VALID", reason="its region is an example")
    for version in sorted(OLD_STRUCTURES & set(origin.structures)):
        yield finding("SEAL_STRUCTURE_OLD", version=version)


def _of_issuer(inquiry: Inquiry, known: KnownRegion) -> Iterator[Finding]:
    codes = {f.code for f in inquiry.findings}
    issuer = known.list.issuer_of(inquiry.origin.issuer_code)
    params: dict[str, Any] = {"region": known.region, "issuer": inquiry.origin.issuer_code or "?"}
    if "ISSUER_OTHER_REGION" in codes:
        yield finding("ISSUER_OUTSIDE_REMIT", **params, reason="it belongs to another region")
    elif issuer is None:
        yield finding("ISSUER_OUTSIDE_REMIT", **params, reason="it is not listed")
    elif codes & _OUTSIDE:
        reason = next(str(f.params.get("reason", "")) for f in inquiry.findings if f.code in _OUTSIDE)
        yield finding("ISSUER_OUTSIDE_REMIT", **params, reason=reason)
    elif not issuer.granted and not inquiry.origin.proven:
        reason = "its right was withdrawn, and nothing proves that it signed before"
        yield finding("ISSUER_OUTSIDE_REMIT", severity=Severity.DOUBT, **params, reason=reason)


@dataclass(frozen=True, slots=True)
class _Case:
    """A genuine license of a known region, to be held against agreements."""

    inquiry: Inquiry
    regions: Regions
    known: KnownRegion
    license: LicenseView
    standing: Standing


@dataclass(frozen=True, slots=True)
class _Trial:
    """What one agreement makes of it."""

    agreement: Agreement | None
    findings: tuple[Finding, ...]
    license: dict[str, str]


def _best(case: _Case) -> _Trial:
    """Of several agreements about the type the one that gets furthest; among equals the latest."""
    order = (Outcome.RECOGNIZED, Outcome.UNKNOWN, Outcome.NOT_RECOGNIZED)
    trials = [_tried(case, known) for known in _applicable(case)]
    if not trials:
        none = finding("NO_AGREEMENT", region=case.known.region, type=case.license.type)
        return _Trial(None, (none,), {})
    return min(trials, key=lambda t: order.index(outcome_of(list(t.findings))))


def _applicable(case: _Case) -> list[KnownAgreement]:
    """Per agreement the version that counts, the latest agreement first.

    A later version takes the place of an earlier one once it is approved and, where that is demanded, countersigned;
    one that revokes does so at once.
    """
    versions: dict[str, list[KnownAgreement]] = {}
    for known in case.regions.agreements:
        a = known.agreement
        if (a.accepting, a.issuing, a.theirs) == (case.regions.home, case.known.region, case.license.type):
            versions.setdefault(a.id, []).append(known)
    chosen = [_counting(held, case.regions.countersigned) for held in versions.values()]
    return sorted(chosen, key=lambda k: k.agreement.made, reverse=True)


def _counting(held: list[KnownAgreement], countersigned: bool) -> KnownAgreement:
    revoked = max((k.agreement.version for k in held if k.agreement.revoked), default=0)
    current = [k for k in held if k.agreement.version >= revoked]
    good = [k for k in current if k.approved and (k.countersigned or not countersigned)]
    return max(good or current, key=lambda k: k.agreement.version)


def _tried(case: _Case, known: KnownAgreement) -> _Trial:
    agreement = known.agreement
    mapped = _mapped(case, agreement)
    findings = (
        *_of_agreement(case, known),
        *_of_conditions(case, agreement),
        *_of_type(case, agreement),
        *_of_standing(case, agreement),
        *_of_fields(case, agreement, mapped),
    )
    return _Trial(agreement, findings, dict(mapped.license))


def _of_agreement(case: _Case, known: KnownAgreement) -> Iterator[Finding]:
    agreement, at = known.agreement, case.inquiry.at
    name = f"{agreement.id}/{agreement.version}"
    if agreement.revoked:
        yield finding("AGREEMENT_REVOKED", agreement=name)
    if at < agreement.starts:
        yield finding("AGREEMENT_NOT_YET", agreement=name, moment=moment_text(agreement.starts))
    if agreement.ends is not None and at >= agreement.ends:
        yield finding("AGREEMENT_OVER", agreement=name, moment=moment_text(agreement.ends))
    if not known.approved:
        yield finding("AGREEMENT_NOT_APPROVED", agreement=name)
    if not known.countersigned:
        severity = Severity.FATAL if case.regions.countersigned else Severity.NOTE
        yield finding("AGREEMENT_NOT_COUNTERSIGNED", severity=severity, agreement=name, region=agreement.issuing)


def _of_conditions(case: _Case, agreement: Agreement) -> Iterator[Finding]:
    conditions, origin = agreement.conditions, case.inquiry.origin
    issuer = case.known.list.issuer_of(origin.issuer_code)
    level = issuer.level if issuer is not None else 0
    if conditions.issuer_level and not 1 <= level <= conditions.issuer_level:
        severity = Severity.FATAL if level else Severity.DOUBT
        params: dict[str, Any] = {
            "issuer": origin.issuer_code or "?",
            "level": level,
            "wanted": conditions.issuer_level,
        }
        yield finding("ISSUER_LEVEL_LOW", severity=severity, **params)
    yield from _of_day(case, agreement)
    if case.inquiry.kind not in conditions.carriers:
        yield finding("CARRIER_NOT_ACCEPTED", carrier=case.inquiry.kind)
    if conditions.assurance == "timestamped" and not origin.proven:
        yield finding("ASSURANCE_LOW")


def _of_day(case: _Case, agreement: Agreement) -> Iterator[Finding]:
    since, until = agreement.conditions.issued_from, agreement.conditions.issued_until
    issued = case.inquiry.origin.issued
    if since is None and until is None:
        return
    if issued is not None and (since is None or issued >= since) and (until is None or issued <= until):
        return
    shown: dict[str, Any] = {"issued": issued or "?", "since": since or "…", "until": until or "…"}
    yield finding("ISSUED_OUTSIDE_AGREEMENT", severity=Severity.DOUBT if issued is None else None, **shown)


def _of_type(case: _Case, agreement: Agreement) -> Iterator[Finding]:
    for name, values in agreement.conditions.only.items():
        value = source_of(case.license, name)
        if value is None:
            severity = None if case.inquiry.origin.whole else Severity.DOUBT
            yield finding("TYPE_NARROWED", severity=severity, reason=f"the license does not say {name}")
        elif value not in values:
            yield finding("TYPE_NARROWED", reason=f"its {name} is not among those that count: {value}")
    if agreement.note_zh or agreement.note_en:
        note = Text(agreement.note_zh or agreement.note_en, agreement.note_en or agreement.note_zh)
        yield finding("TYPE_NARROWED", severity=Severity.NOTE, reason=note)


def _of_standing(case: _Case, agreement: Agreement) -> Iterator[Finding]:
    """Every fact about the standing must be accepted: a license may have expired and been suspended before."""
    accepted, findings = agreement.conditions.standings, case.inquiry.findings
    facts = standings_of(findings)
    for standing in sorted(facts, key=lambda s: s.value):
        if standing.value not in accepted:
            yield finding("RECOGNITION_STANDING", standing=standing.value)
    if not facts and case.standing is Standing.IN_FORCE and Standing.IN_FORCE.value not in accepted:
        yield finding("RECOGNITION_STANDING", standing=Standing.IN_FORCE.value)
    doubted = any(f.about is About.STANDING and f.severity is Severity.DOUBT for f in findings)
    if (doubted or case.standing is Standing.UNKNOWN) and Standing.UNKNOWN.value not in accepted:
        yield finding("RECOGNITION_STANDING_UNKNOWN")
    limit, made = agreement.conditions.standing_age, case.inquiry.origin.status_made
    if limit and made is not None and case.inquiry.at - made > timedelta(seconds=limit):
        age = age_text(case.inquiry.at - made)
        yield finding("RECOGNITION_STANDING_OLD", age=age, limit=age_text(timedelta(seconds=limit)))


def _mapped(case: _Case, agreement: Agreement) -> Mapped:
    ours = dict(case.regions.fields).get(agreement.ours)
    schema = dict(case.regions.schemas).get(agreement.ours)
    properties = json.loads(schema) if schema else None
    return map_fields(case.license, agreement.fields, ours, _required(case, agreement), properties)


def _required(case: _Case, agreement: Agreement) -> tuple[str, ...]:
    return dict(case.regions.types).get(agreement.ours, ())


def _of_fields(case: _Case, agreement: Agreement, mapped: Mapped) -> Iterator[Finding]:
    """A code, or a record of which a part is withheld, counts with what it shows: the rest is bound by its digest.

    But a field of ours that no rule and no field of theirs could ever fill stands against any carrier.
    """
    required = _required(case, agreement)
    hopeless = [n for n in mapped.missing if n in required and not _obtainable(case, agreement, n)]
    if hopeless:
        yield finding("FIELD_UNMAPPED", fields=_names(hopeless), reason="the type demands them")
    others = [n for n in mapped.missing if n not in hopeless]
    if others:
        reason = "the license lacks them" if case.inquiry.origin.whole else "this carrier does not show them"
        yield finding("FIELD_UNMAPPED", severity=Severity.NOTE, fields=_names(others), reason=reason)
    for name, value in mapped.strange.items():
        severity = None if name in required else Severity.NOTE
        yield finding("FIELD_VALUE_UNMAPPED", severity=severity, field=name, value=value)
    if mapped.dropped:
        yield finding("FIELD_DROPPED", fields=_names(list(mapped.dropped)))
    if mapped.renamed:
        yield finding("FIELD_NAMES_DIFFER", fields=_names([f"{a} → {b}" for a, b in mapped.renamed]))


def _obtainable(case: _Case, agreement: Agreement, name: str) -> bool:
    """Whether the license as a whole may hold what this carrier does not show."""
    if case.inquiry.origin.whole:
        return False
    if agreement.fields:
        return any(r.ours == name for r in agreement.fields)
    listed = case.known.list.type_named(case.license.type)
    properties = listed.schema.get("properties") if listed is not None else None
    return isinstance(properties, dict) and name in properties


def _names(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _list_basis(known: KnownRegion) -> dict[str, Any]:
    return {
        "region": known.region,
        "sequence": known.list.sequence,
        "sha256": known.digest(),
        "issued": moment_text(known.list.issued),
        "next_update": moment_text(known.list.next_update),
        "confirmed": moment_text(known.confirmed),
    }
