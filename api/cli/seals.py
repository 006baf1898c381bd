"""``seal``: electronic seals. ``inspect`` reads a seal, or a seal signature, of any maker."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from verify.trust.anchors import TrustStore

seals = typer.Typer(help="Electronic seals", no_args_is_help=True)
_MAX_DATA = 2_000_000_000


@seals.command("inspect")
def inspect(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A seal (.esl) or a seal signature value, in DER")],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339 time or a date [now]", show_default=False)
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Certificate, folder, anchor or kit that counts", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was sealed, for the digest", show_default=False)
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Read a seal or a seal signature and verify it step by step (GM/T 0031, GB/T 38540).

    Steps that need a trusted root or the data are NOT_RUN without them.
    """
    from api.moments import moment
    from verify.seal import inspect_seal

    invocation = given(vault, as_json, lang)
    instant = moment(at) if at else _now()
    found = inspect_seal(
        _read(file), trust=_trust(trust), at=instant, document=_read(data) if data is not None else None
    )
    shown = found.to_json(invocation.lang)
    output.show(invocation, {"file": str(file), **shown}, list(_lines(invocation, str(file), shown)))


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MAX_DATA)


def _now() -> datetime:
    from certvault.clock import SystemClock

    return SystemClock().now()


def _trust(paths: list[Path] | None) -> TrustStore:
    from verify.trust.anchors import TrustStore

    try:
        return TrustStore.from_paths(paths or [], allow_example=True, at=_now())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--trust") from error


def _lines(invocation: Invocation, name: str, shown: dict[str, Any]) -> list[str]:
    zh = invocation.zh
    kinds = {"seal": ("印章", "seal"), "signature": ("签章", "seal signature")}
    kind = kinds[shown["kind"]][0 if zh else 1]
    version = shown["version"] if shown["version"] is not None else "?"
    lines = [f"{name}: {kind}，第 {version} 版" if zh else f"{name}: {kind}, version {version}"]
    if shown["seal"]:
        seal = shown["seal"]
        lines.append(f"  {seal['name']}  [{seal['id']}]  {seal['valid_from']} – {seal['valid_to']}")
    for step in shown["steps"]:
        lines.append(f"  {step['outcome']:<8} {step['code'] or '–':<24} {step['reason']}")
        lines += [f"    {s['outcome']:<8} {s['code'] or '–':<22} {s['reason']}" for s in step.get("steps", ())]
    return lines
