"""``/seals``: the seals with their pictures, one seal's life, and the steps of it. For custodians; issuers apply.

Pictures come as PNG from addresses of their own; a preview, which is kept nowhere, comes inside its page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import problems
from api.auth import Caller, check_csrf
from api.deps import Given, Services
from api.pages.sealforms import Draft, Faults, kinds, posted, rules_typed
from api.pages.view import render
from api.routes.licenses import attachment
from api.sealing import way_of
from api.uses import seal_upload
from certvault.audit import sees_all
from certvault.errors import not_found
from certvault.model.actor import Role
from certvault.model.seal import Life, SealState, SealVersion, Step
from certvault.sealfiles import DOCUMENT
from certvault.sealviews import Preview, open_steps, picture, preview
from templates.sealkinds import RANKS, SEAL_KINDS
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.model.actor import Actor
    from certvault.model.keys import Issuer
    from certvault.seals import Seals

router = APIRouter(include_in_schema=False)

SEE_OTHER = 303
PER_PAGE = 60
PERMIT_LIFETIME = timedelta(days=1)
SHOWN = 100
"""Uses and permits of a seal that its page shows."""
_VIEWERS = (Role.CUSTODIAN, Role.ISSUER, Role.AUDITOR)
_APPLICANTS = (Role.CUSTODIAN, Role.ISSUER)
_FIELDS = frozenset(
    {
        "kind", "owner", "name", "diameter", "person", "purpose", "shape", "serial", "picture", "reason", "actors",
        "types", "regions", "purposes", "max_uses", "until", "approvers",
    }
)  # fmt: skip
_STEPS: dict[str, tuple[Step, Callable[[Seals, str, Actor, str], Life]]] = {
    "approve": (Step.APPROVE, lambda seals, *given: seals.approve(*given)),
    "reject": (Step.REJECT, lambda seals, *given: seals.reject(*given)),
    "make": (Step.MAKE, lambda seals, *given: seals.make(*given)),
    "activate": (Step.ACTIVATE, lambda seals, *given: seals.activate(*given)),
    "suspend": (Step.SUSPEND, lambda seals, *given: seals.suspend(*given)),
    "resume": (Step.RESUME, lambda seals, *given: seals.resume(*given)),
    "retire": (Step.RETIRE, lambda seals, *given: seals.retire(*given)),
    "destroy": (Step.DESTROY, lambda seals, *given: seals.destroy(*given)),
}
TONES = {
    "APPLIED": "open", "APPROVED": "open", "MADE": "open", "ACTIVE": "good", "SUSPENDED": "", "REJECTED": "bad",
    "RETIRED": "open", "DESTROYED": "open", "SUPERSEDED": "open", "WITHDRAWN": "open",
}  # fmt: skip
"""How a state looks: good, bad, open (neither), or a warning."""
_REASONED = frozenset({Step.REJECT, Step.SUSPEND, Step.RETIRE})
_BACKWARD = frozenset({Step.REJECT, Step.SUSPEND, Step.RETIRE, Step.DESTROY})
_FOR_GOOD = frozenset({Step.RETIRE, Step.DESTROY})
"""Steps that cannot be undone: the seal's number is typed first."""

_Text = Annotated[str, Form(max_length=400)]


@router.get("/seals")
def seals(request: Request, services: Given, state: str = "", page: int = 1) -> Response:
    """All seals the caller may see, newest first."""
    caller = _caller(request, services, _VIEWERS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    found = services.vault.seals.list(caller.actor)[::-1]
    counts = {s.value: sum(1 for k in found if k.seal.state is s) for s in SealState}
    if state in counts:
        found = [k for k in found if k.seal.state.value == state]
    first = (max(page, 1) - 1) * PER_PAGE
    return render(
        request,
        "seals.html",
        caller=caller,
        found=found[first : first + PER_PAGE],
        more=page + 1 if len(found) > first + PER_PAGE else None,
        counts={s: n for s, n in counts.items() if n},
        state=state if state in counts else "",
        kinds=SEAL_KINDS,
        tones=TONES,
        may_apply=caller.actor.has(*_APPLICANTS),
    )


@router.get("/seals/new")
def blank(request: Request, services: Given) -> Response:
    """The form for a new seal."""
    caller = _caller(request, services, _APPLICANTS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    return _form(request, services, caller, Draft({}), None)


@router.post("/seals/draft")
def draft(request: Request, services: Given, given: Annotated[Draft, Depends(posted)]) -> Response:
    """Preview what the form says, or apply for it: for a new seal, or for another edition of one."""
    caller = _caller(request, services, _APPLICANTS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    check_csrf(caller.csrf, given["csrf"])
    known = services.vault.seals.get(given["seal"], caller.actor) if given["seal"] else None
    if known is not None:
        given = Draft({**given.values, "kind": known.seal.kind, "owner": known.seal.owner}, given.picture)
    try:
        if given["do"] != "apply":
            return _form(request, services, caller, given, known, shown=_preview(services, caller, given, known))
        done = _apply(services, caller, given, known)
    except RefusedError as error:
        status = problems.problem_of(error).status
        return _form(request, services, caller, given, known, status=status, error=error)
    return RedirectResponse(f"/seals/{done.seal.id}", SEE_OTHER)


@router.post("/seals/use")
def use(request: Request, services: Given, given: Annotated[Draft, Depends(posted)]) -> Response:
    """Seal an uploaded PDF, and give it back; nothing of it is kept."""
    caller = _caller(request, services, _APPLICANTS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    check_csrf(caller.csrf, given["csrf"])
    known = services.vault.seals.get(given["seal"], caller.actor)
    try:
        sealed = _sealed(services, caller, known, given)
    except RefusedError as error:
        return _one(request, services, caller, known, error=error, given=given)
    return Response(sealed, media_type="application/pdf", headers=attachment("sealed.pdf"))


@router.get("/seals/{seal_id}")
def seal(request: Request, services: Given, seal_id: str) -> Response:
    """One seal: where it stands, editions, steps, uses, permits."""
    caller = _caller(request, services, _VIEWERS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    return _one(request, services, caller, services.vault.seals.get(seal_id, caller.actor))


@router.get("/seals/{seal_id}/change")
def changed(request: Request, services: Given, seal_id: str) -> Response:
    """The form for another edition, filled with the one at work."""
    caller = _caller(request, services, _APPLICANTS)
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    known = services.vault.seals.get(seal_id, caller.actor)
    return _form(request, services, caller, _typed(services, known), known)


@router.get("/seals/{seal_id}/pictures/{version}.png")
def picture_png(request: Request, services: Given, seal_id: str, version: int) -> Response:
    """The picture of an edition."""
    caller = _caller(request, services, _VIEWERS)
    if caller is None:
        raise problems.not_signed_in()
    known = services.vault.seals.get(seal_id, caller.actor)
    edition = next((v for v in known.versions if v.version == version), None)
    if edition is None:
        raise not_found("印章版本", "edition", str(version))
    return Response(picture(services.vault.seals, known, edition).png, media_type="image/png")


@router.post("/seals/{seal_id}/permits")
def give(
    request: Request,
    services: Given,
    seal_id: str,
    csrf: _Text = "",
    digest: _Text = "",
    purpose: _Text = "",
    user: _Text = "",
) -> Response:
    """Give a permit for the bytes of one file, named by their SHA-256, to somebody."""
    caller = _caller(request, services, (Role.CUSTODIAN,))
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    check_csrf(caller.csrf, csrf)
    known = services.vault.seals.get(seal_id, caller.actor)
    until = services.vault.clock.now() + PERMIT_LIFETIME
    try:
        services.vault.seal_uses.permit(
            seal_id,
            [digest.strip().lower()],
            purpose=purpose.strip() or DOCUMENT,
            actor=caller.actor,
            user=user.strip() or None,
            until=until,
        )
    except RefusedError as error:
        return _one(request, services, caller, known, error=error)
    return RedirectResponse(f"/seals/{seal_id}#permits", SEE_OTHER)


@router.post("/seals/{seal_id}/permits/{permit_id}/{deed}")
def permit(request: Request, services: Given, seal_id: str, permit_id: str, deed: str, csrf: _Text = "") -> Response:
    """The second approval of a permit, or its cancellation."""
    caller = _caller(request, services, (Role.CUSTODIAN,))
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    check_csrf(caller.csrf, csrf)
    known = services.vault.seals.get(seal_id, caller.actor)
    uses = services.vault.seal_uses
    if deed not in ("confirm", "cancel") or permit_id not in {p.id for p in uses.permits(seal_id, caller.actor)}:
        raise not_found("用章许可", "permit", permit_id[:40])
    try:
        (uses.confirm if deed == "confirm" else uses.cancel)(permit_id, caller.actor)
    except RefusedError as error:
        return _one(request, services, caller, known, error=error)
    return RedirectResponse(f"/seals/{seal_id}#permits", SEE_OTHER)


@router.post("/seals/{seal_id}/{step}")
def take(
    request: Request,
    services: Given,
    seal_id: str,
    step: str,
    csrf: _Text = "",
    reason: _Text = "",
    number: _Text = "",
) -> Response:
    """Take a step of a seal's life."""
    caller = _caller(request, services, (Role.CUSTODIAN,))
    if caller is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    check_csrf(caller.csrf, csrf)
    known = services.vault.seals.get(seal_id, caller.actor)
    if step not in _STEPS:
        raise not_found("操作", "step", step[:40])
    kind, taken = _STEPS[step]
    try:
        if kind in _FOR_GOOD and number.strip() != known.seal.id:
            raise _number_needed()
        taken(services.vault.seals, seal_id, caller.actor, reason)
    except RefusedError as error:
        return _one(request, services, caller, services.vault.seals.get(seal_id, caller.actor), error=error)
    return RedirectResponse(f"/seals/{seal_id}", SEE_OTHER)


def _sealed(services: Services, caller: Caller, known: Life, given: Draft) -> bytes:
    """The uploaded PDF under the seal. RefusedError."""
    if given.picture is None:
        raise _file_needed()
    place = {
        "position": {"page": given["page"] or "-1", "at_mm": f"{given['x'] or 20},{given['y'] or 20}"},
        "keyword": {"keyword": given["keyword"]},
        "edges": {"across": "right"},
    }.get(given["place"], {})
    way = way_of({**place, "corner": given["corner"], "profile": given["profile"], "reason": given["reason"]})
    sealed, _ = seal_upload(
        services,
        known.seal.id,
        given.picture,
        way,
        actor=caller.actor,
        permit=given["permit"] or None,
        purpose=given["purpose"] or DOCUMENT,
    )
    return sealed


def _file_needed() -> RefusedError:
    from verify.formats.refusal import refuse

    return refuse(
        "SEAL_OPTION", "file", "没有选择文件", "no file was chosen",
        remedy_zh="请选择要盖章的 PDF", remedy_en="choose the PDF to seal",
    )  # fmt: skip


def _caller(request: Request, services: Services, roles: tuple[Role, ...]) -> Caller | None:
    caller = services.authenticator.visitor(request, check=False)
    if caller is not None and not caller.actor.has(*roles):
        raise problems.not_permitted(", ".join([*(r.value for r in roles), Role.OPERATOR.value]))
    return caller


def _one(
    request: Request,
    services: Services,
    caller: Caller,
    known: Life,
    *,
    error: RefusedError | None = None,
    given: Draft | None = None,
) -> Response:
    vault, actor = services.vault, caller.actor
    custodian = actor.has(Role.CUSTODIAN)
    may_change = actor.has(*_APPLICANTS)
    steps = [s for s in open_steps(known) if custodian or (s is Step.CHANGE and may_change)]
    shown = known.at_work or known.newest
    uses = vault.seal_uses.uses(known.seal.id, actor, limit=SHOWN)
    return render(
        request,
        "seal.html",
        caller=caller,
        status=200 if error is None else problems.problem_of(error).status,
        known=known,
        shown=shown,
        size=picture(vault.seals, known, shown),
        kind=SEAL_KINDS[known.seal.kind],
        tones=TONES,
        steps=sorted((s for s in steps if s is not Step.CHANGE), key=lambda s: s in _BACKWARD),
        backward=_BACKWARD,
        may_change=Step.CHANGE in steps,
        reasoned=_REASONED,
        for_good=_FOR_GOOD,
        rules=rules_typed(shown.rule),
        log=vault.seals.log(known.seal.id, actor)[::-1],
        uses=uses,
        used={u.permit_id for u in uses},
        permits=vault.seal_uses.permits(known.seal.id, actor)[:SHOWN],
        now=vault.clock.now(),
        custodian=custodian,
        auditor=sees_all(actor),
        may_use=known.seal.state is SealState.ACTIVE and may_change,
        given=given or Draft({}),
        refusals=() if error is None else error.refusals,
    )


def _form(
    request: Request,
    services: Services,
    caller: Caller,
    given: Draft,
    known: Life | None,
    *,
    shown: Preview | None = None,
    status: int = 200,
    error: RefusedError | None = None,
) -> Response:
    return render(
        request,
        "seal_form.html",
        caller=caller,
        status=status,
        given=given,
        known=known,
        owners=_owners(services, caller),
        kinds=kinds(),
        ranks=RANKS,
        types=sorted({t.name for t in services.vault.catalog.list()}),
        shown=shown,
        faults=Faults.sorted(() if error is None else error.refusals, _FIELDS),
    )


def _owners(services: Services, caller: Caller) -> list[Issuer]:
    """The organizations that the caller may work for."""
    bound = caller.actor.issuer_code
    return [i for i in services.vault.issuers.list(caller.actor) if bound in (None, i.code)]


def _typed(services: Services, known: Life) -> Draft:
    """The edition at work as the form has it."""
    edition = known.at_work or known.newest
    extras = services.vault.seals.extras(edition)
    values: dict[str, Any] = {
        "kind": known.seal.kind,
        "owner": known.seal.owner,
        "name": edition.name,
        "diameter": str(edition.diameter_mm),
        "person": extras.person or "",
        "purpose": extras.purpose or "",
        "shape": extras.shape or "",
        "serial": extras.serial or "",
        **rules_typed(edition.rule),
    }
    return Draft(values)


def _preview(services: Services, caller: Caller, given: Draft, known: Life | None) -> Preview:
    """How what the form says would look; its rules are read too, so that a fault shows now."""
    wanted = given.wanted(former=known is not None)
    kind, name, extras = given["kind"], wanted.name, wanted.extras
    if kind not in SEAL_KINDS:
        raise _kind_needed()
    former: SealVersion | None = None if known is None else known.at_work or known.newest
    if former is not None:
        extras = extras.over(services.vault.seals.extras(former))
    owners = {i.code: i for i in _owners(services, caller)}
    code = given["owner"] or (next(iter(owners)) if len(owners) == 1 else "")
    if name is None:
        name = former.name if former is not None else owners[code].name if code in owners else ""
    usual = round(next(iter(SEAL_KINDS[kind].shapes.values())))
    return preview(kind, code, name, wanted.diameter_mm or (former.diameter_mm if former else usual), extras)


def _apply(services: Services, caller: Caller, given: Draft, known: Life | None) -> Life:
    wanted = given.wanted(former=known is not None)
    vault_seals, reason = services.vault.seals, given["reason"]
    if known is not None:
        return vault_seals.change(known.seal.id, actor=caller.actor, wanted=wanted, reason=reason)
    if not given["kind"]:
        raise _kind_needed()
    return vault_seals.apply(
        given["kind"], actor=caller.actor, owner=given["owner"] or None, wanted=wanted, reason=reason
    )


def _kind_needed() -> RefusedError:
    from verify.formats.refusal import refuse

    return refuse(
        "SEAL_OPTION", "kind", "请选择印章种类", "no kind of seal is chosen",
        remedy_zh="请从列表中选择", remedy_en="choose one of the list",
    )  # fmt: skip


def _number_needed() -> RefusedError:
    from verify.formats.refusal import refuse

    return refuse(
        "SEAL_OPTION", "number", "此操作不可撤销，须先输入印章编号", "this cannot be undone; type its number first",
        remedy_zh="请输入本页所示的 14 位印章编号", remedy_en="type the 14 digits shown on this page",
    )  # fmt: skip
