"""Reading licenses in the ways the services need."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sqlalchemy import Connection, and_, exists, func, or_, select

from certvault.db.repository import Reader
from certvault.db.tables import license_holders, licenses, seal_uses, seal_versions
from certvault.model.license import HolderLink, License, LicenseState


class LicenseReader(Reader[License]):
    """Licenses by what they are looked up for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, licenses, License)

    def by_number(self, type_name: str, number_indexes: list[str]) -> list[License]:
        """Those that hold one of the numbers now; void ones do not."""
        found: list[License] = []
        for i in range(0, len(number_indexes), 500):
            query = self.query().where(
                licenses.c.type == type_name,
                licenses.c.number_index.in_(number_indexes[i : i + 500]),
                licenses.c.state != LicenseState.VOID,
            )
            found += self.all(query)
        return found

    def by_request(self, request_index: str, since: datetime.datetime) -> License | None:
        """The license that an idempotent request led to, unless that came to nothing."""
        query = (
            self.query()
            .where(
                licenses.c.request_index == request_index,
                licenses.c.allotted_at >= since,
                licenses.c.state != LicenseState.VOID,
            )
            .limit(1)
        )
        found = self.all(query)
        return found[0] if found else None

    def page(
        self,
        limit: int,
        *,
        before: tuple[datetime.datetime, str] | None = None,
        holder_index: str | None = None,
        issuer_code: str | None = None,
    ) -> list[License]:
        """Issued licenses, newest first."""
        query = self.query().where(licenses.c.state == LicenseState.ISSUED)
        if holder_index is not None:
            link = license_holders
            query = query.where(
                exists().where(link.c.identifier == licenses.c.identifier, link.c.holder_index == holder_index)
            )
        if issuer_code is not None:
            query = query.where(licenses.c.issuer_code == issuer_code)
        if before is not None:
            at, identifier = before
            query = query.where(
                or_(
                    licenses.c.allotted_at < at,
                    and_(licenses.c.allotted_at == at, licenses.c.identifier < identifier),
                )
            )
        return self.all(query.order_by(licenses.c.allotted_at.desc(), licenses.c.identifier.desc()).limit(limit))

    def in_state(self, state: LicenseState) -> list[License]:
        """All of one state; meant for ALLOTTED, of which there are few."""
        return self.all(self.query().where(licenses.c.state == state))

    def issued_after(self, identifier: str, limit: int) -> list[License]:
        """Issued licenses in the order of identifiers, behind ``identifier``: for walking through all of them."""
        query = self.query().where(licenses.c.state == LicenseState.ISSUED, licenses.c.identifier > identifier)
        return self.all(query.order_by(licenses.c.identifier).limit(limit))

    def sealed_with(self, key_id: str, since: datetime.datetime) -> list[str]:
        """Licenses on which a seal's key was used from ``since`` on, by the recorded uses; sorted."""
        seals = select(seal_versions.c.seal_id).where(seal_versions.c.key_id == key_id)
        query = select(seal_uses.c.identifier).where(
            seal_uses.c.seal_id.in_(seals),  # uses are found by seal and moment
            seal_uses.c.used_at >= since,
            seal_uses.c.key_id == key_id,
            seal_uses.c.identifier.is_not(None),
        )
        return sorted({row[0] for row in self.connection.execute(query)})

    def made_between(
        self, since: datetime.datetime, until: datetime.datetime | None, issuer_code: str | None = None
    ) -> list[str]:
        """Licenses that were issued from ``since`` on and begun before ``until``; sorted."""
        query = select(licenses.c.identifier).where(
            licenses.c.state == LicenseState.ISSUED, licenses.c.issued_at >= since
        )
        if until is not None:
            query = query.where(licenses.c.allotted_at < until)
        if issuer_code is not None:
            query = query.where(licenses.c.issuer_code == issuer_code)
        return sorted(row[0] for row in self.connection.execute(query))

    def hold(self, identifiers: list[str]) -> list[License]:
        """Licenses that nobody else changes or acts on until the transaction ends; locked in one order by everybody."""
        found: list[License] = []
        names = sorted(identifiers)
        for i in range(0, len(names), 500):
            query = self.query().where(licenses.c.identifier.in_(names[i : i + 500]))
            found += self.all(query.order_by(licenses.c.identifier).with_for_update())
        return found

    def counts(self) -> dict[str, int]:
        """How many of each state."""
        rows = self.connection.execute(select(licenses.c.state, func.count()).group_by(licenses.c.state))
        return {str(state): int(n) for state, n in rows}

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """Identifier, store name and SHA-256 of every document, read as they are needed."""
        query = select(licenses.c.identifier, licenses.c.document, licenses.c.document_sha256).where(
            licenses.c.document.is_not(None)
        )
        for row in self.connection.execute(query).yield_per(1000):
            yield row[0], row[1], row[2]

    def known_documents(self, names: list[str]) -> set[str]:
        """Which of the store names belong to a license."""
        query = select(licenses.c.document).where(licenses.c.document.in_(names))
        return {row[0] for row in self.connection.execute(query)}

    def evidence_ends_before(self, at: datetime.datetime, limit: int) -> list[License]:
        """Issued licenses whose outermost timestamp rests on a certificate that ends before ``at``."""
        query = (
            self.query()
            .where(licenses.c.state == LicenseState.ISSUED, licenses.c.evidence_until < at)
            .order_by(licenses.c.evidence_until)
            .limit(limit)
        )
        return self.all(query)

    def taken_indexes(self, status_list: int, candidates: list[int]) -> set[int]:
        """Which of the places in the status list are taken."""
        taken: set[int] = set()
        for i in range(0, len(candidates), 500):
            query = select(licenses.c.status_index).where(
                licenses.c.status_list == status_list, licenses.c.status_index.in_(candidates[i : i + 500])
            )
            taken |= {row[0] for row in self.connection.execute(query)}
        return taken

    def versions(self, of: License) -> list[License]:
        """The issued versions of one license, oldest first: same number, same copy, same serial in the identifier."""
        query = self.query().where(
            licenses.c.type == of.type,
            licenses.c.number_index == of.number_index,
            licenses.c.copy_number == of.copy_number,
            licenses.c.state != LicenseState.VOID,  # as the index of numbers has it: nothing else finds it
        )
        found = [f for f in self.all(query) if f.state is LicenseState.ISSUED and f.stem == of.stem]
        return sorted(found, key=lambda f: f.version)


class HolderReader(Reader[HolderLink]):
    """Which licenses belong to whom."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, license_holders, HolderLink)

    def belongs(self, identifier: str, holder_index: str) -> bool:
        """Whether the license is the holder's."""
        query = select(license_holders.c.position).where(
            license_holders.c.identifier == identifier, license_holders.c.holder_index == holder_index
        )
        return self.connection.execute(query).first() is not None

    def identifiers(self, holder_index: str) -> list[str]:
        """All licenses of one holder."""
        query = select(license_holders.c.identifier).where(license_holders.c.holder_index == holder_index)
        return [row[0] for row in self.connection.execute(query)]
