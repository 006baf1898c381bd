"""Reading a seal with its editions, and saving a step of its life with its line in the audit."""

from __future__ import annotations

from dataclasses import replace

from certvault.db.unit_of_work import UnitOfWork, View
from certvault.errors import not_found
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.seal import Life, Seal, SealState, SealVersion


def about(seal_id: str) -> str:
    """The object of audit lines about a seal."""
    return f"seal:{seal_id}"


def life_of(view: View | UnitOfWork, seal_id: str, *, lock: bool = False) -> Life:
    """A seal with everything of its life; NotFoundError. ``lock``: nobody takes another step meanwhile."""
    seal = (view.seals.get(seal_id, lock=lock) if len(seal_id) == 14 else None) if seal_id.isdigit() else None
    if seal is None:
        raise not_found("印章", "seal", seal_id[:40])
    versions = sorted(view.seal_versions.where(seal_id=seal_id), key=lambda v: v.version)
    steps = max((e.seq for e in view.seal_events.where(seal_id=seal_id)), default=0)
    return Life(seal, tuple(versions), steps)


def save_step(uow: UnitOfWork, life: Life) -> Life:
    """Save the last step of ``life``: seal, changed editions, event and audit line, all or nothing."""
    last = life.last
    if last is None:
        raise ValueError("no step was taken")
    details: dict[str, str | int] = {"state": last.state.value, "version": last.version, "edition": last.edition}
    if last.reason:
        details["reason"] = last.reason
    seal = uow.seals.save(life.seal, event(f"SEAL_{last.step.value}", about(last.seal_id), last.actor, **details))
    changed = uow.seal_versions.save_all([v for v in life.versions if v.version in life.changed], ())
    uow.seal_events.save_all([last], ())
    saved = {v.version: v for v in changed}
    return Life(seal, tuple(saved.get(v.version, v) for v in life.versions), life.steps)


def keep_structure(uow: UnitOfWork, edition: SealVersion, structure: bytes) -> bytes:
    """Keep what the seal maker made of an edition; whoever was first is right."""
    current = uow.seal_versions.get(edition.seal_id, edition.version, lock=True)
    if current is None or current.structure is not None:
        return structure if current is None else current.structure or structure
    done = event("SEAL_STRUCTURE_MADE", about(edition.seal_id), VAULT_OWNER, edition=edition.version)
    uow.seal_versions.save(replace(current, structure=structure), done)
    return structure


def official_of(view: View | UnitOfWork, owner: str, kind: str = "official") -> Seal:
    """The seal that an organization's licenses bear: its ACTIVE one of the kind, else the one asked for last."""
    found = view.seals.where(owner=owner, kind=kind)
    if not found:
        raise not_found("印章", f"{kind} seal of", owner)
    return max(found, key=lambda s: (s.state is SealState.ACTIVE, s.created_at, s.id))


def held(uow: UnitOfWork, seal_id: str) -> Life:
    """The seal and its edition at work; nobody takes a step of its life until the transaction ends."""
    seal = uow.seals.get(seal_id, hold=True)
    if seal is None:
        raise not_found("印章", "seal", seal_id[:40])
    return Life(seal, tuple(uow.seal_versions.where(seal_id=seal_id, version=seal.version)), 0)
