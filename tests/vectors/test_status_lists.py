"""Token Status List: the examples of section 4 and the vectors of the draft's appendix, read and written."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from verify.formats.jose import UnverifiedJws
from verify.formats.statuslist import unverified_status_list

PLACES = (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345)
ONE_BIT = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAA"
    "KjDMAQAAAACAZC8L2AEb"
)
TWO_BITS = (
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAA"
    "AAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw"
)


def read(lst: str, bits: int) -> object:
    """The list as our reader has it."""
    claims = {"sub": "https://example.org/1", "iat": 1, "status_list": {"bits": bits, "lst": lst}}
    jws = UnverifiedJws({"typ": "statuslist+jwt"}, json.dumps(claims).encode(), b"", b"", None, ())  # type: ignore[arg-type]
    return unverified_status_list(jws, 16_000_000)


def independent(lst: str, bits: int) -> list[int]:
    """The draft's section 4.1 in other words: every byte as a number in binary, read from its right end."""
    unpacked = zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))
    values = []
    for byte in unpacked:
        digits = f"{byte:08b}"
        values += [int(digits[8 - (i + 1) * bits : 8 - i * bits], 2) for i in range(8 // bits)]
    return values


@pytest.mark.parametrize(
    ("lst", "bits", "expected"),
    [
        ("eNrbuRgAAhcBXQ", 1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        ("eNo76fITAAPfAgc", 2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
    ],
)
def test_the_examples_of_the_text(lst: str, bits: int, expected: list[int]) -> None:
    assert independent(lst, bits) == expected
    found = read(lst, bits)
    assert [found[i] for i in range(len(expected))] == expected  # type: ignore[index]


@pytest.mark.parametrize(
    ("lst", "bits", "expected"),
    [(ONE_BIT, 1, (1,) * 11), (TWO_BITS, 2, (1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3))],
)
def test_the_vectors_of_the_appendix(lst: str, bits: int, expected: tuple[int, ...]) -> None:
    """2^20 places; what is not listed is 0."""
    values = independent(lst, bits)
    assert len(values) == 1 << 20
    assert {i: v for i, v in enumerate(values) if v} == dict(zip(PLACES, expected, strict=True))
    found = read(lst, bits)
    assert [found[i] for i in PLACES] == list(expected)  # type: ignore[index]
    assert found[1] == 0  # type: ignore[index]
    with pytest.raises(IndexError):
        found[1 << 20]  # type: ignore[index]
