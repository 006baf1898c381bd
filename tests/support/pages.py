"""Composing example pages, and reading them back with PDFium, independently of what the verifier does."""

from __future__ import annotations

import ctypes
import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from templates.registry import LicenseType, shipped_types
from templates.render import Composition, FaceFacts, SealArt, assemble, compose
from templates.schema import CheckedData, check, make_number
from verify.formats.codes import Identifier
from verify.formats.license import FaceMap, static_digest

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime.date(2026, 11, 23)
MOMENT = datetime.datetime(2026, 11, 23, 1, 2, 3, tzinfo=datetime.UTC)
TYPES = {t.name: t for t in shipped_types()}
RARE = "𬭎㐂䶮𬱖㛃𫖯𠅤喆彧珺垚赟頔𬍛羴靐"
CODE_TEXT = "http://127.0.0.1:8000/verify#c=" + "aB3" * 150


def example(name: str, /, **changes: Any) -> dict[str, Any]:
    """The example data of one type, changed; a change to None takes the member out."""
    data = json.loads((ROOT / "examples" / f"{name}.json").read_text(encoding="utf-8")) | changes
    return {k: v for k, v in data.items() if v is not None}


def checked(name: str, /, **changes: Any) -> CheckedData:
    """Checked example data."""
    return check(TYPES[name], example(name, **changes), today=TODAY)


def printed(
    license_type: LicenseType, data: CheckedData, *, sample: bool = True, seal: SealArt | None = None
) -> Composition:
    """The composed page of some data."""
    facts = FaceFacts(
        identifier=str(Identifier(license_type.type_code, "11410200MB1234567C", "7K2M9QX4TB8W1ZR3", 1)),
        number=make_number(license_type, data, 1234),
        version=1,
        copy_number=data.copy_number,
    )
    art = seal or SealArt(data.authority[:40], "official", "41020000000001", 42.0)
    return compose(license_type, data, facts, sample=sample, seal=art)


def file_of(composition: Composition, **changes: Any) -> bytes:
    """The unsigned file of a page."""
    facts: dict[str, Any] = {
        "record": b'{"schema":"x"}',
        "code_text": CODE_TEXT,
        "title": "营业执照 91410200MA9G2LRQ0P",
        "created": MOMENT,
        "identifier": "1.2.156.3005.2.X",
        "issuer": "河南省开封市市场监督管理局",
    }
    return assemble(composition, **(facts | changes))


def with_fields(data: CheckedData, **fields: str) -> CheckedData:
    """The same data with other fields, unchecked."""
    return dataclasses.replace(data, fields={**data.fields, **fields})


def characters(pdf: bytes) -> Iterator[tuple[str, float, float]]:
    """Every character PDFium finds on the first page, with the centre of its box."""
    document = pypdfium2.PdfDocument(pdf)
    text = document[0].get_textpage()
    edges = [ctypes.c_double() for _ in range(4)]
    high = 0
    for index in range(pdfium.FPDFText_CountChars(text.raw)):
        code = pdfium.FPDFText_GetUnicode(text.raw, index)
        if pdfium.FPDFText_IsGenerated(text.raw, index):
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00
        pdfium.FPDFText_GetCharBox(text.raw, index, *edges)
        left, right, bottom, top = (e.value for e in edges)
        yield chr(code), (left + right) / 2, (bottom + top) / 2


def differences(pdf: bytes, face: FaceMap) -> list[str]:
    """Where page and face map disagree: characters outside every box or in two, boxes with another text."""
    boxes = [(i.field, i.text, i.box) for i in face.items] + [("", s.sha256, s.box) for s in face.static]
    found = [""] * len(boxes)
    wrong = []
    for char, x, y in characters(pdf):
        hits = [k for k, (_, _, b) in enumerate(boxes) if b[0] <= x <= b[2] and b[1] <= y <= b[3]]
        if len(hits) == 1:
            found[hits[0]] += char
        else:
            wrong.append(f"{char!r} at {x:.1f} {y:.1f} lies in {len(hits)} boxes")
    for (field, text, _), got in zip(boxes, found, strict=True):
        if (got if field else static_digest(got)) != text:
            wrong.append(f"{field or 'static'}: {got!r} is not {text!r}")
    return wrong


def without_space(text: str) -> str:
    """``text`` without any white space."""
    return "".join(text.split())


def folder(name: str, /, **changes: Any) -> dict[str, bytes]:
    """The files of a shipped type with some members of ``type.json`` (or whole files, by stem + ``_json``) replaced."""
    files = dict(TYPES[name].files)
    head = json.loads(files["type.json"])
    for key, value in changes.items():
        if key.endswith("_json"):
            files[key.removesuffix("_json") + ".json"] = json.dumps(value).encode()
        else:
            head[key] = value
    files["type.json"] = json.dumps(head).encode()
    return files


def parsed(files: Mapping[str, bytes], stem: str) -> Any:
    """The JSON value of one file of a folder."""
    return json.loads(files[f"{stem}.json"])
