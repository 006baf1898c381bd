"""``webhook``: which systems are told of changes, and how that goes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli import output
from api.cli.options import JsonOption, LangOption, VaultOption, given

webhooks = typer.Typer(
    help="Systems that are told of changes of licenses.", no_args_is_help=True, rich_markup_mode=None
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", show_default=False, help="As webhook list shows it")]
COLUMNS = ("id", "state", "cursor", "failures", "next_at", "url", "name")
ATTEMPT_COLUMNS = ("number", "at", "delivered", "status", "code", "milliseconds", "changes", "message")


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", show_default=False, help="The receiver's https address")],
    *,
    events: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="issue, suspend, reinstate, revoke, renew, amend; again or with commas [all]",
            show_default=False,
        ),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="License types, alike [all]", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What people call it", show_default=False)] = "",
    after: Annotated[
        str | None,
        typer.Option("--from", metavar="CURSOR", help="Changes behind this cursor [those to come]", show_default=False),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:  # fmt: skip
    """Tell a system of changes. Its secret is shown this once."""
    invocation = given(vault, as_json, lang)
    from api.webhookjson import made_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        made = opened.webhooks.add(
            url, actor=LOCAL_OPERATOR, kinds=_listed(events), types=_listed(types), name=name, after=after
        )
    output.facts(invocation, made_json(made))


@webhooks.command("list")
def list_all(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the subscriptions and where each stands in the feed."""
    invocation = given(vault, as_json, lang)
    from api.webhookjson import webhook_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = [webhook_json(w) for w in opened.webhooks.list(LOCAL_OPERATOR)]
    output.table(invocation, "webhooks", found, COLUMNS)


@webhooks.command("remove")
def remove(
    webhook: IdArgument, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Tell it nothing any more."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        opened.webhooks.remove(webhook, LOCAL_OPERATOR)
    output.show(invocation, {"removed": webhook}, ["已移除。" if invocation.zh else "Removed."])


@webhooks.command("pause")
def pause(webhook: IdArgument, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Deliver nothing until it is resumed; it keeps its place."""
    _changed("pause", (webhook,), vault, as_json, lang)


@webhooks.command("resume")
def resume(
    webhook: IdArgument, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Go on where it stopped, at once."""
    _changed("resume", (webhook,), vault, as_json, lang)


@webhooks.command("replay")
def replay(
    webhook: IdArgument,
    *,
    after: Annotated[
        str, typer.Option("--from", metavar="CURSOR", help="Behind this cursor of the feed", show_default=False)
    ],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Send everything behind a cursor once more, as new messages."""
    _changed("replay", (webhook, after), vault, as_json, lang)


@webhooks.command("rotate")
def rotate(
    webhook: IdArgument,
    *,
    hours: Annotated[int, typer.Option(min=0, max=720, help="So long the secret before signs as well")] = 24,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make a new secret, shown this once; for a while both sign."""
    invocation = given(vault, as_json, lang)
    from api.webhookjson import made_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        made = opened.webhooks.rotate(webhook, LOCAL_OPERATOR, hours)
    output.facts(invocation, made_json(made))


@webhooks.command("log")
def log(
    webhook: IdArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many attempts")] = 50,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what became of its messages, newest first."""
    invocation = given(vault, as_json, lang)
    from api.webhookjson import attempt_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = [attempt_json(a) for a in opened.webhooks.log(webhook, LOCAL_OPERATOR, limit)]
    output.table(invocation, "attempts", found, ATTEMPT_COLUMNS)


@webhooks.command("test")
def send_test(
    webhook: IdArgument, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Send a signed test message now. Fails when the receiver does not take it."""
    invocation = given(vault, as_json, lang)
    from api.webhookjson import attempt_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        attempt = opened.deliveries.test(webhook, LOCAL_OPERATOR)
    output.facts(invocation, attempt_json(attempt))
    if not attempt.delivered:
        raise typer.Exit(1)


@webhooks.command("deliver")
def deliver(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Deliver what is due, once. The service and the worker do it by themselves."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        done = opened.deliveries.deliver()
    output.facts(invocation, done)


def _changed(what: str, arguments: tuple[str, ...], *options: Any) -> None:
    """Do one of the steps that need nothing but names, and show where the subscription stands then."""
    invocation = given(*options)
    from api.webhookjson import webhook_json
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        changed = getattr(opened.webhooks, what)(*arguments, LOCAL_OPERATOR)
    output.facts(invocation, webhook_json(changed))


def _listed(texts: list[str] | None) -> list[str] | None:
    """Names, given one by one or with commas between them; None when none was given."""
    return None if not texts else [part.strip() for text in texts for part in text.split(",") if part.strip()]
