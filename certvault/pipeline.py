"""The stages from data to a license, each over a batch.

1. **check**: data → checked data, remit (no side effect; refuses)
2. **draft**: the page is composed, or set as far as it can be without its number (no side effect; refuses)
3. **allot**: identifier, number, status place stored as ALLOTTED, one transaction for the batch
4. **build**: record, code, unsigned file
5. **permit**: leave to seal this digest (of a bulk job: this row) and its use, recorded in one transaction, before any
   signature
6. **seal**: PAdES signature, structured record
7. **keep**: files into the store, then ISSUED, one transaction for the batch

A crash after 3 leaves ALLOTTED rows: a bulk job resumes them under the same number, anything else is voided with a
reason (:mod:`certvault.recovery`). The name of the document in the store is recorded in stage 5, so nothing in the
store is ever unknown to the database.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from certvault.cipher import Cipher
from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import ConflictError, StorageUnavailableError, conflict
from certvault.furtherseals import reserved, seal_further, stated
from certvault.hubrefusals import require_licenses
from certvault.licenses import FaceData
from certvault.model.actor import Actor
from certvault.model.keys import Issuer, event
from certvault.model.license import HolderLink, License
from certvault.model.randomness import identifier_serial
from certvault.model.seal import SealVersion
from certvault.model.sealrules import LICENSE, Asked
from certvault.model.standing import Status, status_at
from certvault.model.work import JobRow, SealUse
from certvault.numbering import allot_numbers, number_index
from certvault.remits import check_remit
from certvault.sealchecks import check_rules
from certvault.sealing import Sealing, Tools
from certvault.sealuses import SealUses
from certvault.settings import Settings
from certvault.statuslists import list_uri, take_indexes
from certvault.store import Store, new_name
from signing.formats.pades import Baseline, seal_pdf
from signing.formats.qr import MAX_URL, code_claims, code_url, longest_url, make_code
from signing.formats.sdjwt import make_record
from signing.formats.seal_document import reserve_fields
from templates.assembly import SEAL_FIELD
from templates.registry import LicenseType
from templates.render import Composition, FaceFacts, assemble, compose, precheck
from templates.schema import CheckedData, check
from verify.formats.codes import Identifier
from verify.formats.license import LicenseRecord
from verify.formats.refusal import refuse

VERSION = 1


@dataclass(frozen=True, slots=True)
class Draft:
    """Checked data on the way to a number. ``identifier`` is new; ``number`` is None while it is to be allotted.

    ``row`` is the row of a bulk job, ``request_index`` the blind index of an idempotent request.
    """

    type: LicenseType
    checked: CheckedData
    identifier: str
    number: str | None
    composition: Composition | None
    row: JobRow | None = None
    request_index: str | None = None
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Successor:
    """A new version of a license: it keeps serial and number."""

    serial: str
    version: int
    number: str


@dataclass(frozen=True, slots=True)
class Allotted:
    """A license whose number stands in the database, ready to be made."""

    license: License
    draft: Draft

    @property
    def number(self) -> str:
        """The number on the face."""
        return self.draft.number or ""


@dataclass(frozen=True, slots=True)
class Built:
    """Unsigned file, canonical record and code of one license."""

    allotted: Allotted
    record: LicenseRecord
    code: bytes
    pdf: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed file and the structured record."""

    built: Built
    pdf: bytes
    record: str


Also = Callable[[UnitOfWork, Sequence[License]], None]
"""What else is saved in the transaction of a stage: a bulk job's rows."""


Redeem = Callable[[UnitOfWork, SealVersion, Sequence[tuple[str, str]], datetime.datetime], Sequence[SealUse]]
"""Records the uses of a permit that was given before: a bulk job's, of the edition's seal. Gets (identifier, digest) of
each license."""


class Pipeline:
    """The stages. Thread-safe; holds no state of any license."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        store: Store,
        sealing: Sealing,
        uses: SealUses,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._store = store
        self._sealing = sealing
        self._uses = uses
        self._settings = settings
        self._clock = clock

    def require_licenses(self) -> None:
        """Raise RefusedError (HUB_KEEPS_NO_LICENSES) in a vault that keeps none."""
        require_licenses(self._settings)

    # 1
    def check(self, license_type: LicenseType, data: Mapping[str, object], issuer: Issuer) -> CheckedData:
        """Checked data within the issuer's remit; RefusedError with every fault."""
        checked = check(license_type, data, today=legal_date(self._clock.now()))
        check_remit(issuer, license_type, checked, production=self._settings.production)
        return checked

    # 2
    def draft(
        self,
        license_type: LicenseType,
        checked: CheckedData,
        tools: Tools,
        *,
        row: JobRow | None = None,
        request_index: str | None = None,
        successor: Successor | None = None,
    ) -> Draft:
        """Draw as much as can be drawn before anything is numbered; RefusedError names what cannot be printed."""
        self._check_code(license_type, checked)
        self._check_seal(license_type, checked, tools)
        successor = successor or self._after_revoked(license_type, checked)
        serial = successor.serial if successor else identifier_serial()
        version = successor.version if successor else VERSION
        number = successor.number if successor else checked.number
        identifier = str(Identifier(license_type.type_code, tools.issuer.code, serial, version))
        composition = None
        if number is None:
            precheck(license_type, checked, sample=self._settings.sample, seal=tools.art)
        else:
            facts = FaceFacts(identifier, number, version, checked.copy_number)
            composition = compose(license_type, checked, facts, sample=self._settings.sample, seal=tools.art)
        return Draft(license_type, checked, identifier, number, composition, row, request_index, version)

    def _after_revoked(self, license_type: LicenseType, checked: CheckedData) -> Successor | None:
        """A number that is a datum comes back after its license was revoked: as the next version, with a serial of its
        own, since it is another license. While any license of that number is not revoked, nothing is."""
        if checked.number is None:
            return None
        with self._database.reading() as view:
            index = self.index_of(license_type.name, checked.number)
            held = [
                h
                for h in view.licenses.by_number(license_type.name, [index])
                if h.copy_number == (checked.copy_number or 0)
            ]
            histories = view.statuses.histories([h.identifier for h in held])
        at = self._clock.now()
        if not held or any(status_at(histories[h.identifier], at) is not Status.REVOKED for h in held):
            return None
        return Successor(identifier_serial(), max(h.version for h in held) + 1, checked.number)

    def redraft(self, license_type: LicenseType, checked: CheckedData, found: License, number: str) -> Draft:
        """The draft of a license that has its number already."""
        return Draft(license_type, checked, found.identifier, number, None, version=found.version)

    def _check_code(self, license_type: LicenseType, checked: CheckedData) -> None:
        """Refuse what would make a code too long to scan, before it has a number."""
        number = checked.number or license_type.number.widest()
        length = longest_url(self._settings.base_url, license_type.name, number, len(checked.holders))
        if length > MAX_URL:
            raise refuse(
                "CODE_TOO_LONG",
                license_type.number.field,
                f"二维码的网址将有 {length} 个字符，超过 {MAX_URL} 个",
                f"the URL of the code would have {length} characters, more than {MAX_URL}",
                remedy_zh="请使用较短的证照编号、类型名称或公共地址。",
                remedy_en="Use a shorter number, type name or public address.",
            )

    def _check_seal(self, license_type: LicenseType, checked: CheckedData, tools: Tools) -> None:
        """Refuse what the seal's rules do not cover; whether the caller may use it was asked with the tools."""
        asked = Asked("", frozenset(), "", LICENSE, self._clock.now(), license_type.name, checked.region)
        for edition in (tools.edition_at_work, *(f.edition for f in tools.further)):
            check_rules(edition, asked, whoever=True)

    # 3
    def allot(
        self,
        drafts: Sequence[Draft],
        tools: Tools,
        actor: str,
        also: Callable[[UnitOfWork, Sequence[Allotted]], None] | None = None,
    ) -> tuple[list[Allotted], list[tuple[Draft, ConflictError]]]:
        """Store numbers, identifiers and status places; the second list holds what is there already.

        A collision with another writer in the same moment is tried again with new random choices.
        """
        self.require_licenses()

        def work(uow: UnitOfWork) -> tuple[list[Allotted], list[tuple[Draft, ConflictError]]]:
            numbered = self._numbered(uow, drafts)
            fresh, refused = self._without_duplicates(uow, numbered)
            allotted = self._store_allotted(uow, fresh, tools, actor)
            if also is not None:
                also(uow, allotted)
            return allotted, refused

        return self._database.retrying(work)

    # 4
    def build(self, allotted: Allotted, tools: Tools) -> Built:
        """Record, code and unsigned file. The same inputs give the same bytes but for the code's signature."""
        draft, found, at = allotted.draft, allotted.license, self._clock.now()
        composition = draft.composition
        if composition is None:
            facts = FaceFacts(found.identifier, allotted.number, found.version, draft.checked.copy_number)
            composition = compose(draft.type, draft.checked, facts, sample=self._settings.sample, seal=tools.art)
        record = self._record(allotted, composition, tools)
        claims = code_claims(record, self._settings.base_url)
        code = make_code(claims, tools.code.signer, tools.code.certificate)
        pdf = assemble(
            composition,
            record=record.canonical(),
            code_text=code_url(self._settings.base_url, code),
            title=f"{draft.type.title.zh} {allotted.number}",
            created=at,
            identifier=found.identifier,
            issuer=tools.issuer.name,
        )
        if tools.further:
            pdf = reserve_fields(pdf, reserved(tools.further))
        return Built(allotted, record, code, pdf, hashlib.sha256(pdf).hexdigest())

    # 5
    def permit(self, built: Sequence[Built], tools: Tools, actor: Actor, redeem: Redeem | None = None) -> list[Built]:
        """Record seal uses and the documents' names, before any signature is made. Without ``redeem`` each license
        gets a permit of its own."""
        at = self._clock.now()
        with self._database.writing() as uow:
            named = [
                replace(
                    b.allotted.license.adopted(self._database.session),
                    document=b.allotted.license.document or new_name(),
                )
                for b in built
            ]
            saved = uow.licenses.save_all(named, ())
            wanted = [(b.allotted.license.identifier, b.digest) for b in built]
            for edition in (tools.edition_at_work, *(f.edition for f in tools.further)):
                if redeem is None:
                    self._uses.take(uow, edition.seal_id, wanted, actor, at, prepared=edition)
                else:
                    redeem(uow, edition, wanted, at)
        return [replace(b, allotted=replace(b.allotted, license=s)) for b, s in zip(built, saved, strict=True)]

    # 6
    def seal(
        self,
        built: Built,
        tools: Tools,
        *,
        baseline: Baseline,
        holder_key: Mapping[str, str] | None = None,
    ) -> Sealed:
        """Sign. Raises the errors of :mod:`signing.errors`; the license stays ALLOTTED then."""
        at = self._clock.now()
        baseline = tools.reached(baseline)
        timed = baseline is not Baseline.B_B
        first = baseline if not tools.further else Baseline.B_T if timed else Baseline.B_B
        pdf = seal_pdf(
            built.pdf,
            field=SEAL_FIELD,
            signer=tools.seal.signer,
            certificate=tools.seal.certificate,
            chain=tools.seal.chain,
            at=at,
            baseline=first,
            stamp=tools.authority.at(at) if timed else None,
            validation=tools.validation if first in (Baseline.B_LT, Baseline.B_LTA) else None,
            permission=2 if tools.further else 1,
            name=tools.issuer.name,
            seal=tools.structure,
        )
        pdf = seal_further(pdf, tools, at=at, baseline=baseline)
        record = make_record(
            built.record,
            signer=tools.record.signer,
            chain=(tools.record.certificate, *tools.record.chain),
            base_url=self._settings.base_url,
            holder_jwk=None if holder_key is None else dict(holder_key),
            at=at,
        )
        return Sealed(built, pdf, record)

    # 7
    def keep(
        self, sealed: Sequence[Sealed], tools: Tools, actor: str, *, baseline: Baseline, also: Also | None = None
    ) -> list[License]:
        """Put the documents into the store, then mark the licenses ISSUED."""
        for one in sealed:
            self._put(one)
        until = None if tools.reached(baseline) is Baseline.B_B else tools.evidence_until
        at = self._clock.now()
        issued = [self._issued(one, at, until) for one in sealed]
        with self._database.writing() as uow:
            if also is not None:
                also(uow, issued)  # what it locks comes before the number, as with acts
            first = uow.statuses.take(len(issued))
            return uow.licenses.save_all(
                [replace(one, feed_number=first + i) for i, one in enumerate(issued)],
                [event("LICENSE_ISSUED", i.identifier, actor, sha256=i.document_sha256 or "") for i in issued],
            )

    def _put(self, one: Sealed) -> None:
        found = one.built.allotted.license
        if found.document is None:
            raise StorageUnavailableError("a document without a recorded name is not stored")
        self._store.put(found.document, self._cipher.seal(f"document:{found.identifier}", one.pdf))

    def _issued(self, one: Sealed, at: datetime.datetime, until: datetime.datetime | None) -> License:
        found = one.built.allotted.license
        return found.issued(
            at=at,
            document=found.document or "",
            document_sha256=hashlib.sha256(one.pdf).hexdigest(),
            record=self._cipher.seal(f"record:{found.identifier}", one.record.encode()),
            record_sha256=one.built.record.sha256().hex(),
            code_sha256=hashlib.sha256(one.built.code).hexdigest(),
            evidence_until=until,
        )

    def _numbered(self, uow: UnitOfWork, drafts: Sequence[Draft]) -> list[Draft]:
        waiting = [d for d in drafts if d.number is None]
        if not waiting:
            return list(drafts)
        numbers = iter(allot_numbers(uow, self._cipher, waiting[0].type, [d.checked for d in waiting]))
        return [d if d.number is not None else replace(d, number=next(numbers)) for d in drafts]

    def _without_duplicates(
        self, uow: UnitOfWork, drafts: Sequence[Draft]
    ) -> tuple[list[Draft], list[tuple[Draft, ConflictError]]]:
        if not drafts:
            return [], []
        type_name = drafts[0].type.name
        indexes = [self._index(d) for d in drafts]
        holding = {
            (h.number_index, h.copy_number, h.version): h.identifier
            for h in uow.view.licenses.by_number(type_name, indexes)
        }
        fresh: list[Draft] = []
        refused: list[tuple[Draft, ConflictError]] = []
        for draft, index in zip(drafts, indexes, strict=True):
            key = (index, draft.checked.copy_number or 0, draft.version)
            if key in holding:
                refused.append((draft, duplicate_license(draft, holding[key])))
            else:
                holding[key] = draft.identifier
                fresh.append(draft)
        return fresh, refused

    def _store_allotted(self, uow: UnitOfWork, drafts: Sequence[Draft], tools: Tools, actor: str) -> list[Allotted]:
        if not drafts:
            return []
        at = self._clock.now()
        n, indexes = take_indexes(uow, len(drafts), at)
        rows = [self._license(d, tools.issuer, n, i, at) for d, i in zip(drafts, indexes, strict=True)]
        saved = uow.licenses.save_all(
            rows, [event("NUMBER_ALLOTTED", r.identifier, actor, type=r.type, list=n) for r in rows]
        )
        links = [
            HolderLink(d.identifier, self._cipher.index("holder", h.code), p)
            for d in drafts
            for p, h in enumerate(d.checked.holders)
        ]
        uow.holders.save_all(links, ())
        return [Allotted(s, d) for s, d in zip(saved, drafts, strict=True)]

    def _license(self, draft: Draft, issuer: Issuer, n: int, index: int, at: datetime.datetime) -> License:
        checked = draft.checked
        face = FaceData(draft.number or "", checked.authority, checked.holders, checked.fields)
        return License(
            identifier=draft.identifier,
            type=draft.type.name,
            type_version=draft.type.version,
            number_index=self._index(draft),
            version=draft.version,
            copy_number=checked.copy_number or 0,
            status_list=n,
            status_index=index,
            issuer_code=issuer.code,
            region=checked.region,
            sealed=self._cipher.seal(f"license:{draft.identifier}", face.to_bytes()),
            session=self._database.session,
            allotted_at=at,
            valid_from=checked.valid_from,
            valid_to=checked.valid_to,
            job=None if draft.row is None else draft.row.job,
            job_row=None if draft.row is None else draft.row.row,
            request_index=draft.request_index,
        )

    def index_of(self, type_name: str, number: str) -> str:
        """The blind index of a number of that type."""
        return number_index(self._cipher, type_name, number)

    def _index(self, draft: Draft) -> str:
        return self.index_of(draft.type.name, draft.number or "")

    def _record(self, allotted: Allotted, composition: Composition, tools: Tools) -> LicenseRecord:
        found, checked, license_type = allotted.license, allotted.draft.checked, allotted.draft.type
        return LicenseRecord(
            identifier=found.identifier,
            type=license_type.name,
            type_version=license_type.version,
            type_code=license_type.type_code,
            type_name=license_type.title.zh,
            number=allotted.number,
            version=found.version,
            copy_number=checked.copy_number,
            issuer_name=checked.authority,
            issuer_code=tools.issuer.code,
            issued=checked.issued,
            valid_from=checked.valid_from,
            valid_to=checked.valid_to,
            region=checked.region,
            holders=checked.holders,
            fields=checked.fields,
            status_uri=list_uri(self._settings.base_url, found.status_list),
            status_index=found.status_index,
            sample=self._settings.sample,
            face=composition.face,
            extra={"seals": stated(tools.further)} if tools.further else {},
        )


def duplicate_license(draft: Draft, existing: str) -> ConflictError:
    """The number is taken by a license in force; the existing one is named by its identifier."""
    field = draft.type.number.field or draft.type.record.copy_number
    return conflict(
        "DUPLICATE_LICENSE",
        field,
        f"该编号的证照已颁发：{existing}",
        f"a license of this type and number is there already: {existing}",
        remedy_zh="如需变更或换发，请对已有证照办理；副本请使用新的副本号。",
        remedy_en="Change or renew the existing license; give a duplicate its own copy number.",
    )
