"""``key``: the vault's keys, by handle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli import output
from api.cli.drill import key_compromised
from api.cli.issuers import IssuerOption
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

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
    exportable: Annotated[bool, typer.Option("--exportable", help="Make it one that can be backed up")] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make the next key of a purpose. What the old one signed stays good."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        new = opened.pki.rollover(which, LOCAL_OPERATOR, owner=issuer, exportable=exportable)
    output.facts(invocation, {"key": new.id, "purpose": new.purpose, "generation": new.generation})


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `key list` shows it")]


@keys.command("backup")
def key_backup(
    *,
    key: KeyArgument,
    file: Annotated[Path, typer.Argument(help="The file to write")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there")] = False,
    shares: Annotated[
        str | None, typer.Option(metavar="K/N", help="Make a new backup key first, in N shares of which any K suffice")
    ] = None,
    shares_to: Annotated[
        Path | None,
        typer.Option("--shares-to", metavar="DIR", help="Write each share to a file here, instead of the terminal"),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Back a key up that was made for it, or all data keys (KEY: data), wrapped under the vault's backup key.

    Without --shares the backup key stays in its device; with them its keepers can bring it to another one.
    """
    invocation = given(vault, as_json, lang)
    from api.cli import shares as keepers
    from certvault.model.actor import LOCAL_OPERATOR

    output.check_new(file, force=force)
    wanted = None if shares is None else keepers.numbers(shares, shares_to)
    with invocation.open_vault() as opened:
        if wanted is not None:
            opened.keycare.new_backup_key(*wanted, LOCAL_OPERATOR, keepers.keep(invocation, wanted, shares_to))
        content = opened.keycare.back_up(key, LOCAL_OPERATOR)
    output.write_private(file, content)
    output.facts(invocation, {"key": key, "file": str(file)})


@keys.command("restore")
def key_restore(
    *,
    file: Annotated[Path, typer.Argument(help="A key's backup")],
    share: Annotated[
        list[Path] | None,
        typer.Option("--share", metavar="FILE", help="A share of the backup key; as many as are needed, - to type one"),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Put a key back that was lost or destroyed, or comes from another device. A destroyed one comes back retired."""
    invocation = given(vault, as_json, lang)
    from api.cli import shares as keepers
    from certvault.keycare import MAX_FILE
    from certvault.model.actor import LOCAL_OPERATOR

    with file.open("rb") as stream:
        content = stream.read(MAX_FILE + 1)
    with invocation.open_vault() as opened:
        restored = opened.keycare.restore(content, LOCAL_OPERATOR, keepers.read(invocation, share or []))
    if restored is None:
        output.facts(invocation, {"key": "data"})
        return
    output.facts(invocation, {"key": restored.id, "name": restored.name, "state": restored.state.value})


@keys.command("destroy")
def key_destroy(
    *,
    key: KeyArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Destroy a key that was rolled over. What it signed stays good."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    if not yes:
        _confirm(invocation, key)
    with invocation.open_vault() as opened:
        gone = opened.keycare.destroy(key, LOCAL_OPERATOR)
    output.facts(invocation, {"key": gone.id, "name": gone.name, "state": gone.state.value})


keys.command("compromised")(key_compromised)


def _confirm(invocation: Invocation, key: str) -> None:
    """Have the key's id typed again; refused where nobody sits at a terminal."""
    from verify.formats.refusal import refuse

    if sys.stdin.isatty():
        sys.stderr.write(f"输入 {key} 以确认销毁：" if invocation.zh else f"Type {key} to destroy it: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() == key:
            return
    raise refuse(
        "NOT_CONFIRMED",
        "key",
        "销毁密钥须经确认",
        "destroying a key has to be confirmed",
        remedy_zh="请输入密钥标识，或加上 --yes。",
        remedy_en="Type the key's id, or add --yes.",
    )
