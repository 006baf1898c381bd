"""The command line as scripts see it: exit status, one JSON document on stdout, the rest on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from api.cli import run
from tests.api.conftest import EXAMPLES, example

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("LANG", "LC_ALL", "LC_MESSAGES")


class Ran:
    """One command line: status, stdout, stderr. In this process, which is quick; :func:`fresh` starts one."""

    def __init__(self, arguments: Sequence[object], cwd: Path, **environment: str) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in (*LANGUAGES, "CERTVAULT_VAULT")}
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**kept, **environment}, clear=True),
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            self.status = run([str(a) for a in arguments])
        self.out, self.err = out.getvalue(), err.getvalue()
        assert "Traceback" not in self.err + self.out

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def fresh(arguments: Sequence[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a vault in ``./var`` (key files) and one issued license, ``a.pdf`` and ``a.sdjwt``."""
    folder = tmp_path_factory.mktemp("home")
    made = Ran(["init", "--keys", "file", "--json"], folder)
    assert made.status == 0, made.err
    assert made.json["keys"] == "file"
    issued = Ran(
        ["issue", "food-business-license", EXAMPLES / "food-business-license.json", "-o", "a.pdf",
         "--record", "a.sdjwt", "--json"],
        folder,
    )  # fmt: skip
    assert issued.status == 0, issued.err
    (folder / "issued.json").write_text(issued.out)
    root = Ran(["verify", "a.pdf"], folder)
    assert root.status == 0, root.out + root.err
    return folder


@pytest.fixture(scope="module")
def root(home: Path) -> Path:
    """The vault's root, as a stranger would have it."""
    from certvault.bootstrap import open_vault

    with open_vault(home / "var") as vault:
        path = home / "root.pem"
        path.write_text(vault.pki.root_pem)
    return path


def test_issue_answers_like_http(home: Path) -> None:
    made = json.loads((home / "issued.json").read_text())
    assert {"identifier", "type", "number", "version", "standing", "issued_at", "sha256", "links"} <= set(made)
    assert (home / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (home / "a.sdjwt").read_text().count("~") > 3


def test_help_of_every_command(home: Path) -> None:
    commands = ["init", "issue", "mint", "verify", "wallet", "status", "serve", "demo", "doctor", "backup", "restore"]
    commands += ["token create", "types list", "types show", "types add", "key list", "key rollover"]
    for command in commands:
        ran = Ran([*command.split(), "--help"], home)
        assert ran.status == 0, command
        assert "--json" in ran.out, command
        assert "--vault" in ran.out, command


def test_verify_statuses(home: Path, tmp_path: Path) -> None:
    pdf = (home / "a.pdf").read_bytes()
    (tmp_path / "edited.pdf").write_bytes(pdf[:5000] + bytes([pdf[5000] ^ 1]) + pdf[5001:])
    (tmp_path / "plain.txt").write_text("no document")
    edited, plain = tmp_path / "edited.pdf", tmp_path / "plain.txt"
    cases: list[tuple[list[object], int]] = [
        (["a.pdf", "a.sdjwt"], 0),
        (["a.pdf", edited], 10),
        (["a.pdf", plain], 10),
        (["a.pdf", "--at", "2029-06-01T00:00:00Z"], 12),
        (["a.pdf", edited, "absent.pdf"], 1),
        ([], 2),
        (["a.pdf", "--no-such-option"], 2),
    ]
    for arguments, status in cases:
        ran = Ran(["verify", *arguments], home)
        assert ran.status == status, (arguments, ran.out, ran.err)


def test_verify_json_has_the_members_of_the_interface(home: Path) -> None:
    ran = Ran(["verify", "a.pdf", "--json", "--lang", "en"], home)
    (answer,) = ran.json["files"]
    assert list(ran.json) == ["files"]
    assert answer["file"] == "a.pdf"
    assert answer["conclusion"] == "VALID"
    assert answer["at"].endswith("Z")
    assert {"code", "about", "severity", "message", "where", "place", "clause"} <= set(answer["findings"][0])


def test_a_path_that_cannot_be_read_leaves_the_rest_judged(home: Path) -> None:
    ran = Ran(["verify", "a.pdf", "absent.pdf", "--json"], home)
    assert ran.status == 1
    assert [f["file"] for f in ran.json["files"]] == ["a.pdf"]
    assert [f["file"] for f in ran.json["errors"]] == ["absent.pdf"]


def test_trust_replaces_the_vaults_own(home: Path, root: Path, tmp_path: Path) -> None:
    with_vault = Ran(["verify", "a.pdf", "--trust", root, "--json"], home)
    assert with_vault.json["files"][0]["conclusion"] == "VALID"
    other = Ran(["init", "--keys", "file", "--name", "他处", "--vault", tmp_path / "other"], tmp_path)
    assert other.status == 0, other.err
    stranger = Ran(["verify", home / "a.pdf", "--vault", tmp_path / "other", "--json"], tmp_path)
    assert stranger.status == 11, stranger.out
    verdict = stranger.json["files"][0]
    assert (verdict["integrity"], verdict["conclusion"]) == ("INTACT", "INDETERMINATE")
    given = Ran(["verify", home / "a.pdf", "--vault", tmp_path / "other", "--trust", root, "--json"], tmp_path)
    assert given.json["files"][0]["conclusion"] == "VALID"


def test_without_a_vault(home: Path, root: Path, tmp_path: Path) -> None:
    nobody = Ran(["verify", home / "a.pdf", "--json"], tmp_path)
    assert nobody.status == 11, nobody.err
    assert "NO_TRUSTED_PATH" in {f["code"] for f in nobody.json["files"][0]["findings"]}
    trusted = Ran(["verify", home / "a.pdf", "--trust", root, "--json"], tmp_path)
    assert trusted.status == 12, trusted.out
    assert trusted.json["files"][0]["standing"] == "UNKNOWN"
    for command in (["types", "list"], ["doctor"], ["key", "list"]):
        refused = Ran([*command, "--json"], tmp_path)
        assert refused.status == 1
        assert refused.json["code"] == "SETTINGS_WRONG"
    wrong = Ran(["verify", home / "a.pdf", "--trust", home / "issued.json"], tmp_path)
    assert wrong.status == 2
    assert "TRUST_UNREADABLE" in wrong.err


def test_several_jobs_answer_in_order(home: Path) -> None:
    names = ["a.pdf", "a.sdjwt", "a.pdf", "a.sdjwt"]
    ran = Ran(["verify", *names, "--jobs", "2", "--json"], home)
    assert ran.status == 0, ran.err
    assert [f["file"] for f in ran.json["files"]] == names


def test_codes_in_both_languages(home: Path) -> None:
    codes = {c["code"]: c for c in Ran(["verify", "--codes", "--json"], home).json["codes"]}
    assert {"NO_TRUSTED_PATH", "EXPIRED", "DIGEST_MISMATCH"} <= set(codes)
    assert codes["EXPIRED"]["zh"] != codes["EXPIRED"]["en"]


def test_options_before_and_after_the_command(home: Path, tmp_path: Path) -> None:
    vault = home / "var"
    runs = [
        Ran(["--vault", vault, "--json", "types", "list"], tmp_path),
        Ran(["types", "list", "--vault", vault, "--json"], tmp_path),
        Ran(["types", "list", "--json"], tmp_path, CERTVAULT_VAULT=str(vault)),
    ]
    assert all(r.status == 0 for r in runs)
    assert runs[0].json == runs[1].json == runs[2].json


def test_a_refusal_names_field_reason_remedy_and_code(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({**example("food-business-license"), "valid_to": "someday"}))
    for lang, environment in (("zh", "zh_CN.UTF-8"), ("en", "en_US.UTF-8")):
        ran = Ran(["issue", "food-business-license", tmp_path / "bad.json", "--json"], home, LANG=environment)
        assert ran.status == 3
        assert ran.json["field"] == "valid_to"
        assert ran.json["reason"].isascii() == (lang == "en")
        assert "valid_to" in ran.err
        assert ran.json["code"] in ran.err


def test_data_that_is_no_object(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("[1")
    ran = Ran(["issue", "food-business-license", tmp_path / "bad.json", "--json"], home)
    assert (ran.status, ran.json["code"]) == (3, "DATA_MALFORMED")
    absent = Ran(["issue", "food-business-license", tmp_path / "absent.json", "--json"], home)
    assert (absent.status, absent.json["code"]) == (1, "PATH_UNREADABLE")


def test_usage_errors_are_2(home: Path) -> None:
    for arguments in (["no-such"], ["issue"], ["verify", "a.pdf", "--jobs", "none"], ["token", "create"]):
        assert Ran(arguments, home).status == 2, arguments
        assert Ran([*arguments, "--json"], home).json["code"] == "USAGE"


def test_types_show_is_the_schema(home: Path) -> None:
    schema = Ran(["types", "show", "food-business-license"], home).json
    assert schema["type"] == "object"
    assert Ran(["types", "show", "none"], home).status == 3


def test_status_and_wallet(home: Path, tmp_path: Path) -> None:
    identifier = json.loads((home / "issued.json").read_text())["identifier"]
    shown = Ran(["status", identifier, "--json"], home)
    assert (shown.status, shown.json["standing"]) == (0, "IN_FORCE")
    holder = shown.json["holders"][0]["code"]
    saved = Ran(["wallet", holder, "--out", tmp_path / "w.zip", "--json"], home)
    assert saved.status == 0
    assert identifier in saved.json["licenses"]
    with zipfile.ZipFile(tmp_path / "w.zip") as archive:
        assert "index.html" in archive.namelist()


def test_tokens_keys_doctor(home: Path) -> None:
    token = Ran(["token", "create", "--role", "issuer", "--json"], home)
    assert token.json["token"].startswith("cv_")
    assert Ran(["token", "create", "--role", "king"], home).status == 3
    assert Ran(["token", "create", "--role", "holder"], home).status == 3
    listed = Ran(["token", "list", "--json"], home).json["tokens"]
    name = token.json["token"].split("_")[1]
    assert name in {t["token"] for t in listed}
    assert token.json["token"] not in json.dumps(listed)
    assert Ran(["token", "revoke", name], home).status == 0
    keys = Ran(["key", "list", "--json"], home).json["keys"]
    assert {"seal", "code", "record", "tsa", "ocsp"} <= {k["purpose"] for k in keys}
    doctor = Ran(["doctor", "--json"], home)
    assert (doctor.status, doctor.json["clean"]) == (0, True)


def test_a_round_of_upkeep(home: Path) -> None:
    assert Ran(["worker", "--once", "--json"], home).status == 0


def test_a_vault_is_made_once(home: Path) -> None:
    again = Ran(["init", "--keys", "file", "--json"], home)
    assert (again.status, bool(again.json["code"])) == (3, True)


def test_rolling_a_key_over_keeps_what_was_signed(home: Path) -> None:
    rolled = Ran(["key", "rollover", "record", "--json"], home)
    assert (rolled.status, rolled.json["purpose"]) == (0, "record")
    assert Ran(["verify", "a.pdf", "a.sdjwt"], home).status == 0


def test_a_key_is_backed_up_under_shares_and_comes_back_by_them(home: Path, tmp_path: Path) -> None:
    key = Ran(["key", "rollover", "answer", "--exportable", "--json"], home).json["key"]
    kept, shares = tmp_path / "answer.backup", tmp_path / "shares"
    to_shares = ("--shares-to", shares, "--json")
    for wrong in ("3", "1/3"):
        assert Ran(["key", "backup", key, kept, "--shares", wrong, *to_shares], home).json["code"] == "KEY_SHARES"
    nowhere = Ran(["key", "backup", key, kept, "--shares", "2/3", "--json"], home)  # no terminal to show them on
    assert nowhere.json["refusals"][0]["field"] == "--shares-to"
    assert not kept.exists()
    backed_up = Ran(["key", "backup", key, kept, "--shares", "2/3", *to_shares], home)
    assert backed_up.status == 0, backed_up.err
    files = sorted(shares.iterdir())
    assert [f.name for f in files] == [f"share-{n}-of-3.txt" for n in (1, 2, 3)]
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in files)
    values = [line[7:] for f in files for line in f.read_text().splitlines() if line.startswith("value: ")]
    logged = "".join(p.read_text("utf-8", "replace") for p in (home / "var").glob("*.log"))
    assert len(values) == 3
    assert not [v for v in values if v in backed_up.out + backed_up.err + logged + kept.read_text()]
    assert Ran(["key", "rollover", "answer"], home).status == 0
    assert Ran(["key", "destroy", key, "--yes"], home).status == 0
    (backup_key,) = (home / "var" / "keys").glob("*-backup-*.wrap")
    backup_key.unlink()
    assert Ran(["key", "restore", kept, "--json"], home).json["code"] == "KEY_SHARES"
    restored = Ran(["key", "restore", kept, "--share", files[2], "--share", files[0], "--json"], home)
    assert (restored.status, restored.json["state"]) == (0, "RETIRED")


def test_mint_writes_a_line_for_every_row(home: Path, tmp_path: Path) -> None:
    good = example("food-business-license")
    rows = [good, {**good, "valid_to": "someday"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows))
    arguments = ["mint", "food-business-license", tmp_path / "rows.jsonl", "--out", tmp_path / "out", "--json"]
    ran = Ran(arguments, home)
    assert ran.status == 0, ran.err
    lines = [json.loads(line) for line in (tmp_path / "out" / "report.jsonl").read_text().splitlines()]
    assert [(line["row"], line["outcome"]) for line in lines] == [(1, "issued"), (2, "refused")]
    assert lines[1]["field"] == "valid_to"
    assert ran.json["job"] == Ran(arguments, home).json["job"]
    assert len((tmp_path / "out" / "report.jsonl").read_text().splitlines()) == 2


def test_backup_and_restore(home: Path, tmp_path: Path) -> None:
    saved = Ran(["backup", tmp_path / "backup", "--json"], home)
    assert saved.status == 0, saved.err
    restore = ["restore", tmp_path / "backup", "--vault", tmp_path / "again", "--json"]
    assert Ran(restore, home).json["code"] == "PIN_REFUSED"
    restored = Ran([*restore, "--pin-file", home / "var" / "pin"], home)
    assert restored.status == 0, restored.err
    identifier = json.loads((home / "issued.json").read_text())["identifier"]
    assert Ran(["status", identifier, "--vault", tmp_path / "again"], home).status == 0


def test_as_a_shell_sees_it(home: Path) -> None:
    good = fresh(["verify", "a.pdf", "--json"], home)
    assert (good.returncode, json.loads(good.stdout)["files"][0]["conclusion"]) == (0, "VALID")
    assert fresh(["verify", "absent.pdf"], home).returncode == 1
    assert fresh(["no-such"], home).returncode == 2
    refused = fresh(["types", "show", "none", "--json"], home)
    assert (refused.returncode, json.loads(refused.stdout)["code"]) == (3, "NOT_FOUND")


def test_demo_once(tmp_path: Path) -> None:
    command = ["demo", "--once", "--port", "0", "--examples", EXAMPLES, "--json"]
    ran = fresh(command, tmp_path)
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout)
    assert {e["type"] for e in shown["examples"]} == {p.stem for p in EXAMPLES.glob("*.json")}
    assert {(e["conclusion"], e["standing"]) for e in shown["examples"]} == {("VALID", "IN_FORCE")}
    assert "/sign-in#t=cv_" in shown["links"]["operator"]
    assert "/sign-in#t=cv_" in shown["links"]["holder"]
    assert "/readyz 200" in ran.stderr
    again = json.loads(fresh(command, tmp_path).stdout)
    assert [e["identifier"] for e in again["examples"]] == [e["identifier"] for e in shown["examples"]]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serving_until_interrupted(home: Path, stop: signal.Signals) -> None:
    served = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0", "--json"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stdout
    url = json.loads(served.stdout.readline())["url"]
    answer = httpx.get(f"{url}/readyz", timeout=30)
    assert answer.json() == {"status": "ready"}
    served.send_signal(stop)
    _, err = served.communicate(timeout=30)
    assert served.returncode == 0, err
    assert "GET /readyz 200" in err
    assert "Traceback" not in err


def test_a_port_in_use_is_said(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = Ran(["serve", "--port", taken.getsockname()[1], "--json"], home)
    assert ran.status == 3
    assert ran.json["code"] == "PORT_TAKEN"


def test_what_nobody_foresaw_has_a_number_and_goes_to_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from certvault import bootstrap

    def broken(*_: object) -> None:
        raise ZeroDivisionError("detail")

    monkeypatch.setattr(bootstrap, "open_vault", broken)
    ran = Ran(["types", "list", "--json"], home)
    assert (ran.status, ran.json["code"]) == (1, "INTERNAL")
    assert ran.json["reference"] in (home / "var" / "certvault.log").read_text()
    assert "ZeroDivisionError: detail" in (home / "var" / "certvault.log").read_text()
