"""Evidence for ``verify``: the vault's own, what the caller hands in, and a source for what is missing."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli.options import Invocation
from verify.formats.refusal import refuse

if TYPE_CHECKING:
    from api.fetching import Fetcher
    from certvault.bootstrap import Vault
    from verify.evidence import Evidence

MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Handed:
    """What the command line names. ``offline``: nothing is fetched. ``issuers``: missing authorities are, too."""

    crls: Sequence[Path]
    ocsps: Sequence[Path]
    status_lists: Sequence[str]
    offline: bool
    issuers: bool = False


def gather(stack: ExitStack, invocation: Invocation, vault: Vault | None, handed: Handed) -> Evidence:
    """All evidence; RefusedError for a file that cannot be read."""
    from verify.evidence import NO_EVIDENCE

    own = vault.verification.evidence() if vault else NO_EVIDENCE
    lists = dict(_named(invocation, text) for text in handed.status_lists)
    source = None if handed.offline else _source(stack)
    return replace(
        own,
        status_lists=ChainMap(lists, own.status_lists) if lists else own.status_lists,  # type: ignore[arg-type]
        crls=(*own.crls, *(_read(path, "--crl") for path in handed.crls)),
        ocsps=(*own.ocsps, *(_read(path, "--ocsp") for path in handed.ocsps)),
        source=source,
        issuers=source if handed.issuers else None,
        region_source=None if handed.offline else own.region_source,
    )


def _source(stack: ExitStack) -> Fetcher:
    from api.fetching import Fetcher

    fetcher = Fetcher()
    stack.callback(fetcher.close)
    return fetcher


def _named(invocation: Invocation, text: str) -> tuple[str, bytes]:
    uri, separator, path = text.rpartition("=")
    if not separator:
        wanted = "请写成 地址=文件" if invocation.zh else "write it as URI=FILE"
        raise typer.BadParameter(wanted, param_hint="--status-list")
    return uri, _read(Path(path), "--status-list")


def _read(path: Path, option: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unread(path, option) from error
    if len(data) > MOST_BYTES:
        raise _unread(path, option)
    return data


def _unread(path: Path, option: str) -> Exception:
    return refuse(
        "EVIDENCE_UNREADABLE", option, f"无法读取 {path}。", f"{path} cannot be read.",
        remedy_zh="请检查路径、权限和大小。", remedy_en="Check the path, its permissions and its size.",
    )  # fmt: skip
