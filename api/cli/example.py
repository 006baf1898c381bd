"""The example vault of ``make run``: made once, filled with one license of each example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import output
from api.cli.options import Invocation

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

LINK_LIFE = timedelta(days=1)
LEDGER = "examples.json"
"""In the vault's folder: which example gave which license. Identifiers only."""


@contextmanager
def open_or_make(invocation: Invocation, address: str) -> Iterator[Vault]:
    """The vault in the folder; a new example vault, with ``address`` as its public one, when there is none."""
    from certvault.bootstrap import InitOptions, create_vault

    if invocation.has_vault():
        with invocation.open_vault() as vault:
            yield vault
        return
    output.say(f"{'新建示例保管库' if invocation.zh else 'making an example vault in'} {invocation.folder}")
    with create_vault(InitOptions(folder=invocation.folder, base_url=address)) as vault:
        yield vault


def issue_examples(vault: Vault, folder: Path) -> list[dict[str, Any]]:
    """Issue one license for each ``TYPE.json`` that has none yet, and verify every one of them."""
    from certvault.model.actor import LOCAL_OPERATOR

    ledger = vault.settings.folder / LEDGER
    known: dict[str, str] = json.loads(ledger.read_text("utf-8")) if ledger.is_file() else {}
    names = {t.name for t in vault.catalog.list()}
    shown = []
    for path in sorted(folder.glob("*.json")):
        if path.stem not in names:
            continue
        identifier = known.get(path.stem)
        if identifier is None:
            data = json.loads(path.read_text("utf-8"))
            made = vault.issuing.issue(path.stem, data, actor=LOCAL_OPERATOR, request_key=f"example|{path.stem}")
            known[path.stem] = identifier = made.identifier
            ledger.write_text(json.dumps(known, indent=2), "utf-8")
        verdict = vault.verification.verify(vault.licenses.pdf(identifier, LOCAL_OPERATOR))
        shown.append(
            {
                "type": path.stem,
                "identifier": identifier,
                "conclusion": verdict.conclusion.value,
                "standing": verdict.standing.value if verdict.standing else None,
            }
        )
    return shown


def holder_of(vault: Vault, shown: list[dict[str, Any]]) -> str | None:
    """The code of the first holder of the first example."""
    from certvault.model.actor import LOCAL_OPERATOR

    for entry in shown:
        holders = vault.licenses.get(entry["identifier"], LOCAL_OPERATOR).holders
        if holders:
            return holders[0].code
    return None


def links(vault: Vault, address: str, holder: str | None) -> dict[str, str]:
    """Sign-in links. The token stands in the fragment, which no browser sends and no server logs; it lives a day."""
    from certvault.model.actor import LOCAL_OPERATOR

    def link(role: str, code: str | None) -> str:
        token = vault.tokens.create(
            role, actor=LOCAL_OPERATOR, holder_code=code, lifetime=LINK_LIFE, label="sign-in link"
        )
        return f"{address}/sign-in#t={token}"

    made = {"operator": link("operator", None)}
    return {**made, "holder": link("holder", holder)} if holder else made
