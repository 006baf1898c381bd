"""``issue``, ``mint``, ``wallet``: licenses, one or many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.issuers import IssuerOption, acting
from api.cli.options import JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.model.views import MintProgress

MAX_DATA = 5_000_000
BaselineOption = Annotated[str, typer.Option(metavar="B-B|B-T|B-LT|B-LTA", help="PAdES baseline")]


def register(app: typer.Typer) -> None:
    """Hang the commands on ``app``."""
    for command in (issue, mint, wallet):
        app.command()(command)


def issue(
    *,
    type_name: Annotated[str, typer.Argument(metavar="TYPE")],
    data: Annotated[Path, typer.Argument(metavar="DATA.json")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where to write the PDF", show_default=False)] = None,
    record: Annotated[Path | None, typer.Option(help="Where to write the SD-JWT", show_default=False)] = None,
    baseline: BaselineOption = "B-LT",
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Issue one license."""
    invocation = given(vault, as_json, lang)
    from api.schemas import issued_json

    values = read_data(data)
    for target in (out, record):
        output.check_target(target)
    with invocation.open_vault() as opened:
        made = opened.issuing.issue(type_name, values, actor=acting(issuer), baseline=baseline)
        value = issued_json(made, opened.settings.base_url)
    if out:
        out.write_bytes(made.pdf)
    if record:
        record.write_text(made.record, "ascii")
    if made.ignored:
        output.say(("未使用的数据项：" if invocation.zh else "ignored: ") + ", ".join(made.ignored))
    output.show(
        invocation,
        value,
        [
            f"{made.identifier}",
            f"  {made.type}  {made.number}  {made.standing}",
            f"  sha256 {made.sha256}",
            *(f"  → {path}" for path in (out, record) if path),
        ],
        aside=output.is_stdout(out) or output.is_stdout(record),
    )


def read_data(path: Path) -> dict[str, Any]:
    """The JSON object in a file; RefusedError when it is none."""
    from verify.formats.refusal import refuse

    with path.open("rb") as stream:
        raw = stream.read(MAX_DATA + 1)
    try:
        value = json.loads(raw.decode("utf-8-sig")) if len(raw) <= MAX_DATA else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refuse(
            "DATA_MALFORMED",
            "",
            f"{path} 不是一个 JSON 对象。",
            f"{path} is not a JSON object.",
            remedy_zh="请提供 UTF-8 编码的 JSON 对象。",
            remedy_en="Give a JSON object in UTF-8.",
        )
    return value


def mint(
    *,
    type_name: Annotated[str, typer.Argument(metavar="TYPE")],
    rows: Annotated[Path, typer.Argument(metavar="ROWS.{csv,xlsx,jsonl}")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where PDFs and report.jsonl go")],
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes")] = 1,
    resume: Annotated[str | None, typer.Option(metavar="JOB", help="Resume a job", show_default=False)] = None,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Issue many licenses from a table; repeating the command resumes."""
    invocation = given(vault, as_json, lang)
    bar = output.ProgressBar()

    def shown(progress: MintProgress) -> None:
        bar.update(progress.done, progress.total, f"✗ {progress.refused + progress.failed}")

    with invocation.open_vault() as opened:
        try:
            progress = opened.minting.mint(
                type_name, rows, out, actor=acting(issuer), workers=workers, resume=resume, progress=shown
            )
        finally:
            bar.finish()
    value = {
        "job": progress.job,
        "type": progress.type,
        "state": progress.state,
        "total": progress.total,
        "issued": progress.issued,
        "refused": progress.refused,
        "failed": progress.failed,
        "report": str(out / "report.jsonl"),
        "ignored": list(progress.ignored),
    }
    if progress.ignored:
        output.say(("未使用的列：" if invocation.zh else "ignored columns: ") + ", ".join(progress.ignored))
    output.facts(invocation, value)
    raise typer.Exit(0 if progress.done == progress.total else 1)


def wallet(
    *,
    holder: Annotated[str, typer.Argument(metavar="HOLDER-CODE")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="Where to write the archive")],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write what a holder may download: PDFs, records, an index."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    output.check_target(out)
    holder = holder or " "  # to the vault an empty code would mean: the caller's own
    with invocation.open_vault() as opened:
        entries = opened.wallet.entries(holder, LOCAL_OPERATOR)
        out.write_bytes(opened.wallet.archive(holder, LOCAL_OPERATOR))
    output.show(
        invocation,
        {"file": str(out), "licenses": [e.identifier for e in entries]},
        [f"{out}  ({len(entries)})", *(f"  {e.identifier}" for e in entries)],
        aside=output.is_stdout(out),
    )
