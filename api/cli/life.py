"""``status``, ``suspend``, ``reinstate``, ``revoke``, ``renew``, ``amend``: the life of a license."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.issuers import IssuerOption, acting
from api.cli.licenses import read_data
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given
from verify.formats.refusal import refuse

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.licenselife import Waiting
    from certvault.model.actor import Actor
    from certvault.standing import Done
    from certvault.versions import Content, Renewed

LicenseArgument = Annotated[str, typer.Argument(metavar="LICENSE", help="Its identifier")]
ReasonOption = Annotated[str | None, typer.Option(metavar="CODE", help="Why; a wrong one lists all")]
BasisOption = Annotated[str, typer.Option(metavar="TEXT", help="The legal basis", show_default=False)]
EffectiveOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="From when, past or future [now]", show_default=False)
]
ApproveOption = Annotated[
    str | None, typer.Option(metavar="REQUEST", help="Approve what somebody else asked for", show_default=False)
]
TokenOption = Annotated[
    str | None,
    typer.Option(envvar="CERTVAULT_TOKEN", help="Act as whoever has this token [local operator]", show_default=False),
]
OutOption = Annotated[Path | None, typer.Option("-o", "--out", help="Where to write the PDF", show_default=False)]
RecordOption = Annotated[Path | None, typer.Option(help="Where to write the SD-JWT", show_default=False)]


def register(app: typer.Typer) -> None:
    """Hang the commands on ``app``."""
    for command in (status, suspend, reinstate, revoke, renew, amend):
        app.command()(command)


def suspend(
    *,
    license_id: LicenseArgument,
    reason: ReasonOption = None,
    basis: BasisOption = "",
    effective: EffectiveOption = None,
    approve: ApproveOption = None,
    token: TokenOption = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Suspend a license: it does not hold until it is reinstated."""
    _act("suspend", license_id, given(vault, as_json, lang), _who(issuer, token), (reason, basis, effective), approve)


def reinstate(
    *,
    license_id: LicenseArgument,
    reason: ReasonOption = None,
    basis: BasisOption = "",
    effective: EffectiveOption = None,
    approve: ApproveOption = None,
    token: TokenOption = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Reinstate a suspended license."""
    _act("reinstate", license_id, given(vault, as_json, lang), _who(issuer, token), (reason, basis, effective), approve)


def revoke(
    *,
    license_id: LicenseArgument,
    reason: ReasonOption = None,
    basis: BasisOption = "",
    effective: EffectiveOption = None,
    approve: ApproveOption = None,
    token: TokenOption = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Revoke a license for good, in all its versions."""
    _act("revoke", license_id, given(vault, as_json, lang), _who(issuer, token), (reason, basis, effective), approve)


def renew(
    *,
    license_id: LicenseArgument,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The new last day of validity", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The new first day [today]", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="CHANGES.json", help="Other data that changes", show_default=False)
    ] = None,
    out: OutOption = None,
    record: RecordOption = None,
    reason: ReasonOption = None,
    basis: BasisOption = "",
    effective: EffectiveOption = None,
    approve: ApproveOption = None,
    token: TokenOption = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Renew a license: a new version with a new period takes its place."""
    invocation = given(vault, as_json, lang)
    from certvault.versions import Content

    content = Content(read_data(data) if data else {}, until, since)
    _act(
        "renew",
        license_id,
        invocation,
        _who(issuer, token),
        (reason, basis, effective),
        approve,
        content,
        (out, record),
    )


def amend(
    *,
    license_id: LicenseArgument,
    data: Annotated[Path | None, typer.Argument(metavar="CHANGES.json", show_default=False)] = None,
    members: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One change", show_default=False)
    ] = None,
    out: OutOption = None,
    record: RecordOption = None,
    reason: ReasonOption = None,
    basis: BasisOption = "",
    effective: EffectiveOption = None,
    approve: ApproveOption = None,
    token: TokenOption = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Amend a license: a new version with other data takes its place. null takes a member away."""
    invocation = given(vault, as_json, lang)
    from certvault.versions import Content

    changes = {**(read_data(data) if data else {}), **dict(_member(invocation, m) for m in members or ())}
    if not changes and approve is None:
        raise typer.BadParameter(
            "请给出要变更的数据" if invocation.zh else "name what changes", param_hint="CHANGES.json"
        )
    _act(
        "amend",
        license_id,
        invocation,
        _who(issuer, token),
        (reason, basis, effective),
        approve,
        Content(changes),
        (out, record),
    )


def status(
    *,
    license_id: LicenseArgument,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="At a past moment: RFC 3339 or a date [now]", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where to write the signed answer (JWS)", show_default=False)
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show where a license stands, or stood, and the acts that led there; a signed answer with it."""
    invocation = given(vault, as_json, lang)
    output.check_target(out)
    from api.lifejson import history_json, waiting_json
    from api.moments import moment
    from api.schemas import license_json, utc
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        when = moment(at) if at else opened.clock.now()
        found = opened.licenses.readable(license_id, LOCAL_OPERATOR)
        view = opened.licenses.view(found)
        value = license_json(view, opened.settings.base_url)
        history = opened.standings.history(found)
        value["history"] = history_json([h for h in history if at is None or h.effective_at <= when])
        value["at"] = utc(when)
        value["standing"] = opened.standings.standing(found, when).value
        value["answer"] = opened.standing_answers.answer(found, when)
        value["waiting"] = [waiting_json(w) for w in opened.life.waiting(found)]
    if out:
        out.write_text(value["answer"], "ascii")
    until = view.valid_to.isoformat() if view.valid_to else ("长期" if invocation.zh else "no end")
    output.show(
        invocation,
        value,
        [
            f"{view.identifier}",
            f"  {view.title.in_language(invocation.lang)}  {view.number}",
            f"  {value['standing']}  {value['at']}  {view.valid_from.isoformat()} – {until}",
            *(_line(entry, invocation.lang) for entry in value["history"]),
            *(
                f"  {w['act']}  {'待批' if invocation.zh else 'waits for approval'}: {w['pending']}"
                for w in value["waiting"]
            ),
        ],
        aside=output.is_stdout(out),
    )


def _line(entry: dict[str, Any], lang: str) -> str:
    words = entry["reason_text"][lang] or entry["reason"]
    after = f"  → {entry['successor']}" if entry["successor"] else ""
    return f"  {entry['effective_at']}  {entry['act']}  {words}  {entry['basis']}".rstrip() + after


def _member(invocation: Invocation, text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter("请写成 名称=值" if invocation.zh else "write it as KEY=VALUE", param_hint="--set")
    return name, value


def acting_with(vault: Vault, issuer: str | None, token: str | None) -> Actor:
    """Whoever acts: the local operator, in the name of an issuer, or whoever has a token. RefusedError."""
    if token is None:
        return acting(issuer)
    found = vault.tokens.authenticate(token)
    if found is None:
        raise refuse(
            "TOKEN_UNKNOWN", "--token", "令牌无效或已过期。", "The token is not known, or has ended.",
            remedy_zh="请使用有效的令牌。", remedy_en="Use a valid token.",
        )  # fmt: skip
    return found


class _Who:
    """Whoever acts, once the vault is open."""

    def __init__(self, issuer: str | None, token: str | None) -> None:
        self._issuer = issuer
        self._token = token

    def actor(self, vault: Vault) -> Actor:
        return acting_with(vault, self._issuer, self._token)


def actor_of(vault: Vault, token: str | None) -> Actor:
    """Whoever has that token, the local operator without one. RefusedError (TOKEN_UNKNOWN)."""
    return _Who(None, token).actor(vault)


def _who(issuer: str | None, token: str | None) -> _Who:
    return _Who(issuer, token)


def _act(
    name: str,
    license_id: str,
    invocation: Invocation,
    who: _Who,
    asked: tuple[str | None, str, str | None],
    approve: str | None,
    content: Content | None = None,
    targets: tuple[Path | None, Path | None] = (None, None),
) -> None:
    from api.lifejson import act_json
    from certvault.model.standing import Act
    from certvault.standing import Asked

    for target in targets:
        output.check_target(target)
    act = Act(name)
    with invocation.open_vault() as opened:
        actor = who.actor(opened)
        done: Done | Renewed | Waiting = (
            opened.life.approve(license_id, act, approve, actor)
            if approve is not None
            else opened.life.act(license_id, act, actor=actor, asked=Asked(*asked), content=content)
        )
        value = act_json(done, opened.settings.base_url)
    _write(done, *targets)
    _show(invocation, value, targets)


def _write(done: Done | Renewed | Waiting, out: Path | None, record: Path | None) -> None:
    from certvault.versions import Renewed

    if isinstance(done, Renewed):
        if out:
            out.write_bytes(done.issued.pdf)
        if record:
            record.write_text(done.issued.record, "ascii")


def _show(invocation: Invocation, value: dict[str, Any], targets: tuple[Path | None, Path | None]) -> None:
    if "pending" in value:
        waits = "待另一人批准" if invocation.zh else "waits for a second person"
        lines = [value["identifier"], f"  {value['act']}  {waits}: --approve {value['pending']}"]
    else:
        already = "" if value["changed"] else ("（此前已办理）" if invocation.zh else " (done before)")
        lines = [value["identifier"], f"  {value['act']}  {value['effective_at']}  {value['standing']}{already}"]
        if "supersedes" in value:
            lines.append(f"  {'取代' if invocation.zh else 'supersedes'} {value['supersedes']}")
        lines += [f"  → {path}" for path in targets if path and "supersedes" in value]
    output.show(invocation, value, lines, aside=any(output.is_stdout(t) for t in targets))
