"""Several issuers in one vault: each under its own remit, seal and keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import Vault
from certvault.errors import ConflictError, ForbiddenError
from certvault.model.actor import LOCAL_OPERATOR, Actor
from tests.support.rows import credit_code
from verify.formats.refusal import RefusedError

Example = Callable[[str], dict[str, Any]]
NAME = "示例市市场监督管理局"


@pytest.fixture
def vault(make_vault: Callable[..., Vault]) -> Vault:
    """A vault with a second issuer, of food licenses in one county."""
    return make_vault()


def added(vault: Vault, **remit: Any) -> Actor:
    issuer = vault.issuers.add(NAME, credit_code(11), actor=LOCAL_OPERATOR, **remit)
    return dataclasses.replace(LOCAL_OPERATOR, issuer_code=issuer.code)


def test_each_issues_under_its_own_seal(vault: Vault, example: Example) -> None:
    second = added(vault)
    first = dataclasses.replace(LOCAL_OPERATOR, issuer_code="11410200MB0A00018X")
    with pytest.raises(ConflictError, match="ISSUER_AMBIGUOUS"):
        vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    for actor, kind in ((first, "business-license"), (second, "food-business-license")):
        issued = vault.issuing.issue(kind, example(kind), actor=actor)
        assert str(actor.issuer_code) in issued.identifier
        verdict = vault.verification.verify(issued.pdf)
        assert (verdict.conclusion.value, verdict.integrity.value) == ("VALID", "INTACT")
        name = NAME if actor is second else "示例市行政审批局"
        assert name in str(verdict.to_json("zh")["signatures"][0]["signer"])
    assert [i.name for i in vault.issuers.list(LOCAL_OPERATOR)] == ["示例市行政审批局", NAME]
    assert vault.pki.rollover("seal", LOCAL_OPERATOR, owner=credit_code(11)).owner == credit_code(11)
    assert vault.doctor().clean


def test_a_remit_is_held_when_something_is_issued(vault: Vault, example: Example) -> None:
    narrow = added(vault, types=["food-business-license"], places=["4301"])
    with pytest.raises(RefusedError, match="OUTSIDE_REMIT") as caught:
        vault.issuing.issue("business-license", example("business-license"), actor=narrow)
    assert {r.field for r in caught.value.refusals} == {"type", "region_code"}
    with pytest.raises(RefusedError, match="OUTSIDE_REMIT"):
        vault.issuing.issue("food-business-license", example("food-business-license"), actor=narrow)


def test_a_table_is_issued_in_one_issuers_name(vault: Vault, example: Example, tmp_path: Path) -> None:
    import json

    narrow = added(vault, types=["road-transport-license"])
    (tmp_path / "rows.jsonl").write_text(json.dumps(example("road-transport-license")))
    done = vault.minting.mint("road-transport-license", tmp_path / "rows.jsonl", tmp_path / "out", actor=narrow)
    assert (done.issued, done.total) == (1, 1)
    (found,) = vault.licenses.list(narrow).items
    assert found.issuer_code == credit_code(11)


def test_a_token_works_for_its_issuer_alone(vault: Vault, example: Example) -> None:
    added(vault)
    bound = vault.tokens.authenticate(
        vault.tokens.create("issuer", actor=LOCAL_OPERATOR, issuer_code="11410200MB0A00018X")
    )
    assert bound is not None
    assert vault.issuing.issue("business-license", example("business-license"), actor=bound).identifier
    for role, code in (("issuer", credit_code(12)), ("holder", credit_code(11))):
        with pytest.raises(RefusedError):
            vault.tokens.create(role, actor=LOCAL_OPERATOR, issuer_code=code)


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": " "}, "name"),
    ({"name": "字" * 41}, "name"),
    ({"code": "91410200MA9G2LRQ00"}, "code"),
    ({"types": ["no-such"]}, "types"),
    ({"places": ["410"]}, "places"),
    ({"places": ["x"]}, "places"),
)


def test_what_no_issuer_can_be_is_named(vault: Vault) -> None:
    for change, field in WRONG:
        with pytest.raises(RefusedError) as caught:
            vault.issuers.add(actor=LOCAL_OPERATOR, **{"name": NAME, "code": credit_code(11), **change})
        assert caught.value.first.field == field, change


def test_an_issuer_is_added_once_and_by_an_operator(vault: Vault) -> None:
    added(vault)
    with pytest.raises(ConflictError, match="ISSUER_EXISTS"):
        added(vault)
    with pytest.raises(ForbiddenError):
        vault.issuers.add(NAME, credit_code(12), actor=Actor("x", frozenset({"issuer"})))


def test_an_issuer_interrupted_while_its_keys_were_made_is_added_again(
    vault: Vault, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("certvault.issuers.event", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            added(vault)
    assert len(vault.issuers.list(LOCAL_OPERATOR)) == 1
    second = added(vault)
    assert vault.issuing.issue("food-business-license", example("food-business-license"), actor=second)
