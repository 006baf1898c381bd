"""``issuer``: who issues from this vault, and what they may issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.options import JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.model.actor import Actor
    from certvault.model.keys import Issuer

issuers = typer.Typer(help="Issuers and their remits.", no_args_is_help=True, rich_markup_mode=None)

IssuerOption = Annotated[
    str | None, typer.Option("--issuer", metavar="USCC", help="In whose name [the only issuer]", show_default=False)
]


@issuers.command("add")
def issuer_add(
    *,
    name: Annotated[str, typer.Option(help="Its name, as it stands on the seal")],
    code: Annotated[str, typer.Option(metavar="USCC", help="Its unified social credit code")],
    types: Annotated[
        str | None, typer.Option(metavar="TYPE,…", help="Types it may issue [all]", show_default=False)
    ] = None,
    places: Annotated[
        str | None,
        typer.Option(metavar="CODE,…", help="Regions it may issue for, GB/T 2260 [all]", show_default=False),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Add an issuer with its own seal and keys."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        added = opened.issuers.add(name, code, actor=LOCAL_OPERATOR, types=_listed(types), places=_listed(places))
    output.facts(invocation, _shown(added))


@issuers.command("list")
def issuer_list(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the issuers and what each may issue."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = opened.issuers.list(LOCAL_OPERATOR)
    output.table(invocation, "issuers", [_shown(i) for i in found], ("code", "name", "types", "places", "since"))


def acting(issuer: str | None) -> Actor:
    """Whoever runs the command line, in the name of ``issuer`` when one is named."""
    from dataclasses import replace

    from certvault.model.actor import LOCAL_OPERATOR

    return LOCAL_OPERATOR if issuer is None else replace(LOCAL_OPERATOR, issuer_code=issuer)


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _shown(issuer: Issuer) -> dict[str, Any]:
    from api.schemas import utc

    return {
        "code": issuer.code,
        "name": issuer.name,
        "types": None if issuer.type_names is None else sorted(issuer.type_names),
        "places": None if issuer.place_prefixes is None else list(issuer.place_prefixes),
        "since": utc(issuer.since),
    }
