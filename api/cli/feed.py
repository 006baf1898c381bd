"""``feed``: what became of licenses, in order."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import output
from api.cli.options import JsonOption, LangOption, VaultOption, given

COLUMNS = ("number", "recorded_at", "act", "stage", "standing", "identifier")


def register(app: typer.Typer) -> None:
    """Hang the command on ``app``."""
    app.command()(feed)


def feed(
    *,
    after: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="Go on behind this cursor; latest: nothing of before", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many changes, up to 1000")] = 100,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show changes of licenses in the order of their numbers, and the cursor to go on with."""
    invocation = given(vault, as_json, lang)
    from certvault.feed import entry_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        page = opened.feed.page(after, limit, LOCAL_OPERATOR)
        changes = [entry_json(change, opened.settings.base_url) for change in page.changes]
    if invocation.as_json:
        output.document({"changes": changes, "cursor": page.cursor, "more": page.more})
        return
    output.table(invocation, "changes", changes, COLUMNS)
    more = ("，还有后续" if invocation.zh else ", there is more") if page.more else ""
    output.say(f"{'游标' if invocation.zh else 'cursor'} {page.cursor}{more}")
