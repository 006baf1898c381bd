"""Seals over HTTP and at the command line: the life, leave, use, and the signed answer about a moment."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from reportlab.pdfgen import canvas

from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import Door
from tests.api.test_cli import Ran
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import verify_named
from verify.formats.seal import unverified_seal_signature

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

WHY = {"reason": "inspection"}


def a_pdf(pages: int = 2) -> bytes:
    made = io.BytesIO()
    drawn = canvas.Canvas(made)
    for _ in range(pages):
        drawn.drawString(100, 100, "signed here")
        drawn.showPage()
    drawn.save()
    return made.getvalue()


def post(door: Door, path: str, role: str, body: Any = None, **headers: str) -> Any:
    return door.client.post(f"/v1/seals{path}", json=body, headers={**door.as_(role), **headers})


@pytest.fixture(scope="module")
def seal(door: Door) -> str:
    """A finance seal in use, each step by who may take it."""
    asked = post(door, "", "issuer", {"kind": "finance", "rules": {"purposes": ["document", "letter"]}})
    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "APPLIED"
    assert asked.headers["Location"] == asked.json()["links"]["self"]
    seal_id: str = asked.json()["id"]
    for step, role, state in (
        ("approve", "custodian", "APPROVED"),
        ("make", "operator", "MADE"),
        ("activate", "custodian", "ACTIVE"),
    ):
        answer = post(door, f"/{seal_id}/{step}", role)
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.text
    return seal_id


def use(door: Door, seal_id: str, role: str, data: bytes, **fields: str) -> Any:
    return door.client.post(
        f"/v1/seals/{seal_id}/uses", files={"file": ("a.pdf", data)}, data=fields, headers=door.as_(role)
    )


def test_a_clerk_uses_leave_that_a_custodian_gave(door: Door, seal: str, embedded_vault: Vault) -> None:
    pdf = a_pdf()
    digest = hashlib.sha256(pdf).hexdigest()
    clerk = f"token:{door.tokens['issuer'].split('_')[1]}"
    refused = use(door, seal, "issuer", pdf)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    given = post(door, f"/{seal}/permits", "custodian", {"digests": [digest], "user": clerk, "purpose": "letter"})
    assert given.status_code == 201, given.text
    (permit,) = given.json()["items"]
    other = use(door, seal, "issuer", a_pdf(1), permit=permit["permit"])
    assert (other.status_code, other.json()["code"]) == (409, "PERMIT_DIGEST")
    mine = use(door, seal, "custodian", pdf, permit=permit["permit"])
    assert (mine.status_code, mine.json()["code"]) == (409, "PERMIT_USER")
    done = use(door, seal, "issuer", pdf, permit=permit["permit"], page="-1", at_mm="20,30", across="right")
    assert done.status_code == 201, done.text
    document = base64.b64decode(done.json()["document"])
    assert done.json()["sha256"] == hashlib.sha256(document).hexdigest()
    assert document.startswith(pdf)
    verdict = embedded_vault.verification.verify(document)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID")
    again = use(door, seal, "issuer", pdf, permit=permit["permit"])
    assert (again.status_code, again.json()["code"]) == (409, "PERMIT_USED")
    listed = door.client.get(f"/v1/seals/{seal}/uses", headers=door.as_("auditor")).json()["items"]
    assert [u["digest"] for u in listed if u["permit"] == permit["permit"]] == [digest]


def test_a_permit_of_one_seal_is_none_of_another(door: Door, seal: str, embedded_vault: Vault) -> None:
    pdf = a_pdf()
    (permit,) = post(door, f"/{seal}/permits", "custodian", {"digests": [hashlib.sha256(pdf).hexdigest()]}).json()[
        "items"
    ]
    official = next(k.seal.id for k in embedded_vault.seals.list(LOCAL_OPERATOR) if k.seal.kind == "official")
    assert use(door, official, "custodian", pdf, permit=permit["permit"]).status_code == 404
    for step in ("approve", "cancel"):
        assert post(door, f"/{official}/permits/{permit['permit']}/{step}", "operator").status_code == 404
    assert post(door, f"/{seal}/permits/{permit['permit']}/cancel", "operator").json()["cancelled_at"]
    assert use(door, seal, "custodian", pdf, permit=permit["permit"]).json()["code"] == "PERMIT_CANCELLED"


def test_any_file_is_sealed_beside_it(door: Door, seal: str) -> None:
    data = b"any bytes at all"
    done = use(door, seal, "custodian", data, detached="true", profile="ses")
    assert done.status_code == 201, done.text
    read = unverified_seal_signature(base64.b64decode(done.json()["document"]))
    assert read.data_hash == hashlib.sha256(data).digest()
    assert read.seal.seal_id == seal
    assert read.seal.picture.kind == "PNG"
    plain = use(door, seal, "custodian", data, detached="true")
    assert base64.b64decode(plain.json()["document"])[:1] == b"\x30"
    assert use(door, seal, "custodian", data, detached="true", profile="both").status_code == 422
    assert use(door, seal, "custodian", data).status_code == 422  # no PDF


def test_a_request_repeated_under_its_key_is_done_once(door: Door, embedded_vault: Vault) -> None:
    before = len(embedded_vault.seals.list(LOCAL_OPERATOR))
    key = {"Idempotency-Key": "seal-1"}
    first = post(door, "", "issuer", {"kind": "contract"}, **key)
    second = post(door, "", "issuer", {"kind": "contract"}, **key)
    assert first.json() == second.json()
    assert post(door, "", "issuer", {"kind": "finance"}, **key).json()["code"] == "IDEMPOTENCY_MISMATCH"
    assert len(embedded_vault.seals.list(LOCAL_OPERATOR)) == before + 1


def test_anyone_learns_whether_a_seal_was_good_then(door: Door, embedded_vault: Vault) -> None:
    made = post(door, "", "issuer", {"kind": "business", "words": "审批专用章"}).json()["id"]
    moments = [embedded_vault.clock.now()]
    for step, role in (("approve", "custodian"), ("make", "custodian"), ("activate", "custodian")):
        assert post(door, f"/{made}/{step}", role).status_code == 200
    moments.append(embedded_vault.clock.now())
    assert post(door, f"/{made}/suspend", "custodian").json()["code"] == "SEAL_OPTION"  # a reason is needed
    assert post(door, f"/{made}/suspend", "custodian", WHY).status_code == 200
    moments.append(embedded_vault.clock.now())
    assert post(door, f"/{made}/resume", "custodian").status_code == 200
    moments.append(embedded_vault.clock.now())
    assert post(door, f"/{made}/retire", "custodian", WHY).status_code == 200
    moments.append(embedded_vault.clock.now())
    told = []
    for at in moments:
        answer = door.client.get(f"/v1/seals/{made}/status", params={"at": at.isoformat()})
        assert answer.status_code == 200, answer.text
        told.append(answer.json()["answer"]["status"])
        checked(answer.json()["jws"], embedded_vault)
    assert told == ["NOT_YET_ACTIVE", "VALID", "SUSPENDED", "VALID", "RETIRED"]
    last = answer.json()["answer"]
    steps = [line["kind"] for line in last["evidence"]["lines"] if line["kind"].startswith("SEAL_")]
    assert steps == [f"SEAL_{s}" for s in ("APPLY", "APPROVE", "MAKE", "ACTIVATE", "SUSPEND", "RESUME", "RETIRE")]
    hashes = {e.hash for e in embedded_vault.audit.entries(LOCAL_OPERATOR, about=f"seal:{made}").items}
    assert {line["hash"] for line in last["evidence"]["lines"] if line["kind"].startswith("SEAL_")} <= hashes
    assert "token:" not in json.dumps(last)
    later = door.client.get(f"/v1/seals/{made}/status", params={"at": "2999-01-01"})
    assert (later.status_code, later.json()["code"]) == (422, "SEAL_OPTION")
    assert door.client.get("/v1/seals/00000000000000/status").status_code == 404


def checked(jws: str, vault: Vault) -> None:
    """The answer is signed by the vault's key for answers, and by nobody else's certificate."""
    head, payload, signature = jws.split(".")

    def plain(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    header = json.loads(plain(head))
    assert header["typ"] == "certvault-seal-status+jwt"
    der = base64.b64decode(header["x5c"][0])
    answers = {k.certificate_serial for k in vault.pki.keys(LOCAL_OPERATOR) if k.purpose == "answer"}
    certificate = x509.load_der_x509_certificate(der)
    assert str(certificate.serial_number) in answers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    verify_named(plain(signature), f"{head}.{payload}".encode(), spki, Algorithm.ECDSA_P256_SHA256)


def test_a_revoked_or_compromised_certificate_shows_in_the_answer(door: Door, embedded_vault: Vault) -> None:
    made = post(door, "", "issuer", {"kind": "contract"}).json()["id"]
    for step in ("approve", "make", "activate"):
        post(door, f"/{made}/{step}", "custodian")
    before = embedded_vault.clock.now()
    key = embedded_vault.seals.get(made, LOCAL_OPERATOR).at_work.key_id  # type: ignore[union-attr]
    embedded_vault.pki.revoke(str(key), "key_compromise", LOCAL_OPERATOR)
    standings = embedded_vault.seal_standings
    assert standings.as_of(made, before).then.value == "VALID"
    assert standings.as_of(made, embedded_vault.clock.now()).then.value == "CERTIFICATE_REVOKED"
    refused = use(door, made, "custodian", a_pdf())
    assert (refused.status_code, refused.json()["code"]) == (409, "SEAL_WITHOUT_KEY")


def test_the_service_judges_by_the_seals_state_as_well(door: Door, embedded_vault: Vault) -> None:
    """The judge is a process of its own and asks for it."""
    made = post(door, "", "issuer", {"kind": "contract"}).json()["id"]
    for step in ("approve", "make", "activate"):
        post(door, f"/{made}/{step}", "custodian")
    sealed = base64.b64decode(use(door, made, "custodian", a_pdf(), baseline="B-B").json()["document"])

    def judged() -> Any:
        return door.client.post("/v1/verifications", files={"file": ("a.pdf", sealed)}).json()["files"][0]

    assert judged()["conclusion"] == "VALID"
    assert post(door, f"/{made}/suspend", "custodian", WHY).status_code == 200
    told = judged()
    assert told["conclusion"] == "INDETERMINATE"
    assert "SEAL_NOT_GOOD_THEN" in {f["code"] for f in told["findings"]}


def test_another_organizations_seals_look_like_none(door: Door, seal: str, embedded_vault: Vault) -> None:
    from certvault.errors import NotFoundError
    from certvault.model.actor import Actor

    other = Actor("token:x", frozenset({"custodian"}), issuer_code="11100000MB0143028R")
    assert embedded_vault.seals.list(other) == []
    for ask in (
        lambda: embedded_vault.seals.get(seal, other),
        lambda: embedded_vault.seals.log(seal, other),
        lambda: embedded_vault.seals.suspend(seal, other, "x"),
        lambda: embedded_vault.seals.destroy(seal, other),
        lambda: embedded_vault.seal_uses.permit(seal, ["0" * 64], purpose="x", actor=other),
        lambda: embedded_vault.seal_uses.uses(seal, other),
        lambda: embedded_vault.seal_files.seal_bytes(seal, b"", way(), actor=other),
    ):
        with pytest.raises(NotFoundError):
            ask()


def way() -> Any:
    from certvault.sealfiles import Way

    return Way(detached=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "none"}, "kind"),
        ({"kind": "finance", "name": "x" * 100}, "name"),
        ({"kind": "legal-representative"}, "person"),
        ({"kind": "finance", "person": "某人"}, "person"),
        ({"kind": "finance", "diameter_mm": 9}, "seal.diameter_mm"),
        ({"kind": "finance", "picture": base64.b64encode(b"GIF89a").decode()}, "seal.picture"),
        ({"kind": "finance", "owner": "11100000MB0143028R"}, "issuer"),
    ],
)
def test_a_seal_that_cannot_be_is_refused_by_field(door: Door, body: dict[str, Any], field: str) -> None:
    answer = post(door, "", "issuer", body)
    assert answer.status_code in (409, 422), answer.text
    assert answer.json()["field"] == field


def test_a_legal_representatives_name_is_kept_encrypted(door: Door, embedded_vault: Vault) -> None:
    made = post(door, "", "issuer", {"kind": "legal-representative", "person": "欧阳样例"})
    assert made.status_code == 201, made.text
    assert "欧阳样例" not in made.text
    known = embedded_vault.seals.get(made.json()["id"], LOCAL_OPERATOR)
    assert embedded_vault.seals.extras(known.newest).person == "欧阳样例"
    assert "欧阳样例".encode() not in (known.newest.face or b"")


def test_the_command_line_goes_the_same_way(tmp_path: Path, embedded_vault: Vault) -> None:
    def run(*arguments: str) -> Any:
        ran = Ran(arguments, tmp_path)
        assert ran.status == 0, ran.err
        return ran.json

    folder = str(embedded_vault.settings.folder)
    made = run("seal", "apply", "invoice", "--json", "--vault", folder)
    seal_id = made["id"]
    for step in ("approve", "make", "activate"):
        run("seal", step, seal_id, "--json", "--vault", folder)
    source, out = tmp_path / "a.pdf", tmp_path / "b.pdf"
    source.write_bytes(a_pdf())
    told = run(
        "seal", "use", seal_id, str(source), "-o", str(out), "--keyword", "signed here", "--json", "--vault", folder
    )
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["use"]["digest"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert embedded_vault.verification.verify(out.read_bytes()).conclusion.value == "VALID"
    now = embedded_vault.clock.now().isoformat()
    assert run("seal", "show", seal_id, "--at", now, "--json", "--vault", folder)["answer"]["status"] == "VALID"
    run("seal", "retire", seal_id, "--reason", "old", "--json", "--vault", folder)
    assert run("seal", "destroy", seal_id, "--yes", "--json", "--vault", folder)["state"] == "DESTROYED"
    steps = [e["step"] for e in run("seal", "log", seal_id, "--json", "--vault", folder)["events"]]
    assert steps == ["APPLY", "APPROVE", "MAKE", "ACTIVATE", "RETIRE", "DESTROY"]
