"""Write the seeds anew: ``python -m tests.fuzz.sow``. All small, all our own making; keys are made for the occasion."""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from signing.formats.cms import sign_national
from signing.formats.pades import Baseline, seal_pdf
from signing.keys import KeyPurpose
from tests.fuzz.targets import SEEDS
from tests.support.forging import append_update
from tests.support.sealed import genuine, status_list, validation_data
from tests.support.seals import Maker, make_pki
from tests.support.signing_pki import AT, shared_pki
from verify.formats.agreement import Agreement, Conditions, FieldRule
from verify.formats.anchor import Anchor
from verify.formats.hubentry import HubEntry
from verify.formats.hublist import Admitted, HeldList, HubList
from verify.formats.kit import MANIFEST, packed
from verify.formats.report import report_content
from verify.formats.sm2 import sm3
from verify.formats.trustdelta import difference
from verify.formats.trustlist import Endpoints, ListedIssuer, ListedSeal, ListedType, TrustList


def main() -> None:
    """Write every seed; what fuzzing added by hand stays."""
    pki = shared_pki()
    sealed = genuine()
    small = _small()
    updated = append_update(small, {9: b"<</New true>>"})
    gap = re.search(rb"/Contents <([0-9a-fA-F]+)>", small)
    assert gap
    value = bytes.fromhex(gap[1].decode())
    cose = base64.urlsafe_b64decode(sealed.code.partition("#c=")[2] + "==")
    listed = status_list(pki)
    values = b"<</A[1 -2 .5 (te\\(x\\)t) <0aff> /N#20ame 3 0 R true null]/B<</C()>>>> % end\n42"
    streams = zlib.compress(b"0123456789" * 9)
    compressed = _streamed()
    for name, seeds in {
        "pdf_values": [values],
        "pdf_filters": [
            b"\0\x0c\x05" + streams,
            b"\2\1\1616263>",
            b"\3\1\1FCfN8~>",
            b"\4\1\1\2abc\xfed\x80",
            b"\1\1\1\x80\x0b\x60\x50",
        ],
        "pdf_xref": [_table(), compressed[compressed.index(b"3 0 obj") :]],
        "pdf_file": [small, updated, compressed],
        "pdf_update": [sealed.pdf[_end_of_seal(sealed.pdf) :][:12000]],
        "pdf_document": [small, updated, compressed, *_lasting()],
        "der": [value.rstrip(b"\0"), pki.issuing.certificate],
        "ber": [b"\x30\x80\x24\x80\x04\x01a\x04\x01b\0\0\x31\x06\x05\0\x02\x01\x05\0\0", value.rstrip(b"\0")],
        "cms": [value.rstrip(b"\0"), *_national()],
        "seal": _seals(),
        "crl": [pki.root_crl(AT)],
        "ocsp": [pki.ocsp(KeyPurpose.SEAL, at=AT)],
        "certificate": [pki.issuing.certificate, pki.root.certificate, pki.certificate(KeyPurpose.SEAL)],
        "jws": [listed],
        "record_token": [sealed.sd_jwt.encode()],
        "key_of_holder": [
            b'{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}' % (b"A" * 43, b"B" * 42 + b"A"),
            b'{"kty":"OKP","crv":"Ed25519","x":"%s"}' % (b"A" * 43),
            b'{"kty":"RSA","n":"%s","e":"AQAB"}' % (b"w" * 342),
        ],
        "status_list": [listed],
        "license_record": [sealed.record.canonical()],
        "report_subject": [report_content({"zh": {}}, "0" * 64, "2026-11-23T00:00:00Z")],
        "code_cbor": [cose],
        "code_text": [sealed.code.encode(), b"https://example.org/verify#c=AAAA"],
        "picture": _pictures(sealed.code),
        "anything": [small, listed, sealed.sd_jwt.encode(), sealed.code.encode()],
        **_regions(pki.root.certificate, pki.certificate(KeyPurpose.SEAL)),
    }.items():
        for number, seed in enumerate(seeds):
            path = SEEDS / name / f"seed-{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(seed)
    total = sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file())
    print(f"{total} bytes of seeds in {Path(SEEDS).name}/")


_PAGE = b"BT /F1 12 Tf 20 60 Td (Seed) Tj ET"


def _plain() -> bytes:
    """A page of one word, with a cross-reference table."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /SigFlags 3 >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Annots [6 0 R] /Resources << /Font "
        b"<< /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_PAGE), _PAGE),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /FT /Sig /T (Seal1) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /P 3 0 R /F 132 >>",
    ]
    out, offsets = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identity = b"<" + b"0123456789abcdef" * 2 + b">"
    trailer = b"<< /Size 7 /Root 1 0 R /ID [%s %s] >>" % (identity, identity)
    return out + b"xref\n0 7\n0000000000 65535 f \n%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (table, trailer, len(out))


def _table() -> bytes:
    return b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000057 00000 n \ntrailer\n<</Size 3/Root 1 0 R>>"


def _regions(root: bytes, leaf: bytes) -> dict[str, list[bytes]]:
    """What regions say to one another, unsigned: targets put signatures around it."""
    day = timedelta(days=1)
    base = "https://a.example"
    seal = ListedSeal("41020000000001", "公章", "official", (leaf,), True, AT, ("pades", "ses-4"))
    issuer = ListedIssuer("11410200MB1234567C", "某局", ("a",), ("4102",), AT, None, 3, True, (seal,), (leaf,), (leaf,))
    kind = ListedType("a", 1, "11100000MB0000000X001", "证", "Type", {"type": "object"})
    points = Endpoints(base, f"{base}/v1/trust-list", (f"{base}/status-lists/",))
    first = TrustList("410000", "省", 7, AT, AT + day, (root,), (), points, (issuer,), (kind,))
    second = replace(first, sequence=8, issuers=(replace(issuer, level=2),))
    anchor = Anchor("410000", (root,), name="省")
    entry = HubEntry("100000", "410000", "region", "省", anchor, base, 2, "100000", AT, AT + day, 1)
    held = HeldList(7, "0" * 64, 9, AT, AT + day, AT, 1)
    listed = HubList("100000", "国", 1, AT, AT + day, 1, base, (Admitted("a.b.c", held),))
    rules = (FieldRule("name", "entity"), FieldRule("kind", value="x"), FieldRule("s", "t", values={"甲": "A"}))
    agreed = Agreement("a0000001", 1, "110000", "410000", "a", "b", AT, AT, None, rules, Conditions(issuer_level=2))
    told = {"iss": base, "number": 1, "kind": "KEY_COMPROMISED", "iat": int(AT.timestamp())}
    return {
        "trust_list": [first.payload()],
        "trust_list_difference": [difference(first.to_json(), second.to_json(), "a.b.c") or b""],
        "agreement": [agreed.payload()],
        "anchor": [json.dumps(anchor.to_json()).encode()],
        "hub_list": [listed.payload()],
        "hub_entry": [entry.payload()],
        "notice": [json.dumps(told).encode()],
        "kit": [packed([(MANIFEST, b"a.b.c"), ("anchors/410000", b"{}")])],
    }


def _small(baseline: Baseline = Baseline.B_B) -> bytes:
    pki = shared_pki()
    return seal_pdf(
        _plain(),
        field="Seal1",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=baseline,
        stamp=None if baseline is Baseline.B_B else pki.tsa().at(AT),
        validation=None if baseline is Baseline.B_B else validation_data(pki, AT),
    )


def _lasting() -> list[bytes]:
    return [_small(Baseline.B_LT)]


def _end_of_seal(pdf: bytes) -> int:
    first, second, rest = (int(n) for n in re.findall(rb"/ByteRange *\[ *0 +(\d+) +(\d+) +(\d+)", pdf)[0])
    return second + rest


def _streamed() -> bytes:
    """A document whose objects lie in an object stream, listed by a cross-reference stream with a predictor."""
    inner = b"1 0 2 37 " + b"<</Type/Catalog/Pages 2 0 R>>".ljust(37) + b"<</Type/Pages/Kids[]/Count 0>>"
    out = b"%PDF-1.7\n"
    body = zlib.compress(inner)
    first = len(out)
    out += b"4 0 obj\n<</Type/ObjStm/N 2/First 9/Filter/FlateDecode/Length %d>>stream\n%s\nendstream\nendobj\n" % (
        len(body),
        body,
    )
    start = len(out)
    places = [b"\1" + offset.to_bytes(2, "big") + b"\0" for offset in (start, first)]
    rows = [b"\0\0\0\xff", b"\2\0\4\0", b"\2\0\4\1", *places]
    before, lines = bytes(4), b""
    for row in rows:
        lines += b"\2" + bytes((a - b) & 255 for a, b in zip(row, before, strict=True))
        before = row
    table = zlib.compress(lines)
    out += (
        b"3 0 obj\n<</Type/XRef/Size 5/W[1 2 1]/Root 1 0 R/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 4>>"
        b"/Length %d>>stream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(table), table, start)
    )
    return out


def _national() -> list[bytes]:
    """SignedData of GB/T 35275: beside its data, and around them with a time."""
    pki, digest = shared_pki("sm2"), sm3(b"document")
    signer, certificate = pki.signer(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL)
    around = sign_national(digest, signer=signer, certificate=certificate, content=b"document", signing_time=AT)
    return [sign_national(digest, signer=signer, certificate=certificate), around]


def _seals() -> list[bytes]:
    """Seals and seal signatures as the standards draw them, and with what else makers put into them."""
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(make_pki(Path(folder)), AT)
        return [
            maker.seal(4),
            maker.signature(1, b"document"),
            maker.seal(5, extensions="tagged", stamp=maker.pki.token),
            maker.signature(4, b"document", listed="digest", extensions="tagged", stamp=maker.pki.token),
        ]


def _pictures(code: str) -> list[bytes]:
    import zxingcpp
    from PIL import Image

    barcode = zxingcpp.create_barcode("https://example.org/verify#c=AAAA", zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(barcode, scale=2))
    found = []
    for kind in ("PNG", "JPEG"):
        out = io.BytesIO()
        drawn.convert("L").save(out, kind)
        found.append(out.getvalue())
    return found


if __name__ == "__main__":
    main()
