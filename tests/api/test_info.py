"""信息验证: the national result codes, and that nothing is told beyond what was asked."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.limits import Rate
from certvault.model.actor import LOCAL_OPERATOR
from certvault.model.standing import Act
from certvault.versions import Content
from templates.registry import read_folder
from tests.api.conftest import GENEROUS, Door, example

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

FOOD = "food-business-license"
TYPES = Path(__file__).resolve().parents[2] / "templates" / "types"


@pytest.fixture(scope="module")
def mine(embedded_vault: Vault) -> IssuedLicense:
    return embedded_vault.issuing.issue(FOOD, example(FOOD), actor=LOCAL_OPERATOR)


def asked(door: Door, **claim: Any) -> dict[str, Any]:
    answer = door.client.post("/v1/verifications/info?lang=en", json=claim, headers=door.as_("verifier"))
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


def result(door: Door, **claim: Any) -> int:
    code: int = asked(door, **claim)["result"]
    return code


def test_every_code(door: Door, embedded_vault: Vault, mine: IssuedLicense) -> None:
    data = example(FOOD)
    known = {"type": FOOD, "number": mine.number}
    fields = {"operator_name": data["operator_name"], "valid_to": "{}年{}月{}日".format(*data["valid_to"].split("-"))}
    assert result(door, **known, fields=fields) == 0
    assert result(door, **known, holder_code=data["credit_code"], fields={"holder_name": data["operator_name"]}) == 0
    assert result(door, type=FOOD, fields=fields) == 4
    assert result(door, number=mine.number) == 4
    assert result(door, **known, fields={"operator_name": ""}) == 4
    assert result(door, type=FOOD, number="JY24102040000000", fields=fields) == 5
    assert result(door, type="no-such-type", number=mine.number) == 5
    assert result(door, **known, fields={"operator_name": "别人", "valid_to": "2001-01-01"}) == 6
    assert result(door, **known, fields={**fields, "operator_name": "别人"}) == 7
    assert result(door, **known, holder_code="91110000600037341L", fields=fields) == 7
    for act, code in ((Act.SUSPEND, 2), (Act.REINSTATE, 0), (Act.REVOKE, 3)):
        embedded_vault.life.act(mine.identifier, act, actor=LOCAL_OPERATOR)
        assert result(door, **known, fields=fields) == code


def test_the_code_before_its_first_day_and_after_its_last(door: Door, embedded_vault: Vault) -> None:
    """Under a type whose licenses may begin on a day to come."""
    files = dict(read_folder(TYPES / "road-transport-license"))
    head, schema = json.loads(files["type.json"]), json.loads(files["schema.json"])
    schema["properties"]["valid_from"]["x-format"] = "date"
    files["type.json"] = json.dumps(head | {"name": "transport-to-come", "version": 1}).encode()
    files["schema.json"] = json.dumps(schema).encode()
    embedded_vault.catalog.add(files, LOCAL_OPERATOR)
    today = embedded_vault.clock.now().date()
    years = datetime.timedelta(days=365)
    terms = {
        1: (today + datetime.timedelta(days=2), today + years),
        0: (today - datetime.timedelta(days=2), today + years),
        3: (today - 2 * years, today - datetime.timedelta(days=2)),
    }
    for code, (begins, ends) in terms.items():
        data = {**example("road-transport-license"), "valid_from": begins.isoformat(), "valid_to": ends.isoformat()}
        made = embedded_vault.issuing.issue("transport-to-come", data, actor=LOCAL_OPERATOR)
        known = {"type": "transport-to-come", "number": made.number}
        assert result(door, **known, fields={"operator_name": data["operator_name"]}) == code
        assert result(door, **known, fields={"operator_name": "别人"}) == 6  # a wrong claim learns no standing


def test_of_a_renewed_license_the_newest_version_counts(door: Door, embedded_vault: Vault) -> None:
    old = embedded_vault.issuing.issue(FOOD, example(FOOD), actor=LOCAL_OPERATOR)
    later = str(int(example(FOOD)["valid_to"][:4]) + 1) + example(FOOD)["valid_to"][4:]
    embedded_vault.life.act(old.identifier, Act.RENEW, actor=LOCAL_OPERATOR, content=Content({}, later))
    known = {"type": FOOD, "number": old.number}
    assert result(door, **known, fields={"valid_to": later}) == 0
    assert result(door, **known, fields={"valid_to": example(FOOD)["valid_to"]}) == 6


def test_by_a_holders_code_the_license_that_fits_is_found(door: Door, embedded_vault: Vault) -> None:
    data = example("road-transport-license")
    for name in ("甲运输有限公司", "乙运输有限公司"):
        embedded_vault.issuing.issue("road-transport-license", {**data, "operator_name": name}, actor=LOCAL_OPERATOR)
    known = {"type": "road-transport-license", "holder_code": data["unified_social_credit_code"].lower()}
    assert result(door, **known, fields={"operator_name": "乙运输有限公司"}) == 0
    assert result(door, **known, fields={"operator_name": "丙运输有限公司"}) == 6


def test_only_what_was_asked_is_answered(door: Door, issued: IssuedLicense) -> None:
    data = example(FOOD)
    answer = asked(
        door, type=FOOD, number=issued.number, holder_code="91110000600037341L",
        fields={"operator_name": data["operator_name"], "valid_to": "2001-01-01"},
    )  # fmt: skip
    assert set(answer) == {"result", "about"}
    assert answer["about"]["fields"] == {"operator_name": "match", "valid_to": "differs"}
    unknown = asked(door, type=FOOD, number=issued.number, fields={"shoe_size": "44", "operator_name": "x"})
    assert (unknown["result"], unknown["about"]["fields"]) == (4, {"shoe_size": "unknown"})
    for text in (answer, unknown):
        assert data["valid_to"] not in str(text)
        assert issued.identifier not in str(text)


def test_a_check_is_logged_by_blind_index_alone(door: Door, embedded_vault: Vault, issued: IssuedLicense) -> None:
    result(door, type=FOOD, number=issued.number, fields={"operator_name": "秘密名称"})
    (line,) = embedded_vault.audit.entries(LOCAL_OPERATOR, limit=1).items
    assert line.kind == "INFO_CHECKED"
    assert line.details["result"] == 6
    assert issued.number not in str(line)
    assert "秘密名称" not in str(line)
    assert line.actor.startswith("token:")


def test_guessing_is_slow(
    embedded_vault: Vault, new_client: Any, tokens: dict[str, str], issued: IssuedLicense
) -> None:
    client = new_client(rates={**GENEROUS.rates, "info": Rate(20, 1)})
    headers = {"Authorization": f"Bearer {tokens['verifier']}"}
    body = {"type": FOOD, "number": issued.number, "fields": {"operator_name": "猜"}}
    codes = [client.post("/v1/verifications/info", json=body, headers=headers).status_code for _ in range(6)]
    assert codes == [200, 200, 200, 200, 429, 429]
