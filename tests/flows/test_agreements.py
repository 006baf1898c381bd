"""Agreements between two vaults: made, approved, signed by both sides, replaced and revoked; never changed."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from certvault.agreementrules import AgreementRules, read_rules
from certvault.agreements import Agreements, Term, content_of
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.model.actor import LOCAL_OPERATOR, Actor, Role
from tests.support.recognition import listed
from verify.formats.agreement import FieldRule, unverified_agreement
from verify.formats.jose import strict_object
from verify.formats.refusal import RefusedError
from verify.formats.trustlist import ListedType
from verify.trust.regions import KnownRegion, Regions

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OURS, THEIRS = "110000", "420000"
TYPE = "road-transport-license"
ANOTHER = Actor("token:0000000000000002", frozenset({Role.OPERATOR.value}))


@dataclass
class Side:
    """One region: a vault, and what it has adopted."""

    vault: Vault
    regions: tuple[KnownRegion, ...] = ()

    def known(self) -> tuple[KnownRegion, ...]:
        return self.regions

    def agreements(self, **settings: Any) -> Agreements:
        v = self.vault
        return Agreements(
            v._database, v._keyring, v.pki, v.catalog, v.anchors, self, replace(v.settings, **settings), v.clock
        )  # fmt: skip

    def region(self) -> KnownRegion:
        """This side as the other has adopted it."""
        v = self.vault
        types = [v.catalog.get(TYPE), v.catalog.get("driving-license")]
        made = listed(
            region=v.settings.region,
            roots=tuple(v.pki.roots()),
            types=tuple(ListedType(t.name, t.version, t.type_code, t.title.zh, t.title.en, t.schema) for t in types),
        )
        now = v.clock.now()
        return KnownRegion(v.settings.region, made, now, now)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    folder = tmp_path_factory.mktemp("agreements")
    made = [Side(create_vault(InitOptions(folder=folder / r, region=r, keys="file"))) for r in (OURS, THEIRS)]
    for one, other in ((0, 1), (1, 0)):
        made[one].regions = (made[other].region(),)
    yield made[0], made[1]
    for side in made:
        side.vault.close()


@pytest.fixture
def here(sides: tuple[Side, Side]) -> Agreements:
    return sides[0].agreements()


@pytest.fixture
def there(sides: tuple[Side, Side]) -> Agreements:
    return sides[1].agreements()


def codes(raised: pytest.ExceptionInfo[RefusedError]) -> list[str]:
    return [r.code for r in raised.value.refusals]


def test_an_agreement_is_signed_by_both_regions_and_then_counts_as_such(here: Agreements, there: Agreements) -> None:
    rules = read_rules((EXAMPLES / "agreements" / "road-transport.json").read_bytes())
    made = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR, rules=rules)
    assert (made.version, made.waits, made.countersigned_at) == (1, False, None)
    signed = there.countersign(made.signed, LOCAL_OPERATOR)
    assert not signed.accepting
    assert len(unverified_agreement(signed.signed).signatures) == 2
    assert there.countersign(made.signed, LOCAL_OPERATOR) == signed, "twice is once"
    taken = here.countersign(signed.signed, LOCAL_OPERATOR)
    assert taken.countersigned_at is not None
    (known,) = [k for k in here.known() if k.agreement.id == made.id]
    assert (known.approved, known.countersigned) == (True, True)
    assert known.agreement.note_en == "for the carriage of ordinary goods only"
    assert there.known() == (), "what was signed for others is no agreement of ours"


def test_a_later_version_of_one_agreement_and_its_end(here: Agreements) -> None:
    first = here.make(THEIRS, "driving-license", "driving-license", LOCAL_OPERATOR)
    until = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    second = here.make(THEIRS, "driving-license", "driving-license", LOCAL_OPERATOR, term=Term(None, until))
    assert (second.id, second.version) == (first.id, first.version + 1)
    assert content_of(second).ends == until
    ended = here.revoke(THEIRS, "driving-license", "driving-license", LOCAL_OPERATOR)
    assert content_of(ended).revoked
    with pytest.raises(ConflictError) as raised:
        here.revoke(THEIRS, "driving-license", "driving-license", LOCAL_OPERATOR)
    assert codes(raised) == ["AGREEMENT_REVOKED"]
    again = here.make(THEIRS, "driving-license", "driving-license", LOCAL_OPERATOR)
    assert again.version == ended.version + 1
    assert [v.version for v in here.list() if v.id == first.id] == [1, 2, 3, 4]


def test_a_second_person_approves_where_that_is_demanded(sides: tuple[Side, Side], there: Agreements) -> None:
    strict = sides[0].agreements(agreement_approver=True)
    made = strict.make(THEIRS, TYPE, "road-transport-license", LOCAL_OPERATOR)
    assert made.waits
    assert not next(k for k in strict.known() if k.agreement == content_of(made)).approved
    with pytest.raises(RefusedError) as broken:
        there.countersign(made.signed, LOCAL_OPERATOR)
    assert codes(broken) == ["AGREEMENT_BROKEN"], "what nobody signed is signed by nobody else"
    with pytest.raises(ConflictError) as raised:
        strict.approve(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    assert codes(raised) == ["SAME_PERSON"]
    approved = strict.approve(THEIRS, TYPE, TYPE, ANOTHER)
    assert (approved.waits, approved.approved_by) == (False, ANOTHER.subject)
    assert there.countersign(approved.signed, LOCAL_OPERATOR).version == made.version
    with pytest.raises(ConflictError) as over:
        strict.approve(THEIRS, TYPE, TYPE, ANOTHER)
    assert codes(over) == ["NOTHING_WAITS"]


def test_a_revocation_waits_for_nobody(sides: tuple[Side, Side]) -> None:
    strict = sides[0].agreements(agreement_approver=True)
    strict.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    assert not strict.revoke(THEIRS, TYPE, TYPE, LOCAL_OPERATOR).waits


def test_every_wrong_rule_is_named_with_its_remedy(here: Agreements) -> None:
    rules = AgreementRules(
        (FieldRule("no_such", "operator_name"), FieldRule("operator_name", "nothing"), FieldRule("valid_to", value="x"))
    )
    with pytest.raises(RefusedError) as raised:
        here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR, rules=rules)
    assert codes(raised) == ["FIELD_UNKNOWN", "FIELD_UNKNOWN", "FIELD_VALUE", "FIELDS_NOT_COVERED"]
    fields = [r.field for r in raised.value.refusals]
    assert fields == ["fields.no_such", "fields.operator_name", "fields.valid_to", "fields"]
    assert "business_scope" in raised.value.refusals[-1].reason.en


def test_required_fields_that_their_type_lacks_are_listed(here: Agreements) -> None:
    with pytest.raises(RefusedError) as raised:
        here.make(THEIRS, "driving-license", TYPE, LOCAL_OPERATOR)
    (refusal,) = raised.value.refusals
    assert refusal.code == "FIELDS_NOT_COVERED"
    assert "operator_name" in refusal.reason.zh


@pytest.mark.parametrize(
    ("region", "theirs", "ours", "code"),
    [
        ("990000", TYPE, TYPE, "REGION_UNKNOWN"),
        (THEIRS, "no-such-type", TYPE, "TYPE_NOT_LISTED"),
        (THEIRS, TYPE, "no-such-type", "NOT_FOUND"),
    ],
)
def test_regions_and_types_that_are_not_there(here: Agreements, region: str, theirs: str, ours: str, code: str) -> None:
    with pytest.raises(RefusedError) as raised:
        here.make(region, theirs, ours, LOCAL_OPERATOR)
    assert codes(raised) == [code]


def test_only_an_operator_agrees(here: Agreements) -> None:
    with pytest.raises(ForbiddenError):
        here.make(THEIRS, TYPE, TYPE, replace(ANOTHER, roles=frozenset({Role.ISSUER.value})))
    with pytest.raises(NotFoundError):
        here.newest(THEIRS, "x", "y")


@pytest.mark.parametrize("change", ["fields", "version", "theirs"])
def test_a_file_that_was_changed_on_the_way_back(sides: tuple[Side, Side], here: Agreements, change: str) -> None:
    """The other side signs something else under the same number, even with its own good signature."""
    from signing.formats.agreement import sign_agreement

    made = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    agreement = content_of(made)
    changed = {
        "fields": replace(agreement, note_zh="另有约定"),
        "version": replace(agreement, version=agreement.version + 1),
        "theirs": replace(agreement, theirs="driving-license"),
    }[change]
    vault = sides[1].vault
    key = vault.anchors.list_key()
    forged = sign_agreement(changed, signer=vault._keyring.signer(key.key), chain=key.chain)
    with pytest.raises(ConflictError) as raised:
        here.countersign(forged, LOCAL_OPERATOR)
    assert codes(raised) == ["AGREEMENT_DIFFERS"]


def test_our_own_signature_alone_is_no_countersignature(here: Agreements) -> None:
    made = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    with pytest.raises(RefusedError) as raised:
        here.countersign(made.signed, LOCAL_OPERATOR)
    assert codes(raised) == ["AGREEMENT_NOT_SIGNED"]


def test_an_agreement_of_a_stranger_in_the_name_of_a_region(sides: tuple[Side, Side], there: Agreements) -> None:
    """Signed by nobody whom the other region's list vouches for."""
    from signing.formats.agreement import sign_agreement
    from signing.keys import KeyPurpose
    from tests.support.recognition import pki_of
    from tests.support.regions import chain_of

    made = sides[0].agreements().make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    pki = pki_of("430000")
    forged = sign_agreement(content_of(made), signer=pki.signer(KeyPurpose.TRUST_LIST), chain=chain_of(pki))
    with pytest.raises(RefusedError) as raised:
        there.countersign(forged, LOCAL_OPERATOR)
    assert codes(raised) == ["AGREEMENT_NOT_SIGNED"]


def test_an_older_version_is_not_signed_after_a_newer_one(here: Agreements, there: Agreements) -> None:
    older = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    newer = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    there.countersign(newer.signed, LOCAL_OPERATOR)
    with pytest.raises(ConflictError) as raised:
        there.countersign(older.signed, LOCAL_OPERATOR)
    assert codes(raised) == ["AGREEMENT_DIFFERS"]


def test_the_verifier_is_told_of_our_types_and_agreements(here: Agreements) -> None:
    regions = here.with_agreements(Regions(OURS))
    required, fields = dict(regions.types)[TYPE], dict(regions.fields)[TYPE]
    assert "operator_name" in required
    assert set(required) <= set(fields)
    assert regions.agreements == here.known()
    assert regions.example


def test_steps_are_added_and_audited_but_never_changed(sides: tuple[Side, Side], here: Agreements) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    made = here.make(THEIRS, TYPE, TYPE, LOCAL_OPERATOR)
    database = sides[0].vault._database
    with database.reading() as view:
        kinds = [e.kind for e in view.audit.about(f"agreement:{made.id}")]
    assert "AGREEMENT_MADE" in kinds
    for statement in ("DELETE FROM agreement_events", "UPDATE agreement_events SET version = 9"):
        with pytest.raises(DBAPIError), database.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"[]", "no object"),
        (b'{"felds": []}', "felds"),
        (b'{"fields": [{"ours": "a"}]}', "fields[0]"),
        (b'{"conditions": {"standings": ["GOOD"]}}', "conditions"),
    ],
)
def test_a_rules_file_that_is_none(given: bytes, says: str) -> None:
    with pytest.raises(RefusedError) as raised:
        read_rules(given)
    assert codes(raised) == ["RULES_BROKEN"]
    assert says in raised.value.first.reason.en


def test_what_is_signed_is_what_was_read() -> None:
    value = strict_object((EXAMPLES / "agreements" / "road-transport.json").read_bytes(), "rules")
    assert json.dumps(value["note"], ensure_ascii=False)
