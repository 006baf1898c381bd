"""Seals of every version and shape for tests, written by hand and signed by OpenSSL with SM2 keys of its making.

Nothing here uses our own writer. Each keyword of :class:`Maker` changes one thing from the good default.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import core, pem, x509

from verify.formats.der import wrap
from verify.formats.sm2 import raw_of, sm3

IDENTITY = "distid:1234567812345678"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
RSA_WITH_SHA1, RSA_WITH_SHA256 = "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.11"
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
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[exchange]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyAgreement
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[stamp]
default_tsa = stamping
[stamping]
serial = tsserial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
[ca_list]
default_ca = list
[list]
database = index
default_crl_days = 300
"""
_DAY = timedelta(days=1)
_LEAFS = ("maker", "signer", "stranger", "rogue", "tsa", "exchange", "rsa")
_COMMON = {"signer": "37030000001721"}


@dataclass(frozen=True)
class SealPki:
    """A folder of keys and certificates (``NAME.key``, ``NAME.pem``)."""

    folder: Path

    @property
    def root(self) -> bytes:
        """The trusted root, DER."""
        return self.certificate("root")

    def certificate(self, name: str) -> bytes:
        """A certificate, DER."""
        return bytes(pem.unarmor((self.folder / f"{name}.pem").read_bytes())[2])

    def sign(self, name: str, message: bytes, algorithm: str = SM2_WITH_SM3) -> bytes:
        """A signature: SM2 under the default identity in DER, or RSA."""
        (self.folder / "message").write_bytes(message)
        how = {
            SM2_WITH_SM3: ("-sm3", "-sigopt", IDENTITY),
            RSA_WITH_SHA1: ("-sha1",),
            RSA_WITH_SHA256: ("-sha256",),
        }
        return _openssl(self.folder, "dgst", *how.get(algorithm, how[SM2_WITH_SM3]), "-sign", f"{name}.key", "message")

    def token(self, stamped: bytes) -> bytes:
        """A timestamp token (DER) over these bytes, of now, by ``tsa``."""
        (self.folder / "stamped").write_bytes(stamped)
        (self.folder / "tsserial").write_text("01")
        query = ("ts", "-query", "-data", "stamped", "-sha256", "-cert", "-no_nonce", "-out", "query")
        _openssl(self.folder, *query)
        made = ("ts", "-reply", "-config", "c.cnf", "-section", "stamping", "-queryfile", "query", "-token_out")
        return _openssl(self.folder, *made, "-out", "/dev/stdout")

    def revocations(self, **since: datetime) -> bytes:
        """A list (DER) of the root that revokes these certificates, each since its time."""
        rows = [
            f"R\t401231000000Z\t{at:%y%m%d%H%M%S}Z\t{_LEAFS.index(name) + 5:02X}\tunknown\t/CN={name}\n"
            for name, at in since.items()
        ]
        (self.folder / "index").write_text("".join(rows))
        (self.folder / "index.attr").write_text("unique_subject = no\n")
        made = ("-config", "c.cnf", "-name", "list", "-gencrl", "-md", "sm3", "-sigopt", IDENTITY)
        listed = _openssl(self.folder, "ca", *made, "-cert", "root.pem", "-keyfile", "root.key")
        return bytes(pem.unarmor(listed)[2])

    def issued(
        self,
        key: str,
        extensions: bytes,
        *,
        subject: bytes | None = None,
        serial: int = 77,
        authority: str = "root",
        issuer: bytes | None = None,
    ) -> bytes:
        """A certificate (DER) over a key of the folder, with these extensions as they are, signed by ``authority``.

        ``extensions`` are the extensions one after another; ``subject`` and ``issuer`` are whole names.
        """
        above, own = x509.Certificate.load(self.certificate(authority)), x509.Certificate.load(self.certificate(key))
        now = datetime.now(UTC)
        algorithm = _sequence(_oid(SM2_WITH_SM3), b"\x05\x00")
        tbs = _sequence(
            wrap(0xA0, _integer(2)),
            _integer(serial),
            algorithm,
            issuer if issuer is not None else above.subject.dump(),
            _sequence(_utc(now - _DAY), _utc(now + 400 * _DAY)),
            subject if subject is not None else own.subject.dump(),
            own.public_key.dump(),
            wrap(0xA3, _sequence(extensions)),
        )
        return _sequence(tbs, algorithm, _bits(self.sign(authority, tbs)))


def make_pki(folder: Path) -> SealPki:
    """Roots ``root`` and ``other`` of one name; ``rogue`` under the second, the rest under the first.

    ``maker``, ``signer`` and ``stranger`` may seal, ``tsa`` (P-256) stamps, ``exchange`` may not sign, ``rsa`` has an
    RSA key.
    """
    (folder / "c.cnf").write_text(_CONFIG)
    for name in ("root", "other", *_LEAFS):
        kind = {
            "tsa": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
            "rsa": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        }
        _openssl(folder, "genpkey", "-algorithm", *kind.get(name, ("SM2",)), "-out", f"{name}.key")
    made = ("-config", "c.cnf", "-sm3", "-sigopt", IDENTITY)
    for name in ("root", "other"):
        subject = ("-subj", "/CN=seal root", "-extensions", "ca", "-days", "9000", "-out", f"{name}.pem")
        _openssl(folder, "req", "-x509", "-new", "-key", f"{name}.key", *made, *subject)
    for number, name in enumerate(_LEAFS, 5):
        authority = "other" if name == "rogue" else "root"
        asking = ("-config", "c.cnf", "-subj", f"/CN={_COMMON.get(name, name)}", "-out", "csr")
        own = ("-sha256",) if name in ("tsa", "rsa") else ("-sm3", "-sigopt", IDENTITY)
        _openssl(folder, "req", "-new", "-key", f"{name}.key", *asking, *own)
        profile = name if name in ("tsa", "exchange") else "leaf"
        by = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-extfile", "c.cnf", "-extensions", profile)
        proof = () if name in ("tsa", "rsa") else ("-vfyopt", IDENTITY)
        identity = (*proof, "-sigopt", IDENTITY, "-sm3", "-days", "400", "-set_serial", str(number))
        _openssl(folder, "x509", "-req", "-in", "csr", *by, *identity, "-out", f"{name}.pem")
    return SealPki(folder)


def _openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout


Change = Callable[[bytes], bytes]


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
        certificate: bytes | None = None,
        signer: bytes | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        created: datetime | None = None,
        stated: int | None = None,
        listed: str = "certificate",
        list_type: int | None = None,
        kind: int = 1,
        seal_id: str = "37030000001721",
        picture: str = "PNG",
        data: bytes = b"\x89PNG",
        extensions: str = "",
        critical: bool | None = False,
        algorithm: str = SM2_WITH_SM3,
        named: bytes | None = None,
        value: Change = bytes,
        stamp: Change | None = None,
        more: bytes = b"",
    ) -> bytes:
        """A bare seal, DER.

        ``certificate`` stands for the maker's, ``signer`` for the one that is listed; ``named`` is the algorithm as it
        is written; ``value`` changes the signature value, ``stamp`` makes a timestamp of it; ``more`` is an element
        too many. ``critical`` None leaves the flag out.
        """
        number = stated if stated is not None else version
        header = _sequence(_ia5("ES"), _integer(number), _ia5("test vendor"))
        times = (created or self.at - _DAY / 48, since or self.at - _DAY / 48, until or self.at + 300 * _DAY)
        info = _sequence(
            header,
            _ia5(seal_id),
            self._properties(version, times, listed, signer or self.pki.certificate("signer"), kind, list_type),
            _sequence(_ia5(picture), wrap(4, data), _integer(40), _integer(40)),
            _extensions(extensions, critical),
        )
        by, name = wrap(4, certificate or self.pki.certificate(maker)), named or _oid(algorithm)
        if version == 1:
            signed = value(self.pki.sign(maker, _sequence(info, by, name), algorithm))
            return _sequence(info, _sequence(by, name, _bits(signed)), more)
        signed = value(self.pki.sign(maker, info, algorithm))
        return _sequence(info, by, name, _bits(signed), _stamped(stamp, signed), more)

    def signature(
        self,
        version: int,
        document: bytes,
        *,
        signer: str = "signer",
        certificate: bytes | None = None,
        at: datetime | None = None,
        until: datetime | None = None,
        listed: str = "certificate",
        raw: bool = False,
        time_text: str | None = None,
        time_info: bytes | None = None,
        seal: bytes | None = None,
        stated: int | None = None,
        digest: bytes | None = None,
        extensions: str = "",
        algorithm: str = SM2_WITH_SM3,
        value: Change = bytes,
        stamp: Change | None = None,
    ) -> bytes:
        """A seal signature over ``document``, DER; ``time_info`` is what a version 1 holds in its BIT STRING."""
        moment = at or self.at
        by, name = wrap(4, certificate or self.pki.certificate(signer)), _oid(algorithm)
        text = time_text or f"{moment:%Y%m%d%H%M%SZ}"
        time = _bits(time_info or text.encode()) if version == 1 else _general(moment)
        signed = _sequence(
            _integer(stated if stated is not None else version),
            seal if seal is not None else self.seal(version, until=until, listed=listed),
            time,
            _bits(digest if digest is not None else sm3(document)),
            _ia5("/whole"),
            *((by, name) if version == 1 else (_extensions(extensions, False),)),
        )
        made = value(self.pki.sign(signer, signed, algorithm))
        made = raw_of(made) if raw else made
        if version == 1:
            return _sequence(signed, _bits(made))
        return _sequence(signed, by, name, _bits(made), _stamped(stamp, made))

    def _properties(
        self, version: int, times: tuple[datetime, ...], listed: str, signer: bytes, kind: int, list_type: int | None
    ) -> bytes:
        names = {"digest": "1.2.156.10197.1.401", "misnamed": "1.2.156.10197.1.401.2", "name": "SM3", "unknown": "XX"}
        if listed == "certificate":
            certificates = _sequence(wrap(4, signer))
        else:
            certificates = _sequence(_sequence(wrap(19, names[listed].encode()), wrap(4, sm3(signer))))
        if version == 1:
            return _sequence(_integer(kind), _utf8("test seal"), certificates, *(_utc(t) for t in times))
        number = list_type if list_type is not None else 1 if listed == "certificate" else 2
        return _sequence(
            _integer(kind), _utf8("test seal"), _integer(number), certificates, *(_general(t) for t in times)
        )


def _stamped(stamp: Change | None, value: bytes) -> bytes:
    return wrap(0xA0, _bits(stamp(value))) if stamp is not None else b""


def _extensions(form: str, critical: bool | None) -> bytes:
    if not form:
        return b""
    flag = b"" if critical is None else wrap(1, b"\xff" if critical else b"\0")
    one = _sequence(_oid("1.2.156.10197.6.7.2.2.1"), flag, wrap(4, core.UTF8String("2.1").dump()))
    listed = _sequence(one)
    forms = {"plain": listed, "tagged": wrap(0xA0, listed), "implicit": wrap(0xA0, one), "octets": wrap(4, listed)}
    return forms[form]


def extension(oid: str, value: bytes, critical: bool | None = None) -> bytes:
    """An X.509 extension; ``critical`` None leaves the flag out, False writes it out, which is not DER."""
    flag = b"" if critical is None else wrap(1, b"\xff" if critical else b"\0")
    return _sequence(_oid(oid), flag, wrap(4, value))


def name_of(**attributes: str) -> bytes:
    """A distinguished name of ``C``, ``O``, ``CN`` in the order given."""
    kinds = {"C": ("2.5.4.6", 19), "O": ("2.5.4.10", 12), "CN": ("2.5.4.3", 12)}
    parts = [
        wrap(0x31, _sequence(_oid(kinds[k][0]), wrap(kinds[k][1], text.encode()))) for k, text in attributes.items()
    ]
    return _sequence(*parts)


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
