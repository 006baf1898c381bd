"""The steps by which a seal and a seal signature are verified, in the order of the standards, each with its own code.

A step says PASSED, WARNING, FAILED or NOT_RUN and why. Every step that can run does run, whatever failed before it.
Bytes are always those of the file: nothing is encoded anew before a signature is checked.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.checks.chain import (
    Chains,
    Problem,
    Revocation,
    display_name,
    load_lenient,
    may_make_seals,
    may_sign,
)
from verify.checks.strength import weak_hash, weak_key
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.formats.refusal import Text
from verify.formats.seal import Seal, SealSignature
from verify.messages.seals import reason


class StepOutcome(enum.Enum):
    """How a step ended. WARNING: the step found something that does not make the seal bad."""

    PASSED = "PASSED"
    WARNING = "WARNING"
    FAILED = "FAILED"
    NOT_RUN = "NOT_RUN"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the procedure. ``code`` is None for a row that has no code of its own; ``steps`` are a row's parts.

    ``weak`` names an algorithm that no longer counts, where that alone is what is wrong; ``unknown``
    names an authority, where all that is wrong is that no chosen anchor vouches for it.
    """

    code: str | None
    outcome: StepOutcome
    reason: Text
    steps: tuple[Step, ...] = ()
    weak: str = ""
    unknown: str = ""

    def to_json(self, lang: str) -> dict[str, Any]:
        """The step as interfaces show it."""
        shown: dict[str, Any] = {
            "code": self.code,
            "outcome": self.outcome.value,
            "reason": self.reason.in_language(lang),
        }
        return shown | {"steps": [s.to_json(lang) for s in self.steps]} if self.steps else shown


_P, _W, _F, _N = StepOutcome.PASSED, StepOutcome.WARNING, StepOutcome.FAILED, StepOutcome.NOT_RUN
_TIME_ROWS: dict[str, tuple[StepOutcome, StepOutcome, StepOutcome, StepOutcome]] = {
    "certificate-unreadable": (_N, _F, _N, _N),
    "no-time": (_N, _F, _N, _N),
    "outside-certificate": (_N, _F, _N, _N),
    "no-trust": (_N, _P, _N, _N),
    "revoked-before": (_N, _P, _F, _N),
    "revocation-unknown": (_N, _P, _N, _N),
    "revoked-since": (_P, _P, _P, _W),
    "not-revoked": (_P, _P, _P, _P),
}


def passed(code: str | None, name: str, /, **params: object) -> Step:
    """A step that found nothing wrong."""
    return Step(code, StepOutcome.PASSED, reason(name, params))


def failed(code: str | None, name: str, /, **params: object) -> Step:
    """A step that found the value wrong."""
    return Step(code, StepOutcome.FAILED, reason(name, params))


def warned(code: str | None, name: str, /, **params: object) -> Step:
    """A step that found something worth saying."""
    return Step(code, StepOutcome.WARNING, reason(name, params))


def not_run(code: str | None, name: str, /, **params: object) -> Step:
    """A step that could not be run, or does not belong to this version."""
    return Step(code, StepOutcome.NOT_RUN, reason(name, params))


_HASHES = {"1.2.156.10197.1.501": "sm3", "1.2.156.10197.1.301.1": "sm3", "1.2.840.113549.1.1.11": "sha256"}
_HASHES |= {"1.2.840.113549.1.1.5": "sha1", "1.2.840.10045.4.3.2": "sha256", "1.2.156.10197.501": "sm3"}
_NAMED = {"1.2.156.10197.1.401": "sm3", "1.2.156.10197.1.401.1": "sm3", "1.2.156.10197.1.401.2": "sm3", "sm3": "sm3"}
_NAMED |= {"2.16.840.1.101.3.4.2.1": "sha256", "sha256": "sha256", "sha-256": "sha256", "1.3.14.3.2.26": "sha1"}


def digest_named(name: str, data: bytes) -> bytes | None:
    """The digest under a name or an OID as seals state it; None for one that is not known."""
    known = _NAMED.get(name.strip().lower())
    return _hash(known, data) if known else None


def document_digest(algorithm: str, data: bytes) -> bytes | None:
    """The digest that follows from a signature algorithm (GM/T 0031-2014 5): SM3 for SM2, SHA-1 or SHA-256 for RSA."""
    known = document_hash(algorithm)
    return _hash(known, data) if known else None


def document_hash(algorithm: str) -> str | None:
    """The name of that hash; None for an algorithm that seals are not signed with."""
    return _HASHES.get(algorithm)


def _hash(name: str, data: bytes) -> bytes:
    from verify.formats.sm2 import sm3

    return sm3(data) if name == "sm3" else hashlib.new(name, data, usedforsecurity=False).digest()


def check_value(code: str, signature: bytes, covered: bytes, certificate: bytes, algorithm: str) -> Step:
    """Whether a signature value is that of the certificate's key over these bytes."""
    from asn1crypto import algos

    from verify.formats import gm
    from verify.formats.publickeys import verify_x509

    signer = load_lenient(certificate)
    if signer is None:
        return failed(code, "certificate-unreadable")
    dotted = gm.SM2_WITH_SM3 if algorithm == "1.2.156.10197.501" else algorithm
    try:
        named = algos.SignedDigestAlgorithm({"algorithm": dotted})
        verify_x509(signature, covered, signer.public_key, named)
    except BadSignatureError:
        return failed(code, "value-wrong", subject=display_name(signer))
    except (UnsupportedKeyError, ValueError) as error:
        return failed(code, "algorithm-unknown", algorithm=f"{algorithm} ({error})")
    return passed(code, "value-good", subject=display_name(signer))


def _hash_under(algorithm: str) -> str:
    from asn1crypto import algos

    from verify.formats.schemes import hash_of

    return hash_of(algos.SignedDigestAlgorithm({"algorithm": algorithm}))


class SealSteps:
    """Runs the procedures of one inspection. ``at`` is the moment of checking, aware, UTC.

    ``digest`` is that of the document by the signature's hash, where somebody has made it already.
    """

    def __init__(self, chains: Chains, at: datetime, document: bytes | None, *, digest: bytes | None = None) -> None:
        self.chains = chains
        self.at = at
        self.document = document
        self.digest = digest

    def of_seal(self, seal: Seal, moment: datetime) -> tuple[Step, ...]:
        """Verification of a seal (4.1), validity asked at ``moment``."""
        steps = [
            passed("SEAL_FORMAT", "seal-format", version=seal.version),
            self._value("SEAL_SIG", seal.signature, seal.covered, seal.maker, seal.algorithm),
            self._created(seal, moment),
            self._maker(seal, moment),
            self._validity(seal, moment),
            self._seal_timestamp(seal),
        ]
        return (*steps, _sum_up(steps))

    def of_signature(self, value: SealSignature) -> tuple[Step, ...]:
        """Verification of a seal signature: 4.3 for version 1, 4.4 for the later ones."""
        return self._of_1(value) if value.version == 1 else self._of_4(value)

    def _of_1(self, value: SealSignature) -> tuple[Step, ...]:
        moment = self.moment_of(value)
        signer = load_lenient(value.signer)
        listed = self._listed(value)
        seal = _within("SEAL_SIG", self.of_seal(value.seal, moment or self.at))
        if listed.outcome is StepOutcome.FAILED:
            # the text of version 1 checks this only when signing; a signer outside the list is refused all the same
            seal = Step("SIGNER_NOT_IN_SEAL", StepOutcome.FAILED, listed.reason, seal.steps)
        steps = [
            passed("FORMAT", "signature-format", version=1),
            self._value("SIG_VALUE", value.signature, value.covered, value.signer, value.algorithm),
            self._signer(signer, moment),
            *self._times(signer, moment),
            self._data_hash(value),
            seal,
        ]
        return (*steps, _sum_up(steps))

    def _of_4(self, value: SealSignature) -> tuple[Step, ...]:
        moment = self.moment_of(value)
        signer = load_lenient(value.signer)
        outside, before = self._times(signer, moment)[1:3]
        times = before if outside.outcome is _P and before.outcome is _F else outside
        return (
            passed("FORMAT", "signature-format", version=value.version),
            self._value("SIG_VALUE", value.signature, value.covered, value.signer, value.algorithm),
            self._listed(value),
            _within("SEAL_SIG", self.of_seal(value.seal, moment or self.at)),
            self._signer(signer, moment),
            times,
            self._data_hash(value),
            self._signature_timestamp(value),
        )

    def _value(self, code: str, signature: bytes, covered: bytes, certificate: bytes, algorithm: str) -> Step:
        """A value that is right under an algorithm that the policy no longer counts could be anybody's by now."""
        step = check_value(code, signature, covered, certificate, algorithm)
        signer = load_lenient(certificate)
        if step.outcome is not StepOutcome.PASSED or signer is None:
            return step
        policy, key = self.chains.inquiry.policy, signer.public_key.dump()
        weak = weak_hash(policy, _hash_under(algorithm), self.at) or weak_key(policy, key, self.at)
        if not weak:
            return step
        return Step(code, StepOutcome.FAILED, reason("algorithm-weak", {"algorithm": weak}), weak=weak)

    def moment_of(self, value: SealSignature) -> datetime | None:
        """When it says it was signed; for version 1 perhaps by a timestamp token."""
        if value.time is not None or value.time_token is None:
            return value.time
        from verify.checks.sealtime import token_time

        return token_time(value.time_token)

    def _created(self, seal: Seal, moment: datetime) -> Step:
        if seal.version != 5:
            return not_run("SEAL_CREATE_DATE", "other-version", version=seal.version)
        if seal.created > moment or seal.created > seal.valid_to:
            return failed("SEAL_CREATE_DATE", "created-late", created=_text(seal.created), moment=_text(moment))
        return passed("SEAL_CREATE_DATE", "created", created=_text(seal.created))

    def _maker(self, seal: Seal, moment: datetime) -> Step:
        """Versions 1 and 4: any failure fails. Version 5: good when made and lapsed since is a warning."""
        code = "SEAL_MAKER_CERT"
        maker = load_lenient(seal.maker)
        if maker is None:
            return failed(code, "certificate-unreadable")
        if not may_sign(maker):
            return failed(code, "usage-wrong", subject=display_name(maker))
        if not may_make_seals(maker):
            return failed(code, "no-maker", subject=display_name(maker))
        if not self.chains.anchors:
            return not_run(code, "no-trust")
        problem = self.chains.validate(maker, moment, Revocation.KNOWN).problem
        lapsed = problem is not None and problem.code in ("CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED")
        if seal.version == 5 and lapsed:
            earlier = self.chains.validate(maker, seal.created, Revocation.KNOWN).problem
            if earlier is None:
                return warned(code, "lapsed-since", subject=display_name(maker))
            problem = earlier
        return _of_problem(code, problem, maker)

    def _validity(self, seal: Seal, moment: datetime) -> Step:
        known = {"start": _text(seal.valid_from), "end": _text(seal.valid_to), "moment": _text(moment)}
        if seal.valid_from <= moment <= seal.valid_to:
            return passed("SEAL_VALIDITY", "within-validity", **known)
        return failed("SEAL_VALIDITY", "outside-validity", **known)

    def _seal_timestamp(self, seal: Seal) -> Step:
        if seal.version != 5:
            return not_run("TIMESTAMP", "other-version", version=seal.version)
        return self._timestamp("TIMESTAMP", seal.timestamp, seal.signature, seal.created)

    def _signature_timestamp(self, value: SealSignature) -> Step:
        """What was stamped had been signed; the clocks of signer and authority may differ as the policy allows."""
        skew = self.chains.inquiry.policy.clock_skew
        not_before = value.time - skew if value.time is not None and value.time.year > 1 else None
        return self._timestamp("TIMESTAMP", value.timestamp, value.signature, not_before, "timestamp-before-signing")

    def _timestamp(
        self,
        code: str,
        token: bytes | None,
        stamped: bytes,
        not_before: datetime | None,
        early: str = "timestamp-early",
    ) -> Step:
        if token is None:
            return not_run(code, "no-timestamp")
        from verify.checks.sealtime import check_token

        return check_token(self.chains, code, token, stamped, not_before, early)

    def _listed(self, value: SealSignature) -> Step:
        code = "SIGNER_NOT_IN_SEAL"
        if value.seal.lists(value.signer, self._counted_digest):
            return passed(code, "signer-listed")
        unknown = [name for name, _ in value.seal.digests if self._counted_digest(name, b"") is None]
        return failed(code, "list-unknown-hash", name=unknown[0]) if unknown else failed(code, "signer-not-listed")

    def _counted_digest(self, name: str, data: bytes) -> bytes | None:
        """The digest under a name, where the policy still counts that hash: with SHA-1 two signers can be listed."""
        known = _NAMED.get(name.strip().lower(), "")
        weak = weak_hash(self.chains.inquiry.policy, known, self.at)
        return None if weak else digest_named(name, data)

    def _signer(self, signer: Any | None, moment: datetime | None) -> Step:
        """Chain and usage alone; expiry and revocation are the next step's."""
        if signer is None:
            return failed("SIGNER_CERT_CHAIN", "certificate-unreadable")
        if not may_sign(signer):
            return failed("SIGNER_CERT_USAGE", "usage-wrong", subject=display_name(signer))
        if not self.chains.anchors:
            return not_run("SIGNER_CERT_CHAIN", "no-trust")
        inside = min(max(moment or self.at, signer.not_valid_before), signer.not_valid_after)
        problem = self.chains.validate(signer, inside, Revocation.IGNORED).problem
        return _of_problem("SIGNER_CERT_CHAIN", problem, signer)

    def _times(self, signer: Any | None, moment: datetime | None) -> tuple[Step, ...]:
        """Rows 4a to 4d of version 1: inside validity, outside it, revoked before, revoked after the signing."""
        state = self._time_state(signer, moment)
        known = {"moment": _text(moment) if moment else "–", "subject": display_name(signer) if signer else "–"}
        rows = zip((None, "SIGN_TIME_OUTSIDE_CERT", "REVOKED_BEFORE_SIGNING", None), _TIME_ROWS[state], strict=True)
        inside = "inside-certificate"
        return tuple(
            Step(code, outcome, reason(inside if outcome is _P and state != "not-revoked" else state, known))
            for code, outcome in rows
        )

    def _time_state(self, signer: Any | None, moment: datetime | None) -> str:
        if signer is None:
            return "certificate-unreadable"
        if moment is None:
            return "no-time"
        if not signer.not_valid_before <= moment <= signer.not_valid_after:
            return "outside-certificate"
        if not self.chains.anchors:
            return "no-trust"
        problem = self.chains.validate(signer, moment, Revocation.REQUIRED).problem
        if problem is not None and problem.code == "CERTIFICATE_REVOKED":
            return "revoked-before"
        if problem is not None:  # without a way to an anchor nobody who may say was asked
            return "revocation-unknown"
        later = self.chains.validate(signer, self.at, Revocation.KNOWN).problem
        return "revoked-since" if later is not None and later.code == "CERTIFICATE_REVOKED" else "not-revoked"

    def _data_hash(self, value: SealSignature) -> Step:
        if self.document is None and self.digest is None:
            return not_run("DATA_HASH", "no-data")
        digest = self.digest or document_digest(value.algorithm, self.document or b"")
        if digest is None:
            return failed("DATA_HASH", "algorithm-unknown", algorithm=value.algorithm)
        same = hmac.compare_digest(digest, value.data_hash)
        return passed("DATA_HASH", "data-same") if same else failed("DATA_HASH", "data-differs")


def _of_problem(code: str, problem: Problem | None, certificate: Any) -> Step:
    subject = display_name(certificate)
    if problem is None:
        return passed(code, "chain-good", subject=subject)
    return failed(code, f"chain-{problem.code}", subject=subject)


def _within(code: str, steps: tuple[Step, ...]) -> Step:
    """A row that stands for a whole procedure: it names the first step inside that failed."""
    for outcome in (_F, _W):
        bad = next((s for s in steps if s.outcome is outcome and s.code is not None), None)
        if bad is not None:
            return Step(bad.code, outcome, bad.reason, steps)
    if any(s.outcome is _N and s.code == "SEAL_MAKER_CERT" for s in steps):
        return Step("SEAL_MAKER_CERT", _N, reason("seal-good-untrusted", {}), steps)
    return Step(code, _P, reason("seal-good", {}), steps)


def _sum_up(steps: list[Step]) -> Step:
    """The last row: all passed. A step that could not run leaves it open."""
    outcomes = {s.outcome for s in steps}
    if StepOutcome.FAILED in outcomes:
        return failed(None, "some-failed")
    needed = [s for s in steps if s.outcome is StepOutcome.NOT_RUN and s.code in _NEEDED]
    if needed:
        return not_run(None, "some-not-run", code=needed[0].code)
    return passed(None, "all-passed")


_NEEDED = {"SEAL_MAKER_CERT", "SIGNER_CERT_CHAIN", "DATA_HASH", "REVOKED_BEFORE_SIGNING"}


def _text(moment: datetime) -> str:
    from verify.verdict import utc_text

    return utc_text(moment)
