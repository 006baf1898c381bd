"""Any bytes give a verdict."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verify import (
    Conclusion,
    Integrity,
    TrustStore,
    verify_any,
    verify_code,
    verify_document,
    verify_picture,
    verify_record,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADS = st.sampled_from(
    [b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"eyJhbGciOiJFUzI1NiJ9.", b"0\x82", b"\xd2\x84"]
)


@QUIET
@given(head=HEADS, data=st.binary(max_size=400))
def test_any_bytes_give_a_verdict_that_is_not_valid(head: bytes, data: bytes) -> None:
    for verdict in (
        verify_any(head + data, trust=TrustStore(), at=AT),
        verify_document(head + data, trust=TrustStore(), at=AT),
        verify_record(head + data, trust=TrustStore(), at=AT),
        verify_picture(head + data, trust=TrustStore(), at=AT),
    ):
        assert verdict.conclusion is not Conclusion.VALID
        assert verdict.integrity is not Integrity.INTACT
        assert verdict.findings
        verdict.to_json("zh")


@QUIET
@given(text=st.text(max_size=300))
def test_any_text_gives_a_verdict(text: str) -> None:
    for verdict in (
        verify_code(text, trust=TrustStore(), at=AT),
        verify_code(f"https://x/verify#c={text}", trust=TrustStore(), at=AT),
        verify_record(text, trust=TrustStore(), at=AT),
    ):
        assert verdict.conclusion is not Conclusion.VALID
