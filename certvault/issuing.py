"""Issuing one license: the stages of :mod:`certvault.pipeline` over a batch of one."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Mapping

from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError
from certvault.licenses import Licenses
from certvault.model.actor import Actor
from certvault.model.license import License
from certvault.model.views import IssuedLicense
from certvault.pipeline import Allotted, Also, Draft, Pipeline, Sealed
from certvault.recovery import Recovery
from certvault.remits import issuer_for
from certvault.sealing import Sealing, Tools, baseline_named
from signing.errors import SigningError
from signing.formats.pades import Baseline
from verify.formats.refusal import RefusedError, refuse

REQUEST_KEPT = datetime.timedelta(days=1)


class Issuing:
    """Issues licenses one by one."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        catalog: Catalog,
        pipeline: Pipeline,
        sealing: Sealing,
        recovery: Recovery,
        licenses: Licenses,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._pipeline = pipeline
        self._sealing = sealing
        self._recovery = recovery
        self._licenses = licenses
        self._clock = clock

    def issue(
        self,
        type_name: str,
        data: Mapping[str, object],
        *,
        actor: Actor,
        holder_key: dict[str, str] | None = None,
        baseline: Baseline | str = Baseline.B_LT,
        request_key: str | None = None,
    ) -> IssuedLicense:
        """Issue one license.

        ``holder_key`` is a public JWK (EC P-256) to which the structured record is bound. ``request_key`` names an
        idempotent request (caller and key): repeated within a day it gives the same license. Raises RefusedError with
        every fault of the data, ConflictError (DUPLICATE_LICENSE), the errors of :mod:`signing.errors` and
        :class:`certvault.errors.VaultError`; after a failure the number is void with the reason.
        """
        self._pipeline.require_licenses()
        level = _level(baseline)
        _check_holder_key(holder_key)
        issuer = issuer_for(self._database, actor)
        request_index = None if request_key is None else self._cipher.index("request", request_key)
        if request_index is not None:
            with self._database.reading() as view:
                known = view.licenses.by_request(request_index, self._clock.now() - REQUEST_KEPT)
            if known is not None and known.document_sha256 is not None:
                return self.again(known)
        license_type = self._catalog.get(type_name)
        checked = self._pipeline.check(license_type, data, issuer)
        tools = self._sealing.tools_for(issuer, license_type, actor)
        draft = self._pipeline.draft(license_type, checked, tools, request_index=request_index)
        return self._issued(draft, tools, actor, level, holder_key)

    def successor(
        self, draft: Draft, tools: Tools, actor: Actor, holder_key: dict[str, str] | None, ended: Also
    ) -> IssuedLicense:
        """A new version of a license. ``ended`` ends the version before, in the transaction in which the new one is
        marked ISSUED; when it raises, the new version is void. Raises as :meth:`issue`."""
        return self._issued(draft, tools, actor, Baseline.B_LT, holder_key, ended)

    def _issued(
        self,
        draft: Draft,
        tools: Tools,
        actor: Actor,
        level: Baseline,
        holder_key: dict[str, str] | None,
        also: Also | None = None,
    ) -> IssuedLicense:
        allotted, refused = self._pipeline.allot([draft], tools, actor.subject)
        if refused:
            raise refused[0][1]
        try:
            found, sealed = self._make(allotted[0], tools, actor, level, holder_key, also)
        except (SigningError, VaultError, RefusedError, OSError) as error:
            self._give_up(allotted[0].license, error, actor)
            raise
        return self._result(found, sealed, draft.checked.ignored)

    def _make(
        self,
        allotted: Allotted,
        tools: Tools,
        actor: Actor,
        level: Baseline,
        holder_key: dict[str, str] | None,
        also: Also | None,
    ) -> tuple[License, Sealed]:
        built = self._pipeline.build(allotted, tools)
        built = self._pipeline.permit([built], tools, actor)[0]
        sealed = self._pipeline.seal(built, tools, baseline=level, holder_key=holder_key)
        return self._pipeline.keep([sealed], tools, actor.subject, baseline=level, also=also)[0], sealed

    def _give_up(self, found: License, error: Exception, actor: Actor) -> None:
        """The number is void now; when not even that can be written, the next recovery does it."""
        self._sealing.forget()
        reason = getattr(error, "code", None) or type(error).__name__
        try:
            self._recovery.give_up(found, str(reason), actor.subject)
        except VaultError as second:
            error.add_note(f"the number is voided when the database answers again: {second}")

    def _result(self, found: License, sealed: Sealed, ignored: tuple[str, ...]) -> IssuedLicense:
        return IssuedLicense(
            identifier=found.identifier,
            type=found.type,
            number=sealed.built.allotted.number,
            version=found.version,
            standing=found.standing(legal_date(self._clock.now())).value,
            issued_at=found.issued_at or found.allotted_at,
            sha256=found.document_sha256 or "",
            pdf=sealed.pdf,
            record=sealed.record,
            ignored=ignored,
        )

    def again(self, found: License) -> IssuedLicense:
        """What issuing gave then, with the standing of now."""
        view = self._licenses.view(found)
        return IssuedLicense(
            identifier=found.identifier,
            type=found.type,
            number=view.number,
            version=found.version,
            standing=view.standing,
            issued_at=found.issued_at or found.allotted_at,
            sha256=found.document_sha256 or "",
            pdf=self._licenses.document(found),
            record=self._licenses.sdjwt(found),
        )


def _level(baseline: Baseline | str) -> Baseline:
    try:
        return baseline_named(baseline)
    except ValueError:
        known = ", ".join(b.value for b in Baseline)
        raise refuse(
            "BASELINE_UNKNOWN",
            "baseline",
            f"没有基线级别 {str(baseline)[:20]}",
            f"there is no baseline {str(baseline)[:20]}",
            remedy_zh=f"可选：{known}",
            remedy_en=f"Use one of {known}.",
        ) from None


def _check_holder_key(jwk: Mapping[str, object] | None) -> None:
    """A public EC key on P-256 (RFC 7517, RFC 7518 6.2.1); private members are refused, so none is kept."""
    if jwk is None:
        return
    good = isinstance(jwk, Mapping) and jwk.get("kty") == "EC" and jwk.get("crv") == "P-256" and "d" not in jwk
    if not good or any(_coordinate(jwk.get(member)) is None for member in ("x", "y")):
        raise refuse(
            "HOLDER_KEY",
            "holder_key",
            "持证主体密钥须为 EC P-256 公钥（JWK），不含私钥成员",
            "the holder's key must be a public EC P-256 JWK, without private members",
            remedy_zh="请提交 kty、crv、x、y。",
            remedy_en="Send kty, crv, x and y.",
        )


def _coordinate(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        decoded = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (ValueError, binascii.Error):
        return None
    return decoded if len(decoded) == 32 else None
