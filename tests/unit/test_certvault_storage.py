"""Sealing at rest, blind indexes, document stores, sessions, settings and the PIN."""

from __future__ import annotations

import datetime
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certvault.cipher import Cipher, normalised
from certvault.errors import CorruptDataError, SettingsError, StorageFullError, StorageUnavailableError
from certvault.model.keys import DataKey
from certvault.sessions import Session
from certvault.settings import Settings, read_pin, read_settings, write_pin
from certvault.store import FolderStore, Store, new_name
from signing.errors import PinError

AT = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)


class Keys:
    """Hands back what it is given: wrapping is the backends' own test."""

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        return wrapped


def data_keys(*generations: int, seed: bytes = b"k") -> list[DataKey]:
    masters = [DataKey("data", g, "u", seed * 31 + bytes([g]), AT) for g in generations]
    return [*masters, DataKey("index", 1, "u", seed * 32, AT)]


@pytest.fixture
def cipher() -> Cipher:
    return Cipher(Keys(), lambda: data_keys(1))


def test_what_is_sealed_opens_in_its_context_only(cipher: Cipher) -> None:
    sealed = cipher.seal("license:a", "公民".encode())
    assert cipher.open("license:a", sealed).decode() == "公民"
    for context in ("license:b", "record:a"):
        with pytest.raises(CorruptDataError):
            cipher.open(context, sealed)
    assert cipher.seal("license:a", b"x") != cipher.seal("license:a", b"x")


def test_every_changed_byte_is_noticed(cipher: Cipher) -> None:
    sealed = cipher.seal("license:a", b"0123456789")
    for i in range(len(sealed)):
        changed = bytearray(sealed)
        changed[i] ^= 1
        with pytest.raises(CorruptDataError):
            cipher.open("license:a", bytes(changed))
    for cut in range(len(sealed)):
        with pytest.raises(CorruptDataError):
            cipher.open("license:a", sealed[:cut])


def test_older_generations_still_open() -> None:
    old = Cipher(Keys(), lambda: data_keys(1)).seal("a:1", b"old")
    newer = Cipher(Keys(), lambda: data_keys(1, 2))
    assert newer.open("a:1", old) == b"old"
    assert newer.seal("a:1", b"x")[1:3] == b"\x00\x02"


def test_blind_indexes_meet_per_vault_and_kind(cipher: Cipher) -> None:
    other = Cipher(Keys(), lambda: data_keys(1, seed=b"o"))
    assert cipher.index("holder", "11010519491231002x") == cipher.index("holder", " 11010519491231002X ")
    assert cipher.index("holder", "1") != cipher.index("number", "1")
    assert cipher.index("holder", "1") != other.index("holder", "1")
    assert normalised("91 4102") == "914102"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    saved = {k: os.environ.get(k) for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    import boto3

    endpoint = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="licenses")
    yield f"s3://licenses/vault?endpoint={endpoint}"
    server.stop()
    for key, value in saved.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    from certvault.store_s3 import S3Store

    return S3Store(request.getfixturevalue("s3_url"))


def test_store_keeps_replaces_and_forgets(store: Store) -> None:
    store.check()
    names = [new_name() for _ in range(3)]
    for name in names:
        store.put(name, name.encode())
    store.put(names[0], b"again")
    assert store.get(names[0]) == b"again"
    assert set(names) <= set(store.names())
    for name in names:
        store.delete(name)
        store.delete(name)
    assert not set(names) & set(store.names())
    with pytest.raises(StorageUnavailableError):
        store.get(names[0])


def test_a_bucket_that_is_not_there_is_named_as_trouble(s3_url: str) -> None:
    from certvault.store_s3 import S3Store

    with pytest.raises(StorageUnavailableError):
        S3Store(s3_url.replace("licenses", "nowhere")).check()
    with pytest.raises(SettingsError):
        S3Store("s3://user:secret@bucket/x")


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(StorageFullError):
        store.put("ab" * 16, b"x")
    assert list(store.names()) == []


def test_a_session_lives_as_long_as_its_process(tmp_path: Path) -> None:
    mine = Session(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from certvault.sessions import Session;"
        "print(Session(Path(sys.argv[1])).id, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    theirs = child.stdout.readline().strip()
    assert mine.is_alive(theirs)
    assert mine.sweep() == 0
    child.kill()
    child.wait()
    assert not mine.is_alive(theirs)
    assert mine.sweep() == 1
    assert mine.is_alive(mine.id)
    mine.end()
    assert not list((tmp_path / "run").glob("*.lock"))


SETTINGS = Settings(
    folder=Path("/nowhere"), vault_id="0" * 16, region="410200", name='示例 "库"\\', base_url="http://127.0.0.1",
    suite="p256", production=False, database_url="sqlite:///vault.db", store_url="folder:store", keys_uri="file:keys",
    pin_source="file", softhsm_conf=None,
)  # fmt: skip


def test_settings_come_back_as_written(tmp_path: Path) -> None:
    written = replace(
        SETTINGS, folder=tmp_path.resolve(), web_plain_http=("10.0.0.1:80", "[::1]:80"), web_ca_file="ca.pem",
        web_proxy="http://proxy:3128", operator={"email": "help@a.example", "locality": "郑州市"},
    )  # fmt: skip
    written.write()
    assert read_settings(tmp_path) == written
    assert (tmp_path / "vault.toml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [
        ('suite = "p256"', 'suite = "md5"'), ("[keys]", "[keyes]"), ("[vault]", "[["),
        ("plain_http = []", 'plain_http = ["a"]'),
        ("[operator]", '[operator]\nfax = "1"'), ("[operator]", "[operator]\nemail = 1"),
        ("plain_http = []", 'proxy = "http://user:word@proxy:80"'), ("plain_http = []", "ca_file = 1"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(tmp_path: Path, change: tuple[str, str]) -> None:
    replace(SETTINGS, folder=tmp_path).write()
    path = tmp_path / "vault.toml"
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(SettingsError):
        read_settings(tmp_path)


def test_the_pin_comes_from_environment_or_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CERTVAULT_PIN", raising=False)
    with pytest.raises(PinError):
        read_pin(tmp_path, "file")
    write_pin(tmp_path, "123456")
    assert read_pin(tmp_path, "file") == "123456"
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(PinError, match="0600"):
        read_pin(tmp_path, "file")
    monkeypatch.setenv("CERTVAULT_PIN", "654321")
    assert read_pin(tmp_path, "file") == "654321"
    monkeypatch.delenv("CERTVAULT_PIN")
    with pytest.raises(PinError):
        read_pin(tmp_path, "env")
