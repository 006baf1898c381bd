"""Licenses that look like another: each forgery has a finding that says just that."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from signing.backends import open_backend
from signing.keys import KeyPurpose
from tests.support.sealed import NOW, Sealed, build, genuine
from tests.support.signing_pki import AT, build_pki
from verify import verify_code, verify_document, verify_record
from verify.evidence import Evidence, VaultFacts
from verify.findings import Severity
from verify.formats.license import LicenseRecord
from verify.trust.anchors import Remit, TrustStore
from verify.verdict import Conclusion, Integrity, Standing, Verdict

TYPE = "business-license-duplicate"


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(type_name=TYPE)


@pytest.fixture(scope="module")
def forger() -> Sealed:
    """The same license under other keys whose certificates bear the same names."""
    return build(build_pki(open_backend("memory:")), TYPE)


def judge(one: Sealed, *, trust: TrustStore | None = None, evidence: Evidence | None = None) -> Verdict:
    return verify_document(one.pdf, trust=trust or one.trust(), at=NOW, evidence=evidence or one.evidence())


def digest(anchor: bytes) -> str:
    return hashlib.sha256(anchor).hexdigest()


def test_an_old_version_passed_off_as_current(sealed: Sealed) -> None:
    """The vault has issued version 2 since: the first is genuine and no longer the one that counts."""
    verdict = judge(sealed, evidence=sealed.evidence(lookup=lambda _: sealed.facts(current_version=2)))
    assert "STATUS_SUPERSEDED" in verdict.codes()
    assert verdict.standing is Standing.SUPERSEDED


def test_a_license_of_another_region_with_a_renamed_issuer(sealed: Sealed, forger: Sealed) -> None:
    """Both regions are trusted; the other one's authority certified a seal under the name of an issuer of ours."""
    ours, theirs = sealed.pki.root.certificate, forger.pki.root.certificate
    remit = Remit(sealed.record.issuer_code, anchors=frozenset({digest(ours)}))
    trust = TrustStore(anchors=(ours, theirs), remits=(remit,), allow_example=True)
    verdict = judge(forger, trust=trust)
    assert "ISSUER_OTHER_REGION" in verdict.codes(), verdict.findings
    assert verdict.conclusion is Conclusion.INVALID
    assert "ISSUER_OTHER_REGION" not in judge(sealed, trust=trust).codes()
    assert judge(sealed, trust=trust).conclusion is Conclusion.VALID


def test_a_copy_signed_again_under_an_authority_of_the_same_name(sealed: Sealed, forger: Sealed) -> None:
    """Same subjects all the way up, other keys: the finding names the authority that is imitated."""
    verdict = judge(forger, trust=sealed.trust())
    assert verdict.integrity is Integrity.INTACT
    assert "AUTHORITY_LOOKALIKE" in verdict.codes(), verdict.findings
    assert verdict.conclusion is not Conclusion.VALID
    assert "AUTHORITY_LOOKALIKE" not in judge(forger, trust=forger.trust()).codes()


@pytest.mark.parametrize("kind", ["record", "code"])
def test_a_record_or_code_under_an_authority_of_the_same_name(sealed: Sealed, forger: Sealed, kind: str) -> None:
    trust = replace(forger.trust(), anchors=(sealed.pki.root.certificate,))
    if kind == "record":
        verdict = verify_record(forger.sd_jwt, trust=trust, at=NOW, evidence=forger.evidence())
    else:
        verdict = verify_code(forger.code, trust=trust, at=NOW, evidence=forger.evidence())
    assert "AUTHORITY_LOOKALIKE" in verdict.codes(), verdict.findings
    assert verdict.conclusion is not Conclusion.VALID


def test_a_genuine_file_beside_a_vault_whose_root_has_the_same_name() -> None:
    """Two honest vaults may have one name: each file is valid under its own trust, whatever the other knows."""
    own, other = genuine(type_name=TYPE, suite="rsa3072"), genuine(type_name=TYPE)
    evidence = replace(own.evidence(), crls=(other.pki.root_crl(), own.pki.root_crl()))
    verdict = judge(own, evidence=evidence)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    both = own.trust(anchors=(other.pki.root.certificate, own.pki.root.certificate))
    assert judge(own, trust=both, evidence=evidence).conclusion is Conclusion.VALID


def test_an_intact_file_stays_intact_under_a_root_that_merely_has_the_same_name(sealed: Sealed, forger: Sealed) -> None:
    from signing.formats.pades import Baseline

    plain = build(forger.pki, TYPE, baseline=Baseline.B_B)
    verdict = judge(plain, trust=sealed.trust())
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    assert "NO_TRUSTED_PATH" in verdict.codes()


def test_a_stolen_record_under_a_strangers_seal(sealed: Sealed, forger: Sealed) -> None:
    """Data and code are the genuine license's, the page was made anew and sealed by the thief."""
    thief = build(forger.pki, TYPE, change_code=lambda _: sealed.code, change_record=lambda _: sealed.record)
    verdict = judge(thief, trust=sealed.trust(), evidence=sealed.evidence())
    assert "ISSUER_NOT_SIGNER" in verdict.codes(), verdict.findings
    assert verdict.conclusion is Conclusion.INVALID
    by_vault = judge(
        build(forger.pki, TYPE, change_record=lambda _: sealed.record, change_code=lambda _: "https://evil.example/"),
        trust=sealed.trust(),
        evidence=sealed.evidence(lookup=lambda _: sealed.facts()),
    )
    assert "ISSUER_NOT_SIGNER" in by_vault.codes(), by_vault.findings


def test_a_genuine_code_on_an_edited_page(sealed: Sealed) -> None:
    """The insider edits page and record and keeps the code, whose signature is its issuer's."""

    def edited(record: LicenseRecord) -> LicenseRecord:
        return replace(record, fields={**record.fields, "registered_capital": "壹佰亿元"})

    same = build(sealed.pki, TYPE, change_record=edited, change_code=lambda _: sealed.code)
    verdict = judge(same)
    assert "CODE_CONTRADICTS_PAGE" in verdict.codes(), verdict.findings
    assert verdict.conclusion is Conclusion.INVALID
    another = build(sealed.pki, TYPE, serial="00000010", change_code=lambda _: sealed.code)
    assert "PAGE_CODE_DIFFERS" in judge(another).codes()
    assert "CODE_CONTRADICTS_PAGE" not in judge(sealed).codes()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"types": frozenset({"driving-license"})}, "the type"),
        ({"places": ("11",)}, "the place"),
        ({"until": AT - timedelta(hours=1)}, "the time"),
        ({"since": AT + timedelta(days=1)}, "the time"),
    ],
)
def test_an_issuer_beyond_its_remit_for_type_place_or_time(
    sealed: Sealed, changes: dict[str, object], reason: str
) -> None:
    """The remit is asked as of the moment of sealing, not of now."""
    remit = Remit(sealed.record.issuer_code, **changes)  # type: ignore[arg-type]
    verdict = judge(sealed, trust=sealed.trust(remits=(remit,)))
    found = [f for f in verdict.findings if f.code == "REMIT_EXCEEDED"]
    assert [f.params["reason"] for f in found] == [reason], verdict.findings
    assert verdict.conclusion is Conclusion.INVALID


def test_a_remit_that_ended_after_the_license_was_sealed(sealed: Sealed) -> None:
    remit = Remit(sealed.record.issuer_code, until=AT + timedelta(minutes=30))
    assert judge(sealed, trust=sealed.trust(remits=(remit,))).conclusion is Conclusion.VALID


def test_a_number_that_the_issuers_own_vault_never_gave(sealed: Sealed) -> None:
    """Of a stranger's license our vault need not know; of its own issuer's it must."""

    def nothing(_: str) -> VaultFacts | None:
        return None

    own = sealed.trust(remits=(Remit(sealed.record.issuer_code),))
    verdict = judge(sealed, trust=own, evidence=sealed.evidence(lookup=nothing))
    found = {f.severity for f in verdict.findings if f.code == "VAULT_UNKNOWN_IDENTIFIER"}
    assert found == {Severity.DOUBT}
    assert verdict.conclusion is Conclusion.INDETERMINATE
    strange = judge(sealed, evidence=sealed.evidence(lookup=nothing))
    assert strange.conclusion is Conclusion.VALID


def test_the_vault_settles_for_every_carrier_alike_what_time_has_left_open(sealed: Sealed) -> None:
    """Decades later all certificates have lapsed; the vault still keeps the very bytes."""
    late = AT + timedelta(days=14 * 365)
    facts = sealed.facts(pdf_sha256=hashlib.sha256(sealed.pdf).hexdigest())
    knows, ignores = sealed.evidence(lookup=lambda _: facts), sealed.evidence()
    for evidence, expected in ((ignores, Conclusion.INDETERMINATE), (knows, Conclusion.VALID)):
        verdicts = (
            verify_document(sealed.pdf, trust=sealed.trust(), at=late, evidence=evidence),
            verify_record(sealed.sd_jwt, trust=sealed.trust(), at=late, evidence=evidence),
            verify_code(sealed.code, trust=sealed.trust(), at=late, evidence=evidence),
        )
        assert [v.conclusion for v in verdicts] == [expected] * 3, [v.findings for v in verdicts]
        assert all(("VAULT_VOUCHES" in v.codes()) is (expected is Conclusion.VALID) for v in verdicts)


def test_the_vault_vouches_for_no_other_bytes(sealed: Sealed) -> None:
    late = AT + timedelta(days=14 * 365)
    facts = sealed.facts(pdf_sha256="0" * 64)
    evidence = sealed.evidence(lookup=lambda _: facts)
    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=late, evidence=evidence)
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "VAULT_VOUCHES" not in verdict.codes()


def test_a_record_judged_with_a_root_alone_leaves_revocation_open(sealed: Sealed) -> None:
    verdict = verify_record(
        sealed.sd_jwt,
        trust=sealed.trust(certificates=()),
        at=NOW,
        evidence=replace(sealed.evidence(), crls=(), ocsps=()),
    )
    assert "REVOCATION_UNKNOWN" in verdict.codes()
    assert verdict.conclusion is Conclusion.INDETERMINATE
    given = sealed.trust(certificates=(sealed.pki.certificate(KeyPurpose.RECORD), sealed.pki.issuing.certificate))
    chosen = verify_record(sealed.sd_jwt, trust=given, at=NOW, evidence=Evidence(sealed.evidence().status_lists))
    assert chosen.conclusion is Conclusion.VALID, chosen.findings


def test_a_status_list_of_a_namesake_tells_nothing(sealed: Sealed, forger: Sealed) -> None:
    """Another vault of the same name lists the same address: whatever it says, the standing is unknown."""
    for value in (0, 1):
        verdict = judge(sealed, evidence=replace(sealed.evidence(), status_lists=forger.evidence(value).status_lists))
        assert verdict.standing is Standing.UNKNOWN
        assert "STATUS_UNTRUSTED" in verdict.codes()
        assert verdict.conclusion is Conclusion.VALID


def test_revocation_lists_of_a_namesake_revoke_nothing(sealed: Sealed, forger: Sealed) -> None:
    """The forger's root, of the same name, revokes our issuing authority by its number."""
    from signing.formats.crl import RevokedEntry, make_crl
    from tests.support.signing_pki import serial_of

    entry = RevokedEntry(serial_of(sealed.pki.issuing.certificate), AT - timedelta(hours=1))
    lying = make_crl(forger.pki.root, number=9, this_update=AT, next_update=AT + timedelta(days=30), revoked=[entry])
    verdict = judge(sealed, evidence=replace(sealed.evidence(), crls=(lying,)))
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    plain = verify_record(
        sealed.sd_jwt, trust=sealed.trust(), at=NOW, evidence=replace(sealed.evidence(), crls=(lying,))
    )
    assert "CERTIFICATE_REVOKED_NO_POE" not in plain.codes(), plain.findings


def test_updates_that_bring_nothing_are_noted(sealed: Sealed) -> None:
    """They change nothing, and so leave the license intact, but somebody appended them."""
    from tests.support.forging import append_update, catalog, root_number

    idle = append_update(sealed.pdf, {root_number(sealed.pdf): catalog(sealed.pdf)})
    verdict = judge(replace(sealed, pdf=append_update(idle, {root_number(idle): catalog(idle)})))
    found = [f.params["count"] for f in verdict.findings if f.code == "UPDATE_WITHOUT_EFFECT"]
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    assert found == [2]
    assert "UPDATE_WITHOUT_EFFECT" not in judge(sealed).codes()


def test_a_certificate_in_the_store_that_cannot_be_read_fails_one_check_only(sealed: Sealed) -> None:
    """The refused value is looked at again when paths are built: that check must still come to its end."""
    at = sealed.pdf.rindex(sealed.pki.root.certificate) + 5
    broken = sealed.pdf[:at] + bytes((sealed.pdf[at] ^ 0xFF,)) + sealed.pdf[at + 1 :]
    verdict = judge(replace(sealed, pdf=broken))
    assert verdict.integrity is Integrity.ALTERED
    assert "DSS_VALUE_WRONG" in verdict.codes(), verdict.findings
    assert "INTERNAL" not in verdict.codes()
    assert "chain" in verdict.checks
