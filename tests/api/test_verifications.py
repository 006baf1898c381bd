"""Verifying over HTTP, and the processes that do it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.judging import pool as judging
from tests.api.conftest import Door
from tests.support.seals import Maker, make_pki

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

MEMBERS = {
    "file", "kind", "integrity", "conclusion", "standing", "recognition", "at", "signatures", "license", "findings",
    "elapsed_ms",
}  # fmt: skip


def verify(door: Door, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
    answer = door.client.post("/v1/verifications", files=[("file", f) for f in files], data=fields)
    assert answer.status_code == 200, answer.text
    value: list[dict[str, Any]] = answer.json()["files"]
    return value


def code_of(pdf: bytes) -> str:
    """The text of the code on a license's page, read as a camera would."""
    import pypdfium2
    import zxingcpp

    page = pypdfium2.PdfDocument(pdf)[0]
    found = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    return str(found[0].text)


def test_a_genuine_and_an_edited_file(door: Door, issued: IssuedLicense) -> None:
    edited = bytearray(issued.pdf)
    edited[len(edited) // 2] ^= 1
    good, bad = verify(door, ("a.pdf", issued.pdf), ("b.pdf", bytes(edited)))
    assert set(good) >= MEMBERS
    assert (good["file"], good["integrity"], good["conclusion"], good["standing"]) == (
        "a.pdf", "INTACT", "VALID", "IN_FORCE",
    )  # fmt: skip
    assert good["license"]["identifier"] == issued.identifier
    assert good["summary"]["tone"] == "good"
    assert (bad["integrity"], bad["conclusion"], bad["license"]) == ("ALTERED", "INVALID", None)
    assert bad["summary"]["tone"] == "bad"


def test_record_and_code(door: Door, issued: IssuedLicense) -> None:
    record = door.client.post("/v1/verifications", json={"record": issued.record}).json()["files"][0]
    assert (record["kind"], record["conclusion"], record["standing"]) == ("record", "VALID", "IN_FORCE")
    code = door.client.post("/v1/verifications", json={"code": code_of(issued.pdf)}).json()["files"][0]
    assert (code["kind"], code["conclusion"], code["standing"]) == ("code", "VALID", "IN_FORCE")
    assert code["license"]["identifier"] == issued.identifier


def test_a_picture_that_carries_a_code(door: Door, issued: IssuedLicense) -> None:
    import io

    import pypdfium2

    picture = io.BytesIO()
    pypdfium2.PdfDocument(issued.pdf)[0].render(scale=3).to_pil().save(picture, "PNG")
    (verdict,) = verify(door, ("photo.png", picture.getvalue()))
    assert (verdict["kind"], verdict["conclusion"]) == ("code", "VALID")


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(make_pki(tmp_path_factory.mktemp("seals")), datetime.now(UTC).replace(microsecond=0))


def test_a_seal_and_a_signature_value_are_told_what_they_are(door: Door, forged: Maker) -> None:
    seal = forged.seal(4)
    changed = seal.replace(b"test seal", b"best seal")
    good, value, bad, broken = verify(
        door,
        ("a.esl", seal),
        ("b.dat", forged.signature(4, b"doc")),
        ("c.esl", changed),
        ("d.esl", seal[:-1]),
        lang="en",
    )
    assert {v["kind"] for v in (good, value, bad, broken)} == {"seal"}
    assert (good["integrity"], good["conclusion"]) == ("INTACT", "INDETERMINATE")  # its maker is nobody's here
    assert good["summary"]["tone"] == value["summary"]["tone"] == "open"
    assert "SEAL_DATA_ABSENT" in {f["code"] for f in value["findings"]}
    assert (bad["integrity"], bad["summary"]["tone"]) == ("ALTERED", "bad")
    assert (broken["integrity"], {f["code"] for f in broken["findings"]}) == ("UNREADABLE", {"SEAL_FORMAT"})


def test_expired_is_genuine_and_not_in_force(door: Door, issued: IssuedLicense) -> None:
    (verdict,) = verify(door, ("a.pdf", issued.pdf), at="2029-06-01T00:00:00Z", lang="en")
    assert verdict["standing"] == "EXPIRED"
    assert verdict["conclusion"] == "VALID"
    assert verdict["summary"] == {**verdict["summary"], "tone": "lapsed", "title": "Genuine, but expired"}


def test_messages_speak_the_chosen_language(door: Door, issued: IssuedLicense) -> None:
    (zh,) = verify(door, ("a.pdf", issued.pdf), lang="zh")
    (en,) = verify(door, ("a.pdf", issued.pdf), lang="en")
    assert zh["summary"]["title"] == "真实，当前有效"
    assert en["summary"]["title"] == "Genuine and in force"


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"%PDF-1.7\n", b"{}", b"\xff\xd8\xff broken", b"a" * 50_000])
def test_nonsense_is_judged_and_not_an_error(door: Door, data: bytes) -> None:
    (verdict,) = verify(door, ("x", data))
    assert verdict["conclusion"] != "VALID"
    assert verdict["findings"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {}}, 422),
        ({"json": {"code": "x", "extra": 1}}, 422),
        ({"json": [1]}, 400),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
        ({"data": {"at": "x"}, "files": {"other": ("a", b"x")}}, 400),
        ({"json": {"code": "x", "at": "yesterday"}}, 422),
    ],
)
def test_requests_that_cannot_be_read(door: Door, request_: dict[str, Any], status: int) -> None:
    answer = door.client.post("/v1/verifications", **request_)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_names_of_files_are_names_only(door: Door) -> None:
    (verdict,) = verify(door, ("../../etc/a\u202eb.pdf", b"x"))
    assert verdict["file"] == "ab.pdf"


def test_a_judge_that_overruns_is_killed_and_replaced(
    monkeypatch: pytest.MonkeyPatch, embedded_vault: Vault, issued: IssuedLicense
) -> None:
    own = embedded_vault.verification
    slow, quick = issued.pdf, issued.record.encode()
    with judging.Pool(1, seconds=30, memory=2**31) as pool:
        question = judging.Question(quick, own.trust(), own.evidence(), embedded_vault.clock.now())
        assert pool.ask(question)["zh"]["conclusion"] == "VALID"
        monkeypatch.setattr(pool, "_seconds", 0.001)
        started = time.monotonic()
        lost = pool.ask(judging.Question(slow, own.trust(), own.evidence(), embedded_vault.clock.now()))
        assert time.monotonic() - started < 10
        assert lost["en"]["conclusion"] == "INVALID"
        assert lost["en"]["integrity"] == "UNREADABLE"
        assert [f["code"] for f in lost["en"]["findings"]] == ["TIME_EXCEEDED"]
        monkeypatch.setattr(pool, "_seconds", 30)
        assert pool.ask(question)["zh"]["conclusion"] == "VALID"


def test_a_judge_without_memory_gives_a_verdict(embedded_vault: Vault, issued: IssuedLicense) -> None:
    own = embedded_vault.verification
    with judging.Pool(1, seconds=30, memory=2**20) as pool:
        lost = pool.ask(judging.Question(issued.pdf, own.trust(), own.evidence(), embedded_vault.clock.now()))
    assert lost["zh"]["conclusion"] != "VALID"


def test_trouble_of_ours_does_not_leave_a_judge_waiting(embedded_vault: Vault, issued: IssuedLicense) -> None:
    from verify.evidence import Evidence

    def broken(_: str) -> None:
        raise ConnectionError("the database is gone")

    own = embedded_vault.verification
    now = embedded_vault.clock.now()
    with judging.Pool(1, seconds=30, memory=2**31) as pool:
        with pytest.raises(ConnectionError):
            pool.ask(judging.Question(issued.pdf, own.trust(), Evidence(lookup=broken), now))
        assert pool.ask(judging.Question(issued.pdf, own.trust(), own.evidence(), now))["zh"]["conclusion"] == "VALID"


def test_more_requests_than_judges_wait_for_their_turn(door: Door, issued: IssuedLicense) -> None:
    statuses: list[int] = []

    def ask() -> None:
        answer = door.client.post("/v1/verifications", json={"record": issued.record})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6


def test_too_many_files(new_client: Callable[..., TestClient]) -> None:
    client = new_client(files=2)
    answer = client.post("/v1/verifications", files=[("file", ("a", b"x"))] * 3)
    assert answer.status_code == 413
    assert answer.json()["code"] == "TOO_MANY_FILES"


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "GIF", "BMP"])
def test_a_picture_of_another_kind_is_no_pdf(door: Door, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("L", (40, 40), 255).save(buffer, kind)
    answer = door.client.post("/v1/verifications", files={"file": ("photo", buffer.getvalue())})
    (verdict,) = answer.json()["files"]
    assert (verdict["kind"], verdict["integrity"], verdict["conclusion"]) == ("code", "UNREADABLE", "INVALID")
    assert "NOT_READABLE" in {f["code"] for f in verdict["findings"]}
