"""What ``--trust`` names: a region's anchor with its trust list beside it, found by content."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import pem

from tests.support.kits import HOME, HOUR, OTHER, anchor_of, good_parts, list_of, pki_of, signed_list
from tests.support.signing_pki import AT
from verify.trust.anchors import TrustStore
from verify.trust.sources import SourceError, read_sources

NOW = AT + HOUR


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


def anchor(folder: Path, region: str = HOME, name: str = "region.anchor.json") -> Path:
    return put(folder, name, json.dumps(anchor_of(region).to_json()).encode())


def trust(*paths: Path, at: datetime.datetime | None = NOW) -> TrustStore:
    return read_sources(paths, at=at).trust


def code_of(*paths: Path, at: datetime.datetime = NOW) -> str:
    with pytest.raises(SourceError) as caught:
        read_sources(paths, at=at)
    assert str(paths[-1].parent) in str(caught.value)
    return caught.value.code


def known(store: TrustStore) -> list[tuple[str, int]]:
    return [] if store.regions is None else [(k.region, k.list.sequence) for k in store.regions.known]


def test_an_anchor_alone_gives_its_roots_and_no_remits(tmp_path: Path) -> None:
    store = trust(anchor(tmp_path))
    assert store == TrustStore(anchors=(pki_of(HOME).root.certificate,))


def test_the_list_beside_an_anchor_is_found_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt", b"nothing")
    put(tmp_path, "other.jws", signed_list(list_of(OTHER)))
    put(tmp_path, "no-ending", signed_list(list_of(HOME)))
    store = trust(anchor(tmp_path))
    assert known(store) == [(HOME, 3)]
    assert store.regions is not None
    assert not store.regions.home
    assert pki_of(HOME).root.certificate in store.anchors
    assert pki_of(HOME).issuing.certificate in store.certificates


def test_a_folder_and_a_list_given_by_itself_do_as_well(tmp_path: Path) -> None:
    anchor(tmp_path / "a")
    listed = put(tmp_path / "a", "x", signed_list(list_of(HOME)))
    assert known(trust(tmp_path / "a")) == [(HOME, 3)]
    apart = anchor(tmp_path / "b")
    assert known(trust(apart, listed)) == [(HOME, 3)]


def test_the_newest_of_several_lists_is_taken(tmp_path: Path) -> None:
    for number in (4, 5, 3):
        put(tmp_path, f"{number}.jws", signed_list(list_of(HOME, number)))
    assert known(trust(anchor(tmp_path))) == [(HOME, 5)]


def test_a_list_given_by_hand_is_taken_before_those_beside_the_anchor(tmp_path: Path) -> None:
    put(tmp_path / "a", "9.jws", signed_list(list_of(HOME, 9)))
    listed = put(tmp_path / "b", "4.jws", signed_list(list_of(HOME, 4)))
    assert known(trust(anchor(tmp_path / "a"), listed)) == [(HOME, 4)]


def test_two_lists_of_one_number_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "1.jws", signed_list(list_of(HOME)))
    put(tmp_path, "2.jws", signed_list(replace(list_of(HOME), name="another")))
    assert code_of(anchor(tmp_path)) == "TRUST_LIST_EQUIVOCATED"


def test_two_regions_and_certificates_stand_side_by_side(tmp_path: Path) -> None:
    put(tmp_path, "1.jws", signed_list(list_of(HOME)))
    put(tmp_path, "2.jws", signed_list(list_of(OTHER)))
    anchor(tmp_path, OTHER, "b.json")
    anchor(tmp_path, HOME, "c.json")
    root = put(tmp_path, "root.pem", pem.armor("CERTIFICATE", pki_of("320000").root.certificate))
    store = trust(tmp_path)
    assert sorted(known(store)) == [(OTHER, 3), (HOME, 3)]
    assert {pki_of(r).root.certificate for r in (HOME, OTHER, "320000")} == set(store.anchors)
    assert root.exists()


def test_a_list_without_its_anchor_is_refused(tmp_path: Path) -> None:
    assert code_of(put(tmp_path, "x.jws", signed_list(list_of(HOME)))) == "ANCHOR_MISSING"
    listed = put(tmp_path, "x.jws", signed_list(list_of(HOME)))
    assert code_of(anchor(tmp_path, OTHER), listed) == "ANCHOR_MISSING"


def test_a_list_by_somebody_else_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "x.jws", signed_list(list_of(HOME), by=OTHER))
    assert code_of(anchor(tmp_path)) == "TRUST_LIST_UNTRUSTED"


def test_a_list_that_has_run_out_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "x.jws", signed_list(list_of(HOME)))
    assert code_of(anchor(tmp_path), at=AT + 25 * HOUR) == "TRUST_LIST_EXPIRED"


def test_a_list_from_the_future_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "x.jws", signed_list(list_of(HOME)))
    assert code_of(anchor(tmp_path), at=AT - HOUR) == "TRUST_LIST_FUTURE"


def test_a_broken_anchor_is_named(tmp_path: Path) -> None:
    broken = put(tmp_path, "a.json", json.dumps({**anchor_of(HOME).to_json(), "region": "x"}).encode())
    assert code_of(broken) == "ANCHOR_BROKEN"


def test_a_list_needs_a_moment(tmp_path: Path) -> None:
    put(tmp_path, "x.jws", signed_list(list_of(HOME)))
    with pytest.raises(ValueError, match="moment"):
        trust(anchor(tmp_path), at=None)


def test_a_kit_is_found_in_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "anything", good_parts().made_kit())
    store = trust(tmp_path, at=AT + 2 * HOUR)
    assert store.kit is not None
    assert known(store) == [(OTHER, 3)]
