"""Using a seal on an uploaded file: a judge rehearses it, and only what it lets pass is read where the keys are."""

from __future__ import annotations

from api import problems
from api.deps import Services
from api.judging.pool import NoJudgeError, NoTurnError, Trial
from api.judging.rehearsal import found_in
from api.limits import retry_after
from certvault.model.actor import Actor
from certvault.model.work import SealUse
from certvault.sealfiles import Way
from signing.formats.seal_document import Found, SealOrder, keyless


def seal_upload(
    services: Services, seal_id: str, data: bytes, way: Way, *, actor: Actor, permit: str | None, purpose: str
) -> tuple[bytes, SealUse]:
    """As :meth:`certvault.sealfiles.SealFiles.seal_bytes`. Refused besides: a file whose reading takes more than a file
    is given (FILE_TOO_COSTLY). LimitedError for who owes the judges time, BusyError when there is no turn in time."""
    client = actor.subject

    def rehearsal(pdf: bytes, order: SealOrder) -> Found:
        owed = services.limiter.take("judging", client, 0)
        if owed:
            raise problems.LimitedError(retry_after(owed))
        trial, limits = Trial(pdf, keyless(order)), services.limits
        try:
            answer, seconds = services.judges.rehearse(
                trial, client=client, wait=limits.request_seconds, seconds=limits.rehearsal_seconds
            )
        except (NoTurnError, NoJudgeError) as error:
            raise problems.BusyError("5") from error
        services.limiter.charge("judging", client, seconds)
        return found_in(answer, order)

    def work() -> tuple[bytes, SealUse]:
        return services.vault.seal_files.seal_bytes(
            seal_id, data, way, actor=actor, permit=permit, purpose=purpose, rehearsal=rehearsal
        )

    if way.detached:  # of such a file only its digest is used
        return work()
    with services.seal_room.place(client):
        try:
            services.seal_turns.take(client, services.limits.request_seconds)
        except NoTurnError as error:
            raise problems.BusyError("5") from error
        try:
            return work()
        finally:
            services.seal_turns.give(client)
