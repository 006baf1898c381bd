"""Adopted regions: which there are, without their lists."""

from __future__ import annotations

from sqlalchemy import Connection, select

from certvault.db.repository import Reader
from certvault.db.tables import regions
from certvault.model.region import RegionHead, RegionRecord


class RegionReader(Reader[RegionRecord]):
    """Reads adopted regions. Their records hold lists of megabytes, so that changes are looked for without these."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, regions, RegionRecord)

    def heads(self) -> list[RegionHead]:
        """One for each region, in the order of adoption."""
        query = select(regions.c.region, regions.c.added_at, regions.c.revision)
        return [RegionHead(*row) for row in self.connection.execute(query.order_by(regions.c.added_at, "region"))]
