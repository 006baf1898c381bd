"""Kinds of damage that random damage once found to be missed, each made here from a document of our own."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable

import pytest

from signing.formats.pades import Baseline
from tests.support.flips import outside_the_digest, random_flips
from tests.support.forger.bases import Base, base
from tests.support.forging import seal_range
from tests.support.sealed import NOW, genuine
from verify import Integrity, TrustStore, Verdict, verify_document
from verify.checks.changes.accounting import account
from verify.checks.changes.reasons import Reason
from verify.formats.ber import BerError, sorted_set
from verify.formats.pdffile import PdfFile
from verify.policy import DEFAULT_POLICY


def _judge(pdf: bytes) -> Verdict:
    return verify_document(pdf, trust=TrustStore(), at=NOW)


def _gap_of(data: bytes, new: Callable[[bytes], bytes]) -> bytes:
    start, end, _ = seal_range(data)
    changed = new(data[start:end])
    assert len(changed) == end - start
    return data[:start] + changed + data[end:]


@pytest.mark.parametrize(
    "new",
    [
        lambda gap: gap[:41] + b"g" + gap[42:],
        lambda gap: gap[:41] + b"\n" + gap[42:],
        lambda gap: gap[:41] + b">" + gap[42:],
        lambda gap: b"(" + gap[1:-1] + b")",
        lambda gap: b" " * len(gap),
    ],
    ids=["no-digit", "odd", "ends-early", "a-string", "blank"],
)
def test_a_value_that_is_no_hexadecimal_text(new: Callable[[bytes], bytes]) -> None:
    for data in (genuine(Baseline.B_LT, "driving-license").pdf, base("approval").pdf):
        verdict = _judge(_gap_of(data, new))
        assert verdict.integrity is not Integrity.INTACT
        assert "INTERNAL" not in verdict.codes()


def test_broken_certificates_and_attributes_in_the_value() -> None:
    """Any byte of the CMS and of the store changed: each is an answer, none an unforeseen error."""
    data = genuine(Baseline.B_LT, "driving-license").pdf
    for place, bit in random_flips(outside_the_digest(data), 20, seed=11):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        assert "INTERNAL" not in _judge(bytes(changed)).codes(), (place, bit)


@pytest.mark.parametrize("number", [b"9" * 20, b"99999999999999999999999999", b"-5", b"2147483648"])
def test_a_start_that_is_no_place_in_the_file(number: bytes) -> None:
    data = genuine(Baseline.B_LT, "driving-license").pdf
    at = data.rindex(b"startxref")
    verdict = _judge(data[:at] + b"startxref\n" + number + b"\n%%EOF\n")
    assert verdict.integrity is not Integrity.INTACT
    assert "INTERNAL" not in verdict.codes()


@pytest.mark.parametrize("parent", [b"", b"/Parent null", b"/Parent [0 0 600 800]", b"/Parent 9999 0 R"])
def test_a_page_that_loses_its_parent_and_what_it_inherits(parent: bytes) -> None:
    signed = base("approval")
    for number in _pages(signed):
        body = re.sub(rb"/Parent +\d+ 0 R", parent, signed.body(number))
        assert body != signed.body(number)
        assert _judge(signed.update({number: body})).integrity is not Integrity.INTACT


def _pages(signed: Base) -> list[int]:
    found = re.findall(rb"(?<![0-9])(\d+) 0 obj\s*<<[^>]*/Type */Page\b(?!s)", signed.pdf)
    assert found
    return [int(number) for number in dict.fromkeys(found)]


@pytest.mark.parametrize("listed", [b"4294967295 1", b"99999999 1", b"0 1"])
def test_an_update_whose_table_lists_another_number_than_it_holds(listed: bytes) -> None:
    signed = base("approval")
    (number, *_) = _pages(signed)
    turned = signed.body(number).rstrip()
    turned = turned[: turned.rindex(b">>")] + b"/Rotate 90>>"
    updated = signed.update({number: turned})
    table = updated.index(b"xref", len(signed.pdf))
    changed = updated[:table] + updated[table:].replace(b"\n%d 1\n" % number, b"\n" + listed + b"\n", 1)
    assert changed != updated
    verdict = _judge(changed)
    assert verdict.integrity is not Integrity.INTACT
    assert "INTERNAL" not in verdict.codes()


def test_a_large_set_is_sorted_in_linear_time() -> None:
    size = 400_000
    value = b"\x31\x83" + size.to_bytes(3, "big") + b"\x05\x00" * (size // 2)
    start = time.process_time()
    with contextlib.suppress(BerError):  # too many parts is an answer as well
        assert sorted_set(value) == value
    assert time.process_time() - start < 3


def test_an_object_that_only_searching_finds_behind_the_signature() -> None:
    """The signed cross-reference leads a page to another object; a copy behind the end makes it appear."""
    plain = base("approval").pdf
    page = re.search(rb"(?m)^(\d+) 0 obj\s*<<[^>]*/Type /Page\b", plain)
    assert page is not None
    number = int(page[1])
    entry = b"%010d 00000 n" % page.start()
    other = next(m for m in re.finditer(rb"\d{10} 00000 n", plain) if m[0] != entry)
    assert plain.count(entry) >= 1
    signed = plain.replace(entry, other[0])
    end = plain.index(b"endobj", page.start()) + len(b"endobj\n")
    damaged = signed + plain[page.start() : end]
    file = PdfFile(damaged, password=None, limits=DEFAULT_POLICY.limits.for_pdf())
    found = account(file, file.snapshot(len(signed)), lambda: {number})
    assert [f.place.object_number for f in found.faults if f.reason is Reason.UNLISTED] == [number]


@pytest.mark.parametrize("number", [b"-" + b"0" * 22, b"+" + b"0" * 22, b"0" * 22, b"-" + b"0" * 22 + b"5"])
def test_a_number_of_many_zeros_is_read(number: bytes) -> None:
    """A sign and nothing but zeros was no number to Python."""
    doc = base("p1")
    verdict = _judge(doc.pdf + b"90 0 obj\n[" + number + b"]\nendobj\n")
    assert "INTERNAL" not in verdict.codes()
    assert verdict.integrity is Integrity.INTACT  # an object that nothing needs and nothing lists


def test_the_signers_key_names_its_kind_by_no_identifier() -> None:
    """The certificate is read late, where the form of the value is judged before the value itself."""
    sealed = genuine(Baseline.B_LT, "driving-license")
    start, end, _ = seal_range(sealed.pdf)
    gap = sealed.pdf[start:end]
    key = b"06072a8648ce3d0201"
    assert gap.count(key) >= 1
    for nth in range(gap.count(key)):
        parts = gap.split(key)
        broken = key.join(parts[: nth + 1]) + b"02" + key[2:] + key.join(parts[nth + 1 :])
        verdict = _judge(sealed.pdf[:start] + broken + sealed.pdf[end:])
        assert verdict.integrity is not Integrity.INTACT
        assert "INTERNAL" not in verdict.codes()
