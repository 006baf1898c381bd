"""Type folders made to hurt: nothing but a refusal comes of them, quickly, and nothing outside them is touched."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from templates.registry import FILES, load_type, read_folder
from templates.render import proof
from tests.support.pages import TYPES, folder, parsed
from verify.formats.refusal import RefusedError

NAME = "food-business-license"


def faults(files: dict[str, bytes]) -> str:
    """The English reasons for which the folder is refused; it must not take long."""
    began = time.monotonic()
    with pytest.raises(RefusedError) as caught:
        proof(load_type(files))
    assert time.monotonic() - began < 10
    text = " ".join(f"{r.field} {r.reason.en} {r.reason.zh}" for r in caught.value.refusals)
    text.encode()  # and can be shown
    return text


def with_field(**changes: Any) -> dict[str, bytes]:
    """The folder with one field of its schema changed."""
    schema = parsed(dict(TYPES[NAME].files), "schema")
    schema["properties"]["operator_name"] |= changes
    return folder(NAME, schema_json=schema)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*$",
        "^(a|aa){1,50}$",
        "^" + "a?" * 60 + "a" * 60,
        "^a*a*a*a*b",
        "(a|a)" * 30 + "b",
        "^" + "[ab]{0,100}" * 8 + "c",
        "(?=a)b",
        "(?P<x>a)(?P=x)",
        r"(.)\1",
        "(?i)a",
        "[",
        "a{4294967295}",
        "(" * 150,
    ],
)
def test_patterns_that_could_keep_a_value_busy_are_refused(pattern: str) -> None:
    assert "pattern" in faults(with_field(pattern=pattern, maxLength=4000))


def test_patterns_that_are_taken_are_quick_on_the_worst_value() -> None:
    for pattern in ("^a*a*b", "^[a-z]{0,900}[a-z]{0,900}!", "^" + "a?" * 15 + "b$", "^a+b?$"):
        field = load_type(with_field(pattern=pattern, maxLength=900)).fields["operator_name"]
        assert field.pattern is not None
        began = time.monotonic()
        assert field.pattern.search("a" * 900) is None or pattern == "^a+b?$"
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "changes",
    [
        {"$ref": "#"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$dynamicRef": "#x"},
        {"allOf": [{}]},
        {"title": "名\u202e称"},
        {"title": "a\x00"},
        {"title": "\ud800"},
        {"x-aliases": ["\x1b[2J"]},
        {"description": 5},
        {"examples": 5},
        {"examples": ["\u200b"]},
        {"maxLength": 10**30},
        {"maxLength": float("inf")},
        {"minLength": -1},
    ],
)
def test_members_that_could_reach_outside_or_deceive_are_refused(changes: dict[str, Any]) -> None:
    faults(with_field(**changes))


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "x\x00", "\ud800", "__proto__", "number", "A", "a" * 61, "x-y"]
)
def test_names_of_fields_are_plain(name: str) -> None:
    schema = parsed(dict(TYPES[NAME].files), "schema")
    schema["properties"][name] = {"type": "string", "title": "甲", "x-title-en": "x", "maxLength": 5}
    faults(folder(NAME, schema_json=schema))


@pytest.mark.parametrize("name", ["../../evil", "a/b", "..", "con:", "a b", "A", "", "\u202e"])
def test_names_of_types_are_plain(name: str) -> None:
    faults(folder(NAME, name=name))


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 40_000, b"{}", b"null", b"1e999", b"\xff", b"", b"NaN"])
@pytest.mark.parametrize("file", FILES)
def test_files_that_are_no_description(file: str, content: bytes) -> None:
    faults({**TYPES[NAME].files, file: content})


def test_many_equal_names_are_found_quickly() -> None:
    body = "{" + ",".join(f'"n{i}":0' for i in range(24_000)) + ',"n0":1}'
    assert "twice" in faults({**TYPES[NAME].files, "rules.json": body.encode()})


@pytest.mark.parametrize("number", [0, -1, 1e-9, 1e308, float("nan"), float("inf"), 10**400, True, "9", [1], None])
def test_absurd_measures_are_refused(number: Any) -> None:
    layout = parsed(dict(TYPES[NAME].files), "layout")
    for member in ("band", "corner"):
        changed = json.loads(json.dumps(layout))
        next(a for a in changed["art"] if a["kind"] == "frame")[member] = number
        faults(folder(NAME, layout_json=changed))


def test_links_and_other_things_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")

    def made(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        for file, data in TYPES[NAME].files.items():
            (path / file).write_bytes(data)
        return path

    def linked(path: Path) -> None:
        (path / "rules.json").unlink()
        (path / "rules.json").symlink_to(secret)

    def looped(path: Path) -> None:
        (path / "rules.json").unlink()
        (path / "rules.json").symlink_to(path / "rules.json")

    def piped(path: Path) -> None:
        (path / "rules.json").unlink()
        os.mkfifo(path / "rules.json")

    def nested(path: Path) -> None:
        (path / "rules.json").unlink()
        (path / "rules.json").mkdir()

    def huge(path: Path) -> None:
        with (path / "rules.json").open("r+b") as file:
            file.truncate(10 * 1024**3)

    def font(path: Path) -> None:
        (path / "font.ttf").write_bytes(b"x")

    for change in (linked, looped, piped, nested, huge, font):
        path = made(change.__name__)
        change(path)
        with pytest.raises(RefusedError) as caught:
            read_folder(path)
        assert "secret" not in str(caught.value)
    with pytest.raises(RefusedError):
        read_folder(secret)
    with pytest.raises(RefusedError):
        read_folder(tmp_path / "nowhere")
