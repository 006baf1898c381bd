"""Attempts to make a license count in a region where it should not, or to spoil another region's: one each.

The regions that are trusted are not friends: what one of them signs, lists or certifies must move nothing of another.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from signing.backends import open_backend
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyHandle, KeyPurpose
from tests.support.recognition import (
    HOME,
    THEIRS,
    World,
    agreement,
    license_of,
    listed,
    pki_of,
    region,
    severities,
    world,
)
from tests.support.sealed import ISSUER_CODE, NOW, STATUS_URI, status_list
from tests.support.signing_pki import AT, BASE_URL, Pki, build_pki
from verify.evidence import VaultFacts
from verify.formats.agreement import Conditions
from verify.formats.trustlist import ListedIssuer, TrustList
from verify.trust.anchors import Remit, TrustStore
from verify.trust.regions import KnownRegion, Regions, with_regions
from verify.verdict import Conclusion, Outcome, Standing, Verdict

HOSTILE = "420000"


def refused(verdict: Verdict) -> bool:
    return verdict.recognition is not None and verdict.recognition.outcome is Outcome.NOT_RECOGNIZED


def recognized(verdict: Verdict, of: str = THEIRS) -> bool:
    found = verdict.recognition
    return found is not None and found.outcome is Outcome.RECOGNIZED and found.region == of


def hostile_list(**changes: Any) -> TrustList:
    return listed(HOSTILE, **changes)


def issuer(**changes: Any) -> ListedIssuer:
    return replace(listed().issuers[0], **changes)


# --- who issued it ------------------------------------------------------------------------------------------------


def test_another_regions_authority_certifies_an_issuer_of_this_one() -> None:
    """The hostile region does not list the issuer, but its authority made a certificate with the issuer's code."""
    both = world(lists=(listed(), hostile_list(issuers=())))
    for kind in ("pdf", "record", "code"):
        verdict = both.verdict(license_of(HOSTILE), kind)
        assert verdict.conclusion is not Conclusion.VALID, kind
        assert verdict.recognition is not None
        assert verdict.recognition.outcome is not Outcome.RECOGNIZED
    assert "ISSUER_OTHER_REGION" in both.verdict(license_of(HOSTILE)).codes()
    assert severities(both.verdict(license_of(HOSTILE)), "ISSUER_OUTSIDE_REMIT") == ["FATAL"]
    assert recognized(both.verdict(license_of()))


def test_a_region_lists_an_issuer_of_ours() -> None:
    """Whoever lists it, our issuer's licenses stand under our root alone."""
    trust = World((hostile_list(),)).trust(remits=(Remit(ISSUER_CODE),))
    verdict = world().verdict(license_of(HOSTILE), trust=trust)
    assert "ISSUER_OTHER_REGION" in verdict.codes(), verdict.findings
    assert refused(verdict)
    own = world().verdict(license_of(HOME), trust=trust)
    assert own.conclusion is Conclusion.VALID
    assert own.recognition is None


def test_a_region_lists_an_issuer_of_another_region() -> None:
    """The issuer's code was given in 41, so 42 cannot have it, and cannot spoil it either."""
    code = "11410200MB0A00018X"
    lists = (hostile_list(issuers=(issuer(code=code),)), listed(issuers=(issuer(code=code),)))
    trust = World(lists).trust()
    assert [r.anchors for r in trust.remits_of(code) or ()] == [region(THEIRS).anchor.digests()]


def test_a_list_names_places_outside_the_territory() -> None:
    """The license is for 410200; a region of 42 says that its issuer may issue for it."""
    lists = (hostile_list(issuers=(issuer(places=("41",)),)),)
    both = world(agreement(issuing=HOSTILE), lists=lists)
    verdict = both.verdict(license_of(HOSTILE))
    assert "REMIT_EXCEEDED" in verdict.codes(), verdict.findings
    assert severities(verdict, "ISSUER_OUTSIDE_REMIT") == ["FATAL"]
    assert refused(verdict)


def test_a_list_calls_itself_an_example_to_escape_its_territory() -> None:
    lists = (hostile_list(example=True),)
    verdict = world(agreement(issuing=HOSTILE), lists=lists).verdict(license_of(HOSTILE))
    assert "REMIT_EXCEEDED" in verdict.codes()
    assert refused(verdict)


def test_a_type_that_the_issuer_may_not_issue() -> None:
    lists = (listed(issuers=(issuer(types=("another-type",)),)),)
    verdict = world(lists=lists).verdict(license_of())
    assert severities(verdict, "ISSUER_OUTSIDE_REMIT") == ["FATAL"]


def test_an_issuer_that_was_withdrawn() -> None:
    lists = (listed(issuers=(issuer(granted=False),)),)
    for kind in ("record", "code"):
        verdict = world(lists=lists).verdict(license_of(), kind)
        assert severities(verdict, "ISSUER_OUTSIDE_REMIT") == ["FATAL"], kind
        assert refused(verdict)


def test_a_withdrawn_issuer_dates_a_record_back() -> None:
    """Its right ended after the moment that the record claims; only a timestamp would prove that moment."""
    lists = (listed(issuers=(issuer(granted=False, until=AT + timedelta(seconds=30)),)),)
    record = world(lists=lists).verdict(license_of())
    assert severities(record, "ISSUER_OUTSIDE_REMIT") == ["DOUBT"]
    assert recognized(world(lists=lists).verdict(license_of(), "pdf")), "its seal is timestamped"


def test_a_record_key_of_one_region_in_the_list_of_another() -> None:
    """The hostile list names the other's certificates as its issuer's: the licenses stay the other's."""
    pki = pki_of(THEIRS)
    stolen = issuer(records=(pki.certificate(KeyPurpose.RECORD),), codes=(pki.certificate(KeyPurpose.CODE),))
    lists = (hostile_list(issuers=(stolen,)), listed())
    both = world(agreement(), agreement(id="b0000001", issuing=HOSTILE, ours="more"), lists=lists)
    for kind in ("record", "code"):
        verdict = both.verdict(license_of(), kind)
        assert verdict.recognition is not None
        assert verdict.recognition.region == THEIRS, kind
        assert verdict.recognition.as_type != "more"


def test_a_code_by_a_key_of_another_region() -> None:
    """The code names an issuer of the honest region; the key that signed it is listed by the hostile one."""
    thief = issuer(code="11420000MB1234567C", codes=(pki_of(HOSTILE).certificate(KeyPurpose.CODE),))
    lists = (listed(), hostile_list(issuers=(thief,)))
    verdict = world(lists=lists).verdict(license_of(HOSTILE), "code")
    assert "ISSUER_OTHER_REGION" in verdict.codes(), verdict.findings
    assert refused(verdict)


# --- roots and authorities ----------------------------------------------------------------------------------------


def test_a_region_lists_our_root_as_its_own() -> None:
    ours = pki_of(HOME).root.certificate
    greedy = hostile_list(roots=(pki_of(HOSTILE).root.certificate, ours))
    verdict = world(agreement(issuing=HOSTILE), lists=(greedy,)).verdict(license_of(HOME))
    assert verdict.recognition is None, "a license of ours stays ours"


def forged_root(victim: Pki, name: str) -> bytes:
    """A certificate with the name and key of the victim's root that somebody else signed: anybody can make one."""
    return certified(f"Region {name} Root", f"Region {name}", victim.root.signer.handle)


def certified(name: str, organization: str, key: KeyHandle) -> bytes:
    """A certificate for that key by the hostile root."""
    subject, since = Subject(name, organization), AT - timedelta(hours=1)
    asked = CertificateRequestData(
        subject, key, random_serial(), since, AT + timedelta(days=7000), ca_name="root-1", base_url=BASE_URL
    )
    return issue_certificate(pki_of(HOSTILE).root, asked)


def test_a_list_names_a_root_with_the_key_of_another_regions_authority() -> None:
    """Newer than the genuine way, it would claim every license of the other region for the hostile one."""
    claim = forged_root(pki_of(THEIRS), THEIRS)
    lists = (hostile_list(roots=(pki_of(HOSTILE).root.certificate, claim)), listed())
    trust = World(lists).trust()
    assert claim not in trust.anchors
    assert recognized(world(lists=lists).verdict(license_of()))


def test_a_list_names_a_root_with_our_own_key() -> None:
    claim = forged_root(pki_of(HOME), HOME)
    lists = (hostile_list(roots=(pki_of(HOSTILE).root.certificate, claim)),)
    assert world(lists=lists).verdict(license_of(HOME)).recognition is None


def cross_certificate(victim: Pki, name: str) -> bytes:
    """The victim's issuing authority, certified by the hostile root as well, under the very same name."""
    return certified(f"Region {name} Issuing CA", f"Region {name}", victim.issuing.signer.handle)


def test_a_region_certifies_the_authority_of_another() -> None:
    """Then two ways lead from one license, to two regions: it is that of the one whose list has the issuer."""
    crossed = cross_certificate(pki_of(THEIRS), THEIRS)
    greedy = hostile_list(authorities=(pki_of(HOSTILE).issuing.certificate, crossed), issuers=())
    for lists in ((greedy, listed()), (listed(), greedy)):
        for kind in ("pdf", "record", "code"):
            assert recognized(world(lists=lists).verdict(license_of(), kind)), kind


def test_a_region_certifies_our_authority() -> None:
    crossed = cross_certificate(pki_of(HOME), HOME)
    greedy = hostile_list(authorities=(crossed,))
    trust = World((greedy,)).trust(remits=(Remit(ISSUER_CODE),))
    assert crossed not in trust.certificates
    verdict = world().verdict(license_of(HOME), trust=trust)
    assert verdict.conclusion is Conclusion.VALID
    assert verdict.recognition is None


# --- standing and time --------------------------------------------------------------------------------------------


def test_the_status_list_of_another_region() -> None:
    """Revoked at home; the hostile region signs a list of the same address that says it is in force."""
    sealed = license_of()
    lists = (listed(), hostile_list())
    evidence = replace(sealed.evidence(1), status_lists={STATUS_URI: status_list(pki_of(HOSTILE), 0)})
    verdict = world(lists=lists).verdict(sealed, evidence=evidence)
    assert "STATUS_UNTRUSTED" in verdict.codes(), verdict.findings
    assert verdict.standing is Standing.UNKNOWN
    assert severities(verdict, "RECOGNITION_STANDING_UNKNOWN") == ["DOUBT"]


def test_a_status_list_under_a_root_that_took_the_name_of_another_region() -> None:
    """Two roots of one organization are one authority, but for those that lists give to different regions."""
    name = f"Region {THEIRS}"
    taken = build_pki(open_backend("memory:"), prefix=name, region=name)
    sealed = license_of()
    greedy = hostile_list(roots=(taken.root.certificate,), authorities=(taken.issuing.certificate,))
    evidence = replace(sealed.evidence(1), status_lists={STATUS_URI: status_list(taken, 0)})
    verdict = world(lists=(listed(), greedy)).verdict(sealed, evidence=evidence)
    assert "STATUS_UNTRUSTED" in verdict.codes(), verdict.findings
    assert verdict.standing is Standing.UNKNOWN


def test_the_timestamp_of_another_region() -> None:
    """Whoever has stolen a key of one region finds a friend in another to say that it was used long before."""
    honest, friend = pki_of(THEIRS), pki_of(HOSTILE)
    stamped = license_of(stamped_by=HOSTILE)
    ocsps = tuple(p.ocsp(KeyPurpose.SEAL, KeyPurpose.TSA, at=AT) for p in (honest, friend))
    evidence = replace(stamped.evidence(), crls=(honest.root_crl(), friend.root_crl()), ocsps=ocsps)
    demanding = agreement(conditions=Conditions(assurance="timestamped"))
    verdict = world(demanding, lists=(listed(), hostile_list())).verdict(stamped, "pdf", evidence)
    assert "TIMESTAMP_UNTRUSTED" in verdict.codes(), verdict.findings
    assert not recognized(verdict)
    assert recognized(world(demanding, lists=(listed(), hostile_list())).verdict(license_of(), "pdf"))


# --- agreements and the vault -------------------------------------------------------------------------------------


def test_an_agreement_between_others_is_none_of_ours() -> None:
    for changed in (agreement(accepting="120000"), agreement(issuing=HOSTILE)):
        assert severities(world(changed).verdict(license_of()), "NO_AGREEMENT") == ["FATAL"]


def test_an_agreement_with_one_region_opens_nothing_for_another() -> None:
    lists = (listed(), hostile_list(issuers=(issuer(code="11420000MB1234567C"),)))
    verdict = world(lists=lists).verdict(license_of(HOSTILE))
    assert verdict.recognition is not None
    assert verdict.recognition.region == HOSTILE
    assert refused(verdict)


def test_our_vault_need_not_know_a_license_of_another_region() -> None:
    """Every example issuer has one code: that our vault knows no such number says nothing of another's license."""

    def unknown(_: str) -> VaultFacts | None:
        return None

    verdict = world().verdict(license_of(), evidence=license_of().evidence(lookup=unknown))
    assert "VAULT_UNKNOWN_IDENTIFIER" not in verdict.codes()
    assert recognized(verdict)


def test_a_number_of_ours_on_a_license_of_another_region() -> None:
    """What our vault does know under that number is compared."""
    facts = VaultFacts(license_of().record.identifier, "ISSUED", record_sha256="0" * 64)
    verdict = world().verdict(license_of(), evidence=license_of().evidence(lookup=lambda _: facts))
    assert "VAULT_RECORD_DIFFERS" in verdict.codes()
    assert refused(verdict)


def test_data_never_come_from_what_was_not_verified() -> None:
    """The record's data are there to be read; without a good signature they are nobody's."""
    sealed = license_of()
    head, body, rest = sealed.sd_jwt.split(".", 2)
    signature, _, disclosures = rest.partition("~")
    forged = f"{head}.{body}.{signature[:-8]}AAAAAAAA~{disclosures}"
    verdict = world().verdict(replace(sealed, sd_jwt=forged))
    assert verdict.conclusion is Conclusion.INVALID
    assert verdict.recognition is not None
    assert (verdict.recognition.as_type, verdict.recognition.license) == ("", {})


def test_a_list_from_the_future_of_the_moment_asked_about_says_its_age() -> None:
    """A past moment is judged by what is known now, and says so."""
    past = NOW - timedelta(hours=1)
    verdict = world().verdict(license_of(), at=past)
    (told,) = [f for f in verdict.findings if f.code == "RECOGNITION_KNOWLEDGE"]
    assert str(told.params["confirmed"]).startswith("-")


def test_a_list_calls_itself_an_example_beside_one_that_is_none() -> None:
    """Whoever trusts several regions without being one may have chosen examples, but then all of them are."""
    lists = (hostile_list(example=True), listed(issuers=()))
    known = tuple(KnownRegion(t.region, t, NOW, NOW, anchor=region(t.region).anchor.digests()) for t in lists)
    trust = with_regions(TrustStore((), (), None), Regions("", known))
    for kind in ("pdf", "record"):
        verdict = world().verdict(license_of(HOSTILE), kind, trust=trust)
        assert "REMIT_EXCEEDED" in verdict.codes(), kind
        assert verdict.conclusion is Conclusion.INVALID
