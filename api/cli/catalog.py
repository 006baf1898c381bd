"""``token`` and ``types``: who may call, and what may be issued."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli import output
from api.cli.options import JsonOption, LangOption, VaultOption, given

tokens = typer.Typer(help="Bearer tokens.", no_args_is_help=True, rich_markup_mode=None)
types = typer.Typer(help="The catalog of license types.", no_args_is_help=True, rich_markup_mode=None)

DAYS = 90


@tokens.command("create")
def token_create(
    *,
    role: Annotated[str, typer.Option(help="operator, issuer, custodian, auditor, holder or verifier")],
    holder: Annotated[
        str | None, typer.Option(metavar="CODE", help="For role holder: the holder's code", show_default=False)
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="USCC", help="The issuer it works for [any]", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it lives")] = DAYS,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make a bearer token. It is shown once, and kept as a digest only."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        token = opened.tokens.create(
            role, holder_code=holder, issuer_code=issuer, actor=LOCAL_OPERATOR, lifetime=timedelta(days=days)
        )
    output.show(invocation, {"token": token, "role": role, "days": days}, [token])
    if not invocation.as_json:
        output.say("令牌只显示这一次。" if invocation.zh else "The token is shown this once only.")


@tokens.command("list")
def token_list(*, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the tokens, without their secrets."""
    invocation = given(vault, as_json, lang)
    from api.schemas import utc
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = opened.tokens.list(LOCAL_OPERATOR)
    rows = [
        {
            "token": t.id,
            "role": t.role,
            "label": t.label,
            "created_at": utc(t.created_at),
            "expires_at": utc(t.expires_at),
            "revoked_at": utc(t.revoked_at) if t.revoked_at else None,
        }
        for t in found
    ]
    output.table(invocation, "tokens", rows, ("token", "role", "label", "expires_at", "revoked_at"))


@tokens.command("revoke")
def token_revoke(
    *,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as `token list` shows it")],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Withdraw a token. It counts no more from now on."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        opened.tokens.revoke(token, LOCAL_OPERATOR)
    output.show(invocation, {"token": token, "revoked": True}, [token])


@types.command("list")
def types_list(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the published types."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        found = opened.catalog.list()
    rows = [
        {
            "type": t.name,
            "version": t.version,
            "code": t.type_code,
            "code_is_example": t.type_code_is_example,
            "title": {"zh": t.title.zh, "en": t.title.en},
            "digest": t.digest,
        }
        for t in found
    ]
    output.table(invocation, "types", rows, ("type", "version", "code", "title"))


@types.command("show")
def types_show(
    *,
    type_name: Annotated[str, typer.Argument(metavar="TYPE")],
    version: Annotated[int | None, typer.Option(help="Version [the newest]", show_default=False)] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Print the JSON Schema of the type's data."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        schema = dict(opened.catalog.get(type_name, version).schema)
    output.line(json.dumps(schema, ensure_ascii=False, indent=2))


@types.command("add")
def types_add(
    *,
    folder: Annotated[Path, typer.Argument(help="A type's folder")],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Publish a type, or a new version of one, from a folder."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR
    from templates.registry import read_folder

    files = read_folder(folder)
    with invocation.open_vault() as opened:
        added = opened.catalog.add(files, LOCAL_OPERATOR)
    value = {"type": added.name, "version": added.version, "code": added.type_code, "digest": added.digest}
    output.facts(invocation, value)
