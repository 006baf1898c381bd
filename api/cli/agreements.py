"""``region agree``, ``region countersign``, ``region agreements``: what is accepted of other regions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.life import TokenOption, actor_of
from api.cli.options import JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.model.agreement import AgreementVersion
    from certvault.model.hub import RelayedDocument
    from verify.formats.agreement import Agreement

SHANGHAI = timezone(timedelta(hours=8))
OutOption = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the signed agreement", show_default=False)
]
_COLUMNS = ("agreement", "version", "region", "theirs", "ours", "from", "until", "state")


def register(regions: typer.Typer) -> None:
    """Add the commands to ``region``."""
    regions.command("agree")(region_agree)
    regions.command("countersign")(region_countersign)
    regions.command("agreements")(region_agreements)


def region_agree(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Code of GB/T 2260")],
    *,
    theirs: Annotated[str, typer.Option(metavar="TYPE", help="Their license type")],
    ours: Annotated[str, typer.Option(metavar="TYPE", help="Our license type")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day [now]", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day [without end]", show_default=False)
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fields and conditions, JSON [fields of the same name]", show_default=False),
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the agreement")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Approve the newest version, as a second person")] = False,
    out: OutOption = None,
    token: TokenOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Accept their type as ours: makes the next version of the agreement, and signs it.

    With --out alone, beside the types, the newest version is written again.
    """
    invocation = given(vault, as_json, lang)
    output.check_target(out)
    if (revoke and approve) or ((revoke or approve) and (since or until or rules)):
        message = "--revoke 和 --approve 不与其他选项并用" if invocation.zh else "--revoke and --approve stand alone"
        raise typer.BadParameter(message)
    from certvault.agreementrules import MAX_BYTES, read_rules
    from certvault.agreements import Term

    term = Term(_day(since, "--from"), _day(until, "--until", end=True))
    read = read_rules(_content(rules, MAX_BYTES)) if rules is not None else None
    with invocation.open_vault() as opened:
        actor, service = actor_of(opened, token), opened.agreements
        if revoke:
            made = service.revoke(region, theirs, ours, actor)
        elif approve:
            made = service.approve(region, theirs, ours, actor)
        else:
            made = service.make(region, theirs, ours, actor, term=term, rules=read)
    _write(made, out)
    value = {**agreement_json(made), "file": str(out) if out else None}
    output.show(invocation, value, _told(made, invocation.zh), aside=output.is_stdout(out))


def region_countersign(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A signed agreement of the other region, or the name of one that waits (region agreements)",
        ),
    ],
    *,
    out: OutOption = None,
    token: TokenOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Sign an agreement about our own type, or take ours back in with the other region's signature."""
    invocation = given(vault, as_json, lang)
    output.check_target(out)
    from verify.formats.agreement import MAX_BYTES

    with invocation.open_vault() as opened:
        proposed = [] if file.exists() else opened.relay_sync.proposals()
        named = [kept.body for agreement, kept in proposed if agreement.id == str(file)]
        data = named[0] if len(named) == 1 else _content(file, MAX_BYTES)  # two of one number: by a file, knowingly
        found = opened.agreements.countersign(data, actor_of(opened, token))
    _write(found, out)
    value = {**agreement_json(found), "file": str(out) if out else None}
    output.show(invocation, value, _told(found, invocation.zh), aside=output.is_stdout(out))


def region_agreements(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the agreements, every version. PROPOSED: another region's, about our type, that waits for our signature."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        rows = [agreement_json(v) for v in opened.agreements.list()]
        rows += [_proposed(agreement, kept) for agreement, kept in opened.relay_sync.proposals()]
    output.table(invocation, "agreements", rows, _COLUMNS)


def agreement_json(version: AgreementVersion) -> dict[str, Any]:
    """One version as it is shown."""
    from api.schemas import utc
    from certvault.agreements import content_of

    content = content_of(version)
    return {
        "agreement": version.id,
        "version": version.version,
        "region": version.region,
        "accepting": content.accepting,
        "issuing": content.issuing,
        "theirs": version.theirs,
        "ours": version.ours,
        "from": utc(content.starts),
        "until": utc(content.ends) if content.ends else None,
        "state": _state(version, revoked=content.revoked),
        "made_at": utc(version.made_at),
        "made_by": version.made_by,
        "approved_by": version.approved_by,
        "countersigned": version.countersigned_at is not None,
    }


def _proposed(agreement: Agreement, kept: RelayedDocument) -> dict[str, Any]:
    """An agreement that came through a hub; ``region countersign`` takes its name or the document in a file."""
    from api.schemas import utc

    return {
        "agreement": agreement.id,
        "version": agreement.version,
        "region": agreement.accepting,
        "accepting": agreement.accepting,
        "issuing": agreement.issuing,
        "theirs": agreement.theirs,
        "ours": agreement.ours,
        "from": utc(agreement.starts),
        "until": utc(agreement.ends) if agreement.ends else None,
        "state": "PROPOSED",
        "made_at": utc(agreement.made),
        "made_by": None,
        "approved_by": None,
        "countersigned": False,
        "document": kept.body.decode("utf-8"),
    }


def _state(version: AgreementVersion, *, revoked: bool) -> str:
    if revoked:
        return "REVOKED"
    if version.waits:
        return "WAITING"
    return "COUNTERSIGNED" if version.countersigned_at is not None else "SIGNED"


def _told(version: AgreementVersion, zh: bool) -> list[str]:
    shown = agreement_json(version)
    words = {
        "REVOKED": ("已撤销", "revoked"),
        "WAITING": ("待第二人批准：--approve", "waits for a second person: --approve"),
        "SIGNED": ("已由本区域签署，尚无对方会签", "signed by this region, not yet by the other"),
        "COUNTERSIGNED": ("双方均已签署", "signed by both regions"),
    }
    end = shown["until"] or ("无期限" if zh else "without end")
    return [
        f"{shown['agreement']}/{shown['version']}  {shown['issuing']} {shown['theirs']} → "
        f"{shown['accepting']} {shown['ours']}",
        f"  {shown['from']} – {end}  {words[shown['state']][0 if zh else 1]}",
    ]


def _day(text: str | None, option: str, *, end: bool = False) -> datetime | None:
    """The beginning of a day of Asia/Shanghai, or the moment after its end."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=1) if end else day, time(), SHANGHAI)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("YYYY-MM-DD", param_hint=option) from error


def _content(path: Path, limit: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def _write(version: AgreementVersion, out: Path | None) -> None:
    if out is not None and not version.waits:
        out.write_bytes(version.signed)
