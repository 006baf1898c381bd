"""Seals of every version and shape for tests, written by hand and signed by OpenSSL with SM2 keys of its making."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import core, pem

from verify.formats.der import wrap
from verify.formats.sm2 import raw_of, sm3

IDENTITY = "distid:1234567812345678"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unnamed
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SealPki:
    """A folder of SM2 keys and certificates (``NAME.key``, ``NAME.pem``)."""

    folder: Path

    @property
    def root(self) -> bytes:
        """The trusted root, DER."""
        return self.certificate("root")

    def certificate(self, name: str) -> bytes:
        """A certificate, DER."""
        return bytes(pem.unarmor((self.folder / f"{name}.pem").read_bytes())[2])

    def sign(self, name: str, message: bytes) -> bytes:
        """An SM2 signature under the default identity, DER."""
        (self.folder / "message").write_bytes(message)
        return _openssl(self.folder, "dgst", "-sm3", "-sign", f"{name}.key", "-sigopt", IDENTITY, "message")


def make_pki(folder: Path) -> SealPki:
    """Roots ``root`` and ``other``; ``maker``, ``signer``, ``stranger`` under the first, ``rogue`` under the second."""
    (folder / "c.cnf").write_text(_CONFIG)
    for name in ("root", "other", "maker", "signer", "stranger", "rogue"):
        _openssl(folder, "genpkey", "-algorithm", "SM2", "-out", f"{name}.key")
    made = ("-config", "c.cnf", "-sm3", "-sigopt", IDENTITY)
    for name in ("root", "other"):
        subject = ("-subj", "/CN=seal root", "-extensions", "ca", "-days", "9000", "-out", f"{name}.pem")
        _openssl(folder, "req", "-x509", "-new", "-key", f"{name}.key", *made, *subject)
    for number, name in enumerate(("maker", "signer", "stranger", "rogue"), 5):
        authority = "other" if name == "rogue" else "root"
        common = "37030000001721" if name == "signer" else name
        _openssl(folder, "req", "-new", "-key", f"{name}.key", *made, "-subj", f"/CN={common}", "-out", "csr")
        by = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-extfile", "c.cnf", "-extensions", "leaf")
        identity = ("-vfyopt", IDENTITY, "-sigopt", IDENTITY, "-sm3", "-days", "400")
        _openssl(
            folder, "x509", "-req", "-in", "csr", *by, *identity, "-set_serial", str(number), "-out", f"{name}.pem"
        )
    return SealPki(folder)


def _openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout


@dataclass(frozen=True)
class Maker:
    """Writes seals and seal signatures; each keyword changes one thing from the good default."""

    pki: SealPki
    at: datetime

    def seal(
        self,
        version: int,
        *,
        maker: str = "maker",
        until: datetime | None = None,
        stated: int | None = None,
        listed: str = "certificate",
        extensions: str = "",
        critical: bool = False,
    ) -> bytes:
        """A bare seal, DER."""
        number = stated if stated is not None else version
        header = _sequence(_ia5("ES"), _integer(number), _ia5("test vendor"))
        info = _sequence(
            header,
            _ia5("37030000001721"),
            self._properties(version, until or self.at + 300 * _DAY, listed),
            _sequence(_ia5("PNG"), wrap(4, b"\x89PNG"), _integer(40), _integer(40)),
            _extensions(extensions, critical),
        )
        certificate, algorithm = wrap(4, self.pki.certificate(maker)), _oid(SM2_WITH_SM3)
        if version == 1:
            covered = _sequence(info, certificate, algorithm)
            return _sequence(info, _sequence(certificate, algorithm, _bits(self.pki.sign(maker, covered))))
        return _sequence(info, certificate, algorithm, _bits(self.pki.sign(maker, info)))

    def signature(
        self,
        version: int,
        document: bytes,
        *,
        signer: str = "signer",
        at: datetime | None = None,
        until: datetime | None = None,
        listed: str = "certificate",
        raw: bool = False,
        time_text: str | None = None,
    ) -> bytes:
        """A seal signature over ``document``, DER."""
        moment = at or self.at
        certificate, algorithm = wrap(4, self.pki.certificate(signer)), _oid(SM2_WITH_SM3)
        text = time_text or f"{moment:%Y%m%d%H%M%SZ}"
        time = _bits(text.encode()) if version == 1 else _general(moment)
        signed = _sequence(
            _integer(version),
            self.seal(version, until=until, listed=listed),
            time,
            _bits(sm3(document)),
            _ia5("/whole"),
            *((certificate, algorithm) if version == 1 else ()),
        )
        value = self.pki.sign(signer, signed)
        signature = _bits(raw_of(value) if raw else value)
        return _sequence(signed, signature) if version == 1 else _sequence(signed, certificate, algorithm, signature)

    def _properties(self, version: int, until: datetime, listed: str) -> bytes:
        der = self.pki.certificate("signer")
        digest = _sequence(wrap(19, b"1.2.156.10197.1.401"), wrap(4, sm3(der)))
        certificates = _sequence(wrap(4, der) if listed == "certificate" else digest)
        start = self.at - _DAY / 48
        times = (start, start, until)
        if version == 1:
            return _sequence(_integer(1), _utf8("test seal"), certificates, *(_utc(t) for t in times))
        kind = _integer(1 if listed == "certificate" else 2)
        return _sequence(_integer(1), _utf8("test seal"), kind, certificates, *(_general(t) for t in times))


def _extensions(form: str, critical: bool) -> bytes:
    if not form:
        return b""
    flag = wrap(1, b"\0" if not critical else b"\xff")
    one = _sequence(_oid("1.2.156.10197.6.7.2.2.1"), flag if critical else b"", wrap(4, core.UTF8String("2.1").dump()))
    listed = _sequence(one)
    return {"plain": listed, "tagged": wrap(0xA0, listed), "octets": wrap(4, listed)}[form]


def _sequence(*parts: bytes) -> bytes:
    return wrap(0x30, *parts)


def _ia5(text: str) -> bytes:
    return wrap(22, text.encode("ascii"))


def _utf8(text: str) -> bytes:
    return wrap(12, text.encode())


def _integer(number: int) -> bytes:
    return bytes(core.Integer(number).dump())


def _oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def _bits(content: bytes) -> bytes:
    return wrap(3, b"\0" + content)


def _utc(moment: datetime) -> bytes:
    return wrap(23, f"{moment:%y%m%d%H%M%SZ}".encode())


def _general(moment: datetime) -> bytes:
    return wrap(24, f"{moment:%Y%m%d%H%M%SZ}".encode())
