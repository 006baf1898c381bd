"""What every backend does alike."""

from __future__ import annotations

import hashlib
import itertools
import threading

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signing.backends import Backend
from signing.errors import KeyNotFoundError, MechanismError, NotExportableError, PurposeError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import BackendSigner
from signing.tbs import DigestToBeSigned, ToBeSigned
from verify.formats.algorithms import Algorithm
from verify.formats.sm2 import message_digest, point_of_spki, verify_sm2

_numbers = itertools.count()


def _label(stem: str = "key") -> str:
    return f"{stem}-{next(_numbers)}"


def _verify(handle: KeyHandle, value: bytes, data: bytes) -> None:
    public = load_der_public_key(handle.spki)
    chosen = hashes.SHA384() if handle.algorithm.hash == "sha384" else hashes.SHA256()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(value, data, ec.ECDSA(chosen))
    elif handle.algorithm is Algorithm.RSA_PSS_SHA256:
        public.verify(value, data, padding.PSS(padding.MGF1(chosen), 32), chosen)
    else:
        public.verify(value, data, padding.PKCS1v15(), chosen)


@pytest.fixture(scope="module")
def rsa(backend: Backend) -> KeyHandle:
    return backend.generate("shared-rsa", Algorithm.RSA_PKCS1_SHA256, KeyPurpose.SEAL)


@pytest.fixture(scope="module")
def p256(backend: Backend) -> KeyHandle:
    return backend.generate("shared-p256", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.ECDSA_P384_SHA384])
def test_ecdsa_values_are_der_and_verify(backend: Backend, algorithm: Algorithm) -> None:
    handle = backend.generate(_label(), algorithm, KeyPurpose.CA)
    for text in (b"", b"x", b"y" * 100_000):
        _verify(handle, backend.sign(handle, text), text)


def test_rsa_pkcs1_and_pss_verify(backend: Backend, rsa: KeyHandle) -> None:
    _verify(rsa, backend.sign(rsa, b"data"), b"data")
    pss = backend.handle_for(rsa.uri, Algorithm.RSA_PSS_SHA256, KeyPurpose.SEAL)
    _verify(pss, backend.sign(pss, b"data"), b"data")


def test_a_digest_made_elsewhere_is_signed_for_seals_alone(backend: Backend, p256: KeyHandle, rsa: KeyHandle) -> None:
    digest = hashlib.sha256(b"data").digest()
    pss = backend.handle_for(rsa.uri, Algorithm.RSA_PSS_SHA256, KeyPurpose.SEAL)
    for handle in (p256, rsa, pss):
        _verify(handle, BackendSigner(backend, handle).sign_digest(DigestToBeSigned(digest, KeyPurpose.SEAL)), b"data")
        with pytest.raises(SigningError, match="32 bytes"):
            backend.sign_digest(handle, digest[1:])
    for purpose in set(KeyPurpose) - {KeyPurpose.SEAL}:
        named = backend.handle_for(p256.uri, p256.algorithm, purpose)
        for asked in (DigestToBeSigned(digest, purpose), DigestToBeSigned(digest, KeyPurpose.SEAL)):
            with pytest.raises(PurposeError):
                BackendSigner(backend, named).sign_digest(asked)
    if not backend.uri.startswith("pkcs11:"):
        sm2 = backend.generate(_label(), Algorithm.SM2_SM3, KeyPurpose.SEAL)
        e = message_digest(point_of_spki(sm2.spki), b"document")
        verify_sm2(backend.sign_digest(sm2, e), b"document", sm2.spki)


def test_a_key_is_found_by_uri_and_label(backend: Backend, p256: KeyHandle) -> None:
    assert backend.handle_for(p256.uri, p256.algorithm, p256.purpose) == p256
    assert backend.handle_for("shared-p256", p256.algorithm, p256.purpose) == p256
    assert p256.uri in set(backend.keys())


def test_a_label_is_taken_once(backend: Backend, p256: KeyHandle) -> None:
    with pytest.raises(SigningError, match="label exists"):
        backend.generate("shared-p256", Algorithm.ECDSA_P256_SHA256, KeyPurpose.CODE)
    assert backend.handle_for(p256.uri, p256.algorithm, p256.purpose).spki == p256.spki


@pytest.mark.parametrize("label", ["", "a/b", "../x", "a b", "é", "x" * 65, ".hidden", "a;type=cert"])
def test_labels_are_plain(backend: Backend, label: str) -> None:
    with pytest.raises(SigningError, match="no key label"):
        backend.generate(label, Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)


def test_a_missing_key_is_named(backend: Backend, p256: KeyHandle) -> None:
    with pytest.raises(KeyNotFoundError):
        backend.handle_for("never-made", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    gone = KeyHandle(p256.uri.replace("shared-p256", "never-made"), p256.spki, p256.algorithm, p256.purpose)
    with pytest.raises(KeyNotFoundError, match="never-made"):
        backend.sign(gone, b"x")


def test_an_algorithm_of_another_kind_is_refused(backend: Backend, p256: KeyHandle) -> None:
    with pytest.raises(MechanismError):
        backend.handle_for(p256.uri, Algorithm.RSA_PKCS1_SHA256, KeyPurpose.SEAL)


def test_sm2_is_made_or_refused_clearly(backend: Backend) -> None:
    """SoftHSM has no SM2: a token without the mechanism says so."""
    if not backend.uri.startswith("pkcs11:"):
        made = backend.generate(_label(), Algorithm.SM2_SM3, KeyPurpose.SEAL)
        verify_sm2(backend.sign(made, b"document"), b"document", made.spki)
        return
    with pytest.raises(MechanismError, match="sm2"):
        backend.generate(_label(), Algorithm.SM2_SM3, KeyPurpose.SEAL)


def test_a_signer_refuses_other_purposes(backend: Backend, p256: KeyHandle) -> None:
    signer = BackendSigner(backend, p256)
    _verify(p256, signer.sign(ToBeSigned(b"document", KeyPurpose.SEAL)), b"document")
    for purpose in set(KeyPurpose) - {KeyPurpose.SEAL}:
        with pytest.raises(PurposeError):
            signer.sign(ToBeSigned(b"document", purpose))


def test_destroy_is_final_and_repeatable(backend: Backend) -> None:
    handle = backend.generate(_label("doomed"), Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    backend.sign(handle, b"x")
    backend.destroy(handle)
    backend.destroy(handle)
    with pytest.raises(KeyNotFoundError):
        backend.sign(handle, b"x")
    assert handle.uri not in set(backend.keys())


def test_wrapping_is_authenticated(backend: Backend) -> None:
    uri, other = backend.generate_wrapping_key(_label("wrap")), backend.generate_wrapping_key(_label("wrap"))
    for size in (1, 32, 64):
        assert backend.unwrap(uri, backend.wrap(uri, b"k" * size)) == b"k" * size
    wrapped = backend.wrap(uri, b"k" * 32)
    assert backend.wrap(uri, b"k" * 32) != wrapped
    for position in range(0, len(wrapped), 7):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(SigningError):
            backend.unwrap(uri, bytes(changed))
    with pytest.raises(SigningError):
        backend.unwrap(other, wrapped)
    for wrong in (b"", b"x" * 65):
        with pytest.raises(SigningError):
            backend.wrap(uri, wrong)
    assert backend.unwrap(uri, wrapped) == b"k" * 32


def test_many_threads_sign_at_once(backend: Backend, p256: KeyHandle, rsa: KeyHandle) -> None:
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(12):
                handle = rsa if (number + turn) % 6 == 0 else p256
                data = b"%d %d" % (number, turn)
                _verify(handle, backend.sign(handle, data), data)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_it_works_on_after_close(backend: Backend, p256: KeyHandle) -> None:
    backend.sign(p256, b"x")
    if backend.uri == "memory:":
        return
    backend.close()
    backend.close()
    _verify(p256, backend.sign(p256, b"x"), b"x")


def test_no_way_leads_a_private_key_out(backend: Backend) -> None:
    names = [n for n in dir(backend) if not n.startswith("_")]
    assert not [n for n in names if "export" in n or "private" in n or "secret" in n]


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PKCS1_SHA256])
def test_only_a_key_made_for_it_is_backed_up_and_put_back(backend: Backend, algorithm: Algorithm) -> None:
    under, other = backend.generate_backup_key(_label("backup")), backend.generate_backup_key(_label("backup"))
    plain = backend.generate(_label(), algorithm, KeyPurpose.SEAL)
    with pytest.raises(NotExportableError):
        backend.back_up(plain, under)
    handle = backend.generate(_label("kept"), algorithm, KeyPurpose.SEAL, exportable=True)
    if backend.uri == "memory:":
        with pytest.raises(NotExportableError):
            backend.back_up(handle, under)
        return
    wrapped = backend.back_up(handle, under)
    with pytest.raises(SigningError):
        backend.put_back(handle, under, wrapped)  # it is there
    backend.destroy(handle)
    for key, content in ((other, wrapped), (under, bytes([wrapped[0] ^ 1]) + wrapped[1:]), (under, b"")):
        with pytest.raises(SigningError):
            backend.put_back(handle, key, content)
        assert handle.uri not in set(backend.keys())
    backend.put_back(handle, under, wrapped)
    _verify(handle, backend.sign(handle, b"x"), b"x")
    assert backend.handle_for(handle.uri, algorithm, KeyPurpose.SEAL) == handle
    assert backend.back_up(handle, under)
