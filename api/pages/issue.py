"""``/issue``: a form made from the type's schema, with each fault beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from api import problems
from api.auth import Caller, check_csrf
from api.deps import Given, Services, lang_of
from api.pages.view import render
from certvault.model.actor import Role
from verify.formats.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from templates.registry import LicenseType

router = APIRouter(include_in_schema=False)

LONG = 80
"""A field that may be longer than this gets room for several lines."""
DATES = frozenset({"date", "past-date"})


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form."""

    name: str
    title: str
    second_title: str
    kind: str  # text, date, choice, lines
    required: bool
    choices: tuple[str, ...]
    longest: int
    hint: str
    example: str
    value: str
    faults: tuple[Refusal, ...]


async def posted(request: Request) -> Mapping[str, str]:
    """The form's text values."""
    form = await request.form(max_files=0, max_fields=200)
    return {k: v for k, v in form.items() if isinstance(v, str)}


@router.get("/issue")
def choose(request: Request, services: Given) -> Response:
    """Choose a type."""
    caller = _issuer(request, services)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    newest = {t.name: t for t in sorted(services.vault.catalog.list(), key=lambda t: t.version)}
    return render(request, "issue_choose.html", caller=caller, types=list(newest.values()))


@router.get("/issue/{type_name}")
def form(request: Request, services: Given, type_name: str) -> Response:
    """The type's form."""
    caller = _issuer(request, services)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    return _form(request, caller, services.vault.catalog.get(type_name), {}, ())


@router.post("/issue/{type_name}")
def issue(
    request: Request,
    services: Given,
    type_name: str,
    values: Mapping[str, str] = Depends(posted),
) -> Response:
    """Issue, or show the form again with what is wrong beside each field."""
    caller = _issuer(request, services)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    check_csrf(caller.csrf, values.get("csrf"))
    chosen = services.vault.catalog.get(type_name)
    data = {k: v.replace("\r\n", "\n") for k, v in values.items() if k in _properties(chosen) and v.strip()}
    once = values.get("once", "")[:100]
    try:
        made = services.vault.issuing.issue(
            type_name, data, actor=caller.actor, request_key=f"{caller.actor.subject}|form|{once}" if once else None
        )
    except RefusedError as error:
        return _form(request, caller, chosen, data, error.refusals)
    services.metrics.count("licenses_issued", type=made.type)
    return render(request, "issued.html", caller=caller, made=made, title=chosen.title)


def _issuer(request: Request, services: Services) -> Caller | None:
    caller = services.authenticator.visitor(request, check=False)
    if caller is not None and not caller.actor.has(Role.ISSUER):
        raise problems.not_permitted(f"{Role.ISSUER.value}, {Role.OPERATOR.value}")
    return caller


def _form(
    request: Request, caller: Caller, chosen: LicenseType, data: Mapping[str, str], refusals: tuple[Refusal, ...]
) -> Response:
    import secrets

    lang = lang_of(request)
    fields = fields_of(chosen, lang, data, refusals)
    shown = {f.name for f in fields}
    return render(
        request,
        "issue_form.html",
        caller=caller,
        status=422 if refusals else 200,
        type=chosen,
        fields=fields,
        general=[r for r in refusals if r.field not in shown],
        faulty=[f for f in fields if f.faults],
        once=secrets.token_urlsafe(16),
    )


def fields_of(chosen: LicenseType, lang: str, data: Mapping[str, str], refusals: tuple[Refusal, ...]) -> list[Field]:
    """The inputs, in the schema's order."""
    required = set(chosen.schema.get("required", []))
    fields = []
    for name, schema in _properties(chosen).items():
        titles = (str(schema.get("title", name)), str(schema.get("x-title-en", name)))
        first, second = titles if lang == "zh" else titles[::-1]
        fields.append(
            Field(
                name=name,
                title=first,
                second_title=second,
                kind=_kind(schema),
                required=name in required,
                choices=tuple(schema.get("enum", ())),
                longest=int(schema.get("maxLength", 4000)),
                hint=str(schema.get("description", "")),
                example=str(next(iter(schema.get("examples", ())), "")),
                value=data.get(name, ""),
                faults=tuple(r for r in refusals if r.field == name),
            )
        )
    return fields


def _properties(chosen: LicenseType) -> Mapping[str, Mapping[str, Any]]:
    properties: Mapping[str, Mapping[str, Any]] = chosen.schema["properties"]
    return properties


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("enum"):
        return "choice"
    if schema.get("x-format") in DATES:
        return "date"
    return "lines" if int(schema.get("maxLength", 0)) > LONG else "text"
