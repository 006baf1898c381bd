"""Webhooks end to end: real receivers on loopback that take, refuse, dawdle or are dead; deliverers that are killed."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from api.cli import service
from certvault import deliveries
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.standing import Act
from certvault.model.webhook import GIVE_UP, WebhookState, backoff
from tests.conftest import NOW
from verify.formats.refusal import RefusedError

ROOT = Path(__file__).resolve().parents[2]
TYPE = "food-business-license"
Example = Callable[[str], dict[str, Any]]


@dataclass
class Received:
    """One request that a receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def numbers(self) -> list[int]:
        return [c["number"] for c in self.value["data"]["changes"]]


@dataclass
class Receiver:
    """A system that subscribed. ``answers`` are the statuses it gives, the last one for ever; it answers when ``open``
    is set, and not before ``wait`` seconds."""

    answers: list[int] = field(default_factory=lambda: [200])
    wait: float = 0.0
    open: threading.Event = field(default_factory=threading.Event)
    got: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        receiver = self
        self.open.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.wait)
                receiver.open.wait(20)
                receiver.got.append(Received({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0])
                self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/changes"

    @property
    def numbers(self) -> list[int]:
        return [n for one in self.got for n in one.numbers]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """One vault whose clock stands until a test moves it on."""
    folder = tmp_path_factory.mktemp("webhooks") / "var"
    with create_vault(InitOptions(folder=folder, keys="file"), clock=FixedClock(NOW)) as made:
        yield made


@pytest.fixture(scope="module")
def license_id(vault: Vault) -> str:
    data = json.loads((ROOT / "examples" / f"{TYPE}.json").read_text("utf-8"))
    return vault.issuing.issue(TYPE, data, actor=LOCAL_OPERATOR).identifier


@pytest.fixture
def receiver(vault: Vault) -> Iterator[Callable[..., Receiver]]:
    """Makes receivers; subscriptions of the test are removed at its end."""
    made: list[Receiver] = []

    def make(**options: Any) -> Receiver:
        made.append(Receiver(**options))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()
    for found in vault.webhooks.list(LOCAL_OPERATOR):
        vault.webhooks.remove(found.id, LOCAL_OPERATOR)


def move(vault: Vault, **span: float) -> None:
    assert isinstance(vault.clock, FixedClock)
    vault.clock.at += datetime.timedelta(**span)


def toggle(vault: Vault, identifier: str, times: int = 1) -> list[int]:
    """Suspend and reinstate; the numbers of the acts."""
    numbers = []
    for _ in range(times):
        for act in (Act.SUSPEND, Act.REINSTATE):
            numbers.append(vault.life.act(identifier, act, actor=LOCAL_OPERATOR).number)
    return numbers


def signature_of(secret: str, got: Received) -> str:
    """The specification once more, written here."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def documented_check() -> Callable[..., bool]:
    """The receiver's code as the documentation gives it."""
    text = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    found: Callable[..., bool] = names["check"]
    return found


# --- messages ----------------------------------------------------------------------------------------------------


def test_a_message_carries_the_changes_and_a_signature_that_others_verify(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR, name="portal")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made.secret)
    numbers = toggle(vault, license_id)
    assert vault.deliveries.deliver() == {"delivered": 1, "failed": 0}
    (got,) = there.got
    assert got.numbers == numbers
    assert got.value["type"] == "licenses.changed"
    assert got.value["data"]["cursor"] == str(numbers[-1])
    page = vault.feed.page(str(numbers[0] - 1), 10, LOCAL_OPERATOR)
    from certvault.feed import entry_json

    assert got.value["data"]["changes"] == [entry_json(c, vault.settings.base_url) for c in page.changes]
    assert got.headers["webhook-signature"] == signature_of(made.secret, got)
    assert int(got.headers["webhook-timestamp"]) == int(vault.clock.now().timestamp())
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 0}


def test_only_what_was_subscribed_to_comes(vault: Vault, license_id: str, receiver: Callable[..., Receiver]) -> None:
    suspensions, others, nothing = receiver(), receiver(), receiver()
    vault.webhooks.add(suspensions.url, actor=LOCAL_OPERATOR, kinds=["suspend"], types=[TYPE])
    vault.webhooks.add(others.url, actor=LOCAL_OPERATOR, types=["business-license"])
    vault.webhooks.add(nothing.url, actor=LOCAL_OPERATOR, kinds=["revoke", "issue"])
    numbers = toggle(vault, license_id, 2)
    vault.deliveries.deliver()
    assert suspensions.numbers == numbers[::2]
    assert others.got == nothing.got == []
    places = {w.cursor for w in vault.webhooks.list(LOCAL_OPERATOR)}
    assert places == {numbers[-1]}, "what is not wanted is passed over once, not each time"


def test_many_changes_come_in_order_in_several_messages(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id, 6)
    with mock.patch.object(deliveries, "CHANGES", 5):
        assert vault.deliveries.deliver()["delivered"] == 3
    assert [len(one.numbers) for one in there.got] == [5, 5, 2]
    assert there.numbers == numbers
    assert len({one.headers["webhook-id"] for one in there.got}) == 3


def test_while_secrets_overlap_both_sign_and_afterwards_the_new_one_alone(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    old = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    new = vault.webhooks.rotate(old.webhook.id, LOCAL_OPERATOR, hours=2)
    assert new.secret != old.secret
    toggle(vault, license_id)
    vault.deliveries.deliver()
    move(vault, hours=2)
    toggle(vault, license_id)
    vault.deliveries.deliver()
    during, after = there.got
    assert during.headers["webhook-signature"].split(" ") == [
        signature_of(new.secret, during),
        signature_of(old.secret, during),
    ]
    assert after.headers["webhook-signature"] == signature_of(new.secret, after)


# --- what fails --------------------------------------------------------------------------------------------------


def test_waits_double_from_five_seconds_to_twelve_hours_and_fill_three_days() -> None:
    waits = [backoff(n, 0.5).total_seconds() for n in range(25)]
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 12 * 3600
    assert waits == sorted(waits)
    assert backoff(3, 0.0).total_seconds() == 30
    assert backoff(3, 1.0).total_seconds() == 50
    assert backoff(10**6, 1.0).total_seconds() == 15 * 3600
    spent, tries = 0.0, 0
    while spent < GIVE_UP.total_seconds():
        spent += waits[tries]
        tries += 1
    assert 15 <= tries <= 20


@pytest.mark.parametrize("answer", [500, 404, 302, 304, 199])
def test_what_was_not_taken_comes_again_later_as_it_was(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver], answer: int
) -> None:
    there = receiver(answers=[answer, 200])
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id)
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 1}
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 0}, "not before its time"
    later = toggle(vault, license_id)
    move(vault, seconds=7)
    assert vault.deliveries.deliver() == {"delivered": 2, "failed": 0}
    first, again, rest = there.got
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)
    assert again.headers["webhook-timestamp"] != first.headers["webhook-timestamp"]
    assert again.headers["webhook-signature"] == signature_of(made.secret, again)
    assert (again.numbers, rest.numbers) == (numbers, later)
    attempts = vault.webhooks.log(made.webhook.id, LOCAL_OPERATOR)
    assert [a.delivered for a in attempts] == [True, True, False]
    assert attempts[-1].status == answer or attempts[-1].code in {"WEB_ANSWER", "WEB_REDIRECT", "WEB_TIMEOUT"}


def test_a_receiver_that_fails_for_three_days_is_paused_with_a_line_and_goes_on_without_loss(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver(answers=[503])
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id)
    for _ in range(40):
        vault.deliveries.deliver()
        found = vault.webhooks.get(made.webhook.id, LOCAL_OPERATOR)
        if found.state is WebhookState.PAUSED:
            break
        assert vault.clock.now() < found.next_at <= vault.clock.now() + datetime.timedelta(hours=15)
        vault.clock.at = found.next_at
    assert (found.state, found.paused) == (WebhookState.PAUSED, "GIVEN_UP")
    assert 12 <= len(there.got) <= 25
    with vault._database.reading() as view:
        lines = view.audit.about(f"webhook:{made.webhook.id}")
    assert sorted(line.kind for line in lines) == ["WEBHOOK_ADDED", "WEBHOOK_GIVEN_UP"]
    there.answers = [200]
    move(vault, days=1)
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 0}
    vault.webhooks.resume(made.webhook.id, LOCAL_OPERATOR)
    assert vault.deliveries.deliver() == {"delivered": 1, "failed": 0}
    assert there.got[-1].numbers == numbers


def test_a_receiver_that_is_gone_is_paused_at_once(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver(answers=[410])
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    toggle(vault, license_id)
    vault.deliveries.deliver()
    assert vault.webhooks.get(made.webhook.id, LOCAL_OPERATOR).paused == "GONE"


def test_a_slow_and_a_dead_receiver_keep_nobody_waiting(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    slow, dead, good = receiver(), receiver(), receiver()
    slow.open.clear()
    dead.server.shutdown()  # its door stands open and nobody answers
    for one in (slow, dead, good):
        vault.webhooks.add(one.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id)
    at_work = vault.deliveries.begin()
    assert len(at_work) == 3
    numbers += toggle(vault, license_id)
    until = time.monotonic() + 9
    while good.numbers != numbers and time.monotonic() < until:
        vault.deliveries.begin()
        time.sleep(0.01)
    assert good.numbers == numbers
    assert slow.got == dead.got == [], "neither has answered yet"
    slow.open.set()
    dead.server.server_close()
    for future in at_work:
        future.result(20)
    assert slow.numbers[:2] == numbers[:2]


def test_a_deliverer_killed_after_sending_sends_the_same_message_again(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id)
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(vault.settings.folder), vault.clock.now().isoformat()],
        cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    assert there.numbers == numbers, "it was sent before the process died"
    later = toggle(vault, license_id)
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 0}, "the dead one's claim still stands"
    move(vault, seconds=61)
    assert vault.deliveries.deliver()["failed"] == 0
    first, again, rest = there.got
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)
    assert rest.numbers == later


KILLED = """
import datetime, os, signal, sys
from pathlib import Path
from certvault.bootstrap import open_vault
from certvault.clock import FixedClock
from certvault.deliveries import Deliveries

Deliveries._record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with open_vault(Path(sys.argv[1]), clock=FixedClock(datetime.datetime.fromisoformat(sys.argv[2]))) as vault:
    vault.deliveries.deliver()
"""


def test_two_deliverers_at_once_send_each_message_once(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    """Two processes would meet in the database as these two objects do."""
    there = receiver(wait=0.05)
    vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id, 5)
    one = vault.deliveries
    other = deliveries.Deliveries(
        one._database, one._cipher, one._feed, one._webhooks, one._web, one._settings, one._clock
    )
    with mock.patch.object(deliveries, "CHANGES", 2):
        at_work = [*one.begin(), *other.begin()]
        for future in at_work:
            future.result(20)
        other.close()
    assert there.numbers == numbers


def test_the_service_and_the_worker_deliver_by_themselves(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    """What both run beside their other work, at a quicker pace."""
    there = receiver()
    vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    with mock.patch.object(service, "DELIVER_SECONDS", 0.02), service._beside(vault):
        numbers = toggle(vault, license_id)
        until = time.monotonic() + 10
        while there.numbers != numbers and time.monotonic() < until:
            time.sleep(0.01)
    assert there.numbers == numbers


# --- what operators do -------------------------------------------------------------------------------------------


def test_a_replay_sends_everything_behind_the_cursor_as_new_messages(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    numbers = toggle(vault, license_id, 2)
    vault.deliveries.deliver()
    vault.webhooks.replay(made.webhook.id, str(numbers[0]), LOCAL_OPERATOR)
    vault.deliveries.deliver()
    first, again = there.got
    assert again.numbers == numbers[1:]
    assert again.headers["webhook-id"] != first.headers["webhook-id"]
    vault.webhooks.replay(made.webhook.id, "", LOCAL_OPERATOR)
    vault.deliveries.deliver()
    assert there.got[2].value["data"]["changes"][0]["act"] == "issue", "from the very beginning"
    with pytest.raises(RefusedError, match="CURSOR_UNKNOWN"):
        vault.webhooks.replay(made.webhook.id, str(numbers[-1] + 1), LOCAL_OPERATOR)


def test_a_paused_one_keeps_its_place_and_a_test_reaches_it(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    vault.webhooks.pause(made.webhook.id, LOCAL_OPERATOR)
    numbers = toggle(vault, license_id)
    assert vault.deliveries.deliver() == {"delivered": 0, "failed": 0}
    attempt = vault.deliveries.test(made.webhook.id, LOCAL_OPERATOR)
    assert (attempt.status, attempt.delivered) == (200, True)
    assert there.got[0].value["type"] == "webhook.test"
    assert there.got[0].headers["webhook-signature"] == signature_of(made.secret, there.got[0])
    vault.webhooks.resume(made.webhook.id, LOCAL_OPERATOR)
    vault.deliveries.deliver()
    assert there.got[1].numbers == numbers


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"url": "http://example.org/"}, "WEB_PLAIN_HTTP"),
        ({"url": "https://user:word@example.org/"}, "WEB_ADDRESS"),
        ({"url": "file:///etc/passwd"}, "WEB_ADDRESS"),
        ({"kinds": ["destroy"]}, "KIND_UNKNOWN"),
        ({"kinds": []}, "KIND_UNKNOWN"),
        ({"types": ["no-such-type"]}, "TYPE_UNKNOWN"),
        ({"name": "a\x1b[31m"}, "NAME"),
        ({"after": "999999"}, "CURSOR_UNKNOWN"),
        ({"actor": Actor("token:v", frozenset({"verifier"}))}, "FORBIDDEN"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(vault: Vault, options: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {"url": "https://example.org/", "actor": LOCAL_OPERATOR} | options
    with pytest.raises(RefusedError, match=code):
        vault.webhooks.add(given.pop("url"), **given)
    assert vault.webhooks.list(LOCAL_OPERATOR) == []


# --- attacks -----------------------------------------------------------------------------------------------------


def caught(vault: Vault, license_id: str, receiver: Callable[..., Receiver]) -> tuple[str, Received]:
    """A message that an attacker has seen, signed a moment ago by the machine's clock."""
    there = receiver()
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    toggle(vault, license_id)
    vault.deliveries.deliver()
    return made.secret, there.got[0]


@pytest.fixture
def true_time(vault: Vault) -> Iterator[None]:
    """The documented receiver reads the machine's clock, so it is set to the vault's."""
    with mock.patch("time.time", side_effect=lambda: vault.clock.now().timestamp()):
        yield


def test_the_documented_receiver_takes_a_genuine_message(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver], true_time: None
) -> None:
    secret, got = caught(vault, license_id, receiver)
    assert documented_check()(secret, got.headers, got.body)


def test_an_old_message_sent_again_is_refused_by_the_documented_receiver(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver], true_time: None
) -> None:
    secret, got = caught(vault, license_id, receiver)
    move(vault, seconds=299)
    assert documented_check()(secret, got.headers, got.body)
    move(vault, seconds=3)
    assert not documented_check()(secret, got.headers, got.body)
    fresh = got.headers | {"webhook-timestamp": str(int(vault.clock.now().timestamp()))}
    assert not documented_check()(secret, fresh, got.body), "the time is signed"


def test_a_message_that_was_changed_or_signed_by_others_is_refused_by_the_documented_receiver(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver], true_time: None
) -> None:
    secret, got = caught(vault, license_id, receiver)
    check = documented_check()
    assert not check(secret, got.headers, got.body.replace(b"suspend", b"amended"))
    assert not check(secret, got.headers | {"webhook-id": "msg_other"}, got.body)
    assert not check("whsec_" + base64.b64encode(bytes(32)).decode(), got.headers, got.body)
    for wrong in ("", "v1,", "v1a," + got.headers["webhook-signature"][3:], "é"):
        assert not check(secret, got.headers | {"webhook-signature": wrong}, got.body)
    for stamp in ("", "-1", "1e9", "٣", "nan"):
        assert not check(secret, got.headers | {"webhook-timestamp": stamp}, got.body)


def test_no_secret_is_in_database_audit_log_or_lists(
    vault: Vault, license_id: str, receiver: Callable[..., Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    from api.webhookjson import attempt_json, webhook_json

    there = receiver(answers=[500, 200])
    made = vault.webhooks.add(there.url, actor=LOCAL_OPERATOR)
    new = vault.webhooks.rotate(made.webhook.id, LOCAL_OPERATOR)
    toggle(vault, license_id)
    with caplog.at_level("DEBUG"):
        vault.deliveries.deliver()
        move(vault, seconds=10)
        vault.deliveries.deliver()
    shown = [webhook_json(w) for w in vault.webhooks.list(LOCAL_OPERATOR)]
    shown += [attempt_json(a) for a in vault.webhooks.log(made.webhook.id, LOCAL_OPERATOR)]
    with vault._database.reading() as view:
        lines = view.audit.about(f"webhook:{made.webhook.id}")
    assert len(lines) == 2
    text = json.dumps(shown) + caplog.text + repr(there.got) + repr(lines)
    stored = (vault.settings.folder / "vault.db").read_bytes() + (vault.settings.folder / "vault.db-wal").read_bytes()
    assert made.webhook.id.encode() in stored, "where it looks, the subscription is"
    for secret in (made.secret, new.secret):
        plain = secret.removeprefix("whsec_")
        raw = base64.b64decode(plain)
        assert plain not in text
        assert raw.hex() not in text
        assert plain.encode() not in stored
        assert raw not in stored
