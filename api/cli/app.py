"""The tree of commands. Nothing heavy is imported before a command runs, so that ``--help`` is quick."""

from __future__ import annotations

import typer

from api.cli import catalog, keys, licenses, service, vaults, verify
from api.cli.options import JsonOption, LangOption, VaultOption, given

app = typer.Typer(
    name="certvault",
    help="Electronic licenses: issue, seal, verify. 电子证照：签发、加盖、验证。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quicker, and brackets stay what they are
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def before(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Electronic licenses: issue, seal, verify. 电子证照：签发、加盖、验证。"""
    given(vault, as_json, lang)


for module in (vaults, licenses, verify, service):
    module.register(app)
app.add_typer(catalog.tokens, name="token")
app.add_typer(catalog.types, name="types")
app.add_typer(keys.keys, name="key")
