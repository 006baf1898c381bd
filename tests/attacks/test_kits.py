"""Offline kits that were tampered with, and ZIP files that are no kits: each is refused by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from tests.support.kits import good_parts, repacked
from verify.formats.kit import MANIFEST, KitError, packed, unpacked, unverified_kit


@pytest.fixture(scope="module")
def kit() -> bytes:
    return good_parts().made_kit()


def code_of(data: bytes) -> str:
    with pytest.raises(KitError) as caught:
        unverified_kit(data)
    return caught.value.code


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, compress_type=method)
    return buffer.getvalue()


def test_a_kit_is_a_zip_file_that_any_tool_opens(kit: bytes) -> None:
    archive = zipfile.ZipFile(io.BytesIO(kit))
    assert archive.testzip() is None
    assert {i.filename: archive.read(i) for i in archive.infolist()} == unpacked(kit)


def test_a_swapped_member_is_found(kit: bytes) -> None:
    names = [n for n in unpacked(kit) if n.startswith("status/")]

    def swap(members: dict[str, bytes]) -> None:
        members[names[0]], members[names[1]] = members[names[1]], members[names[0]]

    assert code_of(repacked(kit, swap)) == "KIT_MEMBER_DIFFERS"


def test_an_extra_member_is_found(kit: bytes) -> None:
    assert code_of(repacked(kit, lambda m: m.update({"lists/999999.jws": b"x"}))) == "KIT_MEMBER_EXTRA"


def test_a_missing_member_is_found(kit: bytes) -> None:
    gone = next(n for n in unpacked(kit) if n.startswith("status/"))
    assert code_of(repacked(kit, lambda m: m.__delitem__(gone))) == "KIT_MEMBER_MISSING"


def test_two_members_with_one_name_are_found() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped([(MANIFEST, b"a"), (MANIFEST, b"b")])
    # as another program writes it, and in our own form: one reader would take the first, another the last
    assert code_of(twice) == "KIT_BROKEN"
    one = packed([(MANIFEST, b"a")])
    local = one[: one.index(b"PK\x01\x02")]
    assert code_of(local + one) == "KIT_MEMBER_TWICE"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "lists/../x.jws", "lists\\x", "lists/x\x00.jws", "C:x", "lists/", "状态"],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert code_of(_raw(name, b"x")) == "KIT_MEMBER_NAME"


def _raw(name: str, data: bytes) -> bytes:
    """A kit's first member, then one of any name, written by hand since libraries mend names."""
    label = name.encode()
    stand_in = "lists/" + "a" * max(1, len(label) - 6)
    found = packed([(MANIFEST, b"a"), (stand_in, data)])
    return found.replace(stand_in.encode(), label.ljust(len(stand_in), b"/"))


def test_a_zip_bomb_does_not_unfold() -> None:
    bomb = zipped([(MANIFEST, b"a"), ("lists/a.jws", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 60_000
    assert code_of(bomb) == "KIT_COMPRESSED"
    only = zipped([("lists/a.jws", bytes(1_000_000))], zipfile.ZIP_DEFLATED)
    assert code_of(only) == "KIT_COMPRESSED"


def test_a_member_that_claims_more_than_there_is_is_cut_short(kit: bytes) -> None:
    assert code_of(kit[:-1]) == "KIT_BROKEN"
    assert code_of(kit[: len(kit) // 2]) == "KIT_BROKEN"
    claimed = bytearray(kit)
    claimed[18:26] = b"\xff\xff\xff\x7f" * 2  # both sizes in the first local header
    assert code_of(bytes(claimed)) == "KIT_BROKEN"


@pytest.mark.parametrize(
    "change",
    [
        lambda kit: kit + b"\x00",
        lambda kit: b"\x00" + kit,
        lambda kit: kit.replace(b"PK\x05\x06\x00\x00", b"PK\x05\x06\x01\x00"),
        lambda kit: kit[:-2] + b"\x02\x00hi",  # a comment
        lambda kit: kit[:10] + b"\x01" + kit[11:],  # the time of the first member
    ],
)
def test_anything_beside_the_members_is_found(kit: bytes, change: Callable[[bytes], bytes]) -> None:
    assert code_of(change(kit)) == "KIT_BROKEN"


def test_no_flipped_bit_of_a_kit_is_read(kit: bytes) -> None:
    token = unpacked(kit)[MANIFEST]
    start = kit.index(token)
    inside = range(start, start + len(token))  # those the signature covers, or are its own
    step = max(1, len(kit) // 400)
    for place in range(0, len(kit), step):
        if place in inside:
            continue
        flipped = bytearray(kit)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(KitError):
            unverified_kit(bytes(flipped))
