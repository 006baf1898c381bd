"""Verification reports that the vault signs with its key for answers: a sealed PDF, or HTML with a detached signature.

What is reported was found by a process that read a stranger's file: it is shown and signed as what it is, the outcome
for the bytes with that SHA-256. A report is no license: its key may seal none, and the judge says so.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from certvault.clock import Clock
from certvault.keyring import Keyring
from certvault.pki import Pki
from certvault.sealing import Sealing
from certvault.settings import Settings
from signing.formats.jose import signed_detached
from signing.formats.pades import Baseline, seal_pdf
from signing.keys import KeyPurpose
from templates.report.blocks import Origin
from templates.report.composing import report_blocks
from templates.report.html import report_html
from templates.report.pdf import FIELD, report_pdf
from verify.formats.report import report_content

LANGUAGES = ("zh", "en")
JWS_TYPE = "certvault-report+json"


class Reports:
    """Writes and signs reports. ``material`` is what :func:`verify.report.material.material_json` gives."""

    def __init__(self, keyring: Keyring, pki: Pki, sealing: Sealing, settings: Settings, clock: Clock) -> None:
        self._keyring = keyring
        self._pki = pki
        self._sealing = sealing
        self._settings = settings
        self._clock = clock

    def pdf(self, material: Mapping[str, Any], *, name: str, lang: str) -> bytes:
        """A PDF/A-3b file with the facts attached, sealed PAdES B-LT; ``name`` is the file's, not verified."""
        now = self._clock.now()
        origin = Origin(name, utc_text(now), self._settings.name, signed=True)
        self._keyring.refresh()
        key = self._keyring.active(KeyPurpose.ANSWER)
        tsa = self._keyring.active(KeyPurpose.TSA)
        return seal_pdf(
            unsigned_pdf(material, origin, lang, now),
            field=FIELD,
            signer=self._keyring.signer(key),
            certificate=self._keyring.certificate_der(key),
            chain=self._pki.above(key, with_root=False),
            at=now,
            baseline=Baseline.B_LT,
            stamp=self._pki.authority(tsa).at(now),
            validation=self._sealing.validation_for(key, tsa),
            purpose=KeyPurpose.ANSWER,
            name=origin.made_by,
        )

    def html(self, material: Mapping[str, Any], *, name: str, lang: str) -> bytes:
        """One HTML page without script; the facts in it carry a detached JWS of the key for answers."""
        now = self._clock.now()
        origin = Origin(name, utc_text(now), self._settings.name, signed=True)
        self._keyring.refresh()
        key = self._keyring.active(KeyPurpose.ANSWER)
        facts = _facts(material, origin)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        jws = signed_detached({"typ": JWS_TYPE}, facts, signer=self._keyring.signer(key), chain=chain)
        return report_html(report_blocks(material, origin, lang), facts, jws, origin=origin, lang=lang)


def unsigned_pdf(material: Mapping[str, Any], origin: Origin, lang: str, now: datetime.datetime) -> bytes:
    """The PDF before it is sealed, or for those who have no vault (``origin.signed`` false)."""
    facts = _facts(material, origin)
    return report_pdf(report_blocks(material, origin, lang), facts, origin=origin, lang=lang, made=now)


def unsigned_html(material: Mapping[str, Any], origin: Origin, lang: str) -> bytes:
    """The HTML page without a signature."""
    return report_html(report_blocks(material, origin, lang), _facts(material, origin), None, origin=origin, lang=lang)


def utc_text(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(material: Mapping[str, Any], origin: Origin) -> bytes:
    reports = {lang: material[lang] for lang in LANGUAGES if lang in material}
    sha256 = next((str(r.get("sha256", "")) for r in reports.values() if isinstance(r, Mapping)), "")
    return report_content(reports, sha256, origin.made_at)
