"""ECDSA over prime curves that the libraries have no name for, and keys that spell their curve out (SEC 1, C.2).

Only public numbers are handled here, so the arithmetic need not hide how long it takes. It is slow, and so asked last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.formats.curvetable import NAMED

_MOST_BITS = 640
_LEAST_BITS = 150
_Point = tuple[int, int, int]
_INFINITY: _Point = (1, 1, 0)


class CurveError(ValueError):
    """Parameters or a point that make no key. The message says why."""


@dataclass(frozen=True, slots=True)
class Curve:
    """``y² = x³ + ax + b`` over the integers modulo p, with a base point of prime order n."""

    p: int
    a: int
    b: int
    gx: int
    gy: int
    n: int

    @property
    def size(self) -> int:
        """Bytes of one number of a signature."""
        return (self.n.bit_length() + 7) // 8

    def holds(self, x: int, y: int) -> bool:
        """Whether the point lies on the curve."""
        in_field = 0 <= x < self.p and 0 <= y < self.p
        return in_field and (y * y - x * x * x - self.a * x - self.b) % self.p == 0


@dataclass(frozen=True, slots=True)
class CurveKey:
    """A public key on such a curve."""

    curve: Curve
    x: int
    y: int

    def accepts(self, r: int, s: int, digest: bytes) -> bool:
        """Whether (r, s) signs ``digest`` (SEC 1, 4.1.4)."""
        curve = self.curve
        if not (0 < r < curve.n and 0 < s < curve.n):
            return False
        surplus = 8 * len(digest) - curve.n.bit_length()
        e = int.from_bytes(digest, "big") >> max(0, surplus)
        inverse = pow(s, -1, curve.n)
        first = _times(curve, e * inverse % curve.n, (curve.gx, curve.gy, 1))
        second = _times(curve, r * inverse % curve.n, (self.x, self.y, 1))
        x, _, z = _sum(curve, first, second)
        return z % curve.p != 0 and x * pow(z, -2, curve.p) % curve.p % curve.n == r


def named_curve(oid: str) -> Curve | None:
    """The curve of an object identifier of our table, or None."""
    found = NAMED.get(oid)
    return Curve(*(int(number, 16) for number in found[1].split())) if found else None


def explicit_curve(parameters: Any) -> Curve:
    """The curve that asn1crypto's ``SpecifiedECDomain`` spells out. Raises CurveError for one that is none."""
    field = parameters["field_id"]
    if field["field_type"].native != "prime_field":
        raise CurveError("its field is not a prime one")
    p = field["parameters"].native
    a, b = (_unsigned(parameters["curve"][name]) for name in ("a", "b"))
    n = parameters["order"].native
    cofactor = parameters["cofactor"].native
    if not (isinstance(p, int) and isinstance(n, int)) or not _LEAST_BITS <= n.bit_length() <= _MOST_BITS:
        raise CurveError("its size is not accepted")
    if not (3 < p < 1 << _MOST_BITS) or cofactor not in (None, 1) or pow(2, p - 1, p) != 1 or pow(2, n - 1, n) != 1:
        raise CurveError("its numbers are not prime, or its cofactor is not 1")
    curve = Curve(p, a, b, 0, 0, n)
    gx, gy = point_of(curve, bytes(parameters["base"].native))
    curve = Curve(p, a, b, gx, gy, n)
    if (4 * a**3 + 27 * b**2) % p == 0 or _times(curve, n, (gx, gy, 1))[2] % p:
        raise CurveError("it is singular, or its order is another")
    return curve


def _unsigned(value: Any) -> int:
    return int.from_bytes(bytes(value.native), "big") if isinstance(value.native, bytes) else int(value.native)


def point_of(curve: Curve, encoded: bytes) -> tuple[int, int]:
    """x and y of an encoded point, compressed or not (SEC 1, 2.3.4). Raises CurveError."""
    size = (curve.p.bit_length() + 7) // 8
    kind, body = encoded[:1], encoded[1:]
    if kind in (b"\x04", b"\x06", b"\x07") and len(body) == 2 * size:
        x, y = int.from_bytes(body[:size], "big"), int.from_bytes(body[size:], "big")
    elif kind in (b"\x02", b"\x03") and len(body) == size and curve.p % 4 == 3:
        x = int.from_bytes(body, "big")
        y = pow(x**3 + curve.a * x + curve.b, (curve.p + 1) // 4, curve.p)
        y = y if y % 2 == kind[0] - 2 else curve.p - y
    else:
        raise CurveError("a point is not encoded as expected")
    if not curve.holds(x, y):
        raise CurveError("a point is not on the curve")
    return x, y


def _double(curve: Curve, point: _Point) -> _Point:
    x, y, z = point
    p = curve.p
    if not y % p or not z % p:
        return _INFINITY
    yy = y * y % p
    s = 4 * x * yy % p
    m = (3 * x * x + curve.a * pow(z, 4, p)) % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p


def _sum(curve: Curve, left: _Point, right: _Point) -> _Point:
    p = curve.p
    if not left[2] % p or not right[2] % p:
        return right if not left[2] % p else left
    (x1, y1, z1), (x2, y2, z2) = left, right
    u1, u2 = x1 * z2 * z2 % p, x2 * z1 * z1 % p
    s1, s2 = y1 * pow(z2, 3, p) % p, y2 * pow(z1, 3, p) % p
    if u1 == u2:
        return _double(curve, left) if s1 == s2 else _INFINITY
    h, r = (u2 - u1) % p, (s2 - s1) % p
    hh, hhh = h * h % p, pow(h, 3, p)
    x3 = (r * r - hhh - 2 * u1 * hh) % p
    return x3, (r * (u1 * hh - x3) - s1 * hhh) % p, h * z1 * z2 % p


def _times(curve: Curve, factor: int, point: _Point) -> _Point:
    found = _INFINITY
    for bit in bin(factor)[2:]:
        found = _double(curve, found)
        if bit == "1":
            found = _sum(curve, found, point)
    return found
