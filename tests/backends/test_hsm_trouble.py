"""What a real token does to whoever asks it wrongly, and how it bears many askers at once."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signing.backends import open_backend
from signing.backends.pkcs11_uri import parse_pkcs11_uri
from signing.errors import KeyNotFoundError, MechanismError, PinError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

P256 = Algorithm.ECDSA_P256_SHA256
WRONG = "000000-wrong"
COUNT_LOW, FINAL_TRY, LOCKED = 0x10000, 0x20000, 0x40000
"""CKF_USER_PIN_… of PKCS#11 2.40, 3.2."""


def _token_file(tokens: Path, uri: str) -> Path:
    label = (parse_pkcs11_uri(uri).token or "").encode().ljust(32)
    return next(f for f in tokens.glob("*/token.object") if label in f.read_bytes())


def _flags(file: Path) -> tuple[int, int]:
    """Where SoftHSM keeps the token's flags, and what they are."""
    data = file.read_bytes()
    at = data.index(struct.pack(">QQ", 0x8000534B, 2)) + 16
    return at, int.from_bytes(data[at : at + 8], "big")


def _set_flags(file: Path, flags: int) -> None:
    at, there = _flags(file)
    data = file.read_bytes()
    file.write_bytes(data[:at] + struct.pack(">Q", there | flags) + data[at + 8 :])


def _elsewhere(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, which sees the token as it is on disk."""
    head = (
        "import sys\nfrom signing.backends import open_backend\nfrom signing.errors import *\n"
        "from signing.keys import KeyPurpose\nfrom verify.formats.algorithms import Algorithm\n"
        "P256 = Algorithm.ECDSA_P256_SHA256\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_refused_pin_never_reaches_the_token_again_until_the_source_gives_another(
    new_token: Callable[[], Any], tokens_folder: Path
) -> None:
    token = new_token()
    file = _token_file(tokens_folder, token.uri)
    given = [WRONG]
    backend = open_backend(token.uri, pin=lambda: given[0])
    with pytest.raises(PinError, match="refused the PIN"):
        backend.keys()
    assert _flags(file)[1] & COUNT_LOW  # the token counted it
    right = _elsewhere("print(open_backend(sys.argv[1], pin=lambda: sys.argv[2]).keys())", token.uri, token.pin)
    assert right.stdout.strip() == "[]", right.stderr
    assert not _flags(file)[1] & COUNT_LOW  # a good log-in clears the count
    for _ in range(20):
        with pytest.raises(PinError, match="not tried again") as caught:
            backend.keys()
        assert WRONG not in str(caught.value)
    assert not _flags(file)[1] & COUNT_LOW  # so the token was not asked again
    given[0] = token.pin
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    assert backend.sign(handle, b"x")


@pytest.mark.parametrize(("flag", "words"), [(FINAL_TRY, "would lock"), (LOCKED, "is locked")])
def test_a_token_that_would_lock_is_not_asked(
    new_token: Callable[[], Any], tokens_folder: Path, flag: int, words: str
) -> None:
    token = new_token()
    file = _token_file(tokens_folder, token.uri)
    _set_flags(file, flag)
    program = (
        "backend = open_backend(sys.argv[1], pin=lambda: sys.argv[2])\n"
        "for _ in range(3):\n"
        "    try:\n        backend.keys()\n"
        "    except PinNotTriedError as error:\n        print(error)\n"
    )
    for pin in (WRONG, token.pin):
        told = _elsewhere(program, token.uri, pin)
        assert told.stdout.count(words) == 3, told.stderr
        assert pin not in told.stdout + told.stderr
        assert _flags(file)[1] & flag  # a log-in, right or wrong, would have changed them
        assert not _flags(file)[1] & COUNT_LOW


def test_each_error_names_the_key_and_no_secret(token: Any) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    made = backend.generate("seal", P256, KeyPurpose.SEAL)
    gone = KeyHandle(made.uri.replace("seal", "lost"), made.spki, P256, KeyPurpose.SEAL)
    with pytest.raises(KeyNotFoundError) as missing:
        backend.sign(gone, b"x")
    assert missing.value.uri == gone.uri
    other = KeyHandle(made.uri, made.spki, Algorithm.RSA_PKCS1_SHA256, KeyPurpose.SEAL)
    with pytest.raises(MechanismError) as unsupported:
        backend.sign(other, b"x")
    assert unsupported.value.uri == made.uri
    locked_out = open_backend(token.uri, pin=lambda: WRONG)
    with pytest.raises(PinError) as refused:
        locked_out.sign(made, b"x")
    assert refused.value.uri == made.uri
    for error in (missing.value, unsupported.value, refused.value):
        assert error.uri in str(error)
        assert token.pin not in str(error)
        assert WRONG not in str(error)


def test_a_digest_of_the_wrong_length_is_refused(token: Any) -> None:
    backend = open_backend(token.uri, pin=lambda: token.pin)
    made = backend.generate("seal", P256, KeyPurpose.SEAL)
    for digest in (b"", b"d" * 20, b"d" * 31, b"d" * 33, b"d" * 48):
        with pytest.raises(SigningError, match="32 bytes"):
            backend.sign_digest(made, digest)


def test_processes_and_threads_together_wear_out_no_pool(token: Any) -> None:
    """Two processes besides this one, six threads in each, two sessions a process: more askers than places."""
    backend = open_backend(token.uri, pin=lambda: token.pin, sessions=2)
    handle = backend.generate("seal", P256, KeyPurpose.SEAL)
    program = (
        "import threading\n"
        "backend = open_backend(sys.argv[1], pin=lambda: sys.argv[2], sessions=2)\n"
        "handle = backend.handle_for(sys.argv[3], P256, KeyPurpose.SEAL)\n"
        "values = []\n"
        "def work():\n    values.extend(backend.sign(handle, b'x') for _ in range(10))\n"
        "threads = [threading.Thread(target=work) for _ in range(6)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\n"
        "print(' '.join(v.hex() for v in values))\n"
    )
    told: list[subprocess.CompletedProcess[str]] = []
    askers = [
        threading.Thread(target=lambda: told.append(_elsewhere(program, token.uri, token.pin, handle.uri)))
        for _ in range(2)
    ]
    here: list[bytes] = []
    askers += [
        threading.Thread(target=lambda: here.extend(backend.sign(handle, b"x") for _ in range(10))) for _ in range(6)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(120)
    values = here + [bytes.fromhex(v) for process in told for v in process.stdout.split()]
    assert len(values) == 180, [process.stderr for process in told]
    public = load_der_public_key(handle.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for value in values:
        public.verify(value, b"x", ec.ECDSA(hashes.SHA256()))
