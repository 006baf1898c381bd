"""ofdrw, the software that makes and checks most seals in OFD files: it judges ours, and we judge those it makes."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from signing.formats.cms import sign_national
from signing.formats.eseal import SealPicture
from signing.formats.placement import AtPosition
from signing.formats.seal_document import Instrument, Profile, SealOrder, seal_document
from signing.formats.seal_look import VectorPicture
from tests.support import judges
from tests.support.contracts import DISC, contract, deflated, png
from tests.support.sealhands import AT, Hands, make_hands
from tests.support.signing_pki import shared_pki
from verify.formats.algorithms import Algorithm
from verify.formats.cms import CmsDigestError, check_signature, unverified_cms
from verify.formats.publickeys import BadSignatureError
from verify.formats.sealvalues import node_at
from verify.formats.sm2 import sm3
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

DOCUMENT = b"what is sealed"
_PICTURE = SealPicture("PNG", png(), 42, 42)
NAMES = ("v1", "v4", "v4-digest")


@pytest.fixture(scope="module")
def hands() -> Hands:
    return make_hands(Algorithm.SM2_SM3)


@pytest.fixture(scope="module")
def judged(seal_judges: None, hands: Hands, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Our seals and some that are not right, all in one start of the JVM."""
    folder = tmp_path_factory.mktemp("ofdrw")
    value = hands.sealed(DOCUMENT)
    picture = replace(hands.data().picture, kind="SVG", data=b"<svg/>" * 300, width_mm=40, height_mm=30)
    values = {
        "seal": hands.seal(),
        "signature": value,
        "by digest": hands.sealed(DOCUMENT, replace(hands.data(), by_digest=True)),
        "other picture": hands.sealed(DOCUMENT, replace(hands.data(), picture=picture)),
        "stamped": hands.sealed(DOCUMENT, stamp=lambda v: shared_pki("sm2").tsa().stamp(sm3(v), "sm3", AT)),
        "seal of another name": hands.seal().replace("测试市".encode(), "测试县".encode()),
        "other time": value.replace(b"20261101120000Z", b"20261101120001Z"),
        "broken": value[:-1],
        "cms": sign_national(sm3(DOCUMENT), signer=hands.signer, certificate=hands.signer_certificate),
    }
    values["signature in a pdf"], covered = _in_pdf(hands)
    document, other, in_pdf = folder / "document", folder / "other", folder / "covered"
    in_pdf.write_bytes(covered)
    document.write_bytes(DOCUMENT)
    other.write_bytes(DOCUMENT + b".")
    asked: list[judges.Asked] = []
    for name, data in values.items():
        (folder / name).write_bytes(data)
        kind = next((k for k in ("seal", "cms") if name.startswith(k)), "signature")
        about = in_pdf if name.endswith("pdf") else document
        asked.append((kind, folder / name, None if kind == "seal" else about))
    asked += [("signature", folder / "signature", other), ("cms", folder / "cms", other)]
    return dict(zip([*values, "other document", "cms over another"], judges.ofdrw(asked), strict=True))


def _in_pdf(hands: Hands) -> tuple[bytes, bytes]:
    """A contract sealed with the profile SES: the value in its field, and the bytes of its byte range."""
    hand = Instrument(hands.signer, hands.signer_certificate, (), hands.seal(replace(hands.data(), picture=_PICTURE)))
    order = SealOrder(hand, AT, (AtPosition(1, 15, 80),), VectorPicture(deflated(DISC), 42, 42), profile=Profile.SES)
    pdf = seal_document(contract(), order)
    found = re.search(rb"/ByteRange ?\[ *(\d+) +(\d+) +(\d+) +(\d+) *\]", pdf)
    assert found
    first, size, second, rest = (int(n) for n in found.groups())
    padded = bytes.fromhex(pdf[first + size + 1 : second - 1].decode())
    value = padded[: node_at(padded, 0, len(padded), "value").end]
    return value, pdf[first : first + size] + pdf[second : second + rest]


def test_our_seal_says_the_same_to_ofdrw(judged: dict[str, dict[str, Any]], hands: Hands) -> None:
    said, data = judged["seal"], hands.data()
    assert (said["version"], said["stated_version"], said["id"]) == (4, 4, data.seal_id)
    assert (said["name"], said["vendor"], said["type"]) == (data.name, data.vendor, data.kind)
    assert (said["picture"], said["picture_bytes"]) == (data.picture.kind, len(data.picture.data))
    assert (said["width"], said["height"]) == (data.picture.width_mm, data.picture.height_mm)
    for name, moment in (("created", data.created), ("valid_from", data.valid_from), ("valid_to", data.valid_to)):
        assert said[name] == f"{moment:%Y%m%d%H%M%S}GMT+00:00"


@pytest.mark.parametrize("name", ["seal", "signature", "by digest", "other picture", "stamped", "signature in a pdf"])
def test_ofdrw_finds_our_makers_signature_good_and_would_write_the_same_bytes(
    judged: dict[str, dict[str, Any]], name: str
) -> None:
    assert judged[name]["seal_good"] is True, judged[name]
    assert judged[name]["same_bytes"] is True


@pytest.mark.parametrize("name", ["signature", "by digest", "other picture", "stamped"])
def test_ofdrws_validator_finds_our_signature_good_and_its_signer_listed(
    judged: dict[str, dict[str, Any]], name: str
) -> None:
    assert judged[name]["good"] is True, judged[name]
    assert judged[name]["listed"] is True
    assert judged[name]["property"] == "/whole"
    assert judged[name]["stamped"] is (name == "stamped")


def test_ofdrws_validator_finds_our_value_in_a_pdf_good_over_its_byte_range(judged: dict[str, dict[str, Any]]) -> None:
    said = judged["signature in a pdf"]
    assert (said["good"], said["listed"], said["version"]) == (True, True, 4), said


def test_ofdrw_finds_our_national_cms_value_good(judged: dict[str, dict[str, Any]]) -> None:
    """Detached: what is inside ofdrw takes for the digest of the content, never for the content."""
    assert judged["cms"] == {"good": True}


def test_the_judge_is_awake(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["seal of another name"]["seal_good"] is False
    assert judged["other time"]["good"] is judged["other document"]["good"] is False
    assert judged["cms over another"]["good"] is False
    assert "error" in judged["broken"]


def test_ofdrw_and_we_agree_on_files_of_others(seal_judges: None, shared: Path, tmp_path: Path) -> None:
    """Seals and values from packages of three makers: each one good, and none over another's document."""
    asked: list[judges.Asked] = [("seal", shared / "vectors" / "seals" / f"UserV{v}.esl", None) for v in (1, 4, 5)]
    for name in ("v4signed", "signedFile", "allprotected"):
        with zipfile.ZipFile(shared / "vectors" / "seals" / f"{name}.ofd") as package:
            for part in ("SignedValue.dat", "Signature.xml"):
                (tmp_path / f"{name}.{part}").write_bytes(package.read(f"Doc_0/Signs/Sign_0/{part}"))
        asked.append(("signature", tmp_path / f"{name}.SignedValue.dat", tmp_path / f"{name}.Signature.xml"))
        asked.append(("signature", tmp_path / f"{name}.SignedValue.dat", tmp_path / f"{name}.SignedValue.dat"))
    for (kind, file, about), theirs in zip(asked, judges.ofdrw(asked), strict=True):
        document = about.read_bytes() if about else None
        at = datetime(2021, 1, 1, tzinfo=UTC)
        ours = inspect_seal(file.read_bytes(), trust=TrustStore(), at=at, document=document)
        steps = {s.code: s.outcome.value for s in [*ours.steps, *(s for row in ours.steps for s in row.steps)]}
        assert theirs["seal_good"] is (steps["SEAL_SIG"] == "PASSED") is True, file
        if kind == "signature":
            assert theirs["good"] is (steps["SIG_VALUE"] == steps["DATA_HASH"] == "PASSED"), file
            assert theirs["listed"] is (steps["SIGNER_NOT_IN_SEAL"] == "PASSED") is True


@pytest.fixture(scope="module")
def made(seal_judges: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what ofdrw makes."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "document").write_bytes(DOCUMENT)
    judges.ofdrw_seals(folder, folder / "document")
    return folder


def _inspect(made: Path, name: str, document: bytes = DOCUMENT) -> Inspection:
    trust = TrustStore(((made / "root.der").read_bytes(),))
    at = datetime.now(UTC) + timedelta(minutes=1)
    return inspect_seal((made / name).read_bytes(), trust=trust, at=at, document=document)


@pytest.mark.parametrize("name", NAMES[1:] + NAMES[:1])
def test_a_seal_that_ofdrw_makes_passes_every_step(made: Path, name: str) -> None:
    found = _inspect(made, f"{name}.esl")
    assert found.version == int(name[1])
    assert [(s.code, s.outcome.value) for s in found.steps] == [
        ("SEAL_FORMAT", "PASSED"),
        ("SEAL_SIG", "PASSED"),
        ("SEAL_CREATE_DATE", "NOT_RUN"),
        ("SEAL_MAKER_CERT", "PASSED"),
        ("SEAL_VALIDITY", "PASSED"),
        ("TIMESTAMP", "NOT_RUN"),
        (None, "PASSED"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_that_ofdrw_makes_is_good_and_over_this_document_only(made: Path, name: str) -> None:
    good, other = _inspect(made, f"{name}.dat"), _inspect(made, f"{name}.dat", b"something else")
    assert {s.outcome.value for s in good.steps} == {"PASSED", "NOT_RUN"}, good.to_json("en")
    assert [s.code for s in other.steps if s.outcome.value == "FAILED" and s.code] == ["DATA_HASH"]


@pytest.mark.parametrize("name", ["attributes", "plain"])
def test_a_national_cms_value_that_ofdrw_makes_is_read_and_good(made: Path, name: str) -> None:
    """GB/T 35275 with signed attributes, and without, where the digest itself is the content (spec 9, variant 2)."""
    value = unverified_cms((made / f"{name}.p7s").read_bytes())
    content = DOCUMENT if name == "attributes" else value.content or b""
    assert check_signature(value, content, value.content_type).signer.serial_number == 3
    with pytest.raises((CmsDigestError, BadSignatureError)):
        check_signature(value, content + b".", value.content_type)
