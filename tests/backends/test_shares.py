"""Keys in shares: any enough give them back, fewer say nothing, and slips of the pen are told from forgery."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.backends.shares import combine, interpolate, inverse, multiply, read_share, share_out, split
from signing.errors import ShareError

PURPOSE = "backup key of vault 0011 备份密钥"
SECRET = bytes(range(32))


def test_the_field_is_that_of_fips_197() -> None:
    assert multiply(0x57, 0x83) == 0xC1  # FIPS 197, 4.2
    assert multiply(0x57, 0x13) == 0xFE  # FIPS 197, 4.2.1
    assert all(multiply(a, inverse(a)) == 1 for a in range(1, 256))
    assert inverse(0) == 0


def test_the_vector_of_draft_mcgrew_tss() -> None:
    """draft-mcgrew-tss-03, section 10: secret 7465737400, threshold 2."""
    points = [(1, bytes.fromhex("b9fa07e185")), (2, bytes.fromhex("f5409b4511"))]
    assert interpolate(points, 0) == bytes.fromhex("7465737400")
    slope = interpolate(points, 0xFF)
    assert interpolate([points[0], (0xFF, slope)], 0) == bytes.fromhex("7465737400")
    term = bytes(a ^ b for a, b in zip(points[0][1], bytes.fromhex("7465737400"), strict=True))
    assert share_out(bytes.fromhex("7465737400"), 2, 2, lambda _: term) == [value for _, value in points]


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(2, 6), st.integers(0, 4), st.randoms(use_true_random=False))
def test_any_enough_shares_give_the_key_back(secret: bytes, threshold: int, more: int, chance: random.Random) -> None:
    shares = list(split(secret, threshold, threshold + more, PURPOSE))
    chance.shuffle(shares)
    assert combine(shares[:threshold]) == secret
    assert combine(shares) == secret
    assert combine([read_share(s.to_text()) for s in shares[:threshold]]) == secret


def test_too_few_shares_fit_every_key() -> None:
    """With one share less than needed each byte of the key is still any of 256: nothing was learned."""
    shares = split(SECRET, 3, 5, PURPOSE)
    two = [(s.number, s.value) for s in shares[:2]]
    for guess in (bytes(32), bytes([255] * 32), SECRET[::-1]):
        third = interpolate([*two, (0, guess)], 3)
        assert interpolate([*two, (3, third)], 0) == guess
    with pytest.raises(ShareError, match="3 shares are needed, 2 were given"):
        combine(shares[:2])


def test_every_choice_of_three_of_five() -> None:
    shares = split(SECRET, 3, 5, PURPOSE)
    for chosen in itertools.combinations(shares, 3):
        assert combine(chosen) == SECRET


def test_what_does_not_belong_together_is_refused() -> None:
    shares, others = split(SECRET, 2, 3, PURPOSE), split(bytes(32), 2, 3, PURPOSE)
    for wrong, words in (
        ([], "no share"),
        ([shares[0], shares[0]], "twice"),
        ([shares[0], others[1]], "different keys"),
        ([shares[0], dataclasses.replace(shares[1], value=others[1].value)], "false"),
    ):
        with pytest.raises(ShareError, match=words):
            combine(wrong)
    for threshold, count in ((1, 3), (0, 0), (4, 3), (2, 33)):
        with pytest.raises(ShareError):
            split(SECRET, threshold, count, PURPOSE)


def test_a_mistyped_share_is_told_by_its_checksum_and_never_repeated() -> None:
    text = split(SECRET, 2, 3, PURPOSE)[0].to_text()
    value = next(line for line in text.splitlines() if line.startswith("value: "))
    for place in range(len("value: "), len(value)):
        if value[place] == "-":
            continue
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        with pytest.raises(ShareError, match="mistyped") as caught:
            read_share(text.replace(value, changed))
        assert changed[7:] not in str(caught.value)
    for changed in (text.replace("any 2", "any 3"), text.replace("share: 1", "share: 2"), text.replace("备份", "签名")):
        with pytest.raises(ShareError, match="mistyped"):
            read_share(changed)
    loose = text.replace(value, "value: " + value[7:].replace("-", " ").lower())
    assert read_share(loose) == read_share(text)


@pytest.mark.parametrize("text", ["", "x", "certvault key share 1", "certvault key share 1\n" + "a: b\n" * 2000])
def test_other_texts_are_no_shares(text: str) -> None:
    with pytest.raises(ShareError):
        read_share(text)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(ShareError):
        read_share("certvault key share 1\n" + text)


def test_a_share_does_not_show_its_value_by_accident() -> None:
    share = split(SECRET, 2, 3, PURPOSE)[0]
    assert "value" not in repr(share)
    assert share.value.hex() not in repr(share)
