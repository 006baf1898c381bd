"""Paths to chosen anchors alone: cross-certificates, constraints, policies, and what may be given as trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, cms
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.foreign import AT, Person, cms_of, signed_pdf
from verify import Conclusion, Evidence, Integrity, TrustStore, Verdict, verify_document

DAY = timedelta(days=1)
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def named(common: str, country: str = "CN") -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


@dataclass
class Entity:
    """A name with a key, which certifies others."""

    common: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def certificate(
        self,
        issuer: Entity | None = None,
        *,
        authority: bool | None = True,
        length: int | None = None,
        signs: bool | None = None,
        extensions: Extensions = (),
        until: datetime = AT + 400 * DAY,
    ) -> bytes:
        """``authority`` None: without basic constraints. ``signs``: whether the key usage lets it certify."""
        by = issuer or self
        certifies = bool(authority) if signs is None else signs
        builder = x509.CertificateBuilder(
            issuer_name=named(by.common),
            subject_name=named(self.common),
            public_key=self.key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=AT - 400 * DAY,
            not_valid_after=until,
        )
        if authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(authority, length), True)
        usage = x509.KeyUsage(not authority, not authority, False, False, False, certifies, certifies, False, False)
        builder = builder.add_extension(usage, True)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def revoked(self, *certificates: bytes, at: datetime = AT) -> bytes:
        """Its revocation list."""
        builder = x509.CertificateRevocationListBuilder(named(self.common), at, at + 7 * DAY)
        for der in certificates:
            number = x509.load_der_x509_certificate(der).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(at - DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ROOT, OTHER, ISSUING, SIGNER = (Entity(n) for n in ("Root", "Other root", "Issuing", "Signer"))
ROOT_DER, OTHER_DER, ISSUING_DER = ROOT.certificate(), OTHER.certificate(), ISSUING.certificate(ROOT)
LISTS = (ROOT.revoked(), OTHER.revoked(), ISSUING.revoked())


def signed(leaf: bytes, *between: bytes) -> bytes:
    person = Person(
        leaf,
        lambda data: SIGNER.key.sign(data, ec.ECDSA(hashes.SHA256())),
        algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )

    def value(covered: bytes) -> bytes:
        made: Any = cms.ContentInfo.load(cms_of(person, covered))
        ders = [leaf, *between]
        made["content"]["certificates"] = [
            cms.CertificateChoices("certificate", asn1.Certificate.load(d)) for d in ders
        ]
        return bytes(made.dump(force=True))

    return signed_pdf(value)


def leaf(issuer: Entity = ISSUING, extensions: Extensions = ()) -> bytes:
    return SIGNER.certificate(issuer, authority=False, extensions=extensions)


def judge(pdf: bytes, *anchors: bytes, lists: Iterable[bytes] = LISTS, at: datetime = AT) -> Verdict:
    verdict = verify_document(pdf, trust=TrustStore(anchors=anchors), at=at, evidence=Evidence(crls=tuple(lists)))
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    return verdict


def reason(verdict: Verdict) -> str:
    """Why the path is wrong, in English; and it is told in Chinese as well."""
    assert verdict.conclusion is Conclusion.INVALID, verdict.findings
    assert verdict.signatures[0].sub_indication == "CHAIN_CONSTRAINTS_FAILURE"
    (found,) = [f for f in verdict.findings if f.code == "PATH_WRONG"]
    assert "未归类" not in found.to_json("zh")["message"]
    return str(found.params["reason"])


def test_a_path_leads_to_the_chosen_anchor_and_to_no_other() -> None:
    pdf = signed(leaf(), ISSUING_DER)
    assert judge(pdf, ROOT_DER).conclusion is Conclusion.VALID
    assert judge(pdf, ISSUING_DER).conclusion is Conclusion.VALID
    for anchors in ((), (OTHER_DER,)):
        verdict = judge(pdf, *anchors)
        assert verdict.conclusion is Conclusion.INDETERMINATE
        assert "NO_TRUSTED_PATH" in verdict.codes()


def test_cross_certificates_lead_to_either_root() -> None:
    pdf = signed(leaf(), ISSUING_DER, ISSUING.certificate(OTHER))
    assert judge(pdf, OTHER_DER).conclusion is Conclusion.VALID
    above = signed(leaf(), ISSUING_DER, ROOT.certificate(OTHER))
    assert judge(above, OTHER_DER).conclusion is Conclusion.VALID


def test_of_two_ways_the_one_that_holds_counts() -> None:
    crossed = ISSUING.certificate(OTHER)
    lists = (ROOT.revoked(), OTHER.revoked(crossed), ISSUING.revoked())
    pdf = signed(leaf(), crossed, ISSUING_DER)
    assert judge(pdf, OTHER_DER, ROOT_DER, lists=lists).conclusion is Conclusion.VALID
    alone = judge(pdf, OTHER_DER, lists=lists)
    assert alone.conclusion is Conclusion.INVALID
    assert "CERTIFICATE_REVOKED" in alone.codes()


def test_authorities_that_certify_each_other_end_nowhere() -> None:
    loop = signed(leaf(), ISSUING.certificate(OTHER), OTHER.certificate(ISSUING))
    assert "NO_TRUSTED_PATH" in judge(loop, ROOT_DER).codes()


def within(country: str) -> x509.NameConstraints:
    tree = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country)]))
    return x509.NameConstraints([tree], None)


MAIL = x509.SubjectAlternativeName([x509.RFC822Name("a@example.org")])


@pytest.mark.parametrize(
    "constraint",
    [
        within("DE"),
        x509.NameConstraints(None, [x509.DirectoryName(named("Signer"))]),
        x509.NameConstraints([x509.RFC822Name("example.com")], None),
    ],
    ids=["another country", "excluded", "another mail domain"],
)
@pytest.mark.parametrize("in_anchor", [False, True])
def test_names_outside_what_an_authority_may_certify(constraint: x509.NameConstraints, in_anchor: bool) -> None:
    bound = [(constraint, True)]
    root = ROOT.certificate(extensions=bound) if in_anchor else ROOT_DER
    pdf = signed(leaf(extensions=[(MAIL, False)]), ISSUING.certificate(ROOT, extensions=() if in_anchor else bound))
    assert reason(judge(pdf, root)) == "a name in it lies outside what an authority above may certify"


@pytest.mark.parametrize(
    "constraint", [within("CN"), x509.NameConstraints([x509.RFC822Name("example.org")], None)], ids=["country", "mail"]
)
def test_names_that_an_authority_may_certify(constraint: x509.NameConstraints) -> None:
    bound = [(constraint, True)]
    pdf = signed(leaf(extensions=[(MAIL, False)]), ISSUING.certificate(ROOT, extensions=bound))
    assert judge(pdf, ROOT_DER).conclusion is Conclusion.VALID
    assert judge(signed(leaf(), ISSUING_DER), ROOT.certificate(extensions=bound)).conclusion is Conclusion.VALID


def test_a_path_longer_than_an_authority_or_the_anchor_allows() -> None:
    middle = Entity("Middle")
    pdf = signed(leaf(), middle.certificate(ROOT, length=0), ISSUING.certificate(middle))
    long = "more authorities stand in between than one above allows"
    assert reason(judge(pdf, ROOT_DER)) == long
    assert reason(judge(signed(leaf(), ISSUING_DER), ROOT.certificate(length=0))) == long
    assert judge(signed(leaf(), ISSUING_DER), ROOT.certificate(length=1)).conclusion is Conclusion.VALID


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"authority": False}, "one of its issuers is no authority"),
        ({"authority": None, "signs": True}, "one of its issuers is no authority"),
        ({"signs": False}, "one of its issuers may not sign certificates"),
        (
            {"extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.99"), b"\5\0"), True)]},
            "the critical extension 1.2.3.99 is not known",
        ),
    ],
    ids=["no authority", "not stated", "key usage", "critical extension"],
)
def test_an_issuer_that_may_not_issue(changes: dict[str, Any], why: str) -> None:
    assert reason(judge(signed(leaf(), ISSUING.certificate(ROOT, **changes)), ROOT_DER)) == why


def policies(*numbers: str) -> tuple[x509.ExtensionType, bool]:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(n), None) for n in numbers]), False


@pytest.mark.parametrize(("own", "holds"), [(["1.2.3.4.1"], True), (["1.2.3.4.2"], False), ([], False)])
def test_policies_that_an_authority_demands(own: list[str], holds: bool) -> None:
    issuing = ISSUING.certificate(ROOT, extensions=[policies("1.2.3.4.1"), (x509.PolicyConstraints(0, None), True)])
    verdict = judge(signed(leaf(extensions=[policies(*own)] if own else []), issuing), ROOT_DER)
    if holds:
        assert verdict.conclusion is Conclusion.VALID, verdict.findings
    else:
        assert reason(verdict) == "it does not meet the policies that an authority above demands"


def test_a_chosen_signer_counts_for_himself_and_certifies_nobody() -> None:
    own = SIGNER.certificate(authority=False)
    assert judge(signed(own), own).conclusion is Conclusion.VALID
    boss = Entity("Boss")
    chosen = boss.certificate(authority=False)
    pdf = signed(leaf(boss), chosen)
    assert reason(judge(pdf, chosen)) == "one of its issuers may not sign certificates"


def test_the_dates_of_an_anchor_are_for_who_chose_it() -> None:
    pdf = signed(leaf(), ISSUING_DER)
    assert judge(pdf, ROOT.certificate(until=AT - DAY)).conclusion is Conclusion.VALID
    lapsed = judge(signed(leaf(), ISSUING.certificate(ROOT, until=AT - DAY)), ROOT_DER)
    assert lapsed.conclusion is Conclusion.INDETERMINATE
    assert "CERTIFICATE_EXPIRED_NO_POE" in lapsed.codes()


@pytest.mark.parametrize(
    ("usages", "holds"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], False),
        ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], False),
        ([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION], True),
        ([ExtendedKeyUsageOID.TIME_STAMPING], False),
    ],
)
def test_a_certificate_for_another_duty_signs_no_document(usages: list[x509.ObjectIdentifier], holds: bool) -> None:
    verdict = judge(signed(leaf(extensions=[(x509.ExtendedKeyUsage(usages), False)]), ISSUING_DER), ROOT_DER)
    assert ("CERTIFICATE_PURPOSE" in verdict.codes()) is not holds
    assert (verdict.conclusion is Conclusion.VALID) is holds


def test_what_is_given_as_trusted_is_what_is_trusted(tmp_path: Path) -> None:
    signer = leaf()
    files = {n: tmp_path / f"{n}.der" for n in ("root", "issuing", "signer")}
    for file, der in zip(files.values(), (ROOT_DER, ISSUING_DER, signer), strict=True):
        file.write_bytes(der)

    def chosen(*names: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        store = TrustStore.from_paths([files[n] for n in names])
        return store.anchors, store.certificates

    assert chosen("root", "issuing", "signer") == ((ROOT_DER,), (ISSUING_DER, signer))
    assert chosen("issuing") == ((ISSUING_DER,), ())
    assert chosen("issuing", "signer") == ((ISSUING_DER,), (signer,))
    assert chosen("signer") == ((signer,), ())
    assert chosen("root", "signer") == ((ROOT_DER,), (signer,))
