"""This region's trust list: who issues what here, with certificates, signed and numbered.

A list is made from what the database holds now. What it says is compared without number, times and the revocation
lists' own times: only where that changed, or the newest list is a day old (sooner, when lists hold for less than two),
the next number is taken. Number and payload are stored before anything is signed, so that no number ever has two
contents, whatever process is killed when; a list that was left unsigned is signed by whoever asks next.

The payloads of the newest lists are kept, and a follower that has one of them is served the difference
(:mod:`verify.formats.trustdelta`).
"""

from __future__ import annotations

import datetime
import hashlib
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from certvault.anchors import Anchors
from certvault.catalog import Catalog
from certvault.certification import ROOT
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import ConcurrentChangeError, DuplicateRowError
from certvault.hubrefusals import require_licenses
from certvault.keyring import Keyring
from certvault.model.keys import VAULT_OWNER, CertificateRecord, CertificateState, Issuer, KeyRecord, event
from certvault.model.region import OwnList
from certvault.model.seal import Seal, SealState
from certvault.pki import Pki
from certvault.settings import Settings
from certvault.statuslists import list_uri
from signing.formats.trustlist import sign_trust_list
from signing.keys import KeyPurpose
from verify.formats.jose import strict_object
from verify.formats.license import canonical_json
from verify.formats.trustdelta import difference
from verify.formats.trustlist import Endpoints, ListedIssuer, ListedSeal, ListedType, TrustList, trust_list_from_json
from verify.trust.regions import NATION

PATH, NOTICES = "/v1/trust-list", "/v1/notices"
RENEWAL = datetime.timedelta(days=1)
KEPT = 32
"""So many of the newest lists are kept whole."""
_STRUCTURES = ("pades", "ses-4")
"""Every seal signs by both; by the old one, ses-1, where the setting says so."""
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_LISTED = (SealState.ACTIVE, SealState.SUSPENDED, SealState.RETIRED, SealState.DESTROYED)
_ALIVE = (SealState.ACTIVE, SealState.SUSPENDED)
MAX_SEALS, MAX_CERTIFICATES = 150, 100
"""Of one issuer, and of one key's generations: the newest, as far as readers of lists take them."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Published:
    """A list as it is given out."""

    sequence: int
    token: str
    etag: str
    issued: datetime.datetime
    next_update: datetime.datetime
    renewed: datetime.datetime


class TrustLists:
    """Publishes the region's list. Thread-safe."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        anchors: Anchors,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._anchors = anchors
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[tuple[int, ...], Published] | None = None
        self._deltas: dict[tuple[int, int], bytes] = {}

    def newest(self) -> Published:
        """The newest list, made and signed when what it would say has changed or the former one is old. A hub has none:
        RefusedError."""
        require_licenses(self._settings)
        with self._lock:
            at = self._clock.now()
            mark = self._mark()
            if self._kept is not None and self._kept[0] == mark and at < self._kept[1].renewed:
                return self._kept[1]
            published = self._publish(at)
            self._kept = mark, published  # what changed while it was made is seen at the next call
            return published

    def delta(self, since: int) -> bytes | None:
        """What leads from list ``since`` to the newest one; None when that list is not kept or is the newest."""
        newest = self.newest()
        key = (since, newest.sequence)
        if since >= newest.sequence:
            return None
        with self._lock:
            found = self._deltas.get(key)
            if found is None:
                if len(self._deltas) >= KEPT or any(to != newest.sequence for _, to in self._deltas):
                    self._deltas.clear()
                found = self._delta(since, newest)
                if found is not None:  # numbers that nobody has put none of the others out
                    self._deltas[key] = found
            return found

    def _delta(self, since: int, newest: Published) -> bytes | None:
        with self._database.reading() as view:
            found, now = view.own_lists.get(since), view.own_lists.get(newest.sequence)
        if found is None or now is None or not found.packed or not now.packed:
            return None
        former, latest = strict_object(found.payload, "payload"), strict_object(now.payload, "payload")
        return difference(former, latest, newest.token)

    def _mark(self) -> tuple[int, ...]:
        with self._database.reading() as view:
            return view.region_mark()

    def _publish(self, at: datetime.datetime) -> Published:
        self._keyring.refresh()
        for _ in range(_TRIES - 1):
            try:
                return self._shown(self._signed(self._current(at)))
            except (DuplicateRowError, ConcurrentChangeError):
                continue  # another process published: see what it says
        return self._shown(self._signed(self._current(at)))

    def _current(self, at: datetime.datetime) -> OwnList:
        """The row of the list that says what holds now; a new one where none does."""
        anchor = self._anchors.current()
        with self._database.reading() as view:
            made = self._list(view, at, anchor.sequence)
            revoked = view.certificates.where(state=CertificateState.REVOKED)
            newest = _newest(view)
        content = _content(made, revoked)
        if newest is not None and newest.token is None:  # its number is taken: it is signed whatever has changed
            newest = self._signed(newest)
        if newest is not None and newest.content == content and at < self._renewed(newest):
            return newest
        made = replace(made, crls=tuple(self._pki.crl(n) for n in self._pki.ca_names()))
        return self._store(made, content, newest, at)

    def _store(self, made: TrustList, content: str, former: OwnList | None, at: datetime.datetime) -> OwnList:
        issued = at.replace(microsecond=0)
        if former is not None:  # a clock that was set back does not make a list older than the one before
            issued = max(issued, former.issued_at)
        listed = replace(
            made,
            sequence=1 if former is None else former.sequence + 1,
            issued=issued,
            next_update=issued + datetime.timedelta(hours=self._settings.list_hours),
        )
        trust_list_from_json(listed.to_json())  # what no follower would read is not published
        row = OwnList(
            listed.sequence,
            listed.anchor_sequence,
            content,
            zlib.compress(listed.payload(), 6),
            listed.issued,
            listed.next_update,
        )
        told = event("TRUST_LIST_MADE", f"trust-list:{row.sequence}", VAULT_OWNER, issuers=len(listed.issuers))
        with self._database.writing() as uow:
            saved = uow.own_lists.save(row, told)
            _forget(uow, row.sequence - KEPT)
        return saved

    def _signed(self, row: OwnList) -> OwnList:
        """The row with its signature; of several that sign it at once, the first one's counts."""
        if row.token is not None:
            return row
        key = self._anchors.list_key()
        token = sign_trust_list(row.payload, signer=self._keyring.signer(key.key), chain=key.chain)
        told = event("TRUST_LIST_SIGNED", f"trust-list:{row.sequence}", VAULT_OWNER, key=key.key.id)
        with self._database.writing() as uow:
            return uow.own_lists.save(row.signed(token), told)

    def _shown(self, row: OwnList) -> Published:
        token = row.token or ""
        etag = '"' + hashlib.sha256(token.encode()).hexdigest()[:32] + '"'
        return Published(row.sequence, token, etag, row.issued_at, row.next_update, self._renewed(row))

    def _renewed(self, row: OwnList) -> datetime.datetime:
        return row.issued_at + min(RENEWAL, (row.next_update - row.issued_at) / 2)

    def _list(self, view: View, at: datetime.datetime, anchor_sequence: int) -> TrustList:
        """What holds now; number, times and revocation lists are put in later."""
        base = self._settings.base_url
        authorities = [self._pki.ca_certificate(n) for n in self._pki.ca_names() if not n.startswith(f"{ROOT}-")]
        numbers = sorted(r.n for r in view.status_lists.all())
        certificates = _Certificates(self._keyring.all(), view.certificates.all())
        seals = [s for s in view.seals.all() if s.state in _LISTED]
        names = {(v.seal_id, v.version): v.name for v in view.seal_versions.all()}
        issuers = sorted(view.issuers.all(), key=lambda i: i.code)
        return TrustList(
            region=self._settings.region,
            name=self._settings.name,
            sequence=1,
            issued=_EPOCH,
            next_update=_EPOCH + RENEWAL,
            roots=tuple(self._pki.roots()),
            authorities=tuple(authorities),
            endpoints=Endpoints(base, base + PATH, tuple(list_uri(base, n) for n in numbers), base + NOTICES),
            issuers=tuple(_issuer(i, self._settings, seals, names, certificates) for i in issuers),
            types=self._types(),
            anchor_sequence=anchor_sequence,
            example=self._settings.sample,
            timestamps=certificates.of(VAULT_OWNER, KeyPurpose.TSA),
        )

    def _types(self) -> tuple[ListedType, ...]:
        return tuple(
            ListedType(
                t.name,
                t.version,
                t.type_code,
                t.title.zh,
                t.title.en,
                strict_object(self._catalog.get(t.name, t.version).files["schema.json"], "schema"),
            )
            for t in self._catalog.list()
        )


class _Certificates:
    """Certificates of issued keys, by owner."""

    def __init__(self, keys: Sequence[KeyRecord], certificates: Sequence[CertificateRecord]) -> None:
        self._owned: dict[str, list[tuple[KeyRecord, CertificateRecord]]] = {}
        by_id = {k.id: k for k in keys}
        for found in sorted(certificates, key=lambda c: (c.not_before, c.ca, c.serial)):
            key = by_id.get(found.key_id)
            if key is not None and found.der is not None:
                self._owned.setdefault(key.owner, []).append((key, found))

    def of(self, owner: str, purpose: KeyPurpose, stem: str | None = None) -> tuple[bytes, ...]:
        """Of all generations, oldest first; revoked ones too, which the revocation lists tell."""
        found = [
            c.der or b""
            for k, c in self._owned.get(owner, ())
            if k.purpose is purpose and stem in (None, k.name.rpartition("-")[0])
        ]
        return tuple(found[-MAX_CERTIFICATES:])


def _issuer(
    issuer: Issuer,
    settings: Settings,
    seals: Sequence[Seal],
    names: dict[tuple[str, int], str],
    certificates: _Certificates,
) -> ListedIssuer:
    alive = sorted((s for s in seals if s.owner == issuer.code), key=lambda s: (s.state in _ALIVE, s.since))
    own = sorted(alive[-MAX_SEALS:], key=lambda s: s.id)
    types, places = issuer.type_names, issuer.place_prefixes
    return ListedIssuer(
        code=issuer.code,
        name=issuer.name,
        types=None if types is None else tuple(sorted(types)),
        places=places,
        since=issuer.since,
        until=issuer.until,
        level=level_of(settings.region, places),
        seals=tuple(
            ListedSeal(
                id=s.id,
                name=names.get((s.id, s.version), issuer.name),
                kind=s.kind,
                certificates=certificates.of(issuer.code, KeyPurpose.SEAL, s.stem),
                granted=s.state is SealState.ACTIVE,
                since=s.since,
                structures=(*_STRUCTURES, "ses-1") if settings.seal_structure == "ses-1" else _STRUCTURES,
            )
            for s in own
        ),
        records=certificates.of(issuer.code, KeyPurpose.RECORD),
        codes=certificates.of(issuer.code, KeyPurpose.CODE),
    )


def level_of(region: str, places: Sequence[str] | None) -> int:
    """The level of an issuer by the widest place of its remit: 1 national, 2 provincial, 3 of a city, 4 of a county."""
    widest = 0 if region == NATION else 2 if region.endswith("0000") else 4 if region.endswith("00") else 6
    if places:
        widest = max(widest, min(map(len, places)))
    return widest // 2 + 1


def _content(listed: TrustList, revoked: Sequence[CertificateRecord]) -> str:
    """A digest of what a list says, without what changes by itself."""
    entries = sorted([c.ca, c.serial, str(c.revoked_at)] for c in revoked)
    return hashlib.sha256(listed.payload() + canonical_json(entries)).hexdigest()


def _newest(view: View) -> OwnList | None:
    table = view.own_lists.table.c
    found = view.own_lists.all(view.own_lists.query().order_by(table.sequence.desc()).limit(1))
    return found[0] if found else None


def _forget(uow: UnitOfWork, until: int) -> None:
    """Drop the contents of lists up to number ``until``; number and digest stay."""
    table = uow.own_lists.table.c
    old = uow.own_lists.all(uow.own_lists.query().where(table.sequence <= until, table.token.is_not(None)))
    if old:
        told = event("TRUST_LISTS_FORGOTTEN", "trust-list", VAULT_OWNER, until=until)
        uow.own_lists.save_all([o.forgotten() for o in old], [told])
