"""License types as folders: what is shipped, and what is refused of a foreign one."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from templates.registry import MAX_FILE_BYTES, load_type, read_folder
from templates.render import proof
from tests.support.pages import TYPES, example, folder, parsed
from verify.formats.codes import uscc_fault
from verify.formats.refusal import RefusedError

NAMES = (
    "business-license",
    "business-license-duplicate",
    "driving-license",
    "food-business-license",
    "marriage-certificate",
    "road-transport-license",
)


def test_the_shipped_types() -> None:
    assert tuple(TYPES) == NAMES
    codes = [t.type_code for t in TYPES.values()]
    assert len(set(codes)) == len(codes)
    assert all(uscc_fault(code[:18]) is None for code in codes)
    assert TYPES["business-license"].type_code == "11100000MB0143028R001"
    assert TYPES["marriage-certificate"].type_code == "111000000000131433001"
    assert TYPES["road-transport-license"].type_code == "11100000000019713D008"
    assert [t.name for t in TYPES.values() if t.has_copies] == ["business-license-duplicate"]
    assert (TYPES["business-license"].layout.width, TYPES["business-license"].layout.height) == (420, 297)
    assert (TYPES["business-license-duplicate"].layout.width, TYPES["business-license-duplicate"].layout.height) == (
        210,
        297,
    )


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_json_schema_and_fits_the_example(name: str) -> None:
    schema = TYPES[name].schema
    jsonschema.Draft202012Validator.check_schema(dict(schema))
    jsonschema.Draft202012Validator(dict(schema)).validate(example(name))
    assert all(f.title.zh and f.title.en for f in TYPES[name].fields.values())


@pytest.mark.parametrize("name", NAMES)
def test_proof_of_everything_static(name: str) -> None:
    proof(TYPES[name])


def test_a_folder_of_a_department(tmp_path: Path) -> None:
    for name, data in folder("business-license", name="tea-house-permit", version=3).items():
        (tmp_path / name).write_bytes(data)
    loaded = load_type(read_folder(tmp_path))
    assert (loaded.name, loaded.version) == ("tea-house-permit", 3)
    assert loaded.digest != TYPES["business-license"].digest


def _refusal(files: dict[str, bytes]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        load_type(files)
    assert caught.value.first.code == "BAD_LICENSE_TYPE"
    assert caught.value.first.reason.zh
    return caught.value


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": "Tea House"}, "type.json: name"),
        ({"version": 0}, "type.json: version"),
        ({"version": 1.5}, "type.json: version"),
        ({"type_code": "11100000MB0143028X001"}, "type.json: type_code"),
        ({"title": {"zh": "甲"}}, "type.json: title.en"),
        ({"number": {"rule": "random"}}, "type.json: number.rule"),
        ({"number": {"rule": "field", "field": "nothing"}}, "type.json: number.field"),
        ({"number": {"rule": "sequence", "pattern": "A{year}"}}, "type.json: number.pattern"),
        ({"number": {"rule": "sequence", "pattern": "A{serial:6}{shell:rm}"}}, "type.json: number.pattern"),
        ({"number": {"rule": "sequence", "pattern": "{serial:6}", "maps": []}}, "type.json: number.maps"),
        ({"issuers": {"codes": ["123"]}}, "type.json: issuers.codes"),
        ({"script": "import os"}, "type.json: script"),
        ({"record": {"holders": []}}, "type.json: record.region"),
        ({"rules_json": [{"rule": "eval", "second": "name"}]}, "rules.json: [0].rule"),
        ({"rules_json": [{"rule": "different", "first": "name", "second": "nme"}]}, "rules.json: [0].second"),
        ({"rules_json": {}}, "rules.json"),
    ],
)
def test_faults_of_a_foreign_folder(changes: dict[str, Any], where: str) -> None:
    assert _refusal(folder("business-license", **changes)).first.field == where


def _schema(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    value = parsed(TYPES["business-license"].files, "schema")
    change(value)
    return folder("business-license", schema_json=value)


def _layout(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    value = parsed(TYPES["business-license"].files, "layout")
    change(value)
    return folder("business-license", layout_json=value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda s: s["properties"]["name"].update({"$ref": "http://x/"}), "schema.json: properties.name.$ref"),
        (lambda s: s["properties"]["name"].update(pattern="(a+)+$"), "schema.json: properties.name.pattern"),
        (lambda s: s["properties"]["name"].update(pattern="["), "schema.json: properties.name.pattern"),
        (lambda s: s["properties"]["name"].update({"x-format": "shell"}), "schema.json: properties.name.x-format"),
        (lambda s: s["properties"]["name"].pop("maxLength"), "schema.json: properties.name.maxLength"),
        (lambda s: s["properties"]["name"].update(title="住所"), "schema.json: properties.address.title"),
        (lambda s: s["required"].append("nobody"), "schema.json: required"),
        (lambda s: s.update(properties={}), "schema.json: properties"),
        (lambda s: s["properties"].update(Name=s["properties"]["name"]), "schema.json: properties.Name"),
    ],
)
def test_faults_of_a_schema(change: Callable[[dict[str, Any]], object], where: str) -> None:
    assert _refusal(_schema(change)).first.field == where


@pytest.mark.parametrize(
    ("change", "where", "word"),
    [
        (lambda v: v["fields"][1].update(field="nobody"), "layout.json: fields[1].field", "no field"),
        (lambda v: v["fields"][1].update(box=[410, 100, 60, 9]), "layout.json: fields[1]", "leaves the page"),
        (lambda v: v["fields"][1].update(box=v["fields"][2]["box"]), "layout.json: fields[2]", "overlaps"),
        (lambda v: v["code"].update(size=20), "layout.json: code.size", "30"),
        (lambda v: v["fields"][1].update(size=2), "layout.json: fields[1].size", "number"),
        (lambda v: v["static"][0].update(when={"field": "x"}), "layout.json: static[0].when.field", "no field"),
        (lambda v: v["art"].append({"kind": "image", "file": "/x"}), "layout.json: art[5].file", "unknown"),
        (lambda v: v["art"].append({"kind": "rosette"}), "layout.json: art[5].x", "missing"),
        (lambda v: v.update(sample=[]), "layout.json: sample", "sample"),
        (lambda v: v["fields"].pop(), "layout.json: fields", "identifier"),
    ],
)
def test_faults_of_a_layout(change: Callable[[dict[str, Any]], object], where: str, word: str) -> None:
    error = _refusal(_layout(change))
    assert error.first.field == where
    assert word in error.first.reason.en


def test_static_text_without_room_or_glyph_fails_the_proof() -> None:
    crowded = load_type(_layout(lambda v: v["static"][0].update(text="营业执照" * 9)))
    with pytest.raises(RefusedError, match="DOES_NOT_FIT"):
        proof(crowded)
    unknown = load_type(_layout(lambda v: v["static"][0].update(text="\U00012000")))
    with pytest.raises(RefusedError, match=r"MISSING_GLYPH.*U\+12000"):
        proof(unknown)


def test_files_of_a_folder() -> None:
    files = dict(TYPES["business-license"].files)
    assert "missing" in _refusal({k: v for k, v in files.items() if k != "rules.json"}).first.reason.en
    assert _refusal(files | {"code.py": b"1"}).first.field == "code.py"
    assert _refusal(files | {"rules.json": b" " * (MAX_FILE_BYTES + 1)}).first.field == "rules.json"
    assert "line 1" in _refusal(files | {"rules.json": b"[{]"}).first.reason.en
    assert "UTF-8" in _refusal(files | {"rules.json": b"\xff"}).first.reason.en
    assert "twice" in _refusal(files | {"type.json": b'{"name":"a","name":"b"}'}).first.reason.en
    assert _refusal(files | {"rules.json": b"[" * 100_000}).first.field.startswith("rules.json")
    assert "NaN" in _refusal(files | {"rules.json": b"[NaN]"}).first.reason.en


def test_reading_a_folder_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("x")
    inside = tmp_path / "type"
    inside.mkdir()
    (inside / "type.json").symlink_to(outside)
    with pytest.raises(RefusedError, match="not a regular file"):
        read_folder(inside)
    with pytest.raises(RefusedError, match="not a folder"):
        read_folder(outside)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for k, v in inner for p in _leaves(v, (*path, k)))]


@pytest.mark.parametrize("stem", ["type", "schema", "rules", "layout"])
def test_nothing_but_a_refusal_comes_of_a_broken_folder(stem: str) -> None:
    """Every member of every file, replaced by something else, is refused or harmless."""
    base = dict(TYPES["food-business-license"].files)
    value = json.loads(base[f"{stem}.json"])
    paths = _leaves(value)[1:]
    for path in paths if len(paths) < 200 else paths[::4]:
        for wrong in (None, -1, [], {}, True):
            broken = copy.deepcopy(value)
            place = broken
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = wrong
            with contextlib.suppress(RefusedError):
                load_type(base | {f"{stem}.json": json.dumps(broken).encode()})
