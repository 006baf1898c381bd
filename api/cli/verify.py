"""``verify``: the verdict on files, with the exit status that scripts go by."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from verify.evidence import Evidence
    from verify.trust.anchors import TrustStore

ALL_GOOD, UNREADABLE_PATH, SOME_INVALID, SOME_OPEN, SOME_NOT_IN_FORCE = 0, 1, 10, 11, 12
EXAMPLE_ENVIRONMENT = "CERTVAULT_ALLOW_EXAMPLE_KEYS"

Judge = Callable[[bytes], dict[str, Any]]


def register(app: typer.Typer) -> None:
    """Hang the command on ``app``."""
    app.command()(verify)


def verify(
    *,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", show_default=False)] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Certificate or folder; replaces the vault's trust", show_default=False),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339 time or a date [now]", show_default=False)
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network")] = False,
    password: Annotated[str | None, typer.Option(help="Of an encrypted PDF", show_default=False)] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Files judged at a time")] = 1,
    codes: Annotated[bool, typer.Option("--codes", help="List every finding code and end")] = False,
    allow_example: Annotated[
        bool, typer.Option("--allow-example", help=f"Let example keys count [env {EXAMPLE_ENVIRONMENT}=1]")
    ] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Verify PDFs, structured records, or pictures that carry a code.

    Exit status: 0 all valid and in force; 10 some invalid; 11 some that cannot be confirmed; 12 all valid, some not
    in force; 1 a path could not be read; 2 wrong usage.
    """
    del offline  # nothing here uses the network: the evidence is the vault's own
    invocation = given(vault, as_json, lang)
    if codes:
        _codes(invocation)
        return
    if not files:
        raise typer.BadParameter("name a file" if not invocation.zh else "请指明文件", param_hint="FILE")
    from api.moments import moment

    with ExitStack() as stack:
        opened = _vault(stack, invocation, needed=not trust)
        store = _trust(opened, trust, allow_example or os.environ.get(EXAMPLE_ENVIRONMENT) == "1")
        instant = moment(at) if at else _clock_now(opened)
        evidence = _evidence(opened)
        judge = _judge(
            stack,
            lang=invocation.lang,
            trust=store,
            evidence=evidence,
            at=instant,
            password=password,
            jobs=jobs,
        )
        answers = list(_each(files, judge, jobs, invocation.lang))
    _show(invocation, files, answers)
    raise typer.Exit(exit_status(answers))


def exit_status(answers: Sequence[dict[str, Any]]) -> int:
    """The status for these answers, worst first: unreadable path, invalid, open, not in force."""
    verdicts = [a for a in answers if "error" not in a]
    if len(verdicts) < len(answers):
        return UNREADABLE_PATH
    conclusions = {v["conclusion"] for v in verdicts}
    if "INVALID" in conclusions:
        return SOME_INVALID
    if "INDETERMINATE" in conclusions:
        return SOME_OPEN
    return ALL_GOOD if all(v["standing"] in (None, "IN_FORCE") for v in verdicts) else SOME_NOT_IN_FORCE


def _vault(stack: ExitStack, invocation: Invocation, *, needed: bool) -> Vault | None:
    """The vault, when there is one. With trust of the caller's own, one that does not open is only told."""
    from certvault.errors import VaultError
    from signing.errors import SigningError

    if not invocation.has_vault():
        return None
    try:
        return stack.enter_context(invocation.open_vault())
    except (VaultError, SigningError) as error:
        if needed:
            raise
        output.say(f"{'保管库未打开' if invocation.zh else 'the vault was not opened'}: {error}")
        return None


def _clock_now(vault: Vault | None) -> datetime:
    from certvault.clock import SystemClock

    return vault.clock.now() if vault else SystemClock().now()


def _trust(vault: Vault | None, paths: Sequence[Path] | None, allow_example: bool) -> TrustStore:
    from verify.formats.refusal import refuse
    from verify.trust.anchors import TrustStore

    if not paths:
        return vault.verification.trust() if vault else TrustStore(allow_example=allow_example)
    try:
        return TrustStore.from_paths(paths, allow_example=allow_example)
    except ValueError as error:
        raise refuse(
            "TRUST_UNREADABLE", "--trust", f"无法读取信任锚：{error}", f"the trust cannot be read: {error}",
            remedy_zh="请给出 PEM 或 DER 格式的证书，或其文件夹。",
            remedy_en="Give a certificate in PEM or DER, or a folder of them.",
        ) from error  # fmt: skip


def _evidence(vault: Vault | None) -> Evidence:
    from verify.evidence import NO_EVIDENCE

    return vault.verification.evidence() if vault else NO_EVIDENCE


def _judge(
    stack: ExitStack,
    *,
    lang: str,
    trust: TrustStore,
    evidence: Evidence,
    at: datetime,
    password: str | None,
    jobs: int,
) -> Judge:
    """One file at a time in this process; several in processes of their own."""
    if jobs == 1:
        from verify import verify_any

        return lambda data: verify_any(data, trust=trust, at=at, evidence=evidence, password=password).to_json(lang)
    from api.judging.pool import Pool, Question
    from api.limits import Limits

    limits = Limits()
    pool = stack.enter_context(Pool(jobs, seconds=limits.judge_seconds, memory=limits.judge_memory))
    return lambda data: pool.ask(Question(data, trust, evidence, at, password))[lang]


def _each(files: Sequence[Path], judge: Judge, jobs: int, lang: str) -> Iterator[dict[str, Any]]:
    from api.wording import with_summary

    def one(path: Path) -> dict[str, Any]:
        try:
            data = path.read_bytes()
        except OSError as error:
            return {"file": str(path), "error": error.strerror or type(error).__name__}
        return with_summary({"file": str(path), **judge(data)}, lang)

    bar = output.ProgressBar()
    with ThreadPoolExecutor(max_workers=jobs) as threads:
        for done, answer in enumerate(threads.map(one, files), 1):
            if len(files) > 1:
                bar.update(done, len(files))
            yield answer
    bar.finish()


def _show(invocation: Invocation, files: Sequence[Path], answers: Sequence[dict[str, Any]]) -> None:
    errors = [a for a in answers if "error" in a]
    for bad in errors:
        output.say(f"{bad['file']}: {'无法读取' if invocation.zh else 'cannot be read'}: {bad['error']}")
    if invocation.as_json:
        document: dict[str, Any] = {"files": [a for a in answers if "error" not in a]}
        if errors:
            document["errors"] = errors
        output.document(document)
        return
    for answer in answers:
        if "error" in answer:
            continue
        output.line(f"{answer['file']}: {answer['summary']['title']}")
        standing = f"  {answer['standing']}" if answer["standing"] else ""
        output.line(f"  {answer['integrity']}  {answer['conclusion']}{standing}")
        if answer["license"]:
            known = answer["license"]
            holders = "、".join(h["name"] for h in known["holders"])
            output.line(f"  {known['type']}  {known['number']}  {holders}  {known['issuer']}")
        for found in answer["findings"]:
            where = f" ({found['where']})" if found["where"] else ""
            output.line(f"  {found['severity']:<5} {found['message']}{where} [{found['code']}]")


def _codes(invocation: Invocation) -> None:
    from verify.findings import all_codes

    rows = all_codes(invocation.lang)
    output.show(
        invocation,
        {"codes": rows},
        [f"{r['code']}  {r['about']}  {r['severity']}\n    {r['zh']}\n    {r['en']}" for r in rows],
    )
