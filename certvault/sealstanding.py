"""Was a seal good at that moment: from the steps of its life and the revocations of its certificates.

The signed answer is a JWS of the key for answers. With it goes the evidence: the audit lines (by their hashes) from
which it follows, and the last anchor over the chains they stand in. It names nobody.
"""

from __future__ import annotations

import datetime
import enum
import hashlib
from dataclasses import dataclass
from typing import Any

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, View
from certvault.errors import not_found
from certvault.keyring import Keyring
from certvault.model.keys import CertificateRecord, CertificateState
from certvault.model.seal import Life, SealEvent, SealState, SealVersion, Step, state_at
from certvault.pki import Pki
from certvault.sealart import Extras, picture_of
from certvault.sealchecks import no_key, wrong
from certvault.sealrecords import about, keep_structure, life_of
from certvault.sealuses import PERMIT_LIFETIME
from certvault.settings import Settings
from signing.formats.eseal import SealData, make_seal
from signing.formats.eseal_1 import make_seal_1
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from templates.sealkinds import SEAL_KINDS

JWS_TYPE = "certvault-seal-status+jwt"
VENDOR = "certvault"
_MAX_EVIDENCE = 200


class Then(enum.StrEnum):
    """What a seal was at a moment."""

    VALID = "VALID"
    NOT_YET_ACTIVE = "NOT_YET_ACTIVE"
    SUSPENDED = "SUSPENDED"
    RETIRED = "RETIRED"
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
    CERTIFICATE_NOT_IN_TIME = "CERTIFICATE_NOT_IN_TIME"
    KEY_COMPROMISED = "KEY_COMPROMISED"


@dataclass(frozen=True, slots=True)
class SealStanding:
    """A seal at ``at``: the edition at work then (None before the first), its certificate, the last step before."""

    life: Life
    at: datetime.datetime
    then: Then
    edition: SealVersion | None
    certificate: CertificateRecord | None
    last: SealEvent | None

    @property
    def good(self) -> bool:
        """Whether it could be used."""
        return self.then is Then.VALID


class SealStandings:
    """Answers about moments; makes structures of seals."""

    def __init__(
        self, database: Database, cipher: Cipher, keyring: Keyring, pki: Pki, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._keyring = keyring
        self._pki = pki
        self._settings = settings
        self._clock = clock

    def as_of(self, seal_id: str, at: datetime.datetime) -> SealStanding:
        """The seal at a moment that is past, or now. NotFoundError; RefusedError for a moment to come."""
        if at > self._clock.now():
            raise wrong("at", "时刻在将来", "the moment is in the future")
        with self._database.reading() as view:
            return _standing(view, life_of(view, seal_id), at)

    def by_certificate(self, sha256: str, since: datetime.datetime, until: datetime.datetime) -> SealStanding | None:
        """The seal whose edition has the certificate with that SHA-256 (hex), at some moment between the two at which
        it was good, else at the last; None for no seal's."""
        key = self._keyring.certified_by(sha256)
        if key is None or key.purpose is not KeyPurpose.SEAL:
            return None
        with self._database.reading() as view:
            editions = view.seal_versions.where(key_id=key.id)
            if not editions:
                return None
            known = life_of(view, editions[0].seal_id)
            steps = [e.at for e in view.seal_events.where(seal_id=known.seal.id) if since < e.at < until]
            found = [_standing(view, known, at, key_id=key.id) for at in (since, *steps, until)]
        if found[-1].then is Then.KEY_COMPROMISED:  # who stole the key waits for no leave
            return found[-1]
        return next((s for s in found if s.good), found[-1])

    def answer(self, seal_id: str, at: datetime.datetime) -> str:
        """The answer about a moment as a compact JWS (:data:`JWS_TYPE`), certificates of the signer inside."""
        found = self.as_of(seal_id, at)
        self._keyring.refresh()
        key = self._keyring.active(KeyPurpose.ANSWER)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        with self._database.reading() as view:
            evidence = _evidence(view, found)
        payload = {
            "iss": self._settings.base_url,
            "iat": int(self._clock.now().timestamp()),
            **facts_of(found),
            "evidence": evidence,
        }
        return signed_token({"typ": JWS_TYPE}, payload, signer=self._keyring.signer(key), chain=chain)

    def structure(self, seal_id: str, version: int | None = None) -> bytes:
        """The SES_Seal (DER) of an edition, by default the one at work; made by the seal maker's key when it is first
        asked for, and kept."""
        with self._database.reading() as view:
            self._keyring.refresh(view)
            known = life_of(view, seal_id)
        number = known.seal.version if version is None else version
        edition = next((v for v in known.versions if v.version == number), None)
        if edition is None:
            raise not_found("印章版本", "edition of the seal", f"{seal_id}/{number}")
        if edition.structure is not None:
            return edition.structure
        made = self._made(known, edition)
        with self._database.writing() as uow:
            return keep_structure(uow, edition, made)

    def _made(self, known: Life, edition: SealVersion) -> bytes:
        key = self._keyring.by_id(edition.key_id or "")
        if key is None:
            raise no_key(known.seal.id)
        certificate = self._keyring.certificate(key)
        maker = self._keyring.active(KeyPurpose.SEAL_MAKER)
        data = SealData(
            seal_id=known.seal.id,
            name=edition.name,
            kind=SEAL_KINDS[known.seal.kind].number,
            vendor=VENDOR,
            signers=(certificate.der or b"",),
            created=max(key.created_at, certificate.not_before).replace(microsecond=0),
            valid_from=certificate.not_before,
            valid_to=certificate.not_after,
            picture=picture_of(known.seal, edition, Extras.opened(self._cipher, edition)),
        )
        make = make_seal_1 if self._settings.seal_structure == "ses-1" else make_seal
        return make(data, self._keyring.signer(maker), self._keyring.certificate_der(maker))


def facts_of(found: SealStanding) -> dict[str, Any]:
    """A standing as it is shown and signed."""
    seal, certificate = found.life.seal, found.certificate
    value: dict[str, Any] = {
        "seal": seal.id,
        "owner": seal.owner,
        "kind": seal.kind,
        "at": _text(found.at),
        "status": found.then.value,
        "good": found.good,
        "version": None if found.edition is None else found.edition.version,
        "since": None if found.last is None else _text(found.last.at),
        "certificate": None,
    }
    if certificate is not None:
        value["certificate"] = {
            "serial": certificate.serial,
            "sha256": hashlib.sha256(certificate.der or b"").hexdigest(),
            "not_before": _text(certificate.not_before),
            "not_after": _text(certificate.not_after),
            "revoked_at": None if certificate.revoked_at is None else _text(certificate.revoked_at),
            "reason": certificate.reason or None,
            "doubtful_since": None if certificate.doubtful_since is None else _text(certificate.doubtful_since),
        }
    return value


def _standing(view: View, known: Life, at: datetime.datetime, *, key_id: str | None = None) -> SealStanding:
    """``key_id``: judge the edition with that key. Keys that were superseded sign no more, but what they were given
    leave for just before ends later."""
    last = state_at(view.seal_events.where(seal_id=known.seal.id), at)
    edition = None if last is None else next((v for v in known.versions if v.version == last.version), None)
    if key_id is not None and edition is not None and edition.key_id != key_id:
        mine = next((v for v in known.versions if v.key_id == key_id), None)
        if mine is None or not _superseded_lately(view, known, mine, at):
            before = mine is not None and mine.version > edition.version
            return SealStanding(known, at, Then.NOT_YET_ACTIVE if before else Then.RETIRED, mine, None, last)
        edition = mine
    certificate = None if edition is None or edition.key_id is None else _certificate(view, edition.key_id)
    return SealStanding(known, at, _then(last, certificate, at), edition, certificate, last)


def _superseded_lately(view: View, known: Life, edition: SealVersion, at: datetime.datetime) -> bool:
    """Whether the edition was at work within the life of a permit before ``at``."""
    before = state_at(view.seal_events.where(seal_id=known.seal.id), at - PERMIT_LIFETIME)
    later = [e for e in view.seal_events.where(seal_id=known.seal.id) if at - PERMIT_LIFETIME < e.at <= at]
    return edition.version in {e.version for e in (before, *later) if e is not None}


def _then(last: SealEvent | None, certificate: CertificateRecord | None, at: datetime.datetime) -> Then:
    if last is None or last.version == 0:
        return Then.NOT_YET_ACTIVE
    if last.state in (SealState.RETIRED, SealState.DESTROYED):
        return Then.RETIRED
    if last.state is SealState.SUSPENDED:
        return Then.SUSPENDED
    if certificate is None:
        return Then.CERTIFICATE_NOT_IN_TIME
    if certificate.doubtful_since is not None and at >= certificate.doubtful_since:
        return Then.KEY_COMPROMISED
    if certificate.revoked_at is not None and at >= certificate.revoked_at:
        return Then.CERTIFICATE_REVOKED
    return Then.VALID if certificate.not_before <= at <= certificate.not_after else Then.CERTIFICATE_NOT_IN_TIME


def _certificate(view: View, key_id: str) -> CertificateRecord | None:
    kept = (CertificateState.ISSUED, CertificateState.REVOKED)
    found = [c for c in view.certificates.where(key_id=key_id) if c.state in kept]
    return max(found, key=lambda c: c.not_before) if found else None


def _evidence(view: View, found: SealStanding) -> dict[str, Any]:
    lines = view.audit.last_about(about(found.life.seal.id), _STEPS, _MAX_EVIDENCE)
    if found.certificate is not None:
        lines += view.audit.about(f"certificate:{found.certificate.ca}:{found.certificate.serial}")
    anchor = view.audit.last_anchor()
    return {
        "lines": [{"writer": x.writer, "seq": x.seq, "at": _text(x.at), "kind": x.kind, "hash": x.hash} for x in lines],
        "anchor": None
        if anchor is None
        else {"n": anchor.n, "at": _text(anchor.at), "heads_sha256": hashlib.sha256(anchor.heads.encode()).hexdigest()},
    }


_STEPS = frozenset({"SEAL_STRUCTURE_MADE", *(f"SEAL_{step.value}" for step in Step)})
"""Kinds of lines that say where a seal stood. Its uses are no part of an answer to strangers, and however many there
are, they neither crowd the steps out nor make the answer slow."""


def _text(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
