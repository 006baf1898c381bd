"""What findings say: in both languages, clean in each, with clause, reason and advice; and the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.reasons import phrases
from verify.findings import CATALOG, all_codes, finding
from verify.messages import en, zh
from verify.messages.advice import BEGINNINGS, KINDS
from verify.messages.reasons import UNKNOWN_REASON, worded
from verify.messages.reasons_zh import PHRASES
from verify.place import Place
from verify.report.catalog import codes_markdown
from verify.report.checks import KINDS as CHECKS
from verify.report.checks import check_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:!?]|[,;:!?][\u4e00-\u9fff]")


def test_every_code_has_clause_and_both_wordings() -> None:
    for row in all_codes("zh"):
        assert row["clause"], row["code"]
        for key in ("zh", "en", "why_zh", "why_en", "action_zh", "action_en"):
            assert row[key], (row["code"], key)
            assert row[key] != row["code"], key


def test_no_wording_is_left_over() -> None:
    assert set(zh.TEXTS) == set(en.TEXTS) == set(CATALOG)
    used = {kind for _, kind in BEGINNINGS}
    assert used <= set(KINDS)


def test_the_two_wordings_of_a_finding_have_the_same_slots() -> None:
    for code in CATALOG:
        slots = [sorted(re.findall(r"\{(\w+)\}", table[code])) for table in (zh.TEXTS, en.TEXTS)]
        assert slots[0] == slots[1], code


@pytest.mark.parametrize("row", all_codes("zh"), ids=lambda row: row["code"])
def test_chinese_is_chinese(row: dict[str, str]) -> None:
    for key in ("zh", "why_zh", "action_zh"):
        assert not ENGLISH.search(row[key]), row[key]
        assert not HALF_WIDTH.search(row[key]), row[key]
        assert row[key].endswith("。"), row[key]
    for key in ("en", "why_en", "action_en"):
        assert not re.search(r"[\u4e00-\u9fff\uff00-\uffef]", row[key]), row[key]
        assert row[key].endswith("."), row[key]


def test_every_reason_that_a_check_can_give_has_its_chinese() -> None:
    missing = {phrase: where for phrase, where in phrases().items() if _chinese(phrase) == UNKNOWN_REASON}
    assert not missing, missing


def _chinese(phrase: str) -> str:
    return PHRASES.get(phrase) or worded(phrase.replace("{}", "7"), "zh")


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_and_its_chinese_have_as_many_slots(phrase: str) -> None:
    assert phrase.count("{}") == PHRASES[phrase].count("{}")
    assert not HALF_WIDTH.search(PHRASES[phrase]), PHRASES[phrase]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("the gap is not one hexadecimal string", "字节范围的空隙不是一个十六进制串"),
        ("object 12 is overwritten", "对象 12 被覆盖"),
        ("the signature of a revocation list does not match", "吊销列表的签名不符"),
        ("the signed revision: its catalog is not found", "被签名的修订：找不到文件目录"),
        ("the certificate of EXAMPLE Root CA has expired", "EXAMPLE Root CA 的证书已过期"),
        ("CERTIFICATE_REVOKED", "证书已被吊销"),
        ("some library said something in its own words", UNKNOWN_REASON),
        ("sha256", "sha256"),
    ],
)
def test_reasons_in_chinese(given: str, expected: str) -> None:
    assert worded(given, "zh") == expected


def test_reasons_in_english_stay_as_they_are_but_for_codes() -> None:
    assert worded("object 12 is overwritten", "en") == "object 12 is overwritten"
    assert worded("NO_TRUSTED_PATH", "en") == "no chain leads to a trusted certificate"


def test_data_in_a_sentence_is_never_translated() -> None:
    """A name that happens to be a phrase is a name."""
    found = finding("NO_TRUSTED_PATH", subject="documents")
    assert found.message("zh").startswith("documents 的证书链")


def test_a_finding_names_its_place_as_data_and_in_words() -> None:
    place = Place(page=2, box=(10, 20.25, 110, 40), object_number=12, span=(100, 201), path="/Root/Pages", field="Sig")
    shown = finding("DIGEST_MISMATCH", place=place).to_json("en")
    assert shown["where"] == "field Sig, page 2, box 10 20.2 110 40, object 12, bytes 100-200, /Root/Pages"
    assert shown["place"] == {
        "page": 2, "box": [10, 20.25, 110, 40], "object": 12, "bytes": [100, 201], "path": "/Root/Pages",
        "field": "Sig",
    }  # fmt: skip
    plain = finding("DIGEST_MISMATCH", where="Seal1").to_json("en")
    assert (plain["where"], plain["place"]) == ("Seal1", None)


def test_every_code_belongs_to_a_check() -> None:
    names = {kind.name for kind in CHECKS}
    assert {check_of(code) for code in CATALOG} <= names


def test_the_page_of_findings_is_what_the_catalog_says() -> None:
    made = codes_markdown()
    assert (DOCS / "findings.md").read_text("utf-8") == made, "python -m verify --codes --markdown > docs/findings.md"
    for code in CATALOG:
        assert f"### {code}\n" in made


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AUTHORITY_LOOKALIKE", "do not trust a root that came with the file"),
        ("LATER_ADDITION", "what was added"),
        ("RECORD_WITHHELD", "ask for it to be shown"),
        ("CODE_CONTRADICTS_PAGE", "Refuse it"),
        ("HASHES_DIFFER", "Nothing needs to be done"),
    ],
)
def test_advice_fits_what_was_found(code: str, says: str) -> None:
    assert says in next(row["action_en"] for row in all_codes("en") if row["code"] == code)


def test_notes_advise_nobody_to_refuse() -> None:
    for row in all_codes("en"):
        if row["severity"] == "NOTE":
            assert "Refuse" not in row["action_en"], row["code"]
