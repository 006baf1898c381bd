"""Looking the vault over: each check by name, each problem in words an operator can act on."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from certvault.audit import Audit
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.migrate import current_revision, head_revision
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError
from certvault.keyring import Keyring
from certvault.keytests import KeyTests
from certvault.licenses import Licenses
from certvault.model.keys import CertificateRecord, KeyState, event
from certvault.model.license import License, LicenseState
from certvault.model.views import DoctorReport
from certvault.model.work import JobState
from certvault.pki import Pki
from certvault.recovery import Recovery
from certvault.store import Store
from signing.errors import SigningError
from signing.keys import KeyPurpose
from verify.formats.refusal import RefusedError

_SOON = datetime.timedelta(days=30)
_PROBE = "doctor:probe"


@dataclass(frozen=True, slots=True)
class Doctor:
    """The checks, over everything they look at."""

    database: Database
    store: Store
    cipher: Cipher
    keyring: Keyring
    pki: Pki
    audit: Audit
    licenses: Licenses
    recovery: Recovery
    clock: Clock
    key_tests: KeyTests

    def examine(self) -> DoctorReport:
        """Recover what a dead process left, then run every check."""
        checks = [
            *self._quick(),
            ("key tests", self._each_key),
            ("recovery", self._recovery),
            ("certificates", self._certificates),
            ("audit", self._audit),
            ("numbers", self._numbers),
            ("documents", self._documents),
            ("jobs", self._jobs),
        ]
        return _run(checks)

    def ready(self) -> list[str]:
        """What keeps the vault from issuing now. Quick: no walk through documents or audit."""
        return list(_run(self._quick()).problems)

    def _quick(self) -> list[tuple[str, Callable[[], tuple[list[str], str]]]]:
        return [("database", self._schema), ("store", self._store_answers), ("keys", self._keys)]

    def _schema(self) -> tuple[list[str], str]:
        found = current_revision(self.database.engine)
        if found != head_revision():
            return [f"the schema is {found}, this version needs {head_revision()}"], ""
        return [], f"schema {found}, {'SQLite' if self.database.is_sqlite else 'PostgreSQL'}"

    def _store_answers(self) -> tuple[list[str], str]:
        self.store.check()
        return [], "answers"

    def _keys(self) -> tuple[list[str], str]:
        """Unwrap the data keys, and have one key sign: the token is there and takes the PIN."""
        if self.cipher.open(_PROBE, self.cipher.seal(_PROBE, b"probe")) != b"probe":
            return ["sealing does not open again"], ""
        if not self.key_tests.works(self.keyring.active(KeyPurpose.LOG)):
            return ["the LOG key's signature does not verify: handle and key differ"], ""
        return [], self.keyring.backend.uri

    def _each_key(self) -> tuple[list[str], str]:
        """Have each key sign a test; the audit knows that they were used."""
        problems, tested = self.key_tests.run()
        with self.database.writing() as uow:
            uow.record([event("KEYS_TESTED", "keys", "doctor", tested=tested, failed=len(problems))])
        return problems, f"{tested} sign"

    def _recovery(self) -> tuple[list[str], str]:
        done = self.recovery.recover(strays=True)
        left = self.recovery.interrupted()
        problems = [f"{f.identifier}: allotted by a process that is gone, and still open" for f in left]
        return problems, (
            f"{done.voided} numbers voided, {done.strays} stray files removed, "
            f"{done.paused} jobs paused, {done.serials} serials given up"
        )

    def _certificates(self) -> tuple[list[str], str]:
        problems: list[str] = []
        now, count = self.clock.now(), 0
        self.keyring.refresh()
        for key in self.keyring.all():
            certificate = self.keyring.certificate_or_none(key)
            if key.state is not KeyState.ACTIVE or certificate is None or self._ended_with_ca(certificate):
                continue
            count += 1
            if certificate.not_after <= now:
                problems.append(f"the certificate of {key.owner}/{key.name} ended {certificate.not_after:%Y-%m-%d}")
            elif certificate.not_after < now + _SOON:
                problems.append(f"the certificate of {key.owner}/{key.name} ends soon: run maintenance")
        for name in self.pki.ca_names():
            self.pki.crl(name)
        return problems, f"{count} active"

    def _ended_with_ca(self, certificate: CertificateRecord) -> bool:
        """Whether the CA has come to its end as well: then nobody asks its responder any more."""
        ca = self.keyring.certificate(self.keyring.named(certificate.ca))
        return ca.not_after <= min(certificate.not_after, self.clock.now())

    def _audit(self) -> tuple[list[str], str]:
        problems = self.audit.verify_chain()
        if problems:
            return problems, "broken"
        self.audit.anchor(self.clock.now())  # what was found whole stays so
        return [], "chains whole, anchored"

    def _numbers(self) -> tuple[list[str], str]:
        with self.database.reading() as view:
            counts = view.licenses.counts()
            void = view.licenses.in_state(LicenseState.VOID)
        problems = [f"{v.identifier}: void without a reason" for v in void if not v.reason]
        return problems, ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"

    def _documents(self) -> tuple[list[str], str]:
        """Every issued license opens and has its digest; nothing else is in the store."""
        problems: list[str] = []
        count, last = 0, ""
        while issued := self._portion(last):
            for found in issued:
                try:
                    self.licenses.document(found)
                    self.licenses.sdjwt(found)
                    self.licenses.face(found)
                except VaultError as error:
                    problems.append(f"{found.identifier}: {error}")
            count, last = count + len(issued), issued[-1].identifier
        problems += [f"the store holds {name}, which no license names" for name in self.recovery.strays()]
        return problems, f"{count} read"

    def _portion(self, after: str) -> list[License]:
        with self.database.reading() as view:
            return view.licenses.issued_after(after, 200)

    def _jobs(self) -> tuple[list[str], str]:
        with self.database.reading() as view:
            open_jobs = [j for j in view.jobs.all() if j.state not in (JobState.DONE, JobState.ABANDONED)]
        return [], f"{len(open_jobs)} to resume or at work"


def _run(checks: list[tuple[str, Callable[[], tuple[list[str], str]]]]) -> DoctorReport:
    problems: list[str] = []
    outcomes: list[tuple[str, str]] = []
    for name, check in checks:
        try:
            found, words = check()
        except (VaultError, SigningError, RefusedError, OSError) as error:
            found, words = [f"{error}"], ""
        problems += [f"{name}: {p}" for p in found]
        outcomes.append((name, words or ("failed" if found else "good")))
    return DoctorReport(tuple(problems), tuple(outcomes))
