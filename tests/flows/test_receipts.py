"""Receipts: a verdict signed with its evidence, checked with the vault's root alone, years later; and forgeries."""

from __future__ import annotations

import base64
import copy
import datetime
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import verify
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.model.actor import LOCAL_OPERATOR
from certvault.model.standing import Act
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
YEARS = datetime.timedelta(days=5 * 365)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    clock = FixedClock(NOW)
    opened = create_vault(InitOptions(folder=tmp_path_factory.mktemp("receipts") / "v", keys="file"), clock=clock)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def receipt(vault: Vault) -> dict[str, Any]:
    """The receipt of the verdict on a suspended license."""
    data = json.loads((EXAMPLES / "food-business-license.json").read_text("utf-8"))
    made = vault.issuing.issue("food-business-license", data, actor=LOCAL_OPERATOR)
    vault.life.act(made.identifier, Act.SUSPEND, actor=LOCAL_OPERATOR)
    verdict = vault.verification.verify(made.record).to_json("zh")
    assert verdict["standing"] == "SUSPENDED"
    value = vault.receipts.make(made.record.encode(), verdict, vault.clock.now())
    claims = claims_of(value)
    assert claims["file"]["sha256"] == hashlib.sha256(made.record.encode()).hexdigest()
    return value


def claims_of(receipt: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(receipt["payload"] + "=="))
    return value


def judged(vault: Vault, receipt: dict[str, Any], at: datetime.datetime, trust: TrustStore | None = None) -> Verdict:
    """As a stranger does it: with the root alone, no network, no vault."""
    root = TrustStore(anchors=tuple(vault.pki.roots()))
    return verify.verify_any(json.dumps(receipt).encode(), trust=trust or root, at=at)


@pytest.mark.parametrize("later", [datetime.timedelta(hours=1), YEARS])
def test_the_root_alone_proves_it_years_later(vault: Vault, receipt: dict[str, Any], later: datetime.timedelta) -> None:
    """Five years on, the key's certificate has ended; the timestamp proves that the signature was there before."""
    verdict = judged(vault, receipt, NOW + later)
    assert (verdict.kind, verdict.integrity.value, verdict.conclusion.value) == ("receipt", "INTACT", "VALID"), (
        verdict.findings
    )
    assert verdict.standing is None
    shown = verdict.to_json("en")
    assert shown["receipt"]["verdict"]["standing"] == "SUSPENDED"
    assert shown["signatures"][0]["time_source"] == "timestamp"
    standing = claims_of(receipt)["evidence"]["standing"]
    assert json.loads(base64.urlsafe_b64decode(standing.split(".")[1] + "=="))["standing"] == "SUSPENDED"


def test_without_its_timestamp_it_proves_itself_only_while_the_certificate_holds(
    vault: Vault, receipt: dict[str, Any]
) -> None:
    bare = {k: v for k, v in receipt.items() if k != "header"}
    assert judged(vault, bare, NOW).conclusion.value == "VALID"
    assert judged(vault, bare, NOW + YEARS).conclusion.value != "VALID"


@pytest.mark.parametrize("member", ["payload", "signature", "protected"])
def test_a_changed_receipt_is_altered_or_unreadable(vault: Vault, receipt: dict[str, Any], member: str) -> None:
    changed = copy.deepcopy(receipt)
    text = changed[member]
    middle = len(text) // 2
    changed[member] = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
    verdict = judged(vault, changed, NOW)
    assert verdict.conclusion.value == "INVALID", verdict.findings
    assert verdict.receipt is None


def test_a_verdict_turned_around_is_altered(vault: Vault, receipt: dict[str, Any]) -> None:
    claims = claims_of(receipt)
    claims["verdict"]["standing"] = "IN_FORCE"
    forged = receipt | {"payload": base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")}
    verdict = judged(vault, forged, NOW)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("ALTERED", "INVALID")


def test_a_timestamp_over_another_signature_proves_nothing(vault: Vault, receipt: dict[str, Any]) -> None:
    other = vault.receipts.make(b"x", {"license": None}, NOW)
    verdict = judged(vault, receipt | {"header": other["header"]}, NOW)
    assert verdict.conclusion.value == "INDETERMINATE"
    assert "TIMESTAMP_UNTRUSTED" in verdict.codes()


def test_a_token_of_another_purpose_is_no_receipt(vault: Vault, receipt: dict[str, Any]) -> None:
    """A status list in the shape of a receipt, and a receipt under the key for lists' certificate."""
    protected, payload, signature = vault.status_lists.token(1)[0].split(".")
    verdict = judged(vault, {"protected": protected, "payload": payload, "signature": signature}, NOW)
    assert verdict.conclusion.value != "VALID"
    assert "RECEIPT_BROKEN" in verdict.codes()


def test_nobody_trusts_it_without_an_anchor(vault: Vault, receipt: dict[str, Any]) -> None:
    verdict = judged(vault, receipt, NOW, TrustStore(anchors=()))
    assert verdict.conclusion.value == "INDETERMINATE"
    assert verdict.receipt is None


@pytest.mark.parametrize(
    "junk", [b'{"protected": 1, "payload": 2}', b'{"protected": "", "payload": "\xff"}', b"{" * 500]
)
def test_any_bytes_give_a_verdict(vault: Vault, junk: bytes) -> None:
    verdict = verify.verify_any(junk, trust=TrustStore(anchors=()), at=NOW)
    assert verdict.conclusion.value == "INVALID"
