"""A 256-bit key in shares: any ``threshold`` of them give it back, fewer say nothing at all (Shamir, 1979).

Each byte is the constant term of a random polynomial over GF(2^8) modulo x^8+x^4+x^3+x+1, evaluated at the share's
number, as draft-mcgrew-tss-03 has it (its test vectors are in the tests). The arithmetic has no branch and no table
that a secret chooses. A share's text carries a checksum against slips of the pen; that the right shares came together
is told by the key's own identifier, which no share can be computed from.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from signing.errors import ShareError

SECRET_BYTES = 32
MOST_SHARES = 32
MAX_TEXT = 4096
_HEADER = "certvault key share 1"
_ID = re.compile(r"[0-9a-f]{16}")
_COUNTS = re.compile(r"([0-9]{1,2}) of ([0-9]{1,2}), any ([0-9]{1,2}) give the key back")


@dataclass(frozen=True, slots=True)
class Share:
    """One share. ``key_id`` names the key, ``purpose`` says what it is for; ``value`` is never shown by ``repr``."""

    key_id: str
    purpose: str
    number: int
    threshold: int
    count: int
    value: bytes = field(repr=False)

    def to_text(self) -> str:
        """What its keeper keeps: lines of ASCII and Chinese, the last but one a checksum over those before."""
        letters = base64.b32encode(self.value).decode().rstrip("=")
        lines = [
            _HEADER,
            f"purpose: {self.purpose}",
            f"key: {self.key_id}",
            f"share: {self.number} of {self.count}, any {self.threshold} give the key back",
            f"value: {'-'.join(letters[i : i + 4] for i in range(0, len(letters), 4))}",
        ]
        return "\n".join([*lines, f"check: {_check(lines)}", _ADVICE, ""])


_ADVICE = " ".join(("请单独保管，勿拍照、勿联网传送。", "Keep it apart from the others; no photograph, no network."))


def read_share(text: str) -> Share:
    """Read a share's text. ShareError says what is wrong, and never repeats the value."""
    lines = [line.strip() for line in text[: MAX_TEXT + 1].splitlines() if line.strip()]
    if len(text) > MAX_TEXT or not lines or lines[0] != _HEADER:
        raise ShareError("这不是密钥分片", "this is no key share")
    found: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if colon and name in {"purpose", "key", "share", "value", "check"}:
            if name in found:
                raise ShareError(f"分片中有两行 {name}", f"the share has two lines {name!r}")
            found[name] = value.strip()
    if len(found) != 5:
        raise ShareError("分片不完整", "the share is not whole")
    return _checked(found)


def _checked(found: dict[str, str]) -> Share:
    letters = re.sub(r"[-\s]", "", found["value"]).upper()
    spaced = "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
    lines = [_HEADER, *(f"{n}: {found[n]}" for n in ("purpose", "key", "share")), f"value: {spaced}"]
    if not hmac.compare_digest(found["check"].lower(), _check(lines)):
        raise ShareError("分片抄录有误：校验码不符", "the share was mistyped: its checksum does not fit")
    counts = _COUNTS.fullmatch(found["share"])
    try:
        value = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        value = b""
    if counts is None or len(value) != SECRET_BYTES or not _ID.fullmatch(found["key"]):
        raise ShareError("分片不完整", "the share is not whole")
    number, count, threshold = (int(n) for n in counts.groups())
    _check_counts(threshold, count)
    if not 1 <= number <= count:
        raise ShareError(f"没有第 {number} 份（共 {count} 份）", f"there is no share {number} of {count}")
    return Share(found["key"], found["purpose"], number, threshold, count, value)


def new_secret(more: bytes = b"") -> bytes:
    """A fresh key: this machine's randomness, and a token's where there is some (32 bytes), so that either suffices."""
    own = secrets.token_bytes(SECRET_BYTES)
    return own if not more else bytes(a ^ b for a, b in zip(own, more, strict=True))


def key_id_of(secret: bytes) -> str:
    """A key's name: 16 hex digits that do not help to find it."""
    return hmac.new(secret, b"certvault backup key 1", hashlib.sha256).hexdigest()[:16]


def split(
    secret: bytes,
    threshold: int,
    count: int,
    purpose: str,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Share, ...]:
    """``count`` shares of a 256-bit key, any ``threshold`` of which give it back. ShareError for impossible numbers."""
    _check_counts(threshold, count)
    if len(secret) != SECRET_BYTES or not purpose.isprintable() or not purpose.strip() or len(purpose) > 200:
        raise ShareError(
            "只拆分 32 字节的密钥，用途须为一行文字", "a key of 32 bytes is split, its purpose is one line"
        )
    values = share_out(secret, threshold, count, random)
    key_id = key_id_of(secret)
    return tuple(Share(key_id, purpose, n, threshold, count, value) for n, value in enumerate(values, 1))


def combine(shares: Sequence[Share]) -> bytes:
    """The key. ShareError for too few shares, shares of different keys, or values that give another key."""
    if not shares:
        raise ShareError("没有给出分片", "no share was given")
    first = shares[0]
    if any((s.key_id, s.threshold, s.count) != (first.key_id, first.threshold, first.count) for s in shares):
        raise ShareError("分片属于不同的密钥", "the shares are of different keys")
    distinct = {s.number: s for s in shares}
    if len(distinct) != len(shares):
        raise ShareError("同一分片给出了两次", "one share was given twice")
    if len(shares) < first.threshold:
        raise ShareError(
            f"需要 {first.threshold} 份分片，只给出 {len(shares)} 份",
            f"{first.threshold} shares are needed, {len(shares)} were given",
        )
    chosen = list(shares)[: first.threshold]
    secret = interpolate([(s.number, s.value) for s in chosen], 0)
    if not hmac.compare_digest(key_id_of(secret), first.key_id):
        raise ShareError("分片拼不出该密钥：其中有假", "the shares do not give the key: one of them is false")
    return secret


def share_out(secret: bytes, threshold: int, count: int, random: Callable[[int], bytes]) -> list[bytes]:
    """The values of the polynomials at 1 … ``count``."""
    terms = [secret, *(random(len(secret)) for _ in range(threshold - 1))]
    return [bytes(_at(x, [t[i] for t in terms]) for i in range(len(secret))) for x in range(1, count + 1)]


def interpolate(points: Sequence[tuple[int, bytes]], at: int) -> bytes:
    """The values at ``at`` of the polynomials of least degree through ``points`` (Lagrange)."""
    result = bytes(len(points[0][1]))
    for x, value in points:
        weight = 1
        for other, _ in points:
            if other != x:  # numbers of shares are no secret
                weight = multiply(weight, multiply(at ^ other, inverse(x ^ other)))
        result = bytes(r ^ multiply(v, weight) for r, v in zip(result, value, strict=True))
    return result


def multiply(a: int, b: int) -> int:
    """The product in GF(2^8); as many steps whatever the factors."""
    product = 0
    for _ in range(8):
        product ^= a & -(b & 1)
        a = (a << 1 & 0xFF) ^ (0x1B & -(a >> 7))
        b >>= 1
    return product


def inverse(a: int) -> int:
    """``a^254``, the inverse of ``a`` in GF(2^8); 0 for 0."""
    result = 1
    for bit in (1, 1, 1, 1, 1, 1, 1, 0):  # 254, a number that no secret chooses
        result = multiply(result, result)
        result = multiply(result, a) if bit else result
    return result


def _at(x: int, terms: Sequence[int]) -> int:
    value = 0
    for term in reversed(terms):
        value = multiply(value, x) ^ term
    return value


def _check_counts(threshold: int, count: int) -> None:
    if not 2 <= threshold <= count <= MOST_SHARES:
        raise ShareError(
            f"门限与份数须为 2 至 {MOST_SHARES}，且门限不大于份数",
            f"k of n shares: 2 to n of at most {MOST_SHARES}, not {threshold} of {count}",
        )


def _check(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
