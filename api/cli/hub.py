"""``hub``: admitting regions and gathering their lists. A hub is made with ``init --hub``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output, regions
from api.cli.options import JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.hub import EntryInfo

hub = typer.Typer(help="A hub: admit regions, gather their lists.", no_args_is_help=True, rich_markup_mode=None)

EntryOption = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="ENTRY.jws", help="Write the signed entry", show_default=False)
]


@hub.command("admit")
def hub_admit(
    *,
    anchor: Annotated[Path, typer.Argument(help="The region's anchor, from hand to hand", exists=True)],
    url: Annotated[str, typer.Option(metavar="BASE", help="The region's public address")],
    is_hub: Annotated[bool, typer.Option("--hub", help="It is a hub below this one")] = False,
    parent: Annotated[
        str | None, typer.Option(metavar="REGION", help="The region above it [the hub]", show_default=False)
    ] = None,
    level: Annotated[
        int | None, typer.Option(min=1, max=4, help="1 national … 4 county [by its code]", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The admission's last day [three years]", show_default=False)
    ] = None,
    out: EntryOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Sign the entry of a region, and take it in. On a vault that is kept offline: carry the entry to the hub."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR
    from verify.formats.hubentry import unverified_entry

    output.check_target(out)
    read = regions.read_anchor_file(anchor)
    with invocation.open_vault() as opened:
        token = opened.hub.admit(
            read,
            LOCAL_OPERATOR,
            address=url,
            kind="hub" if is_hub else "region",
            parent=parent or "",
            level=level or 0,
            until=_end_of(until),
        )
    _written(out, token)
    output.facts(invocation, _entry(unverified_entry(token)[0], True), "已准入" if invocation.zh else "admitted:")


@hub.command("add")
def hub_add(
    *,
    entry: Annotated[Path, typer.Argument(help="An entry that was signed offline", exists=True)],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Take in an entry that another vault signed: its root is one that the hub's anchor names in ``admits``."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    token = _text_of(entry)
    with invocation.open_vault() as opened:
        found = opened.hub.add(token, LOCAL_OPERATOR)
        shown = _entry(found, found.holds(opened.clock.now()))
    output.facts(invocation, shown)


@hub.command("remove")
def hub_remove(
    *,
    region: Annotated[str, typer.Argument(help="A region that is admitted")],
    out: EntryOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Sign the entry that ends a region's admission, and take it in."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR
    from verify.formats.hubentry import unverified_entry

    output.check_target(out)
    with invocation.open_vault() as opened:
        token = opened.hub.withdraw(region, LOCAL_OPERATOR)
    _written(out, token)
    output.facts(invocation, _entry(unverified_entry(token)[0], False))


@hub.command("list")
def hub_list(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the regions that the hub admits, and what it holds of each."""
    invocation = given(vault, as_json, lang)
    from api.regionjson import seen_json

    with invocation.open_vault() as opened:
        found = opened.hub.entries()
        both = opened.hubs.evidence()
    rows = [{**_entry(i.entry, i.holds), **_held(i)} for i in found]
    twice = [seen_json(s) for s in both]
    columns = ("region", "kind", "name", "level", "parent", "holds", "list", "confirmed", "address")
    if invocation.as_json:
        output.show(invocation, {"regions": rows, "equivocations": twice}, [])
        return
    output.table(invocation, "regions", rows, columns)
    for one in twice:
        said = "同一编号有两份清单" if invocation.zh else "two lists with one number"
        output.line(f"!! TRUST_LIST_EQUIVOCATED {one['region']} #{one['sequence']}: {said}")


@hub.command("gather")
def hub_gather(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Pull the list of every admitted region, and publish what changed."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        done = opened.gathering.gather()
        newest = opened.hub.newest()
    rows = [{"region": region, "outcome": code or "OK"} for region, code in done]
    if invocation.as_json:
        output.show(invocation, {"regions": rows, "sequence": newest.sequence}, [])
        return
    output.table(invocation, "regions", rows, ("region", "outcome"))


@hub.command("offline")
def hub_offline(
    *,
    anchor: Annotated[Path, typer.Argument(help="Anchor of the vault that is kept offline", exists=True)],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="NEXT.json", help="The anchor to vouch for")],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let another vault's roots alone admit regions: ``region cosign`` there, then ``region anchor --take`` here."""
    invocation = given(vault, as_json, lang)
    import json

    from certvault.model.actor import LOCAL_OPERATOR

    output.check_target(out)
    offline = regions.read_anchor_file(anchor)
    with invocation.open_vault() as opened:
        waiting = opened.hub.admit_by(offline, LOCAL_OPERATOR)
    out.write_text(json.dumps(waiting.to_json(), ensure_ascii=False, indent=2) + "\n", "utf-8")
    value = {"file": str(out), "region": waiting.region, "sequence": waiting.sequence, "admits": list(waiting.admits)}
    output.facts(invocation, value)


def _text_of(path: Path) -> str:
    from verify.formats.hubentry import MAX_BYTES

    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1).decode("ascii", "replace")


def _written(out: Path | None, token: str) -> None:
    if out is not None:
        out.write_text(token + "\n", "ascii")


def _end_of(day: str | None) -> datetime.datetime | None:
    """The end of a day, by the law's zone."""
    from certvault.clock import LEGAL_ZONE

    if day is None:
        return None
    try:
        last = datetime.date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter("YYYY-MM-DD", param_hint="--until") from error
    following = last + datetime.timedelta(days=1)
    return datetime.datetime.combine(following, datetime.time(), LEGAL_ZONE).astimezone(datetime.UTC)


def _entry(entry: Any, holds: bool) -> dict[str, Any]:
    from api.schemas import utc

    return {
        "region": entry.region,
        "kind": entry.kind,
        "name": entry.name,
        "level": entry.level,
        "parent": entry.parent,
        "address": entry.address,
        "admitted": utc(entry.admitted),
        "until": utc(entry.until),
        "sequence": entry.sequence,
        "withdrawn": entry.withdrawn,
        "holds": holds,
    }


def _held(info: EntryInfo) -> dict[str, Any]:
    from api.schemas import utc

    held = info.held
    return {
        "list": None if held is None else held.sequence,
        "next_update": None if held is None else utc(held.next_update),
        "confirmed": None if held is None else utc(held.confirmed),
    }
