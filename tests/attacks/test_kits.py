"""Offline kits that were tampered with, and ZIP files that are no kits: each is refused by name."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from signing.keys import KeyPurpose
from tests.support.kits import (
    HOME,
    HOUR,
    MADE,
    OTHER,
    THIRD,
    Parts,
    agreement_of,
    anchor_of,
    good_parts,
    list_of,
    pki_of,
    repacked,
    signed_list,
)
from tests.support.signing_pki import AT
from verify import verify_any
from verify.formats.kit import MANIFEST, KitError, KitRegion, packed, unpacked, unverified_kit
from verify.trust.sources import Given, SourceError, read_sources


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


# --- a kit as trust ----------------------------------------------------------------------------------------------


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def given(folder: Path, parts: Parts, *beside: Path, at: datetime.datetime = MADE + HOUR) -> Given:
    return read_sources([write(folder, "a.kit", parts.made_kit()), *beside], at=at)


def refused(folder: Path, parts: Parts, *beside: Path, at: datetime.datetime = MADE + HOUR) -> str:
    with pytest.raises(SourceError) as caught:
        given(folder, parts, *beside, at=at)
    assert "{" not in caught.value.text.zh + caught.value.text.en
    return caught.value.code


def anchor_file(folder: Path, region: str) -> Path:
    return write(folder, f"{region}.anchor.json", json.dumps(anchor_of(region).to_json()).encode())


def test_a_good_kit_says_whose_it_is_and_what_it_knows(tmp_path: Path) -> None:
    parts = good_parts()
    parts.add("agreement", OTHER, agreement_of(HOME, OTHER), approved=True)
    found = given(tmp_path, parts, anchor_file(tmp_path, HOME))
    regions = found.trust.regions
    assert regions is not None
    assert regions.home == HOME
    assert [k.region for k in regions.known] == [OTHER]
    assert [(a.approved, a.countersigned) for a in regions.agreements] == [(True, True)]
    assert found.trust.kit is not None
    assert (found.trust.kit.region, found.trust.kit.made) == (HOME, MADE)
    assert list(found.evidence.status_lists) == [f"https://{HOME}.example/status-lists/1"]
    assert list(found.evidence.region_lists) == [(OTHER, f"https://{OTHER}.example/status-lists/1")]


def test_a_verdict_by_a_kit_says_how_old_its_knowledge_is(tmp_path: Path) -> None:
    found = given(tmp_path, good_parts())
    verdict = verify_any(b"%PDF-1.7 no more", trust=found.trust, at=MADE + 3 * HOUR, evidence=found.evidence)
    (told,) = [f for f in verdict.findings if f.code == "KIT_KNOWLEDGE"]
    assert "3 h 0 min" in told.message("en")


def test_a_manifest_signed_by_another_region_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.by = OTHER
    assert refused(tmp_path, parts) == "KIT_UNTRUSTED"


def test_a_manifest_signed_by_a_key_for_something_else_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    data = parts.made_kit(purpose=KeyPurpose.ANSWER)
    with pytest.raises(SourceError, match="KIT_UNTRUSTED"):
        read_sources([write(tmp_path, "a.kit", data)], at=MADE)


def test_a_kit_of_another_region_than_the_anchor_beside_it_is_refused(tmp_path: Path) -> None:
    """Whole and consistent, but made by somebody whom the caller did not choose."""
    parts = good_parts()
    parts.home, parts.by, parts.regions = OTHER, OTHER, (KitRegion(HOME, AT, AT),)
    assert given(tmp_path, parts).trust.kit is not None
    assert refused(tmp_path, parts, anchor_file(tmp_path, HOME)) == "KIT_REGION_DIFFERS"


def test_a_kit_under_another_root_than_the_anchor_beside_it_is_refused(tmp_path: Path) -> None:
    """Somebody with a root of his own says that he is the region."""
    parts = good_parts()
    parts.drop("anchor", HOME)
    forged = replace(anchor_of(HOME), certificates=(pki_of(THIRD).root.certificate,))
    parts.add("anchor", HOME, json.dumps(forged.to_json()).encode())
    parts.drop("list", HOME)
    parts.add("list", HOME, signed_list(replace(list_of(THIRD), region=HOME), by=THIRD))
    parts.by = THIRD
    assert given(tmp_path, parts).trust.kit is not None
    assert refused(tmp_path, parts, anchor_file(tmp_path, HOME)) == "ANCHOR_EQUIVOCATED"
    parts.drop("anchor", HOME)
    parts.add("anchor", HOME, json.dumps(replace(forged, sequence=2).to_json()).encode())
    assert refused(tmp_path, parts, anchor_file(tmp_path, HOME)) == "ANCHOR_NOT_VOUCHED"


def test_a_list_of_another_region_under_a_regions_name_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.drop("list", OTHER)
    parts.add("list", OTHER, signed_list(list_of(HOME)))
    assert refused(tmp_path, parts) == "TRUST_LIST_REGION_DIFFERS"


def test_a_list_that_the_kits_region_made_up_for_another_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.drop("list", OTHER)
    parts.add("list", OTHER, signed_list(list_of(OTHER), by=HOME))
    assert refused(tmp_path, parts) == "TRUST_LIST_UNTRUSTED"


def test_a_list_older_than_the_one_beside_the_kit_is_refused(tmp_path: Path) -> None:
    newer = write(tmp_path, "list.jws", signed_list(list_of(OTHER, 4)))
    assert refused(tmp_path, good_parts(), newer) == "TRUST_LIST_ROLLBACK"
    own = write(tmp_path, "list.jws", signed_list(list_of(HOME, 4)))
    assert refused(tmp_path, good_parts(), own, anchor_file(tmp_path, HOME)) == "TRUST_LIST_ROLLBACK"


def test_another_list_of_the_same_number_than_the_one_beside_the_kit_is_refused(tmp_path: Path) -> None:
    other = write(tmp_path, "list.jws", signed_list(replace(list_of(OTHER), name="another")))
    assert refused(tmp_path, good_parts(), other) == "TRUST_LIST_EQUIVOCATED"


def test_a_list_that_had_run_out_when_it_was_last_seen_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.made, parts.until = AT + 48 * HOUR, AT + 72 * HOUR
    parts.regions = (KitRegion(OTHER, AT, AT + 48 * HOUR),)
    assert refused(tmp_path, parts, at=AT + 49 * HOUR) == "TRUST_LIST_EXPIRED"


def test_a_list_that_ran_out_since_is_known_and_stale(tmp_path: Path) -> None:
    found = given(tmp_path, good_parts(), at=AT + 100 * HOUR)
    assert found.trust.regions is not None
    (other,) = found.trust.regions.known
    assert other.is_stale(AT + 100 * HOUR)


def test_an_agreement_that_the_kits_region_did_not_sign_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.add("agreement", OTHER, agreement_of(HOME, OTHER, signers=(OTHER,)), approved=True)
    assert refused(tmp_path, parts) == "KIT_AGREEMENT_UNTRUSTED"


def test_an_agreement_that_only_its_own_region_signed_is_not_countersigned(tmp_path: Path) -> None:
    parts = good_parts()
    parts.add("agreement", OTHER, agreement_of(HOME, OTHER, signers=(HOME, HOME)), approved=True)
    found = given(tmp_path, parts)
    assert found.trust.regions is not None
    assert [a.countersigned for a in found.trust.regions.agreements] == [False]


def test_an_agreement_of_others_is_refused(tmp_path: Path) -> None:
    parts = good_parts()
    parts.add("agreement", OTHER, agreement_of(OTHER, HOME), approved=True)
    assert refused(tmp_path, parts) == "KIT_BROKEN"


def test_a_kit_from_the_future_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, good_parts(), at=MADE - HOUR) == "KIT_FUTURE"


def test_two_kits_are_refused(tmp_path: Path) -> None:
    second = write(tmp_path, "b.kit", good_parts().made_kit())
    assert refused(tmp_path, good_parts(), second) == "KIT_SECOND"


def test_an_anchor_of_whom_the_kit_holds_nothing_is_refused(tmp_path: Path) -> None:
    beside = (anchor_file(tmp_path, HOME), anchor_file(tmp_path, THIRD))
    assert refused(tmp_path, good_parts(), *beside) == "KIT_REGION_UNKNOWN"
