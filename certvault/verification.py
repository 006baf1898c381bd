"""Verifying with the vault's own trust and evidence."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Iterator, Mapping

import verify
from certvault.agreements import Agreements
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.licenses import Licenses
from certvault.model.license import License, LicenseState
from certvault.pki import Pki
from certvault.regionlists import RegionLists
from certvault.regions import Regions
from certvault.sealstanding import SealStandings, Then
from certvault.settings import Settings
from certvault.standinganswers import StandingAnswers
from certvault.statuslists import StatusLists, list_uri
from verify.evidence import Evidence, SealFacts, VaultFacts
from verify.trust.anchors import Remit, TrustStore
from verify.trust.regions import Regions as KnownRegions
from verify.trust.regions import with_regions
from verify.verdict import Verdict


class OwnStatusLists(Mapping[str, bytes]):
    """The vault's own status lists by address, made when one is asked for."""

    def __init__(self, lists: StatusLists, base_url: str) -> None:
        self._lists = lists
        self._base_url = base_url

    def __getitem__(self, uri: str) -> bytes:
        n = {list_uri(self._base_url, n): n for n in self._lists.numbers()}[uri]
        return self._lists.token(n)[0].encode()

    def __iter__(self) -> Iterator[str]:
        return iter([list_uri(self._base_url, n) for n in self._lists.numbers()])

    def __len__(self) -> int:
        return len(self._lists.numbers())


class Verification:
    """Judges documents, records and codes as this vault sees them."""

    def __init__(
        self,
        database: Database,
        pki: Pki,
        status_lists: StatusLists,
        licenses: Licenses,
        standings: SealStandings,
        answers: StandingAnswers,
        regions: Regions,
        region_lists: RegionLists,
        agreements: Agreements,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._pki = pki
        self._status_lists = status_lists
        self._licenses = licenses
        self._standings = standings
        self._answers = answers
        self._regions = regions
        self._region_lists = region_lists
        self._agreements = agreements
        self._joined: tuple[KnownRegions, TrustStore, TrustStore] | None = None  # joining makes an index of all lists
        self._settings = settings
        self._clock = clock

    def trust(self) -> TrustStore:
        """Anchors: the vault's roots of all generations. Further: its CAs and the certificates of all its keys for
        codes, lists and answers. Remits: those of its issuers. With them the regions that were adopted, if any, and
        what was agreed with them."""
        with self._database.reading() as view:
            certificates = view.certificates.all()
            issuers = view.issuers.all()
        anchors = self._pki.roots()
        others = tuple(c.der for c in certificates if c.der is not None and c.der not in anchors)
        own = TrustStore(
            anchors=tuple(anchors),
            certificates=others,
            remits=tuple(Remit(i.code, i.type_names, i.place_prefixes, i.since, i.until) for i in issuers),
            allow_example=self._settings.allow_example,
        )
        regions = self._regions.trust()
        if regions is None:
            return own
        regions = self._agreements.with_agreements(regions)
        kept = self._joined
        if kept is None or kept[0] is not regions or kept[1] != own:
            self._joined = kept = regions, own, with_regions(own, regions)
        return kept[2]

    def evidence(self) -> Evidence:
        """The vault's own lists, what it knows of each identifier and seal, and where licenses stood at any moment;
        the lists kept of other regions, and a way to fetch one of them."""
        return Evidence(
            status_lists=OwnStatusLists(self._status_lists, self._settings.base_url),
            crls=tuple(self._pki.crl(name) for name in self._pki.ca_names()),
            lookup=self._facts,
            seal_at=self._seal_at,
            standing_at=self._answers.about,
            region_lists=self._region_lists.kept(),
            region_source=self._region_lists.source(),
        )

    def _seal_at(self, sha256: str, since: datetime.datetime, until: datetime.datetime) -> SealFacts | None:
        found = self._standings.by_certificate(sha256, since, until)
        if found is None:
            return None
        certificates = (Then.CERTIFICATE_REVOKED, Then.CERTIFICATE_NOT_IN_TIME)  # judged from lists and dates
        return SealFacts(found.life.seal.id, found.then.value, found.good or found.then in certificates)

    def verify(
        self,
        data: bytes | str,
        *,
        at: datetime.datetime | None = None,
        password: str | None = None,
        document: bytes | None = None,
    ) -> Verdict:
        """Judge a PDF, picture, record, code, seal or signature. Never raises for what is in ``data``.

        ``document`` is what a seal signature or CMS value in a file of its own is over.
        """
        content = data.encode() if isinstance(data, str) else data
        return verify.verify_any(
            content,
            trust=self.trust(),
            at=at or self._clock.now(),
            evidence=self.evidence(),
            password=password,
            document=document,
        )

    def _facts(self, identifier: str) -> VaultFacts | None:
        with self._database.reading() as view:
            found = view.licenses.get(identifier)
        if found is None or found.state is LicenseState.ALLOTTED:
            return None
        return VaultFacts(
            identifier=found.identifier,
            state=found.state.value,
            pdf_sha256=found.document_sha256,
            record_sha256=found.record_sha256,
            code_sha256=found.code_sha256,
            current_version=found.version,
            **self._token_digests(found),
        )

    def _token_digests(self, found: License) -> dict[str, str]:
        """Of what was signed of the structured record, and of the signature; disclosures and a holder's binding are no
        part of either."""
        if found.record is None:
            return {}
        signed, _, signature = self._licenses.sdjwt(found).partition("~")[0].rpartition(".")
        value = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        return {
            "token_sha256": hashlib.sha256(signed.encode()).hexdigest(),
            "signature_sha256": hashlib.sha256(value).hexdigest(),
        }
