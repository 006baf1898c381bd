"""Paths to anchors and revocation, over small PKIs made for each case. Each test's docstring names what is special."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509 as reader
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from verify.checks.chain import Chains, Revocation
from verify.evidence import Evidence
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
_numbers = iter(range(1, 10**6))


@dataclass(frozen=True)
class Node:
    """A key with one of its certificates."""

    name: str
    key: Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def made(
    name: str,
    issuer: Node | None = None,
    *,
    ca: bool = True,
    key: Any = None,
    days: tuple[int, int] = (-100, 1000),
    identifiers: bool = True,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    path_length: int | None = None,
) -> Node:
    """A certificate; without ``issuer`` self-signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    builder = x509.CertificateBuilder(
        issuer_name=issuer.certificate.subject if issuer else named(name),
        subject_name=named(name),
        public_key=key.public_key(),
        serial_number=next(_numbers),
        not_valid_before=AT + days[0] * DAY,
        not_valid_after=AT + days[1] * DAY,
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, path_length), True)
    if identifiers:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(own, False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Node(name, key, builder.sign(signer, hashes.SHA256()))


def listed(
    issuer: Node,
    revoked: Iterable[tuple[Node, datetime]] = (),
    *,
    made_at: datetime = AT,
    until: datetime | None = None,
    named_key: bool = True,
) -> bytes:
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=issuer.certificate.subject, last_update=made_at, next_update=until or made_at + 7 * DAY
    )
    if named_key:
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(own, False)
    for node, when in revoked:
        entry = x509.RevokedCertificateBuilder(node.certificate.serial_number, when).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def answered(
    about: Node, issuer: Node, responder: Node, status: Any = ocsp.OCSPCertStatus.GOOD, *, made_at: datetime = AT
) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        about.certificate,
        issuer.certificate,
        hashes.SHA1(),
        status,
        made_at,
        made_at + DAY,
        made_at - DAY if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
    if responder is not issuer:
        builder = builder.certificates([responder.certificate])
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def problem(
    leaf: Node,
    anchors: Iterable[Node],
    pool: Iterable[Node] = (),
    *,
    crls: Iterable[bytes] = (),
    ocsps: Iterable[bytes] = (),
    at: datetime = AT,
    moment: datetime | None = None,
    revocation: Revocation = Revocation.IGNORED,
    source: Any = None,
    issuers: Any = None,
    policy: Policy = DEFAULT_POLICY,
) -> str:
    """The code of what is wrong with the path, or nothing."""
    trust = TrustStore(anchors=tuple(n.der for n in anchors))
    inquiry = Inquiry("pdf", trust=trust, at=at, policy=policy, evidence=Evidence(source=source, issuers=issuers))
    chains = Chains(inquiry, [reader.Certificate.load(n.der) for n in pool], crls, ocsps)
    found = chains.validate(reader.Certificate.load(leaf.der), moment or at, revocation).problem
    return found.code if found else ""


@pytest.fixture(scope="module")
def root() -> Node:
    return made("Root")


@pytest.fixture(scope="module")
def middle(root: Node) -> Node:
    return made("Middle", root)


@pytest.fixture(scope="module")
def leaf(middle: Node) -> Node:
    return made("Leaf", middle, ca=False)


# --- paths -----------------------------------------------------------------------------------------------------------


def test_a_plain_chain(root: Node, middle: Node, leaf: Node) -> None:
    assert problem(leaf, [root], [middle]) == ""
    assert problem(leaf, [root]) == "NO_TRUSTED_PATH"
    assert problem(leaf, [], [middle]) == "NO_TRUSTED_PATH"
    assert problem(leaf, [middle]) == ""


def test_a_signer_that_is_itself_chosen(leaf: Node) -> None:
    assert problem(leaf, [leaf]) == ""
    assert problem(leaf, [leaf], moment=AT + 2000 * DAY) == "CERTIFICATE_EXPIRED"


def test_a_namesake_of_the_root(middle: Node, leaf: Node) -> None:
    """Same name, other key: no path, and no forgery either."""
    assert problem(leaf, [made("Root")], [middle]) == "NO_TRUSTED_PATH"


def test_a_chain_that_claims_the_anchors_key_number_but_was_not_signed_by_it(root: Node) -> None:
    stranger = Node("Root", ec.generate_private_key(ec.SECP256R1()), root.certificate)
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key())
    forged = made("Leaf", stranger, ca=False, identifiers=False, extensions=[(own, False)])
    assert problem(forged, [root]) == "PATH_WRONG"


def test_authorities_without_key_numbers() -> None:
    top = made("Old root", identifiers=False)
    below = made("Old leaf", top, ca=False, identifiers=False)
    assert problem(below, [top]) == ""


def test_an_end_entity_that_issued_another(middle: Node, root: Node) -> None:
    no_authority = made("Person", middle, ca=False)
    below = made("Other person", no_authority, ca=False)
    assert problem(below, [root], [middle, no_authority]) == "PATH_WRONG"


def test_a_path_longer_than_an_authority_allows(root: Node) -> None:
    short = made("Short", root, path_length=0)
    below = made("Below", short)
    assert problem(made("Leaf", below, ca=False), [root], [short, below]) == "PATH_WRONG"
    assert problem(made("Leaf", short, ca=False), [root], [short]) == ""


def test_names_outside_what_an_authority_may_certify(root: Node) -> None:
    allowed = x509.NameConstraints([x509.DirectoryName(named("Nobody"))], None)
    bound = made("Bound", root, extensions=[(allowed, True)])
    assert problem(made("Leaf", bound, ca=False), [root], [bound]) == "PATH_WRONG"


def test_a_critical_extension_that_nobody_knows(root: Node, middle: Node) -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    assert problem(made("Leaf", middle, ca=False, extensions=[(odd, True)]), [root], [middle]) == "PATH_WRONG"
    assert problem(made("Leaf", middle, ca=False, extensions=[(odd, False)]), [root], [middle]) == ""


def test_cross_certificates_that_lead_round_in_circles(root: Node) -> None:
    """Twelve authorities that all certified each other: the search ends, and finds the one way out."""
    import time

    own = [made(f"Ring {n}") for n in range(12)]
    crossed = [made(a.name, b, key=a.key) for a in own for b in own if a is not b]
    below = made("Leaf", own[0], ca=False)
    started = time.process_time()
    assert problem(below, [root], crossed) == "NO_TRUSTED_PATH"
    way_out = made("Ring 0", root, key=own[0].key, days=(-100, 5000))
    assert problem(below, [root], [*crossed, way_out]) == ""
    assert time.process_time() - started < 5


def test_one_way_has_lapsed_and_another_holds(root: Node) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    lapsed = made("Authority", root, key=key, days=(-100, -1))
    other = made("Second root")
    renewed = made("Authority", other, key=key)
    below = made("Leaf", lapsed, ca=False)
    assert problem(below, [root], [lapsed]) == "CERTIFICATE_EXPIRED"
    assert problem(below, [root, other], [lapsed, renewed]) == ""


@pytest.mark.parametrize(
    ("moment", "code"), [(-101, "CERTIFICATE_NOT_YET_VALID"), (0, ""), (1001, "CERTIFICATE_EXPIRED")]
)
def test_before_within_and_after_its_time(root: Node, middle: Node, leaf: Node, moment: int, code: str) -> None:
    assert problem(leaf, [root], [middle], moment=AT + moment * DAY) == code


def test_a_link_whose_hash_has_ceased_to_count_is_judged_as_of_its_day(root: Node, middle: Node, leaf: Node) -> None:
    """What is proven to be older than that day is judged as of then (ETSI EN 319 102-1 5.6.2.4)."""
    policy = replace(DEFAULT_POLICY, hashes_until={"sha256": AT - 10 * DAY})
    assert problem(leaf, [root], [middle], policy=policy) == "ALGORITHM_WEAK"
    assert problem(leaf, [root], [middle], policy=policy, moment=AT - 11 * DAY) == ""


def test_a_link_whose_key_is_too_short(root: Node, middle: Node, leaf: Node) -> None:
    policy = replace(DEFAULT_POLICY, keys_until={"EC": ((384, None), (256, AT - 10 * DAY))})
    assert problem(leaf, [root], [middle], policy=policy) == "ALGORITHM_WEAK"
    assert problem(leaf, [root], [middle], policy=policy, moment=AT - 11 * DAY) == ""


# --- revocation ------------------------------------------------------------------------------------------------------


def ask(leaf: Node, issuer: Node, **changes: Any) -> str:
    return problem(leaf, [issuer], revocation=Revocation.REQUIRED, **changes)


def test_a_list_that_tells_nothing_of_it_and_one_that_names_it(middle: Node, leaf: Node) -> None:
    assert ask(leaf, middle) == "REVOCATION_UNKNOWN"
    assert ask(leaf, middle, crls=[listed(middle)]) == ""
    assert ask(leaf, middle, crls=[listed(middle, [(leaf, AT - DAY)])]) == "CERTIFICATE_REVOKED"
    assert ask(leaf, middle, crls=[listed(middle, [(leaf, AT + DAY)])], at=AT + 2 * DAY, moment=AT) == ""


def test_the_list_of_a_namesake(middle: Node, leaf: Node) -> None:
    """Neither its silence nor its word counts, whether it names its key or not."""
    namesake = made("Middle")
    for with_key in (True, False):
        silent = listed(namesake, named_key=with_key)
        assert ask(leaf, middle, crls=[silent]) == "REVOCATION_UNKNOWN"
        lying = listed(namesake, [(leaf, AT - DAY)], named_key=with_key)
        assert ask(leaf, middle, crls=[lying, listed(middle)]) == ""


def test_the_list_of_an_authority_without_key_number() -> None:
    top = made("Old root", identifiers=False)
    below = made("Old leaf", top, ca=False, identifiers=False)
    revoked = listed(top, [(below, AT - DAY)], named_key=True)
    assert ask(below, top, crls=[revoked]) == "CERTIFICATE_REVOKED"
    assert ask(below, top, crls=[listed(top, named_key=False)]) == ""


def test_a_list_that_is_out_of_date(middle: Node, leaf: Node) -> None:
    """Silence is worth nothing when old; a revocation once told stays told."""
    old = {"made_at": AT - 30 * DAY}
    assert ask(leaf, middle, crls=[listed(middle, **old)]) == "REVOCATION_UNKNOWN"  # type: ignore[arg-type]
    told = listed(middle, [(leaf, AT - 40 * DAY)], **old)  # type: ignore[arg-type]
    assert ask(leaf, middle, crls=[told]) == "CERTIFICATE_REVOKED"


def test_a_list_from_the_future_or_without_end(middle: Node, leaf: Node) -> None:
    assert ask(leaf, middle, crls=[listed(middle, made_at=AT + DAY)]) == "REVOCATION_UNKNOWN"
    forever = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert ask(leaf, middle, crls=[listed(middle, made_at=AT - DAY, until=forever)]) == ""


def test_a_list_made_after_the_certificate_had_lapsed(middle: Node) -> None:
    """It may have dropped the entry by then, so its silence says nothing (RFC 5280 3.3)."""
    short = made("Short", middle, ca=False, days=(-100, -10))
    proven = {"moment": AT - 20 * DAY}
    assert ask(short, middle, crls=[listed(middle)], **proven) == "REVOCATION_UNKNOWN"
    assert ask(short, middle, crls=[listed(middle, made_at=AT - 15 * DAY)], **proven) == ""


def test_answers_by_the_issuer_by_its_responder_and_by_a_stranger(middle: Node, leaf: Node) -> None:
    usage = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)]
    responder = made("Responder", middle, ca=False, extensions=usage)
    assert ask(leaf, middle, ocsps=[answered(leaf, middle, middle)]) == ""
    assert ask(leaf, middle, ocsps=[answered(leaf, middle, responder)]) == ""
    revoked = answered(leaf, middle, responder, ocsp.OCSPCertStatus.REVOKED)
    assert ask(leaf, middle, ocsps=[revoked]) == "CERTIFICATE_REVOKED"
    unknown = answered(leaf, middle, responder, ocsp.OCSPCertStatus.UNKNOWN)
    assert ask(leaf, middle, ocsps=[unknown]) == "REVOCATION_UNKNOWN"
    for stranger in (made("Person", middle, ca=False), made("Responder", made("Middle"), ca=False, extensions=usage)):
        assert ask(leaf, middle, ocsps=[answered(leaf, middle, stranger)]) == "REVOCATION_UNKNOWN"


def test_an_answer_about_the_same_number_of_another_authority(middle: Node, leaf: Node) -> None:
    other = made("Middle")
    assert ask(leaf, middle, ocsps=[answered(replace(leaf), other, middle)]) == "REVOCATION_UNKNOWN"


def test_an_old_answer(middle: Node, leaf: Node) -> None:
    old = answered(leaf, middle, middle, made_at=AT - 5 * DAY)
    assert ask(leaf, middle, ocsps=[old]) == "REVOCATION_UNKNOWN"


@pytest.mark.parametrize("junk", [b"", b"x", b"\x30\x80", b"\x30\x03\x02\x01\x01"])
def test_junk_for_revocation_data(middle: Node, leaf: Node, junk: bytes) -> None:
    assert ask(leaf, middle, crls=[junk, listed(middle)], ocsps=[junk]) == ""


# --- a source that the caller gives ----------------------------------------------------------------------------------


class Web:
    """Answers from a table, and remembers what it was asked."""

    def __init__(self, crls: dict[str, bytes], ocsps: dict[str, bytes]) -> None:
        self.crls, self.ocsps = crls, ocsps
        self.asked: list[str] = []

    def crl(self, url: str) -> bytes | None:
        self.asked.append(url)
        return self.crls.get(url)

    def status_list(self, url: str) -> bytes | None:
        self.asked.append(url)
        return None

    def ocsp(self, url: str, request: bytes) -> bytes | None:
        self.asked.append(url)
        ocsp.load_der_ocsp_request(request)
        if url.endswith("/boom"):
            raise RuntimeError(url)
        return self.ocsps.get(url)


def pointing(*urls: str, responder: str = "") -> list[tuple[x509.ExtensionType, bool]]:
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(u)], None, None, None) for u in urls]
    found: list[tuple[x509.ExtensionType, bool]] = [(x509.CRLDistributionPoints(points), False)]
    if responder:
        description = x509.AccessDescription(
            x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder)
        )
        found.append((x509.AuthorityInformationAccess([description]), False))
    return found


def test_missing_revocation_data_are_fetched_where_the_caller_gives_a_source(middle: Node) -> None:
    address = "http://ca.example/list.crl"
    below = made("Leaf", middle, ca=False, extensions=pointing(address, responder="http://ca.example/boom"))
    web = Web({address: listed(middle)}, {})
    assert ask(below, middle, source=web) == ""
    assert web.asked == ["http://ca.example/boom", address]
    quiet = Web({address: listed(middle)}, {})
    assert ask(below, middle, source=quiet, crls=[listed(middle)]) == ""
    assert quiet.asked == []


def test_an_answer_is_preferred_to_a_list(middle: Node) -> None:
    extensions = pointing("http://ca.example/list.crl", responder="http://ca.example/ocsp")
    below = made("Leaf", middle, ca=False, extensions=extensions)
    web = Web({}, {"http://ca.example/ocsp": answered(below, middle, middle)})
    assert ask(below, middle, source=web) == ""
    assert web.asked == ["http://ca.example/ocsp"]


def test_nothing_is_asked_for_a_certificate_that_no_anchor_vouches_for(middle: Node) -> None:
    """Its addresses stand in the stranger's file alone: who reads it would be told."""
    extensions = pointing("http://evil.example/1", responder="http://evil.example/2")
    stranger = made("Leaf", made("Middle"), ca=False, extensions=extensions)
    web = Web({}, {})
    assert ask(stranger, middle, source=web) == "NO_TRUSTED_PATH"
    assert web.asked == []


def test_addresses_of_other_kinds_are_never_asked(middle: Node) -> None:
    extensions = pointing("file:///etc/passwd", "ldap://ca.example/cn=x", "ftp://ca.example/x")
    below = made("Leaf", middle, ca=False, extensions=extensions)
    web = Web({}, {})
    assert ask(below, middle, source=web) == "REVOCATION_UNKNOWN"
    assert web.asked == []


# --- missing authorities ---------------------------------------------------------------------------------------------

_PLACE = "http://ca.example/middle.cer"


def _told(address: str) -> tuple[x509.ExtensionType, bool]:
    place = x509.UniformResourceIdentifier(address)
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
    return x509.AuthorityInformationAccess([access]), False


class Library:
    """Certificates by address; remembers what it was asked."""

    def __init__(self, **held: bytes | Exception) -> None:
        self.held = {_PLACE: held.get("middle"), "http://ca.example/upper.cer": held.get("upper")}
        self.asked: list[str] = []

    def issuer(self, url: str) -> bytes | None:
        self.asked.append(url)
        found = self.held.get(url)
        if isinstance(found, Exception):
            raise found
        return found


def _bag(node: Node) -> bytes:
    chosen = pkcs7.serialize_certificates([made("Somebody").certificate, node.certificate], serialization.Encoding.DER)
    return bytes(chosen)


def test_a_missing_authority_is_fetched_where_the_caller_allows_it(root: Node, middle: Node) -> None:
    """In DER, PEM or a bag; what is needed above it too. Without leave nothing is asked."""
    upper = made("Upper", root)
    lower = made("Lower", upper, extensions=[_told("http://ca.example/upper.cer")])
    pem = middle.certificate.public_bytes(serialization.Encoding.PEM)
    for held in (middle.der, pem, _bag(middle)):
        leaf = made("Leaf", middle, ca=False, extensions=[_told(_PLACE)])
        library = Library(middle=held)
        assert problem(leaf, [root], issuers=library) == ""
        assert library.asked == [_PLACE]
        assert problem(leaf, [root], source=library) == "NO_TRUSTED_PATH"
        assert problem(leaf, [], issuers=library) == "NO_TRUSTED_PATH"
        assert library.asked == [_PLACE]
    deep = made("Deep", lower, ca=False, extensions=[_told(_PLACE)])
    assert problem(deep, [root], issuers=Library(middle=lower.der, upper=upper.der)) == ""


@pytest.mark.parametrize("what", ["namesake", "garbage", "error", "nothing", "itself", "bomb"])
def test_what_is_fetched_counts_only_when_it_signed_the_certificate_below(root: Node, middle: Node, what: str) -> None:
    leaf = made("Leaf", middle, ca=False, extensions=[_told(_PLACE)])
    held: dict[str, bytes | Exception] = {
        "namesake": made("Middle", root).der,
        "garbage": b"\x30\x84\xff",
        "error": RuntimeError("no"),
        "itself": leaf.der,
        "bomb": middle.der + bytes(200_000),
    }
    library = Library(**({"middle": held[what]} if what in held else {}))
    assert problem(leaf, [root], issuers=library) == "NO_TRUSTED_PATH"
    assert library.asked == [_PLACE]


def test_authorities_that_lead_to_one_another_are_asked_a_bounded_number_of_times(root: Node) -> None:
    """A chain without an end, each certificate fetched from the same address."""
    above = made("Far")
    chain = [above]
    for number in range(12):
        chain.append(made(f"Link {number}", chain[-1], extensions=[_told(f"http://ca.example/{number}")]))
    library = Library()
    library.held = {f"http://ca.example/{number}": node.der for number, node in enumerate(chain)}
    leaf = made("Leaf", chain[-1], ca=False, extensions=[_told("http://ca.example/12")])
    assert problem(leaf, [root], issuers=library) == "NO_TRUSTED_PATH"
    assert 0 < len(library.asked) <= 6


@pytest.mark.parametrize("address", ["ldap://ca.example/middle", "file:///etc/passwd", "ftp://ca.example/middle.cer"])
def test_only_web_addresses_are_asked_for_authorities(root: Node, middle: Node, address: str) -> None:
    library = Library(middle=middle.der)
    leaf = made("Leaf", middle, ca=False, extensions=[_told(address)])
    assert problem(leaf, [root], issuers=library) == "NO_TRUSTED_PATH"
    assert library.asked == []


# --- lists that tell a part ------------------------------------------------------------------------------------------


def _partial(issuer: Node, extension: x509.ExtensionType, revoked: Iterable[Node] = ()) -> bytes:
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=issuer.certificate.subject, last_update=AT, next_update=AT + 7 * DAY
    ).add_extension(extension, True)
    for node in revoked:
        entry = x509.RevokedCertificateBuilder(node.certificate.serial_number, AT - DAY).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _indirect() -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(None, None, False, False, None, True, False)


def test_delta_and_indirect_lists_prove_no_goodness_but_what_a_delta_revokes_is_revoked(
    root: Node, middle: Node, leaf: Node
) -> None:
    above, asked = [listed(root)], Revocation.REQUIRED
    for extension in (x509.DeltaCRLIndicator(1), _indirect()):
        alone = _partial(middle, extension)
        assert problem(leaf, [root], [middle], crls=[*above, alone], revocation=asked) == "REVOCATION_UNKNOWN"
        whole = [*above, listed(middle), alone]
        assert problem(leaf, [root], [middle], crls=whole, revocation=asked) == ""
    delta = _partial(middle, x509.DeltaCRLIndicator(1), [leaf])
    found = problem(leaf, [root], [middle], crls=[*above, listed(middle), delta], revocation=asked)
    assert found == "CERTIFICATE_REVOKED"


def test_an_indirect_list_of_another_authority_tells_nothing(root: Node, middle: Node, leaf: Node) -> None:
    """Not even of revocation: whoever is chosen as an anchor could revoke anybody's certificates."""
    stranger = made("Lists", root)
    other = _partial(stranger, _indirect(), [leaf])
    found = problem(leaf, [root], [middle, stranger], crls=[listed(root), other], revocation=Revocation.REQUIRED)
    assert found == "REVOCATION_UNKNOWN"
