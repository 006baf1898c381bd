"""Two processes on one database: a change made by one is in what the other serves, at once; on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import Vault
from certvault.model.actor import LOCAL_OPERATOR
from certvault.model.license import LicenseState
from certvault.model.standing import Act
from certvault.versions import Content
from verify.formats.refusal import RefusedError

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys, time
from pathlib import Path
from certvault.bootstrap import open_vault

folder, n, place = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
import base64, json, zlib

def value(vault):
    payload = vault.status_lists.token(n)[0].split(".")[1]
    lst = json.loads(base64.urlsafe_b64decode(payload + "=="))["status_list"]["lst"]
    return zlib.decompress(base64.urlsafe_b64decode(lst + "=="))[place // 4] >> place % 4 * 2 & 3

with open_vault(folder) as vault:
    seen = value(vault)
    print(seen, time.time(), flush=True)
    deadline = time.time() + 60
    while seen != 1 and time.time() < deadline:
        now = value(vault)
        if now != seen:
            seen = now
            print(seen, time.time(), flush=True)
        time.sleep(0.02)
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_another_process_sees_each_change_within_a_second(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]], kind: str, request: Any
) -> None:
    url = None if kind == "sqlite" else request.getfixturevalue("postgres_url")
    vault = make_vault(keys="file", database_url=url)
    made = vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)
    found = vault.licenses.readable(made.identifier, LOCAL_OPERATOR)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(vault.settings.folder), str(found.status_list), str(found.status_index)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().split()[0] == "0"
        for act, value in ((Act.SUSPEND, 2), (Act.REINSTATE, 0), (Act.REVOKE, 1)):
            vault.life.act(made.identifier, act, actor=LOCAL_OPERATOR)
            committed = time.time()
            seen, at = child.stdout.readline().split()
            assert int(seen) == value
            assert float(at) - committed < 1
        assert child.wait(timeout=30) == 0


def test_two_renewals_at_one_moment_leave_one_new_version(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]], postgres_url: str
) -> None:
    """One is done, the other is refused; the old version gives way once, and no number hangs in the air."""
    vault = make_vault(keys="file", database_url=postgres_url)
    made = vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)
    both = threading.Barrier(2)

    def renew(until: str) -> str:
        both.wait()
        try:
            done = vault.life.act(made.identifier, Act.RENEW, actor=LOCAL_OPERATOR, content=Content({}, until))
        except RefusedError as error:
            return error.first.code
        return type(done).__name__

    with ThreadPoolExecutor(2) as threads:
        answers = sorted(threads.map(renew, ("2030-01-01", "2030-02-01")))
    assert answers[1] == "Renewed", answers
    assert answers[0] in ("LICENSE_SUPERSEDED", "DUPLICATE_LICENSE")
    found = vault.licenses.readable(made.identifier, LOCAL_OPERATOR)
    assert [c.act for c in vault.standings.changes([made.identifier])[made.identifier]] == [Act.RENEW]
    with vault._database.reading() as view:
        assert [v.version for v in view.licenses.versions(found)] == [1, 2]
        assert view.licenses.in_state(LicenseState.ALLOTTED) == []
    assert vault.doctor().problems == ()
