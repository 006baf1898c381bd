"""Trust lists, anchors and agreements are read as they are written, and nothing else is."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import pem

from verify.formats.agreement import Agreement, AgreementError, Conditions, FieldRule, agreement_from_json
from verify.formats.anchor import Anchor, AnchorError, anchor_from_json, read_anchor
from verify.formats.trustlist import (
    Endpoints,
    ListedIssuer,
    ListedSeal,
    ListedType,
    TrustList,
    TrustListError,
    trust_list_from_json,
)

AT = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def certificate() -> bytes:
    root = next((Path(__file__).parents[2] / "keys-example").rglob("*root*.pem"))
    _, _, der = pem.unarmor(root.read_bytes())
    return bytes(der)


@pytest.fixture
def listed() -> TrustList:
    der = certificate()
    seal = ListedSeal("41020000000001", "开封市公章", "official", (der,), True, AT, ("pades", "ses-4"))
    issuer = ListedIssuer(
        "11410200MB1234567C", "开封市局", ("a-type",), ("4102",), AT, None, 3, True, (seal,), (der,), ()
    )
    return TrustList(
        region="410000",
        name="河南省",
        sequence=7,
        issued=AT,
        next_update=AT + DAY,
        roots=(der,),
        authorities=(),
        endpoints=Endpoints(
            "https://a.example", "https://a.example/v1/trust-list", ("https://a.example/status-lists/",)
        ),
        issuers=(issuer,),
        types=(ListedType("a-type", 1, "11100000MB0000000X001", "证", "Type", {"type": "object"}),),
    )


def test_a_list_is_read_back_as_it_was_written(listed: TrustList) -> None:
    assert trust_list_from_json(json.loads(listed.payload())) == listed
    stamped = replace(listed, timestamps=listed.roots)
    assert trust_list_from_json(json.loads(stamped.payload())) == stamped


def _set(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


SCHEME = ("LoTE", "ListAndSchemeInformation")
OURS = (*SCHEME, "SchemeExtensions", 0, "certvault")


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ((*SCHEME, "LoTESequenceNumber"), 0),
        ((*SCHEME, "NextUpdate"), "2026-06-01T00:00:00Z"),
        ((*SCHEME, "ListIssueDateTime"), "yesterday"),
        ((*OURS, "region"), "41"),
        ((*OURS, "endpoints", "trust_list"), "https://elsewhere.example/v1/trust-list"),
        ((*OURS, "endpoints", "status_lists"), ["https://a.example.evil/status-lists/"]),
        (("LoTE", "TrustedEntitiesList"), []),
    ],
)
def test_a_list_with_a_wrong_member_is_refused(listed: TrustList, path: tuple[Any, ...], new: Any) -> None:
    value = json.loads(listed.payload())
    _set(value, path, new)
    with pytest.raises(TrustListError):
        trust_list_from_json(value)


def test_a_platform_with_a_service_of_another_kind_is_refused(listed: TrustList) -> None:
    value = json.loads(replace(listed, timestamps=listed.roots).payload())
    services = value["LoTE"]["TrustedEntitiesList"][0]["TrustedEntityServices"]
    services.reverse()
    with pytest.raises(TrustListError, match="platform"):
        trust_list_from_json(value)


def test_a_list_that_names_an_issuer_twice_is_refused(listed: TrustList) -> None:
    twice = replace(listed, issuers=listed.issuers * 2)
    with pytest.raises(TrustListError, match="twice"):
        trust_list_from_json(json.loads(twice.payload()))


def test_an_anchor_is_read_back_from_der_and_from_pem() -> None:
    anchor = Anchor("410000", (certificate(),), name="河南省")
    assert read_anchor(json.dumps(anchor.to_json()).encode()) == anchor
    told = {**anchor.to_json(), "certificates": [pem.armor("CERTIFICATE", certificate()).decode()]}
    assert anchor_from_json(told) == anchor


@pytest.mark.parametrize("change", [{"threshold": 2}, {"certificates": []}, {"region": "x"}, {"admits": ["00" * 32]}])
def test_an_anchor_that_cannot_be_met_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(AnchorError):
        anchor_from_json({**Anchor("410000", (certificate(),)).to_json(), **change})


def test_an_agreement_is_read_back_as_it_was_written() -> None:
    agreement = Agreement(
        "a0000001", 2, "110000", "410000", "their-type", "our-type", AT, AT, AT + DAY,
        (FieldRule("name", "entity"), FieldRule("kind", value="x"), FieldRule("scope", "s", values={"甲": "A"})),
        Conditions(issuer_level=2, issued_from=AT.date(), standing_age=60, only={"scope": ("甲",)}),
    )  # fmt: skip
    assert agreement_from_json(json.loads(agreement.payload())) == agreement
    with pytest.raises(AgreementError):
        agreement_from_json({**agreement.to_json(), "accepting": "410000"})
    with pytest.raises(AgreementError):
        agreement_from_json({**agreement.to_json(), "more": 1})
