"""Two vaults on the command line: adopt, agree, countersign on both sides, and a license that then counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.app import app
from verify.formats.refusal import RefusedError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RULES = EXAMPLES / "agreements" / "road-transport.json"
TYPE = "road-transport-license"
HERE, THERE = "110000", "410200"


@dataclass
class World:
    folder: Path

    def run(self, vault: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        found = CliRunner().invoke(app, [*arguments, "--vault", str(self.folder / vault), "--json"])
        assert found.exit_code == code, found.output
        shown: dict[str, Any] = json.loads(found.stdout)
        return shown

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("agree"))
    for vault, region in (("here", HERE), ("there", THERE)):
        made.run(vault, "init", "--region", region, "--keys", "file", "--url", f"http://{vault}.example:8000")
        made.run(vault, "region", "anchor", "-o", made.path(f"{vault}.anchor"))
        made.run(vault, "region", "export", "-o", made.path(f"{vault}.list"))
    for vault, other in (("here", "there"), ("there", "here")):
        arguments = ("region", "adopt", made.path(f"{other}.list"), "--anchor", made.path(f"{other}.anchor"))
        made.run(vault, *arguments)
    example = str(EXAMPLES / f"{TYPE}.json")
    made.run("there", "issue", TYPE, example, "-o", made.path("a.pdf"), "--record", made.path("a.sdjwt"))
    return made


def recognition(world: World, file: str, *, code: int = 12) -> dict[str, Any]:
    """Without their status list nobody knows whether it is in force."""
    (shown,) = world.run("here", "verify", world.path(file), "--offline", code=code)["files"]
    found: dict[str, Any] = shown
    return found


def test_a_license_of_a_region_with_which_nothing_was_agreed(world: World) -> None:
    shown = recognition(world, "a.pdf")
    assert shown["conclusion"] == "VALID", shown["findings"]
    assert shown["recognition"]["outcome"] == "NOT_RECOGNIZED"
    assert shown["recognition"]["region"] == THERE
    assert "NO_AGREEMENT" in {f["code"] for f in shown["findings"]}


def test_agreeing_signing_on_both_sides_and_ending_it(world: World) -> None:
    agree = ("region", "agree", THERE, "--theirs", TYPE, "--ours", TYPE)
    until = ("--until", "2099-12-31", "--rules", str(RULES))
    made = world.run("here", *agree, *until, "-o", world.path("agreement.json"))
    assert (made["version"], made["state"], made["accepting"], made["issuing"]) == (1, "SIGNED", HERE, THERE)
    assert made["until"] == "2099-12-31T16:00:00Z"
    signed = world.run("there", "region", "countersign", world.path("agreement.json"), "-o", world.path("both.json"))
    assert signed["state"] == "COUNTERSIGNED"
    assert world.run("here", "region", "countersign", world.path("both.json"))["countersigned"] is True
    (listed,) = world.run("here", "region", "agreements")["agreements"]
    assert (listed["agreement"], listed["state"]) == (made["agreement"], "COUNTERSIGNED")
    for file in ("a.pdf", "a.sdjwt"):
        shown = recognition(world, file)
        codes = {f["code"] for f in shown["findings"]}
        assert shown["recognition"]["outcome"] == "UNKNOWN", shown["findings"]
        assert {"RECOGNITION_STANDING_UNKNOWN", "TYPE_NARROWED", "RECOGNITION_KNOWLEDGE"} <= codes
        assert "NO_AGREEMENT" not in codes
    ended = world.run("here", *agree, "--revoke")
    assert (ended["version"], ended["state"]) == (2, "REVOKED")
    assert "AGREEMENT_REVOKED" in {f["code"] for f in recognition(world, "a.pdf")["findings"]}


def test_a_wrong_rules_file_is_refused_with_every_reason(world: World) -> None:
    wrong = world.folder / "wrong.json"
    wrong.write_text(json.dumps({"fields": [{"ours": "nothing", "theirs": "operator_name"}]}), "utf-8")
    arguments = ("region", "agree", THERE, "--theirs", TYPE, "--ours", TYPE, "--rules", str(wrong))
    found = CliRunner().invoke(app, [*arguments, "--vault", world.path("here"), "--json", "--lang", "en"])
    assert isinstance(found.exception, RefusedError)
    assert [r.code for r in found.exception.refusals] == ["FIELD_UNKNOWN", "FIELDS_NOT_COVERED"]


def test_our_own_license_has_no_recognition(world: World) -> None:
    (shown,) = world.run("there", "verify", world.path("a.pdf"))["files"]
    assert shown["recognition"] is None
    assert shown["standing"] == "IN_FORCE"


@pytest.mark.parametrize("options", [("--revoke", "--approve"), ("--revoke", "--from", "2026-01-01")])
def test_options_that_do_not_go_together(world: World, options: tuple[str, ...]) -> None:
    arguments = ("region", "agree", THERE, "--theirs", TYPE, "--ours", TYPE, *options)
    assert CliRunner().invoke(app, [*arguments, "--vault", world.path("here")]).exit_code == 2
