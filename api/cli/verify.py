"""``verify``: the verdict on files, with the exit status that scripts go by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import output
from api.cli.evidence import Handed, gather
from api.cli.judging import Grounds, Judging, judges
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given
from api.cli.verdicts import Shown, Tally

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from verify.trust.sources import Given

MOST_DATA = 2_000_000_000
FEW = 4
"""Fewer files are judged in this process, unless told otherwise: starting others would take longer."""
EXAMPLE_ENVIRONMENT = "CERTVAULT_ALLOW_EXAMPLE_KEYS"


class Depth(StrEnum):
    """The depths of report, as :data:`verify.report.DEPTHS` has them."""

    CONCLUSION = "conclusion"
    CHECKS = "checks"
    FACTS = "facts"


def register(app: typer.Typer) -> None:
    """Hang the command on ``app``."""
    app.command()(verify)


def verify(
    *,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", show_default=False)] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Certificate, folder of them, region's anchor (with its trust list beside it) or offline kit; replaces"
            " the vault's trust",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339 time or a date [now]", show_default=False)
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no revocation data or status lists")] = False,
    fetch_issuers: Annotated[
        bool,
        typer.Option("--fetch-issuers", help="Ask addresses in unproven certificates for missing authorities"),
    ] = False,
    crl: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A revocation list (DER)", show_default=False)
    ] = None,
    ocsp: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="An OCSP response (DER)", show_default=False)
    ] = None,
    status_list: Annotated[
        list[str] | None, typer.Option(metavar="URI=FILE", help="A status list token", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What a signature beside it is over", show_default=False)
    ] = None,
    password: Annotated[str | None, typer.Option(help="Of an encrypted PDF", show_default=False)] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, metavar="N", help="Files judged at a time [all cores]", show_default=False),
    ] = None,
    depth: Annotated[
        Depth | None, typer.Option(help="How much to tell: answers, every check, or all that was read")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT.pdf|OUT.html", help="Write a signed report on one file", show_default=False),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="OUT.json", help="Write the verdict on one file, signed", show_default=False),
    ] = None,
    codes: Annotated[bool, typer.Option("--codes", help="List every finding code and end")] = False,
    allow_example: Annotated[
        bool, typer.Option("--allow-example", help=f"Let example keys count [env {EXAMPLE_ENVIRONMENT}=1]")
    ] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Verify PDFs, structured records, pictures that carry a code, or signatures beside their data (``--data``).

    ``-`` is the standard input.

    Exit status: 0 all valid and in force; 10 some invalid; 11 some that cannot be confirmed; 12 all valid, some not
    in force; 1 a path could not be read; 2 wrong usage.
    """
    from api.moments import moment

    invocation = given(vault, as_json, lang)
    if codes:
        _codes(invocation)
        return
    if not files:
        raise typer.BadParameter("name a file" if not invocation.zh else "请指明文件", param_hint="FILE")
    _check_report(invocation, report, files)
    _check_receipt(invocation, receipt, files)
    document = _document(invocation, data, files)
    workers = _workers(jobs, len(files))
    with ExitStack() as stack:
        pool = judges(stack, workers)
        opened = _vault(stack, invocation, needed=not trust)
        handed = Handed(crl or (), ocsp or (), status_list or (), offline, fetch_issuers)
        chosen = _trust(opened, trust, allow_example or os.environ.get(EXAMPLE_ENVIRONMENT) == "1")
        grounds = Grounds(
            trust=chosen.trust,
            evidence=gather(stack, invocation, opened, handed).beside(chosen.evidence),
            at=moment(at) if at else _clock_now(opened),
            password=password,
            document=document,
        )
        judging = Judging(invocation, grounds, pool, max(1, workers))
        if receipt:
            tally = _receipted(judging, opened, files, receipt)
        else:
            tally = _reported(judging, opened, files, depth, report) if report else _each(judging, files, depth)
    raise typer.Exit(tally.status)


def _workers(jobs: int | None, files: int) -> int:
    """How many processes judge besides this one; 0: this one judges."""
    chosen = min(jobs or len(os.sched_getaffinity(0)), files)
    alone = chosen == 1 or (jobs is None and files < FEW)
    return 0 if alone else chosen


def _document(invocation: Invocation, data: Path | None, files: Sequence[Path]) -> bytes | None:
    """What was signed, when it was named. BadParameter for several signatures, and for a file that cannot be read."""
    if data is None:
        return None
    zh = invocation.zh
    if len(files) != 1:
        raise typer.BadParameter("只用于一个签名" if zh else "it belongs to one signature", param_hint="--data")
    try:
        with data.open("rb") as stream:
            return stream.read(MOST_DATA)
    except OSError as error:
        raise typer.BadParameter("无法读取" if zh else f"{data}: {error.strerror}", param_hint="--data") from error


def _each(judging: Judging, files: Sequence[Path], depth: Depth | None) -> Tally:
    """Judge and show file by file, in the order given."""
    shown, tally = Shown(judging.invocation, depth.value if depth else None), Tally()
    bar = output.ProgressBar()
    for done, answer in enumerate(judging.answers(files, depth.value if depth else None), 1):
        if len(files) > 1:
            bar.update(done, len(files))
        tally.add(answer)
        shown.add(answer)
    bar.finish()
    shown.end()
    return tally


def _reported(judging: Judging, opened: Vault | None, files: Sequence[Path], depth: Depth | None, out: Path) -> Tally:
    """Judge one file and write the report on it."""
    from api.cli.reporting import write_report

    shown, tally = Shown(judging.invocation, depth.value if depth else None), Tally()
    answer, material = judging.material(files[0], depth.value if depth else None)
    if material is not None:
        write_report(judging.invocation, opened, material, name=files[0].name, out=out)
    tally.add(answer)
    shown.add(answer)
    shown.end()
    return tally


def _receipted(judging: Judging, opened: Vault | None, files: Sequence[Path], out: Path) -> Tally:
    """Judge one file and write the receipt of the verdict; RefusedError without a vault, which signs it."""
    from verify.formats.refusal import refuse

    if opened is None:
        raise refuse(
            "RECEIPT_NEEDS_VAULT", "--receipt", "没有证照库，无法签署回执。", "There is no vault to sign a receipt.",
            remedy_zh="请以 --vault 指明证照库。", remedy_en="Name a vault with --vault.",
        )  # fmt: skip
    shown, tally = Shown(judging.invocation, None), Tally()
    answer, data = judging.with_data(files[0])
    if data is not None:
        made = opened.receipts.make(data, {n: v for n, v in answer.items() if n != "summary"}, judging.grounds.at)
        out.write_text(output.json_text(made), "utf-8")
    tally.add(answer)
    shown.add(answer)
    shown.end()
    return tally


def _check_receipt(invocation: Invocation, receipt: Path | None, files: Sequence[Path]) -> None:
    if receipt is None:
        return
    if len(files) != 1:
        wanted = "一份回执只说明一个文件" if invocation.zh else "a receipt tells of one file"
        raise typer.BadParameter(wanted, param_hint="--receipt")
    output.check_target(receipt)


def _check_report(invocation: Invocation, report: Path | None, files: Sequence[Path]) -> None:
    if report is None:
        return
    zh = invocation.zh
    if report.suffix.lower() not in (".pdf", ".html"):
        raise typer.BadParameter("请写成 .pdf 或 .html" if zh else "name a .pdf or .html file", param_hint="--report")
    if len(files) != 1:
        raise typer.BadParameter(
            "一份报告只说明一个文件" if zh else "a report tells of one file", param_hint="--report"
        )
    output.check_target(report)


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


def _trust(vault: Vault | None, paths: Sequence[Path] | None, allow_example: bool) -> Given:
    from verify.formats.refusal import refuse
    from verify.trust.anchors import TrustStore
    from verify.trust.sources import Given, SourceError, read_sources

    if not paths:
        return Given(vault.verification.trust() if vault else TrustStore(allow_example=allow_example))
    try:
        return read_sources(paths, allow_example=allow_example, at=_clock_now(vault))
    except SourceError as error:
        zh, en = f"无法采用所给信任：{error.text.zh}", f"the trust given does not count: {error.text.en}"
        raise refuse(
            "TRUST_UNREADABLE", "--trust", zh, en,
            remedy_zh="请给出 PEM 或 DER 格式的证书或其文件夹、区域的锚及其信任列表，或离线包。",
            remedy_en="Give a certificate in PEM or DER, a folder of them, a region's anchor with its trust list, or an"
            " offline kit.",
        ) from error  # fmt: skip


def _codes(invocation: Invocation) -> None:
    from verify.findings import all_codes

    rows = all_codes(invocation.lang)
    lines = []
    for row in rows:
        lines.append(f"{row['code']}  {row['about']}  {row['severity']}  [{row['clause']}]")
        lines += [f"    {row[lang]}" for lang in ("zh", "en")]
        lines += [f"    {row[f'why_{lang}']} {row[f'action_{lang}']}" for lang in ("zh", "en")]
    output.show(invocation, {"codes": rows}, lines)
