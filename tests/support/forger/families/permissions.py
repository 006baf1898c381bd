"""DocMDP, FieldMDP, Lock and Perms: what the first signer allowed is overstepped or rewritten (ISO 32000-2 12.8.2)."""

from __future__ import annotations

from functools import lru_cache

from tests.support.forger.bases import Base, draw, field_body, look, signed
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed

_FAMILY = "permission-violated"
_CERTIFIED = ("p1", "p2", "p3")


@forgery(_FAMILY, *_CERTIFIED)
def permissions_removed(doc: Base) -> bytes:
    """The catalog's /Perms are removed: the file no longer counts as certified (ISO 32000-2 12.8.6)."""
    return doc.update({"catalog": changed(doc.body("catalog"), Perms=None)})


@forgery(
    _FAMILY, *_CERTIFIED, cases={"empty": b"<< >>", "other": b"<< /DocMDP 5 0 R >>", "rights": b"<< /UR3 5 0 R >>"}
)
def permissions_rewritten(doc: Base, value: bytes) -> bytes:
    """The catalog's /Perms name another signature or other rights (ISO 32000-2 12.8.6)."""
    return doc.update({"catalog": changed(doc.body("catalog"), Perms=value)})


@forgery(_FAMILY, "approval")
def permissions_given(doc: Base) -> bytes:
    """An approval signature is passed off as a certification by /Perms (ISO 32000-2 12.8.6)."""
    perms = b"<< /DocMDP %d 0 R >>" % doc.signature
    return doc.update({"catalog": changed(doc.body("catalog"), Perms=perms)})


@forgery(_FAMILY, "p1", "p2")
def level_raised(doc: Base) -> bytes:
    """The signature object is written again with P 3 in place of its own level (ISO 32000-2 Table 257)."""
    body = doc.body(doc.signature)
    for level in (b"1", b"2"):
        body = body.replace(b"/P " + level, b"/P 3")
    return doc.update({doc.signature: body})


@forgery(_FAMILY, *_CERTIFIED)
def reference_removed(doc: Base) -> bytes:
    """The signature object is written again without /Reference: no certification any more (12.8.1)."""
    return doc.update({doc.signature: changed(doc.body(doc.signature), Reference=None)})


@forgery(
    _FAMILY,
    *_CERTIFIED,
    "approval",
    cases={
        "reason": b"(Approved by the minister)",
        "name": b"(Minister)",
        "time": b"(D:20200101000000Z)",
        "place": b"(Beijing)",
    },
)
def claims_of_signature_rewritten(doc: Base, value: bytes) -> bytes:
    """The signature object is written again with other words about signer, reason, time or place (Table 255)."""
    key = {b"(M": "Name", b"(D": "M", b"(B": "Location"}.get(value[:2], "Reason")
    return doc.update({doc.signature: changed(doc.body(doc.signature), **{key: value})})


@lru_cache(maxsize=8)
def _locked(action: str) -> Base:
    """Certified P 2 by a field whose /Lock covers the payee."""
    fields = b"" if action == "All" else b"/Fields [(payee)]" if action == "Include" else b"/Fields [(agree)]"
    lock = b"/Lock << /Type /SigFieldLock /Action /%s %s >>" % (action.encode(), fields)
    return signed(draw(sig1=field_body(b"Sig", b"Sig1", b"60 60 200 110", lock)), f"lock-{action}")


@forgery("field-lock", cases={"all": "All", "include": "Include", "exclude": "Exclude"})
def locked_field_filled(action: str) -> bytes:
    """A field that the signature's lock covers is filled in all the same (ISO 32000-2 12.8.2.4)."""
    doc = _locked(action)
    body = changed(doc.body("payee"), V=b"(Evil Works)")
    return doc.update({"payee": body, "payee_look": look(b"Evil Works")})


@forgery("field-lock", cases={"all": "All", "include": "Include", "exclude": "Exclude"})
def lock_removed(action: str) -> bytes:
    """The lock is taken from the signed field, then the field is filled (ISO 32000-2 12.7.5.5)."""
    doc = _locked(action)
    body = changed(doc.body("payee"), V=b"(Evil Works)")
    sig = changed(doc.body("sig1"), Lock=None)
    return doc.update({"payee": body, "payee_look": look(b"Evil Works"), "sig1": sig})


@forgery("field-lock", cases={"all": "All", "include": "Include", "exclude": "Exclude"})
def locked_field_look_replaced(action: str) -> bytes:
    """The look of a locked field is replaced under its value (ISO 32000-2 12.8.2.4)."""
    doc = _locked(action)
    return doc.update({"payee_look": look(b"Evil Works")})


@forgery("field-lock", "p2", "approval")
def lock_given_later(doc: Base) -> bytes:
    """The signed field gets a lock after signing, as if it had been meant (ISO 32000-2 12.7.5.5)."""
    lock = b"<< /Type /SigFieldLock /Action /All >>"
    return doc.update({"sig1": changed(doc.body("sig1"), Lock=lock)})


@forgery("field-lock", "p2", "approval", cases={"seed": "SV", "lock": "Lock"})
def constraint_of_the_empty_field(doc: Base, key: str) -> bytes:
    """The reserved empty field gets constraints that the first signer did not set (ISO 32000-2 12.7.5.5)."""
    value = b"<< /Type /SV /Ff 1 /Filter /Evil >>" if key == "SV" else b"<< /Type /SigFieldLock /Action /All >>"
    return doc.update({"sig2": changed(doc.body("sig2"), **{key: value})})


@forgery(
    "encryption-trick",
    "approval",
    "p1",
    "p2",
    cases={
        "standard": b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (b"00" * 32, b"00" * 32),
        "null": b"null",
        "unknown": b"<< /Filter /Example >>",
        "reference": b"999 0 R",
    },
)
def encryption_declared(doc: Base, value: bytes) -> bytes:
    """The trailer of an update declares encryption that was never there (ISO 32000-2 7.6.2)."""
    return doc.update({"content": doc.body("content").replace(b"100.00", b"900.00")}, trailer={b"/Encrypt": value})
