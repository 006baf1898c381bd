"""Nobody takes the service from the others: memory, time, connections and judges are shared out."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.bodies import Bodies
from api.connections import PatientProtocol, protocol
from api.judging import pool as judging
from api.judging.turns import NoTurnError, Turns
from api.limits import Limits, Rate, RateLimiter, WaitingRoom
from api.problems import BusyError, LimitedError
from tests.api.conftest import GENEROUS, Door
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

MIB = 1024 * 1024


# ---- bodies


def test_a_body_that_is_only_announced_holds_no_memory() -> None:
    bodies = Bodies(Limits(bodies=100 * MIB, bodies_each=60 * MIB))
    for _ in range(1000):
        bodies.admit("a", "/v1/verifications", 60 * MIB)
    assert bodies.held == 0


def test_bodies_of_all_clients_together_have_a_limit() -> None:
    bodies = Bodies(Limits(bodies=10 * MIB, bodies_each=6 * MIB))
    bodies.hold("a", 6 * MIB)
    with pytest.raises(LimitedError):
        bodies.check_room("a", 1)
    with pytest.raises(BusyError):
        bodies.admit("b", "/v1/verifications", 5 * MIB)
    bodies.check_room("b", 4 * MIB)
    bodies.hold("a", -6 * MIB)
    bodies.check_room("a", 1)
    assert bodies.held == 0


@pytest.mark.parametrize("announced", [True, False])
def test_a_full_memory_is_said_and_passes(new_client: Callable[..., TestClient], announced: bool) -> None:
    client = new_client(bodies=1000)
    body = b'{"code": "' + b"x" * 2000 + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/verifications", content=body if announced else iter([body]), headers=headers)
    assert answer.status_code == 503
    assert answer.json()["code"] == "SERVICE_BUSY"
    assert int(answer.headers["retry-after"]) >= 1
    for _ in range(3):  # what a refused request held is free again
        assert client.post("/v1/verifications", content=body[:20] + b'"}', headers=headers).status_code == 200


def test_one_client_does_not_fill_the_memory(new_client: Callable[..., TestClient]) -> None:
    client = new_client(bodies_each=1000)
    answer = client.post("/v1/verifications", files={"file": ("a", b"x" * 2000)})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_memory_is_free_after_each_request(new_client: Callable[..., TestClient]) -> None:
    client = new_client(bodies=3000)
    for _ in range(4):
        assert client.post("/v1/verifications", files={"file": ("a", b"x" * 2000)}).status_code == 200


# ---- connections


@contextmanager
def served(vault: Vault, **changes: Any) -> Iterator[tuple[str, int]]:
    """The application behind the real server, as ``serve`` runs it."""
    import dataclasses

    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen(64)
    app = create_app(vault, limits=dataclasses.replace(GENEROUS, **changes))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, http=protocol(None), ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield door.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        door.close()


def all_of(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    connection.settimeout(10)
    got = b""
    try:
        while part := connection.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


HEAD = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"


def test_a_body_that_trickles_is_given_up(embedded_vault: Vault) -> None:
    with served(embedded_vault, body_patience=0.4, body_rate=10_000) as address:
        with socket.create_connection(address) as connection:
            connection.sendall(HEAD + b"{")
            began = time.monotonic()
            answer = all_of(connection)
        assert time.monotonic() - began < 5
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"BODY_TOO_SLOW" in answer
        with socket.create_connection(address) as connection:  # as fast as asked for
            connection.sendall(HEAD.replace(b"5000", b"13") + b'{"code":')
            time.sleep(0.1)
            connection.sendall(b' "x"}')
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_come_is_not_waited_for(
    embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.4)
    with served(embedded_vault) as address, socket.create_connection(address) as connection:
        connection.sendall(sent)
        began = time.monotonic()
        assert all_of(connection) == b""
        assert time.monotonic() - began < 5


def test_a_head_that_trickles_is_not_waited_for(embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.5)
    with served(embedded_vault) as address, socket.create_connection(address) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        ended = False
        for _ in range(100):
            try:
                connection.sendall(b"G")
            except OSError:
                ended = True
                break
            time.sleep(0.05)
        assert ended


def test_one_address_has_so_many_connections(embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "each", 3)
    with served(embedded_vault) as address:
        held = [socket.create_connection(address) for _ in range(3)]
        with socket.create_connection(address) as one_more:
            assert all_of(one_more) == b""
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert all_of(connection).startswith(b"HTTP/1.1 200 ")
            connection.close()
        with socket.create_connection(address) as again:
            again.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert all_of(again).startswith(b"HTTP/1.1 200 ")


# ---- rates count what costs


def test_more_than_a_bucket_is_waited_off() -> None:
    now = 0.0
    limiter = RateLimiter(Limits(rates={"k": Rate(10, 60)}, everyone={}), monotonic=lambda: now)
    assert limiter.take("k", "a", 25) == 0
    assert limiter.take("k", "a", 0) == pytest.approx(15)
    assert limiter.take("k", "a", 1) == pytest.approx(16)
    limiter.charge("k", "b", 30)
    assert limiter.take("k", "b") > 0
    now = 16.0
    assert limiter.take("k", "a", 1) == 0


def test_files_count_and_not_requests(new_client: Callable[..., TestClient]) -> None:
    client = new_client(rates={"verification": Rate(4, 0.1)})
    files = [("file", (f"{n}", b"x")) for n in range(3)]
    assert client.post("/v1/verifications", files=files).status_code == 200
    answer = client.post("/v1/verifications", files=files)
    assert answer.status_code == 429
    assert answer.json()["code"] == "TOO_MANY_REQUESTS"


def test_megabytes_count(new_client: Callable[..., TestClient]) -> None:
    client = new_client(rates={"verification-mib": Rate(2, 0.1)})
    assert client.post("/v1/verifications", files={"file": ("a", b"x" * 3 * MIB)}).status_code == 200
    assert client.post("/v1/verifications", json={"code": "x"}).status_code == 429


def test_a_judges_time_counts(new_client: Callable[..., TestClient]) -> None:
    client = new_client(rates={"judging": Rate(0, 0.001)})
    assert client.post("/v1/verifications", json={"code": "x"}).status_code == 200
    assert client.post("/v1/verifications", json={"code": "x"}).status_code == 429


def test_all_files_of_a_request_have_one_time(new_client: Callable[..., TestClient]) -> None:
    client = new_client(request_seconds=0.0)
    answer = client.post("/v1/verifications", files=[("file", ("a", b"x")), ("file", ("b", b"x"))])
    assert answer.status_code == 503
    assert answer.json()["code"] == "REQUEST_TOO_LONG"
    assert "INVALID" not in answer.text  # what was not judged is not judged badly


# ---- turns


def test_clients_take_turns_however_many_files_one_has() -> None:
    turns = Turns(1)
    turns.take("greedy")
    order: list[str] = []

    def wait(client: str) -> None:
        turns.take(client)
        order.append(client)
        turns.give(client)

    threads = []
    for client in ("greedy", "greedy", "greedy", "b", "c"):
        thread = threading.Thread(target=wait, args=(client,))
        thread.start()
        threads.append(thread)
        time.sleep(0.02)
    turns.give("greedy")
    for thread in threads:
        thread.join()
    assert order[:2] == ["b", "c"]
    assert len(order) == 5


def test_one_client_never_has_every_judge() -> None:
    turns = Turns(2)
    turns.take("greedy")
    with pytest.raises(NoTurnError):
        turns.take("greedy", 0.05)
    turns.take("other", 0.05)
    turns.give("greedy")
    turns.take("greedy", 0.05)


def test_a_command_that_has_the_judges_to_itself_uses_all() -> None:
    turns = Turns(2, shared=False)
    turns.take("", 0.05)
    turns.take("", 0.05)
    with pytest.raises(NoTurnError):
        turns.take("", 0.05)


def test_who_gave_up_waiting_takes_no_turn() -> None:
    turns = Turns(1)
    turns.take("a")
    with pytest.raises(NoTurnError):
        turns.take("b", 0.02)
    turns.give("a")
    turns.take("c", 0.02)


def test_the_waiting_room_is_shared_out() -> None:
    room = WaitingRoom(3, 2)
    with room.place("a"), room.place("a"):
        with pytest.raises(LimitedError), room.place("a"):
            pass
        with room.place("b"), pytest.raises(BusyError), room.place("c"):
            pass
    with room.place("a"), room.place("a"):
        pass


# ---- judges


def ask(pool: judging.Pool, vault: Vault, data: bytes) -> dict[str, Any]:
    """One verdict, in English."""
    own = vault.verification
    return pool.ask(judging.Question(data, own.trust(), own.evidence(), vault.clock.now()))["en"]


def test_judges_that_cannot_start_are_our_trouble_and_no_verdict(
    embedded_vault: Vault, new_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = 0

    def failing(*_: object, **__: object) -> None:
        nonlocal starts
        starts += 1
        raise OSError("no more processes")

    client = new_client()
    ended = time.monotonic() + 30
    while not client.app.state.services.judges._idle and time.monotonic() < ended:  # type: ignore[attr-defined]
        time.sleep(0.05)
    monkeypatch.setattr("subprocess.Popen", failing)
    client.app.state.services.judges._idle.pop().end()  # type: ignore[attr-defined]
    for _ in range(5):
        answer = client.post("/v1/verifications", json={"code": "x"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "SERVICE_BUSY"
        assert answer.headers["retry-after"]
    assert starts == 1  # and none is tried again at once
    monkeypatch.undo()
    monkeypatch.setattr(judging, "REST_SECONDS", 0)
    client.app.state.services.judges._resting_until = 0  # type: ignore[attr-defined]
    assert client.post("/v1/verifications", json={"code": "x"}).status_code == 200


def test_a_file_does_not_suffer_for_the_file_before(
    embedded_vault: Vault, issued: IssuedLicense, monkeypatch: pytest.MonkeyPatch
) -> None:
    with judging.Pool(1, seconds=30, memory=768 * MIB) as pool:
        assert ask(pool, embedded_vault, issued.record.encode())["conclusion"] == "VALID"
        (judge,) = pool._idle
        send = judge._send

        def dying(message: object, deadline: Any) -> None:
            judge._process.kill()
            judge._process.wait()
            send(message, deadline)

        monkeypatch.setattr(judge, "_send", dying)
        assert ask(pool, embedded_vault, issued.record.encode())["conclusion"] == "VALID"


def png(width: int, height: int, *, depth: int = 8, kind: int = 6, extra: bytes = b"") -> bytes:
    """A picture of one colour that is small as a file."""
    samples = {0: 1, 2: 3, 6: 4}[kind]
    row = b"\0" * (1 + (width * samples * depth + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A compressed text in a picture that unpacks to much."""
    body = b"Comment\0\0" + zlib.compress(b"x" * 100 * MIB, 9)
    return struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))


def jpeg_that_claims(width: int, height: int) -> bytes:
    """A small picture whose header says it is large."""
    buffer = io.BytesIO()
    Image.new("L", (16, 16)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def pdf_bomb() -> bytes:
    """A page whose content is deflated twice and unpacks to gigabytes."""
    inner = zlib.compress(b"0 0 m " * (MIB * 32), 9)
    stream = zlib.compress(inner * 20, 9)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 14400 14400]/Contents 4 0 R>>",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%b\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % p for p in places)
    trailer = b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer


BOMBS: dict[str, Callable[[], bytes]] = {
    "many pixels": lambda: png(20_000, 20_000, depth=1, kind=0),
    "heavy pixels": lambda: png(5_000, 5_000, depth=16, kind=6),
    "text in a picture": lambda: png(10, 10, extra=text_bomb()),
    "a claim": lambda: jpeg_that_claims(65_000, 65_000),
    "a claim below the limit": lambda: jpeg_that_claims(7_000, 7_000),
    "a page": pdf_bomb,
    "brackets": lambda: b'{"a":' * 200_000,
    "objects": lambda: b"%PDF-1.7\n1 0 obj" + b"[" * 500_000,
}


@pytest.fixture(scope="module")
def small_pool() -> Iterator[judging.Pool]:
    """A judge as the service has it."""
    with judging.Pool(1, seconds=Limits().judge_seconds, memory=Limits().judge_memory) as pool:
        yield pool


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_little_and_get_a_verdict(small_pool: judging.Pool, embedded_vault: Vault, name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 8 * MIB
    began = time.monotonic()
    verdict = ask(small_pool, embedded_vault, data)
    assert verdict["conclusion"] != "VALID"
    assert verdict["findings"]
    assert time.monotonic() - began < Limits().judge_seconds
    if small_pool._idle:
        status = Path(f"/proc/{small_pool._idle[0]._process.pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0])
        assert peak < 512 * 1024, name


def test_a_judge_has_its_ceilings_and_no_secret(
    embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch, issued: IssuedLicense
) -> None:
    monkeypatch.setenv("CERTVAULT_PIN", "424242")
    with judging.Pool(1, seconds=30, memory=768 * MIB) as pool:
        ask(pool, embedded_vault, issued.record.encode())
        folder = Path(f"/proc/{pool._idle[0]._process.pid}")
        limits = {line[:26].strip(): line[26:46].strip() for line in (folder / "limits").read_text().splitlines()}
        environment = (folder / "environ").read_bytes()
        arguments = (folder / "cmdline").read_bytes()
    assert limits["Max address space"] == str(768 * MIB)
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert b"424242" not in environment + arguments


# ---- forms


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n' + b"X: y\r\n" * 50 + b"\r\nx\r\n",
            400,
        ),
        (b"--b\r\nX: " + b"y" * 100_000 + b'\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n', 400),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 30, 400),
        (b'--b\r\nContent-Disposition: form-data; name="at"\r\n\r\n' + b"x" * 200_000 + b"\r\n", 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n' * 60, 413),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\xfe\x00"\r\n\r\nx\r\n', 200),
    ],
)
def test_forms_have_limits(door: Door, body: bytes, status: int) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = door.client.post("/v1/verifications", content=body + b"--b--\r\n", headers=headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["remedy"]


def test_nothing_of_an_upload_stays_on_the_disk(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened: list[object] = []

    def opening(*arguments: object, **_: object) -> io.BytesIO:
        opened.append(arguments)
        return io.BytesIO()

    monkeypatch.setattr("tempfile.TemporaryFile", opening)
    door.client.post("/v1/verifications", files={"file": ("a", b"x" * 3 * MIB)})
    assert opened == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_taken_is_a_refusal_in_both_languages() -> None:
    bodies = Bodies(Limits(bodies=1))
    with pytest.raises(RefusedError) as caught:
        bodies.admit("a", "/v1/verifications", 5)
    assert caught.value.first.reason.zh
    assert caught.value.first.remedy.en
