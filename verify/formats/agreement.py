"""Agreements on recognition: we accept type T of region R as our type U, under conditions, with fields mapped by rule.

An agreement is JSON in RFC 8785 form, signed by the accepting region and countersigned by the issuing one: a JWS in
general serialization (RFC 7515 7.2.1), ``typ`` ``certvault-agreement+json``, each signature by a key for trust lists
of one of the two regions. Versions of one agreement (``id``) count up; a later one takes the place of the earlier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from verify.formats.anchor import REGION
from verify.formats.jose import JoseError, UnverifiedJws, strict_object, unverified_jws
from verify.formats.license import canonical_json
from verify.formats.members import MemberError, Members, moment_text

SCHEMA = "certvault-agreement/1"
JWS_TYPE = "certvault-agreement+json"
MAX_BYTES = 1_000_000
MAX_FIELDS = 500
_ID = re.compile(r"[0-9a-z-]{8,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
STANDINGS = ("IN_FORCE", "NOT_YET", "EXPIRED", "SUSPENDED", "REVOKED", "SUPERSEDED", "UNKNOWN")
ASSURANCES = ("any", "timestamped")
CARRIERS = ("pdf", "record", "code")


class AgreementError(ValueError):
    """The bytes are no agreement. The message says why."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field of ours is filled: from ``theirs``, or with the constant ``value``; ``values`` translates what
    theirs holds (a value that it does not name is not mapped)."""

    ours: str
    theirs: str = ""
    value: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a license must meet.

    ``issuer_level`` is the lowest level of issuer that counts (1 national … 4 county; 0: any). ``issued_from`` and
    ``issued_until`` are days of issue, inclusive. ``standings`` are the standings that count; ``standing_age`` is the
    oldest status list that does, in seconds (0: as long as the list itself holds). ``assurance`` ``timestamped``
    demands a proven moment of signing. ``carriers`` are the kinds of document that count. ``only`` narrows the type:
    their field → the values that count.
    """

    issuer_level: int = 0
    issued_from: date | None = None
    issued_until: date | None = None
    standings: tuple[str, ...] = ("IN_FORCE",)
    standing_age: int = 0
    assurance: str = "any"
    carriers: tuple[str, ...] = CARRIERS
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement. ``accepting`` is the region that decides, ``issuing`` the one whose licenses count.

    ``fields`` empty: fields of the same name are taken over. ``starts`` and ``ends`` are moments; ``ends`` None is
    without end. ``revoked``: this version says that it no longer holds. ``note_zh`` and ``note_en`` tell a person what
    the license counts for, where that is less than at home.
    """

    id: str
    version: int
    accepting: str
    issuing: str
    theirs: str
    ours: str
    made: datetime
    starts: datetime
    ends: datetime | None = None
    fields: tuple[FieldRule, ...] = ()
    conditions: Conditions = Conditions()
    revoked: bool = False
    note_zh: str = ""
    note_en: str = ""

    def to_json(self) -> dict[str, Any]:
        """The agreement as it is signed."""
        c = self.conditions
        return {
            "schema": SCHEMA,
            "id": self.id,
            "version": self.version,
            "accepting": self.accepting,
            "issuing": self.issuing,
            "theirs": self.theirs,
            "ours": self.ours,
            "made": moment_text(self.made),
            "from": moment_text(self.starts),
            "until": None if self.ends is None else moment_text(self.ends),
            "fields": [_rule_json(r) for r in self.fields],
            "conditions": {
                "issuer_level": c.issuer_level,
                "issued_from": None if c.issued_from is None else c.issued_from.isoformat(),
                "issued_until": None if c.issued_until is None else c.issued_until.isoformat(),
                "standings": list(c.standings),
                "standing_age": c.standing_age,
                "assurance": c.assurance,
                "carriers": list(c.carriers),
                "only": {k: list(v) for k, v in c.only.items()},
            },
            "revoked": self.revoked,
            "note": {"zh": self.note_zh, "en": self.note_en},
        }

    def payload(self) -> bytes:
        """What is signed."""
        return canonical_json(self.to_json())


@dataclass(frozen=True, slots=True)
class UnverifiedAgreement:
    """An agreement with its signatures, before anything was checked."""

    agreement: Agreement
    signatures: tuple[UnverifiedJws, ...]


def agreement_from_json(value: Any) -> Agreement:
    """Build an agreement from its JSON object. Raises AgreementError."""
    try:
        o = Members(value)
        found = _agreement(o)
    except MemberError as error:
        raise AgreementError(str(error)) from error
    if found.to_json() != value:
        raise AgreementError("it holds members that are not known")
    return found


def unverified_agreement(data: bytes) -> UnverifiedAgreement:
    """Read a signed agreement. Raises AgreementError."""
    if len(data) > MAX_BYTES:
        raise AgreementError(f"larger than {MAX_BYTES} bytes")
    try:
        o = Members(strict_object(data, "agreement"))
        body = o.text("payload", limit=MAX_BYTES)
        signatures = []
        for one in o.objects("signatures", limit=4):
            parts = (one.text("protected", limit=MAX_BYTES), body, one.text("signature", limit=10_000))
            jws = unverified_jws(".".join(parts), MAX_BYTES)
            if jws.header.get("typ") != JWS_TYPE:
                raise AgreementError("its type is another")
            signatures.append(jws)
        if not signatures:
            raise AgreementError("nobody signed it")
        found = agreement_from_json(signatures[0].claims())
    except (JoseError, MemberError) as error:
        raise AgreementError(str(error)) from error
    if found.payload() != signatures[0].payload:
        raise AgreementError("it is not in RFC 8785 order")
    return UnverifiedAgreement(found, tuple(signatures))


def begins_as_agreement(data: bytes) -> bool:
    """Whether this is a JWS in general serialization, as an agreement is."""
    return data.lstrip()[:1] == b"{" and b'"signatures"' in data and b'"payload"' in data


def conditions_from_json(value: Any, path: str = "conditions") -> Conditions:
    """Read conditions; members that are missing have their defaults. Raises MemberError."""
    o = Members(value, path)
    standings = o.texts("standings", limit=8) if o.has("standings") else ("IN_FORCE",)
    carriers = o.texts("carriers", limit=4) if o.has("carriers") else CARRIERS
    assurance = o.text("assurance", "any")
    if not set(standings) <= set(STANDINGS) or not set(carriers) <= set(CARRIERS) or assurance not in ASSURANCES:
        raise MemberError(f"{path}: a standing, carrier or assurance is not known")
    return Conditions(
        issuer_level=o.integer("issuer_level", 0, high=9),
        issued_from=o.optional_date("issued_from"),
        issued_until=o.optional_date("issued_until"),
        standings=standings,
        standing_age=o.integer("standing_age", 0),
        assurance=assurance,
        carriers=carriers,
        only={k: Members(o.object("only").value, o.at("only")).texts(k) for k in o.optional_object("only").value},
    )


def rules_from_json(value: Any, path: str = "fields") -> tuple[FieldRule, ...]:
    """Read field rules. Raises MemberError."""
    found = tuple(_rule(m) for m in Members({path: value}).objects(path, limit=MAX_FIELDS))
    if len({r.ours for r in found}) != len(found):
        raise MemberError(f"{path}: a field of ours stands twice")
    return found


def _agreement(o: Members) -> Agreement:
    if o.text("schema") != SCHEMA:
        raise MemberError(f"schema is not {SCHEMA}")
    note = o.object("note")
    found = Agreement(
        id=o.matching("id", _ID),
        version=o.integer("version", low=1),
        accepting=o.matching("accepting", REGION),
        issuing=o.matching("issuing", REGION),
        theirs=o.matching("theirs", _NAME),
        ours=o.matching("ours", _NAME),
        made=o.moment("made"),
        starts=o.moment("from"),
        ends=o.optional_moment("until"),
        fields=rules_from_json(o.get("fields")),
        conditions=conditions_from_json(o.get("conditions")),
        revoked=o.boolean("revoked"),
        note_zh=note.text("zh"),
        note_en=note.text("en"),
    )
    if found.accepting == found.issuing:
        raise MemberError("a region agrees with itself")
    if found.ends is not None and found.ends <= found.starts:
        raise MemberError("until is not after from")
    return found


def _rule(o: Members) -> FieldRule:
    values = o.optional_object("values")
    rule = FieldRule(
        ours=o.text("ours", limit=100),
        theirs=o.text("theirs", "", limit=100),
        value=o.text("value") if o.has("value") else None,
        values={k: values.text(k) for k in values.value},
    )
    if bool(rule.theirs) == (rule.value is not None) or (rule.values and not rule.theirs):
        raise MemberError(f"{o.path}: give theirs, or a constant value")
    return rule


def _rule_json(rule: FieldRule) -> dict[str, Any]:
    found: dict[str, Any] = {"ours": rule.ours}
    if rule.theirs:
        found["theirs"] = rule.theirs
    if rule.value is not None:
        found["value"] = rule.value
    if rule.values:
        found["values"] = dict(rule.values)
    return found
