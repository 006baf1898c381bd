"""PKCS#11 URIs, RFC 7512."""

from __future__ import annotations

import pytest

from signing.backends.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri
from signing.errors import SigningError


def test_all_parts_are_read() -> None:
    uri = parse_pkcs11_uri(
        "pkcs11:token=My%20token;object=seal-1;id=%01%FF;type=private;serial=ab?module-path=/usr/lib/x.so&pin-source=file:/p"
    )
    assert uri == Pkcs11Uri(
        token="My token",
        object="seal-1",
        id=b"\x01\xff",
        serial="ab",
        module_path="/usr/lib/x.so",
        pin_source="file:/p",
    )


def test_key_uris_read_back() -> None:
    made = Pkcs11Uri(token="开封 a;b").key_uri("seal-1", b"\x00\xfe")
    read = parse_pkcs11_uri(made)
    assert (read.token, read.object, read.id) == ("开封 a;b", "seal-1", b"\x00\xfe")
    assert "?" not in made


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:token=a?pin-value=1234",
        "pkcs11:token=a?module-path=/x&pin-value=1234",
        "pkcs11:token",
        "pkcs11:token=a;token=b",
        "pkcs11:token=a b",
        "pkcs11:token=%zz",
        "pkcs11:token=%ff",
        "pkcs11:colour=red",
        "pkcs11:slot-id=one",
        "pkcs11:library-version=3",
        "http://token=a",
    ],
)
def test_what_is_not_used_is_refused_without_being_repeated(uri: str) -> None:
    with pytest.raises(SigningError) as caught:
        parse_pkcs11_uri(uri)
    assert "1234" not in str(caught.value)


def test_vendor_attributes_are_let_through() -> None:
    assert parse_pkcs11_uri("pkcs11:token=a;x-vendor=1").token == "a"
