"""Status lists of other regions: a cache of what those signed.

No line of the audit tells of it: nothing here is the vault's own word, each list proves itself when it is used, and
losing all of them costs no more than fetching them again.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, update

from certvault.db.tables import region_lists
from certvault.model.regionlist import KeptHead, KeptStatusList

_COLUMNS = ("region", "uri", "token", "etag", "issued_at", "fetched_at")


class RegionListReader:
    """Reads kept lists."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, region: str, uri: str) -> KeptStatusList | None:
        """The list kept of that region and address."""
        table = region_lists.c
        query = select(*(table[n] for n in _COLUMNS)).where(table.region == region, table.uri == uri)
        row = self.connection.execute(query).first()
        return None if row is None else KeptStatusList(*row)

    def heads(self, region: str) -> list[KeptHead]:
        """What is kept of a region, the latest seen first."""
        table = region_lists.c
        query = select(table.uri, table.etag, table.issued_at, table.fetched_at, func.length(table.token))
        rows = self.connection.execute(query.where(table.region == region).order_by(table.fetched_at.desc(), table.uri))
        return [KeptHead(*row) for row in rows]


class RegionListWriter(RegionListReader):
    """Keeps lists, so many for each region."""

    def put(self, kept: KeptStatusList, *, most: int, most_bytes: int) -> None:
        """Keep a list, unless a newer one came meanwhile; those of the region that were seen longest ago make room.

        DuplicateRowError when somebody else kept one of that address at the same moment.
        """
        table = region_lists
        known = self.connection.execute(
            select(table.c.issued_at).where(table.c.region == kept.region, table.c.uri == kept.uri)
        ).first()
        if known is not None and known.issued_at > kept.issued_at:
            return
        self.connection.execute(
            insert(table).values(asdict(kept))
            if known is None
            else update(table).where(table.c.region == kept.region, table.c.uri == kept.uri).values(asdict(kept))
        )
        size = count = 0
        for head in sorted(self.heads(kept.region), key=lambda h: h.uri != kept.uri):
            size, count = size + head.size, count + 1
            if count > most or size > most_bytes:
                self._drop(kept.region, head.uri)

    def seen(self, region: str, uri: str, at: datetime.datetime) -> None:
        """It is still the newest."""
        table = region_lists
        self.connection.execute(update(table).where(table.c.region == region, table.c.uri == uri).values(fetched_at=at))

    def forget(self, region: str) -> None:
        """Drop all that is kept of a region."""
        self.connection.execute(delete(region_lists).where(region_lists.c.region == region))

    def _drop(self, region: str, uri: str) -> None:
        table = region_lists
        self.connection.execute(delete(table).where(table.c.region == region, table.c.uri == uri))
