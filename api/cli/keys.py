"""``key``: the vault's keys, by handle."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import output
from api.cli.issuers import IssuerOption
from api.cli.options import JsonOption, LangOption, VaultOption, given

keys = typer.Typer(help="Keys by handle.", no_args_is_help=True, rich_markup_mode=None)


@keys.command("list")
def key_list(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the keys with the certificates they have now."""
    invocation = given(vault, as_json, lang)
    from api.schemas import utc
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = opened.pki.keys(LOCAL_OPERATOR)
    rows = [
        {
            "key": k.id,
            "purpose": k.purpose,
            "owner": k.owner,
            "algorithm": k.algorithm,
            "generation": k.generation,
            "state": k.state,
            "certificate": k.certificate_serial,
            "not_after": utc(k.not_after) if k.not_after else None,
        }
        for k in found
    ]
    output.table(invocation, "keys", rows, ("key", "purpose", "owner", "generation", "algorithm", "state", "not_after"))


@keys.command("rollover")
def key_rollover(
    *,
    which: Annotated[str, typer.Argument(metavar="PURPOSE|KEY", help="A purpose such as seal or tsa, or a key's id")],
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make the next key of a purpose. What the old one signed stays good."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        new = opened.pki.rollover(which, LOCAL_OPERATOR, owner=issuer)
    output.facts(invocation, {"key": new.id, "purpose": new.purpose, "generation": new.generation})
