"""Uploads that are to be sealed and would cost a reader much: a judge reads them first, and the service stays up."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.judging import rehearsal
from api.limits import MEBIBYTE as MIB
from certvault.model.actor import LOCAL_OPERATOR
from signing.formats import seal_document as sealing
from signing.formats.placement import AtKeyword
from signing.formats.seal_document import keyless
from tests.api.conftest import GENEROUS, Door
from tests.support.contracts import contract
from tests.support.sealing import NO_TEXT, order
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

MEMORY = 128 * MIB
"""More than that the service's process does not grow by an upload."""


def pdf_of(*objects: bytes) -> bytes:
    """A file of these objects, numbered from 1, which is the catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, size = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R>>\n" % (size, table, size)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def deflated(data: bytes, entries: bytes = b"", filters: bytes = b"/FlateDecode") -> bytes:
    return b"<<%s/Length %d/Filter[%s]>>stream\n%b\nendstream" % (entries, len(data), filters, data)


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
TWO = b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]>>"


def page(contents: int, more: bytes = b"") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%s>>" % (contents, more)


def deep() -> bytes:
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R/AcroForm " + b"[" * 300_000 + b">>", TWO, page(5), page(5), b"null")


def flate() -> bytes:
    """A page that names one stream again and again, which unpacks a thousand times larger than it is."""
    return pdf_of(CATALOG, TWO, page(5), page(6), b"null", b"[%s]" % (b"7 0 R " * 3000), swollen())


def swollen() -> bytes:
    return deflated(zlib.compress(b"0 0 m " * 160_000, 9))


def store() -> bytes:
    """Hundreds of such streams as certificates for later, which are read after the signature was made."""
    kept = b" ".join(b"%d 0 R" % n for n in range(6, 606))
    return pdf_of(CATALOG[:-2] + b"/DSS<</Certs[%s]>>>>" % kept, TWO, page(5), page(5), b"null", *[swollen()] * 600)


def tree() -> bytes:
    """A page tree that names one page again and again, and does not say how often."""
    kids = b"3 0 R " * 190_000
    return pdf_of(CATALOG, b"<</Type/Pages/MediaBox[0 0 595 842]/Kids[%s]>>" % kids, page(4), b"null")


def text() -> bytes:
    """Hundreds of pages that share one text of a hundred thousand characters."""
    content = zlib.compress(b"BT /F1 1 Tf 9 9 Td " + b"(aaaaaaaaaa) Tj " * 10_000 + b"ET", 9)
    font = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    kids = b" ".join(b"%d 0 R" % n for n in range(4, 604))
    pages = b"<</Type/Pages/Kids[%s]/Count 600/MediaBox[0 0 595 842]%s>>" % (kids, font)
    return pdf_of(CATALOG, pages, deflated(content), *[page(3)] * 600)


BOMBS: dict[str, tuple[Callable[[], bytes], dict[str, str], set[str]]] = {
    "deep": (deep, {"page": "1"}, {"PDF_BROKEN", "FILE_TOO_COSTLY"}),
    "flate": (flate, {"across": "right"}, {"FILE_TOO_COSTLY"}),
    "store": (store, {"page": "1"}, {"FILE_TOO_COSTLY"}),
    "tree": (tree, {"across": "right"}, {"PDF_BROKEN", "FILE_TOO_COSTLY", "TOO_MANY_MARKS"}),
    "text": (text, {"keyword": "signed here"}, {"FILE_TOO_COSTLY"}),
}


@pytest.fixture(scope="module")
def seal(embedded_vault: Vault) -> str:
    return next(k.seal.id for k in embedded_vault.seals.list(LOCAL_OPERATOR) if k.seal.kind == "official")


@pytest.fixture
def client(new_client: Callable[..., TestClient]) -> TestClient:
    """A service that gives an upload six seconds, as a busy machine would sixty."""
    return new_client(rehearsal_seconds=6.0)


@pytest.fixture
def custodian(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['custodian']}"}


@pytest.fixture
def never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this process opens a PDF."""

    def opened(*_: object) -> None:
        raise AssertionError("the service read the file")

    monkeypatch.setattr(sealing, "PdfUpdater", opened)
    monkeypatch.setattr(sealing, "locate", opened)


def peak() -> int:
    """Most memory of this process since it was last asked, in bytes."""
    told = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    Path("/proc/self/clear_refs").write_text("5")
    return int(told) * 1024


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.usefixtures("never_read")
def test_a_bomb_costs_a_judge_and_no_permit(
    client: TestClient, custodian: dict[str, str], embedded_vault: Vault, seal: str, name: str
) -> None:
    build, fields, codes = BOMBS[name]
    data = build()
    assert len(data) < 2 * MIB
    digest = hashlib.sha256(data).hexdigest()
    (permit,) = embedded_vault.seal_uses.permit(
        seal,
        [digest],
        purpose="document",
        actor=LOCAL_OPERATOR,
        user=f"token:{custodian['Authorization'].split('_')[1]}",
    )
    answers: list[Any] = []

    def send(**more: str) -> Any:
        return client.post(
            f"/v1/seals/{seal}/uses",
            files={"file": ("a.pdf", data)},
            data={"permit": permit.id, **more},
            headers={**custodian, "Accept-Language": "en"},
        )

    peak()
    before = peak()
    sending = threading.Thread(target=lambda: answers.append(send(**fields)))
    sending.start()
    while sending.is_alive():
        assert client.get("/healthz").status_code == 200
        time.sleep(0.2)
    assert peak() - before < MEMORY
    (answer,) = answers
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] in codes
    assert answer.json()["remedy"]
    assert digest not in {u.digest for u in embedded_vault.seal_uses.uses(seal, LOCAL_OPERATOR)}
    beside = send(detached="true")  # the same permit seals the same bytes in a way that reads none of them
    assert beside.status_code == 201, beside.text
    assert beside.json()["use"]["permit"] == permit.id


def test_an_upload_is_sealed_after_a_judge_looked_for_its_keyword(
    door: Door, custodian: dict[str, str], embedded_vault: Vault, seal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service itself does not search: what does runs foreign code."""
    monkeypatch.setattr(sealing, "locate", lambda *_: pytest.fail("searched in the service"))
    answer = door.client.post(
        f"/v1/seals/{seal}/uses",
        files={"file": ("a.pdf", contract(3))},
        data={"keyword": "甲方盖章", "occurrence": "2", "across": "right", "profile": "both"},
        headers=custodian,
    )
    assert answer.status_code == 201, answer.text
    verdict = embedded_vault.verification.verify(base64.b64decode(answer.json()["document"]))
    assert (verdict.integrity.value, len(verdict.signatures)) == ("INTACT", 2)


def test_a_page_that_is_not_there_is_told_as_before(door: Door, custodian: dict[str, str], seal: str) -> None:
    answer = door.client.post(
        f"/v1/seals/{seal}/uses",
        files={"file": ("a.pdf", contract(2))},
        data={"page": "9"},
        headers={**custodian, "Accept-Language": "zh"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "PAGE_MISSING")
    assert "2 页" in answer.json()["detail"]


@pytest.mark.usefixtures("never_read")
def test_who_owes_the_judges_time_waits(
    new_client: Callable[..., TestClient], custodian: dict[str, str], seal: str
) -> None:
    from api.limits import Rate

    client = new_client(rates={**GENEROUS.rates, "judging": Rate(1, 0.001)})
    services = client.app.state.services  # type: ignore[attr-defined]
    services.limiter.charge("judging", f"token:{custodian['Authorization'].split('_')[1]}", 5)
    answer = client.post(f"/v1/seals/{seal}/uses", files={"file": ("a.pdf", contract(2))}, headers=custodian)
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert answer.headers["retry-after"]


FOUND = {"甲方盖章": [[1, [1, 2, 3, 4]]]}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"costly": True},
        {"found": []},
        {"found": {}},
        {"found": {"甲方盖章": [[0, [1, 2, 3, 4]]]}},
        {"found": {"甲方盖章": [[1, [1, 2, 3]]]}},
        {"found": {"甲方盖章": [[1, [1, 2, 3, float("nan")]]]}},
        {"found": {"甲方盖章": [["1", [1, 2, 3, 4]]]}},
        {"found": {"甲方盖章": [[1, [1, 2, 3, 4]]] * 20_000}},
        {"refusals": [], "found": FOUND},
        {"refusals": [{"code": "no code"}], "found": FOUND},
        {"refusals": 7, "found": FOUND},
    ],
)
def test_a_judge_that_talks_nonsense_is_not_believed(answer: dict[str, Any]) -> None:
    wanted = keyless(order(AtKeyword("甲方盖章")))
    assert rehearsal.found_in({"found": {**FOUND, "more": 1}}, wanted) == {"甲方盖章": [(1, (1.0, 2.0, 3.0, 4.0))]}
    with pytest.raises(RefusedError, match="FILE_TOO_COSTLY"):
        rehearsal.found_in(answer, wanted)


def test_a_rehearsal_beyond_its_processor_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = keyless(order(NO_TEXT))
    assert rehearsal.answer_of(contract(), wanted) == {"found": {}}
    monkeypatch.setattr(rehearsal, "LAYOUT_SECONDS", 0.0)
    assert rehearsal.answer_of(contract(), wanted) == {"costly": True}
