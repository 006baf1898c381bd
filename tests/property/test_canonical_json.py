"""Our canonical JSON is RFC 8785's, and a record survives the way there and back."""

from __future__ import annotations

import datetime
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from verify.formats.license import (
    FaceItem,
    FaceMap,
    Holder,
    LicenseRecord,
    RecordError,
    StaticRun,
    canonical_json,
    unverified_record,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.integers(-(10**9), 10**9).map(lambda n: n / 100)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
BOX = st.tuples(*[st.integers(0, 120_000).map(lambda n: n / 100)] * 4)
DATES = st.dates(datetime.date(1950, 1, 1), datetime.date(2200, 1, 1))
FACES = st.builds(
    FaceMap,
    pages=st.lists(st.tuples(st.just(595.28), st.just(841.89)), min_size=1, max_size=2).map(tuple),
    items=st.lists(st.builds(FaceItem, TEXT, TEXT, st.integers(1, 2), BOX), max_size=3).map(tuple),
    static=st.lists(st.builds(StaticRun, TEXT, st.integers(1, 2), BOX), max_size=2).map(tuple),
    code_page=st.just(1),
    code_box=BOX,
    seal_page=st.just(1),
    seal_box=BOX,
)
RECORDS = st.builds(
    LicenseRecord,
    identifier=TEXT,
    type=TEXT,
    type_version=st.integers(1, 99),
    type_code=TEXT,
    type_name=TEXT,
    number=TEXT,
    version=st.integers(1, 999),
    copy_number=st.none() | st.integers(1, 20),
    issuer_name=TEXT,
    issuer_code=TEXT,
    issued=DATES,
    valid_from=DATES,
    valid_to=st.none() | DATES,
    region=TEXT,
    holders=st.lists(st.builds(Holder, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    fields=st.dictionaries(TEXT, TEXT, max_size=5),
    status_uri=TEXT,
    status_index=st.integers(0, 2**30),
    sample=st.booleans(),
    face=FACES,
    extra=st.just({}),
)


@given(JSON)
def test_canonical_form_is_what_an_independent_rfc_8785_writer_makes(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(RECORDS)
def test_a_record_reads_back_equal(record: LicenseRecord) -> None:
    assert unverified_record(record.canonical()) == record


@given(RECORDS, st.data())
def test_a_record_without_one_member_is_refused_by_name(record: LicenseRecord, data: st.DataObject) -> None:
    value = record.to_json()
    name = data.draw(st.sampled_from(sorted(value)))
    del value[name]
    with pytest.raises(RecordError, match=name):
        unverified_record(canonical_json(value))


@given(RECORDS)
def test_a_record_with_an_unknown_member_is_refused(record: LicenseRecord) -> None:
    with pytest.raises(RecordError):
        unverified_record(canonical_json(record.to_json() | {"surprise": 1}))


@given(RECORDS)
def test_a_record_in_another_order_is_refused(record: LicenseRecord) -> None:
    value = record.to_json()
    other = json.dumps({k: value[k] for k in sorted(value, reverse=True)}, ensure_ascii=False, separators=(",", ":"))
    with pytest.raises(RecordError):
        unverified_record(other.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_a_record_error(data: bytes) -> None:
    with pytest.raises(RecordError):
        unverified_record(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.001, 2**53, b"x", {1, 2}])
def test_values_without_an_agreed_form_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no agreed canonical form|is not JSON"):
        canonical_json(value)
