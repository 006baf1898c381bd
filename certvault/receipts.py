"""Receipts: a verdict of this vault, signed with its evidence, so that anyone can check it offline years later.

A receipt is a flattened JWS under the key for answers. It names the file by digest and size, holds the verdict as it
was given, the vault's signed answer about the license (:mod:`certvault.standinganswers`) and the revocation lists by
which its own certificates are judged; a timestamp over the signature proves when it was made.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from typing import Any

from certvault.clock import Clock
from certvault.keyring import Keyring
from certvault.pki import Pki
from certvault.settings import Settings
from certvault.standinganswers import StandingAnswers
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from verify.formats.receipt import JWS_TYPE
from verify.formats.schemes import digest_of


class Receipts:
    """Makes receipts."""

    def __init__(self, keyring: Keyring, pki: Pki, answers: StandingAnswers, settings: Settings, clock: Clock) -> None:
        self._keyring = keyring
        self._pki = pki
        self._answers = answers
        self._settings = settings
        self._clock = clock

    def make(self, data: bytes, verdict: Mapping[str, Any], at: datetime.datetime) -> dict[str, Any]:
        """The receipt of ``verdict`` (as interfaces show it) on ``data``, judged as of ``at``."""
        now = self._clock.now()
        self._keyring.refresh()
        key, tsa = self._keyring.active(KeyPurpose.ANSWER), self._keyring.active(KeyPurpose.TSA)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        lists = dict.fromkeys((*self._pki.evidence_for(key).crls, *self._pki.evidence_for(tsa).crls))
        payload = {
            "iss": self._settings.base_url,
            "iat": int(now.timestamp()),
            "file": {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
            "verdict": {name: value for name, value in verdict.items() if name not in ("elapsed_ms", "receipt")},
            "evidence": {
                "standing": self._standing(verdict, min(at, now)),
                "crls": [base64.b64encode(der).decode() for der in lists],
            },
        }
        token = signed_token({"typ": JWS_TYPE}, payload, signer=self._keyring.signer(key), chain=chain)
        protected, body, signature = token.split(".")
        stamper = self._pki.authority(tsa).at(now)
        stamp = stamper(digest_of(stamper.hash_name, signature.encode()), stamper.hash_name)
        stamped = {"sigTst": {"tstTokens": [{"val": base64.b64encode(stamp).decode()}]}}
        return {"protected": protected, "payload": body, "signature": signature, "header": {"etsiU": [stamped]}}

    def _standing(self, verdict: Mapping[str, Any], at: datetime.datetime) -> str | None:
        """The vault's answer about the license, where the verdict is about one of its own.

        A license of another region may have a number of ours: what became of ours says nothing about it.
        """
        recognition = verdict.get("recognition")
        if isinstance(recognition, Mapping) and recognition.get("region"):
            return None
        license_ = verdict.get("license")
        identifier = license_.get("identifier") if isinstance(license_, Mapping) else None
        answer = self._answers.about(identifier, at) if isinstance(identifier, str) else None
        return None if answer is None else answer.decode()
