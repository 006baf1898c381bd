"""The permit of a bulk job: leave to seal its approved rows, each once, under one Merkle root.

The tree stands over every row that was accepted when the file was read. It is built again in each process that works on
the job, from the leaves that were stored with the rows; what a row is redeemed with is worked out anew from its data.
"""

from __future__ import annotations

import bisect
import datetime
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import conflict
from certvault.model.actor import Actor
from certvault.model.merkle import MerkleTree
from certvault.model.seal import SealVersion
from certvault.model.work import Job, JobRow, SealPermit, SealUse
from certvault.sealuses import Row, SealUses
from certvault.staging import row_data, row_leaf


@dataclass(frozen=True, slots=True)
class _Rows:
    """The accepted rows of a job, in order, and the tree over them."""

    numbers: list[int]
    tree: MerkleTree

    def index(self, row: int) -> int:
        """The place of a row; -1 for one that was not accepted."""
        at = bisect.bisect_left(self.numbers, row)
        return at if at < len(self.numbers) and self.numbers[at] == row else -1


class BatchPermits:
    """Gives a job its permit and redeems its rows."""

    def __init__(self, database: Database, cipher: Cipher, uses: SealUses, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._uses = uses
        self._clock = clock
        self._known: tuple[str, _Rows] | None = None
        self._lock = threading.Lock()

    def give(self, job: Job, seals: Sequence[str], actor: Actor) -> None:
        """A permit of each seal for this run of the job; none when no row was accepted.

        Of a seal that asks for two approvers the first run asks for leave, ConflictError (PERMIT_PENDING), and a run
        after the second approval goes on under it.
        """
        rows = self._rows(job.id)
        if rows is None:
            return
        given = []
        for seal_id in seals:
            with self._database.reading() as view:
                known = _unused(view, job.id, seal_id, rows.tree.root.hex(), self._clock.now(), actor)
            if known is None:
                known = self._uses.permit_batch(seal_id, rows.tree.root, rows.tree.count, actor=actor, job=job.id)
            given.append(known)
        for permit in given:
            if not permit.approved:
                raise _pending(permit)

    def redeem(
        self,
        uow: UnitOfWork,
        job: str,
        rows: Mapping[str, JobRow],
        wanted: Sequence[tuple[str, str]],
        prepared: SealVersion,
        actor: Actor,
        at: datetime.datetime,
    ) -> list[SealUse]:
        """Record the use of the job's permit of a seal for each license (identifier, digest) of a row."""
        known = self._rows(job)
        redeemed = []
        for identifier, digest in wanted:
            row = rows[identifier]
            index = -1 if known is None else known.index(row.row)
            proof = () if known is None or index < 0 else tuple(known.tree.proof(index))
            leaf = row_leaf(self._cipher, row.row, row_data(self._cipher, row))
            redeemed.append(Row(identifier, digest, index, leaf, proof))
        return self._uses.redeem_rows(
            uow, job, redeemed, actor=actor, at=at, seal_id=prepared.seal_id, prepared=prepared
        )

    def _rows(self, job: str) -> _Rows | None:
        """Read once per process and job: rows are staged before anything is sealed, and stay."""
        with self._lock:
            if self._known is not None and self._known[0] == job:
                return self._known[1]
            with self._database.reading() as view:
                accepted = view.job_rows.leaves(job)
                missing = [row for row, leaf in accepted if leaf is None]
                made = {row: self._leaf(view, job, row) for row in missing}
            if not accepted:
                return None
            leaves = [made[row] if leaf is None else bytes.fromhex(leaf) for row, leaf in accepted]
            self._known = (job, _Rows([row for row, _ in accepted], MerkleTree(leaves)))
            return self._known[1]

    def _leaf(self, view: View, job: str, number: int) -> bytes:
        """The leaf of a row that was staged before rows had leaves."""
        row = view.job_rows.chosen(job, [number])[0]
        return row_leaf(self._cipher, number, row_data(self._cipher, row))


def _unused(view: View, job: str, seal_id: str, root: str, at: datetime.datetime, actor: Actor) -> SealPermit | None:
    """A permit that two people have to give, asked for by this person before and not begun."""
    for permit in view.permits.where(job=job, seal_id=seal_id, root=root):
        open_still = permit.cancelled_at is None and at < permit.expires_at and permit.user == actor.subject
        if open_still and permit.approvers > 1 and not view.seal_uses.where(permit_id=permit.id):
            return permit
    return None


def _pending(permit: SealPermit) -> Exception:
    return conflict(
        "PERMIT_PENDING",
        "permit",
        f"用章许可 {permit.id} 尚待另一人审批",
        f"the permit {permit.id} waits for a second person",
        remedy_zh="请由另一人审批后再次运行。",
        remedy_en="Let another person approve it, then run the job again.",
    )
