"""Rows of bulk jobs that take the place of a license: the same data as its next version, sealed anew.

What :mod:`certvault.versions` does for one license, in the batches of a bulk job: one permit for all, and the old
version gives way in the transaction in which the new one becomes ISSUED.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import conflict
from certvault.licenses import Licenses
from certvault.model.license import License
from certvault.model.standing import Act, Status, status_at
from certvault.model.work import JobRow
from certvault.pipeline import Successor
from certvault.standing import Asked, Standings
from certvault.versions import check_same, holder_key_of, next_version
from templates.registry import LicenseType
from templates.schema import CheckedData
from verify.formats.refusal import RefusedError

JOB_PREFIX = "drill-"
"""How the ids of jobs begin whose rows supersede."""
REASON = "replacement"


@dataclass(frozen=True, slots=True)
class Succession:
    """The license that a row supersedes, its number, and the key its holder bound it to; ``fault`` is what speaks
    against it."""

    old: License
    number: str
    holder_key: Mapping[str, str] | None
    fault: RefusedError | None


class Successions:
    """Knows what rows supersede, and ends it."""

    def __init__(self, database: Database, licenses: Licenses, standings: Standings, clock: Clock) -> None:
        self._database = database
        self._licenses = licenses
        self._standings = standings
        self._clock = clock

    def of(self, rows: Sequence[JobRow]) -> dict[int, Succession]:
        """What those rows supersede that supersede anything."""
        names = {r.supersedes: r.row for r in rows if r.supersedes is not None}
        if not names:
            return {}
        now = self._clock.now()
        with self._database.reading() as view:
            found = view.licenses.among("identifier", list(names))
            histories = view.statuses.histories(list(names))
        made = {}
        for old in found:
            changes = histories[old.identifier]
            status = status_at(changes, now)
            fault = None
            if status not in (Status.IN_FORCE, Status.SUSPENDED):
                fault = _ended(old, f"LICENSE_{status.name}")
            elif any(c.effective_at > now for c in changes):
                fault = _ended(old, "ACTS_AHEAD")
            key = holder_key_of(self._licenses.sdjwt(old))
            made[names[old.identifier]] = Succession(old, self._licenses.face(old).number, key, fault)
        return made

    def check(self, succession: Succession, license_type: LicenseType, checked: CheckedData) -> None:
        """Raise what speaks against a new version: RefusedError, ConflictError."""
        if succession.fault is not None:
            raise succession.fault
        check_same(succession.old, license_type, checked, succession.number)

    def next(self, succession: Succession) -> Successor:
        """Serial, version and number of the new version."""
        with self._database.reading() as view:
            return next_version(view, succession.old, succession.number)

    def end(self, uow: UnitOfWork, pairs: Mapping[str, str], job: str, actor: str) -> None:
        """End the old versions (keys of ``pairs``) in favour of the new ones, in the transaction at hand.

        ConflictError (SUCCESSION_OVERTAKEN) when another act came between: nothing of the batch is kept then.
        """
        if not pairs:
            return
        basis = f"密钥失密处置，换发同一内容的新版本：{job}"
        step = self._standings.checked(job, Act.RENEW, Asked(REASON, basis))
        refused = self._standings.apply_each(uow, list(pairs), step, actor, successors=pairs)
        if refused:
            identifier, code = next(iter(refused.items()))
            raise overtaken(identifier, code)


def overtaken(identifier: str, code: str) -> RefusedError:
    """While a new version was made, something else happened to the license."""
    return conflict(
        "SUCCESSION_OVERTAKEN",
        "",
        f"制作新版本期间 {identifier} 有其他办理（{code}）",
        f"{identifier} was acted on while its new version was made ({code})",
        remedy_zh="请再次执行同一命令。",
        remedy_en="Repeat the command.",
    )


def _ended(old: License, code: str) -> RefusedError:
    return conflict(
        code,
        "",
        f"证照 {old.identifier} 此时不能换发新版本",
        f"{old.identifier} cannot get a new version as it stands",
        remedy_zh="请用 certvault status 查看其历史。",
        remedy_en="Look at its history with certvault status.",
    )
