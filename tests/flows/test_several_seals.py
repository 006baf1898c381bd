"""A license type that asks for several seals, of one organization and of another: all or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault
from certvault.errors import ConflictError
from certvault.model.actor import Actor
from certvault.model.sealrules import SealRules
from certvault.seals import Wanted
from templates.registry import read_folder
from tests.support.rows import credit_code

OP = LOCAL_OPERATOR
OTHER = credit_code(11)
TYPE = "food-business-license"
SHIPPED = Path(__file__).resolve().parents[2] / "templates" / "types" / TYPE
Example = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault whose food licenses bear three seals: two of their issuer, one of another organization."""
    with create_vault(InitOptions(folder=tmp_path_factory.mktemp("several") / "vault", keys="file")) as made:
        made.issuers.add("示例市卫生健康委员会", OTHER, actor=OP)
        files = read_folder(SHIPPED)
        head = json.loads(files["type.json"])
        head["version"] += 1
        head["seals"] = [
            {"kind": "business", "x": 60, "y": 143},
            {"kind": "official", "owner": OTHER, "x": 145, "y": 143},
        ]
        made.catalog.add(files | {"type.json": json.dumps(head).encode()}, OP)
        yield made


def first(vault: Vault) -> Actor:
    """Whoever issues in the name of the first issuer."""
    return replace(OP, issuer_code="11410200MB0A00018X")


def active(vault: Vault, kind: str) -> str:
    seal_id = vault.seals.apply(kind, actor=first(vault), wanted=Wanted()).seal.id
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(seal_id, OP)
    return seal_id


def theirs(vault: Vault) -> str:
    return next(k.seal.id for k in vault.seals.list(OP) if k.seal.owner == OTHER)


def test_all_seals_or_none(vault: Vault, example: Example, tmp_path: Path) -> None:
    data, actor = example(TYPE), first(vault)
    with pytest.raises(Exception, match="NOT_FOUND"):  # there is no business seal yet
        vault.issuing.issue(TYPE, data, actor=actor)
    business = active(vault, "business")
    with pytest.raises(ConflictError, match="SEAL_RULE"):  # the other organization has not given leave
        vault.issuing.issue(TYPE, data, actor=actor)
    other = theirs(vault)
    vault.seals.change(other, actor=OP, wanted=Wanted(rules=SealRules(types=(TYPE,))))
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(other, OP)
    issued = vault.issuing.issue(TYPE, data, actor=actor)
    verdict = vault.verification.verify(issued.pdf)
    codes = {f.code for f in verdict.findings}
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID"), codes
    assert [s.field for s in verdict.signatures] == ["Seal1", "Seal2", "Seal3"]
    assert verdict.standing is not None
    assert verdict.standing.value == "IN_FORCE"
    assert len(vault.seal_uses.uses(business, OP)) == len(vault.seal_uses.uses(other, OP)) == 1
    ends = [i for i in range(len(issued.pdf)) if issued.pdf.startswith(b"%%EOF", i)]
    for end in ends[:-1]:  # the file without its last seals is none
        shorter = vault.verification.verify(issued.pdf[: end + 6])
        if len(shorter.signatures) < 3:
            assert shorter.conclusion.value != "VALID"
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps(data | {"operator_name": f"第{n}店"}, ensure_ascii=False) + "\n" for n in range(3))
    )
    done = vault.minting.mint(TYPE, rows, tmp_path / "out", actor=actor)
    assert (done.state, done.issued) == ("DONE", 3)
    for pdf in (tmp_path / "out").rglob("*.pdf"):
        assert vault.verification.verify(pdf.read_bytes()).conclusion.value == "VALID"
    assert len(vault.seal_uses.uses(other, OP)) == 4
    vault.seals.suspend(other, OP, "inspection")
    with vault._database.reading() as view:
        before = view.licenses.counts()
    with pytest.raises(ConflictError, match="SEAL_SUSPENDED"):
        vault.issuing.issue(TYPE, data | {"operator_name": "又一店"}, actor=actor)
    with vault._database.reading() as view:
        assert view.licenses.counts() == before
    assert vault.doctor().problems == ()
