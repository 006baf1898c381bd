"""pyHanko and EU DSS read the XML trust list of a vault and judge licenses by it; both refuse forged ones."""

from __future__ import annotations

import base64
import contextlib
import copy
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import pem, x509
from lxml import etree

from signing.formats.trustlistxml import make_trust_list_xml
from tests.interop.conftest import Sealed, example
from tests.support import judges
from verify.formats.trustlist import TrustList, unverified_trust_list

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

OURS = Callable[[str, str], Sealed]
TSL = "{http://uri.etsi.org/02231/v2#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True)
class Published:
    """A list, its XML form, and the certificate of the key that signed it."""

    listed: TrustList
    xml: bytes
    signer: bytes

    def signer_pem(self, folder: Path) -> Path:
        path = folder / "signer.pem"
        path.write_bytes(pem.armor("CERTIFICATE", self.signer))
        return path


def published_by(vault: Vault) -> Published:
    """What the vault publishes; the signer's certificate comes from its JSON list."""
    given = vault.trust_list_xml.newest()
    listed, jws = unverified_trust_list(given.of.token)
    return Published(listed, given.data, base64.b64decode(jws.header["x5c"][0]))


def signed_again(vault: Vault, listed: TrustList) -> bytes:
    """Another list under the vault's key."""
    key = vault.anchors.list_key()
    return make_trust_list_xml(
        listed, signer=vault._keyring.signer(key.key), certificate=key.chain[0], at=listed.issued
    )


@pytest.fixture(scope="module")
def published(embedded_vault: Vault) -> Published:
    return published_by(embedded_vault)


@pytest.fixture(scope="module")
def rsa_published(rsa_vault: Vault) -> Published:
    """Signed with RSASSA-PSS."""
    return published_by(rsa_vault)


@pytest.fixture(scope="module")
def rsa_license(rsa_vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from certvault.bootstrap import LOCAL_OPERATOR

    issued = rsa_vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    path = tmp_path_factory.mktemp("rsa-license") / "license.pdf"
    path.write_bytes(issued.pdf)
    return path


# --- forgeries -------------------------------------------------------------------------------------------------


def _changed(old: bytes, new: bytes) -> Callable[[Published, Published], bytes]:
    def forge(ours: Published, _: Published) -> bytes:
        assert ours.xml.count(old) >= 1
        return ours.xml.replace(old, new, 1)

    return forge


def _stranger_s_root(ours: Published, other: Published) -> bytes:
    """The root's certificate is another's."""
    own, theirs = (base64.b64encode(p.listed.roots[0]) for p in (ours, other))
    return ours.xml.replace(own, theirs)


def _value_flipped(ours: Published, _: Published) -> bytes:
    """One bit in the middle of the signature value."""
    root = etree.fromstring(ours.xml)
    element = root.find(f".//{DS}SignatureValue")
    value = bytearray(base64.b64decode(element.text))
    value[len(value) // 2] ^= 1
    element.text = base64.b64encode(value)
    return etree.tostring(root)


def _signed_by_a_stranger(_: Published, other: Published) -> bytes:
    """A perfect list of somebody else's."""
    return other.xml


def _unsigned(ours: Published, _: Published) -> bytes:
    root = etree.fromstring(ours.xml)
    root.remove(root[-1])
    return etree.tostring(root)


def _further_signature(ours: Published, other: Published) -> bytes:
    """A stranger's signature behind the genuine one."""
    root = etree.fromstring(ours.xml)
    root.append(etree.fromstring(other.xml)[-1])
    return etree.tostring(root)


def _signature_moved_to_another_list(ours: Published, other: Published) -> bytes:
    """The genuine signature over a stranger's content."""
    root = etree.fromstring(other.xml)
    root.replace(root[-1], etree.fromstring(ours.xml)[-1])
    return etree.tostring(root)


def _genuine_list_wrapped(ours: Published, other: Published) -> bytes:
    """A stranger's content around the whole genuine list, signature and all (XML signature wrapping)."""
    root = etree.fromstring(other.xml)
    root.remove(root[-1])
    extensions = etree.SubElement(root.find(f"{TSL}SchemeInformation"), f"{TSL}SchemeExtensions")
    etree.SubElement(extensions, f"{TSL}Extension", Critical="false").append(etree.fromstring(ours.xml))
    return etree.tostring(root)


def _genuine_list_within_the_signature(ours: Published, other: Published) -> bytes:
    """A stranger's content, signed by the genuine signature, which points to the genuine content in its own Object."""
    genuine = etree.fromstring(ours.xml)
    signature = copy.deepcopy(genuine[-1])
    genuine.remove(genuine[-1])
    etree.SubElement(signature, f"{DS}Object").append(genuine)
    signature.find(f".//{DS}Reference").set("URI", "#trust-list")
    root = etree.fromstring(other.xml)
    root.set("Id", "other")
    root.replace(root[-1], signature)
    return etree.tostring(root)


FORGERIES: dict[str, Callable[[Published, Published], bytes]] = {
    "another-number": _changed(b"<TSLSequenceNumber>", b"<TSLSequenceNumber>9"),
    "an-end-put-off": _changed(b"<NextUpdate><dateTime>20", b"<NextUpdate><dateTime>21"),
    "a-status": _changed(b"Svcstatus/granted", b"Svcstatus/grantef"),
    "a-byte-of-a-certificate": _changed(b"<X509Certificate>MIIC", b"<X509Certificate>MIID"),
    "a-comment-more": _changed(b"<SchemeTerritory>CN", b"<SchemeTerritory>C<!-- -->M"),
    "another-signing-time": _changed(b"<xades:SigningTime>20", b"<xades:SigningTime>19"),
    "another-digest-method": _changed(b"xmlenc#sha256", b"xmlenc#sha512"),
    "another-root": _stranger_s_root,
    "a-bit-of-the-value": _value_flipped,
    "signed-by-a-stranger": _signed_by_a_stranger,
    "unsigned": _unsigned,
    "a-further-signature": _further_signature,
    "the-signature-of-another-list": _signature_moved_to_another_list,
    "wrapped": _genuine_list_wrapped,
    "wrapped-within-the-signature": _genuine_list_within_the_signature,
}


# --- pyHanko ---------------------------------------------------------------------------------------------------


def _registry(xml: bytes, published: Published) -> Any:
    for needed in ("signxml", "xsdata"):
        pytest.importorskip(needed, reason=f"pyHanko reads trusted lists with {needed}, which is not installed")
    from pyhanko.sign.validation.qualified.eutl_parse import trust_list_to_registry

    registry, errors = trust_list_to_registry(xml.decode(), [x509.Certificate.load(published.signer)])
    assert errors == []
    return registry


def _by_pyhanko(registry: Any, pdf: Path) -> Any:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.qualified.tsp import TSPTrustManager
    from pyhanko_certvalidator import ValidationContext

    (signature,) = PdfFileReader(io.BytesIO(pdf.read_bytes())).embedded_regular_signatures
    contexts = [ValidationContext(trust_manager=TSPTrustManager(registry), allow_fetching=False) for _ in range(2)]
    return validate_pdf_signature(signature, *contexts)


@pytest.mark.parametrize("name", ["published", "rsa_published"])
def test_pyhanko_reads_our_authorities_as_trusted_services(name: str, request: pytest.FixtureRequest) -> None:
    published: Published = request.getfixturevalue(name)
    registry = _registry(published.xml, published)
    found = {a.certificate.dump() for a in registry.known_certificate_authorities}
    assert found == {*published.listed.roots, *published.listed.authorities}
    assert {a.certificate.dump() for a in registry.known_timestamp_authorities} == {*published.listed.timestamps}


def test_pyhanko_judges_a_license_by_the_list(published: Published, sealed: OURS) -> None:
    status = _by_pyhanko(_registry(published.xml, published), sealed("business-license", "B-LT").pdf)
    assert status.bottom_line, status.pretty_print_details()
    assert status.trusted
    assert status.timestamp_validity.trusted


def test_pyhanko_trusts_no_license_of_a_region_that_is_not_listed(published: Published, rsa_license: Path) -> None:
    status = _by_pyhanko(_registry(published.xml, published), rsa_license)
    assert status.intact
    assert not status.trusted


@pytest.mark.parametrize("forgery", FORGERIES)
def test_pyhanko_refuses_a_forged_list(published: Published, rsa_published: Published, forgery: str) -> None:
    pytest.importorskip("signxml")
    forged = FORGERIES[forgery](published, rsa_published)
    with pytest.raises(Exception):  # noqa: B017, PT011 - of signxml and of its schema, a dozen types
        _registry(forged, published)


def _signed_places(xml: bytes) -> list[int]:
    """Where a byte is signed or is the value itself: all but XML declaration, key information and outer tags."""
    spans = [(xml.index(b"<TrustServiceStatusList"), xml.index(b"<ds:Signature "))]
    for element in (b"ds:SignedInfo", b"xades:SignedProperties"):
        spans.append((xml.index(b"<" + element), xml.index(b"</" + element)))
    # the last character before the padding has bits that mean nothing
    spans.append((xml.index(b"<ds:SignatureValue>"), xml.index(b"==</ds:SignatureValue>") - 1))
    return [place for first, last in spans for place in range(first, last)]


def test_pyhanko_refuses_a_list_of_which_any_byte_was_changed(published: Published, scale: Callable[..., int]) -> None:
    pytest.importorskip("signxml")
    survivors = []
    for place in _signed_places(published.xml)[:: scale(67, 5)]:
        changed = bytearray(published.xml)
        changed[place] ^= 1
        with contextlib.suppress(Exception):  # of signxml and the XML parser, a dozen types
            _registry(bytes(changed), published)
            survivors.append((place, bytes(changed[place - 20 : place + 20])))
    assert survivors == []


# --- EU DSS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(
    java_judges: None,
    published: Published,
    rsa_published: Published,
    embedded_vault: Vault,
    sealed: OURS,
    rsa_license: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    """Everything that DSS is asked, in one start of the JVM: the list, lists that ran out or are wrong, forgeries."""
    folder = tmp_path_factory.mktemp("lists")
    now = published.listed.issued
    ended = replace(published.listed, issued=now - timedelta(seconds=30), next_update=now - timedelta(seconds=10))
    lists = {
        "ours": published.xml,
        "ended": signed_again(embedded_vault, ended),
        "no territory": published.xml.replace(b"<SchemeOperatorName>", b"<SchemeOperator>", 1).replace(
            b"</SchemeOperatorName>", b"</SchemeOperator>", 1
        ),
        **{name: forge(published, rsa_published) for name, forge in FORGERIES.items()},
    }
    asked = []
    for name, xml in lists.items():
        path = folder / f"{name}.xml"
        path.write_bytes(xml)
        asked.append([path, sealed("business-license", "B-LT").pdf, *([rsa_license] if name == "ours" else [])])
    return dict(zip(lists, judges.trust_lists(published.signer_pem(folder), asked), strict=True))


def test_dss_finds_the_list_signed_and_of_the_schema_of_version_6(
    answers: dict[str, dict[str, Any]], published: Published
) -> None:
    found = answers["ours"]
    assert (found["indication"], found["sub_indication"]) == ("TOTAL_PASSED", None), found
    assert not found["structure"]
    assert answers["no territory"]["structure"]  # so that silence means something
    assert (found["sequence"], found["territory"]) == (published.listed.sequence, "CN")
    assert found["type"].endswith("/TSLType/CNlist")


def test_dss_reads_our_authorities_as_trusted_services(
    answers: dict[str, dict[str, Any]], published: Published
) -> None:
    listed = published.listed
    certificates = [*listed.roots, *listed.authorities, *listed.timestamps]
    services = answers["ours"]["services"]
    assert [c for s in services for c in s["certificates"]] == [
        x509.Certificate.load(c).sha256.hex() for c in certificates
    ]
    assert {s["type"].rpartition("Svctype/")[2] for s in services} == {"CA/QC", "TSA/QTST"}
    assert answers["ours"]["trusted"] == len(certificates)


def test_dss_judges_a_license_by_the_list(answers: dict[str, dict[str, Any]]) -> None:
    ours, stranger = answers["ours"]["documents"]
    assert (ours["indication"], ours["format"]) == ("TOTAL_PASSED", "PAdES-BASELINE-LT"), ours
    assert [t["indication"] for t in ours["timestamps"]] == ["PASSED"]
    assert (stranger["indication"], stranger["sub_indication"]) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")


def test_dss_trusts_nothing_of_a_list_that_ran_out(answers: dict[str, dict[str, Any]]) -> None:
    found = answers["ended"]
    assert found["indication"] == "TOTAL_PASSED"
    assert found["trusted"] == 0
    assert found["documents"][0]["indication"] == "INDETERMINATE"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_dss_refuses_a_forged_list(answers: dict[str, dict[str, Any]], forgery: str) -> None:
    found = answers[forgery]
    assert found.get("indication") != "TOTAL_PASSED"
    assert found.get("trusted", 0) == 0, found
    assert all(d["indication"] == "INDETERMINATE" for d in found.get("documents", ()))
