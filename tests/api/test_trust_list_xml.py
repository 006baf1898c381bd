"""The trust list as XML over HTTP: typed, cacheable, with the number of the JSON list."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.api.conftest import Door
from tests.api.test_cli import Ran
from verify.formats.trustlist import unverified_trust_list

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def test_anyone_fetches_the_list_in_its_media_type(door: Door) -> None:
    answer = door.client.get("/v1/trust-list.xml")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.etsi.tsl+xml"
    assert answer.content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<TrustServiceStatusList ")


def test_the_number_is_that_of_the_json_list(door: Door) -> None:
    listed, _ = unverified_trust_list(door.client.get("/v1/trust-list").content)
    (number,) = re.findall(rb"<TSLSequenceNumber>(\d+)<", door.client.get("/v1/trust-list.xml").content)
    assert int(number) == listed.sequence


def test_an_unchanged_list_is_not_sent_again(door: Door) -> None:
    first = door.client.get("/v1/trust-list.xml")
    again = door.client.get("/v1/trust-list.xml", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_digest_beside_it_is_that_of_its_bytes(door: Door) -> None:
    data = door.client.get("/v1/trust-list.xml").content
    assert door.client.get("/v1/trust-list.sha2").text == hashlib.sha256(data).hexdigest()


def test_another_process_hands_out_the_same_bytes(door: Door, embedded_vault: Vault) -> None:
    from certvault.bootstrap import open_vault

    with open_vault(embedded_vault.settings.folder) as other:
        assert other.trust_list_xml.newest().data == door.client.get("/v1/trust-list.xml").content


def test_the_command_writes_the_same_bytes(door: Door, embedded_vault: Vault, tmp_path: Path) -> None:
    folder = embedded_vault.settings.folder
    ran = Ran(["region", "export", "--xml", "-o", "list.xml", "--vault", folder, "--json"], tmp_path)
    assert ran.status == 0, ran.err
    data = (tmp_path / "list.xml").read_bytes()
    assert data == door.client.get("/v1/trust-list.xml").content
    assert ran.json["bytes"] == len(data)
    assert ran.json["sequence"] == embedded_vault.trust_lists.newest().sequence
