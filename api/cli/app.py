"""The tree of commands. Nothing heavy is imported before a command runs, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import (
    agreements,
    catalog,
    feed,
    hub,
    issuers,
    keys,
    licenses,
    life,
    regions,
    seallife,
    seals,
    service,
    vaults,
    verify,
    webhooks,
)
from api.cli.options import JsonOption, LangOption, VaultOption, current, given


def _version(wanted: bool) -> None:
    from importlib.metadata import version

    from api.cli import output

    if wanted:
        invocation = current()  # of --json, whatever its place, the entry of the command line has told
        output.show(invocation, {"version": version("certvault")}, [f"certvault {version('certvault')}"])
        raise typer.Exit(0)


app = typer.Typer(
    name="certvault",
    help="Electronic licenses: issue, seal, verify. 电子证照：签发、加盖、验证。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quicker, and brackets stay what they are
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit")
]


@app.callback()
def before(
    *, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None, version: VersionOption = False
) -> None:
    """Electronic licenses: issue, seal, verify. 电子证照：签发、加盖、验证。"""
    del version  # its callback has answered
    given(vault, as_json, lang)


for module in (vaults, licenses, life, feed, verify, service):
    module.register(app)
app.add_typer(catalog.tokens, name="token")
app.add_typer(catalog.types, name="types")
app.add_typer(issuers.issuers, name="issuer")
app.add_typer(keys.keys, name="key")
agreements.register(regions.regions)
app.add_typer(regions.regions, name="region")
seallife.register(seals.seals)
app.add_typer(seals.seals, name="seal")
app.add_typer(webhooks.webhooks, name="webhook")
app.add_typer(hub.hub, name="hub")
