"""Reading licenses: who may read which, and what they get."""

from __future__ import annotations

import builtins
import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock, legal_date
from certvault.db.audit_log import cursor_moment, cursor_parts, cursor_text
from certvault.db.unit_of_work import Database
from certvault.errors import CorruptDataError, cursor_unknown, forbidden, not_found
from certvault.model.actor import Actor, Role
from certvault.model.license import License, LicenseState
from certvault.model.standing import StatusChange, standing_at
from certvault.model.views import LicensePage, LicenseView
from certvault.store import Store
from verify.formats.license import Holder

_READERS = (Role.ISSUER, Role.AUDITOR, Role.CUSTODIAN)


@dataclass(frozen=True, slots=True)
class FaceData:
    """What is personal of a license, as it is kept encrypted."""

    number: str
    authority: str
    holders: tuple[Holder, ...]
    fields: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """As JSON."""
        value = {
            "number": self.number,
            "authority": self.authority,
            "holders": [[h.name, h.code, h.code_type] for h in self.holders],
            "fields": dict(self.fields),
        }
        return json.dumps(value, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> FaceData:
        """The inverse of :meth:`to_bytes`."""
        value = json.loads(data)
        return cls(value["number"], value["authority"], tuple(Holder(*h) for h in value["holders"]), value["fields"])


class Licenses:
    """Gives licenses to those who may read them.

    Operators and auditors read all; issuers those of their own code when their token is narrowed to one; holders
    their own, found by blind index. To anybody else a license that is there looks as if it were not.
    """

    def __init__(self, database: Database, cipher: Cipher, store: Store, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._store = store
        self._catalog = catalog
        self._clock = clock

    def get(self, identifier: str, actor: Actor) -> LicenseView:
        """One license. NotFoundError also when the actor may not know of it."""
        return self.view(self.readable(identifier, actor))

    def pdf(self, identifier: str, actor: Actor) -> bytes:
        """The sealed PDF. NotFoundError; CorruptDataError when the store's bytes are not what was stored."""
        return self.document(self._issued(identifier, actor))

    def record(self, identifier: str, actor: Actor) -> str:
        """The structured record, an SD-JWT."""
        return self.sdjwt(self._issued(identifier, actor))

    def list(
        self, actor: Actor, *, holder: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> LicensePage:
        """Issued licenses the actor may read, newest first; ``holder`` is a holder's code."""
        holder_index = self.holder_index(holder, actor)
        limit = min(max(limit, 1), 200)
        with self._database.reading() as view:
            found = view.licenses.page(
                limit + 1, before=_before(cursor), holder_index=holder_index, issuer_code=actor.issuer_code
            )
            histories = view.statuses.histories([f.identifier for f in found])
        more = found[limit - 1] if len(found) > limit else None
        next_cursor = None if more is None else cursor_text([more.allotted_at.isoformat(), more.identifier])
        return LicensePage(tuple(self.view(f, histories[f.identifier]) for f in found[:limit]), next_cursor)

    def holder_index(self, holder: str | None, actor: Actor) -> str | None:
        """Whose licenses are meant: a holder's own whatever they ask for; None means everybody's."""
        if actor.has(*_READERS):
            return self._cipher.index("holder", holder) if holder else None
        if actor.has(Role.HOLDER) and actor.holder_index is not None:
            if holder and self._cipher.index("holder", holder) != actor.holder_index:
                raise forbidden(Role.ISSUER)
            return actor.holder_index
        raise forbidden(Role.ISSUER)

    def readable(self, identifier: str, actor: Actor) -> License:
        """The license when the actor may read it."""
        with self._database.reading() as view:
            found = view.licenses.get(identifier)
            if found is not None and found.state is not LicenseState.ALLOTTED:
                if actor.has(*_READERS) and actor.issuer_code in (None, found.issuer_code):
                    return found
                if actor.holder_index is not None and view.holders.belongs(identifier, actor.holder_index):
                    return found
        raise not_found("证照", "license", identifier[:140])

    def document(self, found: License) -> bytes:
        """The PDF of a license, opened and checked against its digest."""
        pdf = self._cipher.open(f"document:{found.identifier}", self._store.get(found.document or ""))
        if hashlib.sha256(pdf).hexdigest() != found.document_sha256:
            raise CorruptDataError(f"the document of {found.identifier} is not what was stored")
        return pdf

    def sdjwt(self, found: License) -> str:
        """The structured record of a license, opened."""
        return self._cipher.open(f"record:{found.identifier}", found.record or b"").decode()

    def face(self, found: License) -> FaceData:
        """The personal part of a license, opened."""
        return FaceData.from_bytes(self._cipher.open(f"license:{found.identifier}", found.sealed))

    def view(self, found: License, changes: Sequence[StatusChange] | None = None) -> LicenseView:
        """What is shown of a license; ``changes`` are the acts on it where they are at hand."""
        face, now = self.face(found), self._clock.now()
        if changes is None:
            with self._database.reading() as view:
                changes = view.statuses.of(found.identifier)
        return LicenseView(
            identifier=found.identifier,
            type=found.type,
            type_version=found.type_version,
            title=self._catalog.get(found.type, found.type_version).title,
            number=face.number,
            version=found.version,
            copy_number=found.copy_number or None,
            state=found.state.value,
            reason=found.reason,
            standing=standing_at(found, changes, now, legal_date(now)).value,
            issuer_code=found.issuer_code,
            issuer_name=face.authority,
            region=found.region,
            holders=face.holders,
            fields=face.fields,
            issued_at=found.issued_at,
            valid_from=found.valid_from,
            valid_to=found.valid_to,
            sha256=found.document_sha256,
        )

    def of_holder(self, holder_index: str) -> builtins.list[License]:
        """All issued licenses of one holder, newest first."""
        with self._database.reading() as view:
            found = view.licenses.among("identifier", view.holders.identifiers(holder_index))
        issued = [f for f in found if f.state is LicenseState.ISSUED]
        return sorted(issued, key=lambda f: (f.allotted_at, f.identifier), reverse=True)

    def _issued(self, identifier: str, actor: Actor) -> License:
        found = self.readable(identifier, actor)
        if found.state is not LicenseState.ISSUED:
            raise not_found("证照文件", "document of license", identifier)
        return found


def _before(cursor: str | None) -> tuple[datetime.datetime, str] | None:
    if not cursor:
        return None
    parts = cursor_parts(cursor)
    try:
        if parts is not None and len(parts) == 2:
            return cursor_moment(parts[0]), str(parts[1])
    except ValueError:
        pass
    raise cursor_unknown()
