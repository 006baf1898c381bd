"""A key's backup goes from one device to another by way of shares alone: tokens, key files, and between the two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signing.backends import Backend, open_backend
from signing.backends.shares import read_share
from signing.errors import KeyNotFoundError, NotExportableError, ShareError, SigningError
from signing.keys import KeyPurpose
from tests.backends.test_contract import _verify
from verify.formats.algorithms import Algorithm
from verify.formats.sm2 import verify_sm2

P256, RSA = Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PKCS1_SHA256
PURPOSE = "test"


@pytest.fixture(scope="module")
def device(new_token: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Backend]:
    """``device(kind)``: a new device, of kind token or files."""

    def make(kind: str) -> Backend:
        if kind == "token":
            token = new_token()
            return open_backend(token.uri, pin=lambda: token.pin)
        return open_backend(f"file:{tmp_path_factory.mktemp('keys')}", pin=lambda: "a passphrase")

    return make


@pytest.mark.parametrize("there", ["token", "files"])
@pytest.mark.parametrize("here", ["token", "files"])
def test_a_key_comes_back_in_another_device_and_signs(device: Callable[[str], Backend], here: str, there: str) -> None:
    first, second = device(here), device(there)
    shared = first.generate_shared_backup_key("backup", 2, 3, PURPOSE)
    wrapping = first.generate_wrapping_key("wrapping")
    secret = first.wrap(wrapping, b"s" * 32)
    handles = [
        first.generate("seal-1", P256, KeyPurpose.SEAL, exportable=True),
        first.generate("root-1", RSA, KeyPurpose.CA, exportable=True),
    ]
    wrapped = [first.back_up(h, shared.uri) for h in handles]
    backed_up = first.back_up_wrapped(wrapping, secret, shared.uri)
    inside = first.generate("inside", P256, KeyPurpose.CODE)
    with pytest.raises(NotExportableError):
        first.back_up(inside, shared.uri)
    texts = [s.to_text() for s in shared.shares]

    under = second.restore_backup_key("backup", [read_share(t) for t in texts[1:]])
    assert second.restore_backup_key("backup", [read_share(t) for t in texts[:2]]) == under
    assert first.restore_backup_key("backup", shared.shares[:2]) == shared.uri
    for handle, value in zip(handles, wrapped, strict=True):
        with pytest.raises(SigningError):
            second.put_back(handle, under, value[:-1] + bytes([value[-1] ^ 1]))
        moved = second.put_back(handle, under, value)
        assert (moved.spki, moved.purpose) == (handle.spki, handle.purpose)
        _verify(moved, second.sign(moved, b"after"), b"after")
        assert second.handle_for(moved.uri, moved.algorithm, moved.purpose) == moved
        with pytest.raises(SigningError, match="exists"):
            second.put_back(handle, under, value)
    own = second.generate_wrapping_key("own-wrapping")
    assert second.unwrap(own, second.put_back_wrapped(own, backed_up, under)) == b"s" * 32
    with pytest.raises(SigningError):
        second.put_back_wrapped(own, backed_up[:-1] + bytes([backed_up[-1] ^ 1]), under)
    first.destroy(handles[0])
    with pytest.raises(KeyNotFoundError):
        first.sign(handles[0], b"x")


def test_sm2_keys_travel_between_key_files(device: Callable[[str], Backend]) -> None:
    first, second = device("files"), device("files")
    shared = first.generate_shared_backup_key("backup", 2, 2, PURPOSE)
    handle = first.generate("seal-1", Algorithm.SM2_SM3, KeyPurpose.SEAL, exportable=True)
    under = second.restore_backup_key("backup", shared.shares)
    moved = second.put_back(handle, under, first.back_up(handle, shared.uri))
    verify_sm2(second.sign(moved, b"x"), b"x", handle.spki)


@pytest.mark.parametrize("kind", ["token", "files"])
def test_too_few_shares_make_nothing(device: Callable[[str], Backend], kind: str) -> None:
    backend = device(kind)
    shared = backend.generate_shared_backup_key("backup", 3, 4, PURPOSE)
    with pytest.raises(ShareError, match="3 shares"):
        backend.restore_backup_key("other", shared.shares[:2])
    with pytest.raises(ShareError):
        backend.generate_shared_backup_key("next", 1, 4, PURPOSE)
    with pytest.raises(SigningError):
        backend.wrap("file:next" if kind == "files" else "next", b"x")


def test_a_shared_backup_key_wraps_keys_and_does_nothing_else(device: Callable[[str], Backend]) -> None:
    token = device("token")
    shared = token.generate_shared_backup_key("backup", 2, 3, PURPOSE)
    with pytest.raises(SigningError):
        token.wrap(shared.uri, b"x" * 16)


def test_nothing_of_a_share_is_left_in_the_key_folder(device: Callable[[str], Backend]) -> None:
    backend = device("files")
    shared = backend.generate_shared_backup_key("backup", 2, 3, PURPOSE)
    kept = b"".join(f.read_bytes() for f in Path(backend.uri.removeprefix("file:")).iterdir())
    for share in shared.shares:
        assert share.value not in kept
