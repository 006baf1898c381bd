"""``key compromised``: the drill for a key in wrong hands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.life import BasisOption, TokenOption, acting_with
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.drill import Outcome

_WORDS: Mapping[str, tuple[str, str]] = {
    "revoke": ("吊销证书", "revoke"),
    "plan": ("列出证照", "plan"),
    "suspend": ("暂停", "suspend"),
    "new_key": ("更换密钥", "new key"),
    "reissue": ("重新签发", "re-issue"),
    "notice": ("通报", "notice"),
    "report": ("报告", "report"),
}


def key_compromised(
    *,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `key list` shows it")],
    since: Annotated[str, typer.Option(metavar="TIME", help="From when on its signatures are in doubt")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done")] = False,
    suspend: Annotated[bool, typer.Option("--suspend/--no-suspend", help="Suspend what is in force")] = True,
    reissue: Annotated[bool, typer.Option("--reissue/--no-reissue", help="Make new versions of it")] = True,
    approve: Annotated[
        str | None, typer.Option(metavar="PLAN", help="Approve the plan somebody else asked for", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where plan, report and notice go", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes")] = 1,
    basis: BasisOption = "",
    token: TokenOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Report a key as compromised: revoke it, suspend what it made since then, re-issue that under the next key.

    A command that was cut off goes on when it is repeated.
    """
    invocation = given(vault, as_json, lang)
    from api.moments import moment
    from api.sealing import use_json
    from certvault.drill import Wanted

    instant, wanted = moment(since), Wanted(suspend, reissue, basis)
    shown = _Shown(invocation)
    with invocation.open_vault() as opened:
        actor = acting_with(opened, None, token)
        if dry_run:
            done = opened.drills.rehearse(key, instant, actor, wanted)
        else:
            try:
                done = opened.drills.run(
                    key, instant, actor, wanted, approve=approve, workers=workers, progress=shown.update
                )
            finally:
                shown.finish()
        files = [] if out is None else opened.drills.write(done, out)
    value = _value(done) | {"uses": [use_json(u) for u in done.found.uses], "files": [str(f) for f in files]}
    output.show(invocation, value, _lines(invocation, done, files))


def _value(done: Outcome) -> dict[str, Any]:
    from api.schemas import utc

    value: dict[str, Any] = {
        "key": done.found.key.id,
        "since": utc(done.found.since),
        "done": done.found.done,
        "plan": done.plan,
        "pending": done.pending,
        "counts": done.counts,
        "made_by_key": done.facts,
    }
    if done.estimate is not None:
        value["estimate"] = done.estimate
    if done.drill is not None:
        value |= {"drill": done.drill.id, "state": done.drill.state.value, "new_key": done.drill.new_key_id}
        value |= {"notice": done.drill.notice, "report": done.report}
    return value


def _lines(invocation: Invocation, done: Outcome, files: list[Path]) -> list[str]:
    from api.schemas import utc

    zh, counts = invocation.zh, done.counts
    found = done.found
    lines = [f"{found.key.id}  {utc(found.since)}  {len(found.uses)}"]
    lines.append(f"  {done.facts['meaning'][invocation.lang]}")  # type: ignore[index]
    words = {
        "licenses": ("证照", "licenses"),
        "planned": ("有效", "in force"),
        "suspended": ("已暂停", "suspended"),
        "reissued": ("已重新签发", "re-issued"),
        "left": ("不处理", "left"),
    }
    lines += [f"  {words[n][0 if zh else 1]}: {counts[n]}" for n in words]
    for name in ("left_because", "not_reissued_because"):
        lines += [f"    {reason}: {count}" for reason, count in counts[name].items()]
    if done.estimate is not None:
        lines.append(f"  {'预计秒数' if zh else 'seconds, estimated'}: {done.estimate['seconds']}")
    if done.report is not None:
        lines += [
            f"  {_WORDS[p['phase']][0 if zh else 1]}: {p['seconds']} s"
            + (f"  {p['per_second']}/s" if p["per_second"] else "")
            for p in done.report["phases"]
        ]
    if done.pending:
        lines.append(f"  {'待另一人批准' if zh else 'waits for a second person'}: --approve {done.plan}")
    elif done.drill is None:
        lines.append(f"  {'计划摘要' if zh else 'plan'}: {done.plan}")
    lines += [f"  {utc(u.used_at)}  {u.identifier or u.digest}" for u in found.uses[:20]]
    if len(found.uses) > 20:
        lines.append(f"  … {len(found.uses) - 20}")
    return lines + [f"  → {path}" for path in files]


class _Shown:
    """Progress on stderr: a line for each phase that ends, and a bar on a terminal."""

    def __init__(self, invocation: Invocation) -> None:
        self._zh = invocation.zh
        self._phase = ""
        self._bar = output.ProgressBar()

    def update(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            self.finish()
            self._phase = phase
            self._bar = output.ProgressBar()
            output.say(_WORDS[phase][0 if self._zh else 1])
        self._bar.update(done, total, phase)

    def finish(self) -> None:
        self._bar.finish()
