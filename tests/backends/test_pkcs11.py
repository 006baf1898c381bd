"""A real SoftHSM token: gone and back, wrong PINs, forks, several tokens, keys that stay inside."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signing.backends import create_softhsm_token, open_backend
from signing.errors import BackendUnavailableError, KeyNotFoundError, PinError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

P256 = Algorithm.ECDSA_P256_SHA256


def _good(handle: KeyHandle, value: bytes, data: bytes) -> None:
    public = load_der_public_key(handle.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(value, data, ec.ECDSA(hashes.SHA256()))


@contextmanager
def _taken_out(folder: Path) -> Iterator[None]:
    """What pulling the token looks like: its objects are not there any more."""
    away = folder.with_name("pulled")
    folder.rename(away)
    try:
        yield
    finally:
        away.rename(folder)


def test_a_token_goes_and_comes_back_without_a_restart(token: Any, tokens_folder: Path) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    wrapping = backend.generate_wrapping_key("wrap")
    wrapped = backend.wrap(wrapping, b"secret")
    _good(handle, backend.sign(handle, b"before"), b"before")
    with _taken_out(tokens_folder):
        for _ in range(2):
            with pytest.raises(BackendUnavailableError) as caught:
                backend.sign(handle, b"while away")
            assert token.pin not in str(caught.value)
        with pytest.raises(BackendUnavailableError):
            backend.unwrap(wrapping, wrapped)
        with pytest.raises(BackendUnavailableError):
            backend.generate("late", P256, KeyPurpose.SEAL)
    _good(handle, backend.sign(handle, b"after"), b"after")
    assert backend.unwrap(wrapping, wrapped) == b"secret"
    late = backend.generate("late", P256, KeyPurpose.SEAL)
    _good(late, backend.sign(late, b"x"), b"x")


def test_threads_at_work_survive_a_token_that_goes_and_comes(token: Any, tokens_folder: Path) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    stop, faults, done = threading.Event(), [], [0] * 4

    def work(number: int) -> None:
        while not stop.is_set():
            try:
                _good(handle, backend.sign(handle, b"data"), b"data")
                done[number] += 1
            except BackendUnavailableError:
                continue
            except BaseException as error:
                faults.append(error)
                return

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        with _taken_out(tokens_folder):
            stop.wait(0.05)
        before = sum(done)
        for _ in range(100):  # a loaded machine is slow, not stuck
            stop.wait(0.1)
            if sum(done) > before:
                break
        assert sum(done) > before
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_second_door_needs_the_right_pin_too(token: Any) -> None:
    first = open_backend(token.uri, pin=lambda: token.pin)
    handle = first.generate("seal", P256, KeyPurpose.SEAL)
    second = open_backend(token.uri, pin=lambda: "not-this-one")
    with pytest.raises(PinError):
        second.sign(handle, b"x")
    assert first.sign(handle, b"x")


def test_without_a_pin_it_says_so(token: Any) -> None:
    with pytest.raises(PinError, match="no PIN"):
        open_backend(token.uri).keys()


def test_pin_source_of_the_uri(token: Any, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(token.pin)
    assert open_backend(f"{token.uri}&pin-source=file:{tmp_path / 'pin'}").keys() == []


def test_a_forked_child_has_sessions_of_its_own(token: Any) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    backend.sign(handle, b"x")
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [backend.sign(handle, b"y") for _ in iter(stop.is_set, True)])
    busy.start()
    try:
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    for turn in range(20):
                        _good(handle, backend.sign(handle, b"%d" % turn), b"%d" % turn)
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
    finally:
        stop.set()
        busy.join()
    assert codes == [0, 0, 0]
    _good(handle, backend.sign(handle, b"parent"), b"parent")


def test_other_processes_share_the_token(token: Any) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    program = (
        "import sys; from signing.backends import open_backend; from signing.keys import KeyPurpose;"
        "from verify.formats.algorithms import Algorithm as A;"
        "b = open_backend(sys.argv[1], pin=lambda: sys.argv[2]);"
        "h = b.handle_for(sys.argv[3], A.ECDSA_P256_SHA256, KeyPurpose.SEAL);"
        "sys.stdout.buffer.write(b''.join(b.sign(h, b'x') for _ in range(50))[:1])"
    )
    command = [sys.executable, "-c", program, token.uri, token.pin, handle.uri]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    for _ in range(50):
        _good(handle, backend.sign(handle, b"here"), b"here")
    assert [p.communicate()[0] for p in running] == [b"0", b"0"]


def test_two_tokens_of_one_module(new_token: Callable[[], Any]) -> None:
    one, two = new_token(), new_token()
    first, second = (open_backend(t.uri, pin=lambda t=t: t.pin) for t in (one, two))
    a, b = first.generate("seal", P256, KeyPurpose.SEAL), second.generate("seal", P256, KeyPurpose.SEAL)
    assert a.uri != b.uri
    _good(a, first.sign(a, b"x"), b"x")
    _good(b, second.sign(b, b"x"), b"x")
    with pytest.raises(KeyNotFoundError, match="another token"):
        first.sign(b, b"x")


def test_a_pool_of_one_serves_many_threads(token: Any) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin, sessions=1)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    values: list[bytes] = []
    threads = [threading.Thread(target=lambda: values.append(backend.sign(handle, b"x"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for value in values:
        _good(handle, value, b"x")
    assert len(values) == 6


def test_private_keys_stay_inside_unless_made_for_backup(token: Any) -> None:
    import pkcs11

    backend = open_backend(token.uri, pin=lambda: token.pin)
    backend.generate("inside", P256, KeyPurpose.SEAL)
    backend.generate("for-backup", P256, KeyPurpose.SEAL, exportable=True)
    backend.generate_wrapping_key("wrap")
    found = next(t for t in pkcs11.lib(_module(token.uri)).get_tokens() if token.uri.find(f"token={t.label}?") > 0)
    with found.open() as session:

        def fact(label: str, kind: pkcs11.ObjectClass, name: pkcs11.Attribute) -> bool:
            return bool(session.get_key(kind, label=label)[name])

        private, secret = pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.SECRET_KEY
        assert not fact("inside", private, pkcs11.Attribute.EXTRACTABLE)
        assert fact("inside", private, pkcs11.Attribute.SENSITIVE)
        assert fact("for-backup", private, pkcs11.Attribute.EXTRACTABLE)
        assert fact("for-backup", private, pkcs11.Attribute.SENSITIVE)
        assert not fact("wrap", secret, pkcs11.Attribute.EXTRACTABLE)


def _module(uri: str) -> str:
    from signing.backends.pkcs11_uri import parse_pkcs11_uri

    path = parse_pkcs11_uri(uri).module_path
    assert path is not None
    return path


def test_a_missing_token_and_module_are_named(token: Any) -> None:
    other = token.uri.replace("token=", "token=no-such-")
    with pytest.raises(BackendUnavailableError, match="no-such-"):
        open_backend(other, pin=lambda: "1234").keys()
    with pytest.raises(BackendUnavailableError, match="nowhere"):
        open_backend("pkcs11:token=x?module-path=/nowhere.so", pin=lambda: "1234")


def test_another_softhsm_configuration_needs_another_process(token: Any, tmp_path: Path) -> None:
    open_backend(token.uri, pin=lambda: token.pin).keys()
    with pytest.raises(SigningError, match="configuration|process of its own"):
        open_backend(token.uri, pin=lambda: token.pin, softhsm_conf=tmp_path / "other.conf")


def test_a_label_is_given_to_one_token(token: Any, tmp_path: Path) -> None:
    label = token.uri.partition("token=")[2].partition("?")[0]
    with pytest.raises(SigningError, match="exists"):
        create_softhsm_token(tmp_path, label, "1234")
